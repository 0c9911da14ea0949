/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Unicast service under a new configuration while the node runs: the table of transmitters, how
 * long they are asked for, and whom and what a grantor grants from now on.  What has been granted
 * runs on until it ends.  Sizes of storage, and whether there is service at all, wait for a
 * restart.
 */
#include "compose/compose_private.h"

#include <stdlib.h>
#include <string.h>

#include "meantime/ptp_more.h"

bool mt_compose_is_unicast_key(const struct mt_config *config, size_t port, const char *name)
{
    static const char *const keys[] = {
        "unicast_transmitters",
        "unicast_duration",
        "unicast_max_clients_per_address",
        "unicast_max_duration",
        "unicast_first_duration",
        "unicast_log_min_announce_interval",
        "unicast_log_min_sync_interval",
        "unicast_allow",
    };
    const struct mt_config_stateless *stateless =
        &config->instances[config->ports[port].instance_index].stateless;
    if (strcmp(name, "unicast_allow") == 0 && (stateless->sptp == MT_CONFIG_STATELESS_SERVER ||
                                               stateless->csptp == MT_CONFIG_STATELESS_SERVER)) {
        return false; /* workers have copies of it */
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- lists that outlive the configuration that they were read from --------------------------- */

char *mt_compose_copy_text(struct mt_config_pool *pool, const char *text)
{
    size_t size = text != NULL ? strlen(text) + 1 : 0;
    char *copy = size != 0 ? mt_config_pool_take(pool, size) : NULL;
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static size_t size_of(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static const char *place(char **at, const char *text)
{
    char *copy = *at;
    size_t size = size_of(text);
    if (size != 0) {
        memcpy(copy, text, size);
    }
    *at += size;
    return text != NULL ? copy : NULL;
}

/* One block, so that the whole can be given back. */
bool mt_compose_copy_stations(struct mt_config_pool *pool, const struct mt_config_stations *list,
                              struct mt_config_stations *ret_copy)
{
    size_t size = (list->count + 1) * sizeof *list->station;
    for (size_t i = 0; i < list->count; i++) {
        size += size_of(list->station[i].text) + size_of(list->station[i].name);
    }
    struct mt_config_station *stations = mt_config_pool_take(pool, size);
    if (stations == NULL) {
        return false;
    }
    char *texts = (char *)&stations[list->count + 1];
    for (size_t i = 0; i < list->count; i++) {
        stations[i] = list->station[i];
        stations[i].text = place(&texts, list->station[i].text);
        stations[i].name = place(&texts, list->station[i].name);
    }
    *ret_copy = (struct mt_config_stations){stations, list->count};
    return true;
}

bool mt_compose_replace_stations(struct mt_config_pool *pool, const struct mt_config_stations *list,
                                 struct mt_config_stations *self)
{
    struct mt_config_stations copy;
    if (!mt_compose_copy_stations(pool, list, &copy)) {
        return false;
    }
    mt_config_pool_give_back(pool, self->station);
    *self = copy;
    return true;
}

/* ---- the table ------------------------------------------------------------------------------- */

struct table {
    const struct mt_config_stations *wanted;
    const struct mt_config_stations *before; /* null: what is asked has another order */
    const struct mt_requester *requester;
    uint8_t local_priority;
};

/* The address that a name had in the old table: it need not be looked up again to stay. */
static struct mt_address known_address(const struct table *self, const char *name)
{
    for (size_t i = 0; self->before != NULL && i < self->before->count; i++) {
        if (strcmp(self->before->station[i].name, name) == 0) {
            return self->requester->table[i].address;
        }
    }
    return (struct mt_address){.network = MT_NETWORK_NONE};
}

struct entries {
    size_t count;
    struct entry {
        struct mt_address address;
        uint8_t local_priority;
    } entry[];
};

static void entry_at(const void *context, uint16_t index, struct mt_address *ret_address,
                     uint8_t *ret_local_priority)
{
    const struct entries *entries = context;
    *ret_address = entries->entry[index].address;
    *ret_local_priority = entries->entry[index].local_priority;
}

/* Addresses are taken out of the old table before it changes. */
static struct entries *make_entries(const struct table *self)
{
    struct entries *entries =
        calloc(1, sizeof *entries + self->wanted->count * sizeof entries->entry[0]);
    for (size_t i = 0; entries != NULL && i < self->wanted->count; i++) {
        const struct mt_config_station *station = &self->wanted->station[i];
        struct entry *entry = &entries->entry[i];
        entry->address = station->address.network != MT_NETWORK_NONE
                             ? station->address
                             : known_address(self, station->name);
        entry->local_priority =
            station->has_number ? (uint8_t)station->number : self->local_priority;
    }
    return entries;
}

static bool grow(struct mt_requester *requester, size_t capacity)
{
    if (capacity <= requester->capacity) {
        return true;
    }
    struct mt_unicast_transmitter *table =
        realloc(requester->table, capacity * sizeof *requester->table);
    if (table == NULL) {
        return false;
    }
    memset(&table[requester->capacity], 0, (capacity - requester->capacity) * sizeof *table);
    requester->table = table;
    requester->capacity = (uint16_t)capacity;
    return true;
}

static bool set_table(struct mt_instance *instance, struct mt_port *port,
                      const struct mt_config_port *config, const struct mt_config_stations *before)
{
    struct mt_requester *requester = port->config.more->requester;
    const struct table table = {.wanted = &config->unicast.transmitters,
                                .before = requester->is_set ? NULL : before,
                                .requester = requester,
                                .local_priority = config->ptp.local_priority};
    struct entries *entries = make_entries(&table);
    if (entries == NULL || !grow(requester, table.wanted->count)) {
        free(entries);
        return false;
    }
    const struct mt_requester_list list = {entries, (uint16_t)table.wanted->count, entry_at};
    bool is_set = mt_requester_set_table(instance, port, &list);
    requester->is_set = requester->is_set && !is_set; /* by management */
    free(entries);
    return is_set;
}

/* ---- a port ---------------------------------------------------------------------------------- */

static struct mt_instance *instance_of(struct mt_composition *self, size_t port)
{
    return &self->node.instances[self->config->ports[port].instance_index].ptp;
}

static struct mt_port *port_of(struct mt_composition *self, size_t index)
{
    const struct mt_config_port *port = &self->config->ports[index];
    return &instance_of(self, index)
                ->ports[index - self->config->instances[port->instance_index].first_port];
}

static bool take_table(struct mt_composition *self, size_t index,
                       const struct mt_config_stations *wanted)
{
    struct mt_config_port *config = &self->in_force.ports[index];
    const struct mt_config_stations before = config->unicast.transmitters;
    struct mt_config_stations copy;
    if (port_of(self, index)->config.more->requester == NULL || wanted->count == 0 ||
        !mt_compose_copy_stations(&self->reload_pool, wanted, &copy)) {
        return false;
    }
    config->unicast.transmitters = copy;
    if (!set_table(instance_of(self, index), port_of(self, index), config, &before)) {
        config->unicast.transmitters = before;
        mt_config_pool_give_back(&self->reload_pool, copy.station);
        return false;
    }
    mt_config_pool_give_back(&self->reload_pool, before.station);
    self->names_at = (struct mt_mono){0}; /* new names are looked up at once */
    return true;
}

bool mt_compose_unicast_take(struct mt_composition *self, const struct mt_config_change *change,
                             const struct mt_config_unicast *wanted)
{
    struct mt_config_port *config = &self->in_force.ports[change->index];
    const struct mt_port_more *more = port_of(self, change->index)->config.more;
    struct mt_config_pool pool = {NULL}; /* numbers need no memory */
    if (strcmp(change->key->name, "unicast_transmitters") == 0) {
        return take_table(self, change->index, &wanted->transmitters);
    }
    if (change->key->type != MT_CONFIG_STATIONS) {
        mt_config_value_parse(change->key, change->after, config, &pool);
    } else if (!mt_compose_replace_stations(&self->reload_pool, &wanted->allowed,
                                            &config->unicast.allowed)) {
        return false;
    }
    if (more->requester != NULL) {
        more->requester->duration_s = config->unicast.duration_s;
    }
    return more->grantor == NULL || mt_compose_grantor_again(&config->unicast, more->grantor);
}
