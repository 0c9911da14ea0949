/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Whole networks from a few numbers.  A generator names nodes and joins them, nothing else: what
 * the nodes are comes from [kind NAME] as for any other.  Where there are loops, the
 * best-transmitter algorithm of the nodes cuts them.
 */
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

#define NAME_SIZE 64

struct generator {
    struct mt_topology_builder *builder;
    struct mt_topology_generator what;
};

static void name_it(const struct generator *self, const char *stem, uint32_t number,
                    char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s%s%u", self->what.prefix, stem, number);
}

static bool add_all(struct generator *self, const char *stem, const char *kind, uint32_t count)
{
    char name[NAME_SIZE];

    for (uint32_t i = 1; i <= count; i++) {
        name_it(self, stem, i, name);
        if (!mt_topology_add_node(self->builder, name, kind, self->what.line)) {
            return false;
        }
    }
    return true;
}

static bool join(struct generator *self, const char *a_stem, uint32_t a, const char *b_stem,
                 uint32_t b)
{
    char names[2][NAME_SIZE];

    name_it(self, a_stem, a, names[0]);
    name_it(self, b_stem, b, names[1]);
    return mt_topology_join(self->builder, self->what.link, names[0], names[1], self->what.line);
}

/* ---- the networks ---------------------------------------------------------------------------- */

/*   gm1 - bc1 - rx1, rx2 ...     gm1 - rx1, rx2 ...     gm1, rx1, rx2 ... round a switch */
static void make_star(struct generator *self)
{
    const char *centre = self->what.centre;
    bool is_grandmaster = strcmp(centre, "grandmaster") == 0;
    bool is_boundary = strcmp(centre, "boundary") == 0;
    char name[NAME_SIZE];

    if (!is_grandmaster && !is_boundary &&
        mt_topology_find_switch(self->builder->topology, centre) == MT_TOPOLOGY_NONE) {
        mt_topology_complain(self->builder->text, self->what.line,
                             "centre = %s: expected boundary, grandmaster, or the name of a "
                             "[switch NAME]",
                             centre);
        return;
    }
    if (!add_all(self, "gm", "grandmaster", 1) ||
        (is_boundary && !add_all(self, "bc", "boundary", 1)) ||
        !add_all(self, "rx", "receiver", self->what.receivers)) {
        return;
    }
    snprintf(name, sizeof name, "%s%s", is_grandmaster || is_boundary ? self->what.prefix : "",
             is_grandmaster ? "gm1"
             : is_boundary  ? "bc1"
                            : centre);
    for (uint32_t i = is_grandmaster ? 1 : 0; i <= self->what.receivers; i++) {
        char other[NAME_SIZE];
        name_it(self, i == 0 ? "gm" : "rx", i == 0 ? 1 : i, other);
        const char *first = i == 0 ? other : name;
        const char *second = i == 0 ? name : other;
        if (!mt_topology_join(self->builder, self->what.link, first, second, self->what.line)) {
            return;
        }
    }
}

/*   gm1 - bc1 - bc2 - ...        gm1 - tc1 - tc2 - ... - rx1 */
static void make_chain(struct generator *self)
{
    const char *of = self->what.centre;
    bool is_boundary = strcmp(of, "boundary") == 0;
    const char *stem = is_boundary ? "bc" : "tc";

    if (!is_boundary && strcmp(of, "transparent") != 0 && strcmp(of, "peer_transparent") != 0) {
        mt_topology_complain(self->builder->text, self->what.line,
                             "of = %s: expected boundary, transparent or peer_transparent", of);
        return;
    }
    if (!add_all(self, "gm", "grandmaster", 1) || !add_all(self, stem, of, self->what.clocks) ||
        !add_all(self, "rx", "receiver", is_boundary ? 0 : 1) || !join(self, "gm", 1, stem, 1)) {
        return;
    }
    for (uint32_t i = 2; i <= self->what.clocks; i++) {
        if (!join(self, stem, i - 1, stem, i)) {
            return;
        }
    }
    if (!is_boundary) {
        join(self, stem, self->what.clocks, "rx", 1);
    }
}

/*   gm1 - bc1 - bc2 - ... - bcN - bc1, and receivers behind each */
static void make_ring(struct generator *self)
{
    uint32_t clocks = self->what.clocks;
    uint32_t each = self->what.receivers;

    if (!add_all(self, "gm", "grandmaster", 1) || !add_all(self, "bc", "boundary", clocks) ||
        !add_all(self, "rx", "receiver", clocks * each) || !join(self, "gm", 1, "bc", 1)) {
        return;
    }
    for (uint32_t i = 1; i <= clocks; i++) {
        if (!join(self, "bc", i, "bc", i % clocks + 1)) {
            return;
        }
    }
    for (uint32_t i = 0; i < clocks * each; i++) {
        if (!join(self, "bc", i / each + 1, "rx", i + 1)) {
            return;
        }
    }
}

static bool join_mesh(struct generator *self, const char *upper, uint32_t uppers, const char *lower,
                      uint32_t lowers)
{
    for (uint32_t i = 1; i <= uppers; i++) {
        for (uint32_t k = 1; k <= lowers; k++) {
            if (!join(self, upper, i, lower, k)) {
                return false;
            }
        }
    }
    return true;
}

static void make_leaf_spine(struct generator *self)
{
    const struct mt_topology_generator *what = &self->what;

    if (!add_all(self, "gm", "grandmaster", what->grandmasters) ||
        !add_all(self, "spine", "spine", what->spines) ||
        !add_all(self, "leaf", "leaf", what->leaves) ||
        !add_all(self, "server", "server", what->servers) ||
        !join_mesh(self, "gm", what->grandmasters, "spine", what->spines) ||
        !join_mesh(self, "spine", what->spines, "leaf", what->leaves)) {
        return;
    }
    for (uint32_t i = 0; i < what->servers; i++) {
        uint32_t leaf = (uint32_t)((uint64_t)i * what->leaves / what->servers);
        if (!join(self, "leaf", leaf + 1, "server", i + 1)) {
            return;
        }
    }
}

void mt_topology_generate(struct mt_topology_builder *self)
{
    static const struct {
        const char *word;
        enum mt_topology_scope scope;
        void (*make)(struct generator *self);
    } generators[] = {
        {"star", MT_TOPOLOGY_SCOPE_STAR, make_star},
        {"chain", MT_TOPOLOGY_SCOPE_CHAIN, make_chain},
        {"ring", MT_TOPOLOGY_SCOPE_RING, make_ring},
        {"leaf-spine", MT_TOPOLOGY_SCOPE_LEAF_SPINE, make_leaf_spine},
    };

    for (size_t i = 0; i < sizeof generators / sizeof generators[0]; i++) {
        const struct mt_topology_section *section =
            mt_topology_text_find(self->text, generators[i].word, "");
        struct generator generator = {
            self,
            {.receivers = generators[i].scope == MT_TOPOLOGY_SCOPE_STAR ? 8 : 0,
             .clocks = generators[i].scope == MT_TOPOLOGY_SCOPE_RING ? 6 : 10,
             .grandmasters = 2,
             .spines = 2,
             .leaves = 4,
             .servers = 16,
             .centre = "boundary",
             .link = "",
             .prefix = ""}};
        if (section != NULL) {
            generator.what.line = section->line;
            mt_topology_apply(self->text, section, generators[i].scope, &generator.what);
            generators[i].make(&generator);
        }
    }
}
