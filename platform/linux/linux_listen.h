/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Links that are only heard, each with a descriptor of its own in the poll set: pulses and GNSS
 * receivers.  Each is an object that begins with a struct mt_linux_listener; the wait serves them
 * by its functions.  Also the pins of hardware clocks, which pulses come in and go out by.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_LISTEN_H
#define MEANTIME_LINUX_LISTEN_H

#include "platform/linux/linux_private.h"

struct mt_linux_listener {
    struct mt_hal_link hal;
    struct mt_linux *platform;
    struct mt_linux_listener *next;
    uint16_t index;
    int fd;       /**< -1: none now */
    short events; /**< to be waited for */
    /** Takes what has come, or notices that the descriptor is no good any more. */
    void (*receive)(struct mt_linux_listener *self, uint8_t *buffer, struct mt_input *ret_input);
    /** Something to say without waiting; or when to be asked again.  Null: never. */
    bool (*due)(struct mt_linux_listener *self, struct mt_input *ret_input,
                struct mt_mono *deadline);
    /** Undoes what was done to devices, closes, and frees. */
    void (*close)(struct mt_linux_listener *self);
    char reason[MT_HAL_REASON_SIZE]; /**< why it is not heard; "": it is */
    bool is_told_down;               /**< that it is not was said by mt_linux_listener_tell() */
};

/** Of one by which nothing goes out. */
extern const struct mt_hal_link_ops mt_linux_only_heard;

/** Takes the place of a link among those that the wait serves. */
void mt_linux_listeners_add(struct mt_linux *platform, struct mt_linux_listener *listener);
/** The set of descriptors is another one. */
void mt_linux_listener_changed(struct mt_linux_listener *self);
/** Makes an input of it if the link is not what was said of it last; at first it is up. */
bool mt_linux_listener_tell(struct mt_linux_listener *self, bool is_up, struct mt_input *ret_input);
/** Writes a pulse that was stamped so. */
void mt_linux_listener_pulse(const struct mt_linux_listener *self, struct mt_base_time stamp,
                             uint8_t *buffer, struct mt_input *ret_input);

struct mt_hal_link *mt_linux_pps_open(struct mt_linux *platform, uint16_t index,
                                      const struct mt_link_request *request,
                                      char reason[MT_HAL_REASON_SIZE]);
struct mt_hal_link *mt_linux_extts_open(struct mt_linux *platform, uint16_t index,
                                        const struct mt_link_request *request,
                                        char reason[MT_HAL_REASON_SIZE]);
struct mt_hal_link *mt_linux_perout_open(struct mt_linux *platform, uint16_t index,
                                         const struct mt_link_request *request,
                                         char reason[MT_HAL_REASON_SIZE]);
struct mt_hal_link *mt_linux_gnss_open(struct mt_linux *platform, uint16_t index,
                                       const struct mt_link_request *request,
                                       char reason[MT_HAL_REASON_SIZE]);

struct mt_hal_link *mt_linux_temperature_open(struct mt_linux *platform, uint16_t index,
                                              const struct mt_link_request *request,
                                              char reason[MT_HAL_REASON_SIZE]);

/** A pin whose function was changed. */
struct mt_linux_pin {
    bool is_changed;
    unsigned index;
    unsigned function; /**< that it had ... */
    unsigned channel;
};
/** Has a pin of a hardware clock do this (PTP_PF_*).  True also for clocks without pins.  False
 * with a reason. */
bool mt_linux_pin_take(int fd, unsigned function, const struct mt_pulse_request *request,
                       struct mt_linux_pin *ret_pin, char reason[MT_HAL_REASON_SIZE]);
void mt_linux_pin_give_back(int fd, const struct mt_linux_pin *pin);

#endif
