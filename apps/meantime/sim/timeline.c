/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * [at TIME] of a topology: sentences such as "kill gm1 for 10 min", each a verb, whom it befalls
 * and what else the verb needs.  A sentence becomes one event for each target; `for TIME` becomes a
 * second sentence that undoes the first.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/topology_private.h"

#define SENTENCE_SIZE 400

enum whom { NODES, INTERFACES, LINKS_OR_SWITCHES, ANYTHING, NOBODY };

static const struct verb {
    const char *word;
    enum mt_topology_verb verb;
    enum whom whom;
    const char *undo; /**< verb that takes it back; null: none can */
    const char *form;
    const char *example;
    const char *help;
} verbs[] = {
    {"kill", MT_TOPOLOGY_KILL, NODES, "start", "kill NODE", "kill gm1 for 10 min",
     "Its process ends as by kill -9."},
    {"stop", MT_TOPOLOGY_STOP, NODES, "start", "stop NODE", "stop gm1",
     "Its process ends in good order."},
    {"start", MT_TOPOLOGY_START, NODES, NULL, "start NODE", "start gm1",
     "Its process starts, again if it runs.  It knows what it had stored: its frequency."},
    {"unplug", MT_TOPOLOGY_UNPLUG, INTERFACES, "plug", "unplug NODE or NODE.INTERFACE",
     "unplug bc1.eth0", "Cables are pulled, and the node is told."},
    {"plug", MT_TOPOLOGY_PLUG, INTERFACES, NULL, "plug NODE or NODE.INTERFACE", "plug bc1.eth0",
     "They are put back."},
    {"down", MT_TOPOLOGY_DOWN, LINKS_OR_SWITCHES, "up", "down A - B or SWITCH",
     "down spine1 - leaf*", "Links fail, or a switch does; nodes at their ends are told."},
    {"up", MT_TOPOLOGY_UP, LINKS_OR_SWITCHES, NULL, "up A - B or SWITCH", "up spine1 - leaf*",
     "They work again."},
    {"step", MT_TOPOLOGY_STEP, NODES, NULL, "step NODE TIME", "step bc1 -10 us",
     "Somebody sets its clock, forward by this time."},
    {"lie", MT_TOPOLOGY_LIE, NODES, "lie", "lie NODE TIME or RATIO", "lie gm1 5 us",
     "Its clock is wrong by this time, or goes wrong by this ratio, and nothing tells it.  0: it "
     "is right again."},
    {"load", MT_TOPOLOGY_LOAD, LINKS_OR_SWITCHES, "load", "load A - B TIME, or SWITCH SHARE",
     "load sw1 50 % for 5 min",
     "Exponential jitter on top of what a link has, or a share of the rate of a switch's ports "
     "that other traffic takes."},
    {"temperature", MT_TOPOLOGY_TEMPERATURE, NODES, "temperature", "temperature NODE NUMBER K",
     "temperature bc1 5 K within 10 min",
     "So much above what its oscillator was built for; see temperature_coefficient."},
    {"leap", MT_TOPOLOGY_LEAP, NOBODY, NULL, "leap +1 or -1", "leap +1",
     "A leap second, announced 12 h before.  One is all that a run can have."},
    {"set", MT_TOPOLOGY_SET, ANYTHING, NULL, "set TARGET KEY VALUE", "set A - B delay 9 us",
     "A key of a node, a link or a switch changes."},
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

struct sentence {
    struct mt_topology_builder *builder;
    const struct verb *verb;
    const char *text; /**< all of it */
    char rest[SENTENCE_SIZE];
    char *at; /**< what has not been read of `rest` */
    int64_t t_ns;
    unsigned line;
    struct mt_topology_event event; /**< but for the target */
};

/* ---- events and happenings ------------------------------------------------------------------- */

static bool add_happening(struct sentence *self, int64_t t_ns, const char *text)
{
    struct mt_topology *topology = self->builder->topology;
    struct mt_topology_happening *all = mt_topology_grown(self->builder, topology->happenings,
                                                          topology->happening_count, sizeof *all);
    const char *copy = mt_topology_copy(&topology->pool, text);

    topology->happenings = all != NULL ? all : topology->happenings;
    if (all == NULL || copy == NULL) {
        return false;
    }
    self->event.happening = topology->happening_count;
    all[topology->happening_count++] = (struct mt_topology_happening){t_ns, copy, self->line};
    return true;
}

static void add_event(struct sentence *self, enum mt_topology_target target, uint32_t index)
{
    struct mt_topology *topology = self->builder->topology;
    struct mt_topology_event *all =
        mt_topology_grown(self->builder, topology->events, topology->event_count, sizeof *all);

    topology->events = all != NULL ? all : topology->events;
    if (all != NULL) {
        all[topology->event_count] = self->event;
        all[topology->event_count].t_ns = self->t_ns;
        all[topology->event_count].target = target;
        all[topology->event_count].index = index;
        topology->event_count++;
    }
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool refuse(struct sentence *self)
{
    mt_topology_complain(self->builder->text, self->line, "%s: expected %s, such as %s", self->text,
                         self->verb->form, self->verb->example);
    return false;
}

/* The next word, or "". */
static const char *take_word(struct sentence *self)
{
    char *word = self->at + strspn(self->at, " \t");
    size_t length = strcspn(word, " \t");

    self->at = word + length;
    if (*self->at != '\0') {
        *self->at++ = '\0';
        self->at += strspn(self->at, " \t");
    }
    return word;
}

/* "within 10 min", "for 10 min": cuts it off.  False if it is there and wrong. */
static bool take_time(struct sentence *self, const char *word, int64_t *ret_ns)
{
    char pattern[16];
    double ns;

    snprintf(pattern, sizeof pattern, " %s ", word);
    char *found = strstr(self->at, pattern);
    *ret_ns = 0;
    if (found == NULL) {
        return true;
    }
    char *value = found + strlen(pattern);
    size_t length = strlen(value);
    while (length > 0 && isspace((unsigned char)value[length - 1])) {
        value[--length] = '\0';
    }
    if (!mt_topology_time(value, &ns) || ns <= 0) {
        return refuse(self);
    }
    *ret_ns = (int64_t)ns;
    *found = '\0';
    return true;
}

/* ---- targets --------------------------------------------------------------------------------- */

struct targets {
    enum mt_topology_target kind;
    struct mt_topology_names a;
    struct mt_topology_names b; /**< of links; none: all links of a */
};

/* "A", "A - B" or "A-B" */
static bool take_targets(struct sentence *self, struct targets *ret_targets)
{
    enum whom whom = self->verb->whom;
    const char *first = take_word(self);
    const char *dash = strchr(first, '-');
    const char *second = NULL;
    char name[SENTENCE_SIZE];

    memset(ret_targets, 0, sizeof *ret_targets);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(first, "-"), first);
    if (whom == LINKS_OR_SWITCHES || whom == ANYTHING) {
        if (dash != NULL) {
            second = dash[1] != '\0' ? dash + 1 : take_word(self);
        } else if (self->at[0] == '-') {
            self->at++;
            second = take_word(self);
        }
    }
    if (name[0] == '\0' || (second != NULL && second[0] == '\0')) {
        return refuse(self);
    }
    ret_targets->kind = second != NULL ? MT_TOPOLOGY_LINK : MT_TOPOLOGY_NODE;
    return mt_topology_expand(self->builder, name, self->line, &ret_targets->a) &&
           (second == NULL ||
            mt_topology_expand(self->builder, second, self->line, &ret_targets->b));
}

static bool add_link_events(struct sentence *self, const char *a, const char *b)
{
    int64_t link = mt_topology_next_link(self->builder, a, b, 0);

    if (link < 0) {
        mt_topology_complain(self->builder->text, self->line, "%s: no link joins %s and %s",
                             self->text, a, b);
        return false;
    }
    for (; link >= 0; link = mt_topology_next_link(self->builder, a, b, (uint32_t)link + 1)) {
        add_event(self, MT_TOPOLOGY_LINK, (uint32_t)link);
    }
    return true;
}

static bool add_named_event(struct sentence *self, const char *text)
{
    const struct mt_topology *topology = self->builder->topology;
    const char *dot = strchr(text, '.');
    char name[SENTENCE_SIZE];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "."), text);
    uint32_t node = mt_topology_find_node(topology, name);
    uint32_t number = mt_topology_find_switch(topology, name);
    bool takes_node = self->verb->whom != LINKS_OR_SWITCHES;
    bool takes_switch = self->verb->whom == LINKS_OR_SWITCHES || self->verb->whom == ANYTHING;
    self->event.interface = dot != NULL ? dot + 1 : NULL;
    if (dot != NULL && (self->verb->whom != INTERFACES ||
                        mt_topology_next_link(self->builder, text, NULL, 0) < 0)) {
        mt_topology_complain(self->builder->text, self->line, "%s: %s is no interface of a node",
                             self->text, text);
        return false;
    }
    if (node != MT_TOPOLOGY_NONE && takes_node) {
        add_event(self, MT_TOPOLOGY_NODE, node);
        return true;
    }
    if (number != MT_TOPOLOGY_NONE && takes_switch) {
        add_event(self, MT_TOPOLOGY_SWITCH, number);
        return true;
    }
    return refuse(self);
}

static bool add_events(struct sentence *self, const struct targets *targets)
{
    for (size_t i = 0; i < targets->a.count; i++) {
        if (targets->kind != MT_TOPOLOGY_LINK) {
            if (!add_named_event(self, targets->a.name[i])) {
                return false;
            }
            continue;
        }
        for (size_t k = 0; k < targets->b.count; k++) {
            if (!add_link_events(self, targets->a.name[i], targets->b.name[k])) {
                return false;
            }
        }
    }
    return true;
}

/* ---- what else a verb needs ------------------------------------------------------------------ */

static bool is_switch(const struct sentence *self, const struct targets *targets)
{
    return targets->kind != MT_TOPOLOGY_LINK && targets->a.count > 0 &&
           mt_topology_find_switch(self->builder->topology, targets->a.name[0]) != MT_TOPOLOGY_NONE;
}

static bool take_kelvin(struct sentence *self)
{
    char *end;

    self->event.amount = strtod(self->at, &end);
    return end != self->at && self->event.amount >= -1000 && self->event.amount <= 1000 &&
           strcmp(end + strspn(end, " "), "K") == 0;
}

/* A time, a ratio, or both; zero without a unit is honest again. */
static bool take_lie(struct sentence *self)
{
    double ns = 0;

    if (mt_topology_time(self->at, &ns)) {
        self->event.amount = ns / 1e9;
        return true;
    }
    return mt_topology_ratio(self->at, &self->event.rate);
}

static enum mt_topology_scope scope_of(enum mt_topology_target target)
{
    switch (target) {
    case MT_TOPOLOGY_NODE:
        return MT_TOPOLOGY_SCOPE_NODE;
    case MT_TOPOLOGY_LINK:
        return MT_TOPOLOGY_SCOPE_LINK;
    case MT_TOPOLOGY_SWITCH:
        break;
    }
    return MT_TOPOLOGY_SCOPE_SWITCH;
}

union changed {
    struct mt_topology_node node;
    struct mt_topology_link link;
    struct mt_topology_switch plain_switch;
};

static bool is_changeable(const struct mt_topology_key *key)
{
    static const char *const fixed[] = {"kind",   "oscillator", "start", "gives_time", "knows_utc",
                                        "config", "joins",      "hub",   "like",       "trace",
                                        "offset", "max_rate",   "asks",  "ntp_only"};

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(key->name, fixed[i]) == 0) {
            return false;
        }
    }
    return true;
}

static bool take_change(struct sentence *self, const struct targets *targets)
{
    bool of_switch = is_switch(self, targets);
    enum mt_topology_scope scope = scope_of(of_switch ? MT_TOPOLOGY_SWITCH : targets->kind);
    const char *name = mt_topology_copy(&self->builder->topology->pool, take_word(self));
    const struct mt_topology_key *key = name != NULL ? mt_topology_key_find(scope, name) : NULL;
    char expected[200];
    union changed scratch;

    memset(&scratch, 0, sizeof scratch);
    if (name == NULL || name[0] == '\0') {
        return refuse(self);
    }
    if (key == NULL || !is_changeable(key)) {
        const char *nearest = key == NULL ? mt_topology_key_nearest(scope, name) : NULL;
        mt_topology_complain(self->builder->text, self->line, "%s: %s: %s%s%s%s", self->text, name,
                             key == NULL ? "unknown key" : "cannot change while the world runs",
                             nearest != NULL ? "; did you mean " : "",
                             nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
        return false;
    }
    if (!mt_topology_value(key, self->at, &scratch, &self->builder->topology->pool) ||
        (key->type == MT_TOPOLOGY_TYPE_JITTER &&
         scratch.link.physics.jitter == MT_SIM_JITTER_TRACE)) {
        mt_topology_expected(key, expected, sizeof expected);
        mt_topology_complain(self->builder->text, self->line, "%s: %s: expected %s", self->text,
                             name, expected);
        return false;
    }
    self->event.key = name;
    self->event.value = mt_topology_copy(&self->builder->topology->pool, self->at);
    return self->event.value != NULL;
}

void mt_topology_change(const char *name, const char *value, enum mt_topology_target target,
                        void *physics)
{
    const struct mt_topology_key *key = mt_topology_key_find(scope_of(target), name);
    union changed changed;
    struct mt_config_pool pool = {NULL};

    memset(&changed, 0, sizeof changed);
    switch (target) {
    case MT_TOPOLOGY_NODE: {
        struct mt_sim_node_config *node = physics;
        changed.node.physics = *node;
        changed.node.frequency.centre = (double)node->frequency;
        changed.node.temperature_coefficient.centre = (double)node->temperature_coefficient;
        mt_topology_value(key, value, &changed, &pool);
        *node = changed.node.physics;
        node->frequency = (mt_real)changed.node.frequency.centre;
        node->temperature_coefficient = (mt_real)changed.node.temperature_coefficient.centre;
        break;
    }
    case MT_TOPOLOGY_LINK:
        memcpy(&changed.link.physics, physics, sizeof changed.link.physics);
        mt_topology_value(key, value, &changed, &pool);
        memcpy(physics, &changed.link.physics, sizeof changed.link.physics);
        break;
    case MT_TOPOLOGY_SWITCH:
        memcpy(&changed.plain_switch.physics, physics, sizeof changed.plain_switch.physics);
        mt_topology_value(key, value, &changed, &pool);
        memcpy(physics, &changed.plain_switch.physics, sizeof changed.plain_switch.physics);
        break;
    }
    mt_config_pool_free(&pool);
}

static bool take_arguments(struct sentence *self, const struct targets *targets)
{
    double ns;

    switch (self->verb->verb) {
    case MT_TOPOLOGY_STEP:
        if (!mt_topology_time(self->at, &ns)) {
            return refuse(self);
        }
        self->event.amount = ns / 1e9;
        return true;
    case MT_TOPOLOGY_LIE:
        return take_lie(self) || refuse(self);
    case MT_TOPOLOGY_LOAD:
        if (is_switch(self, targets)) {
            return (mt_topology_share(self->at, &self->event.amount) && self->event.amount >= 0) ||
                   refuse(self);
        }
        if (!mt_topology_time(self->at, &ns) || ns < 0 || ns > 1e10) {
            return refuse(self);
        }
        self->event.amount = ns / 1e9;
        return true;
    case MT_TOPOLOGY_TEMPERATURE:
        return take_kelvin(self) || refuse(self);
    case MT_TOPOLOGY_SET:
        return take_change(self, targets);
    case MT_TOPOLOGY_LEAP:
    case MT_TOPOLOGY_KILL:
    case MT_TOPOLOGY_STOP:
    case MT_TOPOLOGY_START:
    case MT_TOPOLOGY_UNPLUG:
    case MT_TOPOLOGY_PLUG:
    case MT_TOPOLOGY_DOWN:
    case MT_TOPOLOGY_UP:
        break;
    }
    return self->at[0] == '\0' || refuse(self);
}

/* ---- sentences ------------------------------------------------------------------------------- */

static const char *verb_word(const void *names, size_t n)
{
    (void)names;
    return verbs[n].word;
}

bool mt_topology_describe_verb(size_t n, struct mt_topology_description *ret_description)
{
    if (n >= VERB_COUNT) {
        return false;
    }
    ret_description->name = verbs[n].form;
    ret_description->fallback = "";
    ret_description->example = verbs[n].example;
    ret_description->help = verbs[n].help;
    return true;
}

static const struct verb *find_verb(const char *word)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].word, word) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static void take_leap(struct sentence *self)
{
    bool is_good =
        strcmp(self->at, "+1") == 0 || strcmp(self->at, "1") == 0 || strcmp(self->at, "-1") == 0;
    const struct mt_topology *topology = self->builder->topology;

    if (!is_good) {
        refuse(self);
        return;
    }
    for (uint32_t i = 0; i < topology->event_count; i++) {
        if (topology->events[i].verb == MT_TOPOLOGY_LEAP) {
            mt_topology_complain(self->builder->text, self->line,
                                 "%s: one leap second is all that a run can have", self->text);
            return;
        }
    }
    self->event.amount = self->at[0] == '-' ? -1 : 1;
    if (add_happening(self, self->t_ns, self->text)) {
        add_event(self, MT_TOPOLOGY_NODE, 0);
    }
}

/* The same targets, with what takes the first sentence back. */
static void undo(struct sentence *self, const struct targets *targets, int64_t after_ns)
{
    char text[SENTENCE_SIZE];
    struct sentence second = *self;

    second.verb = find_verb(self->verb->undo);
    second.event = (struct mt_topology_event){.verb = second.verb->verb};
    second.t_ns += after_ns;
    if (second.verb == self->verb) {
        snprintf(text, sizeof text, "end of: %s", self->text);
    } else {
        const char *rest = self->text + strlen(self->verb->word);
        const char *end = strstr(rest, " for ");
        snprintf(text, sizeof text, "%s%.*s", second.verb->word,
                 (int)(end != NULL ? (size_t)(end - rest) : strlen(rest)), rest);
    }
    if (add_happening(&second, second.t_ns, text)) {
        add_events(&second, targets);
    }
}

static void read_sentence(struct sentence *self)
{
    struct targets targets;
    int64_t for_ns;
    int64_t within_ns = 0;

    self->event = (struct mt_topology_event){.verb = self->verb->verb};
    if (self->verb->verb == MT_TOPOLOGY_LEAP) {
        take_leap(self);
        return;
    }
    if (!take_time(self, "for", &for_ns) ||
        (self->verb->verb == MT_TOPOLOGY_TEMPERATURE && !take_time(self, "within", &within_ns))) {
        return;
    }
    if (for_ns > 0 && self->verb->undo == NULL) {
        mt_topology_complain(self->builder->text, self->line, "%s: nothing takes this back",
                             self->text);
        return;
    }
    self->event.within_ns = within_ns;
    if (take_targets(self, &targets) && take_arguments(self, &targets) &&
        add_happening(self, self->t_ns, self->text) && add_events(self, &targets) && for_ns > 0) {
        undo(self, &targets, for_ns);
    }
}

static void read_entry(struct mt_topology_builder *builder, const struct mt_topology_entry *entry,
                       int64_t t_ns)
{
    char text[SENTENCE_SIZE];
    char word[SENTENCE_SIZE];

    snprintf(text, sizeof text, "%.190s%s%.190s", entry->key, entry->value[0] != '\0' ? " " : "",
             entry->value);
    size_t length = strcspn(text, " \t");
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    struct sentence sentence = {.builder = builder,
                                .verb = find_verb(word),
                                .text = text,
                                .t_ns = t_ns,
                                .line = entry->line};
    if (sentence.verb == NULL) {
        const char *nearest = mt_config_nearest(word, verb_word, NULL, VERB_COUNT);
        mt_topology_complain(builder->text, entry->line, "%s: unknown verb%s%s%s", word,
                             nearest != NULL ? "; did you mean " : "",
                             nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
        return;
    }
    snprintf(sentence.rest, sizeof sentence.rest, "%s", text + length);
    sentence.at = sentence.rest + strspn(sentence.rest, " \t");
    read_sentence(&sentence);
}

void mt_topology_read_timeline(struct mt_topology_builder *self)
{
    for (size_t i = 0; i < self->text->section_count; i++) {
        const struct mt_topology_section *section = &self->text->sections[i];
        struct mt_topology_when when;
        if (strcmp(section->word, "at") != 0) {
            continue;
        }
        if (!mt_topology_when(section->name, &when)) {
            mt_topology_complain(self->text, section->line,
                                 "[at %s]: expected a time with its unit, such as [at 30 min] or "
                                 "[at 2 min 20 s], or "
                                 "a percentage of the duration, such as [at 50 %%]",
                                 section->name);
            continue;
        }
        double t_ns = when.ns + when.share * (double)self->topology->run.duration_ns;
        for (size_t k = 0; k < self->text->entry_count; k++) {
            if (self->text->entries[k].section == i) {
                read_entry(self, &self->text->entries[k], (int64_t)t_ns);
            }
        }
    }
    mt_topology_order_timeline(self->topology);
}
