/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sessions are not resumed and have no tickets: who comes back has keys that are still good, or
 * wants others.
 */
#include "nts/nts_tls.h"

#include <string.h>

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3"

const enum mt_aead mt_nts_aeads[] = {MT_AEAD_AES_SIV_CMAC_256, MT_AEAD_AES_SIV_CMAC_512};
const size_t mt_nts_aead_count = sizeof mt_nts_aeads / sizeof mt_nts_aeads[0];

static const gnutls_datum_t alpn = {(unsigned char *)MT_NTS_KE_ALPN, sizeof MT_NTS_KE_ALPN - 1};

gnutls_session_t mt_nts_tls_new(unsigned flags, gnutls_certificate_credentials_t credentials,
                                int fd)
{
    gnutls_session_t session;
    if (gnutls_init(&session, flags | GNUTLS_NO_TICKETS | GNUTLS_NO_SIGNAL) != 0) {
        return NULL;
    }
    if (gnutls_priority_set_direct(session, PRIORITIES, NULL) != 0 ||
        gnutls_alpn_set_protocols(session, &alpn, 1, GNUTLS_ALPN_MANDATORY) != 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) != 0) {
        gnutls_deinit(session);
        return NULL;
    }
    gnutls_transport_set_int(session, fd);
    return session;
}

bool mt_nts_tls_is_ours(gnutls_session_t session)
{
    gnutls_datum_t chosen;
    return gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 &&
           gnutls_alpn_get_selected_protocol(session, &chosen) == 0 && chosen.size == alpn.size &&
           memcmp(chosen.data, alpn.data, alpn.size) == 0;
}

static bool export_one(gnutls_session_t session, enum mt_aead aead, bool is_s2c, uint8_t *ret_key)
{
    uint8_t context[MT_NTS_CONTEXT_SIZE];
    mt_nts_exporter_context(aead, is_s2c, context);
    return gnutls_prf_rfc5705(session, strlen(MT_NTS_KE_EXPORTER), MT_NTS_KE_EXPORTER,
                              sizeof context, (const char *)context, mt_aead_key_size(aead),
                              (char *)ret_key) == 0;
}

bool mt_nts_tls_export(gnutls_session_t session, enum mt_aead aead, struct mt_nts_keys *ret_keys)
{
    memset(ret_keys, 0, sizeof *ret_keys);
    ret_keys->aead = aead;
    return export_one(session, aead, false, ret_keys->c2s) &&
           export_one(session, aead, true, ret_keys->s2c);
}
