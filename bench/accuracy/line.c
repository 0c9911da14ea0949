/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The world tells when a message left and came in true time.  The receiver's loop takes its inputs
 * through a gate, where one looks at what the sample before has led to.
 */
#include "line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_NS   (MT_WORLD_EPOCH_S * MT_NS_PER_S)
#define SYNC       0
#define DELAY_REQ  1
#define DELAY_RESP 9
#define TEXT_SIZE  512
#define RECEIVER   1
#define GATE_OF(w) ((struct line_gate *)(w))

void line_give_up(const char *what, const char *why)
{
    fprintf(stderr, "accuracy: %s: %s\n", what, why);
    exit(2);
}

static double to_ns(struct mt_span span)
{
    return (double)span.s * 1e9 + (double)span.ns + span.frac / 65536.0;
}

double line_seconds(const struct line *self)
{
    return (double)mt_world_t_ns(self->world) / 1e9;
}

double line_interval_s(const struct line_plan *plan)
{
    return (double)mt_log2s_to_ns((int8_t)plan->sync_log2s) / 1e9;
}

/* ---- messages -------------------------------------------------------------------------------- */

static struct line_message *message_at(struct line *self, unsigned index)
{
    return &self->messages[(self->message_first + index) % LINE_MESSAGES];
}

static void begin_message(struct line *self, bool is_forward, const struct mt_world_frame *frame)
{
    if (self->message_count == LINE_MESSAGES) { /* nobody takes them, or all are lost */
        self->message_first = (self->message_first + 1) % LINE_MESSAGES;
        self->message_count--;
    }
    *message_at(self, self->message_count++) = (struct line_message){
        .is_forward = is_forward,
        .sequence = (uint16_t)(frame->bytes[30] << 8 | frame->bytes[31]),
        .departure_ns = frame->t_ns,
        .at_s = (double)frame->t_ns / 1e9,
    };
}

static double gain_at_ns(const struct line *self, int64_t t_ns)
{
    return (double)mt_world_oscillator_gain(self->world, RECEIVER, t_ns).q16 / 65536.0;
}

double line_gain_ns(const struct line *self)
{
    return gain_at_ns(self, mt_world_t_ns(self->world));
}

static double way_ns(const struct mt_world_arrival *arrival)
{
    int64_t whole_ns = arrival->arrival.ns - arrival->departure.ns;

    return (double)whole_ns + (arrival->arrival.frac - arrival->departure.frac) / 65536.0;
}

static void end_message(struct line *self, bool is_forward, const struct mt_world_arrival *arrival)
{
    uint16_t sequence = (uint16_t)(arrival->bytes[30] << 8 | arrival->bytes[31]);
    int64_t arrival_ns = arrival->arrival.ns - EPOCH_NS;

    for (unsigned i = self->message_count; i-- > 0;) {
        struct line_message *message = message_at(self, i);

        if (message->is_complete || message->is_forward != is_forward ||
            message->sequence != sequence) {
            continue;
        }
        if (is_forward) {
            message->at_s = (double)arrival_ns / 1e9;
            message->value_ns = way_ns(arrival) + gain_at_ns(self, arrival_ns);
        } else {
            message->value_ns = way_ns(arrival) - gain_at_ns(self, message->departure_ns);
        }
        message->is_complete = true;
        return;
    }
}

bool line_next_message(struct line *self, struct line_message *ret_message)
{
    while (self->message_count > 0) {
        *ret_message = *message_at(self, 0);
        if (!ret_message->is_complete && line_seconds(self) - ret_message->at_s < LINE_PATIENCE_S) {
            return false;
        }
        self->message_first = (self->message_first + 1) % LINE_MESSAGES;
        self->message_count--;
        if (ret_message->is_complete) {
            return true;
        }
    }
    return false;
}

/* Whether the receiver has begun to follow; only then does it take a Sync. */
static bool is_following(const struct line *self)
{
    const struct mt_instance *ptp = &self->nodes[RECEIVER].composition->node.instances[0].ptp;

    return mt_port_state_of(ptp, 1) == MT_STATE_UNCALIBRATED ||
           mt_port_state_of(ptp, 1) == MT_STATE_RECEIVER;
}

static void see_pair(struct line *self, uint8_t type)
{
    self->has_sync |= type == SYNC && is_following(self);
    self->has_answer |= type == DELAY_RESP && is_following(self);
    if (self->has_sync && self->has_answer) {
        self->paired_s = line_seconds(self);
    }
}

static void see_frame(void *context, const struct mt_world_frame *frame)
{
    struct line *self = context;
    uint8_t type = frame->bytes[0] & 0xF;

    if (self->is_watched &&
        ((type == SYNC && frame->node == 0) || (type == DELAY_REQ && frame->node == RECEIVER))) {
        begin_message(self, type == SYNC, frame);
    }
    if (self->paired_s < 0 && frame->node == 0) {
        see_pair(self, type);
    }
}

static void see_arrival(void *context, const struct mt_world_arrival *arrival)
{
    struct line *self = context;
    uint8_t type = arrival->bytes[0] & 0xF;

    if (self->is_watched && ((type == SYNC && arrival->node == RECEIVER) ||
                             (type == DELAY_REQ && arrival->node == 0))) {
        end_message(self, type == SYNC, arrival);
    }
    if (type == SYNC && arrival->node == RECEIVER && is_following(self)) {
        double since_s = line_seconds(self) - self->sync_s;

        self->silence_s = since_s > self->silence_s ? since_s : self->silence_s;
        self->sync_s = line_seconds(self);
    }
}

static void see_correction(void *context, const struct mt_world_correction *correction)
{
    struct line *self = context;

    if (correction->node == self->plan.hops && correction->applied->kind == MT_CORRECT_STEP) {
        self->steps++;
    }
}

/* ---- innovations ----------------------------------------------------------------------------- */

/* Deciles of the normal distribution: the estimator tells how a sample compared with what it
 * expected as a number of sigmas, whatever the distribution that it expected. */
static unsigned decile_of(double innovation)
{
    static const double ends[] = {-1.281552, -0.841621, -0.524401, -0.253347, 0,
                                  0.253347,  0.524401,  0.841621,  1.281552};
    unsigned decile = 0;

    while (decile < sizeof ends / sizeof *ends && innovation > ends[decile]) {
        decile++;
    }
    return decile;
}

static double normal_share(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

/* of an innovation with one-sided noise: normal of deviation 1 plus exponential of mean
 * 1 / width */
static unsigned skewed_decile(const struct mt_skewness *skewness)
{
    double late = skewness->late;
    double width = skewness->width;
    double share =
        normal_share(late) - exp(width * width / 2 - width * late) * normal_share(late - width);

    return (unsigned)fmin(9, fmax(0, floor(10 * share)));
}

static void see_sample(struct line *self)
{
    const struct mt_node_clock *clock = &self->nodes[RECEIVER].composition->node.clocks[0];
    const struct mt_discipline *discipline = &clock->discipline;
    double innovation = (double)clock->report.estimate.innovation;

    if (discipline->selected == MT_SOURCE_NONE || !clock->report.has_estimate) {
        return;
    }
    uint32_t used = discipline->sources[discipline->selected].verdicts[MT_SAMPLE_USED];
    if (used != self->samples_used) {
        self->samples_used = used;
        self->innovations.count++;
        self->innovations.squares += innovation * innovation;
        const struct mt_skewness *skewness = &discipline->config.skewness[discipline->selected];
        unsigned decile = skewness->is_skewed ? skewed_decile(skewness) : decile_of(innovation);
        self->innovations.deciles[decile]++;
    }
}

/* ---- the gate -------------------------------------------------------------------------------- */

static void gate_next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    see_sample(GATE_OF(wait)->line); /* what the input before has led to */
    GATE_OF(wait)->inner->ops->next(GATE_OF(wait)->inner, deadline, ret_input);
}

static struct mt_mono gate_now(struct mt_hal_wait *wait)
{
    return GATE_OF(wait)->inner->ops->now(GATE_OF(wait)->inner);
}

static const struct mt_hal_wait_ops gate_ops = {gate_next, gate_now};

/* ---- building -------------------------------------------------------------------------------- */

/* Null: a clock that follows. */
static const char *priority_of(const struct line_plan *plan, unsigned node)
{
    static char text[32];

    snprintf(text, sizeof text, "priority1 = %u", node == 0 ? 100 : plan->rival);
    return node == 0 || node > plan->hops ? text : NULL;
}

static void write_config(const struct line_plan *plan, unsigned node, char text[TEXT_SIZE])
{
    const char *priority = priority_of(plan, node);
    bool has_servo = priority == NULL && plan->servo != NULL;
    char asymmetry[48] = "";

    if (priority == NULL && plan->asymmetry_ns > 0) {
        snprintf(asymmetry, sizeof asymmetry, "max_asymmetry = %.0f ns\n", plan->asymmetry_ns);
    }
    snprintf(text, TEXT_SIZE,
             "[clock]\n%s%s%s%s\n"
             "[ptp]\nlog_sync_interval = %d\nlog_min_delay_req_interval = %d\n%s\n"
             "[ptp eth0]\n%s",
             asymmetry, priority != NULL ? "estimates_only = yes" : "", /* it is right as it is */
             has_servo ? "servo = " : "", has_servo ? plan->servo : "", plan->sync_log2s,
             plan->sync_log2s, priority != NULL ? priority : "",
             priority == NULL && node < plan->hops ? "[ptp eth1]" : "");
}

static struct mt_config *parse(const char *text)
{
    struct mt_config_problems problems = {0};
    struct mt_config *config = NULL;

    if (!mt_config_parse(text, strlen(text), "bench", NULL, 0, &config, &problems)) {
        mt_config_problems_print(&problems, stderr);
        line_give_up("configuration", text);
    }
    return config;
}

static void add_node(struct line *self, unsigned number)
{
    const struct line_plan *plan = &self->plan;
    struct mt_sim_node_config config = {0};

    if (number > 0 && number <= plan->hops) {
        config = (struct mt_sim_node_config){.offset_s = plan->offset_s,
                                             .frequency = plan->frequency,
                                             .wander = plan->wander,
                                             .max_rate = plan->max_rate};
    }
    if (mt_world_add_node(self->world, &config) != number) {
        line_give_up("node", "no room");
    }
}

static void add_cable(struct line *self, unsigned number)
{
    const struct line_plan *plan = &self->plan;
    const struct mt_sim_segment_config config = {
        .delay_ns = plan->delay_ns,
        .jitter = plan->noise,
        .jitter_ns = plan->jitter_ns,
        .jitter_shape = plan->jitter_shape,
        .jitter_scale_back = plan->jitter_back,
    };

    self->cables[number] = mt_world_add_segment(self->world, &config);
    if (self->cables[number] == MT_WORLD_NONE ||
        !mt_world_join(self->world, self->cables[number], number, number == 0 ? "eth0" : "eth1") ||
        !mt_world_join(self->world, self->cables[number], number + 1, "eth0")) {
        line_give_up("cable", "cannot be plugged");
    }
}

static void boot(struct line *self, unsigned number)
{
    static const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC, .leap_s = 0};
    struct line_node *node = &self->nodes[number];
    struct mt_hal_provider *provider = mt_world_provider(self->world, number);
    char reason[MT_HAL_REASON_SIZE] = "";
    char text[TEXT_SIZE];

    write_config(&self->plan, number, text);
    node->config = parse(text);
    node->composition = mt_compose(node->config, provider, &facts, reason);
    if (node->composition == NULL) {
        line_give_up("node", reason);
    }
    node->gate = (struct line_gate){{&gate_ops}, provider->wait, self};
    mt_world_start(self->world, number, &node->composition->node,
                   self->is_watched && number == RECEIVER ? &node->gate.wait : provider->wait);
}

void line_open(struct line *self, const struct line_plan *plan, bool is_watched)
{
    unsigned nodes = plan->hops + (plan->rival != 0 ? 2 : 1);

    *self = (struct line){.plan = *plan, .is_watched = is_watched, .paired_s = -1};
    self->world = mt_world_new(plan->seed);
    if (self->world == NULL) {
        line_give_up("world", "out of memory");
    }
    for (unsigned i = 0; i < nodes; i++) {
        add_node(self, i);
    }
    for (unsigned i = 0; i < plan->hops; i++) {
        add_cable(self, i);
    }
    if (plan->rival != 0 && !mt_world_join(self->world, self->cables[0], plan->hops + 1, "eth0")) {
        line_give_up("rival", "cannot be plugged");
    }
    mt_world_observe(self->world, &(struct mt_world_observer){.context = self,
                                                              .frame = see_frame,
                                                              .arrival = see_arrival,
                                                              .correction = see_correction});
    for (unsigned i = 0; i <= plan->hops; i++) {
        boot(self, i);
    }
}

static void halt(struct line *self, unsigned number)
{
    struct line_node *node = &self->nodes[number];

    if (node->composition != NULL) {
        mt_world_kill(self->world, number);
        mt_composition_free(node->composition);
        mt_config_free(node->config);
        node->composition = NULL;
    }
}

void line_boot_rival(struct line *self)
{
    boot(self, self->plan.hops + 1);
}

void line_kill_grandmaster(struct line *self)
{
    halt(self, 0);
}

void line_close(struct line *self)
{
    for (unsigned i = 0; i < LINE_NODES; i++) {
        halt(self, i);
    }
    mt_world_free(self->world);
}

void line_run_to(struct line *self, int64_t number)
{
    int64_t step_ns = mt_log2s_to_ns((int8_t)self->plan.sync_log2s) / READINGS_PER_SYNC;

    if (!mt_world_run_until(self->world, number * step_ns)) {
        line_give_up("world", mt_world_complaint(self->world));
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static double page_error_ns(const struct mt_clock_page *page, int64_t base_ns)
{
    struct mt_instant read = mt_clock_page_time(page, base_ns);

    if (read.scale != MT_SCALE_TAI) {
        line_give_up("page", "is not of TAI");
    }
    return to_ns(mt_instant_minus(read, mt_instant_from_ns(base_ns, MT_SCALE_TAI)));
}

bool line_read(const struct line *self, unsigned hop, struct line_reading *ret_reading)
{
    const struct mt_clock_page *page = &self->nodes[hop].composition->node.clocks[0].page;
    int64_t base_ns = EPOCH_NS + mt_world_t_ns(self->world);
    double elapsed_ns = (double)(base_ns - page->base_at_anchor_ns);
    bool has_bound =
        page->bound_reference == MT_BOUND_SOURCE || page->bound_reference == MT_BOUND_TRACEABLE;

    if (page->magic != MT_CLOCK_PAGE_MAGIC) {
        return false;
    }
    *ret_reading = (struct line_reading){
        .error_ns = page_error_ns(page, base_ns),
        .clock_error_ns = to_ns(mt_world_true_offset(self->world, hop, 0)),
        .bound_ns = has_bound
                        ? (double)page->bound_ns + (double)page->bound_growth_ppb * elapsed_ns / 1e9
                        : -1,
        .state = (enum mt_clock_state)page->state,
        .is_saturated = self->nodes[hop].composition->node.clocks[0].report.is_saturated,
    };
    return true;
}
