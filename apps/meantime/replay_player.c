/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The node of a log, over the replayer (which insists on what was recorded) or the rerun (which
 * does not).  It is looked at between two inputs, through what it has published, and never asked
 * for a reading: that would be a call which the recorded node did not make.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/replay.h"

struct mt_player {
    uint8_t *octets;
    size_t length;
    struct mt_replay *replay; /* this, or ... */
    struct mt_rerun *rerun;
    struct mt_config *config;
    struct mt_composition *composition;
    const struct mt_replay_listener *listener;
    int64_t every_ns;
    struct watched { /* a clock */
        uint32_t verdicts[MT_SAMPLE_VERDICT_COUNT];
        int64_t next_ns;
    } * clocks;
};

/* ---- opening --------------------------------------------------------------------------------- */

static bool read_whole(struct mt_player *self, FILE *file)
{
    size_t capacity = 1 << 16;
    size_t got = 1;
    while (got > 0) {
        uint8_t *grown = self->octets == NULL || self->length == capacity
                             ? realloc(self->octets, capacity *= 2)
                             : self->octets;
        if (grown == NULL) {
            errno = ENOMEM;
            return false;
        }
        self->octets = grown;
        got = fread(self->octets + self->length, 1, capacity - self->length, file);
        self->length += got;
    }
    return ferror(file) == 0;
}

static bool read_log(struct mt_player *self, const char *path, char *reason)
{
    FILE *file = fopen(path, "rb");
    bool is_read = file != NULL && read_whole(self, file);
    if (!is_read) {
        snprintf(reason, MT_PLAYER_REASON_SIZE, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
    }
    return is_read;
}

static struct mt_config *parse(struct mt_log_text text, char *reason)
{
    static struct mt_config_problems problems;
    struct mt_config *config = NULL;
    problems = (struct mt_config_problems){0};
    if (!mt_config_parse(text.text, text.length, "the log's configuration", NULL, 0, &config,
                         &problems)) {
        snprintf(reason, MT_PLAYER_REASON_SIZE, "%s", problems.problem[0].text);
        return NULL;
    }
    return config;
}

/* What the program did to its node, is done again. */
static void obey(void *context, const struct mt_order *order)
{
    struct mt_player *self = context;
    char reason[MT_PLAYER_REASON_SIZE];
    if (order->kind == MT_ORDER_FACTS) {
        const struct mt_compose_facts facts = mt_compose_facts_of(&order->facts);
        mt_composition_set_facts(self->composition, &facts, order->now);
    } else if (order->kind == MT_ORDER_AUTO) {
        mt_composition_make_utc_offset_auto(self->composition, order->instance, order->now);
    } else if (order->kind == MT_ORDER_RELOAD) {
        struct mt_config *config = parse(order->config, reason);
        if (config != NULL) {
            mt_composition_reload(self->composition, config, order->now, reason);
        }
        mt_config_free(config);
    }
}

static const struct mt_log_start *start_of(const struct mt_player *self)
{
    return self->replay != NULL ? mt_replay_start(self->replay) : mt_rerun_start(self->rerun);
}

static void corrected(void *context, const struct mt_hal_clock *clock,
                      const struct mt_correction *asked, const struct mt_applied *applied,
                      struct mt_mono now);
static void ordered(void *context, const struct mt_order *order);

static bool compose(struct mt_player *self, char *reason)
{
    const struct mt_compose_facts facts = mt_compose_facts_of(&start_of(self)->facts);
    const struct mt_replay_observer observer = {self, corrected, ordered};
    struct mt_hal_provider *provider =
        self->replay != NULL ? mt_replay_provider(self->replay) : mt_rerun_provider(self->rerun);
    self->config = parse(start_of(self)->config, reason);
    if (self->config == NULL) {
        return false;
    }
    if (self->replay != NULL) {
        mt_replay_on_order(self->replay, obey, self);
        mt_replay_observe(self->replay, &observer);
    } else {
        mt_rerun_on_order(self->rerun, obey, self);
        mt_rerun_observe(self->rerun, &observer);
    }
    self->composition = mt_compose(self->config, provider, &facts, reason);
    return self->composition != NULL;
}

/* If the node wants something else before its first input, that is why it cannot be composed. */
static void explain(const struct mt_player *self, char *reason)
{
    const char *sentence = self->replay != NULL ? mt_replay_result(self->replay)->sentence : "";
    if (sentence[0] != '\0') {
        snprintf(reason, MT_PLAYER_REASON_SIZE, "%s", sentence);
    }
}

static bool open_log(struct mt_player *self, const char *path, bool is_anew, char *reason)
{
    char why[MT_PLAYER_REASON_SIZE] = "";
    if (!read_log(self, path, reason)) {
        return false;
    }
    if (is_anew) {
        self->rerun = mt_rerun_open(self->octets, self->length, why);
    } else {
        self->replay = mt_replay_open(self->octets, self->length, why);
    }
    bool is_open = self->replay != NULL || self->rerun != NULL;
    bool is_good = is_open && compose(self, why);
    if (is_open && !is_good) {
        explain(self, why);
    }
    if (is_good) {
        self->clocks = calloc(self->composition->node.clock_count, sizeof *self->clocks);
        is_good = self->clocks != NULL;
    }
    if (!is_good) {
        snprintf(reason, MT_PLAYER_REASON_SIZE, "%.100s: %.290s", path, why);
    }
    return is_good;
}

struct mt_player *mt_player_open(const char *path, bool is_anew,
                                 char ret_reason[MT_PLAYER_REASON_SIZE])
{
    struct mt_player *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(ret_reason, MT_PLAYER_REASON_SIZE, "out of memory");
        return NULL;
    }
    if (!open_log(self, path, is_anew, ret_reason)) {
        mt_player_close(self);
        return NULL;
    }
    return self;
}

void mt_player_close(struct mt_player *self)
{
    if (self != NULL) {
        mt_composition_free(self->composition);
        mt_config_free(self->config);
        mt_replay_close(self->replay);
        mt_rerun_close(self->rerun);
        free(self->clocks);
        free(self->octets);
        free(self);
    }
}

const struct mt_composition *mt_player_composition(const struct mt_player *self)
{
    return self->composition;
}

struct mt_log_text mt_player_recorder(const struct mt_player *self)
{
    return start_of(self)->about;
}

struct mt_log_text mt_player_config(const struct mt_player *self)
{
    return start_of(self)->config;
}

/* ---- what happens on the way ----------------------------------------------------------------- */

static int64_t since_start(const struct mt_player *self, struct mt_mono now)
{
    return now.ns - self->composition->started.ns;
}

static const char *clock_name(const struct mt_player *self, size_t index)
{
    return self->composition->config->clocks[index].name;
}

/* While it is composed, a node corrects nothing and is not watched. */
static bool is_watched(const struct mt_player *self)
{
    return self->composition != NULL && self->listener != NULL;
}

static void corrected(void *context, const struct mt_hal_clock *clock,
                      const struct mt_correction *asked, const struct mt_applied *applied,
                      struct mt_mono now)
{
    struct mt_player *self = context;
    for (uint16_t i = 0; is_watched(self) && i < self->composition->node.clock_count; i++) {
        if (self->composition->node.clocks[i].hal == clock) {
            const struct mt_replay_correction correction = {since_start(self, now),
                                                            clock_name(self, i), asked, applied};
            self->listener->corrected(self->listener->context, &correction);
        }
    }
}

static void ordered(void *context, const struct mt_order *order)
{
    struct mt_player *self = context;
    if (is_watched(self)) {
        self->listener->ordered(self->listener->context, since_start(self, order->now), order);
    }
}

static void tell_events(struct mt_player *self)
{
    struct mt_node_event event;
    struct mt_status_event told;
    while (mt_node_next_event(&self->composition->node, &event)) {
        if (mt_composition_tell(self->composition, &event, &told)) {
            self->listener->event(self->listener->context, since_start(self, event.at), &told);
        }
    }
}

static void tell_estimate(struct mt_player *self, uint16_t index, int64_t t_ns, int verdict)
{
    const struct mt_replay_estimate estimate = {
        .t_ns = t_ns,
        .clock = clock_name(self, index),
        .node = &self->composition->node.clocks[index],
        .verdict = verdict,
    };
    self->listener->estimated(self->listener->context, &estimate);
}

/* One input makes one sample for a clock, hardly ever more. */
static void tell_samples(struct mt_player *self, uint16_t index, int64_t t_ns)
{
    const struct mt_discipline *discipline = &self->composition->node.clocks[index].discipline;
    for (int verdict = 0; verdict < MT_SAMPLE_VERDICT_COUNT; verdict++) {
        uint32_t sum = 0;
        for (uint16_t source = 0; source < discipline->source_count; source++) {
            sum += discipline->sources[source].verdicts[verdict];
        }
        uint32_t *known = &self->clocks[index].verdicts[verdict];
        if (sum != *known) {
            *known = sum;
            tell_estimate(self, index, t_ns, verdict);
        }
    }
}

static void tell_estimates(struct mt_player *self, int64_t t_ns)
{
    for (uint16_t i = 0; i < self->composition->node.clock_count; i++) {
        struct watched *clock = &self->clocks[i];
        tell_samples(self, i, t_ns);
        if (t_ns >= clock->next_ns) {
            clock->next_ns = t_ns - t_ns % self->every_ns + self->every_ns;
            tell_estimate(self, i, t_ns, -1);
        }
    }
}

static bool step(struct mt_player *self, struct mt_mono *ret_now, size_t *ret_offset)
{
    struct mt_node *node = &self->composition->node;
    bool has_more;
    if (self->replay != NULL) {
        has_more = mt_replay_step(self->replay, node);
        *ret_now = mt_replay_result(self->replay)->at;
        *ret_offset = mt_replay_result(self->replay)->offset;
    } else {
        has_more = mt_rerun_step(self->rerun, node);
        *ret_now = mt_rerun_result(self->rerun)->at;
        *ret_offset = mt_rerun_result(self->rerun)->offset;
    }
    return has_more;
}

void mt_player_run(struct mt_player *self, int64_t every_ns,
                   const struct mt_replay_listener *listener)
{
    bool has_more = true;
    self->listener = listener;
    self->every_ns = every_ns;
    tell_events(self);
    while (has_more) {
        struct mt_mono now;
        size_t offset;
        has_more = step(self, &now, &offset);
        tell_events(self);
        if (has_more) {
            tell_estimates(self, since_start(self, now));
            listener->progressed(listener->context, (double)offset / (double)self->length);
        }
    }
    self->listener = NULL;
}

/* ---- what came of it ------------------------------------------------------------------------- */

static void result_of_replay(const struct mt_player *self, struct mt_player_result *ret_result)
{
    const struct mt_replay_result *result = mt_replay_result(self->replay);
    *ret_result = (struct mt_player_result){
        .is_same = result->outcome == MT_REPLAY_SAME,
        .is_complete = result->is_complete,
        .is_damaged = result->outcome == MT_REPLAY_CORRUPT,
        .t_ns = since_start(self, result->at),
        .reason = result->sentence,
        .octets = result->offset,
        .inputs = result->inputs,
        .frames = result->frames,
        .corrections = result->corrections,
    };
}

static void result_of_rerun(const struct mt_player *self, struct mt_player_result *ret_result)
{
    const struct mt_rerun_result *result = mt_rerun_result(self->rerun);
    *ret_result = (struct mt_player_result){
        .is_anew = true,
        .is_same = !result->is_damaged,
        .is_complete = result->is_complete,
        .is_damaged = result->is_damaged,
        .t_ns = since_start(self, result->at),
        .reason = result->sentence,
        .octets = result->offset,
        .inputs = result->inputs,
        .frames = result->frames,
        .unmatched = result->unmatched,
        .corrections = result->corrections,
        .recorded_corrections = result->recorded_corrections,
    };
}

void mt_player_result(const struct mt_player *self, struct mt_player_result *ret_result)
{
    if (self->replay != NULL) {
        result_of_replay(self, ret_result);
    } else {
        result_of_rerun(self, ret_result);
    }
}
