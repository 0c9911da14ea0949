/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "nts_certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <gnutls/x509.h>

struct pair {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
};

static void good(int result)
{
    assert_true(result >= 0);
}

static void save(const char *folder, const char *name, const gnutls_datum_t *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
    assert_int_equal(fchmod(fileno(file), S_IRUSR | S_IWUSR), 0); /* or the server says so */
    assert_int_equal(fclose(file), 0);
    gnutls_free(text->data);
}

static struct pair begin(const char *name, unsigned char serial, time_t from, time_t to)
{
    struct pair self;
    good(gnutls_x509_privkey_init(&self.key));
    good(gnutls_x509_privkey_generate(self.key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    good(gnutls_x509_crt_init(&self.certificate));
    good(gnutls_x509_crt_set_version(self.certificate, 3));
    good(gnutls_x509_crt_set_key(self.certificate, self.key));
    good(gnutls_x509_crt_set_serial(self.certificate, &serial, 1));
    good(gnutls_x509_crt_set_activation_time(self.certificate, from));
    good(gnutls_x509_crt_set_expiration_time(self.certificate, to));
    good(gnutls_x509_crt_set_dn(self.certificate, name, NULL));
    return self;
}

static void end(struct pair *self)
{
    gnutls_x509_crt_deinit(self->certificate);
    gnutls_x509_privkey_deinit(self->key);
}

void nts_certificates_make(const char *folder, time_t from, time_t to)
{
    static const uint8_t loopback[] = {127, 0, 0, 1};
    gnutls_datum_t text;
    struct pair ca = begin("CN=test authority", 1, from, to);
    good(gnutls_x509_crt_set_basic_constraints(ca.certificate, 1, -1));
    good(gnutls_x509_crt_set_key_usage(ca.certificate, GNUTLS_KEY_KEY_CERT_SIGN));
    good(gnutls_x509_crt_sign2(ca.certificate, ca.certificate, ca.key, GNUTLS_DIG_SHA256, 0));
    struct pair own = begin("CN=localhost", 2, from, to);
    good(gnutls_x509_crt_set_subject_alt_name(own.certificate, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                              GNUTLS_FSAN_SET));
    good(gnutls_x509_crt_set_subject_alt_name(own.certificate, GNUTLS_SAN_IPADDRESS, loopback, 4,
                                              GNUTLS_FSAN_APPEND));
    good(gnutls_x509_crt_sign2(own.certificate, ca.certificate, ca.key, GNUTLS_DIG_SHA256, 0));
    good(gnutls_x509_crt_export2(ca.certificate, GNUTLS_X509_FMT_PEM, &text));
    save(folder, "ca.pem", &text);
    good(gnutls_x509_crt_export2(own.certificate, GNUTLS_X509_FMT_PEM, &text));
    save(folder, "cert.pem", &text);
    good(gnutls_x509_privkey_export2(own.key, GNUTLS_X509_FMT_PEM, &text));
    save(folder, "key.pem", &text);
    end(&own);
    end(&ca);
}
