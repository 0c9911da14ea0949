/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The port states of 802.1AS as data: a port serves, follows or is passive as soon as it is decided
 * [802.1AS-2020 10.3.12].  There is neither PRE_TRANSMITTER nor UNCALIBRATED, so nothing waits for
 * a qualification, and a loss of lock changes no state.
 */
#include "ptp/ptp_private.h"

#define S(state) MT_STATE_##state
#define T(timer) (1u << MT_TIMER_##timer)

#define SWITCHED_OFF [MT_PE_DESIGNATED_DISABLED] = S(DISABLED), [MT_PE_FAULT_DETECTED] = S(FAULTY)
#define DECIDED                                                                                    \
    [MT_PE_RS_GRANDMASTER] = S(TRANSMITTER), [MT_PE_RS_TRANSMITTER] = S(TRANSMITTER),              \
    [MT_PE_RS_RECEIVER] = S(RECEIVER), [MT_PE_RS_NEW_PARENT] = S(RECEIVER),                        \
    [MT_PE_RS_PASSIVE] = S(PASSIVE)
#define DECIDED_TO_WAIT                                                                            \
    [MT_PE_RS_GRANDMASTER] = S(LISTENING), [MT_PE_RS_TRANSMITTER] = S(LISTENING),                  \
    [MT_PE_RS_PASSIVE] = S(LISTENING)
#define BEGINNING                                                                                  \
    [S(INITIALIZING)] = {SWITCHED_OFF, [MT_PE_INITIALIZED] = S(LISTENING)},                        \
    [S(FAULTY)] =                                                                                  \
        {[MT_PE_DESIGNATED_DISABLED] = S(DISABLED), [MT_PE_FAULT_CLEARED] = S(INITIALIZING)},      \
    [S(DISABLED)] = {[MT_PE_DESIGNATED_ENABLED] = S(INITIALIZING)}

const struct mt_state_table mt_states_gptp = {
    .next =
        {
            BEGINNING,
            [S(LISTENING)] = {SWITCHED_OFF, DECIDED},
            [S(TRANSMITTER)] = {SWITCHED_OFF, DECIDED},
            [S(PASSIVE)] = {SWITCHED_OFF, DECIDED},
            [S(RECEIVER)] = {SWITCHED_OFF, DECIDED},
        },
    .timers =
        {
            [S(LISTENING)] = T(ANNOUNCE_RECEIPT),
            [S(TRANSMITTER)] = T(ANNOUNCE) | T(SYNC),
            [S(PASSIVE)] = T(ANNOUNCE_RECEIPT),
            [S(RECEIVER)] = T(ANNOUNCE_RECEIPT) | T(DELAY_REQ),
        },
};

const struct mt_state_table mt_states_gptp_receiver_only = {
    .next =
        {
            BEGINNING,
            [S(LISTENING)] = {SWITCHED_OFF, [MT_PE_RS_RECEIVER] = S(RECEIVER),
                              [MT_PE_RS_NEW_PARENT] = S(RECEIVER)},
            [S(RECEIVER)] = {SWITCHED_OFF, DECIDED_TO_WAIT},
        },
    .timers =
        {
            [S(LISTENING)] = T(ANNOUNCE_RECEIPT),
            [S(RECEIVER)] = T(ANNOUNCE_RECEIPT) | T(DELAY_REQ),
        },
};
