/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The recorder and the replayer without a node: a small platform that answers
 * from a counter, and a sequence of calls that stands for what a node does.  The same sequence
 * over the replayer must get the same answers; a sequence that differs must be found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/record.h"
#include "runtime/replay.h"

/* ---- octets ---------------------------------------------------------------------------------- */

struct octets {
    uint8_t at[1 << 16];
    size_t length;
};

static void append(void *context, const uint8_t *octets, size_t length)
{
    struct octets *self = context;
    assert_true(self->length + length <= sizeof self->at);
    if (length > 0) {
        memcpy(self->at + self->length, octets, length);
    }
    self->length += length;
}

/* ---- a platform that answers from a counter -------------------------------------------------- */

struct fake {
    struct mt_hal_provider provider;
    struct mt_hal_clock clock;
    struct mt_hal_clock quiet; /* nobody ever changes it */
    struct mt_hal_link link;
    struct mt_hal_wait wait;
    struct mt_hal_store store;
    struct mt_hal_entropy entropy;
    int64_t count;
    bool is_disturbed;
    struct octets log; /* of its store */
    void (*while_waiting)(void);
};
static struct fake *fake; /* the tables know no context of their own */

static const struct mt_applied some_applied = {
    .kind = MT_CORRECT_RATE,
    .step = {-1, 250000000, 7},
    .rate = -1.25e-5,
    .at = {1700000000, 1, 2, MT_SCALE_TAI},
    .corrections = 0xFFFFFFFE,
};

static void fake_read(struct mt_hal_clock *self, struct mt_clock_reading *ret_reading)
{
    fake->count++;
    *ret_reading = (struct mt_clock_reading){.local = {{fake->count, 1, 2, MT_SCALE_TAI}, 3},
                                             .base = {.ns = fake->count, .frac = 4}};
}

static void fake_stamp(struct mt_hal_clock *self, struct mt_base_time base,
                       struct mt_stamp *ret_stamp)
{
    *ret_stamp = (struct mt_stamp){{++fake->count, (uint32_t)base.ns, 0, MT_SCALE_TAI}, 5};
}

static void fake_apply(struct mt_hal_clock *self, const struct mt_correction *correction,
                       struct mt_applied *ret_applied)
{
    self->scale = MT_SCALE_UTC;
    *ret_applied = (struct mt_applied){.kind = correction->kind,
                                       .rate = correction->rate,
                                       .at = {++fake->count, 0, 0, MT_SCALE_UTC}};
}

static bool fake_disturbed(struct mt_hal_clock *self, struct mt_applied *ret_applied)
{
    bool is_disturbed = fake->is_disturbed && self == &fake->clock;
    if (is_disturbed) {
        *ret_applied = some_applied;
        self->scale = some_applied.at.scale;
    }
    return is_disturbed;
}

static const struct mt_hal_clock_ops fake_clock_ops = {
    .read = fake_read,
    .stamp = fake_stamp,
    .apply = fake_apply,
    .disturbed = fake_disturbed,
};

static bool fake_send(struct mt_hal_link *self, const struct mt_link_frame *frame)
{
    self->counters.sent++;
    return frame->length != 1; /* those are refused */
}

static const struct mt_hal_link_ops fake_link_ops = {fake_send};

static void fake_next(struct mt_hal_wait *self, struct mt_mono deadline, struct mt_input *ret_input)
{
    if (fake->while_waiting != NULL) {
        fake->while_waiting();
    }
    fake->link.counters.received++;
    *ret_input = (struct mt_input){.kind = MT_INPUT_FRAME,
                                   .now = {++fake->count},
                                   .bytes = (const uint8_t *)"abc",
                                   .length = 3};
}

static struct mt_mono fake_now(struct mt_hal_wait *self)
{
    return (struct mt_mono){++fake->count};
}

static const struct mt_hal_wait_ops fake_wait_ops = {fake_next, fake_now};

static const struct mt_steer_oscillator_memory learned = {
    .wander = 1e-20, .observed_s = 3600, .ageing_sigma = 1e-15, .frequency = 2e-6, .age_s = 9};

static bool fake_load(struct mt_hal_store *self, uint16_t index, mt_real *ret_rate)
{
    *ret_rate = 1e-6;
    return true;
}

static bool fake_load_oscillator(struct mt_hal_store *self, uint16_t index,
                                 struct mt_steer_oscillator_memory *ret_memory,
                                 char reason[MT_HAL_REASON_SIZE])
{
    strcpy(reason, index == 1 ? "it is damaged" : "");
    *ret_memory = learned;
    return index != 1;
}

static void fake_log(struct mt_hal_store *self, const uint8_t *octets, size_t length)
{
    append(&fake->log, octets, length);
}

static const struct mt_hal_store_ops fake_store_ops = {
    .load_drift = fake_load, .load_oscillator = fake_load_oscillator, .log = fake_log};

static struct mt_hal_clock *fake_open_clock(struct mt_hal_provider *self,
                                            const struct mt_clock_request *request,
                                            char reason[MT_HAL_REASON_SIZE])
{
    if (request->kind == MT_CLOCK_SYSTEM) {
        strcpy(reason, "no such clock here");
        return NULL;
    }
    return strcmp(request->name, "quiet") == 0 ? &fake->quiet : &fake->clock;
}

static struct mt_hal_link *fake_open_link(struct mt_hal_provider *self, uint16_t index,
                                          const struct mt_link_request *request,
                                          char reason[MT_HAL_REASON_SIZE])
{
    return &fake->link;
}

static bool fake_identity(struct mt_hal_provider *self, const char *interface,
                          struct mt_clock_identity *ret_identity)
{
    memcpy(ret_identity->octet, "identity", 8);
    return true;
}

static const struct mt_hal_provider_ops fake_ops = {
    .open_clock = fake_open_clock, .open_link = fake_open_link, .identity = fake_identity};

static uint64_t fake_seed(struct mt_hal_entropy *self)
{
    return (uint64_t)++fake->count;
}

static int set_up(void **state)
{
    fake = calloc(1, sizeof *fake);
    fake->clock = (struct mt_hal_clock){
        .ops = &fake_clock_ops, .scale = MT_SCALE_TAI, .max_rate = 0.1, .is_adjustable = true};
    fake->quiet = fake->clock;
    fake->link.ops = &fake_link_ops;
    fake->wait.ops = &fake_wait_ops;
    fake->store.ops = &fake_store_ops;
    fake->entropy.seed = fake_seed;
    fake->provider = (struct mt_hal_provider){&fake_ops, &fake->wait, &fake->store, &fake->entropy};
    return 0;
}

static int tear_down(void **state)
{
    free(fake);
    return 0;
}

/* ---- what stands for a node ------------------------------------------------------------------ */

/* Ways in which it may behave otherwise. */
enum habit {
    AS_EVER,
    OTHER_OCTET,
    OTHER_LENGTH,
    OTHER_TOKEN,
    OTHER_RATE,
    STEP_NOT_RATE,
    OTHER_STEP,
    OTHER_SCALE,
    OTHER_STAMP,
    OTHER_DEADLINE,
    OTHER_PAGE,
    OTHER_SAVED,
    OTHER_LEARNED,
    OTHER_CLOCK,
    OTHER_INTERFACE,
    OTHER_LINK,
    ONE_CALL_MORE,
    ONE_CALL_LESS,
    HABITS
};

static uint64_t mix(uint64_t sum, uint64_t number)
{
    return (sum ^ number) * UINT64_C(0x100000001B3);
}

static uint64_t open_all(struct mt_hal_provider *p, enum habit habit,
                         struct mt_hal_clock *clocks[2], struct mt_hal_link **link)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_clock_identity identity = {{0}};
    mt_real rate = 0;
    const struct mt_clock_request request = {.kind = MT_CLOCK_OVERLAY,
                                             .name = habit == OTHER_CLOCK ? "x" : "main"};
    uint64_t sum = (uint64_t)p->wait->ops->now(p->wait).ns;
    p->ops->open_clock(p, &(struct mt_clock_request){.kind = MT_CLOCK_SYSTEM, .name = "s"}, reason);
    for (size_t i = 0; reason[i] != '\0'; i++) {
        sum = mix(sum, (uint64_t)reason[i]);
    }
    clocks[0] = p->ops->open_clock(p, &request, reason);
    clocks[1] = p->ops->open_clock(
        p, &(struct mt_clock_request){.kind = MT_CLOCK_OVERLAY, .name = "quiet"}, reason);
    *link = p->ops->open_link(
        p, habit == OTHER_LINK ? 1 : 0,
        &(struct mt_link_request){.interface = habit == OTHER_INTERFACE ? "b" : "a"}, reason);
    p->ops->identity(p, "a", &identity);
    sum = mix(sum, identity.octet[0]);
    sum = mix(sum, p->entropy->seed(p->entropy));
    p->store->ops->load_drift(p->store, 0, &rate);
    sum = mix(sum, rate == 1e-6);
    for (uint16_t i = 0; i < 2; i++) {
        struct mt_steer_oscillator_memory memory = {0};
        sum = mix(sum, p->store->ops->load_oscillator(p->store, i, &memory, reason));
        sum = mix(sum, (uint64_t)(memory.frequency * 1e9) + (uint64_t)reason[0]);
    }
    return sum;
}

static uint64_t do_things(struct mt_hal_provider *p, enum habit habit,
                          struct mt_hal_clock *clocks[2], struct mt_hal_link *link)
{
    uint8_t frame[4] = {1, 2, 3, habit == OTHER_OCTET ? 5 : 4};
    const struct mt_clock_page page = {.bound_ns = habit == OTHER_PAGE ? 2 : 1};
    struct mt_hal_clock *clock = clocks[0];
    struct mt_clock_reading reading;
    struct mt_stamp stamp;
    struct mt_applied applied;
    clock->ops->read(clock, &reading);
    clock->ops->stamp(clock, (struct mt_base_time){.ns = habit == OTHER_STAMP ? 8 : 7}, &stamp);
    clock->ops->apply(
        clock,
        &(struct mt_correction){.kind = habit == STEP_NOT_RATE ? MT_CORRECT_STEP : MT_CORRECT_RATE,
                                .rate = habit == OTHER_RATE ? 2e-6 : 1e-6},
        &applied);
    clock->ops->apply(
        clock,
        &(struct mt_correction){.kind = MT_CORRECT_STEP,
                                .step = {-1, 999999999, habit == OTHER_STEP ? 65534 : 65535},
                                .scale = habit == OTHER_SCALE ? MT_SCALE_UTC : MT_SCALE_TAI},
        &applied);
    uint64_t scales = clock->scale;
    bool is_quiet = !clocks[1]->ops->disturbed(clocks[1], &applied);
    bool is_disturbed = clock->ops->disturbed(clock, &applied);
    bool is_sent =
        link->ops->send(link, &(struct mt_link_frame){.bytes = frame,
                                                      .length = habit == OTHER_LENGTH ? 3 : 4,
                                                      .is_event = true,
                                                      .token = habit == OTHER_TOKEN ? 2 : 1});
    bool is_sent_too = link->ops->send(link, &(struct mt_link_frame){.bytes = frame, .length = 1});
    if (habit != ONE_CALL_LESS) {
        p->store->ops->publish(p->store, 0, &page);
    }
    if (habit == ONE_CALL_MORE) {
        clock->ops->read(clock, &reading);
    }
    p->store->ops->save_drift(p->store, 0, habit == OTHER_SAVED ? 2e-6 : 1e-6);
    struct mt_steer_oscillator_memory memory = learned;
    memory.ageing = habit == OTHER_LEARNED ? 1e-18 : 0;
    p->store->ops->save_oscillator(p->store, 0, &memory);
    uint64_t sum = mix((uint64_t)reading.local.at.s, (uint64_t)stamp.at.s);
    sum = mix(sum, (uint64_t)applied.at.s);
    return mix(sum, scales + 4u * clock->scale + 16u * is_disturbed + 128u * is_quiet +
                        32u * is_sent + 64u * is_sent_too);
}

/* The whole life of the node; the sum of all answers. */
static uint64_t live(struct mt_hal_provider *p, enum habit habit)
{
    struct mt_hal_clock *clocks[2];
    struct mt_hal_link *link;
    struct mt_input input;
    uint64_t sum = open_all(p, habit, clocks, &link);
    bool is_open = clocks[0] != NULL && clocks[1] != NULL && link != NULL;
    for (int i = 0; is_open && i < 3; i++) {
        fake->is_disturbed = i == 1;
        p->wait->ops->next(p->wait, (struct mt_mono){100 + (habit == OTHER_DEADLINE)}, &input);
        sum = mix(sum, (uint64_t)input.now.ns + (input.length == 3 ? input.bytes[1] : 0));
        sum = mix(sum, link->counters.received);
        sum = mix(sum, do_things(p, habit, clocks, link));
    }
    return sum;
}

static const struct mt_log_start some_start = {
    {"test", 4}, {"config", 6}, {.tai_utc_known = true, .tai_minus_utc_s = 37}};

static uint64_t record_life(struct octets *log)
{
    const struct mt_log_sink sink = {log, append};
    log->length = 0;
    struct mt_recorder *recorder = mt_recorder_open(&fake->provider, &sink, &some_start);
    uint64_t sum = live(mt_recorder_provider(recorder), AS_EVER);
    mt_recorder_close(recorder);
    return sum;
}

/* Replays; what comes after the last wait of the node belongs to the result only then. */
static struct mt_replay_result replay_life(const struct octets *log, enum habit habit,
                                           uint64_t *ret_sum)
{
    char reason[MT_HAL_REASON_SIZE];
    struct mt_replay *replay = mt_replay_open(log->at, log->length, reason);
    assert_non_null(replay);
    struct mt_hal_provider *p = mt_replay_provider(replay);
    struct mt_input input;
    *ret_sum = live(p, habit);
    p->wait->ops->next(p->wait, (struct mt_mono){100}, &input);
    struct mt_replay_result result = *mt_replay_result(replay);
    mt_replay_close(replay);
    return result;
}

static void replay_gives_equal_answers_when_calls_are_equal(void **state)
{
    static struct octets log;
    uint64_t again;
    uint64_t once = record_life(&log);
    struct mt_replay_result result = replay_life(&log, AS_EVER, &again);
    assert_string_equal(result.sentence, "");
    assert_int_equal(result.outcome, MT_REPLAY_SAME);
    assert_true(result.is_complete);
    assert_true(once == again);
    assert_int_equal(result.inputs, 3);
    assert_int_equal(result.frames, 6);
    assert_int_equal(result.corrections, 6);
    assert_int_equal(result.offset, log.length);
}

static void replay_names_the_difference_when_calls_differ(void **state)
{
    static struct octets log;
    static const char *const expected[HABITS] = {
        [OTHER_OCTET] = "octet 3 of the frame is 0x05, was 0x04",
        [OTHER_LENGTH] = "the frame has 3 octets, had 4",
        [OTHER_TOKEN] = "the frame goes to another destination or has another token",
        [OTHER_RATE] = "the clock's rate is set to ",
        [STEP_NOT_RATE] = "a step of the clock where the log has a change of rate",
        [OTHER_STEP] = "is stepped by -0.00003 ns to TAI, was stepped by -0.00002 ns to TAI",
        [OTHER_SCALE] = "is stepped by -0.00002 ns to UTC, was stepped by -0.00002 ns to TAI",
        [OTHER_STAMP] = "another stamp is converted than was recorded",
        [OTHER_DEADLINE] = "the node waits until 101 ns, waited until 100 ns",
        [OTHER_PAGE] = "the page of clock 0 differs from the recorded one",
        [OTHER_SAVED] = "the rate ",
        [OTHER_LEARNED] = "what is learned of the oscillator of clock 0 differs from what was",
        [OTHER_CLOCK] = "another clock is opened than was recorded",
        [OTHER_INTERFACE] = "another interface is opened than was recorded",
        [OTHER_LINK] = "the opening of a link is of number 1, was of 0",
        [ONE_CALL_MORE] = "the node wants a reading of a clock where the log has a rate stored",
        [ONE_CALL_LESS] = "the node wants a rate stored where the log has a page published",
    };
    uint64_t sum;
    record_life(&log);
    for (int habit = AS_EVER + 1; habit < HABITS; habit++) {
        struct mt_replay_result result = replay_life(&log, (enum habit)habit, &sum);
        assert_int_equal(result.outcome, MT_REPLAY_DIVERGED);
        assert_non_null(strstr(result.sentence, expected[habit]));
        assert_int_equal(strncmp(result.sentence, "record ", 7), 0);
        assert_true(result.offset < log.length);
    }
}

static void replay_ends_quietly_when_log_just_stops_between_records(void **state)
{
    static struct octets log;
    uint64_t sum;
    record_life(&log);
    log.length -= MT_LOG_RECORD_SIZE; /* without its end: the program was killed */
    struct mt_replay_result result = replay_life(&log, AS_EVER, &sum);
    assert_int_equal(result.outcome, MT_REPLAY_SAME);
    assert_false(result.is_complete);
}

static void replay_never_trusts_octets_when_log_is_cut_anywhere(void **state)
{
    static struct octets log;
    char reason[MT_HAL_REASON_SIZE];
    unsigned cut_records = 0;
    record_life(&log);
    for (size_t length = 0; length < log.length; length++) {
        uint8_t *exact = malloc(length + 1); /* so that the sanitizer sees an octet too many */
        memcpy(exact, log.at, length);
        struct mt_replay *replay = mt_replay_open(exact, length, reason);
        if (replay != NULL) {
            live(mt_replay_provider(replay), AS_EVER);
            assert_int_not_equal(mt_replay_result(replay)->outcome, MT_REPLAY_DIVERGED);
            cut_records += mt_replay_result(replay)->outcome == MT_REPLAY_CORRUPT;
            mt_replay_close(replay);
        }
        free(exact);
    }
    assert_true(cut_records > 500);
}

static void replay_never_trusts_octets_when_a_bit_is_flipped(void **state)
{
    static struct octets log;
    char reason[MT_HAL_REASON_SIZE];
    record_life(&log);
    for (size_t bit = 0; bit < 8 * log.length; bit++) {
        log.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct mt_replay *replay = mt_replay_open(log.at, log.length, reason);
        if (replay != NULL) {
            live(mt_replay_provider(replay), AS_EVER);
            mt_replay_close(replay);
        }
        log.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* ---- the recorder's own rules ---------------------------------------------------------------- */

static struct mt_recorder *recorder;
static struct mt_node node;

static unsigned count_records(const struct octets *log, enum mt_log_kind kind)
{
    struct mt_log_reader reader;
    struct mt_log_record record;
    unsigned count = 0;
    assert_true(mt_log_open(&reader, log->at, log->length));
    while (mt_log_read(&reader, &record) == MT_LOG_OK) {
        count += record.kind == kind;
    }
    return count;
}

static void read_a_clock(void)
{
    struct mt_clock_reading reading;
    struct mt_hal_provider *p = mt_recorder_provider(recorder);
    char reason[MT_HAL_REASON_SIZE];
    struct mt_hal_clock *clock = p->ops->open_clock(
        p, &(struct mt_clock_request){.kind = MT_CLOCK_OVERLAY, .name = "c"}, reason);
    clock->ops->read(clock, &reading);
    p->wait->ops->now(p->wait);
}

static void order_something(void)
{
    mt_recorder_begin(recorder, &(struct mt_order){.kind = MT_ORDER_STOP, .now = {7}});
    read_a_clock();
    mt_recorder_end(recorder);
    read_a_clock();
}

static void recorder_writes_orders_only_while_platform_waits(void **state)
{
    struct mt_input input;
    recorder = mt_recorder_open(&fake->provider, NULL, &some_start); /* into the store's log */
    struct mt_hal_provider *p = mt_recorder_provider(recorder);
    fake->while_waiting = read_a_clock;
    p->wait->ops->next(p->wait, (struct mt_mono){1}, &input);
    assert_int_equal(count_records(&fake->log, MT_LOG_READ), 0);
    fake->while_waiting = order_something;
    p->wait->ops->next(p->wait, (struct mt_mono){1}, &input);
    assert_int_equal(count_records(&fake->log, MT_LOG_READ), 1);
    assert_int_equal(count_records(&fake->log, MT_LOG_ORDER), 1);
    assert_int_equal(count_records(&fake->log, MT_LOG_NOW), 0);
    read_a_clock();
    assert_int_equal(count_records(&fake->log, MT_LOG_READ), 2);
    assert_int_equal(count_records(&fake->log, MT_LOG_INPUT), 2);
    mt_recorder_close(recorder);
    assert_int_equal(count_records(&fake->log, MT_LOG_END), 1);
}

static void recorder_is_not_opened_when_there_is_no_sink(void **state)
{
    fake->provider.store = NULL;
    assert_null(mt_recorder_open(&fake->provider, NULL, &some_start));
}

static void recorder_answers_for_the_store_when_platform_has_none(void **state)
{
    static struct octets log;
    const struct mt_log_sink sink = {&log, append};
    struct mt_steer_oscillator_memory memory;
    char reason[MT_HAL_REASON_SIZE];
    mt_real rate;
    log.length = 0;
    fake->provider.store = NULL;
    recorder = mt_recorder_open(&fake->provider, &sink, &some_start);
    struct mt_hal_store *store = mt_recorder_provider(recorder)->store;
    assert_false(store->ops->load_drift(store, 0, &rate));
    assert_false(store->ops->load_oscillator(store, 0, &memory, reason));
    store->ops->save_oscillator(store, 0, &learned);
    store->ops->save_drift(store, 0, 1e-6);
    store->ops->publish(store, 0, &(struct mt_clock_page){0});
    mt_recorder_close(recorder);
    assert_int_equal(count_records(&log, MT_LOG_DRIFT), 1);
    assert_int_equal(count_records(&log, MT_LOG_OSCILLATOR), 1);
    assert_int_equal(count_records(&log, MT_LOG_LEARNED), 1);
    assert_int_equal(count_records(&log, MT_LOG_PAGE), 1);
}

static void recorder_carries_out_commands_when_there_is_none(void **state)
{
    const struct mt_command command = {.kind = MT_COMMAND_PRIORITIES};
    assert_false(mt_recorder_command(NULL, &node, 0, &command, (struct mt_mono){0}));
    mt_recorder_begin(NULL, &(struct mt_order){.kind = MT_ORDER_STOP});
    mt_recorder_end(NULL);
    mt_recorder_close(NULL);
}

#define WITH_FAKE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FAKE(replay_gives_equal_answers_when_calls_are_equal),
        WITH_FAKE(replay_names_the_difference_when_calls_differ),
        WITH_FAKE(replay_ends_quietly_when_log_just_stops_between_records),
        WITH_FAKE(replay_never_trusts_octets_when_log_is_cut_anywhere),
        WITH_FAKE(replay_never_trusts_octets_when_a_bit_is_flipped),
        WITH_FAKE(recorder_writes_orders_only_while_platform_waits),
        WITH_FAKE(recorder_is_not_opened_when_there_is_no_sink),
        WITH_FAKE(recorder_answers_for_the_store_when_platform_has_none),
        cmocka_unit_test(recorder_carries_out_commands_when_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
