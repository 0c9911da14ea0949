/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A node with a reference clock or an NTP server and nothing else, one seed: the published time,
 * and a Kalman filter that knows wander, jitter and delay and sees the same readings and packets.
 * They are looked at in the gate before the node takes them; what they say of the free oscillator
 * is the truth's to tell.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "kalman.h"
#include "meantime/ntp_wire.h"
#include "particle.h"
#include "runtime/refclock_reading.h"

#define EPOCH_NS   (MT_WORLD_EPOCH_S * MT_NS_PER_S)
#define READINGS   8     /* of the page, in an interval */
#define RECEIVE_AT 32    /* in the packet */
#define SERVER_NS  20000 /* from a question to its answer */

struct reference {
    struct mt_hal_wait gate; /* first: handed out as a table */
    struct mt_hal_wait *inner;
    const struct job *job;
    struct mt_world *world;
    struct mt_config *config;
    struct mt_composition *composition;
    struct kalman kalman;
    struct particle *particles; /* null: none */
    int64_t asked_ns;           /* when the last question left */
    double came_s;              /* interleaved: the last answer, of which the next tells more */
    double came_value_ns;
    double heard;
    double readings;
    double error;
    double squares;
    double outside;
    double unbounded;
    double kalman_squares;
    double kalman_variance;
    double particle_squares;
    double batch[JOB_BATCHES][3];
};

static double gain_at_ns(const struct reference *self, int64_t t_ns)
{
    return (double)mt_world_oscillator_gain(self->world, 0, t_ns).q16 / 65536.0;
}

/* ---- what is heard --------------------------------------------------------------------------- */

static void hear(struct reference *self, const struct mt_input *input)
{
    struct mt_refclock_reading reading;

    if (!mt_refclock_reading_parse(input->bytes, input->length, &reading)) {
        line_give_up("reading", "is none");
    }
    int64_t true_ns = (reading.s + MT_WORLD_TAI_MINUS_UTC) * MT_NS_PER_S + reading.ns - EPOCH_NS;
    double late_ns = (double)(input->stamp.ns - EPOCH_NS - true_ns) + input->stamp.frac / 65536.0;

    self->heard++;
    kalman_update(&self->kalman, (double)true_ns / 1e9, late_ns + gain_at_ns(self, true_ns), true);
}

static void update(struct reference *self, double at_s, double value_ns, bool is_forward)
{
    kalman_update(&self->kalman, at_s, value_ns, is_forward);
    if (self->particles == NULL) {
        return;
    }
    if (self->particles->is_started) {
        particle_update(self->particles, at_s, value_ns, is_forward);
    } else if (at_s >= self->job->discard_s / 2) {
        particle_start(self->particles, &self->kalman);
    }
}

/* ns of true time since the world began, of a timestamp of the server's */
static double server_ns(const struct mt_input *input, size_t at)
{
    struct mt_instant near = mt_instant_from_ns(input->stamp.ns, MT_SCALE_UTC);
    mt_ntp_time time = 0;

    for (size_t i = 0; i < sizeof time; i++) {
        time = time << 8 | input->bytes[at + i];
    }
    struct mt_instant when = mt_ntp_to_instant(time, &near);
    int64_t s = when.s + MT_WORLD_TAI_MINUS_UTC - MT_WORLD_EPOCH_S;
    return (double)s * 1e9 + (double)when.ns + when.frac / 65536.0;
}

/* Both ways of an exchange; in the interleaved mode the way back is known when the next answer
 * tells when this one left. */
static void see_answer(struct reference *self, const struct mt_input *input)
{
    int64_t come_ns = input->stamp.ns - EPOCH_NS;
    double there_ns = server_ns(input, RECEIVE_AT);
    double back_ns = (double)come_ns + input->stamp.frac / 65536.0 - there_ns - SERVER_NS +
                     gain_at_ns(self, come_ns);
    bool is_interleaved = self->job->is_interleaved;

    if (is_interleaved && self->heard > 0) {
        update(self, self->came_s, self->came_value_ns, true);
    }
    self->heard++;
    self->came_s = (double)come_ns / 1e9;
    self->came_value_ns = back_ns;
    update(self, (double)self->asked_ns / 1e9,
           there_ns - (double)self->asked_ns - gain_at_ns(self, self->asked_ns), false);
    if (!is_interleaved) {
        update(self, self->came_s, back_ns, true);
    }
}

static void gate_next(struct mt_hal_wait *wait, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct reference *self = (struct reference *)wait;

    self->inner->ops->next(self->inner, deadline, ret_input);
    if (ret_input->kind == MT_INPUT_TX_STAMP) {
        self->asked_ns = ret_input->stamp.ns - EPOCH_NS;
    } else if (ret_input->kind == MT_INPUT_FRAME && self->job->is_ntp) {
        see_answer(self, ret_input);
    } else if (ret_input->kind == MT_INPUT_FRAME) {
        hear(self, ret_input);
    }
}

static struct mt_mono gate_now(struct mt_hal_wait *wait)
{
    struct reference *self = (struct reference *)wait;

    return self->inner->ops->now(self->inner);
}

static const struct mt_hal_wait_ops gate_ops = {gate_next, gate_now};

/* ---- building -------------------------------------------------------------------------------- */

static void write_config(const struct job *job, char *text, size_t size)
{
    if (!job->is_ntp) {
        snprintf(text, size,
                 "[refclock pps]\ndriver = sock\npath = /sim\nmax_error = 1 ns\n"
                 "precision = 0\n");
        return;
    }
    snprintf(text, size, "[ntp 192.0.2.1]\nmin_poll = %d\nmax_poll = %d\ninterleaved = %s\n",
             job->min_poll, job->max_poll, job->is_interleaved ? "yes" : "no");
}

static void open_world(struct reference *self)
{
    char text[256];
    static const struct mt_compose_facts facts = {
        .tai_utc_known = true, .tai_minus_utc_s = MT_WORLD_TAI_MINUS_UTC, .leap_s = 0};
    static struct mt_config_problems problems;
    const struct line_plan *plan = &self->job->plan;
    const struct mt_sim_node_config node = {
        .offset_s = plan->offset_s,
        .frequency = plan->frequency,
        .wander = plan->wander,
        .refclock_interval_ns = mt_log2s_to_ns((int8_t)plan->sync_log2s),
        .refclock_jitter_ns = plan->jitter_ns,
        .ntp_delay_ns = plan->delay_ns,
        .ntp_jitter = plan->noise,
        .ntp_jitter_ns = plan->jitter_ns,
    };
    char reason[MT_HAL_REASON_SIZE] = "";

    write_config(self->job, text, sizeof text);
    self->world = mt_world_new(plan->seed);
    if (self->world == NULL || mt_world_add_node(self->world, &node) != 0) {
        line_give_up("world", "out of memory");
    }
    if (!mt_config_parse(text, strlen(text), "bench", NULL, 0, &self->config, &problems)) {
        mt_config_problems_print(&problems, stderr);
        line_give_up("configuration", text);
    }
    self->inner = mt_world_provider(self->world, 0)->wait;
    self->composition = mt_compose(self->config, mt_world_provider(self->world, 0), &facts, reason);
    if (self->composition == NULL) {
        line_give_up("node", reason);
    }
    mt_world_start(self->world, 0, &self->composition->node, &self->gate);
}

static void close_world(struct reference *self)
{
    mt_world_kill(self->world, 0);
    mt_composition_free(self->composition);
    mt_config_free(self->config);
    mt_world_free(self->world);
}

/* ---- reading --------------------------------------------------------------------------------- */

static double to_ns(struct mt_span span)
{
    return (double)span.s * 1e9 + (double)span.ns + span.frac / 65536.0;
}

static void add_bound(struct reference *self, const struct mt_clock_page *page, int64_t base_ns,
                      double error_ns)
{
    double elapsed_ns = (double)(base_ns - page->base_at_anchor_ns);
    double bound_ns = (double)page->bound_ns + (double)page->bound_growth_ppb * elapsed_ns / 1e9;

    if (page->bound_reference == MT_BOUND_NONE) {
        self->unbounded++;
    } else {
        self->outside += fabs(error_ns) > bound_ns;
    }
}

static void look(struct reference *self, double share)
{
    const struct mt_clock_page *page = &self->composition->node.clocks[0].page;
    int64_t t_ns = mt_world_t_ns(self->world);
    struct mt_instant read = mt_clock_page_time(page, EPOCH_NS + t_ns);
    int batch = (int)(share * JOB_BATCHES);

    if (page->magic != MT_CLOCK_PAGE_MAGIC || read.scale != MT_SCALE_TAI) {
        line_give_up("page", "there is none of TAI after the time to settle");
    }
    double error_ns =
        to_ns(mt_instant_minus(read, mt_instant_from_ns(EPOCH_NS + t_ns, MT_SCALE_TAI)));
    double other_ns = kalman_offset_ns(&self->kalman, (double)t_ns / 1e9) - gain_at_ns(self, t_ns);
    self->readings++;
    self->error += error_ns;
    self->squares += error_ns * error_ns;
    self->kalman_squares += other_ns * other_ns;
    self->kalman_variance += kalman_variance_ns2(&self->kalman, (double)t_ns / 1e9);
    if (self->particles != NULL) {
        double particle_ns =
            particle_offset_ns(self->particles, (double)t_ns / 1e9) - gain_at_ns(self, t_ns);
        self->particle_squares += particle_ns * particle_ns;
        self->batch[batch < JOB_BATCHES ? batch : JOB_BATCHES - 1][2] += particle_ns * particle_ns;
    }
    add_bound(self, page, EPOCH_NS + t_ns, error_ns);
    batch = batch < JOB_BATCHES ? batch : JOB_BATCHES - 1;
    self->batch[batch][0] += error_ns * error_ns;
    self->batch[batch][1] += other_ns * other_ns;
}

static void print(const struct reference *self)
{
    printf("{\"messages\":%.0f,\"readings\":%.0f,\"error\":%.9g,\"squares\":%.9g,"
           "\"outside\":%.0f,\"unbounded\":%.0f,\"kalman_squares\":%.9g,"
           "\"kalman_variance\":%.9g,\"particle_squares\":%.9g,\"batches\":[",
           self->heard, self->readings, self->error, self->squares, self->outside, self->unbounded,
           self->kalman_squares, self->kalman_variance, self->particle_squares);
    for (int i = 0; i < JOB_BATCHES; i++) {
        printf("%s[%.9g,%.9g,%.9g]", i > 0 ? "," : "", self->batch[i][0], self->batch[i][1],
               self->batch[i][2]);
    }
    printf("]}\n");
}

static void open_particles(struct reference *self)
{
    const struct line_plan *plan = &self->job->plan;

    if (self->job->has_particles) {
        self->particles = malloc(sizeof *self->particles);
        if (self->particles == NULL) {
            line_give_up("particles", "out of memory");
        }
        particle_init(self->particles, plan->seed, plan->wander, plan->jitter_ns, plan->delay_ns);
    }
}

void job_reference(const struct job *job)
{
    struct reference *self = calloc(1, sizeof *self);
    double step_s = line_interval_s(&job->plan) / READINGS;
    int64_t last = (int64_t)(job->seconds / step_s);

    if (self == NULL) {
        line_give_up("refclock", "out of memory");
    }
    self->gate.ops = &gate_ops;
    self->job = job;
    double mean_ns = job->is_ntp ? job->plan.delay_ns : 0;
    mean_ns += job->plan.noise == MT_SIM_JITTER_EXPONENTIAL ? job->plan.jitter_ns : 0;
    kalman_init(&self->kalman, job->plan.wander, job->plan.jitter_ns, mean_ns);
    open_particles(self);
    open_world(self);
    for (int64_t i = 1; i <= last; i++) {
        double share = ((double)i * step_s - job->discard_s) / (job->seconds - job->discard_s);

        if (!mt_world_run_until(self->world, (int64_t)((double)i * step_s * 1e9))) {
            line_give_up("world", mt_world_complaint(self->world));
        }
        if (share > 0) {
            look(self, share);
        }
    }
    print(self);
    close_world(self);
    free(self->particles);
    free(self);
}
