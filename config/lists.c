/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Lists.  Of stations: addresses of IPv4, IPv6 and Ethernet, or names that are looked up later,
 * each with a number behind a slash where the key has a use for one; the text is kept as it was
 * written.  Of identities: how they are written. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/value_private.h"

#define NAME_MAX_LENGTH 253 /* of a domain name */
#define MAC_LENGTH      17
#define SEPARATORS      ", \t"

/* ---- identities --------------------------------------------------------------------------- */

void mt_config_identity_write(const struct mt_port_identity *value, char *buffer, size_t size)
{
    const uint8_t *o = value->clock.octet;
    int length = snprintf(buffer, size, "%02x%02x%02x.%02x%02x.%02x%02x%02x", o[0], o[1], o[2],
                          o[3], o[4], o[5], o[6], o[7]);
    if (value->port != 0 && length > 0 && (size_t)length < size) {
        snprintf(buffer + length, size - (size_t)length, "-%u", value->port);
    }
}

void mt_config_identities_write(const struct mt_config_identities *value, char *buffer, size_t size)
{
    size_t length = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < value->count; i++) {
        char one[32];
        mt_config_identity_write(&value->identity[i], one, sizeof one);
        if (length + strlen(one) + 3 > size) {
            return;
        }
        length += (size_t)snprintf(buffer + length, size - length, "%s%s", i > 0 ? ", " : "", one);
    }
}

/* ---- stations ----------------------------------------------------------------------------- */

static bool parse_mac(const char *text, struct mt_address *ret_address)
{
    struct mt_address address = {.network = MT_NETWORK_IEEE_802_3};
    if (strlen(text) != MAC_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < MAC_LENGTH; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < 6; i++) {
        address.octets[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
    }
    *ret_address = address;
    return true;
}

static bool parse_address(const char *text, struct mt_address *ret_address)
{
    struct mt_address address = {.network = MT_NETWORK_UDP_IPV4};
    if (inet_pton(AF_INET, text, address.octets) == 1) {
        *ret_address = address;
        return true;
    }
    address.network = MT_NETWORK_UDP_IPV6;
    if (inet_pton(AF_INET6, text, address.octets) == 1) {
        *ret_address = address;
        return true;
    }
    return parse_mac(text, ret_address);
}

/* Labels of letters, digits and hyphens; the last one has a letter, or it was meant for an
 * address. */
static bool is_host_name(const char *text)
{
    size_t label = 0;
    bool has_letter = false;
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool is_dot = text[i] == '.';
        if ((is_dot && label == 0) ||
            (!is_dot && !isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')) {
            return false;
        }
        label = is_dot ? 0 : label + 1;
        has_letter = !is_dot && (isalpha((unsigned char)text[i]) || (has_letter && label > 1));
    }
    return has_letter && strlen(text) <= NAME_MAX_LENGTH;
}

bool mt_config_is_host(const char *text)
{
    struct mt_address address;
    return parse_address(text, &address) ? address.network != MT_NETWORK_IEEE_802_3
                                         : is_host_name(text);
}

bool mt_config_is_for_people(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (iscntrl((unsigned char)text[i])) {
            return false;
        }
    }
    return length > 0 && length <= MT_CONFIG_TEXT_MAX;
}

static bool parse_number(const struct mt_config_key *key, const char *text, uint16_t *ret_number)
{
    char *end;
    if (!isdigit((unsigned char)text[0]) || strlen(text) > 3) {
        return false;
    }
    long number = strtol(text, &end, 10);
    *ret_number = (uint16_t)number;
    return *end == '\0' && number >= key->min && number <= key->max && key->max != 0;
}

/* A key whose numbers go up to 128 counts bits of addresses. */
static bool has_bits(const struct mt_config_key *key, const struct mt_config_station *station)
{
    uint16_t most = station->address.network == MT_NETWORK_UDP_IPV4     ? 32
                    : station->address.network == MT_NETWORK_IEEE_802_3 ? 48
                                                                        : 128;
    return key->max != 128 || station->number <= most;
}

static bool parse_station(const struct mt_config_key *key, const char *text,
                          struct mt_config_pool *pool, struct mt_config_station *ret_station)
{
    char *name = mt_config_pool_text(pool, text);
    struct mt_config_station station = {.text = mt_config_pool_text(pool, text), .name = name};
    if (station.text == NULL || name == NULL) {
        return false;
    }
    char *slash = strchr(name, '/');
    if (slash != NULL) {
        *slash = '\0';
        station.has_number = true;
        if (!parse_number(key, slash + 1, &station.number)) {
            return false;
        }
    }
    bool is_known = parse_address(name, &station.address) || is_host_name(name);
    *ret_station = station;
    return is_known && has_bits(key, &station);
}

size_t mt_config_stations_count(const char *text)
{
    size_t count = 0;
    while (*(text += strspn(text, SEPARATORS)) != '\0') {
        text += strcspn(text, SEPARATORS);
        count++;
    }
    return count;
}

bool mt_config_stations_parse(const struct mt_config_key *key, const char *text, void *member,
                              struct mt_config_pool *pool)
{
    struct mt_config_station *list =
        mt_config_pool_take(pool, (mt_config_stations_count(text) + 1) * sizeof *list);
    struct mt_config_stations stations = {list, 0};
    while (list != NULL && *(text += strspn(text, SEPARATORS)) != '\0') {
        char one[NAME_MAX_LENGTH + 5];
        size_t length = strcspn(text, SEPARATORS);
        if (length >= sizeof one) {
            return false;
        }
        memcpy(one, text, length);
        one[length] = '\0';
        if (!parse_station(key, one, pool, &list[stations.count++])) {
            return false;
        }
        text += length;
    }
    memcpy(member, &stations, sizeof stations);
    return stations.count > 0 && stations.count <= MT_CONFIG_STATIONS_MAX;
}

void mt_config_stations_write(const void *member, char *buffer, size_t size)
{
    struct mt_config_stations stations;
    size_t length = 0;
    memcpy(&stations, member, sizeof stations);
    buffer[0] = '\0';
    for (size_t i = 0; i < stations.count; i++) {
        const char *text = stations.station[i].text;
        if (length + strlen(text) + 3 > size) {
            return;
        }
        length += (size_t)snprintf(buffer + length, size - length, "%s%s", i > 0 ? ", " : "", text);
    }
}

bool mt_config_stations_equal(const void *a, const void *b)
{
    struct mt_config_stations lists[2];
    memcpy(&lists[0], a, sizeof lists[0]);
    memcpy(&lists[1], b, sizeof lists[1]);
    bool is_equal = lists[0].count == lists[1].count;
    for (size_t i = 0; is_equal && i < lists[0].count; i++) {
        is_equal = strcmp(lists[0].station[i].text, lists[1].station[i].text) == 0;
    }
    return is_equal;
}
