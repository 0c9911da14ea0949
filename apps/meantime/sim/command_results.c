/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What is said beside the tables: the timeline with what the judged nodes did, and which
 * expectations did not hold.
 */
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "apps/meantime/sim/command.h"
#include "apps/meantime/text.h"

#define NAMES_MOST 5 /* of nodes, in one line */

/* ---- the timeline ---------------------------------------------------------------------------- */

/* Those that share a moment are told together, so only the last of them has a phase. */
static bool is_followed_at_once(const struct mt_topology *topology, uint32_t number)
{
    return number < topology->happening_count &&
           topology->happenings[number].t_ns ==
               (number == 0 ? 0 : topology->happenings[number - 1].t_ns);
}

/* By KILL or STOP, when happening `number` has been; KILL if it runs. */
static enum mt_topology_verb ended_by(const struct mt_topology *topology, uint32_t number,
                                      uint32_t node, bool *ret_is_down)
{
    enum mt_topology_verb verb = MT_TOPOLOGY_KILL;

    *ret_is_down = false;
    for (uint32_t i = 0; i < topology->event_count; i++) {
        const struct mt_topology_event *event = &topology->events[i];
        bool is_end = event->verb == MT_TOPOLOGY_KILL || event->verb == MT_TOPOLOGY_STOP;
        if (event->happening >= number || event->index != node ||
            (!is_end && event->verb != MT_TOPOLOGY_START)) {
            continue;
        }
        *ret_is_down = is_end;
        verb = is_end ? event->verb : verb;
    }
    return verb;
}

/* "; failed: gm1, gm2" */
static void print_ended(FILE *out, const struct mt_topology *topology, uint32_t number,
                        enum mt_topology_verb verb, const char *word)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < topology->node_count; i++) {
        bool is_down;
        if (ended_by(topology, number, i, &is_down) != verb || !is_down) {
            continue;
        }
        if (count < NAMES_MOST) {
            fprintf(out, "%s%s%s", count == 0 ? "; " : ", ", count == 0 ? word : "",
                    topology->nodes[i].name);
        }
        count++;
    }
    if (count > NAMES_MOST) {
        fprintf(out, " and %u more", count - NAMES_MOST);
    }
}

static void print_some(FILE *out, uint32_t count, const char *what)
{
    if (count > 0) {
        fprintf(out, ", %u %s", count, what);
    }
}

static void print_standing(FILE *out, const struct mt_topology *topology, uint32_t number,
                           const struct mt_run_standing *standing)
{
    bool is_down = false;

    if (standing->grandmaster != MT_TOPOLOGY_NONE) {
        ended_by(topology, number, standing->grandmaster, &is_down);
    }
    fprintf(out, "%u of %u follow %s%s", standing->followers, standing->judged,
            standing->grandmaster != MT_TOPOLOGY_NONE ? topology->nodes[standing->grandmaster].name
                                                      : "a grandmaster",
            is_down ? " still" : "");
    print_some(out, standing->others, "another one");
    print_some(out, standing->holdover, "in holdover");
    print_some(out, standing->free, "on their own");
    print_some(out, standing->down, "not running");
}

static void print_phase(FILE *out, const struct mt_topology *topology, uint32_t number,
                        const struct mt_run_phase *phase)
{
    char figure[MT_FIGURE_SIZE];
    char moment[MT_SIM_MOMENT_SIZE];

    fprintf(out, "%16s", "");
    if (phase->standing.judged == 0) {
        fputs("no node is judged\n", out);
        return;
    }
    print_standing(out, topology, number, &phase->standing);
    if (phase->changes > 0) {
        fprintf(out, "%sthe last change %s after", phase->standing.followers > 0 ? ", " : "; ",
                mt_sim_moment(phase->last_change_ns, moment));
    }
    print_ended(out, topology, number, MT_TOPOLOGY_KILL, "failed: ");
    print_ended(out, topology, number, MT_TOPOLOGY_STOP, "stopped: ");
    if (phase->worst_ns >= 0) {
        fprintf(out, "\n%16slargest error %s (%s)", "",
                mt_figure_time(phase->worst_ns, false, figure),
                topology->nodes[phase->worst_node].name);
    }
    if (phase->outside > 0) {
        fprintf(out, ", %llu readings outside their bound", (unsigned long long)phase->outside);
    }
    fputc('\n', out);
}

void mt_sim_print_timeline(FILE *out, const struct mt_topology *topology,
                           const struct mt_run_result *result)
{
    char moment[MT_SIM_MOMENT_SIZE];

    if (topology->happening_count == 0) {
        return;
    }
    fprintf(out, "\nwhat happened (errors after the first %s)\n",
            mt_sim_moment(topology->run.discard_ns, moment));
    for (uint32_t i = 0; i <= topology->happening_count; i++) {
        const struct mt_topology_happening *happening = i > 0 ? &topology->happenings[i - 1] : NULL;
        if (happening != NULL && happening->t_ns > result->t_ns) {
            fprintf(out, "  %-13s %s: not reached\n", mt_sim_moment(happening->t_ns, moment),
                    happening->sentence);
            continue;
        }
        fprintf(out, "  %-13s %s\n", mt_sim_moment(happening != NULL ? happening->t_ns : 0, moment),
                happening != NULL ? happening->sentence : "start");
        if (!is_followed_at_once(topology, i)) {
            print_phase(out, topology, i, &result->phases[i]);
        }
    }
}

/* ---- expectations ---------------------------------------------------------------------------- */

enum wish { READINGS, LARGEST, RMS, MEAN, MOST, INSIDE, SYNCHRONISED };
#define WISHES 7
static const char *const wishes[] = {
    "readings",          "largest error",  "RMS",
    "mean error",        "99 % of errors", "readings inside the bound",
    "synchronised after"};

struct judgement {
    FILE *out;
    const char *node;
    unsigned missed;
    unsigned nodes[WISHES]; /* that missed it, by one expectation */
};

static void miss(struct judgement *self, enum wish wish, const char *found, const char *limit)
{
    if (self->nodes[wish]++ < NAMES_MOST) {
        fprintf(self->out, "%s %s: %s %s, expected %s\n", self->missed == 0 ? "\nMISSED" : "MISSED",
                self->node, wishes[wish], found, limit);
    }
    self->missed++;
}

static void tell_rest(struct judgement *self)
{
    for (int wish = 0; wish < WISHES; wish++) {
        if (self->nodes[wish] > NAMES_MOST) {
            fprintf(self->out, "MISSED %u more: %s\n", self->nodes[wish] - NAMES_MOST,
                    wishes[wish]);
        }
        self->nodes[wish] = 0;
    }
}

static void check_time(struct judgement *self, enum wish wish, double found_ns, double limit_ns)
{
    char found[MT_FIGURE_SIZE];
    char limit[MT_FIGURE_SIZE];

    if (limit_ns >= 0 && !(found_ns <= limit_ns)) {
        miss(self, wish, mt_figure_time(found_ns, false, found),
             mt_figure_time(limit_ns, false, limit));
    }
}

static void check_synchronised(struct judgement *self, const struct mt_statistics_figures *figures,
                               double limit_s)
{
    if (limit_s < 0) {
        return;
    }
    if (!figures->has_synchronised) {
        char limit[MT_FIGURE_SIZE];
        miss(self, SYNCHRONISED, "never", mt_figure_time(limit_s * 1e9, false, limit));
        return;
    }
    check_time(self, SYNCHRONISED, figures->synchronise_max_s * 1e9, limit_s * 1e9);
}

static void check_bound(struct judgement *self, const struct mt_statistics_figures *figures,
                        double least)
{
    char found[MT_FIGURE_SIZE];
    char limit[MT_FIGURE_SIZE];

    if (least < 0 || (figures->with_bound > 0 && figures->inside_share >= least)) {
        return;
    }
    snprintf(found, sizeof found, "%.6g %%", 100 * figures->inside_share);
    snprintf(limit, sizeof limit, "%.6g %%", 100 * least);
    miss(self, INSIDE, figures->with_bound > 0 ? found : "none has a bound", limit);
}

static void check(struct judgement *self, const struct mt_topology_expectation *expectation,
                  const struct mt_statistics_figures *figures)
{
    bool wants_errors = expectation->max_error_ns >= 0 || expectation->rms_ns >= 0 ||
                        expectation->mean_ns >= 0 || expectation->p99_ns >= 0;

    if (wants_errors && figures->readings == 0) {
        miss(self, READINGS, "none", "some");
    } else {
        check_time(self, LARGEST, figures->max_ns, expectation->max_error_ns);
        check_time(self, RMS, figures->rms_ns, expectation->rms_ns);
        check_time(self, MEAN, fabs(figures->mean_ns), expectation->mean_ns);
        check_time(self, MOST, figures->p99_ns, expectation->p99_ns);
    }
    if (figures->readings > 0 || !wants_errors) {
        check_bound(self, figures, expectation->inside_bound);
    }
    check_synchronised(self, figures, expectation->synchronised_within_s);
}

/* Why expectations are missed, if it is only that the run was not long enough. */
static void tell_if_short(FILE *out, const struct mt_topology *topology,
                          const struct mt_run_result *result, unsigned missed)
{
    char moment[MT_SIM_MOMENT_SIZE];
    uint32_t unreached = 0;
    uint32_t judged = 0;
    uint32_t late = 0;

    for (uint32_t i = 0; i < topology->happening_count; i++) {
        unreached += topology->happenings[i].t_ns > result->t_ns;
    }
    for (uint32_t n = 0; n < topology->node_count; n++) {
        struct mt_statistics_figures figures;
        mt_statistics_get(&result->published[n], &figures);
        judged += !topology->nodes[n].gives_time;
        late += !topology->nodes[n].gives_time && !figures.has_synchronised;
    }
    if ((missed == 0 || late == 0) && unreached == 0) {
        return;
    }
    fprintf(out, "\n%s may be too short:", mt_sim_moment(result->t_ns, moment));
    if (late > 0) {
        fprintf(out, " %u of %u judged nodes never synchronised", late, judged);
    }
    if (unreached > 0) {
        fprintf(out, "%s %u of %u entries of the timeline not reached", late > 0 ? "," : "",
                unreached, topology->happening_count);
    }
    fputs("; see --duration\n", out);
}

unsigned mt_sim_judge(FILE *out, const struct mt_topology *topology,
                      const struct mt_run_result *result)
{
    struct judgement judgement = {.out = out};

    for (uint32_t i = 0; i < topology->expectation_count; i++) {
        const struct mt_topology_expectation *expectation = &topology->expectations[i];
        for (uint32_t n = 0; n < topology->node_count; n++) {
            const struct mt_topology_node *node = &topology->nodes[n];
            struct mt_statistics_figures figures;
            bool is_meant = fnmatch(expectation->pattern, node->name, 0) == 0 ||
                            fnmatch(expectation->pattern, node->kind, 0) == 0;
            if (!is_meant || node->gives_time) {
                continue;
            }
            mt_statistics_get(&result->published[n], &figures);
            judgement.node = node->name;
            check(&judgement, expectation, &figures);
        }
        tell_rest(&judgement);
    }
    tell_if_short(out, topology, result, judgement.missed);
    if (topology->expectation_count > 0 && judgement.missed == 0) {
        fputs("\nall expectations hold\n", out);
    }
    return judgement.missed;
}
