/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GnuTLS takes a pair as a whole and says of it what it says; people want to know which of two
 * files to look at.  So each is parsed for itself first, and only then both together.  A pair that
 * clients would refuse for its dates is used nevertheless: the clock that judges it may be the one
 * that is wrong.
 */
#include "nts/nts_files.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  65536
#define DATE_SIZE 32

/* ---- files ----------------------------------------------------------------------------------- */

bool mt_nts_file_read(const char *path, struct mt_nts_file *ret_file)
{
    unsigned char *octets = malloc(FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 && octets != NULL ? read(fd, octets, FILE_MAX) : -1;
    int error = errno;
    struct stat status;
    bool is_public = fd >= 0 && fstat(fd, &status) == 0 && (status.st_mode & S_IROTH) != 0;
    if (fd >= 0) {
        close(fd);
    }
    if (length < 0) {
        free(octets);
        errno = error;
        return false;
    }
    *ret_file = (struct mt_nts_file){octets, (unsigned)length, is_public};
    return true;
}

void mt_nts_file_forget(struct mt_nts_file *file)
{
    if (file->octets != NULL) {
        explicit_bzero(file->octets, file->size);
        free(file->octets);
    }
    *file = (struct mt_nts_file){0};
}

static gnutls_datum_t datum(const struct mt_nts_file *file)
{
    return (gnutls_datum_t){file->octets, file->size};
}

static void write_date(time_t time, char ret_text[DATE_SIZE])
{
    struct tm parts;
    if (gmtime_r(&time, &parts) == NULL ||
        strftime(ret_text, DATE_SIZE, "%Y-%m-%d %H:%M UTC", &parts) == 0) {
        snprintf(ret_text, DATE_SIZE, "an unknown date");
    }
}

/* ---- a server's pair ------------------------------------------------------------------------- */

static bool certificate_is_bad(const struct mt_nts_pair *self, struct mt_nts_fault *ret_fault)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    const gnutls_datum_t text = datum(&self->certificate);
    int error = gnutls_x509_crt_list_import2(&chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);
    for (unsigned i = 0; error >= 0 && i < count; i++) {
        gnutls_x509_crt_deinit(chain[i]);
    }
    if (error >= 0) {
        gnutls_free(chain);
        return false;
    }
    ret_fault->is_key = false;
    snprintf(ret_fault->text, sizeof ret_fault->text,
             "%.120s: expected a certificate in PEM: %.100s", self->certificate_path,
             gnutls_strerror(error));
    return true;
}

static bool key_is_bad(const struct mt_nts_pair *self, struct mt_nts_fault *ret_fault)
{
    gnutls_x509_privkey_t key;
    const gnutls_datum_t text = datum(&self->key);
    int error = gnutls_x509_privkey_init(&key);
    if (error == 0) {
        error = gnutls_x509_privkey_import2(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
        gnutls_x509_privkey_deinit(key);
    }
    if (error != 0) {
        ret_fault->is_key = true;
        snprintf(ret_fault->text, sizeof ret_fault->text,
                 "%.120s: expected a private key in PEM, without a password: %.100s",
                 self->key_path, gnutls_strerror(error));
    }
    return error != 0;
}

gnutls_certificate_credentials_t mt_nts_pair_load(const struct mt_nts_pair *self,
                                                  struct mt_nts_fault *ret_fault)
{
    gnutls_certificate_credentials_t made;
    const gnutls_datum_t chain = datum(&self->certificate);
    const gnutls_datum_t secret = datum(&self->key);
    if (certificate_is_bad(self, ret_fault) || key_is_bad(self, ret_fault)) {
        return NULL;
    }
    int error = gnutls_certificate_allocate_credentials(&made);
    if (error == 0) {
        error = gnutls_certificate_set_x509_key_mem(made, &chain, &secret, GNUTLS_X509_FMT_PEM);
        if (error >= 0) {
            return made;
        }
        gnutls_certificate_free_credentials(made);
    }
    ret_fault->is_key = true;
    snprintf(ret_fault->text, sizeof ret_fault->text, "%.120s: %.100s", self->key_path,
             gnutls_strerror(error));
    return NULL;
}

static bool is_out_of_date(const char *path, gnutls_x509_crt_t certificate, time_t now,
                           char ret_text[MT_NTS_REASON_SIZE])
{
    time_t from = gnutls_x509_crt_get_activation_time(certificate);
    time_t to = gnutls_x509_crt_get_expiration_time(certificate);
    char date[DATE_SIZE];
    if (now >= from && now <= to) {
        return false;
    }
    write_date(now < from ? from : to, date);
    snprintf(ret_text, MT_NTS_REASON_SIZE, "%.100s: a certificate %s %s", path,
             now < from ? "is not valid before" : "was valid until", date);
    return true;
}

/* How many of a file are out of date; the text is of the last of those. */
static unsigned count_out_of_date(const char *path, const struct mt_nts_file *file, time_t now,
                                  unsigned *ret_count, char ret_text[MT_NTS_REASON_SIZE])
{
    gnutls_x509_crt_t *list = NULL;
    const gnutls_datum_t text = datum(file);
    unsigned bad = 0;
    *ret_count = 0;
    if (gnutls_x509_crt_list_import2(&list, ret_count, &text, GNUTLS_X509_FMT_PEM, 0) < 0) {
        return 0;
    }
    for (unsigned i = 0; i < *ret_count; i++) {
        bad += is_out_of_date(path, list[i], now, ret_text);
        gnutls_x509_crt_deinit(list[i]);
    }
    gnutls_free(list);
    return bad;
}

bool mt_nts_pair_is_flawed(const struct mt_nts_pair *self, time_t now,
                           struct mt_nts_fault *ret_fault)
{
    char text[MT_NTS_REASON_SIZE];
    unsigned count;
    ret_fault->is_key = false;
    if (count_out_of_date(self->certificate_path, &self->certificate, now, &count, text) > 0) {
        snprintf(ret_fault->text, sizeof ret_fault->text, "%s, so clients refuse it", text);
        return true;
    }
    if (self->key.is_public) {
        ret_fault->is_key = true;
        snprintf(ret_fault->text, sizeof ret_fault->text,
                 "everybody may read %.100s; take that away: chmod o= %.100s", self->key_path,
                 self->key_path);
    }
    return self->key.is_public;
}

static bool read_pair(struct mt_nts_pair *self, struct mt_nts_fault *ret_fault)
{
    ret_fault->is_key = false;
    if (mt_nts_file_read(self->certificate_path, &self->certificate)) {
        ret_fault->is_key = true;
        if (mt_nts_file_read(self->key_path, &self->key)) {
            return true;
        }
    }
    snprintf(ret_fault->text, sizeof ret_fault->text, "%.150s cannot be read: %s",
             ret_fault->is_key ? self->key_path : self->certificate_path, strerror(errno));
    return false;
}

bool mt_nts_pair_has_fault(const char *certificate, const char *key, time_t now,
                           struct mt_nts_fault *ret_fault)
{
    struct mt_nts_pair pair = {.certificate_path = certificate, .key_path = key};
    bool has_fault = true;
    if (read_pair(&pair, ret_fault)) {
        gnutls_certificate_credentials_t made = mt_nts_pair_load(&pair, ret_fault);
        if (made != NULL) {
            gnutls_certificate_free_credentials(made);
            has_fault = mt_nts_pair_is_flawed(&pair, now, ret_fault);
        }
    }
    mt_nts_file_forget(&pair.certificate);
    mt_nts_file_forget(&pair.key);
    return has_fault;
}

/* ---- a client's authorities ------------------------------------------------------------------ */

bool mt_nts_authorities_load(gnutls_certificate_credentials_t credentials, const char *path,
                             char ret_text[MT_NTS_REASON_SIZE])
{
    struct mt_nts_file file;
    if (!mt_nts_file_read(path, &file)) {
        snprintf(ret_text, MT_NTS_REASON_SIZE, "%.150s cannot be read: %s", path, strerror(errno));
        return false;
    }
    const gnutls_datum_t text = datum(&file);
    int count = gnutls_certificate_set_x509_trust_mem(credentials, &text, GNUTLS_X509_FMT_PEM);
    mt_nts_file_forget(&file);
    if (count <= 0) {
        snprintf(ret_text, MT_NTS_REASON_SIZE, "%.150s: expected certificates in PEM: %s", path,
                 count < 0 ? gnutls_strerror(count) : "there is none");
    }
    return count > 0;
}

bool mt_nts_authorities_have_fault(const char *path, time_t now, char ret_text[MT_NTS_REASON_SIZE])
{
    gnutls_certificate_credentials_t credentials;
    struct mt_nts_file file;
    if (gnutls_certificate_allocate_credentials(&credentials) != 0) {
        snprintf(ret_text, MT_NTS_REASON_SIZE, "out of memory");
        return true;
    }
    bool has_fault = !mt_nts_authorities_load(credentials, path, ret_text);
    gnutls_certificate_free_credentials(credentials);
    if (!has_fault && mt_nts_file_read(path, &file)) {
        unsigned count;
        has_fault = count_out_of_date(path, &file, now, &count, ret_text) == count && count > 0;
        mt_nts_file_forget(&file);
    }
    return has_fault;
}
