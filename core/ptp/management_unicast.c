/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The table of unicast transmitters that a port asks for service, shown and set [1588-2019 17.4.3].
 *
 * A new table counts at once (requester_table.c).  All is checked before anything changes.  Nothing
 * of it lasts beyond a restart, after which the caller's own table is in force.
 */
#include "ptp/management_private.h"
#include "ptp/requester_private.h"

#define CLASS_D     224 /* first octet of what are no stations any more, in IPv4 */
#define NETWORK_MAX MT_NETWORK_IEEE_802_3

typedef enum mt_management_error error_type;

error_type mt_get_unicast_table(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_requester *requester = mt_requester_of(on->port);
    unsigned known = 0;
    if (requester == NULL) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    for (unsigned i = 0; i < requester->count; i++) {
        known += requester->table[i].address.network != MT_NETWORK_NONE;
    }
    mt_put_number(out, (uint8_t)requester->log_query_interval, 1);
    mt_put_number(out, known, 2);
    for (unsigned i = 0; i < requester->count; i++) {
        if (requester->table[i].address.network != MT_NETWORK_NONE) {
            mt_put_address(out, &requester->table[i].address);
        }
    }
    return MT_MANAGEMENT_OK;
}

error_type mt_get_unicast_table_max(const struct mt_managed *on, struct mt_put *out)
{
    const struct mt_requester *requester = mt_requester_of(on->port);
    mt_put_number(out, requester != NULL ? requester->capacity : 0, 2);
    return MT_MANAGEMENT_OK;
}

/* ---- what is asked for ----------------------------------------------------------------------- */

/* Addresses on the wire; read by value, so that it can be gone through again. */
struct list {
    struct mt_reader in;
    uint16_t count;
};

/* One PortAddress; network NONE if it is none. */
static struct mt_address read_address(struct mt_reader *in)
{
    static const struct mt_address nothing = {.network = MT_NETWORK_NONE};
    struct mt_address address = nothing;
    uint16_t network = mt_reader_u16(in);
    uint16_t length = mt_reader_u16(in);
    const uint8_t *octets = mt_reader_octets(in, length);
    if (in->failed || network > NETWORK_MAX) {
        return nothing;
    }
    address.network = (uint8_t)network;
    if (length != mt_address_length(&address)) {
        return nothing;
    }
    memcpy(address.octets, octets, length);
    return address;
}

/* Neither a group nor nobody. */
static bool is_station(const struct mt_address *address)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < sizeof address->octets; i++) {
        sum += address->octets[i];
    }
    switch ((enum mt_network)address->network) {
    case MT_NETWORK_NONE:
        break;
    case MT_NETWORK_UDP_IPV4:
        return address->octets[0] != 0 && address->octets[0] < CLASS_D;
    case MT_NETWORK_UDP_IPV6:
        return sum != 0 && address->octets[0] != 0xFF;
    case MT_NETWORK_IEEE_802_3:
        return sum != 0 && (address->octets[0] & 1) == 0;
    }
    return false;
}

static unsigned times_listed(struct list list, const struct mt_address *address)
{
    unsigned times = 0;
    for (unsigned i = 0; i < list.count; i++) {
        struct mt_address listed = read_address(&list.in);
        times += mt_address_equal(&listed, address);
    }
    return times;
}

/* network: that of the port; NONE: not known. */
static error_type check(const struct list *list, unsigned network)
{
    struct mt_reader in = list->in;
    error_type error = MT_MANAGEMENT_OK;
    for (unsigned i = 0; i < list->count && !in.failed; i++) {
        struct mt_address address = read_address(&in);
        if (!is_station(&address) || times_listed(*list, &address) != 1 ||
            (network != MT_NETWORK_NONE && address.network != network)) {
            error = MT_MANAGEMENT_WRONG_VALUE;
        }
    }
    /* an octet may follow that makes the length even */
    return in.failed || in.left > 1 ? MT_MANAGEMENT_WRONG_LENGTH : error;
}

/* ---- the new table --------------------------------------------------------------------------- */

struct wanted {
    struct list list;
    uint8_t local_priority; /* the wire knows none */
};

static void entry_at(const void *context, uint16_t index, struct mt_address *ret_address,
                     uint8_t *ret_local_priority)
{
    const struct wanted *wanted = context;
    struct list list = wanted->list;
    *ret_address = read_address(&list.in);
    for (uint16_t i = 0; i < index; i++) {
        *ret_address = read_address(&list.in);
    }
    *ret_local_priority = wanted->local_priority;
}

error_type mt_set_unicast_table(const struct mt_managed *on, struct mt_reader *in)
{
    struct mt_requester *requester = mt_requester_of(on->port);
    if (requester == NULL) {
        return MT_MANAGEMENT_NOT_SUPPORTED;
    }
    int8_t log_query_interval = mt_reader_i8(in);
    struct list list = {.count = mt_reader_u16(in)};
    list.in = *in;
    error_type error = check(&list, mt_managed_port(on)->protocol.network);
    if (error != MT_MANAGEMENT_OK) {
        return error;
    }
    const struct wanted wanted = {list, requester->local_priority};
    const struct mt_requester_list table = {&wanted, list.count, entry_at};
    if (!mt_log_interval_is_allowed(log_query_interval) ||
        !mt_requester_set_table(on->self, on->port, &table)) {
        return MT_MANAGEMENT_WRONG_VALUE;
    }
    requester->log_query_interval = log_query_interval;
    requester->is_set = true;
    return MT_MANAGEMENT_OK;
}
