/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The client of NTS key exchange: a process that is asked for keys and tells them.  Each exchange
 * has a process of its own again, which may wait for names, connections and octets as long as it
 * likes, within a limit.
 * Thread rule: a process of its own.
 */
#ifndef MEANTIME_NTS_ASK_H
#define MEANTIME_NTS_ASK_H

#include "nts/nts_process.h"

#define MT_NTS_ASK_LIMIT_S 20 /**< of one exchange; then there is no answer at all */

/** mt_nts_work: answers questions until the socket `fd` ends. */
void mt_nts_answer_questions(void *context, int fd);

/** One exchange, however long it takes. */
void mt_nts_ask(const struct mt_nts_question *question, struct mt_nts_told *ret_told);

/** How long to wait before the next attempt, in s; `attempt` counts from 1. */
int64_t mt_nts_retry_s(uint32_t attempt, bool was_reached);

#endif
