/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The files of key exchange: a server's certificate with its key, and the authorities that a
 * client trusts.  Read by the processes that use them, and by `meantime check`, which says what
 * they would.
 * Thread rule: none of its own.
 */
#ifndef MEANTIME_NTS_FILES_H
#define MEANTIME_NTS_FILES_H

#include <gnutls/gnutls.h>
#include <time.h>

#include "nts/nts_process.h"

struct mt_nts_file {
    unsigned char *octets;
    unsigned size;
    bool is_public; /**< everybody may read it */
};

#define MT_NTS_FAULT_SIZE 320

/** Which of the two files it is about, and a sentence without its end. */
struct mt_nts_fault {
    bool is_key;
    char text[MT_NTS_FAULT_SIZE];
};

struct mt_nts_pair {
    const char *certificate_path;
    const char *key_path;
    struct mt_nts_file certificate; /**< with the chain behind it; PEM */
    struct mt_nts_file key;
};

/** Reads a file of at most 64 KiB; false with errno. */
bool mt_nts_file_read(const char *path, struct mt_nts_file *ret_file);
/** Overwrites and frees it. */
void mt_nts_file_forget(struct mt_nts_file *file);

/** What a server needs of a pair that has been read; null: it cannot be used. */
gnutls_certificate_credentials_t mt_nts_pair_load(const struct mt_nts_pair *self,
                                                  struct mt_nts_fault *ret_fault);
/** True if a pair that can be used should not: clients would refuse it, or the key is no secret. */
bool mt_nts_pair_is_flawed(const struct mt_nts_pair *self, time_t now,
                           struct mt_nts_fault *ret_fault);
/** Reads both and looks for all that. */
bool mt_nts_pair_has_fault(const char *certificate, const char *key, time_t now,
                           struct mt_nts_fault *ret_fault);

/** Trusts the authorities in a file; false with a sentence. */
bool mt_nts_authorities_load(gnutls_certificate_credentials_t credentials, const char *path,
                             char ret_text[MT_NTS_REASON_SIZE]);
/** Looks into such a file: also whether the time of all of them is over. */
bool mt_nts_authorities_have_fault(const char *path, time_t now, char ret_text[MT_NTS_REASON_SIZE]);

#endif
