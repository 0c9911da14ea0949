/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What NTP calls things, and addresses, as text. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "status/names.h"

void mt_address_text(const struct mt_address *address, char ret_text[MT_ADDRESS_TEXT_SIZE])
{
    const uint8_t *o = address->octets;
    ret_text[0] = '\0';
    switch (address->network) {
    case MT_NETWORK_UDP_IPV4:
        (void)inet_ntop(AF_INET, o, ret_text, MT_ADDRESS_TEXT_SIZE);
        return;
    case MT_NETWORK_UDP_IPV6:
        (void)inet_ntop(AF_INET6, o, ret_text, MT_ADDRESS_TEXT_SIZE);
        return;
    case MT_NETWORK_IEEE_802_3:
        snprintf(ret_text, MT_ADDRESS_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2],
                 o[3], o[4], o[5]);
        return;
    }
}

/* Letters, and zeros behind them. */
static bool is_code(const uint8_t id[4])
{
    bool has_ended = false;
    for (size_t i = 0; i < 4; i++) {
        has_ended |= id[i] == 0;
        if (has_ended ? id[i] != 0 : isgraph(id[i]) == 0) {
            return false;
        }
    }
    return true;
}

void mt_ntp_reference_text(const struct mt_ntp_header *answer,
                           char ret_text[MT_NTP_REFERENCE_TEXT_SIZE])
{
    const uint8_t *id = answer->reference_id;
    if (answer->stratum > 1 || !is_code(id)) { /* chronyd's local clock is 127.127.1.1 */
        snprintf(ret_text, MT_NTP_REFERENCE_TEXT_SIZE, "%u.%u.%u.%u", id[0], id[1], id[2], id[3]);
        return;
    }
    snprintf(ret_text, MT_NTP_REFERENCE_TEXT_SIZE, "%.4s", (const char *)id);
}
