/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "gnss_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct gnss_bench *bench;

void configure(bool has_pulses)
{
    const struct mt_gnss_label_config label = {0};
    const struct mt_gnss_guard_config guard = {MT_GNSS_JUMP_HOLD, 1000000, 60 * S_NS};
    struct mt_node_gnss *gnss = &bench->gnss[0];
    *gnss = (struct mt_node_gnss){
        .stream = STREAM, .pulses = has_pulses ? PULSES : MT_NODE_NO_LINK, .is_up = true};
    gnss->config = (struct mt_gnss_duty_config){.precision = mt_interval_from_ns(1000),
                                                .max_error = MT_INTERVAL_TOO_LARGE};
    mt_gnss_receiver_init(&gnss->receiver, MT_GNSS_ANY, MT_GNSS_NOT_BEFORE_S);
    mt_gnss_label_init(&gnss->label, &label);
    mt_gnss_guard_init(&gnss->guard, &guard);
}

static void lay_out_node(void)
{
    bench->clock.hal = &bench->number.hal;
    bench->clock.tai_utc_known = true;
    bench->clock.tai_minus_utc_s = TAI_UTC;
    bench->node.clocks = &bench->clock;
    bench->node.clock_count = 1;
    bench->node.local_link = MT_NODE_NO_LINK;
    bench->node.links = bench->links;
    bench->links[STREAM] = &bench->link;
    bench->links[PULSES] = &bench->link;
    bench->node.refclocks = bench->refclocks;
    bench->node.refclock_count = 1;
    bench->node.gnss = bench->gnss;
    bench->node.gnss_count = 1;
    bench->refclocks[0].link = MT_NODE_NO_LINK;
    bench->refclocks[0].config =
        (struct mt_refclock_config){.scale = MT_SCALE_UTC, .silence_ns = 10 * S_NS};
    bench->members[0] =
        (struct mt_arbiter_member){.kind = MT_ARBITER_REFCLOCK, .source = MT_SOURCE_NONE};
    bench->clock.arbiter = (struct mt_arbiter){
        .is_used = true,
        .count = 1,
        .members = bench->members,
        .sources = bench->judged,
        .opinions = bench->opinions,
        .config = {.min_sources = 1, .max_bound = 3},
        .result = {.selected = MT_ARBITER_NOBODY},
        .steering = MT_ARBITER_NOBODY,
    };
}

int set_up(void **state)
{
    struct mt_steer_config steer;
    (void)state;
    bench = calloc(1, sizeof *bench);
    mt_steer_config_init(&steer);
    mt_prng_init(&bench->noise, 5);
    int64_t now_ns = START_S * S_NS + 1000;
    /* a clock that was never set: 1970 */
    rate_clock_init(&bench->number, now_ns, 1000 * S_NS - now_ns, 5e-6);
    bench->has_fix = true;
    bench->leap_s = 18;
    bench->delay_ns = 150000000;
    lay_out_node();
    mt_discipline_init(&bench->clock.discipline, &steer, bench->sources, 1, MT_SCALE_TAI, 0, 0,
                       false);
    configure(true);
    mt_node_start(&bench->node, (struct mt_mono){bench->number.now_ns});
    mt_node_input(&bench->node, &(struct mt_input){.kind = MT_INPUT_LINK,
                                                   .link = STREAM,
                                                   .is_up = true,
                                                   .now = {bench->number.now_ns}});
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    free(bench);
    return 0;
}

/* ---- time passes ----------------------------------------------------------------------------- */

static void drain(void)
{
    struct mt_node_event event;
    while (mt_node_next_event(&bench->node, &event)) {
        if (event.kind == MT_NODE_GNSS) {
            bench->told[event.value.gnss.event]++;
        }
        bench->steps += event.kind == MT_NODE_STEP;
    }
}

void give(struct mt_input input)
{
    input.now.ns = bench->number.now_ns;
    mt_node_input(&bench->node, &input);
    drain();
}

void pass_until(int64_t until_ns)
{
    while (mt_node_deadline(&bench->node).ns < until_ns) {
        int64_t due_ns = mt_node_deadline(&bench->node).ns;
        bench->number.now_ns = due_ns > bench->number.now_ns ? due_ns : bench->number.now_ns + 1;
        give((struct mt_input){.kind = MT_INPUT_NONE});
    }
    bench->number.now_ns = until_ns;
}

void hear(const void *octets, size_t length)
{
    give((struct mt_input){.kind = MT_INPUT_FRAME,
                           .link = STREAM,
                           .bytes = octets,
                           .length = length,
                           .has_stamp = true,
                           .stamp = {.ns = bench->number.now_ns}});
}

void hear_pulse(int64_t late_ns)
{
    uint8_t bytes[MT_REFCLOCK_READING_SIZE];
    mt_refclock_reading_write(&(struct mt_refclock_reading){.is_pulse = true}, bytes);
    give((struct mt_input){.kind = MT_INPUT_FRAME,
                           .link = PULSES,
                           .bytes = bytes,
                           .length = sizeof bytes,
                           .has_stamp = true,
                           .stamp = {.ns = bench->number.now_ns + late_ns}});
}

/* ---- the receiver ---------------------------------------------------------------------------- */

void hear_nmea(const char *body)
{
    char line[128];
    unsigned sum = 0;
    for (const char *c = body; *c; c++) {
        sum ^= (unsigned char)*c;
    }
    hear(line, (size_t)snprintf(line, sizeof line, "$%s*%02X\r\n", body, sum));
}

static void speak_nmea(int64_t utc_s)
{
    time_t at = (time_t)utc_s;
    const struct tm *tm = gmtime(&at);
    char body[100];
    snprintf(body, sizeof body, "GNRMC,%02d%02d%02d.00,%c,,,,,0.0,,%02d%02d%02d,,,A", tm->tm_hour,
             tm->tm_min, tm->tm_sec, bench->has_fix ? 'A' : 'V', tm->tm_mday, tm->tm_mon + 1,
             tm->tm_year % 100);
    hear_nmea(body);
}

void put_le(uint8_t *at, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

void hear_ubx(uint8_t class, uint8_t id, const uint8_t *payload, size_t length)
{
    uint8_t frame[128] = {0xB5, 0x62, class, id, (uint8_t)length};
    memcpy(frame + 6, payload, length);
    for (size_t i = 2; i < length + 6; i++) {
        frame[length + 6] = (uint8_t)(frame[length + 6] + frame[i]);
        frame[length + 7] = (uint8_t)(frame[length + 7] + frame[length + 6]);
    }
    hear(frame, length + 8);
}

static void speak_ubx(int64_t utc_s)
{
    time_t at = (time_t)utc_s;
    const struct tm *tm = gmtime(&at);
    uint8_t payload[92] = {0};
    put_le(payload, (uint64_t)(utc_s + bench->leap_s - 315964800) % 604800 * 1000, 4);
    put_le(payload + 4, (uint64_t)tm->tm_year + 1900, 2);
    payload[6] = (uint8_t)(tm->tm_mon + 1);
    payload[7] = (uint8_t)tm->tm_mday;
    payload[8] = (uint8_t)tm->tm_hour;
    payload[9] = (uint8_t)tm->tm_min;
    payload[10] = (uint8_t)tm->tm_sec;
    payload[11] = 7;
    put_le(payload + 12, 30, 4);
    payload[20] = bench->has_fix ? 3 : 0;
    payload[21] = bench->has_fix;
    hear_ubx(0x01, 0x07, payload, sizeof payload);
}

void speak(int64_t utc_s)
{
    bench->is_ubx ? speak_ubx(utc_s) : speak_nmea(utc_s);
}

static int64_t at_random(int64_t most_ns)
{
    return most_ns > 0 ? (int64_t)mt_prng_below(&bench->noise, (uint32_t)most_ns) : 0;
}

static void one_second(void)
{
    int64_t s = bench->number.now_ns / S_NS + 1;
    bool is_lost = bench->lose_one_in > 0 && s % bench->lose_one_in == 0;
    int64_t late_ns = at_random(bench->pulse_ns);
    pass_until(s * S_NS);
    if (!is_lost && bench->gnss[0].pulses == PULSES) {
        hear_pulse(late_ns);
    }
    pass_until(s * S_NS + bench->delay_ns + at_random(bench->uneven_ns));
    speak(s + bench->ahead_s);
}

void seconds(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        one_second();
    }
}

int64_t off_ns(void)
{
    return rate_clock_at(&bench->number, bench->number.now_ns) - bench->number.now_ns -
           TAI_UTC * S_NS;
}

void assert_near(int64_t value, int64_t wanted, int64_t within)
{
    if (value < wanted - within || value > wanted + within) {
        fail_msg("%lld ns instead of %lld", (long long)value, (long long)wanted);
    }
}

uint64_t counted(enum mt_gnss_pulse_verdict verdict)
{
    return bench->gnss[0].counts[verdict];
}

bool is_locked(void)
{
    return bench->clock.discipline.phase == MT_STEER_LOCKED;
}
