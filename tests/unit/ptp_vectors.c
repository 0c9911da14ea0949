/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The text form leaves out nothing that mt_ptp_parse() fills in: two messages with equal text
 * are equal.
 */
#include "ptp_vectors.h"

#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/ptp_tlv.h"

struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(t->at, t->left, format, arguments);
    va_end(arguments);
    assert_in_range(length, 0, t->left - 1);
    t->at += length;
    t->left -= (size_t)length;
}

static void say_octets(struct text *t, const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        say(t, "%02x", octets[i]);
    }
}

static void say_port(struct text *t, const char *name, const struct mt_port_identity *port)
{
    say(t, "%s ", name);
    say_octets(t, port->clock.octet, sizeof port->clock.octet);
    say(t, "-%u", (unsigned)port->port);
}

static void say_time(struct text *t, const char *name, const struct mt_ptp_timestamp *at)
{
    say(t, "%s %" PRIu64 ".%09" PRIu32, name, at->s, at->ns);
}

static const char *type_name(enum mt_ptp_type type)
{
    switch (type) {
    case MT_PTP_SYNC:
        return "sync";
    case MT_PTP_DELAY_REQ:
        return "delay_req";
    case MT_PTP_PDELAY_REQ:
        return "pdelay_req";
    case MT_PTP_PDELAY_RESP:
        return "pdelay_resp";
    case MT_PTP_FOLLOW_UP:
        return "follow_up";
    case MT_PTP_DELAY_RESP:
        return "delay_resp";
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        return "pdelay_resp_follow_up";
    case MT_PTP_ANNOUNCE:
        return "announce";
    case MT_PTP_SIGNALING:
        return "signaling";
    case MT_PTP_MANAGEMENT:
        return "management";
    }
    return "?";
}

static void say_header(struct text *t, const struct mt_ptp_header *h)
{
    say(t, "%s sdo 0x%03x minor %u domain %u length %u flags 0x%04x\n", type_name(h->type),
        (unsigned)h->sdo_id, (unsigned)h->minor_version, (unsigned)h->domain, (unsigned)h->length,
        (unsigned)h->flags);
    say(t, "correction %" PRId64 " specific 0x%08" PRIx32 " ", h->correction.q16, h->type_specific);
    say_port(t, "source", &h->source);
    say(t, " sequence %u interval %d\n", (unsigned)h->sequence, h->log_interval);
}

static void say_announce(struct text *t, const struct mt_ptp_announce *a)
{
    say_time(t, "origin", &a->origin);
    say(t, " utc_offset %d priority1 %u class %u accuracy 0x%02x variance 0x%04x\n", a->utc_offset,
        (unsigned)a->priority1, (unsigned)a->quality.clock_class, (unsigned)a->quality.accuracy,
        (unsigned)a->quality.variance);
    say(t, "priority2 %u grandmaster ", (unsigned)a->priority2);
    say_octets(t, a->grandmaster.octet, sizeof a->grandmaster.octet);
    say(t, " steps %u source 0x%02x", (unsigned)a->steps_removed, (unsigned)a->time_source);
}

static void say_body(struct text *t, const struct mt_ptp_message *m)
{
    switch (m->header.type) {
    case MT_PTP_SYNC:
    case MT_PTP_DELAY_REQ:
    case MT_PTP_PDELAY_REQ:
    case MT_PTP_FOLLOW_UP:
        say_time(t, "origin", &m->body.origin);
        break;
    case MT_PTP_PDELAY_RESP:
    case MT_PTP_DELAY_RESP:
    case MT_PTP_PDELAY_RESP_FOLLOW_UP:
        say_time(t, "at", &m->body.response.at);
        say_port(t, " requester", &m->body.response.requester);
        break;
    case MT_PTP_ANNOUNCE:
        say_announce(t, &m->body.announce);
        break;
    case MT_PTP_SIGNALING:
        say_port(t, "target", &m->body.target);
        break;
    case MT_PTP_MANAGEMENT:
        say_port(t, "target", &m->body.management.target);
        say(t, " starting_hops %u hops %u action %u", (unsigned)m->body.management.starting_hops,
            (unsigned)m->body.management.hops, (unsigned)m->body.management.action);
        break;
    }
    say(t, "\n");
}

void ptp_message_describe(const struct mt_ptp_message *message, char *ret_text)
{
    struct text t = {ret_text, VECTOR_TEXT_MAX};
    const uint8_t *tlvs = message->tlvs;
    size_t length = message->tlvs_length;
    struct mt_tlv tlv;

    say_header(&t, &message->header);
    say_body(&t, message);
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        say(&t, "tlv 0x%04x ", (unsigned)tlv.type);
        say_octets(&t, tlv.value, tlv.length);
        say(&t, "\n");
    }
    assert_int_equal(length, 0);
}

static void add_octets(struct ptp_vector *vector, const char *line)
{
    unsigned octet;

    for (; *line != '\0'; line++) {
        if (!isspace((unsigned char)*line)) {
            assert_int_equal(sscanf(line, "%2x", &octet), 1);
            assert_true(isxdigit((unsigned char)line[1]));
            assert_in_range(vector->length, 0, VECTOR_OCTETS_MAX - 1);
            vector->octets[vector->length++] = (uint8_t)octet;
            line++;
        }
    }
}

size_t ptp_vectors_read(struct ptp_vector *ret_vectors)
{
    FILE *file = fopen("tests/vectors/ptp_wire.txt", "r");
    char line[256];
    struct ptp_vector *vector = NULL;
    size_t count = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || line[0] == '\n') {
            continue;
        }
        if (strncmp(line, "vector ", 7) == 0) {
            assert_in_range(count, 0, VECTORS_MAX - 1);
            vector = &ret_vectors[count++];
            memset(vector, 0, sizeof *vector);
            assert_int_equal(sscanf(line + 7, "%63s", vector->name), 1);
        } else if (vector != NULL && line[0] == '=') {
            assert_true(strlen(vector->text) + strlen(line) < VECTOR_TEXT_MAX);
            strcat(vector->text, line + 2);
        } else {
            assert_non_null(vector);
            add_octets(vector, line);
        }
    }
    fclose(file);
    return count;
}
