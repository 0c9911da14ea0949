/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the simulated world is made of: machines, segments and switches, each described by a
 * struct that may be changed while no time passes.  All zero is a perfect one: no error, no
 * delay, no noise, nothing lost, and what is zero draws no random numbers.
 * Shares are probabilities from 0 to 1.  Times of noise are in ns, of true time.
 * Thread rule: values only.
 */
#ifndef MEANTIME_SIM_CONFIG_H
#define MEANTIME_SIM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meantime/real.h"

/** How the ways of two frames over one segment differ.  All but NORMAL are never negative, and
 * the delay is their floor. */
enum mt_sim_jitter {
    MT_SIM_JITTER_NONE,
    MT_SIM_JITTER_NORMAL,      /**< around the delay */
    MT_SIM_JITTER_EXPONENTIAL, /**< on top of the delay, which is the floor; mean = deviation */
    MT_SIM_JITTER_GAMMA,       /**< `jitter_shape` is its shape k; mean = deviation x sqrt(k) */
    MT_SIM_JITTER_PARETO,      /**< heavy tail (Pareto II, Lomax): P(x > scale u) = (1 + u)^-a with
                               a = `jitter_shape` > 2, so that there is a deviation */
    MT_SIM_JITTER_TRACE,       /**< recorded: see trace_ns */
};

/** A GNSS receiver, whose pulses are right but for their stamps. */
struct mt_sim_gnss {
    int64_t sentence_delay_ns; /**< from a second to its sentence; 0: there is no receiver */
    bool has_no_fix;           /**< it says so; its pulses go on */
    int64_t ahead_s;           /**< what it tells is not UTC, but this much later */
    mt_real pulse_jitter_ns;   /**< stamps are late by a half normal time ... */
    mt_real pulse_late;        /**< ... and this share of them ... */
    int64_t pulse_late_ns;     /**< ... by so much more */
    mt_real pulse_loss;        /**< share that is never stamped */
};

/** A machine: its oscillator and how it stamps. */
struct mt_sim_node_config {
    mt_real offset_s;  /**< of its clocks when they are opened; positive: ahead of true time */
    mt_real frequency; /**< s/s; positive: gains.  A change is a jump of the frequency */
    mt_real wander;    /**< random walk of the frequency, s/s per square root of a second */
    mt_real max_rate;  /**< range of its clocks' correction; 0: 10 % */
    uint32_t granularity_ns;   /**< of packet stamps, in its own oscillator's ns; 0: 2^-16 ns */
    mt_real stamp_noise_ns;    /**< normal noise of packet stamps, standard deviation */
    mt_real tx_stamp_loss;     /**< share of transmit stamps that never come; the node is told when
                                   patience is over, as on a real platform */
    mt_real tx_stamp_late;     /**< share that come late */
    int64_t tx_stamp_late_ns;  /**< how late those are */
    int64_t tx_stamp_delay_ns; /**< how late all are */
    /** Frames wait inside before they leave, in order at each interface: exponential, mean. */
    mt_real egress_wait_ns;
    bool inserts_stamps; /**< its interfaces write the time of departure into a frame (one-step) */
    mt_real white_phase_ns;   /**< of the oscillator: standard deviation, new at each ns; seen by
                                   readings as well as by stamps */
    mt_real flicker_phase_ns; /**< of the oscillator: its TDEV, which is flat from 0.1 s to hours */
    mt_real ageing_per_day;   /**< s/s per day of 86400 s */
    mt_real temperature_coefficient; /**< s/s per kelvin: see mt_world_set_temperature() */
    int64_t refclock_interval_ns;    /**< of readings of its reference clocks, which are right; 0:
                                          there are none */
    mt_real refclock_jitter_ns;      /**< normal noise of when they are stamped */
    struct mt_sim_gnss gnss;         /**< that it hears */
    mt_real ntp_delay_ns;            /**< one way to the NTP server that all its questions reach */
    enum mt_sim_jitter ntp_jitter;   /**< of that way: NORMAL, or EXPONENTIAL on top */
    mt_real ntp_jitter_ns;           /**< standard deviation, for each direction */
};

/** Times of load on a segment: then frames wait longer, or are lost. */
struct mt_sim_burst {
    int64_t period_ns; /**< from the start of one to that of the next; 0: there are none */
    int64_t length_ns;
    bool is_random;    /**< both the bursts and the times between are exponential, with the means
                            that follow from period and length */
    mt_real jitter_ns; /**< exponential delay on top, mean = deviation */
    mt_real loss;      /**< share of frames lost, on top */
};

/** What lies between interfaces: a cable, or a hub of any number of them. */
struct mt_sim_segment_config {
    mt_real delay_ns;
    mt_real asymmetry_ns; /**< by this much the way from an interface that joined earlier to one
                               that joined later takes longer than the way back */
    enum mt_sim_jitter jitter;
    mt_real jitter_ns;    /**< standard deviation, for each direction */
    mt_real loss;         /**< share of frames lost, for each receiver */
    mt_real jitter_shape; /**< of GAMMA (0: 1, exponential) and PARETO (0: 3) */
    /** Factors of the jitter on the way from an interface that joined earlier to one that joined
     * later, and on the way back; 0: 1, negative: no jitter. */
    mt_real jitter_scale_forward;
    mt_real jitter_scale_back;
    /** TRACE: recorded delays on top of delay_ns, the caller's for the life of the world.  Each
     * receiver begins at a place of its own and takes one after the other, round and round. */
    const mt_real *trace_ns;
    size_t trace_count;
    struct mt_sim_burst burst;
    mt_real duplication; /**< share of frames that come twice, each copy with its own jitter */
    mt_real reordering; /**< share of frames held back by reorder_ns, so that later ones overtake */
    mt_real reorder_ns;
    bool keeps_order; /**< whatever the jitter, no frame overtakes another on the way to a receiver,
                           but those held back */
};

/** A plain switch, without PTP: each frame goes out at all other ports (PTP is multicast), after it
 * has come in as a whole and has waited behind what else goes out there. */
struct mt_sim_switch_config {
    mt_real rate_bps;   /**< of each port, bit/s; 0: infinite, nothing ever waits */
    mt_real latency_ns; /**< of the fabric */
    mt_real load;       /**< share of each outgoing port's rate taken by other traffic: frames that
                             come at random (Poisson).  At 1 or more, queue_octets must be set */
    uint32_t load_octets;  /**< size of its frames on the wire; 0: 1538, the largest */
    uint32_t queue_octets; /**< in front of each port; what does not fit is lost; 0: no limit */
    bool prefers_ptp;      /**< strict priority: PTP, and NTP, waits for one other frame at most */
    bool is_transparent;   /**< it adds to event messages of PTP, in passing, for how long it held
                                them, by a clock that is right */
};

#endif
