/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Shared by the tests of the driver.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct bench bench;

int bench_reset(void **state)
{
    (void)state;
    model_reset();
    memset(&bench, 0, sizeof bench);
    return 0;
}

int bench_board(void **state)
{
    bench_reset(state);
    assert_true(mt_stm32f7_board_init());
    return 0;
}

int bench_start(void **state)
{
    uint32_t words[3];
    uint8_t address[6];
    bench_board(state);
    mt_stm32f7_board_identity(words);
    mt_stm32f7_board_address(words, address);
    assert_true(mt_stm32f7_phy_init());
    assert_true(mt_stm32f7_mac_init(&bench.mac, &model.rings, address));
    assert_true(mt_stm32f7_ptp_init(&bench.ptp, mt_stm32f7_board_now_us(&bench.counter)));
    mt_stm32f7_clock_init(&bench.clock, &bench.ptp, &bench.mac, &bench.counter);
    mt_stm32f7_mac_start(true, true);
    return 0;
}

int bench_end(void **state)
{
    (void)state;
    if (model.violations != 0) {
        print_error("%s\n", model.violation);
    }
    assert_int_equal(model.violations, 0);
    assert_int_equal(model.lost_writes, 0);
    assert_int_equal(model.lost_accesses, 0);
    assert_int_equal(model.bad_addresses, 0);
    return 0;
}

bool bench_send(unsigned number, size_t length, uint32_t token)
{
    uint8_t *buffer = mt_stm32f7_mac_buffer(&bench.mac);
    if (buffer == NULL) {
        return false;
    }
    memset(buffer, (int)number, length);
    mt_stm32f7_mac_send(&bench.mac, length, token);
    return true;
}
