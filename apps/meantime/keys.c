/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime keys: what a security file holds, without its secrets: of each key a fingerprint, the
 * first octets of HMAC-SHA256 over a fixed text with it.  The anchor of a chain, which its
 * receivers need, is derived from the seed here. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "apps/meantime/tool.h"
#include "config/associations.h"
#include "crypto/crypto.h"

#define FINGERPRINT_OF "meantime: fingerprint of a key"

static void print_octets(const char *name, const uint8_t *octets, size_t length)
{
    printf("  %s HEX:", name);
    for (size_t i = 0; i < length; i++) {
        printf("%02x", octets[i]);
    }
    putchar('\n');
}

/* TAI seconds; leap seconds make no difference to whoever plans the next chain. */
static void print_end(const struct mt_chain *chain)
{
    time_t at = (time_t)(chain->start_s + (int64_t)chain->length * chain->interval_ms / 1000);
    struct tm when;
    char text[32];
    if (gmtime_r(&at, &when) != NULL && strftime(text, sizeof text, "%F %T", &when) > 0) {
        printf("  ends %s TAI\n", text);
    }
}

static bool print_chain(struct mt_chain *chain)
{
    bool is_good = mt_chain_init(chain, &mt_crypto_nettle);
    printf("  chain of %u keys, one for %u ms, disclosed after %u intervals\n", chain->length,
           chain->interval_ms, chain->disclosure_delay);
    if (is_good) {
        print_octets("chain_anchor", chain->anchor, sizeof chain->anchor);
    } else {
        puts("  chain_seed does not lead to chain_anchor");
    }
    print_end(chain);
    puts(chain->has_seed ? "  this file signs with it" : "  this file verifies with it");
    return is_good;
}

static const char *kind_of(enum mt_mac_kind mac)
{
    switch (mac) {
    case MT_MAC_HMAC_SHA256_128:
        return "SHA256-128";
    case MT_MAC_HMAC_SHA256:
        return "SHA256";
    case MT_MAC_AES128_CMAC:
        return "AES128";
    case MT_MAC_AES256_CMAC:
        return "AES256";
    }
    return "?";
}

/* By which two sides can tell that they have the same key; it does not lead back to that. */
static void print_key(const struct mt_security_key *key)
{
    const struct mt_piece text = {(const uint8_t *)FINGERPRINT_OF, sizeof FINGERPRINT_OF - 1};
    uint8_t code[MT_MAC_SIZE] = {0};
    (void)mt_crypto_nettle.mac(MT_MAC_HMAC_SHA256, key->octets, key->length, &text, 1, code);
    printf("  key %u, %s of %u octets, fingerprint %02x%02x%02x%02x\n", key->id, kind_of(key->mac),
           key->length, code[0], code[1], code[2], code[3]);
}

static bool print_association(const struct mt_security_association *association)
{
    printf("spp %u\n", association->spp);
    for (size_t i = 0; i < association->key_count; i++) {
        print_key(&association->keys[i]);
    }
    return association->chain == NULL || print_chain(association->chain);
}

enum mt_exit mt_tool_keys(const struct mt_tool *tool, int count, char **arguments)
{
    struct mt_config_pool pool = {NULL};
    struct mt_config_problems problems = {0};
    struct mt_config_associations found;
    if (count != 1) {
        return mt_tool_misuse("keys: expected one file");
    }
    bool is_good = mt_config_associations_load(arguments[0], &pool, &problems, &found);
    if (!is_good) {
        mt_config_problems_print(&problems, stdout);
    }
    for (size_t i = 0; is_good && i < found.count; i++) {
        is_good = print_association(&found.association[i]);
    }
    mt_config_pool_free(&pool);
    return is_good ? MT_EXIT_GOOD : MT_EXIT_BAD;
}
