/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Verdicts: what became of a frame that was received.  Each received frame gets exactly one and
 * is counted under it, so that for every port   received = sum of all verdict counters.
 * Untrusted bytes never cause more than this: no error path, no assert, no log line.
 * The list lives in verdict.def, one line each, from which names and help are generated too.
 * Thread rule: values only; any thread.
 */
#ifndef MEANTIME_VERDICT_H
#define MEANTIME_VERDICT_H

enum mt_verdict {
#define MT_VERDICT(symbol, name, meaning) MT_VERDICT_##symbol,
#include "meantime/verdict.def"
#undef MT_VERDICT
    MT_VERDICT_COUNT
};

#endif
