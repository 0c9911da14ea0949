/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The schema as a table.  config.def is expanded once into an array of mt_config_key: where a
 * key's member lies in the struct of its scope, how its text is read, what it defaults to.  All
 * else (parser, explanation, man page, tests) walks this array, so that a key exists everywhere
 * or nowhere.  The words of choices stand here and not in config.def because several keys may
 * share a list. */
#include "config/schema.h"

#include <ctype.h>
#include <string.h>

#include "config/config.h"
#include "config/value_private.h"

bool mt_config_is_lab_key(const struct mt_config_key *key)
{
    return key->scope == MT_CONFIG_CLOCK && strncmp(key->name, "lab_", 4) == 0;
}

bool mt_config_is_device_key(const struct mt_config_key *key)
{
    return key->scope == MT_CONFIG_CLOCK && strcmp(key->name, "device") == 0;
}

bool mt_config_is_system_key(const struct mt_config_key *key)
{
    return key->scope == MT_CONFIG_CLOCK && strcmp(key->name, "rtc_sync") == 0;
}

const struct mt_config_word mt_config_log_level_words[] = {
    {"error", MT_CONFIG_LOG_ERROR},
    {"warning", MT_CONFIG_LOG_WARNING},
    {"info", MT_CONFIG_LOG_INFO},
    {"debug", MT_CONFIG_LOG_DEBUG},
    {NULL, 0},
};

const struct mt_config_word mt_config_clock_kind_words[] = {
    {"overlay", MT_CONFIG_CLOCK_OVERLAY},
    {"system", MT_CONFIG_CLOCK_SYSTEM},
    {"phc", MT_CONFIG_CLOCK_PHC},
    {"auto", MT_CONFIG_CLOCK_AUTO},
    {"lab", MT_CONFIG_CLOCK_LAB},
    {"vclock", MT_CONFIG_CLOCK_VCLOCK},
    {NULL, 0},
};

const struct mt_config_word mt_config_servo_words[] = {
    {"adaptive", MT_CONFIG_SERVO_ADAPTIVE},
    {"pi", MT_CONFIG_SERVO_PI},
    {"linreg", MT_CONFIG_SERVO_LINREG},
    {"kalman", MT_CONFIG_SERVO_KALMAN},
    {NULL, 0},
};

const struct mt_config_word mt_config_shared_words[] = {
    {"warn", MT_CONFIG_SHARED_WARN},
    {"yield", MT_CONFIG_SHARED_YIELD},
    {"insist", MT_CONFIG_SHARED_INSIST},
    {NULL, 0},
};

const struct mt_config_word mt_config_refclock_words[] = {
    {"shm", MT_CONFIG_REFCLOCK_SHM},
    {"sock", MT_CONFIG_REFCLOCK_SOCK},
    {"pps", MT_CONFIG_REFCLOCK_PPS},
    {"extts", MT_CONFIG_REFCLOCK_EXTTS},
    {NULL, 0},
};

const struct mt_config_word mt_config_export_words[] = {
    {"shm", MT_CONFIG_REFCLOCK_SHM},
    {"sock", MT_CONFIG_REFCLOCK_SOCK},
    {"perout", MT_CONFIG_REFCLOCK_PEROUT},
    {NULL, 0},
};

const struct mt_config_word mt_config_edge_words[] = {
    {"rising", MT_CONFIG_EDGE_RISING},
    {"falling", MT_CONFIG_EDGE_FALLING},
    {NULL, 0},
};

const struct mt_config_word mt_config_gnss_protocol_words[] = {
    {"auto", MT_GNSS_ANY},
    {"nmea", MT_GNSS_NMEA},
    {"ubx", MT_GNSS_UBX},
    {NULL, 0},
};

const struct mt_config_word mt_config_jump_words[] = {
    {"hold", MT_GNSS_JUMP_HOLD},
    {"wait", MT_GNSS_JUMP_WAIT},
    {"follow", MT_GNSS_JUMP_FOLLOW},
    {NULL, 0},
};

const struct mt_config_word mt_config_refclock_scale_words[] = {
    {"utc", MT_SCALE_UTC},
    {"tai", MT_SCALE_TAI},
    {NULL, 0},
};

/* [1588-2019 table 5] */
const struct mt_config_word mt_config_accuracy_words[] = {
    {"1ps", 0x17},   {"2.5ps", 0x18}, {"10ps", 0x19},    {"25ps", 0x1A},  {"100ps", 0x1B},
    {"250ps", 0x1C}, {"1ns", 0x1D},   {"2.5ns", 0x1E},   {"10ns", 0x1F},  {"25ns", 0x20},
    {"100ns", 0x21}, {"250ns", 0x22}, {"1us", 0x23},     {"2.5us", 0x24}, {"10us", 0x25},
    {"25us", 0x26},  {"100us", 0x27}, {"250us", 0x28},   {"1ms", 0x29},   {"2.5ms", 0x2A},
    {"10ms", 0x2B},  {"25ms", 0x2C},  {"100ms", 0x2D},   {"250ms", 0x2E}, {"1s", 0x2F},
    {"10s", 0x30},   {"worse", 0x31}, {"unknown", 0xFE}, {NULL, 0},
};

/* [1588-2019 table 6] */
const struct mt_config_word mt_config_time_source_words[] = {
    {"atomic_clock", 0x10},
    {"gnss", 0x20},
    {"terrestrial_radio", 0x30},
    {"serial_time_code", 0x39},
    {"ptp", 0x40},
    {"ntp", 0x50},
    {"hand_set", 0x60},
    {"other", 0x90},
    {"internal_oscillator", 0xA0},
    {NULL, 0},
};

const struct mt_config_word mt_config_arb_words[] = {
    {"arb", MT_CONFIG_ARB_IS_ARB},
    {"utc", MT_CONFIG_ARB_IS_UTC},
    {NULL, 0},
};

const struct mt_config_word mt_config_stateless_words[] = {
    {"off", MT_CONFIG_STATELESS_OFF},
    {"server", MT_CONFIG_STATELESS_SERVER},
    {"client", MT_CONFIG_STATELESS_CLIENT},
    {NULL, 0},
};

const struct mt_config_word mt_config_layout_words[] = {
    {"compact", MT_CONFIG_LAYOUT_COMPACT},
    {"prefixed", MT_CONFIG_LAYOUT_PREFIXED},
    {"full", MT_CONFIG_LAYOUT_FULL},
    {NULL, 0},
};

const struct mt_config_word mt_config_clock_type_words[] = {
    {"auto", MT_CONFIG_TYPE_AUTO},
    {"ordinary", MT_CONFIG_TYPE_ORDINARY},
    {"boundary", MT_CONFIG_TYPE_BOUNDARY},
    {"e2e_transparent", MT_CONFIG_TYPE_E2E_TRANSPARENT},
    {"p2p_transparent", MT_CONFIG_TYPE_P2P_TRANSPARENT},
    {NULL, 0},
};

const struct mt_config_word mt_config_syntonise_words[] = {
    {"yes", MT_CONFIG_SYNTONISE_YES},
    {"ratio", MT_CONFIG_SYNTONISE_RATIO},
    {"no", MT_CONFIG_FREE},
    {NULL, 0},
};

const struct mt_config_word mt_config_forward_words[] = {
    {"all", MT_CONFIG_FORWARD_ALL},
    {"own", MT_CONFIG_FORWARD_OWN},
    {NULL, 0},
};

const struct mt_config_word mt_config_bmca_words[] = {
    {"default", MT_CONFIG_BMCA_DEFAULT},
    {"itu", MT_CONFIG_BMCA_ITU},
    {"gptp", MT_CONFIG_BMCA_GPTP},
    {"quality_level", MT_CONFIG_BMCA_QUALITY},
    {NULL, 0},
};

const struct mt_config_word mt_config_power_words[] = {
    {"none", MT_POWER_NONE},
    {"2011", MT_POWER_2011},
    {"2017", MT_POWER_2017},
    {NULL, 0},
};

const struct mt_config_word mt_config_smpte_words[] = {
    {"auto", MT_SMPTE_AUTO_LOCKING},
    {"not_in_use", MT_SMPTE_NOT_IN_USE},
    {"free_run", MT_SMPTE_FREE_RUN},
    {"cold_locking", MT_SMPTE_COLD_LOCKING},
    {"warm_locking", MT_SMPTE_WARM_LOCKING},
    {"locked", MT_SMPTE_LOCKED},
    {NULL, 0},
};

const struct mt_config_word mt_config_standby_words[] = {
    {"none", MT_CONFIG_STANDBY_NONE},
    {"primary", MT_CONFIG_STANDBY_PRIMARY},
    {"secondary", MT_CONFIG_STANDBY_SECONDARY},
    {NULL, 0},
};

const struct mt_config_word mt_config_arbiter_words[] = {
    {"auto", MT_CONFIG_ARBITER_AUTO},
    {"always", MT_CONFIG_ARBITER_ALWAYS},
    {NULL, 0},
};

const struct mt_config_word mt_config_role_words[] = {
    {"auto", MT_PORT_ROLE_AUTO},
    {"transmitter", MT_PORT_ROLE_TRANSMITTER},
    {"receiver", MT_PORT_ROLE_RECEIVER},
    {"passive", MT_PORT_ROLE_PASSIVE},
    {NULL, 0},
};

const struct mt_config_word mt_config_as_capable_words[] = {
    {"auto", false},
    {"always", true},
    {NULL, 0},
};

const struct mt_config_word mt_config_transport_words[] = {
    {"udp4", MT_CONFIG_TRANSPORT_UDP4},
    {"udp6", MT_CONFIG_TRANSPORT_UDP6},
    {"l2", MT_CONFIG_TRANSPORT_L2},
    {NULL, 0},
};

const struct mt_config_word mt_config_ntp_transport_words[] = {
    {"udp", MT_CONFIG_NTP_UDP},
    {"ptp", MT_CONFIG_NTP_PTP},
    {"ptp_early", MT_CONFIG_NTP_PTP_EARLY},
    {NULL, 0},
};

const struct mt_config_word mt_config_timestamping_words[] = {
    {"auto", MT_CONFIG_TIMESTAMPING_AUTO},
    {"hardware", MT_CONFIG_TIMESTAMPING_HARDWARE},
    {"software", MT_CONFIG_TIMESTAMPING_SOFTWARE},
    {NULL, 0},
};

const struct mt_config_word mt_config_port_timestamping_words[] = {
    {"auto", MT_CONFIG_TIMESTAMPING_AUTO},
    {"hardware", MT_CONFIG_TIMESTAMPING_HARDWARE},
    {"software", MT_CONFIG_TIMESTAMPING_SOFTWARE},
    {"one-step", MT_CONFIG_TIMESTAMPING_ONE_STEP},
    {NULL, 0},
};

const struct mt_config_word mt_config_unicast_words[] = {
    {"off", MT_CONFIG_UNICAST_OFF},
    {"negotiated", MT_CONFIG_UNICAST_NEGOTIATED},
    {"static", MT_CONFIG_UNICAST_STATIC},
    {"hybrid", MT_CONFIG_UNICAST_HYBRID},
    {NULL, 0},
};

const struct mt_config_word mt_config_time_check_words[] = {
    {"always", MT_CONFIG_TIME_CHECK_ALWAYS},
    {"synchronised", MT_CONFIG_TIME_CHECK_SYNCHRONISED},
    {NULL, 0},
};

const struct mt_config_word mt_config_pool_words[] = {
    {"auto", MT_CONFIG_POOL_AUTO},
    {"yes", MT_CONFIG_POOL_YES},
    {"no", MT_CONFIG_POOL_NO},
    {NULL, 0},
};

const struct mt_config_word mt_config_l2_destination_words[] = {
    {"forwardable", MT_CONFIG_L2_FORWARDABLE},
    {"non_forwardable", MT_CONFIG_L2_NON_FORWARDABLE},
    {NULL, 0},
};

const struct mt_config_word mt_config_delay_words[] = {
    {"e2e", MT_DELAY_E2E},   {"p2p", MT_DELAY_P2P},   {"common_p2p", MT_DELAY_COMMON_P2P},
    {"none", MT_DELAY_NONE}, {"auto", MT_DELAY_AUTO}, {NULL, 0},
};

const struct mt_config_word mt_config_leap61_words[] = {{"leap61", MT_PTP_LEAP_61}, {NULL, 0}};
const struct mt_config_word mt_config_leap59_words[] = {{"leap59", MT_PTP_LEAP_59}, {NULL, 0}};
const struct mt_config_word mt_config_time_traceable_words[] = {
    {"time_traceable", MT_PTP_TIME_TRACEABLE},
    {NULL, 0},
};
const struct mt_config_word mt_config_frequency_traceable_words[] = {
    {"frequency_traceable", MT_PTP_FREQUENCY_TRACEABLE},
    {NULL, 0},
};

#define STRUCT_DAEMON   struct mt_config_daemon
#define STRUCT_CLOCK    struct mt_config_clock
#define STRUCT_INSTANCE struct mt_config_instance
#define STRUCT_PORT     struct mt_config_port
#define STRUCT_OWN_PORT struct mt_config_port
#define STRUCT_SERVER   struct mt_config_server
#define STRUCT_NTP      struct mt_config_ntp
#define STRUCT_REFCLOCK struct mt_config_refclock
#define STRUCT_GNSS     struct mt_config_refclock
#define STRUCT_EXPORT   struct mt_config_export

#define PLACE(scope, member)                                                                       \
    .offset = offsetof(STRUCT_##scope, member), .size = sizeof(((STRUCT_##scope *)0)->member)
#define ROW(scope_, name_, type_, default_, help_)                                                 \
    .scope = MT_CONFIG_##scope_, .name = #name_, .type = MT_CONFIG_##type_, .fallback = default_,  \
    .help = help_

#define MT_CONFIG_KEY(scope, name, type, unit_, min_, max_, default_, member, help)                \
    {ROW(scope, name, type, default_, help),                                                       \
     PLACE(scope, member),                                                                         \
     .unit = unit_,                                                                                \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .flag_offset = MT_CONFIG_NO_OFFSET},
#define MT_CONFIG_KEY_OR(scope, name, type, unit_, min_, max_, word_, flag, default_, member,      \
                         help)                                                                     \
    {ROW(scope, name, type, default_, help),                                                       \
     PLACE(scope, member),                                                                         \
     .unit = unit_,                                                                                \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .word = word_,                                                                                \
     .flag_offset = offsetof(STRUCT_##scope, flag)},
#define MT_CONFIG_KEY_OR_NONE(scope, name, type, unit_, min_, max_, word_, default_, member, help) \
    {ROW(scope, name, type, default_, help),                                                       \
     PLACE(scope, member),                                                                         \
     .unit = unit_,                                                                                \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .word = word_,                                                                                \
     .flag_offset = MT_CONFIG_NO_OFFSET},
#define MT_CONFIG_KEY_WORDS(scope, name, type, words_, default_, member, help)                     \
    {ROW(scope, name, type, default_, help),                                                       \
     PLACE(scope, member),                                                                         \
     .unit = "",                                                                                   \
     .max = UINT8_MAX,                                                                             \
     .words = words_,                                                                              \
     .flag_offset = MT_CONFIG_NO_OFFSET},

static const struct mt_config_key keys[] = {
#include "config/config.def"
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

struct alias {
    enum mt_config_scope scope;
    const char *old;
    const char *name;
};
#define MT_CONFIG_ALIAS(scope, old, name) {MT_CONFIG_##scope, #old, #name},
static const struct alias aliases[] = {
#include "config/aliases.def"
};
#define ALIAS_COUNT (sizeof aliases / sizeof aliases[0])

const struct mt_config_key *mt_config_keys(size_t *ret_count)
{
    *ret_count = KEY_COUNT;
    return keys;
}

/* logMinDelayReqInterval -> log_min_delay_req_interval; a run of capitals is one word, so that
 * minorVersionPTP and sdoId come out as people would write them. */
bool mt_config_snake_case(const char *name, char *buffer, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; name[i] != '\0'; i++) {
        bool is_upper = isupper((unsigned char)name[i]) != 0;
        bool begins = is_upper && i > 0 && islower((unsigned char)name[i - 1]);
        if (name[i] == '_' || length + 3 > size) {
            return false;
        }
        if (begins) {
            buffer[length++] = '_';
        }
        buffer[length++] = (char)tolower((unsigned char)name[i]);
    }
    buffer[length] = '\0';
    return true;
}

static const struct mt_config_key *find_exactly(enum mt_config_scope scope, const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].scope == scope && strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static const struct mt_config_key *find_old(enum mt_config_scope scope, const char *name)
{
    for (size_t i = 0; i < ALIAS_COUNT; i++) {
        if (aliases[i].scope == scope && strcmp(aliases[i].old, name) == 0) {
            return find_exactly(scope, aliases[i].name);
        }
    }
    return NULL;
}

const struct mt_config_key *mt_config_key_find(enum mt_config_scope scope, const char *name)
{
    const struct mt_config_key *key = find_exactly(scope, name);
    if (key == NULL) {
        key = find_old(scope, name);
    }
    char snake[MT_CONFIG_SNAKE_SIZE];
    if (key == NULL && mt_config_snake_case(name, snake, sizeof snake)) {
        key = find_exactly(scope, snake);
        if (key == NULL) {
            key = find_old(scope, snake);
        }
    }
    return key;
}

const char *mt_config_key_alias(const struct mt_config_key *key, size_t *index)
{
    while (*index < ALIAS_COUNT) {
        const struct alias *alias = &aliases[(*index)++];
        if (alias->scope == key->scope && strcmp(alias->name, key->name) == 0) {
            return alias->old;
        }
    }
    return NULL;
}

const char *mt_config_scope_heading(enum mt_config_scope scope)
{
    switch (scope) {
    case MT_CONFIG_DAEMON:
        return "[daemon]";
    case MT_CONFIG_CLOCK:
        return "[clock], [clock NAME]";
    case MT_CONFIG_INSTANCE:
        return "[ptp], [instance NAME]";
    case MT_CONFIG_PORT:
        return "[ptp], [instance NAME], [port NAME], [ptp INTERFACE]";
    case MT_CONFIG_OWN_PORT:
        return "[port NAME]";
    case MT_CONFIG_SERVER:
        return "[server]";
    case MT_CONFIG_NTP:
        return "[ntp], [ntp SERVER]";
    case MT_CONFIG_REFCLOCK:
        return "[refclock NAME]";
    case MT_CONFIG_GNSS:
        return "[gnss NAME]";
    case MT_CONFIG_EXPORT:
        return "[export NAME]";
    }
    return "";
}
