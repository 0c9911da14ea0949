/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The codec of NTS key exchange.
 *
 * A record that is critical and not known ends everything; one that is not critical and not known
 * is passed over.  Those that say what is agreed on must be there once each.  Cookies that are not
 * fit to be sent are passed over, and so are those beyond the eighth.
 */
#include "meantime/nts_record.h"

#include "base/memory.h"
#include "wire/fields.h"

#define HEAD_SIZE     4
#define CRITICAL      0x8000u
#define PROTOCOL_NTP4 0

/* ---- records --------------------------------------------------------------------------------- */

bool mt_nts_record_next(const uint8_t **at, size_t *left, struct mt_nts_record *ret_record)
{
    if (*left < HEAD_SIZE || *left - HEAD_SIZE < mt_octets_u16(*at + 2)) {
        return false;
    }
    uint16_t type = mt_octets_u16(*at);
    *ret_record = (struct mt_nts_record){
        .is_critical = (type & CRITICAL) != 0,
        .type = (uint16_t)(type & ~CRITICAL),
        .length = mt_octets_u16(*at + 2),
        .body = *at + HEAD_SIZE,
    };
    *at += HEAD_SIZE + ret_record->length;
    *left -= HEAD_SIZE + (size_t)ret_record->length;
    return true;
}

size_t mt_nts_record_write(const struct mt_nts_record *record, uint8_t *octets, size_t capacity)
{
    if (capacity < HEAD_SIZE || capacity - HEAD_SIZE < record->length) {
        return 0;
    }
    mt_octets_put_u16(octets, (uint16_t)(record->type | (record->is_critical ? CRITICAL : 0)));
    mt_octets_put_u16(octets + 2, record->length);
    if (record->length > 0) {
        memcpy(octets + HEAD_SIZE, record->body, record->length);
    }
    return HEAD_SIZE + (size_t)record->length;
}

size_t mt_nts_message_length(const uint8_t *octets, size_t length)
{
    const uint8_t *at = octets;
    struct mt_nts_record record;
    while (mt_nts_record_next(&at, &length, &record)) {
        if (record.type == MT_NTS_RECORD_END) {
            return (size_t)(at - octets);
        }
    }
    return 0;
}

void mt_nts_exporter_context(enum mt_aead aead, bool is_s2c,
                             uint8_t ret_context[MT_NTS_CONTEXT_SIZE])
{
    mt_octets_put_u16(ret_context, PROTOCOL_NTP4);
    mt_octets_put_u16(ret_context + 2, (uint16_t)aead);
    ret_context[4] = is_s2c;
}

/* ---- writing --------------------------------------------------------------------------------- */

struct writer {
    uint8_t *octets;
    size_t length;
    size_t capacity;
    bool is_full;
};

static void put(struct writer *self, enum mt_nts_record_type type, bool is_critical,
                const uint8_t *body, size_t length)
{
    const struct mt_nts_record record = {is_critical, (uint16_t)type, (uint16_t)length, body};
    size_t size = 0;
    if (length <= UINT16_MAX && !self->is_full) {
        size = mt_nts_record_write(&record, self->octets + self->length,
                                   self->capacity - self->length);
    }
    self->is_full = size == 0;
    self->length += size;
}

static void put_u16(struct writer *self, enum mt_nts_record_type type, bool is_critical,
                    uint16_t value)
{
    uint8_t body[2];
    mt_octets_put_u16(body, value);
    put(self, type, is_critical, body, sizeof body);
}

static size_t end(struct writer *self)
{
    put(self, MT_NTS_RECORD_END, true, NULL, 0);
    return self->is_full ? 0 : self->length;
}

size_t mt_nts_request_write(const enum mt_aead *aeads, size_t count, uint8_t *octets,
                            size_t capacity)
{
    struct writer writer = {octets, 0, capacity, false};
    uint8_t body[16];
    size_t length = 0;
    for (size_t i = 0; i < count && length < sizeof body; i++) {
        mt_octets_put_u16(body + length, (uint16_t)aeads[i]);
        length += 2;
    }
    put_u16(&writer, MT_NTS_RECORD_NEXT_PROTOCOL, true, PROTOCOL_NTP4);
    put(&writer, MT_NTS_RECORD_AEAD, true, body, length);
    return end(&writer);
}

size_t mt_nts_error_write(enum mt_nts_error error, uint8_t *octets, size_t capacity)
{
    struct writer writer = {octets, 0, capacity, false};
    put_u16(&writer, MT_NTS_RECORD_ERROR, true, (uint16_t)error);
    return end(&writer);
}

static size_t name_length(const char *name)
{
    size_t length = 0;
    while (name != NULL && name[length] != '\0') {
        length++;
    }
    return length;
}

static void put_offer(struct writer *self, const struct mt_nts_offer *offer)
{
    size_t length = name_length(offer->server);
    if (length > 0) {
        put(self, MT_NTS_RECORD_SERVER, true, (const uint8_t *)offer->server, length);
    }
    if (offer->port != MT_NTP_PORT) {
        put_u16(self, MT_NTS_RECORD_PORT, true, offer->port);
    }
    for (uint8_t i = 0; i < offer->count; i++) {
        put(self, MT_NTS_RECORD_COOKIE, false, offer->cookies[i].octets, offer->cookies[i].length);
    }
}

size_t mt_nts_response_write(const struct mt_nts_request *request, const struct mt_nts_offer *offer,
                             uint8_t *octets, size_t capacity)
{
    struct writer writer = {octets, 0, capacity, false};
    if (request->has_error) {
        return mt_nts_error_write((enum mt_nts_error)request->error, octets, capacity);
    }
    if (!request->wants_ntp) {
        put(&writer, MT_NTS_RECORD_NEXT_PROTOCOL, true, NULL, 0);
        return end(&writer);
    }
    put_u16(&writer, MT_NTS_RECORD_NEXT_PROTOCOL, true, PROTOCOL_NTP4);
    if (!request->has_aead) {
        put(&writer, MT_NTS_RECORD_AEAD, true, NULL, 0);
        return end(&writer);
    }
    put_u16(&writer, MT_NTS_RECORD_AEAD, true, (uint16_t)request->aead);
    put_offer(&writer, offer);
    return end(&writer);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Counts of the records that matter. */
struct seen {
    unsigned protocols;
    unsigned aeads;
    unsigned servers;
    unsigned ports;
    unsigned ends;
    bool has_ntp;
};

static bool has_u16(const struct mt_nts_record *record, uint16_t value)
{
    for (size_t i = 0; i + 1 < record->length; i += 2) {
        if (mt_octets_u16(record->body + i) == value) {
            return true;
        }
    }
    return false;
}

/* The first number in the record that is one of `aeads`. */
static bool find_aead(const struct mt_nts_record *record, const enum mt_aead *aeads, size_t count,
                      enum mt_aead *ret_aead)
{
    for (size_t i = 0; i + 1 < record->length; i += 2) {
        for (size_t j = 0; j < count; j++) {
            if (mt_octets_u16(record->body + i) == (uint16_t)aeads[j]) {
                *ret_aead = aeads[j];
                return true;
            }
        }
    }
    return false;
}

static void refuse(struct mt_nts_request *request, enum mt_nts_error error)
{
    if (!request->has_error) {
        request->has_error = true;
        request->error = (uint16_t)error;
    }
}

static void read_of_client(const struct mt_nts_record *record, const enum mt_aead *aeads,
                           size_t count, struct seen *seen, struct mt_nts_request *request)
{
    if (record->type == MT_NTS_RECORD_END) {
        seen->ends++;
    } else if (record->type == MT_NTS_RECORD_NEXT_PROTOCOL) {
        seen->protocols++;
        request->wants_ntp = has_u16(record, PROTOCOL_NTP4);
    } else if (record->type == MT_NTS_RECORD_AEAD) {
        seen->aeads++;
        request->has_aead = find_aead(record, aeads, count, &request->aead);
    } else if (record->type == MT_NTS_RECORD_ERROR || record->type == MT_NTS_RECORD_WARNING ||
               record->type == MT_NTS_RECORD_COOKIE) {
        refuse(request, MT_NTS_ERROR_BAD_REQUEST);
    } else if (record->is_critical && record->type > MT_NTS_RECORD_PORT) {
        refuse(request, MT_NTS_ERROR_UNKNOWN_CRITICAL);
    }
}

void mt_nts_request_read(const uint8_t *octets, size_t length, const enum mt_aead *aeads,
                         size_t count, struct mt_nts_request *ret_request)
{
    struct mt_nts_record record;
    struct seen seen = {0};
    memset(ret_request, 0, sizeof *ret_request);
    while (seen.ends == 0 && mt_nts_record_next(&octets, &length, &record)) {
        read_of_client(&record, aeads, count, &seen, ret_request);
    }
    if (seen.ends != 1 || length > 0 || seen.protocols != 1 ||
        (ret_request->wants_ntp && seen.aeads != 1)) {
        refuse(ret_request, MT_NTS_ERROR_BAD_REQUEST);
    }
}

static bool is_printable(const struct mt_nts_record *record)
{
    for (size_t i = 0; i < record->length; i++) {
        if (record->body[i] <= ' ' || record->body[i] > '~') {
            return false;
        }
    }
    return record->length > 0 && record->length < MT_NTS_NAME_SIZE;
}

static void add_cookie(const struct mt_nts_record *record, struct mt_nts_response *response)
{
    if (response->count < MT_NTS_COOKIES && record->length >= MT_NTS_COOKIE_LEAST &&
        record->length <= MT_NTS_COOKIE_MAX && record->length % 4 == 0) {
        struct mt_nts_cookie *cookie = &response->cookies[response->count++];
        cookie->length = record->length;
        memcpy(cookie->octets, record->body, record->length);
    }
}

/* GOOD: so far. */
static enum mt_nts_response_verdict read_of_server(const struct mt_nts_record *record,
                                                   const enum mt_aead *aeads, size_t count,
                                                   struct seen *seen,
                                                   struct mt_nts_response *response)
{
    switch (record->type) {
    case MT_NTS_RECORD_END:
        seen->ends++;
        return MT_NTS_RESPONSE_GOOD;
    case MT_NTS_RECORD_NEXT_PROTOCOL:
        seen->protocols++;
        seen->has_ntp = record->length == 2 && has_u16(record, PROTOCOL_NTP4);
        return MT_NTS_RESPONSE_GOOD;
    case MT_NTS_RECORD_ERROR:
        response->error = record->length == 2 ? mt_octets_u16(record->body) : UINT16_MAX;
        return MT_NTS_RESPONSE_ERROR;
    case MT_NTS_RECORD_AEAD:
        seen->aeads++;
        return record->length == 2 && find_aead(record, aeads, count, &response->aead)
                   ? MT_NTS_RESPONSE_GOOD
                   : MT_NTS_RESPONSE_AEAD;
    case MT_NTS_RECORD_COOKIE:
        add_cookie(record, response);
        return MT_NTS_RESPONSE_GOOD;
    case MT_NTS_RECORD_SERVER:
        if (seen->servers++ > 0 || !is_printable(record)) {
            return MT_NTS_RESPONSE_BROKEN;
        }
        memcpy(response->server, record->body, record->length);
        return MT_NTS_RESPONSE_GOOD;
    case MT_NTS_RECORD_PORT:
        if (seen->ports++ > 0 || record->length != 2 || mt_octets_u16(record->body) == 0) {
            return MT_NTS_RESPONSE_BROKEN;
        }
        response->port = mt_octets_u16(record->body);
        return MT_NTS_RESPONSE_GOOD;
    }
    /* there is no warning yet that one could understand */
    return record->is_critical || record->type == MT_NTS_RECORD_WARNING ? MT_NTS_RESPONSE_BROKEN
                                                                        : MT_NTS_RESPONSE_GOOD;
}

enum mt_nts_response_verdict mt_nts_response_read(const uint8_t *octets, size_t length,
                                                  const enum mt_aead *aeads, size_t count,
                                                  struct mt_nts_response *ret_response)
{
    struct mt_nts_record record;
    struct seen seen = {0};
    memset(ret_response, 0, sizeof *ret_response);
    ret_response->port = MT_NTP_PORT;
    while (seen.ends == 0 && mt_nts_record_next(&octets, &length, &record)) {
        enum mt_nts_response_verdict verdict =
            read_of_server(&record, aeads, count, &seen, ret_response);
        if (verdict != MT_NTS_RESPONSE_GOOD) {
            return verdict;
        }
    }
    if (seen.ends != 1 || length > 0 || seen.protocols != 1 || seen.aeads > 1) {
        return MT_NTS_RESPONSE_BROKEN;
    }
    if (!seen.has_ntp) {
        return MT_NTS_RESPONSE_PROTOCOL;
    }
    return seen.aeads == 0            ? MT_NTS_RESPONSE_AEAD
           : ret_response->count == 0 ? MT_NTS_RESPONSE_COOKIES
                                      : MT_NTS_RESPONSE_GOOD;
}
