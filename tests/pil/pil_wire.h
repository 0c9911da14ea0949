/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What goes between the simulator and the processor in its loop, field by field, lowest octet
 * first, numbers with fractions as doubles: their structs differ in layout, and mt_real may.
 * The simulator says BEGIN, ONCE or QUIT; the processor asks for what its tables need, and ends
 * each turn with DONE and its next deadline.
 *
 *     simulator   'B' about the clock | 'O' | 'Q'
 *     processor   'N' | 'W' deadline | 'R' | 'S' base | 'A' correction | 'D' | 'L' frame,
 *                 'E' deadline
 */
#ifndef MEANTIME_TESTS_PIL_WIRE_H
#define MEANTIME_TESTS_PIL_WIRE_H

#include "hal/wait.h"

#define PIL_BEGIN     'B'
#define PIL_ONCE      'O'
#define PIL_QUIT      'Q'
#define PIL_NOW       'N'
#define PIL_WAIT      'W'
#define PIL_READ      'R'
#define PIL_STAMP     'S'
#define PIL_APPLY     'A'
#define PIL_DISTURBED 'D'
#define PIL_SEND      'L'
#define PIL_DONE      'E'

#define PIL_CLOCK_SIZE      15
#define PIL_MONO_SIZE       8
#define PIL_BASE_SIZE       12
#define PIL_STAMP_SIZE      19
#define PIL_CORRECTION_SIZE 24
#define PIL_APPLIED_SIZE    44
#define PIL_INPUT_SIZE      47
#define PIL_MESSAGE_MAX     2048
#define PIL_SEND_HEAD       9

struct pil_cursor {
    uint8_t *at;
};

void pil_put(struct pil_cursor *to, uint64_t value, unsigned octets);
uint64_t pil_get(struct pil_cursor *from, unsigned octets);
int64_t pil_get_signed(struct pil_cursor *from, unsigned octets);

void pil_put_real(struct pil_cursor *to, mt_real value);
mt_real pil_get_real(struct pil_cursor *from);
void pil_put_base(struct pil_cursor *to, struct mt_base_time base);
struct mt_base_time pil_get_base(struct pil_cursor *from);
void pil_put_stamp(struct pil_cursor *to, const struct mt_stamp *stamp);
void pil_get_stamp(struct pil_cursor *from, struct mt_stamp *ret_stamp);
void pil_put_correction(struct pil_cursor *to, const struct mt_correction *correction);
void pil_get_correction(struct pil_cursor *from, struct mt_correction *ret_correction);
void pil_put_applied(struct pil_cursor *to, const struct mt_applied *applied);
void pil_get_applied(struct pil_cursor *from, struct mt_applied *ret_applied);
/** Without `bytes`, which follow. */
void pil_put_input(struct pil_cursor *to, const struct mt_input *input);
void pil_get_input(struct pil_cursor *from, struct mt_input *ret_input);
/** granularity, range, flags and timescale: what a loop asks of the struct itself. */
void pil_put_clock(struct pil_cursor *to, const struct mt_hal_clock *clock);
void pil_get_clock(struct pil_cursor *from, struct mt_hal_clock *clock);

#endif
