/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "meantime/ptp_address.h"

#include "base/memory.h"

size_t mt_address_length(const struct mt_address *self)
{
    static const uint8_t lengths[] = {
        [MT_NETWORK_UDP_IPV4] = 4, [MT_NETWORK_UDP_IPV6] = 16, [MT_NETWORK_IEEE_802_3] = 6};
    if (self->network >= MT_NETWORK_LOCAL_READ_WRITE) {
        return MT_ADDRESS_LOCAL_OCTETS;
    }
    return self->network < sizeof lengths ? lengths[self->network] : 0;
}

bool mt_address_equal(const struct mt_address *a, const struct mt_address *b)
{
    return a->network == b->network && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool mt_address_is_within(const struct mt_address *address, const struct mt_address_range *ranges,
                          uint16_t count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct mt_address *range = &ranges[i].address;
        unsigned octets = ranges[i].prefix_bits / 8u;
        unsigned bits = ranges[i].prefix_bits % 8u;
        if (range->network != address->network || octets > MT_ADDRESS_OCTETS ||
            memcmp(range->octets, address->octets, octets) != 0) {
            continue;
        }
        if (bits == 0 || octets == MT_ADDRESS_OCTETS ||
            ((range->octets[octets] ^ address->octets[octets]) & (0xFF00u >> bits)) == 0) {
            return true;
        }
    }
    return false;
}
