/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: bench-unicast SECONDS
 * Measures each service for that long, one after the other, and prints JSON,
 * in a network namespace of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../tests/platform/netspace.h"
#include "bench.h"

int main(int count, char **arguments)
{
    double seconds = count > 1 ? atof(arguments[1]) : 1;
    struct bench_grant_rates grant;
    if (!netspace_enter() || !netspace_run("ip link set lo up")) {
        fprintf(stderr, "bench unicast: no network namespace\n");
        return 1;
    }
    double echo = bench_echo(seconds);
    double echo_two = bench_echo_two(seconds);
    double sptp = bench_stateless(true, false, seconds);
    double csptp = bench_stateless(false, true, seconds);
    double two_step = bench_stateless(false, false, seconds);
    bench_grant_sync(seconds, &grant);
    printf("{\"echo_rps\": %.0f, \"echo_two_rps\": %.0f, ", echo, echo_two);
    printf("\"sptp_rps\": %.0f, \"csptp_rps\": %.0f, ", sptp, csptp);
    printf("\"csptp_two_step_rps\": %.0f, ", two_step);
    printf("\"grant_sync_rps\": %.0f, \"grant_sync_single_rps\": %.0f, ", grant.batched,
           grant.single);
    printf("\"grant_sync_unstamped_rps\": %.0f}\n", grant.unstamped);
    return 0;
}
