/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: bench-unicast SECONDS
 * Measures each service for that long, one after the other, and prints JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

int main(int count, char **arguments)
{
    double seconds = count > 1 ? atof(arguments[1]) : 1;
    double unstamped;
    double echo = bench_echo(seconds);
    double grant = bench_grant_sync(seconds, &unstamped);
    printf("{\"echo_rps\": %.0f, \"grant_sync_rps\": %.0f, \"grant_sync_unstamped_rps\": %.0f}\n",
           echo, grant, unstamped);
    return 0;
}
