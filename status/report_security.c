/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Signatures in the report: see report_security.h.  A port that verifies needs no key to sign with:
 * so the two are told one by one.
 */
#include "status/report_security.h"

#include <math.h>

#include "meantime/ptp_more.h"

static const struct mt_security *security_of(const struct mt_report_port *port)
{
    const struct mt_instance_more *more =
        port->instance != NULL ? port->instance->config.more : NULL;
    return more != NULL ? more->security : NULL;
}

/* Null: nothing is signed or verified here. */
static const struct mt_port_security *policy_of(const struct mt_report_port *port)
{
    const struct mt_port_more *more = port->ptp->config.more;
    return more != NULL && security_of(port) != NULL ? &more->security : NULL;
}

static const struct mt_security_association *find(const struct mt_report_port *port, int16_t spp)
{
    const struct mt_security *security = security_of(port);
    for (unsigned i = 0; security != NULL && i < security->association_count; i++) {
        if (security->associations[i].spp == spp) {
            return &security->associations[i];
        }
    }
    return NULL;
}

static bool has_shared(const struct mt_report_port *port)
{
    const struct mt_port_security *policy = policy_of(port);
    return policy != NULL && policy->spp != MT_SECURITY_OFF;
}

/* Null: the port has no part in delayed verification. */
static const struct mt_chain *chain_of(const struct mt_report_port *port)
{
    const struct mt_port_security *policy = policy_of(port);
    const struct mt_security_association *association =
        policy != NULL && policy->is_delayed ? find(port, policy->delayed_spp) : NULL;
    return association != NULL ? association->chain : NULL;
}

static enum mt_report_signatures both(bool is_immediate, bool is_delayed)
{
    return (enum mt_report_signatures)((is_immediate ? MT_SIGNATURES_IMMEDIATE : 0) |
                                       (is_delayed ? MT_SIGNATURES_DELAYED : 0));
}

const char *mt_report_signatures_name(enum mt_report_signatures of)
{
    static const char *const names[MT_SIGNATURES_COUNT] = {
        [MT_SIGNATURES_OFF] = "off",
        [MT_SIGNATURES_IMMEDIATE] = "immediate",
        [MT_SIGNATURES_DELAYED] = "delayed",
        [MT_SIGNATURES_BOTH] = "both",
    };
    return (unsigned)of < MT_SIGNATURES_COUNT ? names[of] : "?";
}

enum mt_report_signatures mt_report_signs(const struct mt_report_port *port)
{
    const struct mt_chain *chain = chain_of(port);
    return both(!isnan(mt_report_key_id(port)), chain != NULL && chain->has_seed);
}

enum mt_report_signatures mt_report_verifies(const struct mt_report_port *port)
{
    const struct mt_port_security *policy = policy_of(port);
    return both(has_shared(port), policy != NULL && policy->is_delayed);
}

mt_real mt_report_spp(const struct mt_report_port *port)
{
    return has_shared(port) ? (mt_real)policy_of(port)->spp : (mt_real)NAN;
}

mt_real mt_report_key_id(const struct mt_report_port *port)
{
    const struct mt_security_association *association =
        has_shared(port) ? find(port, policy_of(port)->spp) : NULL;
    for (unsigned i = 0; association != NULL && i < association->key_count; i++) {
        if (association->keys[i].id == policy_of(port)->key_id) {
            return (mt_real)association->keys[i].id;
        }
    }
    return (mt_real)NAN;
}

mt_real mt_report_delayed_spp(const struct mt_report_port *port)
{
    const struct mt_port_security *policy = policy_of(port);
    return policy != NULL && policy->is_delayed ? (mt_real)policy->delayed_spp : (mt_real)NAN;
}

mt_real mt_report_delayed_key_id(const struct mt_report_port *port)
{
    const struct mt_chain *chain = chain_of(port);
    return chain != NULL && chain->signs != 0 ? (mt_real)chain->signs : (mt_real)NAN;
}

mt_real mt_report_disclosed_key_id(const struct mt_report_port *port)
{
    const struct mt_chain *chain = chain_of(port);
    return chain != NULL && chain->known != 0 ? (mt_real)chain->known : (mt_real)NAN;
}

cJSON *mt_report_security_counters(const struct mt_report_port *port)
{
    static const struct mt_port_security none;
    const struct mt_port_security *of = policy_of(port) != NULL ? policy_of(port) : &none;
    cJSON *counts = cJSON_CreateObject();
    cJSON_AddNumberToObject(counts, "signed", (double)of->sent_signed);
    cJSON_AddNumberToObject(counts, "unsigned", (double)of->sent_unsigned);
    cJSON_AddNumberToObject(counts, "verified", (double)of->verified);
    cJSON_AddNumberToObject(counts, "missing", (double)of->missing);
    cJSON_AddNumberToObject(counts, "forged", (double)of->forged);
    cJSON_AddNumberToObject(counts, "repeated", (double)of->repeated);
    return counts;
}
