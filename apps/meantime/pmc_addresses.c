/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Addresses of PTP stations in the data sets of management [1588-2019 5.3.6], as people write them:
 * 192.0.2.1, 2001:db8::1 or 00:11:22:33:44:55, of whatever network they are; and lists of
 * identities.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "apps/meantime/pmc.h"

#define HEAD  4 /* networkProtocol, length */
#define COUNT 2

static unsigned u16_at(const uint8_t *octets)
{
    return (unsigned)octets[0] << 8 | octets[1];
}

void mt_pmc_address_text(const uint8_t *octets, size_t length, char *text, size_t size)
{
    unsigned network = u16_at(octets);
    const uint8_t *address = octets + HEAD;
    size_t used = length - HEAD;
    size_t at = 0;
    text[0] = '\0';
    if ((network == MT_NETWORK_UDP_IPV4 && used == 4) ||
        (network == MT_NETWORK_UDP_IPV6 && used == 16)) {
        inet_ntop(network == MT_NETWORK_UDP_IPV4 ? AF_INET : AF_INET6, address, text,
                  (socklen_t)size);
        return;
    }
    for (size_t i = 0; i < used && at + 4 < size; i++) {
        at += (size_t)snprintf(text + at, size - at, i == 0 ? "%02x" : ":%02x", address[i]);
    }
}

cJSON *mt_pmc_addresses_read(const uint8_t *octets, size_t length)
{
    cJSON *list = cJSON_CreateArray();
    unsigned count = u16_at(octets);
    size_t at = COUNT;
    char text[64];
    for (unsigned i = 0; i < count && at + HEAD <= length; i++) {
        size_t address = HEAD + (size_t)u16_at(octets + at + 2);
        if (address > length - at) {
            break; /* cut off */
        }
        mt_pmc_address_text(octets + at, address, text, sizeof text);
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
        at += address;
    }
    return list;
}

/* The octets of one address; 0: it is none. */
static size_t parse(const char *text, uint8_t *octets)
{
    static const uint8_t lengths[] = {
        [MT_NETWORK_UDP_IPV4] = 4, [MT_NETWORK_UDP_IPV6] = 16, [MT_NETWORK_IEEE_802_3] = 6};
    uint8_t *to = octets + HEAD;
    unsigned network;
    int used = 0;
    if (inet_pton(AF_INET, text, to) == 1) {
        network = MT_NETWORK_UDP_IPV4;
    } else if (inet_pton(AF_INET6, text, to) == 1) {
        network = MT_NETWORK_UDP_IPV6;
    } else if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &to[0], &to[1], &to[2], &to[3],
                      &to[4], &to[5], &used) == 6 &&
               text[used] == '\0') {
        network = MT_NETWORK_IEEE_802_3;
    } else {
        return 0;
    }
    octets[0] = 0;
    octets[1] = (uint8_t)network;
    octets[2] = 0;
    octets[3] = lengths[network];
    return HEAD + (size_t)lengths[network];
}

size_t mt_pmc_addresses_write(const char *value, uint8_t *octets, size_t capacity)
{
    char text[64];
    unsigned count = 0;
    size_t at = COUNT;
    for (const char *begin = value; *begin != '\0';) {
        size_t length = strcspn(begin, ",");
        if (length >= sizeof text || at + HEAD + MT_ADDRESS_OCTETS > capacity) {
            return 0;
        }
        snprintf(text, sizeof text, "%.*s", (int)length, begin);
        size_t used = strcmp(text, "none") == 0 ? 0 : parse(text, octets + at);
        if (used == 0 && (count != 0 || strcmp(value, "none") != 0)) {
            return 0;
        }
        count += used != 0;
        at += used;
        begin += length + (begin[length] == ',');
    }
    octets[0] = (uint8_t)(count >> 8);
    octets[1] = (uint8_t)count;
    return at;
}

#define IDENTITY   10
#define ACCEPTABLE (IDENTITY + 1) /* alternatePriority1, which is not used here */

static bool parse_identity(const char *text, uint8_t *octets)
{
    unsigned port = 0;
    int used = 0;
    if (sscanf(text, "%2hhx%2hhx%2hhx.%2hhx%2hhx.%2hhx%2hhx%2hhx%n", &octets[0], &octets[1],
               &octets[2], &octets[3], &octets[4], &octets[5], &octets[6], &octets[7],
               &used) != 8) {
        return false;
    }
    if (text[used] == '-') {
        int more = 0;
        if (sscanf(text + used, "-%5u%n", &port, &more) != 1 || port > 65535) {
            return false;
        }
        used += more;
    }
    octets[8] = (uint8_t)(port >> 8);
    octets[9] = (uint8_t)port;
    octets[10] = 0;
    return text[used] == '\0';
}

size_t mt_pmc_acceptable_write(const char *value, uint8_t *octets, size_t capacity)
{
    char text[64];
    unsigned count = 0;
    const char *begin = strcmp(value, "none") == 0 ? "" : value;
    if (*value == '\0') {
        return 0;
    }
    while (*begin != '\0') {
        size_t length = strcspn(begin, ",");
        size_t at = COUNT + (size_t)count * ACCEPTABLE;
        snprintf(text, sizeof text, "%.*s", (int)length, begin);
        if (length >= sizeof text || at + ACCEPTABLE > capacity ||
            !parse_identity(text, octets + at)) {
            return 0;
        }
        count++;
        begin += length + (begin[length] == ',');
    }
    octets[0] = (uint8_t)(count >> 8);
    octets[1] = (uint8_t)count;
    return COUNT + (size_t)count * ACCEPTABLE;
}
