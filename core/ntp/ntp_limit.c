/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who asks too often.  A client that asks regularly is due once in each interval; one that is
 * earlier than that by more than its burst is refused, and a refused request does not make it
 * later, so that a client behind a limit gets its share.  Addresses fall into sets of four places
 * by a hash that nobody outside knows; a newcomer displaces the one that has been quiet longest.
 */
#include "base/memory.h"
#include "meantime/ntp_server.h"

#define IPV6_NETWORK 8 /* octets: whoever has one address has these all */

void mt_ntp_limit_init(struct mt_ntp_limit *self, struct mt_ntp_limited *places, uint32_t count,
                       int8_t log_interval, uint8_t burst, uint32_t secret)
{
    *self = (struct mt_ntp_limit){places, count, log_interval, burst, secret};
    if (count > 0) {
        memset(places, 0, count * sizeof *places);
    }
}

static struct mt_address client_of(const struct mt_address *from)
{
    struct mt_address client = *from;
    client.udp_port = 0;
    if (client.network == MT_NETWORK_UDP_IPV6) {
        memset(client.octets + IPV6_NETWORK, 0, sizeof client.octets - IPV6_NETWORK);
    }
    return client;
}

static uint32_t hash(const struct mt_ntp_limit *self, const struct mt_address *client)
{
    uint32_t sum = self->secret ^ client->network;
    for (size_t i = 0; i < sizeof client->octets; i++) {
        sum = (sum ^ client->octets[i]) * UINT32_C(0x9E3779B1);
        sum ^= sum >> 15;
    }
    return sum;
}

/* The client's place, or the one to take. */
static struct mt_ntp_limited *find(struct mt_ntp_limit *self, const struct mt_address *client)
{
    uint32_t set = hash(self, client) & (self->count - 1) & ~(uint32_t)(MT_NTP_LIMIT_WAYS - 1);
    struct mt_ntp_limited *quietest = &self->places[set];
    for (unsigned i = 0; i < MT_NTP_LIMIT_WAYS; i++) {
        struct mt_ntp_limited *place = &self->places[set + i];
        if (place->due.ns != 0 && mt_address_equal(&place->address, client)) {
            return place;
        }
        if (place->due.ns < quietest->due.ns) {
            quietest = place;
        }
    }
    quietest->address = *client;
    quietest->due.ns = 0;
    return quietest;
}

bool mt_ntp_limit_allows(struct mt_ntp_limit *self, const struct mt_address *from,
                         struct mt_mono now)
{
    int64_t interval_ns = mt_log2s_to_ns(self->log_interval);
    if (self->count == 0) {
        return true;
    }
    const struct mt_address client = client_of(from);
    struct mt_ntp_limited *place = find(self, &client);
    struct mt_mono due = place->due.ns > now.ns ? place->due : now;
    bool is_allowed = due.ns - now.ns <= interval_ns * (self->burst - 1);
    if (is_allowed) {
        due = mt_mono_plus(due, interval_ns);
    }
    place->due = due;
    return is_allowed;
}
