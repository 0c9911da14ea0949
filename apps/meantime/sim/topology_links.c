/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is joined to what.  [link NAME] is a kind of link and says in `joins` and `hub` where there
 * are such links; [link A - B] is a single one: it changes the links between A and B, or is a new
 * one if there are none.  An end without an interface gets the next free one: eth0, eth1 ...
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

#define TRACE_MAX 1000000
#define NAME_SIZE (MT_CONFIG_NAME_MAX + MT_WORLD_NAME_MAX + 16)

static const char *trimmed(struct mt_config_pool *pool, const char *text, size_t length)
{
    while (length > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) {
        length--;
    }
    char *copy = mt_config_pool_take(pool, length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
    }
    return copy != NULL ? copy : "";
}

/* ---- ends ------------------------------------------------------------------------------------ */

static bool is_taken(const struct mt_topology *topology, uint32_t node, const char *interface)
{
    for (uint32_t i = 0; i < topology->link_count; i++) {
        const struct mt_topology_link *link = &topology->links[i];
        for (uint32_t k = 0; k < link->end_count; k++) {
            if (link->ends[k].node == node && link->ends[k].interface != NULL &&
                strcmp(link->ends[k].interface, interface) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* "A", "A.eth3" or "SWITCH" */
static bool find_end(const struct mt_topology_builder *self, const char *text, unsigned line,
                     struct mt_topology_end *ret_end)
{
    struct mt_topology *topology = self->topology;
    char name[NAME_SIZE];
    char interface[MT_WORLD_NAME_MAX + 1];
    const char *dot = strchr(text, '.');

    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "."), text);
    *ret_end = (struct mt_topology_end){mt_topology_find_node(topology, name),
                                        mt_topology_find_switch(topology, name), NULL};
    if (ret_end->node == MT_TOPOLOGY_NONE) {
        return ret_end->switch_number != MT_TOPOLOGY_NONE && dot == NULL;
    }
    struct mt_topology_node *node = &topology->nodes[ret_end->node];
    if (node->link_count >= UINT8_MAX || (dot != NULL && strlen(dot + 1) >= sizeof interface)) {
        mt_topology_complain(self->text, line,
                             "%s: expected an interface of at most %d characters, "
                             "and at most %d on a node",
                             text, MT_WORLD_NAME_MAX, UINT8_MAX);
        return false;
    }
    snprintf(interface, sizeof interface, "%s", dot != NULL ? dot + 1 : "");
    for (unsigned i = 0; dot == NULL; i++) {
        snprintf(interface, sizeof interface, "eth%u", node->link_count + i);
        if (!is_taken(topology, ret_end->node, interface)) {
            break;
        }
    }
    if (dot != NULL && is_taken(topology, ret_end->node, interface)) {
        mt_topology_complain(self->text, line, "%s: this interface is joined to something already",
                             text);
        return false;
    }
    node->link_count++;
    ret_end->interface = mt_topology_copy(self->text->pool, interface);
    return ret_end->interface != NULL;
}

/* ---- links ----------------------------------------------------------------------------------- */

static void apply_profile(const struct mt_topology_builder *self, const char *profile,
                          unsigned line, struct mt_topology_link *link)
{
    memset(&link->physics, 0, sizeof link->physics);
    link->trace_file = "";
    link->profile = profile;
    if (profile[0] != '\0') {
        mt_topology_apply(self->text, mt_topology_find_profile(self, "link", profile, line),
                          MT_TOPOLOGY_SCOPE_LINK, link);
    }
    link->profile = profile; /* LIST keys leave a mark in it */
}

static struct mt_topology_link *add_link(struct mt_topology_builder *self, const char *profile,
                                         unsigned line, uint32_t ends)
{
    struct mt_topology *topology = self->topology;
    struct mt_topology_link *links =
        mt_topology_grown(self, topology->links, topology->link_count, sizeof *links);

    topology->links = links != NULL ? links : topology->links;
    if (links == NULL) {
        return NULL;
    }
    struct mt_topology_link *link = &links[topology->link_count];
    *link = (struct mt_topology_link){.line = line};
    apply_profile(self, profile, line, link);
    link->ends = mt_config_pool_take(self->text->pool, ends * sizeof *link->ends);
    return link->ends != NULL ? link : NULL;
}

bool mt_topology_join(struct mt_topology_builder *self, const char *profile, const char *a,
                      const char *b, unsigned line)
{
    struct mt_topology_link *link = add_link(self, profile, line, 2);
    struct mt_topology_end ends[2];

    if (link == NULL || !find_end(self, a, line, &ends[0]) || !find_end(self, b, line, &ends[1])) {
        return false;
    }
    memcpy(link->ends, ends, sizeof ends);
    link->end_count = 2;
    self->topology->link_count++;
    return true;
}

/* "A, B, host1..8" */
static void add_hub(struct mt_topology_builder *self, const char *profile, const char *text,
                    unsigned line)
{
    struct mt_topology_link *link = add_link(self, profile, line, MT_TOPOLOGY_NODES_MAX);

    while (link != NULL && text[0] != '\0') {
        size_t length = strcspn(text, ",");
        struct mt_topology_names names;
        const char *pattern = trimmed(self->text->pool, text, length);
        if (!mt_topology_expand(self, pattern, line, &names)) {
            return;
        }
        for (size_t i = 0; i < names.count && link->end_count < MT_TOPOLOGY_NODES_MAX; i++) {
            if (!find_end(self, names.name[i], line, &link->ends[link->end_count++])) {
                return;
            }
        }
        text += length + (text[length] == ',');
    }
    if (link != NULL && link->end_count < 2) {
        mt_topology_complain(self->text, line, "hub: expected at least two names");
        return;
    }
    self->topology->link_count += link != NULL;
}

/* ---- joins ----------------------------------------------------------------------------------- */

static void join_all(struct mt_topology_builder *self, const char *profile,
                     const struct mt_topology_names *from, const struct mt_topology_names *to,
                     unsigned line)
{
    for (size_t i = 0; i < from->count; i++) {
        for (size_t k = 0; k < to->count; k++) {
            if (!mt_topology_join(self, profile, from->name[i], to->name[k], line)) {
                return;
            }
        }
    }
}

/* "A - B - host1..8": each name of one part with each of the next */
static void join_chain(struct mt_topology_builder *self, const char *profile, const char *text,
                       size_t length, unsigned line)
{
    struct mt_topology_names before = {NULL, 0};
    const char *end = text + length;
    unsigned parts = 0;

    while (text < end) {
        const char *dash = memchr(text, '-', (size_t)(end - text));
        const char *part_end = dash != NULL ? dash : end;
        struct mt_topology_names names;
        const char *pattern = trimmed(self->text->pool, text, (size_t)(part_end - text));
        if (!mt_topology_expand(self, pattern, line, &names)) {
            return;
        }
        if (parts++ > 0) {
            join_all(self, profile, &before, &names, line);
        }
        before = names;
        text = dash != NULL ? dash + 1 : end;
    }
    if (parts < 2) {
        mt_topology_complain(self->text, line,
                             "joins: expected two names with a '-' between them, "
                             "such as A - B");
    }
}

static void join_list(struct mt_topology_builder *self, const char *profile, const char *text,
                      unsigned line)
{
    while (text[0] != '\0') {
        size_t length = strcspn(text, ",");
        join_chain(self, profile, text, length, line);
        text += length + (text[length] == ',');
    }
}

static void add_profile_links(struct mt_topology_builder *self)
{
    for (size_t i = 0; i < self->text->entry_count; i++) {
        const struct mt_topology_entry *entry = &self->text->entries[i];
        const struct mt_topology_section *section = &self->text->sections[entry->section];
        bool is_profile = strcmp(section->word, "link") == 0 && strchr(section->name, '-') == NULL;
        if (is_profile && strcmp(entry->key, "joins") == 0) {
            join_list(self, section->name, entry->value, entry->line);
        } else if (is_profile && strcmp(entry->key, "hub") == 0) {
            add_hub(self, section->name, entry->value, entry->line);
        }
    }
}

/* ---- single links ---------------------------------------------------------------------------- */

static bool is_end(const struct mt_topology *topology, const struct mt_topology_end *end,
                   const char *text)
{
    const char *dot = strchr(text, '.');
    size_t length = strcspn(text, ".");
    const char *name = end->node != MT_TOPOLOGY_NONE ? topology->nodes[end->node].name
                                                     : topology->switches[end->switch_number].name;

    return strlen(name) == length && strncmp(name, text, length) == 0 &&
           (dot == NULL || (end->interface != NULL && strcmp(end->interface, dot + 1) == 0));
}

static bool has_end(const struct mt_topology *topology, const struct mt_topology_link *link,
                    const char *text, uint32_t *ret_at)
{
    for (uint32_t i = 0; i < link->end_count; i++) {
        if (is_end(topology, &link->ends[i], text)) {
            *ret_at = i;
            return true;
        }
    }
    return false;
}

int64_t mt_topology_next_link(const struct mt_topology_builder *self, const char *a, const char *b,
                              uint32_t from)
{
    const struct mt_topology *topology = self->topology;

    for (uint32_t i = from; i < topology->link_count; i++) {
        uint32_t at;
        if (has_end(topology, &topology->links[i], a, &at) &&
            (b == NULL || has_end(topology, &topology->links[i], b, &at))) {
            return i;
        }
    }
    return -1;
}

/* What a section says of the way from A to B is turned round if the link is written B - A. */
static void turn(struct mt_topology_link *link)
{
    mt_real forward = link->physics.jitter_scale_forward;

    link->physics.asymmetry_ns = -link->physics.asymmetry_ns;
    link->physics.jitter_scale_forward = link->physics.jitter_scale_back;
    link->physics.jitter_scale_back = forward;
}

static void change_link(struct mt_topology_builder *self, struct mt_topology_link *link,
                        const struct mt_topology_section *section, const char *a)
{
    struct mt_topology_link scratch = {.profile = ""};
    uint32_t at = 0;

    mt_topology_apply(self->text, section, MT_TOPOLOGY_SCOPE_LINK, &scratch);
    if (scratch.profile != NULL && scratch.profile[0] != '\0') {
        apply_profile(self, scratch.profile, section->line, link);
    }
    bool is_turned = has_end(self->topology, link, a, &at) && at > 0;
    const char *profile = link->profile;
    if (is_turned) {
        turn(link);
    }
    mt_topology_apply(self->text, section, MT_TOPOLOGY_SCOPE_LINK, link);
    link->profile = profile;
    if (is_turned) {
        turn(link);
    }
}

/* The ends of "A - B"; false if it is something else. */
static bool split_ends(const struct mt_topology_builder *self, const char *text, const char **ret_a,
                       const char **ret_b)
{
    const char *dash = strchr(text, '-');

    if (dash == NULL || strchr(dash + 1, '-') != NULL) {
        return false;
    }
    *ret_a = trimmed(self->text->pool, text, (size_t)(dash - text));
    *ret_b = trimmed(self->text->pool, dash + 1, strlen(dash + 1));
    return (*ret_a)[0] != '\0' && (*ret_b)[0] != '\0';
}

static void apply_single_link(struct mt_topology_builder *self,
                              const struct mt_topology_section *section)
{
    struct mt_topology_names names;
    const char *a;
    const char *b;

    if (!split_ends(self, section->name, &a, &b)) {
        mt_topology_complain(self->text, section->line, "[link %s]: expected [link A - B]",
                             section->name);
        return;
    }
    if (!mt_topology_expand(self, a, section->line, &names) ||
        !mt_topology_expand(self, b, section->line, &names)) {
        return;
    }
    if (mt_topology_next_link(self, a, b, 0) < 0 &&
        !mt_topology_join(self, "", a, b, section->line)) {
        return;
    }
    for (int64_t i = mt_topology_next_link(self, a, b, 0); i >= 0;
         i = mt_topology_next_link(self, a, b, (uint32_t)i + 1)) {
        change_link(self, &self->topology->links[i], section, a);
    }
}

/* ---- recorded delays ------------------------------------------------------------------------- */

static bool read_delays(const char *text, size_t length, mt_real *delays, size_t *ret_count)
{
    const char *at = text;
    size_t count = 0;

    while (at < text + length && count < TRACE_MAX) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || !isfinite(value) || value < 0) {
            break;
        }
        delays[count++] = (mt_real)value;
        at = end + strspn(end, " \t\r\n,");
    }
    *ret_count = count;
    return count > 0 && at >= text + length;
}

const char *mt_topology_beside(const struct mt_topology_builder *self, const char *file)
{
    const char *slash = strrchr(self->text->path, '/');
    size_t folder = slash != NULL && file[0] != '/' ? (size_t)(slash - self->text->path) + 1 : 0;
    char *path = mt_config_pool_take(self->text->pool, folder + strlen(file) + 1);

    if (path != NULL) {
        memcpy(path, self->text->path, folder);
        strcpy(path + folder, file);
    }
    return path != NULL ? path : file;
}

static void load_trace(struct mt_topology_builder *self, struct mt_topology_link *link)
{
    const char *path = mt_topology_beside(self, link->trace_file);
    size_t length = 0;
    char *text = link->trace_file[0] != '\0' ? mt_config_read_file(path, &length) : NULL;
    size_t count = 0;

    if (text == NULL) {
        mt_topology_complain(self->text, link->line, "trace = %s: cannot be read: %s",
                             link->trace_file,
                             link->trace_file[0] != '\0' ? strerror(errno) : "no file is named");
        return;
    }
    mt_real *delays = mt_config_pool_take(self->text->pool, (length / 2 + 2) * sizeof *delays);
    char *ended = realloc(text, length + 1);
    text = ended != NULL ? ended : text;
    if (delays == NULL || ended == NULL ||
        (text[length] = '\0', !read_delays(text, length, delays, &count))) {
        mt_topology_complain(self->text, link->line,
                             "trace = %s: expected delays in ns, one a line, at most %d",
                             link->trace_file, TRACE_MAX);
    }
    link->physics.trace_ns = delays;
    link->physics.trace_count = count;
    free(text);
}

/* Links of one profile share what was loaded. */
static void load_traces(struct mt_topology_builder *self)
{
    struct mt_topology *topology = self->topology;

    for (uint32_t i = 0; i < topology->link_count; i++) {
        struct mt_topology_link *link = &topology->links[i];
        if (link->physics.jitter != MT_SIM_JITTER_TRACE) {
            continue;
        }
        for (uint32_t k = 0; k < i; k++) {
            const struct mt_topology_link *other = &topology->links[k];
            if (other->physics.trace_ns != NULL &&
                strcmp(other->trace_file, link->trace_file) == 0) {
                link->physics.trace_ns = other->physics.trace_ns;
                link->physics.trace_count = other->physics.trace_count;
                break;
            }
        }
        if (link->physics.trace_ns == NULL) {
            load_trace(self, link);
        }
    }
}

void mt_topology_add_links(struct mt_topology_builder *self)
{
    add_profile_links(self);
    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section *section = &self->text->sections[i];
        if (strcmp(section->word, "link") == 0 && strchr(section->name, '-') != NULL) {
            apply_single_link(self, section);
        }
    }
    load_traces(self);
}
