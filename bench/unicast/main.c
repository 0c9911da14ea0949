/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: bench-unicast SECONDS [ROUNDS [NAME]]
 * Measures each service, or that of the name alone, for that long, one after the other, in as many
 * rounds, and prints the best of each as JSON: other work on the machine makes figures smaller.
 * In a network namespace of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tests/platform/netspace.h"
#include "bench.h"

enum figure {
    ECHO,
    ECHO_TWO,
    SPTP,
    CSPTP,
    CSPTP_TWO_STEP,
    GRANT_SYNC,
    GRANT_SYNC_SINGLE,
    GRANT_SYNC_UNSTAMPED,
    FIGURES
};

static const char *const names[FIGURES] = {
    "echo",
    "echo_two",
    "sptp",
    "csptp",
    "csptp_two_step",
    "grant_sync",
    "grant_sync_single",
    "grant_sync_unstamped",
};

static double measure(enum figure figure, double seconds)
{
    switch (figure) {
    case ECHO:
    case ECHO_TWO:
        return bench_echo(figure == ECHO_TWO, seconds);
    case SPTP:
        return bench_stateless(true, false, seconds);
    case CSPTP:
    case CSPTP_TWO_STEP:
        return bench_stateless(false, figure == CSPTP, seconds);
    case GRANT_SYNC:
        return bench_grant_sync(true, BENCH_BATCH, seconds);
    case GRANT_SYNC_SINGLE:
        return bench_grant_sync(true, 1, seconds);
    case GRANT_SYNC_UNSTAMPED:
        return bench_grant_sync(false, BENCH_BATCH, seconds);
    case FIGURES:
        break;
    }
    return 0;
}

int main(int count, char **arguments)
{
    double seconds = count > 1 ? atof(arguments[1]) : 0.3;
    int rounds = count > 2 ? atoi(arguments[2]) : 5;
    double best[FIGURES] = {0};
    if (!netspace_enter() || !netspace_run("ip link set lo up")) {
        fprintf(stderr, "bench unicast: no network namespace\n");
        return 1;
    }
    for (int round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < FIGURES; i++) {
            bool is_wanted = count <= 3 || strcmp(arguments[3], names[i]) == 0;
            double rps = is_wanted ? measure((enum figure)i, seconds) : 0;
            best[i] = rps > best[i] ? rps : best[i];
        }
    }
    for (unsigned i = 0; i < FIGURES; i++) {
        printf("%s\"%s_rps\": %.0f", i == 0 ? "{" : ", ", names[i], best[i]);
    }
    printf("}\n");
    return 0;
}
