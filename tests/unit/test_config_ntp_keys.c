/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files of symmetric keys: what is read, and what is said of what cannot be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/ntp_keys.h"

static struct mt_config_pool pool;
static struct mt_config_problems problems;
static struct mt_ntp_keys found;

static bool parse(const char *text)
{
    problems.count = 0;
    problems.omitted = 0;
    return mt_config_ntp_keys_parse(text, strlen(text), "keys", &pool, &problems, &found);
}

static int forget(void **state)
{
    (void)state;
    mt_config_pool_free(&pool);
    return 0;
}

static void config_ntp_keys_are_as_written_when_the_file_is_good(void **state)
{
    static const uint8_t hex[] = {0x00, 0xFF, 0x10, 0xA5};
    (void)state;
    assert_true(parse("# a comment\n"
                      "! another\n"
                      "1 SHA256 HEX:00ff10A5\n"
                      "\n"
                      "  4294967295\tAES128 ASCII:sixteen_octets__\r\n"
                      "7 MD5 plain"));
    assert_int_equal(found.count, 3);
    assert_int_equal(found.key[0].id, 1);
    assert_int_equal(found.key[0].kind, MT_NTP_KEY_SHA256);
    assert_int_equal(found.key[0].length, sizeof hex);
    assert_memory_equal(found.key[0].octets, hex, sizeof hex);
    assert_int_equal(found.key[1].id, UINT32_MAX);
    assert_int_equal(found.key[1].kind, MT_NTP_KEY_AES128_CMAC);
    assert_memory_equal(found.key[1].octets, "sixteen_octets__", 16);
    assert_int_equal(found.key[2].kind, MT_NTP_KEY_MD5);
    assert_int_equal(found.key[2].length, 5);
}

static void config_ntp_keys_are_none_when_the_file_is_empty(void **state)
{
    (void)state;
    assert_true(parse(""));
    assert_int_equal(found.count, 0);
}

static void config_ntp_keys_are_told_of_when_they_are_wrong(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"0 SHA1 secret", "the id from 1"},
        {"1", "expected: id kind key"},
        {"-1 SHA1 secret", "the id from 1"},
        {"4294967296 SHA1 secret", "the id from 1"},
        {"1 secret", "without a kind it is MD5"},
        {"1 TIGER secret", "expected AES128"},
        {"1 SHA1 sec ret", "nothing behind them"},
        {"1 SHA1 HEX:123", "an even number"},
        {"1 SHA1 HEX:", "1 to 64 octets"},
        {"1 AES128 HEX:00", "16 octets"},
        {"1 AES256 sixteen_octets__", "one of 32"},
        {"\n1 SHA1 secret\n1 SHA1 secret", "keys:3: there is a key of this id"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(parse(cases[i].text));
        assert_int_equal(problems.count, 1);
        assert_non_null(strstr(problems.problem[0].text, cases[i].problem));
        assert_null(strstr(problems.problem[0].text, "secret"));
    }
}

static void config_ntp_keys_are_refused_when_everybody_may_read_them(void **state)
{
    char path[] = "/tmp/test_config_ntp_keys.XXXXXX";
    (void)state;
    int number = mkstemp(path);
    assert_true(number >= 0);
    assert_int_equal(write(number, "5 SHA1 secret\n", 14), 14);
    close(number);
    problems.count = 0;
    assert_true(mt_config_ntp_keys_load(path, &pool, &problems, &found));
    assert_int_equal(found.count, 1);
    chmod(path, 0644);
    assert_false(mt_config_ntp_keys_load(path, &pool, &problems, &found));
    assert_non_null(strstr(problems.problem[0].text, "everybody may read"));
    unlink(path);
    problems.count = 0;
    assert_false(mt_config_ntp_keys_load(path, &pool, &problems, &found));
    assert_non_null(strstr(problems.problem[0].text, "cannot be read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(config_ntp_keys_are_as_written_when_the_file_is_good, forget),
        cmocka_unit_test_teardown(config_ntp_keys_are_none_when_the_file_is_empty, forget),
        cmocka_unit_test_teardown(config_ntp_keys_are_told_of_when_they_are_wrong, forget),
        cmocka_unit_test_teardown(config_ntp_keys_are_refused_when_everybody_may_read_them, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
