/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Messages are Syncs and Announces with nothing but a header, told apart by their sequence numbers.
 * What has to do with time is compared by the clock's own readings, never by the absolute speed of
 * the machine.
 */
#include "contract.h"

#define MESSAGE    44
#define SYNC       0
#define ANNOUNCE   11
#define MS_NS      INT64_C(1000000)
#define S_NS       INT64_C(1000000000)
#define LINK_NS    (5 * S_NS)
#define ANSWER_NS  (2 * S_NS)
#define QUIET_NS   (200 * MS_NS)
#define RATE       MT_REAL(5e-5)
#define RATE_GRAIN MT_REAL(1e-9) /* of any clock that is worth steering */
#define MEASURE_NS (100 * MS_NS)
#define TOKEN      77
#define TRIES      5

struct run {
    const struct contract *contract;
    struct mt_hal_clock *clock;
    struct mt_hal_link *link;
    struct mt_hal_wait *wait;
    unsigned broken;
    uint16_t sequence;
    struct mt_mono last_now;
    bool has_gone_back;
};

/* What came of one message. */
struct exchange {
    struct mt_clock_reading before; /* it was sent */
    struct mt_clock_reading after;  /* all has come, or time was up */
    unsigned departures;            /* transmit stamps with its token */
    unsigned strange;               /* with others */
    unsigned echoes;
    bool has_departure;
    bool has_arrival;
    struct mt_base_time departure;
    struct mt_base_time arrival; /* of the echo */
};

static void rule(struct run *run, const char *name, bool holds)
{
    run->broken += !holds;
    run->contract->say(name, holds);
}

/* ---- tools ----------------------------------------------------------------------------------- */

static struct mt_mono now_of(const struct run *run)
{
    return run->wait->ops->now(run->wait);
}

static struct mt_input next(struct run *run, struct mt_mono deadline)
{
    struct mt_input input;
    run->wait->ops->next(run->wait, deadline, &input);
    run->has_gone_back |= input.now.ns < run->last_now.ns;
    run->last_now = input.now;
    return input;
}

static void pass(struct run *run, int64_t ns)
{
    const struct mt_mono end = mt_mono_plus(now_of(run), ns);
    while (now_of(run).ns < end.ns) {
        (void)next(run, end);
    }
}

static struct mt_clock_reading read_clock(const struct run *run)
{
    struct mt_clock_reading reading;
    run->clock->ops->read(run->clock, &reading);
    return reading;
}

static int64_t local_ns(const struct mt_stamp *from, const struct mt_stamp *to)
{
    return mt_span_to_ns(mt_instant_minus(to->at, from->at));
}

/* what two readings may disagree by */
static int64_t doubt_ns(const struct run *run, const struct mt_clock_reading *a,
                        const struct mt_clock_reading *b)
{
    return run->contract->doubt_ns + a->window_ns + b->window_ns + 2 * run->clock->granularity_ns;
}

static bool is_within(int64_t value, int64_t most)
{
    return value <= most && value >= -most;
}

/* Local time went as base time and rate say. */
static bool goes_at_rate(const struct run *run, const struct mt_clock_reading *a,
                         const struct mt_clock_reading *b)
{
    const int64_t base_ns = b->base.ns - a->base.ns;
    const mt_real gain_ns = (mt_real)b->rate_q64 * MT_REAL(0x1p-64) * (mt_real)base_ns;
    const int64_t off_ns = local_ns(&a->local, &b->local) - base_ns - mt_real_round(gain_ns);
    return is_within(off_ns, doubt_ns(run, a, b));
}

static struct mt_applied apply_rate(const struct run *run, mt_real rate)
{
    const struct mt_correction correction = {.kind = MT_CORRECT_RATE, .rate = rate};
    struct mt_applied applied;
    run->clock->ops->apply(run->clock, &correction, &applied);
    return applied;
}

static struct mt_applied apply_step(const struct run *run, int64_t ns)
{
    const struct mt_correction correction = {
        .kind = MT_CORRECT_STEP, .step = mt_span_from_ns(ns), .scale = run->clock->scale};
    struct mt_applied applied;
    run->clock->ops->apply(run->clock, &correction, &applied);
    return applied;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void check_link_is_told(struct run *run)
{
    const struct mt_mono end = mt_mono_plus(now_of(run), LINK_NS);
    bool is_up = false;
    while (!is_up && now_of(run).ns < end.ns) {
        const struct mt_input input = next(run, end);
        is_up = input.kind == MT_INPUT_LINK && input.is_up;
    }
    rule(run, "wait: the link is told to be up without being asked", is_up);
}

static void check_deadlines(struct run *run)
{
    const struct mt_mono start = now_of(run);
    (void)next(run, start);
    const struct mt_mono after = now_of(run);
    rule(run, "wait: a deadline that is past does not wait",
         after.ns - start.ns <= run->contract->slack_ns);
    const struct mt_mono deadline = mt_mono_plus(now_of(run), 20 * MS_NS);
    while (now_of(run).ns < deadline.ns) {
        (void)next(run, deadline);
    }
    rule(run, "wait: a deadline is kept, and time goes on",
         now_of(run).ns - deadline.ns <= run->contract->slack_ns);
}

/* ---- the clock ------------------------------------------------------------------------------- */

static void check_reading(struct run *run)
{
    const struct mt_clock_reading first = read_clock(run);
    pass(run, MEASURE_NS);
    const struct mt_clock_reading second = read_clock(run);
    rule(run, "clock: local time and base time go on",
         local_ns(&first.local, &second.local) > 0 && second.base.ns > first.base.ns);
    rule(run, "clock: local time goes at the rate that a reading says",
         goes_at_rate(run, &first, &second));
    rule(run, "clock: nothing is counted when nothing is corrected",
         first.local.corrections == second.local.corrections);
}

static bool is_between(const struct run *run, struct mt_instant at,
                       const struct mt_clock_reading *before, const struct mt_clock_reading *after)
{
    const int64_t doubt = doubt_ns(run, before, after);
    return mt_span_to_ns(mt_instant_minus(at, before->local.at)) >= -doubt &&
           mt_span_to_ns(mt_instant_minus(after->local.at, at)) >= -doubt;
}

static void check_rate(struct run *run)
{
    const struct mt_clock_reading before = read_clock(run);
    const struct mt_applied applied = apply_rate(run, RATE);
    const struct mt_clock_reading after = read_clock(run);
    rule(run, "clock: a rate is applied, and the answer says so",
         !applied.is_refused && applied.kind == MT_CORRECT_RATE &&
             mt_real_abs(applied.rate - RATE) <= RATE_GRAIN);
    rule(run, "clock: the answer says when it took effect",
         is_between(run, applied.at, &before, &after));
    rule(run, "clock: each correction is counted",
         applied.corrections == before.local.corrections + 1 &&
             after.local.corrections == applied.corrections);
    pass(run, MEASURE_NS);
    const struct mt_clock_reading later = read_clock(run);
    const mt_real changed = (mt_real)(later.rate_q64 - before.rate_q64) * MT_REAL(0x1p-64);
    rule(run, "clock: it runs at the new rate",
         goes_at_rate(run, &after, &later) && mt_real_abs(changed - RATE) < RATE / 50);
}

static void check_range(struct run *run)
{
    const mt_real most = run->clock->max_rate;
    const mt_real high = apply_rate(run, most * 10).rate;
    const mt_real low = apply_rate(run, -most * 10).rate;
    const mt_real zero = apply_rate(run, 0).rate;
    rule(run, "clock: what is beyond its range is limited, and the answer says so",
         high <= most + RATE_GRAIN && high > most / 2 && low >= -most - RATE_GRAIN &&
             low < -most / 2);
    rule(run, "clock: rates replace each other", mt_real_abs(zero) <= RATE_GRAIN);
}

static void check_step(struct run *run, const char *name, int64_t step_ns)
{
    const struct mt_clock_reading before = read_clock(run);
    const struct mt_applied applied = apply_step(run, step_ns);
    const struct mt_clock_reading after = read_clock(run);
    const int64_t jumped_ns =
        local_ns(&before.local, &after.local) - (after.base.ns - before.base.ns);
    const int64_t doubt = doubt_ns(run, &before, &after);
    rule(run, name,
         !applied.is_refused && applied.kind == MT_CORRECT_STEP &&
             is_within(mt_span_to_ns(applied.step) - step_ns, doubt) &&
             is_within(jumped_ns - step_ns, doubt) &&
             applied.corrections == before.local.corrections + 1);
}

static void check_disturbances(struct run *run)
{
    struct mt_applied applied;
    rule(run, "clock: its own corrections are nobody else's",
         !run->clock->ops->disturbed(run->clock, &applied));
}

/* ---- the link -------------------------------------------------------------------------------- */

static void make_message(uint8_t octets[MESSAGE], uint8_t type, uint16_t sequence)
{
    for (unsigned i = 0; i < MESSAGE; i++) {
        octets[i] = (uint8_t)(i >= 20 && i < 28 ? 0x5A : 0);
    }
    octets[0] = type;
    octets[1] = 2;
    octets[3] = MESSAGE;
    octets[29] = 1;
    octets[30] = (uint8_t)(sequence >> 8);
    octets[31] = (uint8_t)sequence;
}

/* What is behind the message is the link's padding. */
static bool is_message(const struct mt_input *input, const uint8_t octets[MESSAGE])
{
    bool is_same = input->length >= MESSAGE;
    for (unsigned i = 0; is_same && i < MESSAGE; i++) {
        is_same = input->bytes[i] == octets[i];
    }
    return is_same;
}

static void take(struct exchange *exchange, const struct mt_input *input,
                 const uint8_t octets[MESSAGE])
{
    if (input->kind == MT_INPUT_TX_STAMP && input->token == TOKEN) {
        exchange->departures++;
        exchange->has_departure = input->has_stamp;
        exchange->departure = input->stamp;
    } else if (input->kind == MT_INPUT_TX_STAMP) {
        exchange->strange++;
    } else if (input->kind == MT_INPUT_FRAME && is_message(input, octets)) {
        exchange->echoes++;
        exchange->has_arrival = input->has_stamp;
        exchange->arrival = input->stamp;
    }
}

static bool send(struct run *run, uint8_t type, struct exchange *ret_exchange)
{
    uint8_t octets[MESSAGE];
    const bool is_event = type == SYNC;
    const struct mt_link_frame frame = {
        .bytes = octets, .length = MESSAGE, .is_event = is_event, .token = is_event ? TOKEN : 0};
    make_message(octets, type, ++run->sequence);
    pass(run, MS_NS); /* a stamp may be cut to before a correction that has just been made */
    *ret_exchange = (struct exchange){.before = read_clock(run)};
    const bool is_sent = run->link->ops->send(run->link, &frame);
    struct mt_mono end = mt_mono_plus(now_of(run), ANSWER_NS);
    bool is_complete = false;
    while (now_of(run).ns < end.ns) {
        const struct mt_input input = next(run, end);
        take(ret_exchange, &input, octets);
        if (!is_complete && ret_exchange->echoes > 0 &&
            (ret_exchange->departures > 0 || !is_event)) {
            is_complete = true; /* what should not come has some time to do so */
            ret_exchange->after = read_clock(run);
            end = mt_mono_plus(now_of(run), QUIET_NS);
        }
    }
    return is_sent && is_complete;
}

/* A network may lose a frame, and a kernel a stamp, but not all. */
static bool send_until_complete(struct run *run, uint8_t type, struct exchange *ret_exchange)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (send(run, type, ret_exchange) && ret_exchange->has_departure == (type == SYNC) &&
            (type != SYNC || ret_exchange->has_arrival)) {
            return true;
        }
    }
    return false;
}

static struct mt_stamp stamp_of(const struct run *run, struct mt_base_time base)
{
    struct mt_stamp stamp;
    run->clock->ops->stamp(run->clock, base, &stamp);
    return stamp;
}

/* Both stamps lie between readings made before and after, in order. */
static void check_stamps(struct run *run, const struct exchange *exchange)
{
    const struct mt_stamp departure = stamp_of(run, exchange->departure);
    const struct mt_stamp arrival = stamp_of(run, exchange->arrival);
    const struct mt_clock_reading *before = &exchange->before;
    const struct mt_clock_reading *after = &exchange->after;
    rule(run, "clock: the stamp of a frame sent lies between readings before and after",
         is_between(run, departure.at, before, after));
    rule(run, "clock: the stamp of a frame received lies between readings before and after",
         is_between(run, arrival.at, before, after));
    rule(run, "clock: an answer arrives after what it answers",
         local_ns(&departure, &arrival) >= -doubt_ns(run, before, after));
    rule(run, "clock: a stamp has the count that was in force",
         departure.corrections == before->local.corrections &&
             arrival.corrections == before->local.corrections);
}

static void check_old_stamps(struct run *run, const struct exchange *exchange)
{
    const struct mt_stamp before = stamp_of(run, exchange->arrival);
    (void)apply_step(run, 3 * S_NS);
    (void)apply_rate(run, RATE);
    const struct mt_stamp after = stamp_of(run, exchange->arrival);
    rule(run, "clock: a stamp from before corrections is read as the clock was then",
         after.corrections == before.corrections &&
             is_within(local_ns(&before, &after), run->contract->doubt_ns));
    (void)apply_rate(run, 0);
    (void)apply_step(run, -3 * S_NS);
}

static void check_event_message(struct run *run)
{
    struct exchange exchange;
    const bool is_complete = send_until_complete(run, SYNC, &exchange);
    rule(run, "link: an event message is sent, stamped, answered, and the answer stamped",
         is_complete);
    if (is_complete) {
        rule(run, "link: its stamp comes once, with its token",
             exchange.departures == 1 && exchange.strange == 0);
        rule(run, "link: a message arrives once", exchange.echoes == 1);
        check_stamps(run, &exchange);
        check_old_stamps(run, &exchange);
    }
}

static void check_general_message(struct run *run)
{
    struct exchange exchange;
    const bool is_complete = send_until_complete(run, ANNOUNCE, &exchange);
    rule(run, "link: a general message is sent and answered", is_complete);
    rule(run, "link: nobody is told of its departure",
         exchange.departures == 0 && exchange.strange == 0);
}

unsigned contract_check(const struct contract *self)
{
    struct run run = {.contract = self,
                      .clock = self->tables.clock,
                      .link = self->tables.link,
                      .wait = self->tables.wait};
    check_link_is_told(&run);
    check_deadlines(&run);
    check_reading(&run);
    check_rate(&run);
    check_range(&run);
    check_step(&run, "clock: it is stepped forward", 1250000001);
    check_step(&run, "clock: it is stepped back", -750000001);
    check_disturbances(&run);
    check_event_message(&run);
    check_general_message(&run);
    rule(&run, "wait: time never goes back", !run.has_gone_back);
    return run.broken;
}
