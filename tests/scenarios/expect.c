/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * EXPECT lines: what a scenario says must be.  Each returns what is, as text, when it is not as
 * expected, so that a sweep can wait for it and a plain run can complain.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_transparent.h"

static char actual[160];

static const char *differs(const char *what, int64_t value)
{
    snprintf(actual, sizeof actual, "%s is %lld", what, (long long)value);
    return actual;
}

static uint16_t port_at(const struct world *world, const struct words *words, unsigned i)
{
    int64_t port = words_number(words, words_at(words, i));
    if (port < 1 || port > world->port_count) {
        words_die(words, "there is no port %lld", (long long)port);
    }
    return (uint16_t)port;
}

static const char *expect_count(const struct words *words, unsigned i, const char *what,
                                uint64_t count)
{
    return words_compare(words, i, (int64_t)count) ? NULL : differs(what, (int64_t)count);
}

static const char *expect_state(struct world *world, const struct words *words)
{
    enum mt_port_state state = mt_port_state_of(&world->instance, port_at(world, words, 1));
    if (state == words_state(words, words_at(words, 2))) {
        return NULL;
    }
    snprintf(actual, sizeof actual, "the state is %s", state_name(state));
    return actual;
}

static const char *expect_identity(struct world *world, const struct words *words,
                                   struct mt_clock_identity is)
{
    const char *name = words_at(words, 1);
    struct mt_clock_identity expected =
        strcmp(name, "own") == 0 ? world->config.identity : peer_find(world, name)->identity.clock;
    return mt_clock_identity_equal(&is, &expected) ? NULL : differs("the identity", is.octet[7]);
}

static const char *expect_parent(struct world *world, const struct words *words)
{
    return expect_identity(world, words, mt_instance_parent(&world->instance)->sender.clock);
}

static const char *expect_gm(struct world *world, const struct words *words)
{
    return expect_identity(world, words, mt_instance_parent(&world->instance)->grandmaster);
}

static const char *expect_receiving(struct world *world, const struct words *words)
{
    uint16_t port = mt_instance_receiving_port(&world->instance);
    return expect_count(words, 1, "the receiving port", port);
}

/* TX port type [operator number]; without: at least one */
static const char *expect_tx(struct world *world, const struct words *words)
{
    uint16_t port = port_at(world, words, 1);
    unsigned sent = world->seen[port - 1].sent[words_type(words, words_at(words, 2))];
    if (words->count > 3) {
        return expect_count(words, 3, "sent", sent);
    }
    return sent > 0 ? NULL : differs("sent", sent);
}

/* NO TX port [type] */
static const char *expect_no_tx(struct world *world, const struct words *words)
{
    uint16_t port = port_at(world, words, 2);
    unsigned sent = 0;
    for (unsigned type = 0; type < 16; type++) {
        if (words->count <= 3 || words_type(words, words_at(words, 3)) == (enum mt_ptp_type)type) {
            sent += world->seen[port - 1].sent[type];
        }
    }
    return sent == 0 ? NULL : differs("sent", sent);
}

static const char *expect_verdict(struct world *world, const struct words *words)
{
    const struct mt_port *port = &world->ports[port_at(world, words, 1) - 1];
    enum mt_verdict verdict = words_verdict(words, words_at(words, 2));
    return expect_count(words, 3, "the counter", port->verdicts[verdict]);
}

static const char *expect_ns(const struct words *words, unsigned i, int64_t is_ns)
{
    int64_t expected_ns = words_ns_at(words, &i);
    int64_t within_ns = 0;
    if (words_is(words, i, "within")) {
        i++;
        within_ns = words_ns_at(words, &i);
    }
    return llabs(is_ns - expected_ns) <= within_ns ? NULL : differs("ns", is_ns);
}

/* LINK port delay: the mean link delay; LINK port none: it is not known */
static const char *expect_link(struct world *world, const struct words *words)
{
    struct mt_peer_report link;
    mt_peer_get(&world->links[port_at(world, words, 1) - 1], &link);
    if (words_is(words, 2, "none")) {
        return link.has_delay ? "the link delay is known" : NULL;
    }
    return link.has_delay ? expect_ns(words, 2, mt_interval_to_ns(link.delay))
                          : "the link delay is not known";
}

static const char *expect_capable(struct world *world, const struct words *words)
{
    struct mt_peer_report link;
    mt_peer_get(&world->links[port_at(world, words, 1) - 1], &link);
    return link.is_as_capable == words_is(words, 2, "yes") ? NULL : "it is the other way round";
}

static const char *expect_mechanism(struct world *world, const struct words *words)
{
    enum mt_delay_mechanism used =
        mt_port_delay_mechanism(&world->ports[port_at(world, words, 1) - 1]);
    return (used == MT_DELAY_P2P) == words_is(words, 2, "p2p") ? NULL : "it is another";
}

static const char *expect_offset(struct world *world, const struct words *words)
{
    return expect_ns(words, 2, world->seen[port_at(world, words, 1) - 1].offset_ns);
}

static const char *expect_counter(struct world *world, const struct words *words)
{
    const struct mt_port *port = &world->ports[port_at(world, words, 1) - 1];
    enum mt_port_counter counter = words_counter(words, words_at(words, 2));
    return expect_count(words, 3, "the counter", port->counters[counter]);
}

static const char *expect_samples(struct world *world, const struct words *words)
{
    const struct mt_port *port = &world->ports[port_at(world, words, 1) - 1];
    return expect_count(words, 2, "samples", port->counters[MT_COUNT_SAMPLES]);
}

static const char *expect_forward(struct world *world, const struct words *words)
{
    return expect_ns(words, 2, world->seen[port_at(world, words, 1) - 1].forward_ns);
}

static const char *expect_reverse(struct world *world, const struct words *words)
{
    return expect_ns(words, 2, world->seen[port_at(world, words, 1) - 1].reverse_ns);
}

static bool was_in(struct world *world, const struct words *words)
{
    uint16_t port = port_at(world, words, 1);
    return (world->seen[port - 1].visited & 1u << words_state(words, words_at(words, 2))) != 0;
}

static const char *expect_visited(struct world *world, const struct words *words)
{
    return was_in(world, words) ? NULL : "the port was never in that state";
}

static const char *expect_never(struct world *world, const struct words *words)
{
    return was_in(world, words) ? "the port was in that state" : NULL;
}

/* ---- what was announced ---------------------------------------------------------------------- */

static const char *expect_field(const struct words *words, const char *key, int64_t value)
{
    const char *text = words_value(words, key);
    return text == NULL || words_number(words, text) == value ? NULL : differs(key, value);
}

static const char *first(const char *a, const char *b)
{
    return a != NULL ? a : b;
}

static const char *expect_announce(struct world *world, const struct words *words)
{
    struct mt_ptp_message message;
    const struct frame *frame = &world->seen[port_at(world, words, 1) - 1].newest_announce;
    const struct mt_ptp_announce *body = &message.body.announce;
    const char *gm = words_value(words, "gm");
    const char *flags = words_value(words, "flags");
    if (mt_ptp_parse(frame->octets, frame->length, &message) != MT_VERDICT_ACCEPTED) {
        return "nothing was announced";
    }
    if (gm != NULL) {
        struct words line = *words;
        line.word[1] = (char *)(uintptr_t)gm;
        const char *difference = expect_identity(world, &line, body->grandmaster);
        if (difference != NULL) {
            return difference;
        }
    }
    if (flags != NULL && words_flags(words, flags) != message.header.flags) {
        return differs("flags", message.header.flags);
    }
    const char *difference = expect_field(words, "steps", body->steps_removed);
    difference = first(difference, expect_field(words, "priority1", body->priority1));
    difference = first(difference, expect_field(words, "priority2", body->priority2));
    difference = first(difference, expect_field(words, "class", body->quality.clock_class));
    difference = first(difference, expect_field(words, "accuracy", body->quality.accuracy));
    difference = first(difference, expect_field(words, "utc_offset", body->utc_offset));
    return first(difference, expect_field(words, "time_source", body->time_source));
}

/* ---- what a client found --------------------------------------------------------------------- */

static const char *expect_client(struct world *world, const struct words *words)
{
    const struct peer *peer = peer_find(world, words_at(words, 1));
    if (words_is(words, 2, "answered")) {
        return expect_count(words, 3, "answered", peer->answered);
    }
    if (words_is(words, 2, "forward")) {
        return expect_ns(words, 3, peer->forward_ns);
    }
    if (words_is(words, 2, "reverse")) {
        return expect_ns(words, 3, peer->reverse_ns);
    }
    if (words_is(words, 2, "link")) {
        return expect_ns(words, 3, peer->link_ns);
    }
    words_die(words, "a client has answered, forward, reverse and link");
}

/* ---- what passed ----------------------------------------------------------------------------- */

/* PASSED counter [operator number]: of a transparent clock */
static const char *expect_passed(struct world *world, const struct words *words)
{
    static const char *const names[] = {
#define MT_TRANSPARENT_COUNTER(symbol, name, meaning) name,
#include "meantime/transparent_counter.def"
#undef MT_TRANSPARENT_COUNTER
    };
    for (unsigned i = 0; i < MT_TRANSPARENT_COUNTER_COUNT; i++) {
        if (words_is(words, 1, names[i]) && world->more_instance != NULL) {
            return expect_count(words, 2, "the counter",
                                world->more_instance->transparent->counters[i]);
        }
    }
    words_die(words, "a transparent clock does not count `%s`", words_at(words, 1));
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum expectation kind;
    const char *(*holds)(struct world *world, const struct words *words);
} table[] = {
    {"STATE", EXPECT_LASTING, expect_state},  {"PARENT", EXPECT_LASTING, expect_parent},
    {"GM", EXPECT_LASTING, expect_gm},        {"RECEIVING", EXPECT_LASTING, expect_receiving},
    {"NEVER", EXPECT_ALWAYS, expect_never},   {"TX", EXPECT_ONCE, expect_tx},
    {"NO", EXPECT_ONCE, expect_no_tx},        {"VERDICT", EXPECT_ONCE, expect_verdict},
    {"COUNTER", EXPECT_ONCE, expect_counter}, {"SAMPLES", EXPECT_ONCE, expect_samples},
    {"FORWARD", EXPECT_ONCE, expect_forward}, {"REVERSE", EXPECT_ONCE, expect_reverse},
    {"VISITED", EXPECT_ONCE, expect_visited}, {"ANNOUNCE", EXPECT_ONCE, expect_announce},
    {"CLIENT", EXPECT_ONCE, expect_client},   {"LINK", EXPECT_LASTING, expect_link},
    {"OFFSET", EXPECT_ONCE, expect_offset},   {"CAPABLE", EXPECT_LASTING, expect_capable},
    {"PASSED", EXPECT_ONCE, expect_passed},   {"MECHANISM", EXPECT_LASTING, expect_mechanism},
};

enum expectation expect_kind(const struct words *words)
{
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        if (words_is(words, 0, table[i].word)) {
            return table[i].kind;
        }
    }
    words_die(words, "EXPECT does not know `%s`", words_at(words, 0));
}

const char *expect_check(struct world *world, const struct words *words)
{
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        if (words_is(words, 0, table[i].word)) {
            return table[i].holds(world, words);
        }
    }
    words_die(words, "EXPECT does not know `%s`", words_at(words, 0));
}
