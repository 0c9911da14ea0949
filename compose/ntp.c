/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * NTP servers: each section of the configuration is copied, with its keys, so that it may come and
 * go while the node runs (ntp_again.c).  Each server is a place of the node: a link, a client and a
 * source of its clock; a pool is as many as are asked of it at a time.  At the start they come
 * after all ports, in links and in sources.  A place that was given up is taken again with its
 * link's number; where there is none, storage grows.
 *
 * A name is looked up when an address is wanted: at first, and when the one that there is does not
 * answer.  So a good server is kept, whatever the name has become since.
 */
#include "compose/compose_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ntp_keys.h"
#include "crypto/crypto.h"
#include "meantime/steer_standby.h"

uint16_t mt_compose_ntp_members(const struct mt_config_ntp *ntp)
{
    return mt_config_is_pool(ntp) ? ntp->count : 1;
}

uint16_t mt_compose_ntp_count(const struct mt_config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->ntp_count; i++) {
        count += mt_compose_ntp_members(&config->ntps[i]);
    }
    return (uint16_t)count;
}

uint16_t mt_compose_ntp_sources(const struct mt_config *config, size_t clock)
{
    size_t count = 0;
    for (size_t i = 0; i < config->ntp_count; i++) {
        if (config->ntps[i].clock_index == clock) {
            count += mt_compose_ntp_members(&config->ntps[i]);
        }
    }
    return (uint16_t)count;
}

const struct mt_config_ntp *mt_composition_ntp(const struct mt_composition *self, uint16_t index)
{
    const struct mt_compose_ntp *of = self->places[index];
    return of != NULL ? &of->config : NULL;
}

uint32_t mt_composition_ntp_number(const struct mt_composition *self, uint16_t index)
{
    return self->places[index] != NULL ? self->places[index]->number : 0;
}

static bool refuse(char reason[MT_HAL_REASON_SIZE])
{
    snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
    return false;
}

/* ---- sections -------------------------------------------------------------------------------- */

/* The file is read for each section that has one: they are few. */
bool mt_compose_ntp_keys(const struct mt_config_ntp *config, struct mt_config_pool *pool,
                         struct mt_ntp_keys *ret_keys, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_config_problems problems = {0};
    struct mt_ntp_keys keys;
    if (config->client.key == 0) {
        return true;
    }
    if (!mt_config_ntp_keys_load(config->key_file, pool, &problems, &keys)) {
        snprintf(reason, MT_HAL_REASON_SIZE, "%.*s", MT_HAL_REASON_SIZE - 1,
                 problems.problem[0].text);
        return false;
    }
    if (mt_ntp_key_find(&keys, config->client.key) == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "[ntp %.60s]: there is no key %u in %.120s",
                 config->name, (unsigned)config->client.key, config->key_file);
        return false;
    }
    keys.crypto = &mt_crypto_nettle;
    *ret_keys = keys;
    return true;
}

void mt_compose_ntp_free(struct mt_compose_ntp *section)
{
    if (section != NULL) {
        mt_config_pool_free(&section->pool);
        mt_config_pool_free(&section->key_pool);
        free(section);
    }
}

struct mt_compose_ntp *mt_compose_ntp_new(struct mt_composition *self,
                                          const struct mt_config_ntp *config,
                                          char reason[MT_HAL_REASON_SIZE])
{
    struct mt_compose_ntp *section = calloc(1, sizeof *section);
    bool is_copied =
        section != NULL && mt_config_ntp_copy(config, &section->pool, &section->config);
    if (is_copied &&
        mt_compose_ntp_keys(&section->config, &section->key_pool, &section->keys, reason)) {
        section->number = ++self->ntp_made;
        return section;
    }
    if (!is_copied) {
        refuse(reason);
    }
    mt_compose_ntp_free(section);
    return NULL;
}

bool mt_compose_ntp_reserve(struct mt_composition *self, size_t count)
{
    bool is_own = self->in_force.ntps == self->ntp_configs;
    struct mt_compose_ntp **list = realloc(self->ntps, (count + 1) * sizeof(*list));
    self->ntps = list != NULL ? list : self->ntps;
    struct mt_config_ntp *configs = realloc(self->ntp_configs, (count + 1) * sizeof *configs);
    self->ntp_configs = configs != NULL ? configs : self->ntp_configs;
    if (is_own) {
        self->in_force.ntps = self->ntp_configs;
    }
    return list != NULL && configs != NULL;
}

void mt_compose_ntp_list(struct mt_composition *self, struct mt_compose_ntp *const *sections,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        self->ntps[i] = sections[i];
        self->ntp_configs[i] = sections[i]->config;
    }
    self->in_force.ntps = self->ntp_configs;
    self->in_force.ntp_count = count;
}

/* ---- places ---------------------------------------------------------------------------------- */

/* By what the clock follows, one of its reference clocks, or a server in use. */
static bool is_taken_source(const struct mt_node *node, uint16_t clock, uint16_t source)
{
    const struct mt_follow *follow = &node->clocks[clock].follow;
    for (uint16_t i = 0; i < node->refclock_count; i++) {
        if (node->refclocks[i].clock == clock && node->refclocks[i].source == source) {
            return true;
        }
    }
    for (uint16_t i = 0; i < node->ntp_count; i++) {
        const struct mt_node_ntp *ntp = &node->ntp[i];
        if (!ntp->is_free && ntp->clock == clock && ntp->source == source) {
            return true;
        }
    }
    return follow->is_used && follow->source == source;
}

static bool add_source(struct mt_discipline *discipline)
{
    size_t count = discipline->source_count + 1u;
    struct mt_discipline_source *sources = calloc(count, sizeof *sources);
    struct mt_skewness *skewness = calloc(count, sizeof *skewness);
    if (sources == NULL || skewness == NULL || count >= MT_SOURCE_NONE) {
        free(sources);
        free(skewness);
        return false;
    }
    struct mt_discipline_source *old_sources = discipline->sources;
    struct mt_skewness *old_skewness = discipline->config.skewness;
    memcpy(sources, old_sources, (count - 1) * sizeof *sources);
    memcpy(skewness, old_skewness, (count - 1) * sizeof *skewness);
    mt_discipline_set_storage(discipline, sources, skewness, (uint16_t)count);
    free(old_sources);
    free(old_skewness);
    return true;
}

/* Ports are the first of a clock's sources. */
static bool find_source(struct mt_composition *self, uint16_t clock, uint16_t *ret_source)
{
    struct mt_discipline *discipline = &self->node.clocks[clock].discipline;
    uint16_t source = mt_compose_port_sources(self->config, clock);
    while (source < discipline->source_count && is_taken_source(&self->node, clock, source)) {
        source++;
    }
    if (source == discipline->source_count && !add_source(discipline)) {
        return false;
    }
    *ret_source = source;
    return true;
}

bool mt_compose_reserve_link(struct mt_composition *self)
{
    struct mt_node *node = &self->node;
    if (node->link_count < self->link_room) {
        return true;
    }
    size_t room = self->link_room + 1;
    struct mt_hal_link **links = realloc(node->links, room * sizeof(*links));
    if (links == NULL || room > MT_NODE_NO_LINK) {
        return false;
    }
    node->links = links;
    self->link_room = room;
    return true;
}

static bool add_place(struct mt_composition *self)
{
    struct mt_node *node = &self->node;
    size_t count = node->ntp_count + 1u;
    struct mt_node_ntp *ntp = realloc(node->ntp, count * sizeof *ntp);
    node->ntp = ntp != NULL ? ntp : node->ntp;
    struct mt_compose_ntp **places = realloc(self->places, count * sizeof(*places));
    self->places = places != NULL ? places : self->places;
    if (ntp == NULL || places == NULL) {
        return false;
    }
    node->ntp[node->ntp_count] = (struct mt_node_ntp){.is_free = true, .link = MT_NODE_NO_LINK};
    self->places[node->ntp_count++] = NULL;
    return true;
}

static bool find_place(struct mt_composition *self, uint16_t *ret_place)
{
    uint16_t place = 0;
    while (place < self->node.ntp_count && !self->node.ntp[place].is_free) {
        place++;
    }
    if (place == self->node.ntp_count && !add_place(self)) {
        return false;
    }
    *ret_place = place;
    return true;
}

/* The one that it had before, or the next. */
static bool open_link(struct mt_composition *self, struct mt_node_ntp *ntp,
                      const struct mt_config_ntp *config, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_node *node = &self->node;
    const struct mt_link_request request = {
        .interface = config->interface != NULL ? config->interface : "",
        .transport = MT_TRANSPORT_NTP,
        .stamper = mt_compose_stamper(config->timestamping),
    };
    if (ntp->link == MT_NODE_NO_LINK && !mt_compose_reserve_link(self)) {
        return refuse(reason);
    }
    uint16_t index = ntp->link != MT_NODE_NO_LINK ? ntp->link : node->link_count;
    struct mt_hal_link *link =
        self->provider->ops->open_link(self->provider, index, &request, reason);
    if (link != NULL) {
        ntp->link = index;
        node->links[index] = link;
        node->link_count = (uint16_t)(node->link_count + (index == node->link_count));
    }
    return link != NULL;
}

static bool set_nts(struct mt_node_ntp *ntp, const struct mt_config_ntp *config)
{
    if (!config->nts) {
        return true;
    }
    ntp->config.nts = calloc(1, sizeof *ntp->config.nts);
    if (ntp->config.nts != NULL) {
        mt_nts_client_init(ntp->config.nts, &mt_crypto_nettle);
    }
    return ntp->config.nts != NULL;
}

/* One member of a section, from now on. */
static bool ask(struct mt_composition *self, struct mt_compose_ntp *section, struct mt_mono now,
                char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_ntp *config = &section->config;
    uint16_t place;
    uint16_t source;
    struct mt_node_ntp *ntp;
    if (!find_place(self, &place) || !find_source(self, (uint16_t)config->clock_index, &source)) {
        return refuse(reason);
    }
    ntp = &self->node.ntp[place];
    *ntp = (struct mt_node_ntp){
        .is_free = true,
        .config = config->client,
        .clock = (uint16_t)config->clock_index,
        .source = source,
        .link = ntp->link,
    };
    self->places[place] = section;
    bool is_open = config->transport == MT_CONFIG_NTP_UDP
                       ? open_link(self, ntp, config, reason)
                       : mt_compose_ntp_in_ptp(self, place, self->provider, reason);
    if (!is_open) {
        self->places[place] = NULL;
        return false;
    }
    ntp->is_free = false;
    if (config->client.key != 0) {
        ntp->config.keys = &section->keys;
    }
    if (!set_nts(ntp, config)) {
        return refuse(reason);
    }
    struct mt_address server = {.network = MT_NETWORK_NONE};
    if (!config->nts) { /* else the key exchange says where */
        server = config->address.station[0].address;
    }
    server.udp_port = config->port;
    mt_ntp_duty_set_address(&self->node, place, &server, now);
    return true;
}

bool mt_compose_ntp_ask(struct mt_composition *self, struct mt_compose_ntp *section,
                        struct mt_mono now, char reason[MT_HAL_REASON_SIZE])
{
    uint16_t members = mt_compose_ntp_members(&section->config);
    for (uint16_t i = 0; i < members; i++) {
        if (!ask(self, section, now, reason)) {
            return false;
        }
    }
    return true;
}

void mt_compose_ntp_part(struct mt_composition *self, const struct mt_compose_ntp *section)
{
    struct mt_hal_provider *provider = self->provider;
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        struct mt_node_ntp *ntp = &self->node.ntp[i];
        if (self->places[i] != section) {
            continue;
        }
        ntp->is_free = true;
        if (ntp->carrier != MT_NTP_IN_UDP) { /* others use that link, too */
            ntp->link = MT_NODE_NO_LINK;
            continue;
        }
        self->node.links[ntp->link] = NULL;
        if (provider->ops->close_link != NULL) {
            provider->ops->close_link(provider, ntp->link);
        }
    }
}

void mt_compose_ntp_forget(struct mt_composition *self, const struct mt_compose_ntp *section)
{
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        if (self->places[i] == section) {
            free(self->node.ntp[i].config.nts);
            mt_ntp_duty_forget(&self->node, i);
            self->places[i] = NULL;
        }
    }
}

/* ---- the start and the end ------------------------------------------------------------------- */

/* Those that there are, if not all can be made, are freed with the composition. */
static bool make_sections(struct mt_composition *self, const struct mt_config_ntp *configs,
                          size_t count, char reason[MT_HAL_REASON_SIZE])
{
    struct mt_compose_ntp **sections = calloc(count + 1, sizeof(*sections));
    bool is_good = (sections != NULL && mt_compose_ntp_reserve(self, count)) || refuse(reason);
    size_t made = 0;
    while (is_good && made < count) {
        sections[made] = mt_compose_ntp_new(self, &configs[made], reason);
        is_good = sections[made] != NULL;
        made += is_good;
    }
    mt_compose_ntp_list(self, sections, made);
    free(sections);
    return is_good;
}

bool mt_compose_ntp(struct mt_composition *self, char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_config_ntp *configs = self->config->ntps;
    bool is_good = make_sections(self, configs, self->config->ntp_count, reason);
    for (size_t i = 0; i < self->in_force.ntp_count && is_good; i++) {
        self->speaks_nts |= self->ntps[i]->config.nts;
        is_good = mt_compose_ntp_ask(self, self->ntps[i], self->started, reason);
    }
    return is_good;
}

void mt_compose_free_ntp(struct mt_composition *self)
{
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        free(self->node.ntp[i].config.nts);
    }
    for (size_t i = 0; self->ntps != NULL && i < self->in_force.ntp_count; i++) {
        mt_compose_ntp_free(self->ntps[i]);
    }
    free(self->places);
    free(self->ntps);
    free(self->ntp_configs);
    mt_config_pool_free(&self->defaults_pool);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Another one of the same server or pool has it. */
static bool is_taken(const struct mt_composition *self, uint16_t index,
                     const struct mt_address *address)
{
    const struct mt_config_ntp *config = mt_composition_ntp(self, index);
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        if (i != index && mt_composition_ntp(self, i) == config &&
            mt_address_equal(&self->node.ntp[i].server, address)) {
            return true;
        }
    }
    return false;
}

/* The one after that which was no good, or the first. */
static bool find_other(const struct mt_composition *self, uint16_t index,
                       const struct mt_address *addresses, size_t count,
                       struct mt_address *ret_address)
{
    const struct mt_address *present = &self->node.ntp[index].server;
    size_t first = 0;
    while (first < count && !mt_address_equal(&addresses[first], present)) {
        first++;
    }
    first = first < count ? first + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        const struct mt_address *address = &addresses[(first + i) % count];
        if (!mt_address_equal(address, present) && !is_taken(self, index, address)) {
            *ret_address = *address;
            return true;
        }
    }
    return false;
}

static void resolve(struct mt_composition *self, uint16_t index, struct mt_mono now)
{
    const struct mt_config_ntp *config = mt_composition_ntp(self, index);
    struct mt_address addresses[MT_NAMES_ADDRESSES];
    struct mt_order order = {.kind = MT_ORDER_ADDRESS, .now = now, .instance = index};
    size_t count = self->names->ops->find_all(self->names, config->address.station[0].name, now,
                                              addresses, MT_NAMES_ADDRESSES);
    if (find_other(self, index, addresses, count, &order.address)) {
        order.address.udp_port = config->port;
        mt_recorder_begin(self->recorder, &order);
        mt_node_set_ntp_address(&self->node, index, &order.address, now);
        mt_recorder_end(self->recorder);
    }
}

void mt_compose_ntp_resolve(struct mt_composition *self, struct mt_mono now)
{
    mt_compose_own_addresses(self, now);
    for (uint16_t i = 0; i < self->node.ntp_count; i++) {
        const struct mt_node_ntp *ntp = &self->node.ntp[i];
        const struct mt_config_ntp *config = mt_composition_ntp(self, i);
        bool is_name =
            config != NULL && config->address.station[0].address.network == MT_NETWORK_NONE;
        if (is_name && ntp->config.nts == NULL &&
            (ntp->server.network == MT_NETWORK_NONE || mt_ntp_duty_is_lost(ntp))) {
            resolve(self, i, now);
        }
    }
}
