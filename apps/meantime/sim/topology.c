/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From sections to the network that will be built.  What a node is comes from four places, the
 * most general first: its oscillator, its kind, and the sections of the node itself; a link's from
 * its profile and from [link A - B].  Each section is tried on a scratch object first, so that
 * problems of those that nobody uses are found as well.
 */
#include "apps/meantime/sim/topology.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

void *mt_topology_grown(const struct mt_topology_builder *self, void *array, size_t count,
                        size_t size)
{
    bool is_full = (count & (count - 1)) == 0; /* capacities are powers of two */
    void *larger = is_full ? realloc(array, (count == 0 ? 1 : 2 * count) * size) : array;

    if (larger == NULL) {
        mt_config_problem_add(self->text->problems, self->text->path, 0, "out of memory");
    }
    return larger;
}

uint32_t mt_topology_find_node(const struct mt_topology *self, const char *name)
{
    for (uint32_t i = 0; i < self->node_count; i++) {
        if (strcmp(self->nodes[i].name, name) == 0) {
            return i;
        }
    }
    return MT_TOPOLOGY_NONE;
}

uint32_t mt_topology_find_switch(const struct mt_topology *self, const char *name)
{
    for (uint32_t i = 0; i < self->switch_count; i++) {
        if (strcmp(self->switches[i].name, name) == 0) {
            return i;
        }
    }
    return MT_TOPOLOGY_NONE;
}

/* ---- [sim] ----------------------------------------------------------------------------------- */

static const char *title_of(const struct mt_topology_builder *self)
{
    const char *slash = strrchr(self->text->path, '/');
    char *title = mt_topology_copy(self->text->pool, slash != NULL ? slash + 1 : self->text->path);
    char *dot = title != NULL ? strrchr(title, '.') : NULL;

    if (dot != NULL && dot != title) {
        *dot = '\0';
    }
    return title != NULL ? title : "";
}

static void read_run(struct mt_topology_builder *self, const char **ret_reference)
{
    struct mt_topology_sim sim = {
        .run = {.title = title_of(self),
                .duration_ns = INT64_C(60000000000),
                .reading_interval_ns = 125000000,
                .start_within_ns = MT_NS_PER_S,
                .seed = 1,
                .limit_ns = 1000,
                .reference = MT_TOPOLOGY_NONE},
        .reference = "",
    };
    const struct mt_topology_section *section = mt_topology_text_find(self->text, "sim", "");
    struct mt_topology_run *run = &sim.run;

    mt_topology_apply(self->text, section, MT_TOPOLOGY_SCOPE_SIM, &sim);
    run->discard_ns = (int64_t)(sim.discard.ns + sim.discard.share * (double)run->duration_ns);
    if (run->discard_ns >= run->duration_ns) {
        mt_topology_complain(self->text, section != NULL ? section->line : 0,
                             "duration is %.10g s and discard %.10g s: nothing would be left to "
                             "judge; the duration must be longer",
                             (double)run->duration_ns / 1e9, (double)run->discard_ns / 1e9);
    }
    self->topology->run = *run;
    *ret_reference = sim.reference;
}

/* ---- trying every section -------------------------------------------------------------------- */

static bool scope_of(const char *word, enum mt_topology_scope *ret_scope)
{
    static const struct {
        const char *word;
        enum mt_topology_scope scope;
    } scopes[] = {
        {"oscillator", MT_TOPOLOGY_SCOPE_OSCILLATOR},
        {"kind", MT_TOPOLOGY_SCOPE_NODE},
        {"node", MT_TOPOLOGY_SCOPE_NODE},
        {"link", MT_TOPOLOGY_SCOPE_LINK},
        {"switch", MT_TOPOLOGY_SCOPE_SWITCH},
        {"expect", MT_TOPOLOGY_SCOPE_EXPECT},
    };

    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        if (strcmp(scopes[i].word, word) == 0) {
            *ret_scope = scopes[i].scope;
            return true;
        }
    }
    return false;
}

static void try_sections(const struct mt_topology_builder *self)
{
    union {
        struct mt_topology_node node;
        struct mt_topology_link link;
        struct mt_topology_switch plain_switch;
        struct mt_topology_expectation expectation;
    } scratch;
    enum mt_topology_scope scope;

    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section *section = &self->text->sections[i];
        memset(&scratch, 0, sizeof scratch);
        if (scope_of(section->word, &scope)) {
            mt_topology_apply(self->text, section, scope, &scratch);
        }
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

/* All sections of a node, of the kind, and then of its own name or a range with it. */
static void apply_node_sections(const struct mt_topology_builder *self, const char *name,
                                struct mt_topology_node *node)
{
    const char *kind = node->kind;

    mt_topology_apply(self->text, mt_topology_text_find(self->text, "kind", kind),
                      MT_TOPOLOGY_SCOPE_NODE, node);
    node->kind = kind; /* a kind has none */
    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section *section = &self->text->sections[i];
        if (strcmp(section->word, "node") == 0 && mt_topology_names_node(section->name, name)) {
            mt_topology_apply(self->text, section, MT_TOPOLOGY_SCOPE_NODE, node);
        }
    }
}

static const char *section_name(const void *names, size_t n)
{
    const struct mt_topology_text *text = names;

    return text->sections[n].name;
}

const struct mt_topology_section *mt_topology_find_profile(const struct mt_topology_builder *self,
                                                           const char *word, const char *name,
                                                           unsigned line)
{
    const struct mt_topology_section *section = mt_topology_text_find(self->text, word, name);
    const char *nearest;

    if (section == NULL) {
        nearest = mt_config_nearest(name, section_name, self->text, self->text->section_count);
        nearest = nearest != NULL && mt_topology_text_find(self->text, word, nearest) != NULL
                      ? nearest
                      : NULL;
        mt_topology_complain(self->text, line, "%s: there is no [%s %s]%s%s%s", name, word, name,
                             nearest != NULL ? "; did you mean " : "",
                             nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    }
    return section;
}

static struct mt_topology_node blank_node(const char *kind)
{
    return (struct mt_topology_node){
        .kind = kind,
        .start_ns = -1,
        .gives_time = strcmp(kind, "grandmaster") == 0 || strcmp(kind, "ntp_server") == 0,
        .knows_utc = true,
        .oscillator = "",
        .asks = "",
        .is_ntp_only = strcmp(kind, "ntp_server") == 0 || strcmp(kind, "ntp_client") == 0,
        .config_file = "",
    };
}

static bool is_builtin(const char *kind)
{
    static const char *const kinds[] = {"node", "grandmaster", "boundary",   "receiver",  "spine",
                                        "leaf", "server",      "ntp_server", "ntp_client"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], kind) == 0) {
            return true;
        }
    }
    return false;
}

/* First the kind, then with it the oscillator, then everything in its order. */
static void read_node(const struct mt_topology_builder *self, const char *name, const char *kind,
                      unsigned line, struct mt_topology_node *ret_node)
{
    struct mt_topology_node scratch = blank_node(kind);
    const char *oscillator;

    apply_node_sections(self, name, &scratch);
    *ret_node = blank_node(scratch.kind);
    if (!is_builtin(scratch.kind)) {
        mt_topology_find_profile(self, "kind", scratch.kind, line);
    }
    scratch = *ret_node;
    apply_node_sections(self, name, &scratch);
    oscillator = scratch.oscillator;
    if (oscillator[0] != '\0') {
        mt_topology_apply(self->text,
                          mt_topology_find_profile(self, "oscillator", oscillator, line),
                          MT_TOPOLOGY_SCOPE_OSCILLATOR, ret_node);
    }
    apply_node_sections(self, name, ret_node);
    ret_node->line = line;
}

bool mt_topology_add_node(struct mt_topology_builder *self, const char *name, const char *kind,
                          unsigned line)
{
    struct mt_topology *topology = self->topology;
    struct mt_topology_node *nodes =
        mt_topology_grown(self, topology->nodes, topology->node_count, sizeof *nodes);

    topology->nodes = nodes != NULL ? nodes : topology->nodes;
    if (nodes == NULL) {
        return false;
    }
    if (!mt_topology_is_name(name) || topology->node_count >= MT_TOPOLOGY_NODES_MAX) {
        mt_topology_complain(self->text, line,
                             "%s: expected a name of letters, digits and '_', at most %d; and at "
                             "most %d nodes",
                             name, MT_CONFIG_NAME_MAX, MT_TOPOLOGY_NODES_MAX);
        return false;
    }
    if (mt_topology_is_known(topology, name)) {
        mt_topology_complain(self->text, line, "%s: there is a node or switch of that name already",
                             name);
        return false;
    }
    struct mt_topology_node *node = &nodes[topology->node_count];
    read_node(self, name, kind, line, node);
    node->name = mt_topology_copy(self->text->pool, name);
    topology->node_count += node->name != NULL;
    return node->name != NULL;
}

static void add_switches(struct mt_topology_builder *self)
{
    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section *section = &self->text->sections[i];
        struct mt_topology *topology = self->topology;
        if (strcmp(section->word, "switch") != 0) {
            continue;
        }
        struct mt_topology_switch *switches =
            mt_topology_grown(self, topology->switches, topology->switch_count, sizeof *switches);
        topology->switches = switches != NULL ? switches : topology->switches;
        if (switches == NULL || !mt_topology_is_name(section->name)) {
            mt_topology_complain(self->text, section->line,
                                 "[switch %s]: expected a name of letters, digits and '_'",
                                 section->name);
            continue;
        }
        switches[topology->switch_count] =
            (struct mt_topology_switch){.name = section->name, .line = section->line};
        mt_topology_apply(self->text, section, MT_TOPOLOGY_SCOPE_SWITCH,
                          &switches[topology->switch_count++]);
    }
}

/* [node A] or [node host1..8]; those that a generator has made are changed only. */
static void add_nodes(struct mt_topology_builder *self)
{
    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section section = self->text->sections[i];
        char prefix[MT_CONFIG_NAME_MAX + 1] = "";
        char name[MT_CONFIG_NAME_MAX + 16];
        unsigned first = 0;
        unsigned last = 0;

        if (strcmp(section.word, "node") != 0) {
            continue;
        }
        bool has_range = mt_topology_is_range(section.name, prefix, &first, &last);
        for (unsigned n = first; n <= last; n++) {
            snprintf(name, sizeof name, "%s%u", prefix, n);
            const char *one = has_range ? name : section.name;
            if (mt_topology_find_node(self->topology, one) == MT_TOPOLOGY_NONE &&
                !mt_topology_add_node(self, one, "node", section.line)) {
                break;
            }
        }
    }
}

static void refuse_idle_kinds(const struct mt_topology_builder *self)
{
    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section *section = &self->text->sections[i];
        bool is_used = strcmp(section->word, "kind") != 0;
        for (uint32_t n = 0; !is_used && n < self->topology->node_count; n++) {
            is_used = strcmp(self->topology->nodes[n].kind, section->name) == 0;
        }
        if (!is_used) {
            mt_topology_complain(self->text, section->line, "[kind %s]: no node is of this kind",
                                 section->name);
        }
    }
}

/* ---- expectations ---------------------------------------------------------------------------- */

static bool matches_any(const struct mt_topology *topology, const char *pattern)
{
    for (uint32_t i = 0; i < topology->node_count; i++) {
        if (fnmatch(pattern, topology->nodes[i].name, 0) == 0 ||
            fnmatch(pattern, topology->nodes[i].kind, 0) == 0) {
            return true;
        }
    }
    return false;
}

static void read_expectations(struct mt_topology_builder *self)
{
    struct mt_topology *topology = self->topology;

    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section *section = &self->text->sections[i];
        if (strcmp(section->word, "expect") != 0) {
            continue;
        }
        struct mt_topology_expectation *all = mt_topology_grown(
            self, topology->expectations, topology->expectation_count, sizeof *all);
        const char *pattern = section->name[0] != '\0' ? section->name : "*";
        if (all == NULL) {
            return;
        }
        topology->expectations = all;
        if (!matches_any(topology, pattern)) {
            mt_topology_complain(self->text, section->line,
                                 "[expect %s]: no node has such a name or kind", pattern);
        }
        all[topology->expectation_count] = (struct mt_topology_expectation){
            .pattern = pattern,
            .max_error_ns = -1,
            .rms_ns = -1,
            .mean_ns = -1,
            .p99_ns = -1,
            .inside_bound = -1,
            .synchronised_within_s = -1,
            .line = section->line,
        };
        mt_topology_apply(self->text, section, MT_TOPOLOGY_SCOPE_EXPECT,
                          &all[topology->expectation_count++]);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void find_reference(struct mt_topology_builder *self, const char *name)
{
    if (name[0] == '\0') {
        return;
    }
    self->topology->run.reference = mt_topology_find_node(self->topology, name);
    if (self->topology->run.reference == MT_TOPOLOGY_NONE) {
        const struct mt_topology_section *sim = mt_topology_text_find(self->text, "sim", "");
        mt_topology_complain(self->text, sim->line, "reference = %s: there is no such node", name);
        return;
    }
    self->topology->nodes[self->topology->run.reference].gives_time = true;
}

static void build(struct mt_topology_builder *self)
{
    const char *reference;

    read_run(self, &reference);
    try_sections(self);
    add_switches(self);
    mt_topology_generate(self);
    add_nodes(self);
    if (self->topology->node_count == 0) {
        mt_config_problem_add(self->text->problems, self->text->path, 0,
                              "there is no node; a network is [node A] ... with [link cable] and "
                              "joins = A - B, or one of [star], [chain], [ring] and [leaf-spine]");
    }
    mt_topology_add_links(self);
    find_reference(self, reference);
    refuse_idle_kinds(self);
    read_expectations(self);
    if (self->text->problems->count == 0) { /* each node would say the same again */
        mt_topology_configure(self);
    }
    mt_topology_read_timeline(self);
}

bool mt_topology_parse(const char *text, size_t length, const char *path,
                       const char *const *settings, size_t setting_count,
                       struct mt_topology **ret_topology, struct mt_config_problems *problems)
{
    struct mt_topology *topology = calloc(1, sizeof *topology);

    problems->count = 0;
    problems->omitted = 0;
    if (topology == NULL) {
        mt_config_problem_add(problems, path, 0, "out of memory");
        return false;
    }
    struct mt_topology_text source = {.path = path, .pool = &topology->pool, .problems = problems};
    struct mt_topology_builder builder = {topology, &source};
    mt_topology_text_read(&source, text, length, settings, setting_count);
    build(&builder);
    mt_topology_text_free(&source);
    if (problems->count > 0) {
        mt_topology_free(topology);
        return false;
    }
    *ret_topology = topology;
    return true;
}

bool mt_topology_load(const char *path, const char *const *settings, size_t setting_count,
                      struct mt_topology **ret_topology, struct mt_config_problems *problems)
{
    size_t length;
    char *text = mt_config_read_first(path, &length, problems);

    if (text == NULL) {
        return false;
    }
    bool is_good =
        mt_topology_parse(text, length, path, settings, setting_count, ret_topology, problems);
    free(text);
    return is_good;
}

void mt_topology_free(struct mt_topology *self)
{
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->node_count; i++) {
        mt_config_free(self->nodes[i].config);
    }
    free(self->nodes);
    free(self->links);
    free(self->switches);
    free(self->events);
    free(self->happenings);
    free(self->expectations);
    mt_config_pool_free(&self->pool);
    free(self);
}
