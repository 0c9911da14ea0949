/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Names as tables indexed by the enumeration, so that a value without a name shows up as "?" in
 * the tests and not as a crash. */
#include "status/names.h"

#include "meantime/ptp_more.h"
#include <stdio.h>
#include <string.h>

#define COUNT_OF(table)        (sizeof(table) / sizeof(table)[0])
#define LOOK_UP(table, number) look_up(table, COUNT_OF(table), (size_t)(number))

static const char *look_up(const char *const *table, size_t count, size_t number)
{
    return number < count && table[number] != NULL ? table[number] : "?";
}

enum mt_role mt_role_of(const struct mt_instance *instance)
{
    bool transmits = false;
    bool is_passive = false;
    for (uint16_t port = 0; port < instance->port_count; port++) {
        enum mt_port_state state = instance->ports[port].state;
        transmits |= state == MT_STATE_TRANSMITTER || state == MT_STATE_PRE_TRANSMITTER;
        is_passive |= state == MT_STATE_PASSIVE;
    }
    if (instance->config.more != NULL && instance->config.more->transparent != NULL) {
        return MT_ROLE_TRANSPARENT;
    }
    if (instance->receiving_port != 0) {
        return instance->port_count > 1 ? MT_ROLE_BOUNDARY : MT_ROLE_RECEIVER;
    }
    if (transmits) {
        return MT_ROLE_GRANDMASTER;
    }
    return is_passive ? MT_ROLE_PASSIVE : MT_ROLE_LISTENING;
}

const char *mt_role_name(enum mt_role role)
{
    static const char *const names[] = {"listening", "grandmaster", "receiver",
                                        "boundary",  "passive",     "transparent"};
    return LOOK_UP(names, role);
}

const char *mt_port_state_name(enum mt_port_state state)
{
    static const char *const names[] = {
        [MT_STATE_INITIALIZING] = "INITIALIZING",
        [MT_STATE_FAULTY] = "FAULTY",
        [MT_STATE_DISABLED] = "DISABLED",
        [MT_STATE_LISTENING] = "LISTENING",
        [MT_STATE_PRE_TRANSMITTER] = "PRE_TRANSMITTER",
        [MT_STATE_TRANSMITTER] = "TRANSMITTER",
        [MT_STATE_PASSIVE] = "PASSIVE",
        [MT_STATE_UNCALIBRATED] = "UNCALIBRATED",
        [MT_STATE_RECEIVER] = "RECEIVER",
    };
    return LOOK_UP(names, state);
}

const char *mt_transparent_counter_name(enum mt_transparent_counter counter)
{
    static const char *const names[] = {
#define MT_TRANSPARENT_COUNTER(symbol, name, meaning) name,
#include "meantime/transparent_counter.def"
#undef MT_TRANSPARENT_COUNTER
    };
    return LOOK_UP(names, counter);
}

const char *mt_stateless_counter_name(enum mt_stateless_counter counter)
{
    static const char *const names[] = {
#define MT_STATELESS_COUNTER(symbol, name, meaning) name,
#include "meantime/stateless_counter.def"
#undef MT_STATELESS_COUNTER
    };
    return LOOK_UP(names, counter);
}

const char *mt_stateless_counter_words(const char *name)
{
    static const char *const words[] = {
#define MT_STATELESS_COUNTER(symbol, text, meaning) meaning,
#include "meantime/stateless_counter.def"
#undef MT_STATELESS_COUNTER
    };
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(mt_stateless_counter_name((enum mt_stateless_counter)i), name) == 0) {
            return words[i];
        }
    }
    return name;
}

const char *mt_verdict_name(enum mt_verdict verdict)
{
    static const char *const names[] = {
#define MT_VERDICT(symbol, name, meaning) name,
#include "meantime/verdict.def"
#undef MT_VERDICT
    };
    return LOOK_UP(names, verdict);
}

const char *mt_verdict_meaning(enum mt_verdict verdict)
{
    static const char *const meanings[] = {
#define MT_VERDICT(symbol, name, meaning) meaning,
#include "meantime/verdict.def"
#undef MT_VERDICT
    };
    return LOOK_UP(meanings, verdict);
}

/* What a frame was that has such a verdict: "12 not expected in this state". */
static const char *const verdict_words[] = {
    [MT_VERDICT_ACCEPTED] = "used",
    [MT_VERDICT_SHORT] = "too short",
    [MT_VERDICT_VERSION] = "not of PTP version 2",
    [MT_VERDICT_TYPE] = "of an unknown type",
    [MT_VERDICT_LENGTH] = "of a wrong length",
    [MT_VERDICT_TLV] = "with a broken TLV",
    [MT_VERDICT_FIELD] = "with a forbidden value",
    [MT_VERDICT_DISABLED] = "while the port was out of use",
    [MT_VERDICT_DOMAIN] = "of another domain or sdoId",
    [MT_VERDICT_OWN] = "sent by this clock itself",
    [MT_VERDICT_STATE] = "not expected in this state",
    [MT_VERDICT_UNSUPPORTED] = "of management or signalling or peer delay which are not used here",
    [MT_VERDICT_NOT_PARENT] = "from a clock that is not followed",
    [MT_VERDICT_NOT_ACCEPTABLE] = "from a clock that may not be followed",
    [MT_VERDICT_ALTERNATE] = "from an alternate transmitter",
    [MT_VERDICT_STEPS_REMOVED] = "from too many steps away",
    [MT_VERDICT_PATH_LOOP] = "come round in a loop",
    [MT_VERDICT_FOREIGN_FULL] = "from one clock too many",
    [MT_VERDICT_STALE] = "older than one before",
    [MT_VERDICT_NOT_REQUESTED] = "not asked for",
    [MT_VERDICT_NO_TIMESTAMP] = "without a receive timestamp",
    [MT_VERDICT_CORRECTION] = "with a correction too large",
    [MT_VERDICT_QUEUE_FULL] = "more than could be answered",
    [MT_VERDICT_UNAUTHENTICATED] = "without the authentication asked for",
    [MT_VERDICT_FORGED] = "with a wrong authentication",
    [MT_VERDICT_NOT_CAPABLE] = "on a link that is not capable",
};

const char *mt_verdict_words(const char *name)
{
    for (unsigned verdict = 0; verdict < COUNT_OF(verdict_words); verdict++) {
        if (strcmp(mt_verdict_name((enum mt_verdict)verdict), name) == 0) {
            return verdict_words[verdict];
        }
    }
    return name;
}

const char *mt_port_counter_name(enum mt_port_counter counter)
{
    static const char *const names[] = {
#define MT_PORT_COUNTER(symbol, name, meaning) name,
#include "meantime/port_counter.def"
#undef MT_PORT_COUNTER
    };
    return LOOK_UP(names, counter);
}

const char *mt_port_counter_meaning(enum mt_port_counter counter)
{
    static const char *const meanings[] = {
#define MT_PORT_COUNTER(symbol, name, meaning) meaning,
#include "meantime/port_counter.def"
#undef MT_PORT_COUNTER
    };
    return LOOK_UP(meanings, counter);
}

const char *mt_peer_counter_name(enum mt_peer_counter counter)
{
    static const char *const names[] = {
#define MT_PEER_COUNTER(symbol, name, meaning) name,
#include "meantime/peer_counter.def"
#undef MT_PEER_COUNTER
    };
    return LOOK_UP(names, counter);
}

const char *mt_peer_counter_meaning(enum mt_peer_counter counter)
{
    static const char *const meanings[] = {
#define MT_PEER_COUNTER(symbol, name, meaning) meaning,
#include "meantime/peer_counter.def"
#undef MT_PEER_COUNTER
    };
    return LOOK_UP(meanings, counter);
}

const char *mt_delay_mechanism_name(enum mt_delay_mechanism used)
{
    switch (used) {
    case MT_DELAY_E2E:
        return "e2e";
    case MT_DELAY_P2P:
        return "p2p";
    case MT_DELAY_COMMON_P2P:
        return "common_p2p";
    case MT_DELAY_NONE:
        return "none";
    case MT_DELAY_AUTO:
        return "auto";
    }
    return "?";
}

const char *mt_clock_state_name(enum mt_clock_state state)
{
    static const char *const names[] = {
        [MT_CLOCK_FREE_RUN] = "free_run", [MT_CLOCK_ACQUIRING] = "acquiring",
        [MT_CLOCK_LOCKED] = "locked",     [MT_CLOCK_HOLDOVER] = "holdover",
        [MT_CLOCK_SERVING] = "serving",
    };
    return LOOK_UP(names, state);
}

const char *mt_steer_memory_name(enum mt_steer_memory_state state)
{
    static const char *const names[] = {
        [MT_STEER_MEMORY_NONE] = "none",         [MT_STEER_MEMORY_UNCHECKED] = "unchecked",
        [MT_STEER_MEMORY_BELIEVED] = "believed", [MT_STEER_MEMORY_REFUTED] = "refuted",
        [MT_STEER_MEMORY_REPLACED] = "replaced",
    };
    return names[state];
}

const char *mt_holdover_state_name(enum mt_holdover_state state)
{
    static const char *const names[] = {
        [MT_HOLDOVER_NONE] = "none",
        [MT_HOLDOVER_IN_SPECIFICATION] = "in_specification",
        [MT_HOLDOVER_OUT_OF_SPECIFICATION] = "out_of_specification",
    };
    return LOOK_UP(names, state);
}

const char *mt_arbiter_verdict_name(enum mt_arbiter_verdict verdict)
{
    static const char *const names[] = {
#define MT_ARBITER_VERDICT(symbol, name, reason) name,
#include "meantime/steer_arbiter_verdict.def"
#undef MT_ARBITER_VERDICT
    };
    return LOOK_UP(names, verdict);
}

const char *mt_arbiter_verdict_reason(enum mt_arbiter_verdict verdict)
{
    static const char *const reasons[] = {
#define MT_ARBITER_VERDICT(symbol, name, reason) reason,
#include "meantime/steer_arbiter_verdict.def"
#undef MT_ARBITER_VERDICT
    };
    return LOOK_UP(reasons, verdict);
}

const char *mt_steer_phase_name(enum mt_steer_phase phase)
{
    static const char *const names[] = {
        [MT_STEER_IDLE] = "idle",
        [MT_STEER_ACQUIRING] = "acquiring",
        [MT_STEER_LOCKED] = "locked",
        [MT_STEER_HOLDOVER] = "holdover",
    };
    return LOOK_UP(names, phase);
}

const char *mt_scale_name(enum mt_timescale scale)
{
    static const char *const names[] = {
        [MT_SCALE_ARB] = "ARB",
        [MT_SCALE_TAI] = "TAI",
        [MT_SCALE_UTC] = "UTC",
        [MT_SCALE_SMEARED_UTC] = "smeared UTC",
    };
    return LOOK_UP(names, scale);
}

const char *mt_bound_reference_name(enum mt_bound_reference against)
{
    static const char *const names[] = {
        [MT_BOUND_NONE] = "none",
        [MT_BOUND_SOURCE] = "source",
        [MT_BOUND_TRACEABLE] = "traceable",
        [MT_BOUND_PARENT] = "parent",
    };
    return LOOK_UP(names, against);
}

const char *mt_sample_verdict_name(enum mt_sample_verdict verdict)
{
    static const char *const names[] = {
        [MT_SAMPLE_USED] = "used",       [MT_SAMPLE_OUTLIER] = "outlier",
        [MT_SAMPLE_STEP] = "step",       [MT_SAMPLE_OLD] = "old",
        [MT_SAMPLE_REFUSED] = "refused", [MT_SAMPLE_RUNAWAY] = "impossible_rate",
    };
    return LOOK_UP(names, verdict);
}

const char *mt_time_source_name(uint8_t time_source)
{
    static const char *const names[] = {
        [0x10] = "atomic_clock",     [0x20] = "gnss",  [0x30] = "terrestrial_radio",
        [0x39] = "serial_time_code", [0x40] = "ptp",   [0x50] = "ntp",
        [0x60] = "hand_set",         [0x90] = "other", [0xA0] = "internal_oscillator",
    };
    return LOOK_UP(names, time_source);
}

const char *mt_clock_accuracy_name(uint8_t accuracy)
{
    static const char *const names[] = {
        "1 ps",  "2.5 ps", "10 ps",  "25 ps", "100 ps", "250 ps", "1 ns",  "2.5 ns", "10 ns",
        "25 ns", "100 ns", "250 ns", "1 us",  "2.5 us", "10 us",  "25 us", "100 us", "250 us",
        "1 ms",  "2.5 ms", "10 ms",  "25 ms", "100 ms", "250 ms", "1 s",   "10 s",   "over 10 s",
    };
    if (accuracy == 0xFE) {
        return "unknown";
    }
    return accuracy < 0x17 ? "?" : LOOK_UP(names, accuracy - 0x17);
}

void mt_clock_identity_text(struct mt_clock_identity identity, char ret_text[MT_IDENTITY_TEXT_SIZE])
{
    const uint8_t *o = identity.octet;
    snprintf(ret_text, MT_IDENTITY_TEXT_SIZE, "%02x%02x%02x.%02x%02x.%02x%02x%02x", o[0], o[1],
             o[2], o[3], o[4], o[5], o[6], o[7]);
}

void mt_port_identity_text(struct mt_port_identity identity, char ret_text[MT_IDENTITY_TEXT_SIZE])
{
    mt_clock_identity_text(identity.clock, ret_text);
    snprintf(ret_text + 18, MT_IDENTITY_TEXT_SIZE - 18, "-%u", identity.port);
}

const char *mt_ntp_outcome_name(enum mt_ntp_outcome outcome)
{
    static const char *const names[] = {
#define MT_NTP_OUTCOME(symbol, name, meaning) name,
#include "meantime/ntp_server_outcome.def"
#undef MT_NTP_OUTCOME
    };
    return names[outcome];
}

const char *mt_ntp_outcome_words(const char *name)
{
    static const char *const words[] = {
#define MT_NTP_OUTCOME(symbol, text, meaning) meaning,
#include "meantime/ntp_server_outcome.def"
#undef MT_NTP_OUTCOME
    };
    for (unsigned i = 0; i < MT_NTP_OUTCOME_COUNT; i++) {
        if (strcmp(mt_ntp_outcome_name((enum mt_ntp_outcome)i), name) == 0) {
            return words[i];
        }
    }
    return name;
}
