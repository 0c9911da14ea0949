/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * New files that cannot be used leave the old pair in use.  Of the pair in use the certificates are
 * kept as they were read, since nobody can ask the credentials for their dates; the key is not.
 */
#include "nts/nts_held.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_S 30

static void look_later(struct mt_nts_held *self)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    self->look_s = now.tv_sec + (time_t)(self->period_s > 0 ? self->period_s : PERIOD_S);
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void tell(struct mt_nts_held *self, const char *text)
{
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_FAULT};
    snprintf(message.value.said.text, sizeof message.value.said.text, "%s", text);
    if (self->has_told && strcmp(message.value.said.text, self->fault) == 0) {
        return;
    }
    if (text[0] != '\0') {
        mt_nts_say(self->fd, true, "NTS: %.240s", text);
    }
    self->has_told = mt_nts_send(self->fd, &message);
    memcpy(self->fault, message.value.said.text, sizeof self->fault);
}

static bool is_in_use(const struct mt_nts_held *self)
{
    return self->pair.certificate.octets != NULL;
}

static void judge(struct mt_nts_held *self)
{
    struct mt_nts_fault fault;
    if (is_in_use(self) && !self->is_file_bad) {
        bool is_flawed = mt_nts_pair_is_flawed(&self->pair, time(NULL), &fault);
        tell(self, is_flawed ? fault.text : "");
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

static void hold(struct mt_nts_held *self, const struct mt_nts_pair *pair)
{
    struct mt_nts_file copy = {.octets = malloc(pair->certificate.size),
                               .size = pair->certificate.size};
    if (copy.octets != NULL) {
        memcpy(copy.octets, pair->certificate.octets, copy.size);
        mt_nts_file_forget(&self->pair.certificate);
        self->pair.certificate = copy;
    }
    self->pair.key.is_public = pair->key.is_public;
}

static gnutls_certificate_credentials_t load(struct mt_nts_held *self,
                                             const struct mt_nts_pair *pair)
{
    char text[MT_NTS_FAULT_SIZE + 64];
    struct mt_nts_fault fault;
    gnutls_certificate_credentials_t made = mt_nts_pair_load(pair, &fault);
    self->is_file_bad = made == NULL;
    if (made == NULL) {
        snprintf(text, sizeof text, "%.190s; %s", fault.text,
                 is_in_use(self) ? "the old pair stays in use"
                                 : "nobody is served until it can be used");
        tell(self, text);
        return NULL;
    }
    if (is_in_use(self)) {
        mt_nts_say(self->fd, false, "NTS: %s and its key were read again", pair->certificate_path);
    }
    hold(self, pair);
    judge(self);
    return made;
}

static bool read_or_tell(struct mt_nts_held *self, const char *path, struct mt_nts_file *ret_file)
{
    char text[MT_NTS_REASON_SIZE + MT_NTS_PATH_SIZE];
    self->is_file_bad = !mt_nts_file_read(path, ret_file);
    if (self->is_file_bad) {
        snprintf(text, sizeof text, "%s cannot be read: %s; %s", path, strerror(errno),
                 errno == EACCES   ? "let the daemon's user read it, or restart the daemon"
                 : is_in_use(self) ? "the old one stays in use"
                                   : "nobody is served until it can");
        tell(self, text);
    }
    return !self->is_file_bad;
}

static gnutls_certificate_credentials_t load_files(struct mt_nts_held *self)
{
    struct mt_nts_pair pair = {.certificate_path = self->pair.certificate_path,
                               .key_path = self->pair.key_path};
    gnutls_certificate_credentials_t made = NULL;
    if (read_or_tell(self, pair.certificate_path, &pair.certificate) &&
        read_or_tell(self, pair.key_path, &pair.key)) {
        made = load(self, &pair);
    }
    mt_nts_file_forget(&pair.certificate);
    mt_nts_file_forget(&pair.key);
    return made;
}

/* True if it is another one than before, or has another owner or mode. */
static bool has_changed(const char *path, struct stat *before)
{
    struct stat now;
    if (stat(path, &now) != 0) {
        return false;
    }
    bool is_changed = now.st_ino != before->st_ino || now.st_size != before->st_size ||
                      now.st_ctim.tv_sec != before->st_ctim.tv_sec ||
                      now.st_ctim.tv_nsec != before->st_ctim.tv_nsec;
    *before = now;
    return is_changed;
}

/* ---- the whole ------------------------------------------------------------------------------- */

gnutls_certificate_credentials_t mt_nts_held_begin(struct mt_nts_held *self, int fd,
                                                   const struct mt_nts_pair *pair,
                                                   unsigned period_s)
{
    *self = (struct mt_nts_held){
        .fd = fd,
        .pair = {.certificate_path = pair->certificate_path, .key_path = pair->key_path},
        .period_s = period_s,
    };
    (void)has_changed(pair->certificate_path, &self->certificate);
    (void)has_changed(pair->key_path, &self->key);
    look_later(self);
    return pair->certificate.size > 0 && pair->key.size > 0 ? load(self, pair) : load_files(self);
}

gnutls_certificate_credentials_t mt_nts_held_look(struct mt_nts_held *self, bool must_load)
{
    bool is_changed = has_changed(self->pair.certificate_path, &self->certificate);
    is_changed = has_changed(self->pair.key_path, &self->key) || is_changed;
    look_later(self);
    self->has_told = self->has_told && !must_load; /* who asks is told again */
    if (is_changed || must_load) {
        return load_files(self);
    }
    judge(self);
    return NULL;
}
