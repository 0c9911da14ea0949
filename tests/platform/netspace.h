/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A private network for a test: the process moves into network namespaces of its own (through a
 * user namespace if it is not root) and makes interfaces there.  Nothing outside is touched.
 * Thread rule: before the first thread.
 */
#ifndef MEANTIME_TESTS_NETSPACE_H
#define MEANTIME_TESTS_NETSPACE_H

#include <stdbool.h>

#define TEST_SKIPPED 77

/** Moves in; false with a word on stderr if this machine has no namespaces or no ip(8). */
bool netspace_enter(void);
/** Runs a shell command made by the format; true if it succeeds. */
__attribute__((format(printf, 1, 2))) bool netspace_run(const char *format, ...);
/** A veth pair, both ends up with an address each: v0 10.9.0.1/24, v1 10.9.0.2/24. */
bool netspace_make_pair(void);
void netspace_delete_pair(void);

#endif
