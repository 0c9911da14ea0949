/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Runs in a guest: what its kernel knows of its own clock.  One line: the state (0..5), the status,
 * maxerror and esterror in us, and TAI - UTC.  Changes nothing.
 */
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>

int main(void)
{
    struct timex found;
    int state;

    memset(&found, 0, sizeof found);
    state = adjtimex(&found);
    printf("%d %d %ld %ld %d\n", state, found.status, found.maxerror, found.esterror, found.tai);
    return state < 0;
}
