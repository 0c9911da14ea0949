/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Between two readings the world runs undisturbed; reading changes nothing in it.  The hash covers
 * what nodes do to the outside (frames with their time, corrections with what came of them), so
 * two runs with one hash were the same run.
 */
#include "sim_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READING_NS  INT64_C(125000000)
#define HASH_START  UINT64_C(0xCBF29CE484222325)
#define HASH_FACTOR UINT64_C(0x100000001B3)

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "lab: %s: %s\n", what, why);
    exit(1);
}

/* ---- watching -------------------------------------------------------------------------------- */

uint64_t lab_mix(uint64_t hash, const void *octets, size_t length)
{
    const uint8_t *octet = octets;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ octet[i]) * HASH_FACTOR;
    }
    return hash;
}

static void mix_number(struct lab *lab, int64_t number)
{
    uint8_t octets[8];

    for (int i = 0; i < 8; i++) {
        octets[i] = (uint8_t)((uint64_t)number >> 8 * i);
    }
    lab->hash = lab_mix(lab->hash, octets, sizeof octets);
}

static void see_frame(void *context, const struct mt_world_frame *frame)
{
    struct lab *lab = context;

    lab->frames++;
    lab->nodes[frame->node].watch.sent[frame->bytes[0] & 0xF]++;
    mix_number(lab, frame->t_ns);
    mix_number(lab, frame->node);
    lab->hash = lab_mix(lab->hash, frame->bytes, frame->length);
    if (lab->hear != NULL) {
        lab->hear(lab, frame);
    }
}

static double to_ns(struct mt_span span)
{
    return (double)mt_span_to_ns(span) + span.frac / 65536.0;
}

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static void see_correction(void *context, const struct mt_world_correction *correction)
{
    struct lab *lab = context;
    struct lab_watch *watch = &lab->nodes[correction->node].watch;
    const struct mt_applied *applied = correction->applied;
    double step_ns = magnitude(to_ns(applied->step));
    double bound_ns = lab_bound_ns(lab, correction->node);

    watch->corrections++;
    mix_number(lab, correction->t_ns);
    mix_number(lab, correction->node);
    mix_number(lab, applied->at.s);
    mix_number(lab, applied->at.ns * INT64_C(65536) + applied->at.frac);
    lab->hash = lab_mix(lab->hash, &applied->rate, sizeof applied->rate);
    if (applied->kind == MT_CORRECT_STEP) {
        watch->steps++;
        watch->blind_steps += bound_ns >= 0 && step_ns > bound_ns;
        watch->step_max_ns = step_ns > watch->step_max_ns ? step_ns : watch->step_max_ns;
    }
}

double lab_offset_ns(const struct lab *lab, uint32_t node, uint16_t clock)
{
    struct mt_span offset = mt_world_true_offset(lab->world, node, clock);

    if (lab->reference != TRUE_TIME) {
        offset = mt_span_minus(offset, mt_world_true_offset(lab->world, lab->reference, 0));
    }
    return to_ns(offset);
}

double lab_bound_ns(const struct lab *lab, uint32_t node)
{
    struct mt_world_reading reading;

    if (!mt_world_read_page(lab->world, node, 0, &reading) || !reading.has_bound) {
        return -1;
    }
    return (double)reading.bound_ns;
}

static double page_error_ns(const struct lab *lab, const struct mt_world_reading *reading)
{
    double error_ns = (double)reading->error_ns;

    if (lab->reference != TRUE_TIME) {
        error_ns -= to_ns(mt_world_true_offset(lab->world, lab->reference, 0));
    }
    return error_ns;
}

static bool is_grandmaster(const struct lab *lab, uint32_t node,
                           const struct mt_world_reading *reading)
{
    const struct mt_composition *composition = lab->nodes[node].composition;

    return composition != NULL &&
           mt_clock_identity_equal(&reading->grandmaster,
                                   &composition->node.instances[0].ptp.config.identity);
}

static bool is_against_reference(const struct lab *lab, const struct mt_world_reading *reading)
{
    return lab->reference == TRUE_TIME || is_grandmaster(lab, lab->reference, reading);
}

static void look_at(struct lab *lab, uint32_t node)
{
    struct lab_watch *watch = &lab->nodes[node].watch;
    double offset_ns = lab_offset_ns(lab, node, 0);
    struct mt_world_reading reading;

    watch->readings++;
    watch->sum_ns += offset_ns;
    watch->squares_ns2 += offset_ns * offset_ns;
    watch->max_ns = magnitude(offset_ns) > watch->max_ns ? magnitude(offset_ns) : watch->max_ns;
    if (!mt_world_read_page(lab->world, node, 0, &reading) || !reading.has_bound) {
        return;
    }
    double bound_ns = (double)reading.bound_ns;
    watch->bounded++;
    watch->bound_sum_ns += bound_ns;
    watch->bound_max_ns = bound_ns > watch->bound_max_ns ? bound_ns : watch->bound_max_ns;
    if (!is_against_reference(lab, &reading)) {
        watch->strange++;
        return;
    }
    watch->outside += magnitude(page_error_ns(lab, &reading)) > bound_ns + 1;
}

void lab_forget(struct lab *lab)
{
    for (uint32_t i = 0; i < lab->node_count; i++) {
        memset(&lab->nodes[i].watch, 0, sizeof lab->nodes[i].watch);
    }
}

bool lab_is_bounded(const struct lab *lab, uint32_t node)
{
    const struct lab_watch *watch = &lab->nodes[node].watch;

    return watch->bounded > 0 && watch->bounded == watch->readings && watch->strange == 0 &&
           watch->outside == 0;
}

double lab_mean_ns(const struct lab *lab, uint32_t node)
{
    const struct lab_watch *watch = &lab->nodes[node].watch;

    return watch->readings > 0 ? watch->sum_ns / watch->readings : 0;
}

double lab_sd_ns(const struct lab *lab, uint32_t node)
{
    const struct lab_watch *watch = &lab->nodes[node].watch;
    double mean_ns = lab_mean_ns(lab, node);

    return watch->readings > 0
               ? mt_real_sqrt(watch->squares_ns2 / watch->readings - mean_ns * mean_ns)
               : 0;
}

static void print_states(const struct lab *lab, uint32_t node)
{
    const struct mt_composition *composition = lab->nodes[node].composition;

    for (uint16_t i = 0; composition != NULL && i < composition->node.instance_count; i++) {
        const struct mt_instance *instance = &composition->node.instances[i].ptp;

        for (uint16_t port = 1; port <= instance->port_count; port++) {
            printf(" %d", (int)mt_port_state_of(instance, port));
        }
    }
}

void lab_print(const struct lab *lab)
{
    for (uint32_t i = 0; i < lab->node_count; i++) {
        const struct lab_watch *watch = &lab->nodes[i].watch;

        printf("%-4s", lab->nodes[i].name);
        print_states(lab, i);
        printf(" %6u readings: mean %.1f sd %.1f max %.1f ns; bound mean %.0f max %.0f ns, "
               "%u of %u outside, %u strange; %u corrections, %u steps up to %.0f ns, %u blind\n",
               watch->readings, lab_mean_ns(lab, i), lab_sd_ns(lab, i), watch->max_ns,
               watch->bounded > 0 ? watch->bound_sum_ns / watch->bounded : 0, watch->bound_max_ns,
               watch->outside, watch->bounded, watch->strange, watch->corrections, watch->steps,
               watch->step_max_ns, watch->blind_steps);
    }
}

/* ---- building -------------------------------------------------------------------------------- */

bool lab_is_long(void)
{
    const char *wanted = getenv("MEANTIME_LONG");

    return wanted != NULL && strcmp(wanted, "1") == 0;
}

struct lab_seeds lab_seeds(void)
{
    const char *text = getenv("MEANTIME_SIM_SEEDS");
    struct lab_seeds seeds = {1, 2};
    char *rest;

    if (text != NULL) {
        seeds.first = (unsigned)strtoul(text, &rest, 10);
        seeds.last = *rest == '-' ? (unsigned)strtoul(rest + 1, NULL, 10) : seeds.first;
    }
    return seeds;
}

void lab_open(struct lab *lab, uint64_t seed)
{
    memset(lab, 0, sizeof *lab);
    lab->world = mt_world_new(seed);
    lab->seed = seed;
    lab->reference = TRUE_TIME;
    lab->hash = HASH_START;
    if (lab->world == NULL) {
        give_up("world", "out of memory");
    }
    mt_world_observe(lab->world, &(struct mt_world_observer){.context = lab,
                                                             .frame = see_frame,
                                                             .correction = see_correction});
}

void lab_close(struct lab *lab)
{
    for (uint32_t i = 0; i < lab->node_count; i++) {
        lab_kill(lab, i);
        free(lab->nodes[i].text);
    }
    mt_world_free(lab->world);
    lab->world = NULL;
    lab->node_count = 0;
}

int lab_clean_up(struct lab *lab)
{
    if (lab->world != NULL) {
        printf("at %.3f s of seed %llu:\n", lab_seconds(lab), (unsigned long long)lab->seed);
        lab_print(lab);
        lab_close(lab);
    }
    return 0;
}

const char *lab_conf(const char *keys, unsigned ports)
{
    static char text[2048];
    size_t length = (size_t)snprintf(text, sizeof text,
                                     "[ptp]\n"
                                     "log_announce_interval = -1\n"
                                     "log_sync_interval = -3\n"
                                     "log_min_delay_req_interval = -3\n"
                                     "%s\n",
                                     keys);

    for (unsigned i = 0; i < ports; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "[ptp eth%u]\n", i);
    }
    return text;
}

uint32_t lab_add(struct lab *lab, const char *name, const struct mt_sim_node_config *config,
                 const char *text)
{
    uint32_t number = mt_world_add_node(lab->world, config);

    if (number == MT_WORLD_NONE || number >= LAB_NODES) {
        give_up(name, "no room");
    }
    lab->nodes[number].name = name;
    lab->nodes[number].text = malloc(strlen(text) + 1);
    strcpy(lab->nodes[number].text, text);
    lab->node_count++;
    return number;
}

uint32_t lab_cable(struct lab *lab, const struct mt_sim_segment_config *config, uint32_t a,
                   const char *a_interface, uint32_t b, const char *b_interface)
{
    uint32_t segment = mt_world_add_segment(lab->world, config);

    if (segment == MT_WORLD_NONE || !mt_world_join(lab->world, segment, a, a_interface) ||
        !mt_world_join(lab->world, segment, b, b_interface)) {
        give_up(a_interface, "cannot be plugged");
    }
    return segment;
}

static struct mt_config *parse(const char *name, const char *text)
{
    struct mt_config_problems problems = {0};
    struct mt_config *config = NULL;

    if (!mt_config_parse(text, strlen(text), name, NULL, 0, &config, &problems)) {
        mt_config_problems_print(&problems, stderr);
        give_up(name, "wrong configuration");
    }
    return config;
}

static void append(void *context, const uint8_t *octets, size_t length)
{
    struct lab_log *log = context;
    if (log->length + length > log->capacity) {
        log->capacity = 2 * (log->length + length);
        log->octets = realloc(log->octets, log->capacity);
    }
    if (log->octets == NULL) {
        give_up("log", "out of memory");
    }
    memcpy(log->octets + log->length, octets, length);
    log->length += length;
}

void lab_record(struct lab *lab, uint32_t node, struct lab_log *log)
{
    lab->nodes[node].log = log;
}

static void wait_at_gate(struct mt_hal_wait *wait, struct mt_mono deadline,
                         struct mt_input *ret_input)
{
    struct lab_gate *self = (struct lab_gate *)wait;
    void (*order)(struct lab * lab) = self->order;

    self->order = NULL;
    if (order != NULL) {
        order(self->lab);
    }
    self->inner->ops->next(self->inner, deadline, ret_input);
}

static struct mt_mono now_at_gate(struct mt_hal_wait *wait)
{
    struct lab_gate *self = (struct lab_gate *)wait;

    return self->inner->ops->now(self->inner);
}

static const struct mt_hal_wait_ops gate_ops = {wait_at_gate, now_at_gate};

static const struct mt_compose_facts *facts_of(const struct lab *lab)
{
    static const struct mt_compose_facts right = {
        .tai_utc_known = true, .tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC, .leap_s = 0};

    return lab->facts != NULL ? lab->facts : &right;
}

static struct mt_hal_provider *record(struct lab *lab, struct lab_node *self,
                                      struct mt_hal_provider *provider)
{
    const struct mt_log_sink sink = {self->log, append};
    const struct mt_log_start start = {
        .about = {"lab", 3},
        .config = {self->text, strlen(self->text)},
        .facts = mt_compose_log_facts(facts_of(lab)),
    };

    self->gate = (struct lab_gate){.wait.ops = &gate_ops, .inner = provider->wait, .lab = lab};
    provider->wait = &self->gate.wait;
    self->recorder = mt_recorder_open(provider, &sink, &start);
    if (self->recorder == NULL) {
        give_up(self->name, "cannot be recorded");
    }
    return mt_recorder_provider(self->recorder);
}

void lab_boot(struct lab *lab, uint32_t node)
{
    struct lab_node *self = &lab->nodes[node];
    struct mt_hal_provider *provider = mt_world_provider(lab->world, node);
    char reason[MT_HAL_REASON_SIZE] = "";

    self->config = parse(self->name, self->text);
    if (lab->provide != NULL) {
        provider = lab->provide(lab, node, provider);
    }
    if (self->log != NULL) {
        provider = record(lab, self, provider);
    }
    self->composition = mt_compose(self->config, provider, facts_of(lab), reason);
    if (self->composition == NULL) {
        give_up(self->name, reason);
    }
    mt_world_start(lab->world, node, &self->composition->node, provider->wait);
}

void lab_kill(struct lab *lab, uint32_t node)
{
    struct lab_node *self = &lab->nodes[node];

    if (self->composition != NULL) {
        mt_world_kill(lab->world, node);
        mt_composition_free(self->composition);
        mt_config_free(self->config);
        mt_recorder_close(self->recorder);
        if (self->recorder != NULL) {
            mt_world_provider(lab->world, node)->wait = self->gate.inner;
        }
        self->composition = NULL;
        self->recorder = NULL;
    }
}

static struct mt_mono now_of(const struct lab *lab, uint32_t node)
{
    struct mt_hal_wait *wait = mt_world_provider(lab->world, node)->wait;

    return wait->ops->now(wait);
}

void lab_stop(struct lab *lab, uint32_t node)
{
    struct lab_node *self = &lab->nodes[node];
    const struct mt_order order = {.kind = MT_ORDER_STOP, .now = now_of(lab, node)};

    mt_recorder_begin(self->recorder, &order);
    mt_node_stop(&self->composition->node, order.now);
    mt_recorder_end(self->recorder);
    lab_kill(lab, node);
}

bool lab_reload(struct lab *lab, uint32_t node, const char *text)
{
    struct lab_node *self = &lab->nodes[node];
    struct mt_config *config = parse(self->name, text);
    char reason[MT_HAL_REASON_SIZE];
    const struct mt_order order = {
        .kind = MT_ORDER_RELOAD,
        .now = now_of(lab, node),
        .config = {text, strlen(text)},
    };

    mt_recorder_begin(self->recorder, &order);
    bool is_taken = mt_composition_reload(self->composition, config, order.now, reason);
    mt_recorder_end(self->recorder);
    mt_config_free(config);
    return is_taken;
}

/* ---- running --------------------------------------------------------------------------------- */

double lab_seconds(const struct lab *lab)
{
    return (double)mt_world_t_ns(lab->world) / 1e9;
}

static void read_all(struct lab *lab)
{
    for (uint32_t i = 0; i < lab->node_count; i++) {
        if (lab->nodes[i].composition != NULL) {
            look_at(lab, i);
        }
    }
    if (lab->look != NULL) {
        lab->look(lab);
    }
}

static void run_one_reading(struct lab *lab)
{
    int64_t next_ns = (mt_world_t_ns(lab->world) / READING_NS + 1) * READING_NS;

    if (!mt_world_run_until(lab->world, next_ns)) {
        give_up("world", mt_world_complaint(lab->world));
    }
    read_all(lab);
}

void lab_run(struct lab *lab, double seconds)
{
    double end = lab_seconds(lab) + seconds - 1e-6;

    while (lab_seconds(lab) < end) {
        run_one_reading(lab);
    }
}

bool lab_run_until_state(struct lab *lab, uint32_t node, uint16_t port, enum mt_port_state state,
                         double seconds)
{
    double end = lab_seconds(lab) + seconds - 1e-6;

    while (lab_state(lab, node, port) != state && lab_seconds(lab) < end) {
        run_one_reading(lab);
    }
    return lab_state(lab, node, port) == state;
}

/* ---- looking into nodes ---------------------------------------------------------------------- */

struct mt_instance *lab_instance(struct lab *lab, uint32_t node, uint16_t instance)
{
    return &lab->nodes[node].composition->node.instances[instance].ptp;
}

enum mt_port_state lab_state(struct lab *lab, uint32_t node, uint16_t port)
{
    return mt_port_state_of(lab_instance(lab, node, 0), port);
}

bool lab_command(struct lab *lab, uint32_t node, uint16_t instance,
                 const struct mt_command *command)
{
    struct lab_node *self = &lab->nodes[node];

    return mt_recorder_command(self->recorder, &self->composition->node, instance, command,
                               now_of(lab, node));
}
