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

#define CHAIN     "chain SHA256\nchain_start 5\nchain_anchor " OCTETS_32 "\n"
#define OCTETS_32 "HEX:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void config_associations_have_a_chain_when_it_is_written_so(void **state)
{
    (void)state;
    assert_true(parse("[security_association]\n"
                      "spp 9\n"
                      "chain AES128\n"
                      "chain_start 1766000000\n"
                      "chain_interval 250\n"
                      "chain_length 1000\n"
                      "chain_delay 3\n"
                      "chain_error 500\n"
                      "chain_seed " OCTETS_32 "\n"
                      "chain_anchor B64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
                      "chain_sender 001122.fffe.334455\n"
                      "[security_association]\n"
                      "spp 10\n"
                      "chain SHA256\n"
                      "chain_start 1\n"
                      "chain_anchor " OCTETS_32 "\n"));
    const struct mt_chain *chain = found.association[0].chain;
    const struct mt_clock_identity sender = {{0x00, 0x11, 0x22, 0xFF, 0xFE, 0x33, 0x44, 0x55}};
    assert_int_equal(chain->mac, MT_MAC_AES128_CMAC);
    assert_int_equal(chain->start_s, 1766000000);
    assert_int_equal(chain->interval_ms, 250);
    assert_int_equal(chain->length, 1000);
    assert_int_equal(chain->disclosure_delay, 3);
    assert_int_equal(chain->max_error_ns, 500000000);
    assert_true(chain->has_seed && chain->has_anchor && chain->has_sender);
    assert_memory_equal(chain->seed, chain->anchor, 32);
    assert_memory_equal(&chain->sender, &sender, sizeof sender);
    assert_true(chain->checkpoint_count > 0);
    chain = found.association[1].chain;
    assert_int_equal(found.association[1].key_count, 0);
    assert_int_equal(chain->interval_ms, 500);
    assert_int_equal(chain->length, MT_CHAIN_LENGTH_MAX);
    assert_int_equal(chain->disclosure_delay, 2);
    assert_false(chain->has_seed || chain->has_sender);
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
        {"1 SHA256 secret\nseqid_window = 3", "keys:4: between name and value stands no ="},
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
        {"1 SHA256 secret\nchain_start 5", "keys:4: expected chain KIND before"},
        {CHAIN "1 SHA256 secret", "keys:1: an association has keys or a chain"},
        {"chain SHA256\nchain_start 5", "keys:1: this chain has neither"},
        {"chain SHA256\nchain_anchor " OCTETS_32, "keys:1: this chain has no chain_start"},
        {CHAIN "chain SHA256", "keys:6: this association already has a chain"},
        {CHAIN "chain_seed HEX:secret", "keys:6: chain_seed: expected HEX:"},
        {CHAIN "chain_seed HEX:00", "keys:6: chain_seed: expected HEX:"},
        {CHAIN "chain_interval 0", "keys:6: chain_interval: expected milliseconds"},
        {CHAIN "chain_length 65537", "keys:6: chain_length: expected an integer from 1"},
        {CHAIN "chain_delay 256", "keys:6: chain_delay: expected an integer from 1"},
        {CHAIN "chain_sender 12", "keys:6: chain_sender: expected a clock identity"},
        {CHAIN "chain_error 501", "keys:1: chain_error is larger than"},
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
        cmocka_unit_test_teardown(config_associations_have_a_chain_when_it_is_written_so, forget),
        cmocka_unit_test_teardown(config_associations_read_base64_when_it_is_padded_or_not, forget),
        cmocka_unit_test_teardown(
            config_associations_name_line_and_expectation_when_something_is_wrong, forget),
        cmocka_unit_test_teardown(config_associations_are_refused_when_everybody_may_read_them,
                                  forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
