/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Octets of the input log: little-endian fields, bounded on both sides.  Failure is sticky, so a
 * whole value is read or written and asked about once.
 */
#ifndef MEANTIME_RUNTIME_LOG_PRIVATE_H
#define MEANTIME_RUNTIME_LOG_PRIVATE_H

#include "runtime/log.h"

struct mt_log_in {
    const uint8_t *at;
    size_t left;
    bool failed;
    int version; /**< of the log */
};

struct mt_log_out {
    uint8_t *at;
    size_t left;
    bool failed;
};

/** `size` octets, 1 to 8; signed numbers travel as their two's complement. */
void mt_log_put(struct mt_log_out *out, uint64_t number, unsigned size);
void mt_log_put_signed(struct mt_log_out *out, int64_t number, unsigned size);
void mt_log_put_real(struct mt_log_out *out, mt_real number);
void mt_log_put_octets(struct mt_log_out *out, const uint8_t *octets, size_t length);
/** With a length of 16 bits in front; cut at MT_LOG_TEXT_MAX. */
void mt_log_put_text(struct mt_log_out *out, struct mt_log_text text);

uint64_t mt_log_get(struct mt_log_in *in, unsigned size);
int64_t mt_log_get_signed(struct mt_log_in *in, unsigned size);
/** A finite number of at most this size; anything else fails. */
mt_real mt_log_get_real(struct mt_log_in *in, mt_real most);
/** 0 or 1. */
bool mt_log_get_flag(struct mt_log_in *in);
/** A number from `first` to `last`, 8 bits. */
unsigned mt_log_get_choice(struct mt_log_in *in, unsigned first, unsigned last);
const uint8_t *mt_log_get_octets(struct mt_log_in *in, size_t length);
struct mt_log_text mt_log_get_text(struct mt_log_in *in);

/** The value of any record but START and RELOAD. */
void mt_log_put_value(struct mt_log_out *out, const struct mt_log_record *record);
/** An order without the configuration of a reload. */
void mt_log_put_order(struct mt_log_out *out, const struct mt_order *order);
/** The value of any record; `reader` remembers the time. */
void mt_log_get_value(struct mt_log_reader *reader, struct mt_log_in *in,
                      struct mt_log_record *record);

/** The values of the structs that records are made of. */
void mt_log_put_instant(struct mt_log_out *out, struct mt_instant at);
void mt_log_put_span(struct mt_log_out *out, struct mt_span span);
void mt_log_put_applied(struct mt_log_out *out, const struct mt_applied *applied);
void mt_log_put_address(struct mt_log_out *out, const struct mt_address *address);
void mt_log_put_input(struct mt_log_out *out, const struct mt_input *input);
void mt_log_put_facts(struct mt_log_out *out, const struct mt_log_facts *facts);
void mt_log_put_command(struct mt_log_out *out, const struct mt_command *command);
struct mt_instant mt_log_get_instant(struct mt_log_in *in);
struct mt_span mt_log_get_span(struct mt_log_in *in);
void mt_log_get_applied(struct mt_log_in *in, struct mt_applied *ret_applied);
void mt_log_get_address(struct mt_log_in *in, struct mt_address *ret_address);
void mt_log_get_input(struct mt_log_in *in, struct mt_input *ret_input);
void mt_log_get_facts(struct mt_log_in *in, struct mt_log_facts *ret_facts);
void mt_log_get_command(struct mt_log_in *in, struct mt_command *ret_command);

#endif
