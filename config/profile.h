/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * PTP profiles: what a name sets, and what it allows.  The data are in profiles.def; a profile may
 * name keys and values that this version does not have, which is then said and never passed over.
 * Used by the resolver and the checks, by `meantime explain` and by the generator of the man page.
 * Thread rule: constant data and pure functions; any thread.
 */
#ifndef MEANTIME_CONFIG_PROFILE_H
#define MEANTIME_CONFIG_PROFILE_H

#include "config/config.h"

struct mt_config_profile_row {
    enum mt_config_profile profile;
    const char *key;
    const char *value;   /**< "": the key's own default */
    const char *allowed; /**< "A..B", values with | between them, or "": all that the key takes */
};

/** "ITU-T G.8275.1 ..." */
const char *mt_config_profile_title(enum mt_config_profile profile);
/** "g8275.1" */
const char *mt_config_profile_name(enum mt_config_profile profile);
/** The profile that a text names: case, blanks and punctuation do not matter, nor does the body
 * that has made it ("ITU-T G.8275.1"); "gPTP", "power" and "default" are names, too.  False if it
 * is none. */
bool mt_config_profile_find(const char *text, enum mt_config_profile *ret_profile);
/** profileIdentity as in the standard, or "". */
const char *mt_config_profile_identity(enum mt_config_profile profile);
/** The next row of a profile, `*index` starts at 0; null when there are no more. */
const struct mt_config_profile_row *mt_config_profile_next(enum mt_config_profile profile,
                                                           size_t *index);
/** The key of a row in that scope (INSTANCE or PORT); null if there is none. */
const struct mt_config_key *mt_config_profile_key(const struct mt_config_profile_row *row,
                                                  enum mt_config_scope scope);
/** False if the row names a key or a value that this version does not have. */
bool mt_config_profile_is_there(const struct mt_config_profile_row *row);
/** True if the row allows the value that the key has in `object`. */
bool mt_config_profile_allows(const struct mt_config_profile_row *row,
                              const struct mt_config_key *key, const void *object);
/** What the profile allows of a key, as a range of integers; false if it is none, or all. */
bool mt_config_profile_range(enum mt_config_profile profile, const char *key, int16_t *ret_lowest,
                             int16_t *ret_highest);
/** profileIdentity in octets; false if it is not known. */
bool mt_config_profile_octets(enum mt_config_profile profile, uint8_t ret_octets[6]);
/** "from -3 to 0", "l2", "udp4 or udp6". */
void mt_config_profile_expected(const struct mt_config_profile_row *row, char *buffer, size_t size);

/** Prints all profiles, one a line, indented. */
void mt_config_profile_list(FILE *out);
/** Prints what one profile sets and allows. */
void mt_config_profile_print(enum mt_config_profile profile, FILE *out);

#endif
