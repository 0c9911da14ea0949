/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each node's meantime.conf.  It is written as text and read by the daemon's own parser, so that
 * what a node may be told is what a daemon may be told, and mistakes are found by the same code.
 * Its keys come from [ptp] and [clock] of the topology, from what the kind is by itself, from
 * [kind NAME] and from [node NAME]: later ones replace earlier ones.  Each line of the text
 * remembers the line of the topology that it comes from.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

#define LINES_MAX 400
#define TEXT_SIZE 65536

struct setting {
    const char *section; /**< "clock", "ptp", "ntp", "server", or an interface */
    const char *key;     /**< by its present name */
    const char *value;
    unsigned line;
};

struct conf {
    const struct mt_topology_builder *builder;
    const struct mt_topology_node *node;
    struct setting settings[LINES_MAX];
    size_t count;
    char *text;
    size_t length;
    unsigned lines; /**< in `text` */
    unsigned origins[LINES_MAX * 2];
};

/* Old names and names of other programs are one key, so that they replace each other. */
static const char *present_name(const char *section, const char *name)
{
    static const enum mt_config_scope scopes[] = {MT_CONFIG_INSTANCE, MT_CONFIG_PORT};
    const struct mt_config_key *key = NULL;

    if (strcmp(section, "clock") == 0) {
        key = mt_config_key_find(MT_CONFIG_CLOCK, name);
    } else if (strcmp(section, "ntp") == 0) {
        key = mt_config_key_find(MT_CONFIG_NTP, name);
    } else if (strcmp(section, "server") == 0) {
        key = mt_config_key_find(MT_CONFIG_SERVER, name);
    } else {
        for (size_t i = 0; key == NULL && i < 2; i++) {
            key = mt_config_key_find(scopes[i], name);
        }
    }
    return key != NULL ? key->name : name;
}

static void set(struct conf *self, const char *section, const char *key, const char *value,
                unsigned line)
{
    const char *name = present_name(section, key);

    for (size_t i = 0; i < self->count; i++) {
        struct setting *known = &self->settings[i];
        if (strcmp(known->section, section) == 0 && strcmp(known->key, name) == 0) {
            known->value = value;
            known->line = line;
            return;
        }
    }
    if (self->count < LINES_MAX) {
        self->settings[self->count++] = (struct setting){section, name, value, line};
    }
}

/* ---- where settings come from ---------------------------------------------------------------- */

static void set_from_global(struct conf *self, const char *section)
{
    const struct mt_topology_text *text = self->builder->text;
    const struct mt_topology_section *found = mt_topology_text_find(text, section, "");

    for (size_t i = 0; found != NULL && i < text->entry_count; i++) {
        const struct mt_topology_entry *entry = &text->entries[i];
        if (entry->section == (size_t)(found - text->sections)) {
            set(self, section, entry->key, entry->value, entry->line);
        }
    }
}

/* What a kind is without being told. */
static void set_from_kind(struct conf *self)
{
    static const struct {
        const char *kind, *section, *key, *value;
    } known[] = {
        {"grandmaster", "ptp", "priority1", "1"},
        {"grandmaster", "ptp", "clock_class", "6"},
        {"receiver", "ptp", "receiver_only", "yes"},
        {"transparent", "ptp", "clock_type", "e2e_transparent"},
        {"peer_transparent", "ptp", "clock_type", "p2p_transparent"},
        {"server", "ptp", "receiver_only", "yes"},
        {"ntp_server", "server", "local_stratum", "1"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].kind, self->node->kind) == 0) {
            set(self, known[i].section, known[i].key, known[i].value, self->node->line);
        }
    }
}

/* Keys with a dot: "ptp.priority1", "clock.max_drift", "eth0.transmitter_only". */
static void set_from_section(struct conf *self, size_t section)
{
    const struct mt_topology_text *text = self->builder->text;

    for (size_t i = 0; i < text->entry_count; i++) {
        const struct mt_topology_entry *entry = &text->entries[i];
        const char *dot = strchr(entry->key, '.');
        if (entry->section != section || dot == NULL) {
            continue;
        }
        char *where = mt_topology_copy(text->pool, entry->key);
        if (where != NULL) {
            where[dot - entry->key] = '\0';
            set(self, where, dot + 1, entry->value, entry->line);
        }
    }
}

static void set_from_sections(struct conf *self)
{
    const struct mt_topology_text *text = self->builder->text;

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < text->section_count; i++) {
            const struct mt_topology_section *section = &text->sections[i];
            bool is_kind =
                strcmp(section->word, "kind") == 0 && strcmp(section->name, self->node->kind) == 0;
            bool is_node = strcmp(section->word, "node") == 0 &&
                           mt_topology_names_node(section->name, self->node->name);
            if (round == 0 ? is_kind : is_node) {
                set_from_section(self, i);
            }
        }
    }
}

/* ---- the text -------------------------------------------------------------------------------- */

static void put(struct conf *self, unsigned origin, const char *a, const char *b, const char *c)
{
    size_t room = TEXT_SIZE - self->length;
    int length = snprintf(self->text + self->length, room, "%s%s%s\n", a, b, c);

    if (length > 0 && (size_t)length < room && self->lines < LINES_MAX * 2 - 1) {
        self->length += (size_t)length;
        self->origins[++self->lines] = origin;
    }
}

static void put_section(struct conf *self, const char *section)
{
    for (size_t i = 0; i < self->count; i++) {
        const struct setting *setting = &self->settings[i];
        if (strcmp(setting->section, section) == 0) {
            char key[200];
            snprintf(key, sizeof key, "%s = ", setting->key);
            put(self, setting->line, key, setting->value, "");
        }
    }
}

static void put_interfaces(struct conf *self)
{
    const struct mt_topology *topology = self->builder->topology;
    uint32_t node = (uint32_t)(self->node - topology->nodes);

    for (uint32_t i = 0; i < topology->link_count; i++) {
        const struct mt_topology_link *link = &topology->links[i];
        for (uint32_t k = 0; k < link->end_count; k++) {
            if (link->ends[k].node == node) {
                put(self, link->line, "[ptp ", link->ends[k].interface, "]");
                put_section(self, link->ends[k].interface);
            }
        }
    }
}

static bool has_interface(const struct conf *self, const char *name)
{
    const struct mt_topology *topology = self->builder->topology;
    uint32_t node = (uint32_t)(self->node - topology->nodes);

    for (uint32_t i = 0; i < topology->link_count; i++) {
        for (uint32_t k = 0; k < topology->links[i].end_count; k++) {
            const struct mt_topology_end *end = &topology->links[i].ends[k];
            if (end->node == node && strcmp(end->interface, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_common(const char *section)
{
    static const char *const common[] = {"clock", "ptp", "ntp", "server"};

    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (strcmp(common[i], section) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_section(const struct conf *self, const char *section)
{
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->settings[i].section, section) == 0) {
            return true;
        }
    }
    return false;
}

static void put_ntp(struct conf *self)
{
    struct mt_topology_names servers = {0};

    if (has_section(self, "server")) {
        put(self, self->node->line, "[server]", "", "");
        put_section(self, "server");
    }
    if (!mt_topology_asked(self->builder, self->node, &servers) || servers.count == 0) {
        return;
    }
    put(self, self->node->line, "[ntp]", "", "");
    put_section(self, "ntp");
    for (size_t i = 0; i < servers.count; i++) {
        char address[MT_TOPOLOGY_ADDRESS_SIZE];
        mt_topology_ntp_address(self->builder->topology, self->node, servers.name[i], address);
        put(self, self->node->line, "[ntp ", servers.name[i], "]");
        put(self, self->node->line, "address = ", address, "");
    }
}

static void refuse_strange_sections(const struct conf *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const struct setting *setting = &self->settings[i];
        if (!is_common(setting->section) && !has_interface(self, setting->section)) {
            mt_topology_complain(self->builder->text, setting->line,
                                 "%s.%s: expected ptp.KEY, clock.KEY, ntp.KEY, server.KEY or an "
                                 "interface of %s",
                                 setting->section, setting->key, self->node->name);
        }
    }
}

/* "conf:12: sentence" becomes a problem of the line that line 12 comes from. */
static void pass_on(const struct conf *self, const struct mt_config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct mt_config_problem *problem = &problems->problem[i];
        const char *sentence = strstr(problem->text, ": ");
        bool has_line = problem->line > 0 && problem->line <= self->lines;
        sentence = sentence != NULL ? sentence + 2 : problem->text;
        if (has_line) {
            mt_topology_complain(self->builder->text, self->origins[problem->line], "%s", sentence);
        } else {
            mt_topology_complain(self->builder->text, self->node->line, "node %s: %s",
                                 self->node->name, sentence);
        }
    }
}

static void configure_from_text(struct conf *self, struct mt_topology_node *node)
{
    struct mt_config_problems problems = {0};

    self->count = 0;
    self->length = 0;
    self->lines = 0;
    set_from_global(self, "clock");
    set_from_global(self, "ptp");
    set_from_global(self, "ntp");
    set_from_kind(self);
    set_from_sections(self);
    refuse_strange_sections(self);
    put(self, node->line, "[clock]", "", "");
    put_section(self, "clock");
    if (!node->is_ntp_only) {
        put(self, node->line, "[ptp]", "", "");
        put_section(self, "ptp");
        put_interfaces(self);
    }
    put_ntp(self);
    if (!mt_config_parse(self->text, self->length, "conf", NULL, 0, &node->config, &problems)) {
        pass_on(self, &problems);
    }
}

static void configure_from_file(struct conf *self, struct mt_topology_node *node)
{
    const struct mt_topology *topology = self->builder->topology;
    const char *interfaces[UINT8_MAX];
    struct mt_config_problems problems = {0};
    const char *path = mt_topology_beside(self->builder, node->config_file);
    size_t count = 0;

    for (uint32_t i = 0; i < topology->link_count; i++) {
        for (uint32_t k = 0; k < topology->links[i].end_count; k++) {
            const struct mt_topology_end *end = &topology->links[i].ends[k];
            if (end->node == (uint32_t)(node - topology->nodes) && count < UINT8_MAX) {
                interfaces[count++] = end->interface;
            }
        }
    }
    if (!mt_config_load_with(path, interfaces, count, &node->config, &problems)) {
        for (size_t i = 0; i < problems.count; i++) {
            mt_topology_complain(self->builder->text, node->line, "node %s: %s", node->name,
                                 problems.problem[i].text);
        }
    }
}

void mt_topology_configure(struct mt_topology_builder *self)
{
    struct conf *conf = calloc(1, sizeof *conf);

    if (conf != NULL) {
        conf->text = malloc(TEXT_SIZE);
    }
    for (uint32_t i = 0; conf != NULL && conf->text != NULL && i < self->topology->node_count;
         i++) {
        struct mt_topology_node *node = &self->topology->nodes[i];
        conf->builder = self;
        conf->node = node;
        if (node->link_count == 0) {
            mt_topology_complain(self->text, node->line, "node %s: no link joins it to anything",
                                 node->name);
        } else if (node->config_file[0] != '\0') {
            configure_from_file(conf, node);
        } else {
            configure_from_text(conf, node);
        }
    }
    if (conf == NULL || conf->text == NULL) {
        mt_config_problem_add(self->text->problems, self->text->path, 0, "out of memory");
    }
    free(conf != NULL ? conf->text : NULL);
    free(conf);
}
