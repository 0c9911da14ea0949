/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The table of ids, made from management_id.def, and what the functions of its rows write with.
 * An id whose function is `none` is known, but this clock has no such thing: NOT_SUPPORTED.
 */
#include "ptp/management_private.h"

#define ACTIONS_G        (1u << MT_ACTION_GET)
#define ACTIONS_GS       (ACTIONS_G | 1u << MT_ACTION_SET)
#define ACTIONS_C        (1u << MT_ACTION_COMMAND)
#define ACTIONS_GSC      (ACTIONS_GS | ACTIONS_C)
#define IS_OF_PORT_PORT  true
#define IS_OF_PORT_CLOCK false
#define VARIABLE         0xFF

static const struct mt_management_row rows[] = {
#define MT_MANAGEMENT_ID(name, id, scope, actions, length, get, set)                               \
    {(id),     IS_OF_PORT_##scope, (length) != VARIABLE, ACTIONS_##actions,                        \
     (length), mt_get_##get,       mt_set_##set},
#include "meantime/management_id.def"
#undef MT_MANAGEMENT_ID
};

const struct mt_management_row *mt_management_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].id == id) {
            return &rows[i];
        }
    }
    return NULL;
}

enum mt_management_error mt_get_none(const struct mt_managed *on, struct mt_put *out)
{
    return MT_MANAGEMENT_NOT_SUPPORTED;
}

enum mt_management_error mt_set_none(const struct mt_managed *on, struct mt_reader *in)
{
    return MT_MANAGEMENT_NOT_SUPPORTED;
}

/* What the configuration alone decides. */
enum mt_management_error mt_set_fixed(const struct mt_managed *on, struct mt_reader *in)
{
    return MT_MANAGEMENT_NOT_SETABLE;
}

enum mt_management_error mt_get_nothing(const struct mt_managed *on, struct mt_put *out)
{
    return MT_MANAGEMENT_OK;
}

enum mt_management_error mt_set_nothing(const struct mt_managed *on, struct mt_reader *in)
{
    return MT_MANAGEMENT_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

void mt_put_octets(struct mt_put *out, const void *octets, size_t length)
{
    if (out->failed || length > out->left) {
        out->failed = true;
        return;
    }
    if (length > 0) {
        memcpy(out->at, octets, length);
    }
    out->at += length;
    out->left -= length;
}

void mt_put_number(struct mt_put *out, uint64_t value, unsigned octets)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < octets; i++) {
        bytes[i] = (uint8_t)(value >> 8 * (octets - 1 - i));
    }
    mt_put_octets(out, bytes, octets);
}

void mt_put_octet_and_reserved(struct mt_put *out, unsigned value)
{
    mt_put_number(out, value & 0xFF, 1);
    mt_put_number(out, 0, 1);
}

void mt_put_text(struct mt_put *out, const char *text, size_t length)
{
    mt_put_number(out, length, 1);
    mt_put_octets(out, text, length);
}

void mt_put_string(struct mt_put *out, const char *text)
{
    size_t length = 0;
    while (text != NULL && length < MT_MANAGEMENT_TEXT_MAX && text[length] != '\0') {
        length++;
    }
    mt_put_text(out, text, length);
}

void mt_put_port_identity(struct mt_put *out, const struct mt_port_identity *identity)
{
    mt_put_octets(out, identity->clock.octet, sizeof identity->clock.octet);
    mt_put_number(out, identity->port, 2);
}

void mt_put_address(struct mt_put *out, const struct mt_address *address)
{
    size_t length = mt_address_length(address);
    mt_put_number(out, address->network, 2);
    mt_put_number(out, length, 2);
    mt_put_octets(out, address->octets, length);
}

void mt_put_timestamp(struct mt_put *out, const struct mt_instant *at)
{
    struct mt_ptp_timestamp timestamp;
    struct mt_interval fraction;
    mt_ptp_timestamp_from_instant(at, &timestamp, &fraction);
    mt_put_number(out, timestamp.s, 6);
    mt_put_number(out, timestamp.ns, 4);
}
