/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The port state machines as data [1588-2019 9.2.5, figures 30 and 31].
 *
 * A row is a state, a column an event; an empty cell leaves the state as it is.  Three choices
 * beyond the figures: the announce receipt timeout is no event of its own, it makes the port
 * eligible and the state decision decides; the way from PRE_TRANSMITTER on needs QUALIFIED,
 * which a boundary clock withholds while it does not have the time; and TIME_LOST takes a
 * serving port back to PRE_TRANSMITTER, for the same reason.
 */
#include "ptp/ptp_private.h"

#define S(state) MT_STATE_##state
#define T(timer) (1u << MT_TIMER_##timer)

#define SWITCHED_OFF [MT_PE_DESIGNATED_DISABLED] = S(DISABLED), [MT_PE_FAULT_DETECTED] = S(FAULTY)

/* What the state decision does to a port that takes part in it. */
#define DECIDED_FULL                                                                               \
    [MT_PE_RS_GRANDMASTER] = S(TRANSMITTER), [MT_PE_RS_TRANSMITTER] = S(PRE_TRANSMITTER),          \
    [MT_PE_RS_RECEIVER] = S(UNCALIBRATED), [MT_PE_RS_NEW_PARENT] = S(UNCALIBRATED),                \
    [MT_PE_RS_PASSIVE] = S(PASSIVE)

const struct mt_state_table mt_states_full =
    {
        .next =
            {
                [S(INITIALIZING)] = {SWITCHED_OFF, [MT_PE_INITIALIZED] = S(LISTENING)},
                [S(FAULTY)] = {[MT_PE_DESIGNATED_DISABLED] = S(DISABLED),
                               [MT_PE_FAULT_CLEARED] = S(INITIALIZING)},
                [S(DISABLED)] = {[MT_PE_DESIGNATED_ENABLED] = S(INITIALIZING)},
                [S(LISTENING)] = {SWITCHED_OFF, DECIDED_FULL},
                [S(PRE_TRANSMITTER)] =
                    {SWITCHED_OFF, [MT_PE_RS_GRANDMASTER] = S(TRANSMITTER),
                     [MT_PE_RS_RECEIVER] = S(UNCALIBRATED), [MT_PE_RS_NEW_PARENT] = S(UNCALIBRATED),
                     [MT_PE_RS_PASSIVE] = S(PASSIVE), [MT_PE_QUALIFIED] = S(TRANSMITTER)},
                [S(TRANSMITTER)] =
                    {SWITCHED_OFF, [MT_PE_RS_RECEIVER] = S(UNCALIBRATED),
                     [MT_PE_RS_NEW_PARENT] = S(UNCALIBRATED), [MT_PE_RS_PASSIVE] = S(PASSIVE),
                     [MT_PE_TIME_LOST] = S(PRE_TRANSMITTER)},
                [S(PASSIVE)] = {SWITCHED_OFF, DECIDED_FULL},
                [S(UNCALIBRATED)] =
                    {SWITCHED_OFF, [MT_PE_RS_GRANDMASTER] = S(TRANSMITTER),
                     [MT_PE_RS_TRANSMITTER] = S(PRE_TRANSMITTER), [MT_PE_RS_PASSIVE] = S(PASSIVE),
                     [MT_PE_CLOCK_SELECTED] = S(RECEIVER)},
                [S(RECEIVER)] =
                    {SWITCHED_OFF, [MT_PE_RS_GRANDMASTER] = S(TRANSMITTER),
                     [MT_PE_RS_TRANSMITTER] = S(PRE_TRANSMITTER),
                     [MT_PE_RS_NEW_PARENT] = S(UNCALIBRATED), [MT_PE_RS_PASSIVE] = S(PASSIVE),
                     [MT_PE_SYNCHRONIZATION_FAULT] = S(UNCALIBRATED)},
            },
        .timers =
            {
                [S(LISTENING)] = T(ANNOUNCE_RECEIPT),
                [S(PRE_TRANSMITTER)] = T(QUALIFICATION),
                [S(TRANSMITTER)] = T(ANNOUNCE) | T(SYNC),
                [S(PASSIVE)] = T(ANNOUNCE_RECEIPT),
                [S(UNCALIBRATED)] = T(ANNOUNCE_RECEIPT) | T(DELAY_REQ),
                [S(RECEIVER)] = T(ANNOUNCE_RECEIPT) | T(DELAY_REQ),
            },
};

/* A receiver-only clock waits in LISTENING whenever a full one would serve or yield. */
#define DECIDED_TO_WAIT                                                                            \
    [MT_PE_RS_GRANDMASTER] = S(LISTENING), [MT_PE_RS_TRANSMITTER] = S(LISTENING),                  \
    [MT_PE_RS_PASSIVE] = S(LISTENING)

const struct mt_state_table mt_states_receiver_only = {
    .next =
        {
            [S(INITIALIZING)] = {SWITCHED_OFF, [MT_PE_INITIALIZED] = S(LISTENING)},
            [S(FAULTY)] = {[MT_PE_DESIGNATED_DISABLED] = S(DISABLED),
                           [MT_PE_FAULT_CLEARED] = S(INITIALIZING)},
            [S(DISABLED)] = {[MT_PE_DESIGNATED_ENABLED] = S(INITIALIZING)},
            [S(LISTENING)] = {SWITCHED_OFF, [MT_PE_RS_RECEIVER] = S(UNCALIBRATED),
                              [MT_PE_RS_NEW_PARENT] = S(UNCALIBRATED)},
            [S(UNCALIBRATED)] = {SWITCHED_OFF,
                                 DECIDED_TO_WAIT, [MT_PE_CLOCK_SELECTED] = S(RECEIVER)},
            [S(RECEIVER)] = {SWITCHED_OFF, DECIDED_TO_WAIT, [MT_PE_RS_NEW_PARENT] = S(UNCALIBRATED),
                             [MT_PE_SYNCHRONIZATION_FAULT] = S(UNCALIBRATED)},
        },
    .timers =
        {
            [S(LISTENING)] = T(ANNOUNCE_RECEIPT),
            [S(UNCALIBRATED)] = T(ANNOUNCE_RECEIPT) | T(DELAY_REQ),
            [S(RECEIVER)] = T(ANNOUNCE_RECEIPT) | T(DELAY_REQ),
        },
};
