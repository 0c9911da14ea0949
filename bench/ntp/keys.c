/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "nts/nts_ask.h"

size_t keys_make_request(const char *host, uint16_t port, const char *ca, uint8_t *octets,
                         size_t capacity)
{
    static const uint8_t random[MT_NTS_CLIENT_RANDOM] = {1};
    static struct mt_nts_told told;
    static struct mt_nts_client client;
    struct mt_nts_question question = {.port = port, .checks_time = true};
    const struct mt_ntp_header header = {
        .version = MT_NTP_VERSION, .mode = MT_NTP_MODE_CLIENT, .transmit = 1};
    snprintf(question.host, sizeof question.host, "%s", host);
    snprintf(question.ca, sizeof question.ca, "%s", ca);
    mt_nts_ask(&question, &told);
    if (!told.is_good) {
        fprintf(stderr, "bench ntp: no keys: %s\n", told.reason);
        return 0;
    }
    mt_nts_client_init(&client, &mt_crypto_nettle);
    mt_nts_client_set_keys(&client, &told.keys);
    for (unsigned i = 0; i < told.count; i++) {
        mt_nts_client_add_cookie(&client, told.cookies[i].octets, told.cookies[i].length);
    }
    mt_ntp_write(&header, octets);
    return client.ops->sign(&client, random, octets, MT_NTP_HEADER_SIZE, capacity);
}
