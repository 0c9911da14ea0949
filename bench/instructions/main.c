/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is counted: the estimator on a clock that nobody corrects, and the discipline with its
 * estimator in a closed loop.  The world is a table of events (traffic.h, written by traffic.py):
 * true time, frequency of the oscillator, noise.  It counts in integers, so that it is the same
 * world whatever mt_real is.
 */
#include "board.h"
#include "meantime/steer.h"
#include "traffic.h"

#define EPOCH_S        1700000000
#define DELAY_NS       10000
#define START_AHEAD_NS 1000000
#define SPIN_ROUNDS    10000
#define FUNCTION_CALLS 64
#define LOOP_EVENTS    150 /* in the closed loop; the estimator alone gets them all */

struct world {
    int64_t t_ns;       /* true time */
    int64_t offset_q16; /* of the clock, 2^-16 ns */
    int64_t rate_q40;   /* correction of its rate, 2^-40 */
    uint32_t corrections;
};

static struct mt_estimator estimator;
static struct mt_skewness skewness;
static struct mt_clock_model model;
static struct mt_discipline discipline;
static struct mt_discipline_source source;
static struct mt_skewness skewness; /* one-sided noise is looked for, and found */

static void advance(struct world *world, const struct event *event, int64_t t_ns)
{
    const int64_t rate_q40 = event->frequency_q40 + world->rate_q40;

    world->offset_q16 += (t_ns - world->t_ns) * rate_q40 / (1 << 24);
    world->t_ns = t_ns;
}

static struct mt_instant reading(const struct world *world)
{
    const struct mt_instant at =
        mt_instant_from_ns(INT64_C(1000000000) * EPOCH_S + world->t_ns, MT_SCALE_TAI);
    return mt_instant_plus(at, mt_span_from_interval((struct mt_interval){world->offset_q16}));
}

static struct mt_sample sample_of(const struct world *world, const struct event *event)
{
    const int64_t sign = event->is_reverse ? -1 : 1;
    const int64_t value = DELAY_NS * 65536 + event->noise_q16 + sign * world->offset_q16;

    return (struct mt_sample){
        .kind = event->is_reverse ? MT_SAMPLE_REVERSE : MT_SAMPLE_FORWARD,
        .local = {reading(world), world->corrections},
        .value = mt_span_from_interval((struct mt_interval){value}),
        .bound = MT_INTERVAL_TOO_LARGE,
        .reference_bound = MT_INTERVAL_TOO_LARGE,
        .scale = MT_SCALE_TAI,
    };
}

static struct mt_mono now_of(const struct world *world)
{
    return (struct mt_mono){world->t_ns};
}

static void print(const char *name, uint32_t start, uint32_t end)
{
    board_print(name, ((end - start) & 0xFFFFFF) * BOARD_INSTRUCTIONS_PER_TICK);
}

static void run_estimator(void)
{
    struct world world = {.t_ns = 0};

    mt_clock_model_init(&model);
    mt_skewness_init(&skewness);
    mt_skewness_init(&skewness);
    mt_estimator_init(&estimator, 1, &skewness);
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        advance(&world, &events[i], events[i].t_ns);
        const struct mt_sample sample = sample_of(&world, &events[i]);
        const uint32_t start = board_ticks();
        mt_estimator_update(&estimator, &model, &sample);
        print("update", start, board_ticks());
    }
    board_print("is_skewed", skewness.is_skewed);
}

static void correct(struct world *world)
{
    struct mt_correction correction;

    while (mt_discipline_next_correction(&discipline, &correction)) {
        struct mt_applied applied = {.kind = correction.kind, .corrections = ++world->corrections};
        if (correction.kind == MT_CORRECT_STEP) {
            applied.step = correction.step;
            world->offset_q16 += mt_span_to_interval(correction.step).q16;
        } else {
            applied.rate = correction.rate;
            world->rate_q40 = mt_real_round(correction.rate * MT_REAL(0x1p40));
        }
        applied.at = reading(world);
        mt_discipline_applied(&discipline, &applied);
    }
}

static void wait(struct world *world, const struct event *event)
{
    for (;;) {
        const int64_t deadline_ns = mt_discipline_deadline(&discipline).ns;
        if (deadline_ns >= event->t_ns) {
            break;
        }
        advance(world, event, deadline_ns > world->t_ns ? deadline_ns : world->t_ns);
        mt_discipline_tick(&discipline, now_of(world));
        correct(world);
    }
    advance(world, event, event->t_ns);
}

static void run_discipline(void)
{
    struct world world = {.offset_q16 = INT64_C(65536) * START_AHEAD_NS};
    struct mt_steer_config config;
    struct mt_clock_quality_report report;

    mt_steer_config_init(&config);
    mt_skewness_init(&skewness);
    config.skewness = &skewness;
    mt_discipline_init(&discipline, &config, &source, 1, MT_SCALE_TAI, 0, 0, false);
    mt_discipline_reset_source(&discipline, 0);
    mt_discipline_select(&discipline, 0, now_of(&world));
    for (unsigned i = 0; i < LOOP_EVENTS; i++) {
        wait(&world, &events[i]);
        const struct mt_sample sample = sample_of(&world, &events[i]);
        const uint32_t start = board_ticks();
        mt_discipline_sample(&discipline, &sample, now_of(&world));
        print("sample", start, board_ticks());
        correct(&world);
    }
    mt_discipline_report(&discipline, reading(&world), &report);
    board_print("is_locked", report.is_locked);
    board_print("offset_ns",
                (uint32_t)((world.offset_q16 < 0 ? -world.offset_q16 : world.offset_q16) >> 16));
}

static mt_real span_and_back(mt_real x)
{
    return mt_span_to_real(mt_span_from_real(x));
}

/* what an estimator may call, with arguments from -4 to 4 or from 0 */
static const struct function {
    const char *name;
    mt_real (*call)(mt_real x);
    bool is_signed;
} functions[] = {
    {"mt_real_sqrt", mt_real_sqrt, false},
    {"mt_real_exp", mt_real_exp, true},
    {"mt_real_log", mt_real_log, false},
    {"mt_real_erf", mt_real_erf, true},
    {"mt_real_truncated", mt_real_truncated, true},
    {"span_and_back", span_and_back, true},
};

static void run_functions(void)
{
    for (unsigned i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const struct function *function = &functions[i];
        volatile mt_real results[FUNCTION_CALLS];
        const mt_real first = function->is_signed ? -4 : 0;
        const uint32_t start = board_ticks();
        for (int n = 0; n < FUNCTION_CALLS; n++) {
            results[n] = function->call(first + (mt_real)(n + 1) * MT_REAL(0.125));
        }
        const uint32_t total = ((board_ticks() - start) & 0xFFFFFF) * BOARD_INSTRUCTIONS_PER_TICK;
        (void)results;
        board_print(function->name, total / FUNCTION_CALLS);
    }
}

void board_main(void)
{
    const uint32_t start = board_ticks();
    board_spin(SPIN_ROUNDS);
    print("spin", start, board_ticks());
    run_estimator();
    run_discipline();
    run_functions();
}
