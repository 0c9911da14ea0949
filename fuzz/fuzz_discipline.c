/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A clock's discipline under any sequence of inputs: octets decide about its configuration and
 * then, one operation after the other, samples (single ones with any value, and trains of
 * plausible ones that bring it to where it locks), corrections that are applied as asked, otherwise
 * or not at all, steps by others, changes of source and reference, and time.  After each of them
 * everything must hold that holds for every discipline at every time; above all that what it asks
 * of the clock and what it publishes are numbers, and within their limits.
 */
#include "fuzz.h"

#include "meantime/prng.h"
#include "meantime/steer.h"

#define SOURCES        2
#define OPERATIONS_MAX 400
#define TRAIN_MAX      32
#define S_OF_WIRE      (INT64_C(1) << 48)

struct state {
    struct fuzz_input input;
    struct mt_steer_config config;
    struct mt_discipline discipline;
    struct mt_discipline_source sources[SOURCES];
    struct mt_prng noise;
    struct mt_mono now;
    struct mt_instant local;
    uint32_t corrections;
};

static struct state state;

/* ---- what must always hold ------------------------------------------------------------------- */

static bool is_number(mt_real x)
{
    return x - x == 0; /* nor infinite */
}

static void check_correction(const struct state *self, const struct mt_correction *correction)
{
    if (correction->kind == MT_CORRECT_STEP) {
        fuzz_require(correction->step.ns < MT_NS_PER_S);
        fuzz_require(correction->scale < MT_SCALE_COUNT);
        return;
    }
    fuzz_require(correction->kind == MT_CORRECT_RATE);
    fuzz_require(is_number(correction->rate));
    fuzz_require(mt_real_abs(correction->rate) <= self->config.max_rate || /* or a stored one */
                 correction->rate == self->discipline.rate);
}

static void check_report(const struct state *self)
{
    struct mt_clock_quality_report report;
    mt_discipline_report(&self->discipline, self->local, &report);
    fuzz_require(report.state < MT_CLOCK_SERVING);
    fuzz_require(is_number(report.bound_growth) && report.bound_growth >= self->config.max_drift);
    fuzz_require(!report.is_locked || report.state == MT_CLOCK_LOCKED);
    if (report.reference == MT_BOUND_NONE) {
        fuzz_require(mt_interval_is_too_large(report.bound));
        return;
    }
    fuzz_require(report.bound.q16 > 0 && !mt_interval_is_too_large(report.bound));
    fuzz_require(report.reference_bound.q16 >= 0);
    fuzz_require(report.reference <= MT_BOUND_PARENT);
    fuzz_require(report.parts.estimate_ns >= 0 && report.parts.asymmetry_ns >= 0 &&
                 report.parts.granularity_ns > 0 && report.parts.steering_ns >= 0);
    fuzz_require(is_number(report.estimate.offset_sigma) && report.estimate.offset_sigma > 0);
    fuzz_require(is_number(report.estimate.frequency) && is_number(report.estimate.delay));
    fuzz_require(report.estimate.frequency_sigma > 0 && report.estimate.delay_sigma >= 0);
}

static void check(const struct state *self)
{
    mt_real rate;
    if (mt_discipline_drift(&self->discipline, &rate)) {
        fuzz_require(is_number(rate));
    }
    fuzz_require(is_number(self->discipline.model.frequency));
    fuzz_require(self->discipline.model.wander > 0 && self->discipline.model.wander < 1);
    check_report(self);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void pass(struct state *self, int64_t ns)
{
    self->now = mt_mono_plus(self->now, ns);
    self->local = mt_instant_plus(self->local, mt_span_from_ns(ns));
    if (mt_discipline_deadline(&self->discipline).ns <= self->now.ns) {
        mt_discipline_tick(&self->discipline, self->now);
    }
}

static struct mt_span any_value(struct state *self)
{
    uint8_t choice = fuzz_u8(&self->input);
    if (choice % 4 == 0) { /* what two timestamps of the wire can be apart */
        int64_t s = (int64_t)(fuzz_take(&self->input, 6)) - S_OF_WIRE / 2;
        return (struct mt_span){s, (uint32_t)fuzz_take(&self->input, 4) % MT_NS_PER_S, 1};
    }
    int64_t size = (int64_t)fuzz_take(&self->input, 1 + choice % 5);
    return mt_span_from_ns((choice & 0x80) != 0 ? -size : size);
}

static void offer(struct state *self, const struct mt_sample *sample)
{
    fuzz_require(mt_discipline_sample(&self->discipline, sample, self->now) <
                 MT_SAMPLE_VERDICT_COUNT);
}

static void any_sample(struct state *self)
{
    struct mt_sample sample = {
        .kind = (enum mt_sample_kind)(fuzz_u8(&self->input) % MT_SAMPLE_KIND_COUNT),
        .local = {self->local, self->corrections - fuzz_u8(&self->input) % 4},
        .scale = (enum mt_timescale)(fuzz_u8(&self->input) % MT_SCALE_COUNT),
        .source = fuzz_u8(&self->input) % (SOURCES + 1),
    };
    sample.value = any_value(self);
    sample.bound.q16 = (int64_t)fuzz_take(&self->input, 8) & INT64_MAX;
    sample.reference_bound.q16 = (int64_t)fuzz_take(&self->input, 8) & INT64_MAX;
    sample.bound_since.ns = self->now.ns - (int64_t)fuzz_take(&self->input, 3);
    sample.variance_q16 = (int64_t)fuzz_take(&self->input, 4);
    sample.delay.q16 = (int64_t)fuzz_take(&self->input, 4);
    sample.local.at = mt_instant_plus(sample.local.at, any_value(self));
    offer(self, &sample);
}

/* both directions of a path, or offsets, with some noise: the discipline gets somewhere */
static void train(struct state *self)
{
    unsigned count = fuzz_u8(&self->input) % TRAIN_MAX;
    int64_t offset_ns = (int64_t)fuzz_take(&self->input, 3) - (1 << 23);
    int64_t delay_ns = (int64_t)fuzz_take(&self->input, 2);
    uint32_t noise_ns = 1u + (uint32_t)fuzz_take(&self->input, 2);
    int64_t interval_ns = 1000000 * (1 + (int64_t)fuzz_u8(&self->input));
    bool is_offset = fuzz_u8(&self->input) % 8 == 0;
    for (unsigned i = 0; i < count; i++) {
        bool is_back = i % 2 == 1 && !is_offset;
        int64_t ns = delay_ns + (int64_t)mt_prng_below(&self->noise, noise_ns) +
                     (is_back ? -offset_ns : offset_ns);
        struct mt_sample sample = {
            .kind = is_offset ? MT_SAMPLE_OFFSET
                    : is_back ? MT_SAMPLE_REVERSE
                              : MT_SAMPLE_FORWARD,
            .local = {self->local, self->corrections},
            .value = mt_span_from_ns(ns),
            .scale = self->discipline.scale,
            .source = self->discipline.selected,
        };
        offer(self, &sample);
        pass(self, interval_ns);
    }
}

static void applied(struct state *self, struct mt_applied *answer)
{
    if (!answer->is_refused) {
        self->corrections++;
        if (answer->kind == MT_CORRECT_STEP) {
            self->local = mt_instant_plus(self->local, answer->step);
        }
    }
    answer->at = self->local;
    answer->corrections = self->corrections;
    mt_discipline_applied(&self->discipline, answer);
}

static void correct(struct state *self)
{
    struct mt_correction correction;
    while (mt_discipline_next_correction(&self->discipline, &correction)) {
        uint8_t how = fuzz_u8(&self->input) % 8;
        check_correction(self, &correction);
        if (correction.kind == MT_CORRECT_STEP) {
            self->local.scale = correction.scale;
        }
        struct mt_applied answer = {
            .kind = correction.kind,
            .step = correction.step,
            .rate = how == 1 ? correction.rate / 2 : correction.rate,
            .is_refused = how == 2,
        };
        applied(self, &answer);
    }
}

static void disturb(struct state *self)
{
    struct mt_applied answer = {.kind = MT_CORRECT_STEP, .step = any_value(self)};
    self->corrections += fuzz_u8(&self->input) % 2;
    applied(self, &answer);
}

static void operate(struct state *self)
{
    switch (fuzz_u8(&self->input) % 9) {
    case 0:
        any_sample(self);
        break;
    case 1:
    case 2:
        train(self);
        break;
    case 3:
        pass(self, (int64_t)fuzz_take(&self->input, 5));
        break;
    case 4:
        correct(self);
        break;
    case 5:
        disturb(self);
        break;
    case 6:
        mt_discipline_select(&self->discipline, fuzz_u8(&self->input) % (SOURCES + 2), self->now);
        break;
    case 7:
        mt_discipline_reset_source(&self->discipline, fuzz_u8(&self->input) % (SOURCES + 1));
        break;
    case 8:
        mt_discipline_new_reference(&self->discipline, false);
        break;
    }
    check(self);
}

static void start(struct state *self)
{
    uint8_t flags = fuzz_u8(&self->input);
    mt_steer_config_init(&self->config);
    self->config.never_step_at_start = (flags & 1) != 0;
    self->config.never_step_later = (flags & 2) != 0;
    self->config.adopts_scale = (flags & 4) != 0;
    self->config.estimates_only = (flags & 8) != 0;
    self->config.max_slew *= 1 + fuzz_u8(&self->input);
    self->config.granularity_ns = fuzz_u8(&self->input);
    self->now.ns = 1;
    self->local =
        (struct mt_instant){.s = (int64_t)fuzz_take(&self->input, 4), .scale = MT_SCALE_TAI};
    self->corrections = fuzz_u8(&self->input);
    mt_prng_init(&self->noise, flags);
    mt_discipline_init(&self->discipline, &self->config, self->sources, SOURCES, MT_SCALE_TAI,
                       self->corrections, (flags & 16) != 0 ? 20e-6 : 0, (flags & 16) != 0);
    mt_discipline_select(&self->discipline, 0, self->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    state = (struct state){.input = {data, size}};
    start(&state);
    for (int i = 0; i < OPERATIONS_MAX && state.input.left > 0; i++) {
        operate(&state);
    }
    return 0;
}
