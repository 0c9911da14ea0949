/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Certificate and key of the server of key exchange while it runs: read again when the files have
 * changed, and judged now and then, since the time of a certificate passes while nobody touches it.
 * What is wrong is logged once, and told to the daemon, which shows it as long as it is so.
 * Thread rule: the process that serves keys.
 */
#ifndef MEANTIME_NTS_HELD_H
#define MEANTIME_NTS_HELD_H

#include <sys/stat.h>

#include "nts/nts_files.h"

struct mt_nts_held {
    int fd; /**< to the daemon */
    struct stat certificate;
    struct stat key;
    struct mt_nts_pair
        pair;         /**< that is in use, but for what is secret; no octets: there is none */
    bool is_file_bad; /**< what lies there now cannot be used */
    bool has_told;    /**< the daemon knows of `fault` */
    char fault[MT_NTS_REASON_SIZE]; /**< "": there is none */
    unsigned period_s;
    time_t look_s; /**< when to look again, by CLOCK_MONOTONIC */
};

/** Begins with a pair whose octets have been read already, and are left alone, or with none: then
 * it reads the files.  `period_s`: how often they are looked at; 0: by its own idea.  Null: they
 * cannot be used, which has been told. */
gnutls_certificate_credentials_t mt_nts_held_begin(struct mt_nts_held *self, int fd,
                                                   const struct mt_nts_pair *pair,
                                                   unsigned period_s);
/** To be called at look_s, or with `must_load` when somebody asks for it.  What to use from now on;
 * null: what is in use. */
gnutls_certificate_credentials_t mt_nts_held_look(struct mt_nts_held *self, bool must_load);

#endif
