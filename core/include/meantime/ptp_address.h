/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Where a PTP message comes from or goes to: a network protocol and an address in it
 * [1588-2019 5.3.6, annex C to E].  Platforms make them of received frames; the core keeps them,
 * compares them and hands them back with frames that go to one receiver.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_PTP_ADDRESS_H
#define MEANTIME_PTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** networkProtocol [Table 3]. */
enum mt_network {
    MT_NETWORK_NONE = 0,
    MT_NETWORK_UDP_IPV4 = 1,
    MT_NETWORK_UDP_IPV6 = 2,
    MT_NETWORK_IEEE_802_3 = 3,
};

/** Beside the networks: programs on the same machine, by the socket that they wrote to; the octets
 * are the platform's. */
#define MT_NETWORK_LOCAL_READ_WRITE 0xFE
#define MT_NETWORK_LOCAL_READ_ONLY  0xFF

#define MT_ADDRESS_OCTETS       16
#define MT_ADDRESS_LOCAL_OCTETS 4

struct mt_address {
    uint8_t network;                   /**< enum mt_network; 0: no address */
    uint8_t octets[MT_ADDRESS_OCTETS]; /**< in wire order; those beyond its length are 0 */
    /** UDP port of the sender; to send: 0 is the standard's port for the message (319, 320). */
    uint16_t udp_port;
};

/** Stations whose addresses begin with the same bits. */
struct mt_address_range {
    struct mt_address address;
    uint8_t prefix_bits;
};

/** 4, 16 or 6, of a local program 4; 0 for none. */
size_t mt_address_length(const struct mt_address *self);
/** The same station: UDP ports do not count, since one answers from 319 and 320. */
bool mt_address_equal(const struct mt_address *a, const struct mt_address *b);
/** True if the address is within one of the ranges. */
bool mt_address_is_within(const struct mt_address *address, const struct mt_address_range *ranges,
                          uint16_t count);

#endif
