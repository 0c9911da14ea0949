/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The contract on the simulator, where time passes when somebody waits; and with a platform that
 * breaks each promise in turn, for a suite that finds fault with nobody proves nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"
#include "platform/sim/sim_world.h"

#define QUEUE   16
#define FRAME   256
#define STEP_NS INT64_C(50000)

enum defect {
    SOUND,
    LINK_IS_NOT_TOLD,
    DEADLINE_IS_MISSED,
    TIME_GOES_BACK,
    RATE_IS_IGNORED,
    RATE_IS_NOT_LIMITED,
    RATES_ADD_UP,
    CORRECTIONS_ARE_NOT_COUNTED,
    EFFECT_IS_TOLD_LATE,
    STEP_HAS_THE_WRONG_SIGN,
    STEP_IS_TOLD_AND_NOT_MADE,
    CORRECTIONS_ARE_DISTURBANCES,
    STAMPS_ARE_OF_NOW,
    STAMPS_HAVE_THE_NEW_COUNT,
    STAMPS_ARE_LATE,
    STAMPS_COME_TWICE,
    STAMPS_HAVE_NO_TOKEN,
    STAMPS_ARE_LOST,
    GENERAL_MESSAGES_ARE_STAMPED,
    MESSAGES_COME_TWICE,
    MESSAGES_ARE_CHANGED,
    NOTHING_IS_SENT,
    DEFECTS
};

static struct mt_world *world;
static enum defect defect;
static char said[4096];

/* ---- the node under test --------------------------------------------------------------------- */

static struct node {
    struct mt_hal_clock clock; /* a defective one in front of the real one */
    struct mt_hal_link link;
    struct mt_hal_wait wait;
    struct mt_hal_clock *inner_clock;
    struct mt_hal_link *inner_link;
    struct mt_hal_wait *inner_wait;
    struct mt_input queue[QUEUE];
    uint8_t frames[QUEUE][FRAME];
    unsigned first;
    unsigned count;
    mt_real sum;
    struct mt_stamp first_stamp;
} node;

static void enqueue(const struct mt_input *input)
{
    const unsigned at = (node.first + node.count) % QUEUE;
    assert_true(node.count < QUEUE && input->length <= FRAME);
    node.queue[at] = *input;
    if (input->length > 0) {
        memcpy(node.frames[at], input->bytes, input->length);
        node.queue[at].bytes = node.frames[at];
    }
    node.count++;
}

static bool is_hidden(const struct mt_input *input)
{
    return (defect == LINK_IS_NOT_TOLD && input->kind == MT_INPUT_LINK) ||
           (defect == STAMPS_ARE_LOST && input->kind == MT_INPUT_TX_STAMP) ||
           input->kind == MT_INPUT_NONE;
}

static void take_input(void *context)
{
    struct mt_input input;
    node.inner_wait->ops->next(node.inner_wait, MT_MONO_NEVER, &input);
    if (is_hidden(&input)) {
        return;
    }
    if (defect == STAMPS_HAVE_NO_TOKEN && input.kind == MT_INPUT_TX_STAMP) {
        input.token++;
    }
    if (defect == STAMPS_ARE_LATE && input.has_stamp) {
        input.stamp.ns += 1000000000;
    }
    enqueue(&input);
    if ((defect == STAMPS_COME_TWICE && input.kind == MT_INPUT_TX_STAMP) ||
        (defect == MESSAGES_COME_TWICE && input.kind == MT_INPUT_FRAME)) {
        enqueue(&input);
    }
    if (defect == MESSAGES_ARE_CHANGED && input.kind == MT_INPUT_FRAME) {
        node.frames[(node.first + node.count - 1) % QUEUE][40] ^= 1;
    }
}

static struct mt_mono never(void *context)
{
    return MT_MONO_NEVER;
}

static const struct mt_sim_program program = {.once = take_input, .deadline = never};

static struct mt_mono now(struct mt_hal_wait *wait)
{
    return node.inner_wait->ops->now(node.inner_wait);
}

static void run_until(struct mt_mono deadline)
{
    while (node.count == 0 && now(NULL).ns < deadline.ns) {
        const int64_t left_ns = deadline.ns - now(NULL).ns;
        const int64_t step_ns = left_ns < STEP_NS ? left_ns : STEP_NS;
        assert_true(mt_world_run_until(world, mt_world_t_ns(world) + step_ns));
    }
}

static void next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    run_until(defect == DEADLINE_IS_MISSED ? mt_mono_plus(deadline, 1000000) : deadline);
    *ret_input = (struct mt_input){.kind = MT_INPUT_NONE};
    if (node.count > 0) {
        *ret_input = node.queue[node.first];
        node.first = (node.first + 1) % QUEUE;
        node.count--;
    }
    ret_input->now = now(wait);
    if (defect == TIME_GOES_BACK && ret_input->kind == MT_INPUT_FRAME) {
        ret_input->now.ns -= 500000000;
    }
}

static const struct mt_hal_wait_ops wait_ops = {.next = next, .now = now};

static bool send_it(struct mt_hal_link *link, const struct mt_link_frame *frame)
{
    struct mt_link_frame out = *frame;
    if (defect == GENERAL_MESSAGES_ARE_STAMPED) {
        out.is_event = true;
        out.token = 77;
    }
    return defect == NOTHING_IS_SENT || node.inner_link->ops->send(node.inner_link, &out);
}

static const struct mt_hal_link_ops link_ops = {.send = send_it};

static void read_it(struct mt_hal_clock *clock, struct mt_clock_reading *ret_reading)
{
    node.inner_clock->ops->read(node.inner_clock, ret_reading);
    if (defect == CORRECTIONS_ARE_NOT_COUNTED) {
        ret_reading->local.corrections = 0;
    }
}

static void stamp_it(struct mt_hal_clock *clock, struct mt_base_time base,
                     struct mt_stamp *ret_stamp)
{
    struct mt_clock_reading reading;
    node.inner_clock->ops->stamp(node.inner_clock, base, ret_stamp);
    node.inner_clock->ops->read(node.inner_clock, &reading);
    if (defect == STAMPS_ARE_OF_NOW) {
        *ret_stamp = reading.local;
    }
    if (defect == STAMPS_HAVE_THE_NEW_COUNT) {
        ret_stamp->corrections = reading.local.corrections;
    }
}

static struct mt_correction spoil(const struct mt_correction *correction)
{
    struct mt_correction spoilt = *correction;
    if (correction->kind == MT_CORRECT_RATE) {
        node.sum += correction->rate;
        spoilt.rate = defect == RATES_ADD_UP ? node.sum : correction->rate;
    }
    if (defect == RATE_IS_IGNORED && correction->kind == MT_CORRECT_RATE) {
        spoilt.rate = 0;
    }
    if (defect == STEP_HAS_THE_WRONG_SIGN) {
        spoilt.step = mt_span_negate(correction->step);
    }
    if (defect == STEP_IS_TOLD_AND_NOT_MADE) {
        spoilt.step = (struct mt_span){0, 0, 0};
    }
    return spoilt;
}

static void apply_it(struct mt_hal_clock *clock, const struct mt_correction *correction,
                     struct mt_applied *ret_applied)
{
    const struct mt_correction spoilt = spoil(correction);
    node.inner_clock->ops->apply(node.inner_clock, &spoilt, ret_applied);
    if (defect == RATE_IS_IGNORED || defect == RATE_IS_NOT_LIMITED) {
        ret_applied->rate = correction->rate;
    }
    if (defect == STEP_IS_TOLD_AND_NOT_MADE || defect == STEP_HAS_THE_WRONG_SIGN) {
        ret_applied->step = correction->step;
    }
    if (defect == EFFECT_IS_TOLD_LATE) {
        ret_applied->at = mt_instant_plus(ret_applied->at, mt_span_from_ns(1000000));
    }
}

static bool disturbed_it(struct mt_hal_clock *clock, struct mt_applied *ret_applied)
{
    return defect == CORRECTIONS_ARE_DISTURBANCES ||
           node.inner_clock->ops->disturbed(node.inner_clock, ret_applied);
}

static const struct mt_hal_clock_ops clock_ops = {
    .read = read_it, .stamp = stamp_it, .apply = apply_it, .disturbed = disturbed_it};

/* ---- the one that answers -------------------------------------------------------------------- */

static struct mt_hal_link *echo_link;

static void echo(void *context)
{
    struct mt_hal_wait *wait = context;
    struct mt_input input;
    wait->ops->next(wait, MT_MONO_NEVER, &input);
    if (input.kind == MT_INPUT_FRAME) {
        const struct mt_link_frame frame = {
            .bytes = input.bytes, .length = input.length, .is_event = (input.bytes[0] & 8) == 0};
        (void)echo_link->ops->send(echo_link, &frame);
    }
}

/* ---- the world ------------------------------------------------------------------------------- */

static struct mt_hal_provider *add(uint32_t segment)
{
    const struct mt_sim_node_config config = {
        .frequency = 3e-5, .granularity_ns = 8, .max_rate = 5e-4, .tx_stamp_delay_ns = 20000};
    const uint32_t number = mt_world_add_node(world, &config);
    assert_true(mt_world_join(world, segment, number, "eth0"));
    return mt_world_provider(world, number);
}

static struct mt_hal_link *open_link(struct mt_hal_provider *provider)
{
    const struct mt_link_request request = {.interface = "eth0"};
    char reason[MT_HAL_REASON_SIZE];
    return provider->ops->open_link(provider, 0, &request, reason);
}

static void say(const char *rule, bool holds)
{
    if (!holds) {
        const size_t length = strlen(said);
        snprintf(said + length, sizeof said - length, "%s\n", rule);
    }
}

static unsigned check_with(enum defect which)
{
    static struct mt_sim_program echo_program;
    const struct mt_sim_segment_config cable = {.delay_ns = 5000};
    const struct mt_clock_request request = {.kind = MT_CLOCK_OVERLAY};
    char reason[MT_HAL_REASON_SIZE];
    world = mt_world_new(1);
    defect = which;
    said[0] = '\0';
    const uint32_t segment = mt_world_add_segment(world, &cable);
    struct mt_hal_provider *own = add(segment);
    struct mt_hal_provider *other = add(segment);
    node = (struct node){.inner_clock = own->ops->open_clock(own, &request, reason),
                         .inner_link = open_link(own),
                         .inner_wait = own->wait,
                         .link = {.ops = &link_ops},
                         .wait = {.ops = &wait_ops}};
    node.clock = *node.inner_clock;
    node.clock.ops = &clock_ops;
    echo_link = open_link(other);
    echo_program = (struct mt_sim_program){other->wait, echo, never};
    mt_world_start_program(world, 0, &program);
    mt_world_start_program(world, 1, &echo_program);
    const struct contract contract = {
        .tables = {&node.clock, &node.link, &node.wait}, .doubt_ns = 20, .say = say};
    const unsigned broken = contract_check(&contract);
    mt_world_free(world);
    return broken;
}

static void contract_holds_when_the_simulator_is_the_platform(void **state)
{
    const unsigned broken = check_with(SOUND);
    if (broken != 0) {
        print_message("%s", said);
    }
    assert_int_equal(broken, 0);
}

static void contract_is_broken_when_the_platform_has_any_of_these_defects(void **state)
{
    for (int which = SOUND + 1; which < DEFECTS; which++) {
        const unsigned broken = check_with((enum defect)which);
        if (broken == 0) {
            print_message("defect %d was not noticed\n", which);
        }
        assert_true(broken > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract_holds_when_the_simulator_is_the_platform),
        cmocka_unit_test(contract_is_broken_when_the_platform_has_any_of_these_defects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
