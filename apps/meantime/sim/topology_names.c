/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Names of nodes and switches as people write them: one, a range such as host1..8, or a pattern
 * such as spine*.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

bool mt_topology_is_range(const char *text, char prefix[MT_CONFIG_NAME_MAX + 1],
                          unsigned *ret_first, unsigned *ret_last)
{
    const char *dots = strstr(text, "..");
    size_t digits = dots != NULL ? strspn(dots + 2, "0123456789") : 0;
    const char *first = dots;

    while (first != NULL && first > text && strchr("0123456789", first[-1]) != NULL) {
        first--;
    }
    if (digits == 0 || digits > 6 || dots[2 + digits] != '\0' || first == dots ||
        dots - first > 6 || first - text > MT_CONFIG_NAME_MAX - 6) {
        return false;
    }
    snprintf(prefix, MT_CONFIG_NAME_MAX + 1, "%.*s", (int)(first - text), text);
    *ret_first = (unsigned)strtoul(first, NULL, 10);
    *ret_last = (unsigned)strtoul(dots + 2, NULL, 10);
    return *ret_first <= *ret_last && *ret_last - *ret_first < MT_TOPOLOGY_NODES_MAX;
}

static bool is_in_range(const char *range, const char *name)
{
    char prefix[MT_CONFIG_NAME_MAX + 1];
    char number[16];
    unsigned first;
    unsigned last;

    if (!mt_topology_is_range(range, prefix, &first, &last) ||
        strncmp(name, prefix, strlen(prefix)) != 0) {
        return false;
    }
    const char *rest = name + strlen(prefix);
    unsigned value = (unsigned)strtoul(rest, NULL, 10);
    snprintf(number, sizeof number, "%u", value);
    return strcmp(number, rest) == 0 && value >= first && value <= last;
}

bool mt_topology_names_node(const char *name, const char *node)
{
    return strcmp(name, node) == 0 || is_in_range(name, node);
}

static const char *known_name(const void *names, size_t n)
{
    const struct mt_topology *topology = names;

    return n < topology->node_count ? topology->nodes[n].name
                                    : topology->switches[n - topology->node_count].name;
}

static size_t known_count(const struct mt_topology *topology)
{
    return (size_t)topology->node_count + topology->switch_count;
}

bool mt_topology_is_known(const struct mt_topology *topology, const char *name)
{
    char node[64];

    snprintf(node, sizeof node, "%.*s", (int)strcspn(name, "."), name);
    return mt_topology_find_node(topology, node) != MT_TOPOLOGY_NONE ||
           mt_topology_find_switch(topology, name) != MT_TOPOLOGY_NONE;
}

static void refuse_name(const struct mt_topology_builder *self, const char *name, unsigned line)
{
    const char *nearest =
        mt_config_nearest(name, known_name, self->topology, known_count(self->topology));

    mt_topology_complain(self->text, line, "%s: there is no such node or switch%s%s%s", name,
                         nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "?" : "");
}

static size_t list_range(const struct mt_topology_builder *self, const char *pattern,
                         const char **names)
{
    char prefix[MT_CONFIG_NAME_MAX + 1];
    char name[MT_CONFIG_NAME_MAX + 16];
    unsigned first;
    unsigned last;
    size_t count = 0;

    mt_topology_is_range(pattern, prefix, &first, &last);
    for (unsigned i = first; i <= last; i++) {
        snprintf(name, sizeof name, "%s%u", prefix, i);
        if (names != NULL) {
            names[count] = mt_topology_copy(self->text->pool, name);
            names[count] = names[count] != NULL ? names[count] : "";
        }
        count++;
    }
    return count;
}

static size_t list_matches(const struct mt_topology_builder *self, const char *pattern,
                           const char **names)
{
    size_t count = 0;

    for (size_t i = 0; i < known_count(self->topology); i++) {
        const char *name = known_name(self->topology, i);
        if (fnmatch(pattern, name, 0) == 0) {
            if (names != NULL) {
                names[count] = name;
            }
            count++;
        }
    }
    return count;
}

bool mt_topology_expand(const struct mt_topology_builder *self, const char *pattern, unsigned line,
                        struct mt_topology_names *ret_names)
{
    char prefix[MT_CONFIG_NAME_MAX + 1];
    unsigned first;
    unsigned last;
    bool has_range = mt_topology_is_range(pattern, prefix, &first, &last);
    bool is_pattern = strpbrk(pattern, "*?[") != NULL;
    size_t (*list)(const struct mt_topology_builder *, const char *, const char **) =
        has_range ? list_range : list_matches;
    size_t count = has_range || is_pattern ? list(self, pattern, NULL) : 1;
    const char **names = mt_config_pool_take(self->text->pool, (count + 1) * sizeof *names);

    if (names == NULL || count == 0) {
        refuse_name(self, pattern, line);
        return false;
    }
    if (has_range || is_pattern) {
        list(self, pattern, names);
    } else {
        names[0] = mt_topology_copy(self->text->pool, pattern);
    }
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL || !mt_topology_is_known(self->topology, names[i])) {
            refuse_name(self, names[i] != NULL ? names[i] : pattern, line);
            return false;
        }
    }
    *ret_names = (struct mt_topology_names){names, count};
    return true;
}
