/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The world only moves in mt_world_run_until(); between two such calls this file does what the
 * topology says is due: nodes start, things happen, the nodes that know UTC are told of leap
 * seconds, and the readings are taken.  Looking changes nothing, so a run with rarer readings is
 * the same run.
 */
#include "apps/meantime/sim/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/run_private.h"
#include "platform/sim/sim_noise.h"

#define DRAWS       1000 /* a kind of random stream that the world does not use */
#define TELL_EVERY  64   /* readings */
#define LEAP_NOTICE INT64_C(43200000000000)
#define NEVER       INT64_MAX

void mt_run_complain(struct run *self, const char *what, const char *why)
{
    if (self->result->complaint[0] == '\0') {
        snprintf(self->result->complaint, MT_RUN_COMPLAINT_SIZE, "%s%s%s", what,
                 what[0] != '\0' ? ": " : "", why);
    }
}

/* ---- building -------------------------------------------------------------------------------- */

static double draw(struct mt_prng *prng, const struct mt_topology_spread *spread)
{
    return spread->centre + spread->half * (2 * (double)mt_sim_uniform(prng) - 1);
}

/* All values are drawn, wanted or not, so that asking for one more does not change the others. */
static bool add_node(struct run *self, uint32_t index)
{
    const struct mt_topology_node *node = &self->topology->nodes[index];
    struct mt_sim_node_config physics = node->physics;
    struct mt_prng prng;

    mt_sim_stream(&prng, self->result->seed, DRAWS, index);
    physics.offset_s = (mt_real)draw(&prng, &node->offset_s);
    physics.frequency = (mt_real)draw(&prng, &node->frequency);
    physics.temperature_coefficient = (mt_real)draw(&prng, &node->temperature_coefficient);
    double share = (double)mt_sim_uniform(&prng);
    self->nodes[index].start_ns =
        node->start_ns >= 0 ? node->start_ns
                            : (int64_t)(share * (double)self->topology->run.start_within_ns);
    return mt_world_add_node(self->world, &physics) == index;
}

static bool add_link(struct run *self, uint32_t index)
{
    const struct mt_topology_link *link = &self->topology->links[index];

    if (mt_world_add_segment(self->world, &link->physics) != index) {
        return false;
    }
    for (uint32_t i = 0; i < link->end_count; i++) {
        const struct mt_topology_end *end = &link->ends[i];
        bool is_joined = end->node != MT_TOPOLOGY_NONE
                             ? mt_world_join(self->world, index, end->node, end->interface)
                             : mt_world_join_switch(self->world, index, end->switch_number);
        if (!is_joined) {
            return false;
        }
    }
    return true;
}

static void schedule_leap(struct run *self)
{
    for (uint32_t i = 0; i < self->topology->event_count; i++) {
        const struct mt_topology_event *event = &self->topology->events[i];
        if (event->verb == MT_TOPOLOGY_LEAP) {
            mt_world_schedule_leap(self->world, event->t_ns, (int32_t)event->amount, LEAP_NOTICE);
        }
    }
}

static bool build(struct run *self)
{
    const struct mt_topology *topology = self->topology;

    for (uint32_t i = 0; i < topology->node_count; i++) {
        if (!add_node(self, i)) {
            return false;
        }
        self->has_sources = self->has_sources || topology->nodes[i].gives_time;
    }
    for (uint32_t i = 0; i < topology->switch_count; i++) {
        if (mt_world_add_switch(self->world, &topology->switches[i].physics) != i) {
            return false;
        }
    }
    for (uint32_t i = 0; i < topology->link_count; i++) {
        if (!add_link(self, i)) {
            return false;
        }
    }
    self->waiting = topology->node_count;
    schedule_leap(self);
    return true;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static struct mt_compose_facts facts_of(const struct run *self, uint32_t index)
{
    struct mt_world_utc utc = mt_world_utc(self->world);
    bool knows = self->topology->nodes[index].knows_utc;

    return (struct mt_compose_facts){
        .tai_utc_known = knows,
        .tai_minus_utc_s = knows ? utc.tai_minus_utc_s : 0,
        .leap_s = knows ? utc.leap_s : 0,
    };
}

static void end_node(struct run *self, uint32_t index, bool is_complete)
{
    struct run_node *node = &self->nodes[index];

    if (node->composition != NULL) {
        mt_world_kill(self->world, index);
        mt_composition_free(node->composition);
        node->composition = NULL;
    }
    mt_run_record_end(self, index, is_complete);
}

void mt_run_kill(struct run *self, uint32_t index)
{
    end_node(self, index, false);
}

static struct mt_mono now_of(const struct run *self, uint32_t index)
{
    struct mt_hal_wait *wait = mt_world_provider(self->world, index)->wait;

    return wait->ops->now(wait);
}

void mt_run_start(struct run *self, uint32_t index)
{
    struct run_node *node = &self->nodes[index];
    const struct mt_compose_facts facts = facts_of(self, index);
    char reason[MT_HAL_REASON_SIZE] = "";

    mt_run_kill(self, index);
    struct mt_hal_provider *provider =
        mt_run_record(self, index, mt_world_provider(self->world, index), &facts);
    node->composition = mt_compose(self->topology->nodes[index].config, provider, &facts, reason);
    if (node->composition == NULL) {
        mt_run_complain(self, self->topology->nodes[index].name, reason);
        return;
    }
    if (node->composition->node.instance_count > 0) { /* else that of those who follow NTP */
        node->identity = node->composition->node.instances[0].ptp.config.identity;
    }
    mt_world_start(self->world, index, &node->composition->node, provider->wait);
}

void mt_run_stop(struct run *self, uint32_t index)
{
    if (self->nodes[index].composition != NULL) {
        const struct mt_order order = {.kind = MT_ORDER_STOP, .now = now_of(self, index)};
        mt_recorder_begin(mt_run_recorder(self, index), &order);
        mt_node_stop(&self->nodes[index].composition->node, order.now);
        mt_recorder_end(mt_run_recorder(self, index));
        end_node(self, index, true);
    }
}

static int64_t next_start(const struct run *self)
{
    int64_t next_ns = NEVER;

    for (uint32_t i = 0; self->waiting > 0 && i < self->topology->node_count; i++) {
        next_ns = self->nodes[i].start_ns < next_ns ? self->nodes[i].start_ns : next_ns;
    }
    return next_ns;
}

static void start_due(struct run *self, int64_t t_ns)
{
    for (uint32_t i = 0; self->waiting > 0 && i < self->topology->node_count; i++) {
        if (self->nodes[i].start_ns <= t_ns) {
            self->nodes[i].start_ns = NEVER;
            self->waiting--;
            mt_run_start(self, i);
        }
    }
}

static void tell_utc(struct run *self)
{
    for (uint32_t i = 0; i < self->topology->node_count; i++) {
        if (self->nodes[i].composition != NULL && self->topology->nodes[i].knows_utc) {
            const struct mt_compose_facts facts = facts_of(self, i);
            const struct mt_order order = {
                .kind = MT_ORDER_FACTS, .now = now_of(self, i), .facts = mt_run_log_facts(&facts)};
            mt_recorder_begin(mt_run_recorder(self, i), &order);
            mt_composition_set_facts(self->nodes[i].composition, &facts, order.now);
            mt_recorder_end(mt_run_recorder(self, i));
        }
    }
}

/* ---- phases ---------------------------------------------------------------------------------- */

static bool is_same(const struct mt_clock_identity *a, const struct mt_clock_identity *b)
{
    return memcmp(a->octet, b->octet, sizeof a->octet) == 0;
}

static uint32_t node_of(const struct run *self, const struct mt_clock_identity *identity)
{
    for (uint32_t i = 0; i < self->topology->node_count; i++) {
        if (is_same(&self->nodes[i].identity, identity)) {
            return i;
        }
    }
    return MT_TOPOLOGY_NONE;
}

/* A node that says itself that it does not know the time yet gives none: that is no reading. */
static bool claims_anything(const struct mt_world_reading *reading)
{
    return (reading->state != MT_CLOCK_FREE_RUN && reading->state != MT_CLOCK_ACQUIRING) ||
           reading->reference != MT_BOUND_NONE;
}

/* What a node says itself. */
enum standing { FOLLOWS, HOLDS, FREE, DOWN };
static enum standing standing_of(const struct run *self, uint32_t index,
                                 struct mt_clock_identity *ret_grandmaster)
{
    static const struct mt_clock_identity nobody;
    struct mt_world_reading reading;

    if (self->nodes[index].composition == NULL) {
        return DOWN;
    }
    if (!mt_world_read_page(self->world, index, 0, &reading) || !claims_anything(&reading) ||
        is_same(&reading.grandmaster, &nobody) ||
        is_same(&reading.grandmaster, &self->nodes[index].identity)) {
        return FREE;
    }
    *ret_grandmaster = reading.grandmaster;
    return reading.state == MT_CLOCK_HOLDOVER ? HOLDS : FOLLOWS;
}

static uint32_t followers_of(const struct run *self, const struct mt_clock_identity *identity)
{
    struct mt_clock_identity follows;
    uint32_t count = 0;

    for (uint32_t i = 0; i < self->topology->node_count; i++) {
        count += !self->topology->nodes[i].gives_time &&
                 standing_of(self, i, &follows) == FOLLOWS && is_same(&follows, identity);
    }
    return count;
}

/* Takes it as the one that most follow, if it is; between equals, one that gives time. */
static void count_follower(const struct run *self, struct mt_run_standing *standing,
                           const struct mt_clock_identity *follows, struct mt_clock_identity *most)
{
    uint32_t grandmaster = node_of(self, follows);
    bool is_source =
        grandmaster != MT_TOPOLOGY_NONE && self->topology->nodes[grandmaster].gives_time;

    standing->others++;
    if (standing->followers > 0 && is_same(follows, most)) {
        return;
    }
    uint32_t followers = followers_of(self, follows);
    if (followers > standing->followers || (followers == standing->followers && is_source)) {
        standing->followers = followers;
        standing->grandmaster = grandmaster;
        *most = *follows;
    }
}

static void end_phase(struct run *self, int64_t t_ns)
{
    struct mt_run_phase *phase = &self->result->phases[self->phase];
    struct mt_run_standing standing = {.grandmaster = MT_TOPOLOGY_NONE};
    struct mt_clock_identity follows;
    struct mt_clock_identity most = {{0}};

    for (uint32_t i = 0; i < self->topology->node_count; i++) {
        if (self->topology->nodes[i].gives_time) {
            continue;
        }
        standing.judged++;
        switch (standing_of(self, i, &follows)) {
        case FOLLOWS:
            count_follower(self, &standing, &follows, &most);
            break;
        case HOLDS:
            standing.holdover++;
            break;
        case FREE:
            standing.free++;
            break;
        case DOWN:
            standing.down++;
            break;
        }
    }
    standing.others -= standing.followers;
    phase->end_ns = t_ns;
    phase->standing = standing;
}

static void begin_phase(struct run *self, uint32_t number, int64_t t_ns)
{
    self->phase = number;
    self->result->phases[number] =
        (struct mt_run_phase){.start_ns = t_ns, .end_ns = t_ns, .worst_ns = -1};
}

static void happen_due(struct run *self, int64_t t_ns)
{
    const struct mt_topology *topology = self->topology;

    while (self->next_event < topology->event_count &&
           topology->events[self->next_event].t_ns <= t_ns) {
        const struct mt_topology_event *event = &topology->events[self->next_event++];
        if (event->happening + 1 != self->phase) {
            end_phase(self, t_ns);
            begin_phase(self, event->happening + 1, t_ns);
        }
        mt_run_happen(self, event);
    }
}

/* ---- readings -------------------------------------------------------------------------------- */

static double to_ns(struct mt_span span)
{
    return (double)span.s * 1e9 + (double)span.ns + (double)span.frac / 65536.0;
}

/* A bound is against a grandmaster; it is held against true time only if that one gives it. */
static bool is_against_truth(const struct run *self, const struct mt_clock_identity *grandmaster)
{
    const struct mt_topology *topology = self->topology;

    if (topology->run.reference != MT_TOPOLOGY_NONE) {
        return is_same(&self->nodes[topology->run.reference].identity, grandmaster);
    }
    for (uint32_t i = 0; self->has_sources && i < topology->node_count; i++) {
        if (topology->nodes[i].gives_time && is_same(&self->nodes[i].identity, grandmaster)) {
            return true;
        }
    }
    return !self->has_sources;
}

static bool says_synchronised(const struct mt_world_reading *reading)
{
    return !reading->is_stale &&
           (reading->state == MT_CLOCK_LOCKED || reading->state == MT_CLOCK_HOLDOVER ||
            reading->state == MT_CLOCK_SERVING);
}

static void note(struct run *self, uint32_t index, const struct mt_world_reading *reading,
                 const struct mt_statistics_reading *fed)
{
    struct mt_run_phase *phase = &self->result->phases[self->phase];
    struct run_node *node = &self->nodes[index];
    double size_ns = fabs(fed->error_ns);

    if (self->topology->nodes[index].gives_time) {
        return;
    }
    if (!is_same(&node->follows, &reading->grandmaster)) {
        node->follows = reading->grandmaster;
        phase->changes++;
        phase->last_change_ns = fed->t_ns - phase->start_ns;
    }
    phase->outside += fed->has_bound && size_ns > fed->bound_ns;
    if (fed->t_ns > self->topology->run.discard_ns && size_ns > phase->worst_ns) {
        phase->worst_ns = size_ns;
        phase->worst_node = index;
    }
}

static void read_node(struct run *self, uint32_t index, int64_t t_ns)
{
    struct mt_world_reading reading;

    if (self->nodes[index].composition == NULL ||
        !mt_world_read_page(self->world, index, 0, &reading) || !claims_anything(&reading)) {
        return;
    }
    struct mt_statistics_reading fed = {
        .t_ns = t_ns,
        .error_ns = (double)reading.error_ns - self->reference_ns,
        .bound_ns = (double)reading.bound_ns,
        .has_bound = reading.has_bound && is_against_truth(self, &reading.grandmaster),
        .is_synchronised = says_synchronised(&reading),
    };
    note(self, index, &reading, &fed);
    mt_statistics_feed(&self->result->published[index], &fed);
    if (self->result->steered != NULL) {
        fed.error_ns = to_ns(mt_world_true_offset(self->world, index, 0)) - self->reference_ns;
        fed.has_bound = false; /* the page's is of the published time */
        mt_statistics_feed(&self->result->steered[index], &fed);
    }
}

static void read_all(struct run *self, int64_t t_ns)
{
    uint32_t reference = self->topology->run.reference;

    if (reference != MT_TOPOLOGY_NONE && self->nodes[reference].composition != NULL) {
        self->reference_ns = to_ns(mt_world_true_offset(self->world, reference, 0));
    }
    for (uint32_t i = 0; i < self->topology->node_count; i++) {
        read_node(self, i, t_ns);
    }
}

/* ---- running --------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* The world up to t, with all that is due on the way and then. */
static bool pass_until(struct run *self, int64_t t_ns)
{
    const struct mt_topology *topology = self->topology;
    int64_t next_ns;

    do {
        int64_t utc_ns = mt_world_utc(self->world).changes_t_ns;
        next_ns = earlier(t_ns, earlier(next_start(self), utc_ns));
        if (self->next_event < topology->event_count) {
            next_ns = earlier(next_ns, topology->events[self->next_event].t_ns);
        }
        if (!mt_world_run_until(self->world, next_ns)) {
            mt_run_complain(self, "", mt_world_complaint(self->world));
        }
        if (next_ns == utc_ns) {
            tell_utc(self);
        }
        start_due(self, next_ns);
        happen_due(self, next_ns);
    } while (next_ns < t_ns && self->result->complaint[0] == '\0');
    return self->result->complaint[0] == '\0';
}

static void run_all(struct run *self, mt_run_tell *tell, void *context)
{
    const struct mt_topology_run *plan = &self->topology->run;
    bool goes_on = true;

    for (int64_t n = 1; goes_on; n++) {
        int64_t t_ns = n * plan->reading_interval_ns;
        bool is_last = t_ns >= plan->duration_ns;
        t_ns = is_last ? plan->duration_ns : t_ns;
        if (!pass_until(self, t_ns)) {
            return;
        }
        self->result->t_ns = t_ns;
        self->result->messages = mt_world_count(self->world)->delivered;
        if (t_ns % plan->reading_interval_ns == 0) {
            read_all(self, t_ns);
        }
        goes_on = !is_last && (n % TELL_EVERY != 0 || tell(context, t_ns, self->result->messages));
    }
}

struct mt_statistics_plan mt_run_plan(const struct mt_topology *topology, uint32_t node,
                                      uint32_t series_limit)
{
    int64_t start_ns = topology->nodes[node].start_ns;

    return (struct mt_statistics_plan){
        .interval_ns = topology->run.reading_interval_ns,
        .start_ns = start_ns > 0 ? start_ns : 0,
        .from_ns = topology->run.discard_ns,
        .limit_ns = topology->run.limit_ns,
        .series_limit = series_limit,
    };
}

static struct mt_statistics *new_statistics(const struct run *self)
{
    uint32_t count = self->topology->node_count;
    struct mt_statistics *all = calloc(count, sizeof *all);

    for (uint32_t i = 0; all != NULL && i < count; i++) {
        struct mt_statistics_plan plan =
            mt_run_plan(self->topology, i, self->options->series_limit);
        if (!mt_statistics_init(&all[i], &plan, self->result->seed)) {
            for (uint32_t k = 0; k < i; k++) {
                mt_statistics_free(&all[k]);
            }
            free(all);
            return NULL;
        }
    }
    return all;
}

static bool prepare(struct run *self)
{
    struct mt_run_result *result = self->result;

    result->node_count = self->topology->node_count;
    result->phase_count = self->topology->happening_count + 1;
    result->phases = calloc(result->phase_count, sizeof *result->phases);
    result->published = new_statistics(self);
    result->steered = self->options->judges_clocks ? new_statistics(self) : NULL;
    self->world = mt_world_new(result->seed);
    self->nodes = calloc(result->node_count, sizeof *self->nodes);
    if (result->phases == NULL || result->published == NULL || self->world == NULL ||
        self->nodes == NULL || (self->options->judges_clocks && result->steered == NULL)) {
        return false;
    }
    for (uint32_t i = result->phase_count; i-- > 0;) {
        begin_phase(self, i, 0);
    }
    return build(self);
}

static void end_statistics(struct run *self)
{
    struct mt_run_result *result = self->result;

    for (uint32_t i = 0; i < result->node_count; i++) {
        mt_statistics_end(&result->published[i], self->options->keeps_series, result->t_ns);
        if (result->steered != NULL) {
            mt_statistics_end(&result->steered[i], false, result->t_ns);
        }
    }
}

static void tidy_up(struct run *self)
{
    for (uint32_t i = 0; self->nodes != NULL && i < self->result->node_count; i++) {
        end_node(self, i, true);
    }
    mt_world_free(self->world);
    free(self->nodes);
}

bool mt_run_seed(const struct mt_topology *topology, const struct mt_run_options *options,
                 uint64_t seed, mt_run_tell *tell, void *context, struct mt_run_result *ret_result)
{
    struct mt_run_result result = {.seed = seed};
    struct run run = {.topology = topology, .options = options, .result = &result};

    if (!prepare(&run)) {
        tidy_up(&run);
        mt_run_result_free(&result);
        return false;
    }
    run_all(&run, tell, context);
    end_phase(&run, result.t_ns);
    end_statistics(&run);
    tidy_up(&run);
    *ret_result = result;
    return true;
}
