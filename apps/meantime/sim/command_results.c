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

/* ---- the timeline ---------------------------------------------------------------------------- */

/* Those that share a moment are told together, so only the last of them has a phase. */
static bool is_followed_at_once(const struct mt_topology *topology, uint32_t number)
{
    return number < topology->happening_count &&
           topology->happenings[number].t_ns ==
               (number == 0 ? 0 : topology->happenings[number - 1].t_ns);
}

static void print_phase(FILE *out, const struct mt_topology *topology,
                        const struct mt_run_phase *phase)
{
    char figure[MT_FIGURE_SIZE];
    char moment[MT_SIM_MOMENT_SIZE];

    fprintf(out, "%16s", "");
    if (phase->judged == 0) {
        fputs("no node is judged\n", out);
        return;
    }
    if (phase->grandmaster != MT_TOPOLOGY_NONE) {
        fprintf(out, "%u of %u follow %s", phase->followers, phase->judged,
                topology->nodes[phase->grandmaster].name);
    } else {
        fputs("nobody follows a grandmaster", out);
    }
    if (phase->changes > 0) {
        fprintf(out, ", the last change %s after", mt_sim_moment(phase->last_change_ns, moment));
    }
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
            print_phase(out, topology, &result->phases[i]);
        }
    }
}

/* ---- expectations ---------------------------------------------------------------------------- */

struct judgement {
    FILE *out;
    const char *node;
    unsigned missed;
};

static void miss(struct judgement *self, const char *what, const char *found, const char *limit)
{
    fprintf(self->out, "%s %s: %s %s, expected %s\n", self->missed == 0 ? "\nMISSED" : "MISSED",
            self->node, what, found, limit);
    self->missed++;
}

static void check_time(struct judgement *self, const char *what, double found_ns, double limit_ns)
{
    char found[MT_FIGURE_SIZE];
    char limit[MT_FIGURE_SIZE];

    if (limit_ns >= 0 && !(found_ns <= limit_ns)) {
        miss(self, what, mt_figure_time(found_ns, false, found),
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
        miss(self, "synchronised after", "never", mt_figure_time(limit_s * 1e9, false, limit));
        return;
    }
    check_time(self, "synchronised after", figures->synchronise_max_s * 1e9, limit_s * 1e9);
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
    miss(self, "readings inside the bound", figures->with_bound > 0 ? found : "none has a bound",
         limit);
}

static void check(struct judgement *self, const struct mt_topology_expectation *expectation,
                  const struct mt_statistics_figures *figures)
{
    bool wants_errors = expectation->max_error_ns >= 0 || expectation->rms_ns >= 0 ||
                        expectation->mean_ns >= 0 || expectation->p99_ns >= 0;

    if (wants_errors && figures->readings == 0) {
        miss(self, "readings", "none", "some");
    } else {
        check_time(self, "largest error", figures->max_ns, expectation->max_error_ns);
        check_time(self, "RMS", figures->rms_ns, expectation->rms_ns);
        check_time(self, "mean error", fabs(figures->mean_ns), expectation->mean_ns);
        check_time(self, "99 % of errors", figures->p99_ns, expectation->p99_ns);
    }
    check_bound(self, figures, expectation->inside_bound);
    check_synchronised(self, figures, expectation->synchronised_within_s);
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
    }
    if (topology->expectation_count > 0 && judgement.missed == 0) {
        fputs("\nall expectations hold\n", out);
    }
    return judgement.missed;
}
