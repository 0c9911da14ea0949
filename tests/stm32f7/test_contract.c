/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What every platform promises (tests/contract), by the driver on the model of the chip; at the
 * other end of the cable each frame is sent back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench.h"
#include "contract.h"
#include "embed/ether_link.h"
#include "platform/stm32f7/stm32f7_controller.h"

static struct mt_stm32f7_controller controller;
static struct mt_ether_link link;

static void echo(void)
{
    for (unsigned i = 0; i < model.sent_count; i++) {
        model_pass_us(20);
        assert_true(model_receive(model.sent[i].bytes, model.sent[i].length, 0));
    }
    model.sent_count = 0;
}

static void next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    (void)wait;
    echo();
    link.wait.ops->next(&link.wait, deadline, ret_input);
}

static struct mt_mono now(struct mt_hal_wait *wait)
{
    (void)wait;
    return link.wait.ops->now(&link.wait);
}

static void say(const char *rule, bool holds)
{
    if (!holds) {
        print_error("BROKEN: %s\n", rule);
    }
}

static void stm32f7_keeps_the_contract_when_on_the_model(void **state)
{
    static const struct mt_hal_wait_ops ops = {.next = next, .now = now};
    struct mt_hal_wait wait = {&ops};
    (void)state;
    assert_int_equal(mt_stm32f7_controller_start(&controller, &model.rings, MT_SCALE_ARB),
                     MT_STM32F7_STARTED);
    mt_ether_link_init(&link, &controller.interface);
    const struct contract contract = {
        .tables = {&controller.clock.hal, &link.link, &wait},
        .slack_ns = 2000000, /* it sleeps for a millisecond at a time */
        .doubt_ns = 100,
        .say = say,
    };
    assert_int_equal(contract_check(&contract), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stm32f7_keeps_the_contract_when_on_the_model, bench_board,
                                        bench_end),
    };
    return cmocka_run_group_tests_name("stm32f7_contract", tests, NULL, NULL);
}
