/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Security association files: the keys with which PTP messages are signed and verified, in the form
 * of linuxptp's sa_file:
 *
 *     [security_association]
 *     spp 0                        0 to 255, names the association in messages
 *     allow_mutable 1              the code leaves correctionField out
 *     seqid_window 20              messages that a sequenceId may run ahead; 0: no matter
 *     1 SHA256-128 HEX:00112233..  id, kind (SHA256-128, SHA256, AES128, AES256), maybe the length
 *     2 AES128 16 B64:...          of the key in octets, key (ASCII:, HEX: or B64:, else ASCII)
 *
 * or, for delayed verification, instead of keys:
 *
 *     chain SHA256-128             kind of the codes; before all others of the chain
 *     chain_start 1766000000       when the first interval begins, in seconds since 1970, TAI
 *     chain_interval 500           ms
 *     chain_length 65536           intervals, and keys
 *     chain_delay 2                intervals after which a key is disclosed
 *     chain_error 250              ms that a clock may be wrong which has no bound yet
 *     chain_anchor HEX:...         32 octets, by which receivers know the chain
 *     chain_seed HEX:...           32 octets that only the sender knows; then without an anchor
 *     chain_sender 001122.fffe.334455   only this clock's messages are of the chain; or nobody's
 *
 * Called by compose/ at start and on reload, and by `meantime check`.  Every problem is collected.
 * Thread rule: as config.h.
 */
#ifndef MEANTIME_CONFIG_ASSOCIATIONS_H
#define MEANTIME_CONFIG_ASSOCIATIONS_H

#include "config/config.h"
#include "meantime/ptp_security.h"

struct mt_config_associations {
    struct mt_security_association *association;
    size_t count;
};

/** Reads a file's text; `path` is the name used in problems, what is found lives in `pool`.  False
 * if there were problems. */
bool mt_config_associations_parse(const char *text, size_t length, const char *path,
                                  struct mt_config_pool *pool, struct mt_config_problems *problems,
                                  struct mt_config_associations *ret_associations);
/** The same from a file.  One that others than its owner and group may read is refused. */
bool mt_config_associations_load(const char *path, struct mt_config_pool *pool,
                                 struct mt_config_problems *problems,
                                 struct mt_config_associations *ret_associations);

/** What an instance signs and verifies with: its security_file, in which the association and the
 * active key of each of its ports must be.  No associations, and true, if it has no such file. */
bool mt_config_security_load(const struct mt_config *config, size_t instance,
                             struct mt_config_pool *pool, struct mt_config_problems *problems,
                             struct mt_config_associations *ret_associations);

#endif
