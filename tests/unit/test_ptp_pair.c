/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two instances over a link whose delays are known to 2^-16 ns: what the receiver measures must be
 * exactly what the link and the clocks are, so that no correction, latency or fraction is lost,
 * counted twice or taken with the wrong sign.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ptp_bench.h"

/* Two ordinary clocks; `a` is the better.  All times in units of 2^-16 ns. */
struct pair {
    struct ptp_bench *a;
    struct ptp_bench *b;
    int64_t ahead_q16;   /* b's clock against a's */
    int64_t forward_q16; /* delay from a to b */
    int64_t reverse_q16;
    int64_t residence_q16; /* of a transparent clock between them, each way */
    int64_t stamps_q16;    /* fraction that all stamps of a have */
};

static struct ptp_bench bench_a;
static struct ptp_bench bench_b;
static struct pair pair;

static int start(void **state)
{
    pair = (struct pair){.a = &bench_a, .b = &bench_b};
    bench_init(pair.a, 1);
    bench_init(pair.b, 1);
    pair.a->config.identity = bench_identity(1);
    pair.a->config.priority1 = 10;
    return 0;
}

static struct mt_stamp stamp_at(const struct pair *self, const struct ptp_bench *bench,
                                int64_t after_q16)
{
    struct mt_stamp stamp = bench_stamp(bench);
    int64_t shift_q16 = after_q16 + self->stamps_q16 + (bench == self->b ? self->ahead_q16 : 0);
    stamp.at = mt_instant_plus(stamp.at, mt_span_from_interval((struct mt_interval){shift_q16}));
    return stamp;
}

/* Carries one frame over, with what a transparent clock adds to event messages. */
static void carry(struct pair *self, struct ptp_bench *from, struct ptp_bench *to,
                  const struct bench_frame *frame)
{
    uint8_t buffer[MT_PTP_MESSAGE_MAX];
    struct mt_ptp_message message = frame->message;
    int64_t delay_q16 =
        (from == self->a ? self->forward_q16 : self->reverse_q16) + self->residence_q16;
    if (frame->tx.is_event) {
        message.header.correction.q16 += self->residence_q16;
        const struct mt_stamp stamp = stamp_at(self, from, 0);
        mt_instance_tx_done(&from->instance, frame->tx.token, &stamp, from->now);
    }
    size_t length = mt_ptp_write(&message, buffer, sizeof buffer);
    const struct mt_stamp stamp = stamp_at(self, to, delay_q16);
    mt_instance_rx(&to->instance, 1, buffer, length, frame->tx.is_event ? &stamp : NULL, NULL,
                   to->now);
}

static bool carry_all(struct pair *self, struct ptp_bench *from, struct ptp_bench *to, size_t *done)
{
    bool any = false;
    for (; *done < from->frame_count; ++*done) {
        carry(self, from, to, &from->frames[*done]);
        bench_drain(from);
        bench_drain(to);
        any = true;
    }
    return any;
}

static void run(struct pair *self, unsigned seconds)
{
    size_t done_a = 0;
    size_t done_b = 0;
    self->a->holds_stamps = true;
    self->b->holds_stamps = true;
    bench_start(self->a);
    bench_start(self->b);
    for (unsigned i = 0; i < seconds * 100; i++) {
        bench_pass(self->a, BENCH_S(0.01));
        bench_pass(self->b, BENCH_S(0.01));
        while (carry_all(self, self->a, self->b, &done_a) ||
               carry_all(self, self->b, self->a, &done_b)) {
        }
    }
    assert_int_equal(bench_state(self->a, 1), MT_STATE_TRANSMITTER);
    assert_int_equal(bench_state(self->b, 1), MT_STATE_UNCALIBRATED);
}

/* All samples of both kinds, and that there are enough of them. */
static void assert_measured(const struct pair *self, int64_t forward_q16, int64_t reverse_q16)
{
    unsigned counts[MT_SAMPLE_KIND_COUNT] = {0};
    for (size_t i = 0; i < self->b->event_count; i++) {
        const struct mt_event *event = &self->b->events[i].event;
        if (event->kind == MT_EVENT_SAMPLE) {
            enum mt_sample_kind kind = event->value.sample.kind;
            int64_t expected = kind == MT_SAMPLE_FORWARD ? forward_q16 : reverse_q16;
            counts[kind]++;
            assert_true(mt_span_to_interval(event->value.sample.value).q16 == expected);
        }
    }
    assert_true(counts[MT_SAMPLE_FORWARD] > 10);
    assert_true(counts[MT_SAMPLE_REVERSE] > 5);
}

static void ptp_pair_measures_to_the_last_bit_when_all_have_fractions(void **state)
{
    static const int64_t fractions[] = {0, 1, 32768, 65535};
    for (unsigned i = 0; i < 4; i++) {
        start(state);
        pair.stamps_q16 = fractions[i];
        pair.forward_q16 = 1234 * 65536 + 17;
        pair.reverse_q16 = 987 * 65536 + 40001;
        pair.ahead_q16 = INT64_C(5000000) * 65536 + 3;
        run(&pair, 30);
        assert_measured(&pair, pair.forward_q16 + pair.ahead_q16,
                        pair.reverse_q16 - pair.ahead_q16);
    }
}

static void ptp_pair_measures_when_the_receiver_is_behind(void **state)
{
    pair.forward_q16 = 100;
    pair.reverse_q16 = 50 * 65536;
    pair.ahead_q16 = -INT64_C(3600) * MT_NS_PER_S * 65536 - 12345;
    run(&pair, 30);
    assert_measured(&pair, pair.forward_q16 + pair.ahead_q16, pair.reverse_q16 - pair.ahead_q16);
}

static void ptp_pair_does_not_see_residence_when_a_transparent_clock_corrects(void **state)
{
    pair.stamps_q16 = 60000;
    pair.forward_q16 = 1000 * 65536 + 5;
    pair.reverse_q16 = 2000 * 65536 + 6;
    pair.residence_q16 = INT64_C(123456) * 65536 + 777;
    run(&pair, 30);
    assert_measured(&pair, pair.forward_q16, pair.reverse_q16);
}

/* Latencies of both ends and the asymmetry of the link, all configured as they are. */
static void ptp_pair_measures_the_mean_when_latencies_and_asymmetry_are_configured(void **state)
{
    int64_t mean_q16 = 5000 * 65536 + 99;
    int64_t asymmetry_q16 = 70 * 65536 + 13;
    int64_t egress_q16 = 200 * 65536 + 7;
    int64_t ingress_q16 = 30 * 65536 + 65535;
    pair.stamps_q16 = 4321;
    pair.b->port_configs[0].delay_asymmetry.q16 = asymmetry_q16;
    pair.a->port_configs[0].egress_latency.q16 = egress_q16;
    pair.b->port_configs[0].egress_latency.q16 = egress_q16;
    pair.a->port_configs[0].ingress_latency.q16 = ingress_q16;
    pair.b->port_configs[0].ingress_latency.q16 = ingress_q16;
    /* a stamp is egress before the wire, another ingress after it */
    pair.forward_q16 = egress_q16 + mean_q16 + asymmetry_q16 + ingress_q16;
    pair.reverse_q16 = egress_q16 + mean_q16 - asymmetry_q16 + ingress_q16;
    run(&pair, 30);
    assert_measured(&pair, mean_q16, mean_q16);
}

static void ptp_pair_counts_asymmetry_on_one_side_only_when_the_transmitter_has_it_too(void **state)
{
    pair.a->port_configs[0].delay_asymmetry.q16 = 1000 * 65536;
    pair.forward_q16 = 5000;
    pair.reverse_q16 = 6000;
    run(&pair, 30);
    assert_measured(&pair, 5000, 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ptp_pair_measures_to_the_last_bit_when_all_have_fractions, start),
        cmocka_unit_test_setup(ptp_pair_measures_when_the_receiver_is_behind, start),
        cmocka_unit_test_setup(ptp_pair_does_not_see_residence_when_a_transparent_clock_corrects,
                               start),
        cmocka_unit_test_setup(
            ptp_pair_measures_the_mean_when_latencies_and_asymmetry_are_configured, start),
        cmocka_unit_test_setup(
            ptp_pair_counts_asymmetry_on_one_side_only_when_the_transmitter_has_it_too, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
