/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime keys: what a security file holds, without its secrets.  The anchor of a chain, which its
 * receivers need, is derived from the seed here. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "apps/meantime/tool.h"
#include "config/associations.h"
#include "crypto/crypto.h"

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

static bool print_association(const struct mt_security_association *association)
{
    printf("spp %u\n", association->spp);
    for (size_t i = 0; i < association->key_count; i++) {
        printf("  key %u of %u octets\n", association->keys[i].id, association->keys[i].length);
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
