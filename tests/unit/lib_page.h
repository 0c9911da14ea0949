/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clock pages written by hand into a folder of the test's own, for the tests of libmeantime.
 */
#ifndef MEANTIME_TESTS_LIB_PAGE_H
#define MEANTIME_TESTS_LIB_PAGE_H

#include "meantime.h"

__extension__ typedef __int128 wide;

extern char folder[64];
extern char path[96]; /**< of the page of clock main in it */

/** For each test: makes the folder, removes it. */
int set_up(void **state);
int tear_down(void **state);
#define LIB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/** TAI over CLOCK_REALTIME, exact, never stale, with a bound of 1 us that grows by 1 ppm. */
struct mt_clock_page good_page(void);
void write_file(const void *octets, size_t length);
/** Writes the page and opens it. */
struct mt_handle *open_page(const struct mt_clock_page *page);
wide total_ns(struct timespec t);

#endif
