/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reference clocks and exports.  Each has a link of its own, behind those of the ports; as sources
 * of their clocks reference clocks are numbered behind ports and what the clock follows.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENT_AFTER      8 /* of the intervals in which something is expected */
#define SILENCE_LEAST_NS  INT64_C(10000000000)
#define REFERENCE_ID_SIZE 4

uint16_t mt_compose_refclocks_of(const struct mt_config *config, size_t clock)
{
    size_t count = 0;
    for (size_t i = 0; i < config->refclock_count; i++) {
        count += config->refclocks[i].clock_index == clock;
    }
    return (uint16_t)count;
}

/* Four characters as NTP has them, the first one first. */
static uint32_t reference_id_of(const struct mt_config_refclock *config)
{
    static const char *const usual[] = {
        [MT_CONFIG_REFCLOCK_SHM] = "SHM", [MT_CONFIG_REFCLOCK_SOCK] = "SOCK",
        [MT_CONFIG_REFCLOCK_PPS] = "PPS", [MT_CONFIG_REFCLOCK_EXTTS] = "PPS",
        [MT_CONFIG_REFCLOCK_PEROUT] = "", [MT_CONFIG_REFCLOCK_GNSS] = "GNSS",
    };
    const char *text = config->reference_id != NULL ? config->reference_id : usual[config->driver];
    uint32_t id = 0;
    size_t length = strlen(text);
    for (size_t i = 0; i < REFERENCE_ID_SIZE; i++) {
        id = id << 8 | (i < length ? (uint8_t)text[i] : 0);
    }
    return id;
}

static int64_t silence_of(const struct mt_config_refclock *config)
{
    int64_t poll_ns = mt_interval_to_ns(config->poll);
    int64_t median_ns = mt_interval_to_ns(config->median_over);
    int64_t silence_ns = SILENT_AFTER * (poll_ns > median_ns ? poll_ns : median_ns);
    return silence_ns > SILENCE_LEAST_NS ? silence_ns : SILENCE_LEAST_NS;
}

static void fill(struct mt_node_refclock *refclock, const struct mt_config_refclock *config)
{
    refclock->clock = (uint16_t)config->clock_index;
    refclock->config = (struct mt_refclock_config){
        .name = config->name,
        .scale = config->scale,
        .offset = config->offset,
        .delay = config->delay,
        .precision = config->precision,
        .max_error = config->max_error_is_unknown ? MT_INTERVAL_TOO_LARGE : config->max_error,
        .median_over_ns = mt_interval_to_ns(config->median_over),
        .silence_ns = silence_of(config),
        .reference_id = reference_id_of(config),
        .stratum = config->stratum,
        .prefer = config->prefer,
        .trust = config->trust,
        .require = config->require,
        .select = config->select,
    };
}

bool mt_compose_open_link(struct mt_node *node, struct mt_hal_provider *provider,
                          const struct mt_link_request *request, uint16_t *ret_index,
                          char reason[MT_HAL_REASON_SIZE])
{
    struct mt_hal_link *link =
        provider->ops->open_link(provider, node->link_count, request, reason);
    if (link != NULL) {
        *ret_index = node->link_count;
        node->links[node->link_count++] = link;
    }
    return link != NULL;
}

static bool open_driver(struct mt_node *node, struct mt_hal_provider *provider, uint8_t number,
                        const char *path, struct mt_link_request *request, uint16_t *ret_index,
                        char reason[MT_HAL_REASON_SIZE])
{
    char unit[8];
    bool is_shared = request->transport == MT_TRANSPORT_REFCLOCK_SHM ||
                     request->transport == MT_TRANSPORT_EXPORT_SHM;
    snprintf(unit, sizeof unit, "%u", (unsigned)number);
    request->interface = is_shared ? unit : path;
    return mt_compose_open_link(node, provider, request, ret_index, reason);
}

struct mt_pulse_request mt_compose_pulse(const struct mt_config_pulse *config)
{
    return (struct mt_pulse_request){
        .is_falling = config->edge == MT_CONFIG_EDGE_FALLING,
        .pin = config->pin_is_auto ? MT_PIN_AUTO : config->pin,
        .channel = config->channel,
    };
}

static bool open_refclock(struct mt_node *node, struct mt_hal_provider *provider,
                          const struct mt_config_refclock *config, uint16_t *ret_index,
                          char reason[MT_HAL_REASON_SIZE])
{
    static const enum mt_transport transports[] = {
        [MT_CONFIG_REFCLOCK_SHM] = MT_TRANSPORT_REFCLOCK_SHM,
        [MT_CONFIG_REFCLOCK_SOCK] = MT_TRANSPORT_REFCLOCK_SOCK,
        [MT_CONFIG_REFCLOCK_PPS] = MT_TRANSPORT_PPS,
        [MT_CONFIG_REFCLOCK_EXTTS] = MT_TRANSPORT_EXTTS,
    };
    bool is_pulse = config->pulse.device != NULL;
    struct mt_link_request request = {
        .transport = transports[config->driver],
        .poll_ns = mt_interval_to_ns(config->poll),
        .pulse = mt_compose_pulse(&config->pulse),
    };
    return open_driver(node, provider, config->unit, is_pulse ? config->pulse.device : config->path,
                       &request, ret_index, reason);
}

static bool open_export(struct mt_node *node, struct mt_hal_provider *provider,
                        const struct mt_config_export *config, uint16_t *ret_index,
                        char reason[MT_HAL_REASON_SIZE])
{
    bool is_perout = config->driver == MT_CONFIG_REFCLOCK_PEROUT;
    const char *device = node->clocks[config->clock_index].hal->device;
    struct mt_link_request request = {
        .transport = is_perout                                  ? MT_TRANSPORT_PEROUT
                     : config->driver == MT_CONFIG_REFCLOCK_SHM ? MT_TRANSPORT_EXPORT_SHM
                                                                : MT_TRANSPORT_EXPORT_SOCK,
        .pulse = mt_compose_pulse(&config->pulse),
        .clock = device != NULL ? device : "",
    };
    request.pulse.period_ns = mt_interval_to_ns(config->period);
    request.pulse.width_ns = mt_interval_to_ns(config->width);
    return open_driver(node, provider, config->unit,
                       is_perout ? config->pulse.device : config->path, &request, ret_index,
                       reason);
}

/* Behind those of ports and of what the clock follows. */
static uint16_t source_of(const struct mt_composition *self, size_t index)
{
    const struct mt_config *config = self->config;
    size_t clock = config->refclocks[index].clock_index;
    size_t source = self->node.clocks[clock].discipline.source_count;
    for (size_t i = index; i < config->refclock_count; i++) {
        source -= config->refclocks[i].clock_index == clock;
    }
    return (uint16_t)source;
}

/* Whose fault it is. */
static bool blame(const char *section, const char *name, char reason[MT_HAL_REASON_SIZE])
{
    char text[MT_HAL_REASON_SIZE];
    snprintf(text, sizeof text, "[%s %.40s]: %.200s", section, name, reason);
    memcpy(reason, text, sizeof text);
    return false;
}

bool mt_compose_refclocks(struct mt_composition *self, struct mt_hal_provider *provider,
                          char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config *config = self->config;
    struct mt_node *node = &self->node;
    node->refclocks = calloc(config->refclock_count + 1, sizeof *node->refclocks);
    node->exports = calloc(config->export_count + 1, sizeof *node->exports);
    node->gnss = calloc(config->refclock_count + 1, sizeof *node->gnss);
    if (node->refclocks == NULL || node->exports == NULL || node->gnss == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
        return false;
    }
    for (size_t i = 0; i < config->refclock_count; i++) {
        struct mt_node_refclock *refclock = &node->refclocks[node->refclock_count++];
        fill(refclock, &config->refclocks[i]);
        refclock->source = source_of(self, i);
        if (config->refclocks[i].driver == MT_CONFIG_REFCLOCK_GNSS) {
            refclock->link = MT_NODE_NO_LINK;
            if (!mt_compose_gnss(node, (uint16_t)i, &config->refclocks[i], provider, reason)) {
                return blame("gnss", config->refclocks[i].name, reason);
            }
        } else if (!open_refclock(node, provider, &config->refclocks[i], &refclock->link, reason)) {
            return blame("refclock", config->refclocks[i].name, reason);
        }
    }
    for (size_t i = 0; i < config->export_count; i++) {
        struct mt_node_export *export = &node->exports[node->export_count++];
        export->clock = (uint16_t)config->exports[i].clock_index;
        export->interval_ns = mt_interval_to_ns(config->exports[i].interval);
        if (!open_export(node, provider, &config->exports[i], &export->link, reason)) {
            return blame("export", config->exports[i].name, reason);
        }
    }
    return true;
}
