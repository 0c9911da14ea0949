/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A platform, as compose/ sees it: opens clocks and links by what the configuration says and
 * hands out the other tables.  Every failure is told in one sentence that names the remedy.
 */
#ifndef MEANTIME_HAL_PROVIDER_H
#define MEANTIME_HAL_PROVIDER_H

#include "hal/clock.h"
#include "hal/entropy.h"
#include "hal/link.h"
#include "hal/store.h"
#include "hal/wait.h"
#include "meantime/ptp_wire.h"

enum mt_clock_kind { MT_CLOCK_SYSTEM, MT_CLOCK_OVERLAY, MT_CLOCK_LAB, MT_CLOCK_PHC };

struct mt_clock_request {
    enum mt_clock_kind kind;
    const char *name; /**< of the clock in the configuration: names page and drift file */
    bool tai_utc_known;
    int32_t tai_minus_utc_s;
    bool sets_rtc; /**< system only: the kernel may copy it to the real-time clock */
    /** PHC only: its device file, or an interface that has it. */
    const char *device;
    bool is_virtual; /**< PHC only: one of the clocks that the kernel derives from it */
    /* lab only: the synthetic oscillator */
    mt_real lab_offset_s;
    mt_real lab_frequency; /**< s/s */
    mt_real lab_wander;    /**< random walk of the frequency, s/s per sqrt(s) */
    uint64_t lab_seed;
};

enum mt_transport {
    MT_TRANSPORT_UDP_IPV4,
    MT_TRANSPORT_UDP_IPV6,
    MT_TRANSPORT_IEEE_802_3,
    MT_TRANSPORT_LOCAL, /**< management by programs on the same machine */
    MT_TRANSPORT_NTP,   /**< to one NTP server at a time: that to which was sent last */
    /* A reference clock of another program, which is only heard: frames are readings
     * (runtime/refclock_reading.h) with the stamp of the machine's clock.  `interface` is the unit
     * in decimal, or the path. */
    MT_TRANSPORT_REFCLOCK_SHM,
    MT_TRANSPORT_REFCLOCK_SOCK,
    /* A reference clock for another program: frames are clock pages in UTC, as in memory. */
    MT_TRANSPORT_EXPORT_SHM,
    MT_TRANSPORT_EXPORT_SOCK,
    /* Pulses, which are only heard: frames are readings of no second, as of a reference clock.
     * `interface` is the device of the kernel, or the hardware clock, which stamps itself. */
    MT_TRANSPORT_PPS,
    MT_TRANSPORT_EXTTS,
    /* A GNSS receiver, which is only heard: frames are octets as they come, at most
     * MT_GNSS_PIECE_MAX of them.  `interface` as in the configuration. */
    MT_TRANSPORT_GNSS,
    /* Pulses of a hardware clock while frames come: clock pages, which are not read. */
    MT_TRANSPORT_PEROUT,
    /* A thermometer, which is only heard: frames are four octets, little-endian, thousandths of a
     * degree.  `interface` is its file, `poll_ns` how often it is read. */
    MT_TRANSPORT_TEMPERATURE,
};
#define MT_TRANSPORT_LAST MT_TRANSPORT_TEMPERATURE

#define MT_PIN_AUTO (-1)
/** Where pulses come in or go out, and of which kind. */
struct mt_pulse_request {
    bool is_falling; /**< the edge at the second */
    int16_t pin;     /**< of a hardware clock, or MT_PIN_AUTO */
    uint8_t channel;
    int64_t period_ns; /**< PEROUT */
    int64_t width_ns;  /**< PEROUT; 0: as the driver has it */
};

/** Who stamps the packets of a link: the network card (AUTO: if it can), or the kernel. */
enum mt_stamper {
    MT_STAMPER_AUTO,
    MT_STAMPER_CARD,
    MT_STAMPER_KERNEL,
    MT_STAMPER_ONE_STEP, /**< CARD, and it writes the time into what leaves, if it can */
};

/** Links differ in the first four; the others say how one sends. */
struct mt_link_request {
    const char *interface; /**< NTP: "": as routes say */
    enum mt_transport transport;
    bool is_tagged;          /**< IEEE 802.3: sends with a VLAN tag */
    uint16_t vlan;           /**< of the tag; 0: a priority only, the untagged network is heard */
    uint8_t vlan_priority;   /**< of the tag, 0..7 */
    bool is_not_forwarded;   /**< IEEE 802.3: all goes to the address that no bridge forwards */
    uint8_t ttl;             /**< UDP: of multicast; 0 is 1 */
    uint8_t dscp;            /**< UDP */
    uint8_t udp6_scope;      /**< UDP/IPv6: of the primary group; 0 is 14, global */
    uint8_t socket_priority; /**< for the machine's own queues */
    bool is_for_many;        /**< many receivers by unicast: send their frames together */
    enum mt_stamper stamper;
    const char *clock; /**< that is to stamp, by `device` of its table; null: the card's.  PEROUT:
                          that is to make the pulses; null: any, "": none has it */
    int64_t poll_ns;   /**< REFCLOCK_SHM: how often it is looked at */
    struct mt_pulse_request pulse; /**< PPS, EXTTS, PEROUT */
    uint32_t baud;                 /**< GNSS, of a serial line */
    const char *local_socket; /**< LOCAL: where linuxptp's programs look, or null; `interface` is
                                 the folder of our own sockets */
};

struct mt_hal_provider;

struct mt_hal_provider_ops {
    /** Opens a clock; null with a reason if that is impossible.  A clock that may be read but
     * not adjusted is returned with is_adjustable false. */
    struct mt_hal_clock *(*open_clock)(struct mt_hal_provider *self,
                                       const struct mt_clock_request *request,
                                       char reason[MT_HAL_REASON_SIZE]);
    /** Opens link number `index`.  An interface that is missing now is not an error: the link is
     * down until it appears.  Null with a reason for what waiting cannot mend; "": this platform
     * has no such thing, which is no matter. */
    struct mt_hal_link *(*open_link)(struct mt_hal_provider *self, uint16_t index,
                                     const struct mt_link_request *request,
                                     char reason[MT_HAL_REASON_SIZE]);
    /** Closes a link to an NTP server; its number may be opened again.  Null: this platform keeps
     * its links. */
    void (*close_link)(struct mt_hal_provider *self, uint16_t index);
    /** The EUI-64 clock identity made from an interface's MAC address; false if it has none. */
    bool (*identity)(struct mt_hal_provider *self, const char *interface,
                     struct mt_clock_identity *ret_identity);
    /** At which who is at `other` can reach this machine: the address that it is spoken to from,
     * and the others of that interface, which is the one that is named ("": any), without loopback.
     * Returns how many there are, at most `max`.  Null: nobody knows. */
    size_t (*own_addresses)(struct mt_hal_provider *self, const char *interface,
                            const struct mt_address *other, struct mt_address *ret_addresses,
                            size_t max);
};

struct mt_hal_provider {
    const struct mt_hal_provider_ops *ops;
    struct mt_hal_wait *wait;
    struct mt_hal_store *store;
    struct mt_hal_entropy *entropy;
};

#endif
