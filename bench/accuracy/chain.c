/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A chain, one seed: the published time of each hop, which has an oscillator of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "job.h"

void job_chain(const struct job *job)
{
    const struct line_plan *plan = &job->plan;
    double step_s = line_interval_s(plan) / READINGS_PER_SYNC;
    int64_t first = (int64_t)(job->discard_s / step_s);
    int64_t last = (int64_t)(job->seconds / step_s);
    double squares[LINE_HOPS_MAX + 1] = {0};
    double outside[LINE_HOPS_MAX + 1] = {0};
    struct line_reading reading;
    struct line *line = malloc(sizeof *line);

    if (line == NULL) {
        line_give_up("line", "out of memory");
    }
    line_open(line, plan, false);
    line_run_to(line, first);
    for (int64_t i = first + 1; i <= last; i++) {
        line_run_to(line, i);
        for (unsigned hop = 1; hop <= plan->hops; hop++) {
            if (!line_read(line, hop, &reading)) {
                line_give_up("page", "there is none after the time to settle");
            }
            squares[hop] += reading.error_ns * reading.error_ns;
            outside[hop] +=
                reading.error_ns > reading.bound_ns || reading.error_ns < -reading.bound_ns;
        }
    }
    printf("{\"readings\":%.0f,\"hops\":[", (double)(last - first));
    for (unsigned hop = 1; hop <= plan->hops; hop++) {
        printf("%s%.9g", hop > 1 ? "," : "", squares[hop]);
    }
    printf("],\"outside\":[");
    for (unsigned hop = 1; hop <= plan->hops; hop++) {
        printf("%s%.0f", hop > 1 ? "," : "", outside[hop]);
    }
    printf("]}\n");
    line_close(line);
    free(line);
}
