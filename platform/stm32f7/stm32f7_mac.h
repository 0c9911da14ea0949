/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The Ethernet MAC and its DMA: whole frames out and in, each with the time at which its first
 * octet passed the MAC.  A frame that is sent with a token answers with the token and its stamp, or
 * with the token and none; every token is answered once, in the order of sending.
 *
 * Nothing is copied: frames are written into, and read from, the buffers that the DMA uses.
 * Thread rule: one thread at a time; never an interrupt.
 */
#ifndef MEANTIME_STM32F7_MAC_H
#define MEANTIME_STM32F7_MAC_H

#include <stddef.h>

#include "platform/stm32f7/stm32f7_ptp.h"
#include "platform/stm32f7/stm32f7_registers.h"

#define MT_STM32F7_SENDING     4 /**< frames under way: a power of two */
#define MT_STM32F7_RECEIVING   6 /**< frames that may wait to be read */
#define MT_STM32F7_BUFFER_SIZE 1536
/** One tagged; without the checksum, which the MAC adds and checks.  It pads what is short. */
#define MT_STM32F7_FRAME_MAX 1518

/** What the MAC's DMA and we share: 32-octet aligned, in memory that no cache stands before, 16 KiB
 * at most (SRAM2; stm32f7.ld). */
struct mt_stm32f7_rings {
    _Alignas(32) uint32_t sending[MT_STM32F7_SENDING][DES_WORDS];
    _Alignas(32) uint32_t receiving[MT_STM32F7_RECEIVING][DES_WORDS];
    _Alignas(32) uint8_t sent[MT_STM32F7_SENDING][MT_STM32F7_BUFFER_SIZE];
    _Alignas(32) uint8_t received[MT_STM32F7_RECEIVING][MT_STM32F7_BUFFER_SIZE];
};

struct mt_stm32f7_counters {
    uint32_t sent;
    uint32_t send_failed;      /**< not sent, or not to the end */
    uint32_t send_stamps_lost; /**< a stamp was wanted and there is none */
    uint32_t send_ring_full;   /**< a buffer was asked for and all were under way */
    uint32_t received;         /**< handed on */
    uint32_t receive_failed;   /**< damaged, or longer than a buffer */
    uint32_t receive_stamps_lost;
    uint32_t receive_missed; /**< by the DMA, which had no buffer, or by its queue */
    uint32_t stamps_voided;  /**< taken while the clock was being stepped */
    uint32_t bus_errors;     /**< of the DMA: it has stopped, and needs mt_stm32f7_mac_init() */
};

struct mt_stm32f7_departure {
    uint32_t token;
    bool has_stamp;
    struct mt_stm32f7_raw_time stamp;
};

struct mt_stm32f7_arrival {
    const uint8_t *bytes; /**< from the destination address on; valid until it is released */
    size_t length;        /**< without the checksum */
    bool has_stamp;
    struct mt_stm32f7_raw_time stamp;
};

struct mt_stm32f7_mac {
    struct mt_stm32f7_counters counters;
    /* private */
    struct mt_stm32f7_rings *rings;
    uint32_t filled;  /**< frames given to the DMA so far ... */
    uint32_t settled; /**< ... and of these, answered */
    uint32_t tokens[MT_STM32F7_SENDING];
    bool is_void[MT_STM32F7_SENDING]; /**< the stamp is worth nothing */
    uint32_t receive_place;           /**< of the oldest frame received */
    uint32_t void_count;              /**< so many from there on have no stamp */
};

/** Resets MAC and DMA and makes the rings; the clocks and the PHY's reference clock are on.  False
 * if the reset does not end, which says that there is no reference clock.  Follow it with
 * mt_stm32f7_ptp_init() and mt_stm32f7_mac_start(). */
bool mt_stm32f7_mac_init(struct mt_stm32f7_mac *self, struct mt_stm32f7_rings *rings,
                         const uint8_t address[6]);
/** Sends and receives from now on, as the PHY has it. */
void mt_stm32f7_mac_start(bool is_100_mbit, bool is_full_duplex);

/** Where to write the next frame, MT_STM32F7_FRAME_MAX octets; null: all are under way. */
uint8_t *mt_stm32f7_mac_buffer(struct mt_stm32f7_mac *self);
/** Sends what was written there.  token 0: no stamp is wanted and no answer will come. */
void mt_stm32f7_mac_send(struct mt_stm32f7_mac *self, size_t length, uint32_t token);
/** The next answer; false if there is none yet. */
bool mt_stm32f7_mac_next_departure(struct mt_stm32f7_mac *self,
                                   struct mt_stm32f7_departure *ret_departure);

/** The oldest frame received that is whole; false if there is none.  Damaged ones are counted and
 * dropped on the way. */
bool mt_stm32f7_mac_next_arrival(struct mt_stm32f7_mac *self,
                                 struct mt_stm32f7_arrival *ret_arrival);
/** Gives the buffer of that frame back. */
void mt_stm32f7_mac_release(struct mt_stm32f7_mac *self);

/** The clock has just been stepped: stamps of all frames that are under way, and of those that
 * were received and not yet taken, are neither of the old time nor of the new for sure.  Call it
 * when the frame that was coming in during the step must have ended (125 us at 100 Mbit/s). */
void mt_stm32f7_mac_void_stamps(struct mt_stm32f7_mac *self);

/** Whether there was an error on the bus; counts frames missed; lets the next interrupt come. */
bool mt_stm32f7_mac_attend(struct mt_stm32f7_mac *self);

/** Frames received with a wrong checksum since the reset of the MAC. */
uint32_t mt_stm32f7_mac_checksum_errors(void);

#endif
