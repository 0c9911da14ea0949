/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Security association files: what is read, and what is said of what cannot be.
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

#include "config/associations.h"

static struct mt_config_pool pool;
static struct mt_config_problems problems;
static struct mt_config_associations found;

static bool parse(const char *text)
{
    problems.count = 0;
    problems.omitted = 0;
    return mt_config_associations_parse(text, strlen(text), "keys", &pool, &problems, &found);
}

static int forget(void **state)
{
    (void)state;
    mt_config_pool_free(&pool);
    return 0;
}

static void config_associations_are_as_written_when_the_file_is_good(void **state)
{
    static const uint8_t hex[] = {0x00, 0xFF, 0x10, 0xA5};
    static const uint8_t counting[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    (void)state;
    assert_true(parse("# a comment\n"
                      "[security_association]\n"
                      "spp 0\n"
                      "allow_mutable 1\n"
                      "1 SHA256-128 HEX:00ff10A5\n"
                      "2 SHA256 5 plain\r\n"
                      "\n"
                      "[security_association]\n"
                      "seqid_window\t20\n"
                      "spp 0x11\n"
                      "  4294967295 AES128 16 B64:AAECAwQFBgcICQoLDA0ODw==\n"
                      "7 AES256 ASCII:thirty-two_octets_are_in_the_key"));
    assert_int_equal(problems.count, 0);
    assert_int_equal(found.count, 2);
    const struct mt_security_association *a = &found.association[0];
    const struct mt_security_association *b = &found.association[1];
    assert_int_equal(a->spp, 0);
    assert_true(a->allows_mutable && !b->allows_mutable);
    assert_int_equal(a->sequence_window, 0);
    assert_int_equal(a->key_count, 2);
    assert_int_equal(a->keys[0].mac, MT_MAC_HMAC_SHA256_128);
    assert_int_equal(a->keys[0].length, sizeof hex);
    assert_memory_equal(a->keys[0].octets, hex, sizeof hex);
    assert_int_equal(a->keys[1].mac, MT_MAC_HMAC_SHA256);
    assert_memory_equal(a->keys[1].octets, "plain", 5);
    assert_int_equal(b->spp, 17);
    assert_int_equal(b->sequence_window, 20);
    assert_int_equal(b->key_count, 2);
    assert_int_equal(b->keys[0].id, 4294967295u);
    assert_int_equal(b->keys[0].length, sizeof counting);
    assert_memory_equal(b->keys[0].octets, counting, sizeof counting);
    assert_int_equal(b->keys[1].mac, MT_MAC_AES256_CMAC);
    assert_int_equal(b->keys[1].length, 32);
}

static void config_associations_read_base64_when_it_is_padded_or_not(void **state)
{
    static const struct {
        const char *text;
        const char *octets;
    } cases[] = {{"B64:Zg==", "f"},        {"B64:Zm8=", "fo"},        {"B64:Zm9v", "foo"},
                 {"B64:Zm9vYg==", "foob"}, {"B64:Zm9vYmE=", "fooba"}, {"B64:Zm9vYmFy", "foobar"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "[security_association]\nspp 1\n1 SHA256 %s\n", cases[i].text);
        assert_true(parse(text));
        assert_int_equal(found.association[0].keys[0].length, strlen(cases[i].octets));
        assert_memory_equal(found.association[0].keys[0].octets, cases[i].octets,
                            strlen(cases[i].octets));
    }
}

static void config_associations_name_line_and_expectation_when_something_is_wrong(void **state)
{
    static const struct {
        const char *lines; /* behind a section's heading and spp 1 */
        const char *problem;
    } cases[] = {
        {"1 SHA256 secret\nspp 256", "keys:4: spp: expected an integer from 0 to 255"},
        {"1 SHA256 secret\nallow_mutable 2", "keys:4: allow_mutable: expected 0 or 1"},
        {"1 SHA256 secret\nseqid_window -1", "keys:4: seqid_window: expected"},
        {"1 SHA256 secret\nwindow 3", "keys:4: expected spp, allow_mutable, seqid_window"},
        {"0 SHA256 secret", "keys:3: expected: id kind [length] key, the id from 1"},
        {"4294967296 SHA256 secret", "keys:3: expected: id kind [length] key, the id from 1"},
        {"1 MD5 secret", "keys:3: expected SHA256-128, SHA256, AES128 or AES256"},
        {"1 AES128 secret", "keys:3: AES128 needs a key of 16 octets"},
        {"1 SHA256 HEX:123", "keys:3: the key: expected text, HEX:"},
        {"1 SHA256 HEX:xx", "keys:3: the key: expected text, HEX:"},
        {"1 SHA256 B64:abc", "keys:3: the key: expected text, HEX:"},
        {"1 SHA256 B64:====", "keys:3: the key: expected text, HEX:"},
        {"1 SHA256 7 secret", "keys:3: the key is not as long"},
        {"1 SHA256 secret\n1 SHA256 other", "keys:4: this association already has a key"},
        {"1 SHA256 a b c", "keys:3: expected: name value"},
        {"", "keys:1: this association has no key"},
        {"1 SHA256 secret\n[security_association]\n1 SHA256 other",
         "keys:4: this association has no spp"},
        {"1 SHA256 secret\n[security_association]\nspp 1\n1 SHA256 other",
         "keys:5: another association has this spp"},
        {"1 SHA256 secret\n[other]", "keys:4: expected [security_association]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "[security_association]\nspp 1\n%s", cases[i].lines);
        assert_false(parse(text));
        assert_int_equal(problems.count, 1);
        assert_int_equal(
            strncmp(problems.problem[0].text, cases[i].problem, strlen(cases[i].problem)), 0);
        assert_null(strstr(problems.problem[0].text, "secret"));
    }
    assert_false(parse("spp 1\n"));
    assert_string_equal(problems.problem[0].text, "keys:1: expected [security_association]");
    assert_false(parse(""));
    assert_string_equal(problems.problem[0].text, "keys: expected [security_association]");
}

static void config_associations_are_refused_when_everybody_may_read_them(void **state)
{
    static const char text[] = "[security_association]\nspp 1\n1 SHA256 secret\n";
    char path[] = "/tmp/associations.XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    problems.count = 0;
    assert_true(mt_config_associations_load(path, &pool, &problems, &found));
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_false(mt_config_associations_load(path, &pool, &problems, &found));
    assert_non_null(strstr(problems.problem[0].text, "chmod o="));
    close(fd);
    unlink(path);
    problems.count = 0;
    assert_false(mt_config_associations_load(path, &pool, &problems, &found));
    assert_non_null(strstr(problems.problem[0].text, "cannot be read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(config_associations_are_as_written_when_the_file_is_good, forget),
        cmocka_unit_test_teardown(config_associations_read_base64_when_it_is_padded_or_not, forget),
        cmocka_unit_test_teardown(
            config_associations_name_line_and_expectation_when_something_is_wrong, forget),
        cmocka_unit_test_teardown(config_associations_are_refused_when_everybody_may_read_them,
                                  forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
