/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GNSS receivers: where they are heard and where their pulses come in.  A serial line or a pulse
 * has one reader; what is said of pulses needs pulses. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/source_private.h"
#include "config/value_private.h"

#define PORT_MAX         65535
#define BAUD_DEFAULT     9600
#define ERROR_DEFAULT_NS 100000000

bool mt_config_is_device(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isgraph((unsigned char)text[i])) {
            return false;
        }
    }
    return length > 0 && length <= MT_CONFIG_DEVICE_MAX;
}

enum mt_config_section_kind mt_config_refclock_section(const struct mt_config_refclock *self)
{
    return self->driver == MT_CONFIG_REFCLOCK_GNSS ? MT_CONFIG_SECTION_GNSS
                                                   : MT_CONFIG_SECTION_REFCLOCK;
}

struct gnss_checker {
    const struct mt_config_source *source;
    const struct mt_config_refclock *receiver;
};

static unsigned line_of(const struct gnss_checker *self, const char *key)
{
    const struct mt_config_setting *setting =
        mt_config_source_find(self->source, MT_CONFIG_SECTION_GNSS, self->receiver->name, key);
    const struct mt_config_section *section =
        mt_config_source_find_section(self->source, MT_CONFIG_SECTION_GNSS, self->receiver->name);
    return setting != NULL ? setting->line : section != NULL ? section->line : 0;
}

#define COMPLAIN(self, key, ...)                                                                   \
    mt_config_problem_add((self)->source->problems, (self)->source->path, line_of((self), (key)),  \
                          __VA_ARGS__)

/* "HOST:PORT", or "[ADDRESS]:PORT". */
static bool is_host_and_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon != NULL ? colon + 1 : "";
    long port = strtol(digits, NULL, 10);
    return colon != NULL && colon > text && strspn(digits, "0123456789") == strlen(digits) &&
           strlen(digits) > 0 && strlen(digits) < 6 && port > 0 && port <= PORT_MAX;
}

/* Those that UARTs have. */
static bool is_speed(uint32_t baud)
{
    static const uint32_t speeds[] = {300,    600,     1200,    2400,    4800,   9600,
                                      19200,  38400,   57600,   115200,  230400, 460800,
                                      921600, 1000000, 2000000, 3000000, 4000000};
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        if (speeds[i] == baud) {
            return true;
        }
    }
    return false;
}

static bool is_gpsd(const char *device)
{
    return strcmp(device, "gpsd") == 0 || strncmp(device, "gpsd:", 5) == 0;
}

static bool is_line(const char *device)
{
    return device[0] == '/';
}

static void check_device(const struct gnss_checker *self)
{
    const struct mt_config_gnss *gnss = &self->receiver->gnss;
    const char *device = gnss->device;
    const char *name = self->receiver->name;
    if (device == NULL) {
        COMPLAIN(self, "device",
                 "[gnss %s]: nobody says where the receiver is; add device = /dev/ttyAMA0, say",
                 name);
        return;
    }
    bool is_good = is_line(device) || strcmp(device, "gpsd") == 0 ||
                   (strncmp(device, "tcp:", 4) == 0 && is_host_and_port(device + 4)) ||
                   (strncmp(device, "gpsd:", 5) == 0 && is_host_and_port(device + 5));
    if (!is_good) {
        COMPLAIN(self, "device",
                 "device = %s: is neither a path such as /dev/ttyAMA0 nor tcp:HOST:PORT, gpsd or "
                 "gpsd:HOST:PORT",
                 device);
    }
    if (is_gpsd(device) && gnss->protocol != MT_GNSS_ANY) {
        COMPLAIN(self, "protocol",
                 "[gnss %s]: gpsd speaks its own protocol, whatever its receiver does; remove "
                 "protocol",
                 name);
    }
    if (!is_speed(gnss->baud)) {
        COMPLAIN(self, "baud",
                 "baud = %u: no serial line has this speed; expected 4800, 9600, 19200, 38400, "
                 "57600, 115200, 230400, 460800 or 921600",
                 gnss->baud);
    } else if (!is_line(device) && gnss->baud != BAUD_DEFAULT) {
        COMPLAIN(self, "baud", "[gnss %s]: baud is for a serial line", name);
    }
}

/* What is said of pulses, where there are none, or none of a hardware clock. */
static void check_pulse(const struct gnss_checker *self)
{
    const struct mt_config_pulse *pulse = &self->receiver->pulse;
    const char *device = pulse->device;
    bool is_card = device != NULL && strncmp(device, "/dev/pps", 8) != 0;
    if (device == NULL && pulse->edge != MT_CONFIG_EDGE_RISING) {
        COMPLAIN(self, "pulse_edge",
                 "[gnss %s]: pulse_edge says something of pulses; add pulse = /dev/pps0, say",
                 self->receiver->name);
    }
    if (device != NULL && mt_config_lacks_folder(device)) {
        COMPLAIN(self, "pulse", "pulse = %s: expected a device such as /dev/%s, or an interface",
                 device, device);
    } else if (is_card && is_line(device) && strncmp(device, "/dev/ptp", 8) != 0) {
        COMPLAIN(self, "pulse",
                 "pulse = %s: is neither a device of pulses (/dev/pps0) nor a hardware clock "
                 "(/dev/ptp0, or its interface)",
                 device);
    }
    if (!is_card && (!pulse->pin_is_auto || pulse->channel != 0)) {
        const char *key = pulse->pin_is_auto ? "pulse_channel" : "pulse_pin";
        COMPLAIN(self, key, "[gnss %s]: %s is for pulses that a hardware clock stamps",
                 self->receiver->name, key);
    }
}

static void check_sentences(const struct gnss_checker *self)
{
    const struct mt_config_gnss *gnss = &self->receiver->gnss;
    bool is_used = self->receiver->pulse.device == NULL && !gnss->sentence_delay_is_auto;
    if (!is_used && mt_interval_to_ns(gnss->sentence_error) != ERROR_DEFAULT_NS) {
        COMPLAIN(self, "sentence_error",
                 "[gnss %s]: sentence_error is for time from sentences alone, whose sentence_delay "
                 "is known",
                 self->receiver->name);
    }
}

/* A serial line or a pulse can be read by one only. */
static void check_shared(const struct gnss_checker *self, const struct mt_config_refclock *other)
{
    const struct mt_config_refclock *receiver = self->receiver;
    bool is_gnss = other->driver == MT_CONFIG_REFCLOCK_GNSS;
    const char *word = is_gnss ? "gnss" : "refclock";
    const char *device = receiver->gnss.device;
    if (strcmp(receiver->name, other->name) == 0) {
        COMPLAIN(self, "", "[gnss %s]: there is a [refclock %s], too; call one of them otherwise",
                 receiver->name, receiver->name);
    }
    if (is_gnss && device != NULL && is_line(device) && other->gnss.device != NULL &&
        strcmp(device, other->gnss.device) == 0) {
        COMPLAIN(self, "device", "[gnss %s]: [gnss %s] reads %s already", receiver->name,
                 other->name, device);
    }
    if (receiver->pulse.device != NULL && other->pulse.device != NULL &&
        strcmp(receiver->pulse.device, other->pulse.device) == 0 &&
        receiver->pulse.channel == other->pulse.channel) {
        COMPLAIN(self, "pulse", "[gnss %s]: [%s %s] has the same pulses already", receiver->name,
                 word, other->name);
    }
}

void mt_config_check_gnss(const struct mt_config *self, const struct mt_config_source *source)
{
    for (size_t i = 0; i < self->refclock_count; i++) {
        const struct gnss_checker checker = {source, &self->refclocks[i]};
        if (self->refclocks[i].driver != MT_CONFIG_REFCLOCK_GNSS) {
            continue;
        }
        check_device(&checker);
        check_pulse(&checker);
        check_sentences(&checker);
        for (size_t other = 0; other < self->refclock_count; other++) {
            bool is_gnss = self->refclocks[other].driver == MT_CONFIG_REFCLOCK_GNSS;
            if (other < i || (other > i && !is_gnss)) {
                check_shared(&checker, &self->refclocks[other]);
            }
        }
    }
}
