/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a topology file may say, told to people by `meantime sim --keys` and to the manual page,
 * from the table that the parser reads.
 */
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

static const struct {
    const char *heading;
    enum mt_topology_scope scope;
    const char *help;
} scopes[] = {
    {"[sim]", MT_TOPOLOGY_SCOPE_SIM, "the run"},
    {"[oscillator NAME]", MT_TOPOLOGY_SCOPE_OSCILLATOR, "a kind of oscillator"},
    {"[node NAME], [kind NAME]", MT_TOPOLOGY_SCOPE_NODE,
     "a machine, or the defaults of a kind of machine"},
    {"[link NAME], [link A - B]", MT_TOPOLOGY_SCOPE_LINK, "a kind of link, or a single one"},
    {"[switch NAME]", MT_TOPOLOGY_SCOPE_SWITCH, "a plain switch, without PTP"},
    {"[star], [chain], [ring], [leaf-spine]", MT_TOPOLOGY_SCOPE_GENERATOR,
     "whole networks; in all of them"},
    {"[star]", MT_TOPOLOGY_SCOPE_STAR, "receivers round a centre"},
    {"[chain]", MT_TOPOLOGY_SCOPE_CHAIN, "boundary clocks in a row"},
    {"[ring]", MT_TOPOLOGY_SCOPE_RING, "boundary clocks in a ring"},
    {"[leaf-spine]", MT_TOPOLOGY_SCOPE_LEAF_SPINE, "a data centre"},
    {"[expect], [expect PATTERN]", MT_TOPOLOGY_SCOPE_EXPECT,
     "what must hold of all judged nodes, or of those whose name or kind matches"},
};

#define SCOPE_COUNT (sizeof scopes / sizeof scopes[0])

bool mt_topology_describe(size_t n, struct mt_topology_description *ret_description)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        const struct mt_topology_key *key;
        for (size_t k = 0; (key = mt_topology_key(k)) != NULL; k++) {
            if (key->scope == scopes[i].scope && n-- == 0) {
                *ret_description = (struct mt_topology_description){
                    scopes[i].heading, scopes[i].help, key->name, key->fallback, "", key->help};
                return true;
            }
        }
    }
    ret_description->heading = "[at TIME]";
    ret_description->section = "what happens then, in sentences.  Many of them may end in `for "
                               "TIME`, and are taken back after that.  Names may be patterns";
    return mt_topology_describe_verb(n, ret_description);
}

/* Goes on in a column; new lines are indented. */
static void print_wrapped(FILE *out, const char *text, size_t column, int indent)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column + length + 1 > 78) {
            fprintf(out, "\n%*s", indent - 1, "");
            column = (size_t)indent - 1;
        }
        fprintf(out, " %.*s", (int)length, text);
        column += length + 1;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void mt_topology_print_keys(FILE *out)
{
    struct mt_topology_description one;
    const char *heading = "";

    for (size_t n = 0; mt_topology_describe(n, &one); n++) {
        if (strcmp(one.heading, heading) != 0) {
            fprintf(out, "%s%s:", n > 0 ? "\n" : "", one.heading);
            print_wrapped(out, one.section, strlen(one.heading) + 1, 6);
            heading = one.heading;
        }
        fprintf(out, "    %s", one.name);
        if (one.fallback[0] != '\0') {
            fprintf(out, " (default: %s)", one.fallback);
        }
        if (one.example[0] != '\0') {
            fprintf(out, " (such as: %s)", one.example);
        }
        print_wrapped(out, one.help, 79, 8);
    }
}
