/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Scenario files: lines of words.  A line is cut at blanks; words of the form key=value are looked
 * up by key, the others by place.  What cannot be understood ends the program with file and line.
 */
#ifndef MEANTIME_TESTS_SCENARIO_WORDS_H
#define MEANTIME_TESTS_SCENARIO_WORDS_H

#include "meantime/ptp.h"

#define WORDS_MAX 40

struct words {
    const char *file;
    unsigned line;
    unsigned count;
    char *word[WORDS_MAX];
};

/** Cuts `text` in place; everything from `#` on is a comment. */
void words_cut(struct words *self, char *text);
/** The words from `first` on, as a line of their own. */
struct words words_from(const struct words *self, unsigned first);
/** What words_die() tells before its message: which run of the sweep this is. */
void words_set_context(const char *text);
/** Says file, line and message; ends the program with status 1. */
_Noreturn void words_die(const struct words *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The i-th word; it must be there. */
const char *words_at(const struct words *self, unsigned i);
bool words_is(const struct words *self, unsigned i, const char *word);
/** The value of key=value, or null. */
const char *words_value(const struct words *self, const char *key);

/* each of these dies of a value that it does not understand */
int64_t words_number(const struct words *self, const char *text);
/** 10us, -3ms, 1.5s; a unit is needed unless it is 0. */
int64_t words_ns(const struct words *self, const char *text);
/** A duration of one word or two from the i-th on: `8s` or `8 s`; moves *i behind it. */
int64_t words_ns_at(const struct words *self, unsigned *i);
bool words_switch(const struct words *self, const char *text); /* on, off, up, down, yes, no */
enum mt_ptp_type words_type(const struct words *self, const char *text);
enum mt_port_state words_state(const struct words *self, const char *text);
enum mt_verdict words_verdict(const struct words *self, const char *text);
enum mt_port_counter words_counter(const struct words *self, const char *text);
uint16_t words_flags(const struct words *self, const char *text);
/** `actual` against an optional operator and a number from the i-th word on. */
bool words_compare(const struct words *self, unsigned i, int64_t actual);

/** If the line has `key`, stores its number. */
void words_store_u8(const struct words *self, const char *key, uint8_t *ret_value);
void words_store_u16(const struct words *self, const char *key, uint16_t *ret_value);
void words_store_i8(const struct words *self, const char *key, int8_t *ret_value);
void words_store_ns(const struct words *self, const char *key, int64_t *ret_value);
void words_store_switch(const struct words *self, const char *key, bool *ret_value);

const char *type_name(enum mt_ptp_type type);
const char *state_name(enum mt_port_state state);
const char *verdict_name(enum mt_verdict verdict);

#endif
