/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A platform without a C library: Linux asked by system calls alone, the processor started by our
 * own entry point, no allocation.  What links here links in firmware, and the same program can be
 * run and tested on any machine.
 *
 *     int main(int argc, char **argv)     is called by the entry point; what it returns is the
 *                                         exit status
 *
 * One link, UDP over IPv4, multicast, on one interface; stamps are taken by the program itself, as
 * on a microcontroller whose MAC cannot.  The clock is steered above CLOCK_MONOTONIC_RAW and
 * disturbs nobody.
 * Thread rule: one thread.
 */
#ifndef MEANTIME_BARE_H
#define MEANTIME_BARE_H

#include "embed/counter_clock.h"
#include "embed/ordinary.h"

#define MT_BARE_FRAME_MAX 1536
#define MT_BARE_STAMPS    4 /**< transmit stamps that wait to be taken; more are lost */

struct mt_bare {
    struct mt_counter_clock clock;
    struct mt_hal_link link;
    struct mt_hal_wait wait;
    struct mt_clock_identity identity; /**< made of the interface's MAC address */
    uint64_t seed;
    /* private */
    int event_fd;
    int general_fd;
    int interface;
    char name[16];
    bool is_up;
    bool has_told;          /**< whether it is up */
    struct mt_mono look_at; /**< for the state of the link */
    struct mt_bare_stamp {
        uint32_t token;
        struct mt_base_time at;
    } stamps[MT_BARE_STAMPS];
    uint32_t stamp_count;
    uint8_t frame[MT_BARE_FRAME_MAX];
};

/** False if there is no such interface, or the ports of PTP may not be used. */
bool mt_bare_open(struct mt_bare *self, const char *interface);
/** The tables in it. */
struct mt_ordinary_tables mt_bare_tables(struct mt_bare *self);

/* ---- the process ---------------------------------------------------------------------------- */

int main(int argc, char **argv);
void mt_bare_print(const char *text);
void mt_bare_print_number(int64_t number);
/** Decimal digits to a number; what is none is 0. */
int64_t mt_bare_number(const char *text);
/** CLOCK_REALTIME: seconds since 1970, UTC. */
int64_t mt_bare_utc_s(void);

#endif
