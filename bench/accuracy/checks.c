/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The single checks, beside the matrix.
 */
#include "job.h"

bool job_check(const char *name, const struct job *job)
{
    (void)name;
    (void)job;
    return false;
}
