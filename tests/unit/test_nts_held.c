/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Certificate and key of a server of key exchange as time passes and files change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "nts/nts_held.h"
#include "nts_certificates.h"

#define DAY_S 86400

struct fixture {
    char folder[64];
    char certificate[80];
    char key[80];
    int ends[2];
    struct mt_nts_held held;
    unsigned said; /* sentences of the log */
};

static int begin(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    assert_non_null(self);
    snprintf(self->folder, sizeof self->folder, "/tmp/test_nts_held.XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->certificate, sizeof self->certificate, "%s/cert.pem", self->folder);
    snprintf(self->key, sizeof self->key, "%s/key.pem", self->folder);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, self->ends), 0);
    *state = self;
    return 0;
}

static int end(void **state)
{
    struct fixture *self = *state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", self->folder);
    mt_nts_file_forget(&self->held.pair.certificate);
    close(self->ends[0]);
    close(self->ends[1]);
    free(self);
    return system(command);
}

static void make(const struct fixture *self, time_t from, time_t to)
{
    nts_certificates_make(self->folder, from, to);
    assert_int_equal(chmod(self->key, 0600), 0);
}

static bool takes(gnutls_certificate_credentials_t credentials)
{
    if (credentials != NULL) {
        gnutls_certificate_free_credentials(credentials);
    }
    return credentials != NULL;
}

static bool starts(struct fixture *self)
{
    const struct mt_nts_pair pair = {.certificate_path = self->certificate, .key_path = self->key};
    return takes(mt_nts_held_begin(&self->held, self->ends[0], &pair, 1));
}

/* The last fault that was told; null: none has been since the last call. */
static const char *told(struct fixture *self)
{
    static char text[MT_NTS_REASON_SIZE];
    struct mt_nts_message message;
    bool is_told = false;
    self->said = 0;
    while (mt_nts_receive(self->ends[1], &message) == MT_NTS_RECEIVED) {
        self->said += message.kind == MT_NTS_MESSAGE_SAY;
        if (message.kind == MT_NTS_MESSAGE_FAULT) {
            memcpy(text, message.value.said.text, sizeof text);
            is_told = true;
        }
    }
    return is_told ? text : NULL;
}

static void nts_held_tells_when_a_certificate_in_use_expires(void **state)
{
    struct fixture *self = *state;
    make(self, time(NULL) - DAY_S, time(NULL) + 1);
    assert_true(starts(self));
    assert_string_equal(told(self), "");
    assert_int_equal(self->said, 0);
    sleep(3);
    assert_false(takes(mt_nts_held_look(&self->held, false)));
    assert_non_null(strstr(told(self), "was valid until"));
    assert_int_equal(self->said, 1);
    assert_false(takes(mt_nts_held_look(&self->held, false)));
    assert_null(told(self)); /* once is enough */
    assert_int_equal(self->said, 0);
    make(self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    assert_true(takes(mt_nts_held_look(&self->held, false)));
    assert_string_equal(told(self), "");
}

static void nts_held_keeps_the_old_pair_when_the_new_files_are_no_good(void **state)
{
    struct fixture *self = *state;
    make(self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    assert_true(starts(self));
    assert_string_equal(told(self), "");
    assert_int_equal(unlink(self->key), 0);
    assert_false(takes(mt_nts_held_look(&self->held, true)));
    assert_non_null(strstr(told(self), "the old one stays in use"));
    assert_false(takes(mt_nts_held_look(&self->held, false)));
    assert_null(told(self)); /* what is in use is good, but the files are not */
    assert_false(takes(mt_nts_held_look(&self->held, true)));
    assert_non_null(strstr(told(self), "the old one stays in use")); /* somebody has asked */
}

static void nts_held_serves_nobody_when_there_is_no_pair(void **state)
{
    struct fixture *self = *state;
    assert_false(starts(self));
    assert_non_null(strstr(told(self), "nobody is served until it can"));
    make(self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    assert_int_equal(chmod(self->key, 0644), 0);
    assert_true(takes(mt_nts_held_look(&self->held, false)));
    assert_non_null(strstr(told(self), "everybody may read"));
}

/* Whoever mends rights does not touch what is in the file. */
static void nts_held_reads_again_when_only_the_mode_of_a_file_changes(void **state)
{
    struct fixture *self = *state;
    make(self, time(NULL) - DAY_S, time(NULL) + DAY_S);
    assert_true(starts(self));
    assert_string_equal(told(self), "");
    assert_int_equal(chmod(self->key, 0644), 0);
    assert_true(takes(mt_nts_held_look(&self->held, false)));
    assert_non_null(strstr(told(self), "everybody may read"));
    assert_int_equal(chmod(self->key, 0600), 0);
    assert_true(takes(mt_nts_held_look(&self->held, false)));
    assert_string_equal(told(self), "");
    assert_false(takes(mt_nts_held_look(&self->held, false)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nts_held_tells_when_a_certificate_in_use_expires, begin,
                                        end),
        cmocka_unit_test_setup_teardown(nts_held_keeps_the_old_pair_when_the_new_files_are_no_good,
                                        begin, end),
        cmocka_unit_test_setup_teardown(nts_held_serves_nobody_when_there_is_no_pair, begin, end),
        cmocka_unit_test_setup_teardown(nts_held_reads_again_when_only_the_mode_of_a_file_changes,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
