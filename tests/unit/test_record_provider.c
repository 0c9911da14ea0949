/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a node asks of its platform, and no log tells, must reach the platform while it is recorded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/record.h"

static const struct mt_address OTHER = {.network = MT_NETWORK_UDP_IPV4, .octets = {10, 9, 8, 7}};
static struct mt_hal_provider platform;
static unsigned written;

static void count(void *context, const uint8_t *octets, size_t length)
{
    written++;
}

static const struct mt_log_sink sink = {NULL, count};
static const struct mt_log_start start = {{"test", 4}, {"config", 6}, {0}};

static size_t two_addresses(struct mt_hal_provider *self, const char *interface,
                            const struct mt_address *other, struct mt_address *ret_addresses,
                            size_t max)
{
    assert_ptr_equal(self, &platform);
    assert_string_equal(interface, "eth0");
    assert_int_equal(max, 2);
    ret_addresses[0] = ret_addresses[1] = *other;
    return 2;
}

static void recorder_knows_own_addresses_when_platform_does(void **state)
{
    static const struct mt_hal_provider_ops ops = {.own_addresses = two_addresses};
    struct mt_address own[2] = {{0}};
    platform.ops = &ops;
    struct mt_recorder *recorder = mt_recorder_open(&platform, &sink, &start);
    struct mt_hal_provider *p = mt_recorder_provider(recorder);
    unsigned before = written;
    assert_int_equal(p->ops->own_addresses(p, "eth0", &OTHER, own, 2), 2);
    assert_true(mt_address_equal(&own[0], &OTHER) && mt_address_equal(&own[1], &OTHER));
    assert_int_equal(written, before); /* the order that comes of it is recorded */
    mt_recorder_close(recorder);
}

static void recorder_knows_no_own_addresses_when_platform_knows_none(void **state)
{
    static const struct mt_hal_provider_ops ops = {0};
    struct mt_address own[2] = {{0}};
    platform.ops = &ops;
    struct mt_recorder *recorder = mt_recorder_open(&platform, &sink, &start);
    struct mt_hal_provider *p = mt_recorder_provider(recorder);
    assert_int_equal(p->ops->own_addresses(p, "eth0", &OTHER, own, 2), 0);
    mt_recorder_close(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorder_knows_own_addresses_when_platform_does),
        cmocka_unit_test(recorder_knows_no_own_addresses_when_platform_knows_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
