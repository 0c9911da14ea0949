/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The way of a request: refused as cheaply as possible, then authenticated, then limited, then
 * answered.  What does not verify is not answered at all: who has no key learns nothing, and nobody
 * can make two servers talk to each other.
 *
 * Interleaved mode without a memory of clients: receive timestamps that have been answered are odd,
 * transmit timestamps are even, so an odd origin in a request can only be the receive timestamp of
 * the answer before, and the departure of that answer is looked up by it.  A client that has never
 * sent such a thing gets no place in the memory: most never will.  Below the precision
 * digits are random: they say nothing of the clock, and make timestamps unique and hard to guess.
 */
#include "meantime/ntp_server.h"

#include "base/memory.h"
#include "meantime/ntp_ptp.h"
#include "wire/fields.h"

#define TRANSMIT_OFFSET 40
#define ODD             UINT64_C(1)

/* ---- departures ------------------------------------------------------------------------------ */

void mt_ntp_departures_init(struct mt_ntp_departures *self, struct mt_ntp_departure *places,
                            uint32_t count)
{
    *self = (struct mt_ntp_departures){places, count};
    if (count > 0) {
        memset(places, 0, count * sizeof *places);
    }
}

static struct mt_ntp_departure *place_of(const struct mt_ntp_departures *self, mt_ntp_time receive)
{
    uint64_t scattered = receive * UINT64_C(0x9E3779B97F4A7C15);
    return &self->places[(scattered >> 32) & (self->count - 1)];
}

void mt_ntp_departures_tell(struct mt_ntp_departures *self, mt_ntp_time receive,
                            const struct mt_instant *transmit)
{
    if (self->count > 0 && receive != 0 && place_of(self, receive)->receive == receive) {
        place_of(self, receive)->transmit = mt_ntp_from_instant(transmit) & ~ODD;
    }
}

/* A receive timestamp that no other answer has which is remembered; now it is, too. */
static mt_ntp_time remember(struct mt_ntp_departures *self, mt_ntp_time receive)
{
    while (place_of(self, receive)->receive == receive) {
        receive += 2;
    }
    *place_of(self, receive) = (struct mt_ntp_departure){receive, 0};
    return receive;
}

/* When the answer with this receive timestamp left; 0: not known.  Nobody is told twice. */
static mt_ntp_time recall(struct mt_ntp_departures *self, mt_ntp_time receive)
{
    mt_ntp_time transmit = 0;
    if (place_of(self, receive)->receive == receive) {
        transmit = place_of(self, receive)->transmit;
        place_of(self, receive)->transmit = 0;
    }
    return transmit;
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool is_request(const struct mt_ntp_header *header, const struct mt_address *from)
{
    return header->mode == MT_NTP_MODE_CLIENT ||
           /* version 1 has no modes; what comes from the server's port may be a server */
           (header->version == 1 && header->mode == MT_NTP_MODE_RESERVED &&
            from->udp_port != MT_NTP_PORT);
}

bool mt_ntp_server_may_ask(const struct mt_ntp_server *self, const struct mt_address *from)
{
    for (uint16_t i = 0; i < self->rule_count; i++) {
        if (mt_address_is_within(from, &self->rules[i].range, 1)) {
            return self->rules[i].is_allowed;
        }
    }
    return !self->denies_others;
}

static bool is_told_rate(const struct mt_ntp_server *self, struct mt_ntp_worker *worker)
{
    return !self->tells_no_rate &&
           mt_prng_next_u32(&worker->random) >> 1 < UINT32_C(1) << 31 >> self->log_rate_share;
}

/* ANSWERED, or FORGED, UNAUTHENTICATED or NTS_REFUSED. */
static enum mt_ntp_outcome verify(const struct mt_ntp_server *self, const uint8_t *octets,
                                  const struct mt_ntp_packet *packet, struct mt_ntp_answer *answer)
{
    enum mt_nts_verdict verdict = MT_NTS_ABSENT;
    if (packet->mac_length > 0) {
        answer->key = mt_ntp_key_verify(self->keys, octets, packet);
        if (answer->key == NULL) {
            return MT_NTP_FORGED;
        }
    } else if (self->nts != NULL) {
        verdict = self->nts->ops->judge(self->nts, octets, packet, &answer->nts);
    }
    switch (verdict) {
    case MT_NTS_GENUINE:
        return MT_NTP_ANSWERED;
    case MT_NTS_REFUSED:
        return MT_NTP_NTS_REFUSED;
    case MT_NTS_FORGED:
        return MT_NTP_FORGED;
    case MT_NTS_ABSENT:
        break;
    }
    bool is_keyed = answer->key != NULL;
    bool suffices =
        (self->requires_key && is_keyed) || (!self->requires_key && !self->requires_nts);
    return suffices ? MT_NTP_ANSWERED : MT_NTP_UNAUTHENTICATED;
}

/* Whether it is answered, in the end with what.  ANSWERED stands for INTERLEAVED, too. */
static enum mt_ntp_outcome judge(const struct mt_ntp_server *self, struct mt_ntp_worker *worker,
                                 const struct mt_ntp_request *request,
                                 struct mt_ntp_packet *ret_packet, struct mt_ntp_answer *answer)
{
    if (mt_ntp_parse(request->octets, request->length, ret_packet) != MT_NTP_WELL_FORMED) {
        return MT_NTP_MALFORMED;
    }
    if (!is_request(&ret_packet->header, request->from)) {
        return MT_NTP_MODE;
    }
    if (!mt_ntp_server_may_ask(self, request->from)) {
        return MT_NTP_DENIED;
    }
    if (request->arrival == NULL) {
        return MT_NTP_NO_TIMESTAMP;
    }
    enum mt_ntp_outcome outcome = verify(self, request->octets, ret_packet, answer);
    if (outcome != MT_NTP_ANSWERED && outcome != MT_NTP_NTS_REFUSED) {
        return outcome;
    }
    if (!mt_ntp_limit_allows(&worker->limit, request->from, request->now)) {
        return is_told_rate(self, worker) ? MT_NTP_RATE_SAID : MT_NTP_LIMITED;
    }
    return outcome;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Random digits below the precision. */
static mt_ntp_time blur(struct mt_prng *random, mt_ntp_time time, int8_t precision)
{
    unsigned bits = precision < 0 && precision >= -32 ? (unsigned)(32 + precision) : 0;
    mt_ntp_time mask = (UINT64_C(1) << bits) - 1;
    return (time & ~mask) | (mt_prng_next_u32(random) & mask);
}

static struct mt_interval dispersion_at(const struct mt_ntp_served *served,
                                        const struct mt_instant *at)
{
    int64_t age_s = mt_instant_minus(*at, served->at).s;
    age_s = age_s < 0 ? 0 : age_s < INT32_MAX ? age_s + 1 : INT32_MAX;
    int64_t growth_ns = age_s * served->growth_ppb;
    return mt_interval_plus(served->root_dispersion, mt_interval_from_ns(growth_ns));
}

static void fill(const struct mt_ntp_served *served, struct mt_ntp_worker *worker,
                 const struct mt_ntp_request *request, const struct mt_ntp_header *asked,
                 struct mt_ntp_header *answer)
{
    bool is_known = served->leap != MT_NTP_LEAP_UNKNOWN;
    *answer = (struct mt_ntp_header){
        .leap = served->leap,
        .version = asked->version,
        .mode = MT_NTP_MODE_SERVER,
        .stratum = is_known ? served->stratum : 0,
        .poll = asked->poll,
        .precision = served->precision,
        .root_delay = mt_ntp_short_from_interval(served->root_delay),
        .root_dispersion = mt_ntp_short_from_interval(dispersion_at(served, request->arrival)),
        .reference = is_known ? mt_ntp_from_instant(&served->reference) : 0,
        .receive = blur(&worker->random, mt_ntp_from_instant(request->arrival), served->precision),
    };
    if (is_known) {
        memcpy(answer->reference_id, served->reference_id, sizeof answer->reference_id);
    }
}

/* The kiss of death [RFC 5905 7.4] tells no time. */
static void kiss(struct mt_ntp_header *answer, const char *letters)
{
    answer->leap = MT_NTP_LEAP_UNKNOWN;
    answer->stratum = 0;
    memcpy(answer->reference_id, letters, sizeof answer->reference_id);
}

/* True if it is interleaved. */
static bool set_times(struct mt_ntp_worker *worker, const struct mt_ntp_header *asked,
                      struct mt_ntp_header *answer, struct mt_ntp_answer *ret_answer)
{
    bool is_asked_for = (asked->origin & ODD) != 0 && asked->receive != asked->transmit &&
                        worker->departures.count > 0;
    answer->transmit = 0;
    answer->receive |= ODD;
    ret_answer->receive = 0;
    if (is_asked_for) {
        answer->transmit = recall(&worker->departures, asked->origin);
        answer->receive = remember(&worker->departures, answer->receive);
        ret_answer->receive = answer->receive;
    }
    bool is_interleaved = answer->transmit != 0;
    answer->origin = is_interleaved ? asked->receive : asked->transmit;
    ret_answer->has_transmit = is_interleaved;
    return is_interleaved;
}

/* True if it is interleaved. */
static bool make(const struct mt_ntp_served *served, struct mt_ntp_worker *worker,
                 const struct mt_ntp_request *request, const struct mt_ntp_header *asked,
                 enum mt_ntp_outcome outcome, struct mt_ntp_answer *ret_answer)
{
    struct mt_ntp_header answer;
    bool is_interleaved = false;
    fill(served, worker, request, asked, &answer);
    if (outcome == MT_NTP_ANSWERED) {
        is_interleaved = set_times(worker, asked, &answer, ret_answer);
    } else {
        answer.origin = asked->transmit;
        kiss(&answer, outcome == MT_NTP_NTS_REFUSED ? "NTSN" : "RATE");
    }
    mt_ntp_write(&answer, ret_answer->octets);
    ret_answer->length = MT_NTP_HEADER_SIZE;
    return is_interleaved;
}

/* As long as the field by which it was asked for. */
static void tell_correction(const struct mt_ntp_packet *packet,
                            const struct mt_ntp_request *request, struct mt_ntp_answer *answer)
{
    struct mt_interval asked;
    if (request->held != NULL && mt_ntp_correction_read(packet, &asked)) {
        answer->length += mt_ntp_correction_write(*request->held, answer->octets + answer->length,
                                                  sizeof answer->octets - answer->length);
    }
}

static void begin_nts(const struct mt_ntp_server *self, struct mt_ntp_worker *worker,
                      const struct mt_ntp_request *request, struct mt_ntp_answer *answer)
{
    size_t most = sizeof answer->octets;
    most = request->length < most ? request->length : most;
    answer->length = self->nts->ops->begin(self->nts, &worker->random, &answer->nts, answer->octets,
                                           answer->length, most);
}

enum mt_ntp_outcome mt_ntp_answer(const struct mt_ntp_server *self,
                                  const struct mt_ntp_served *served, struct mt_ntp_worker *worker,
                                  const struct mt_ntp_request *request,
                                  struct mt_ntp_answer *ret_answer)
{
    struct mt_ntp_packet packet;
    ret_answer->length = 0;
    ret_answer->has_transmit = false;
    ret_answer->receive = 0;
    ret_answer->key = NULL;
    ret_answer->nts.verdict = MT_NTS_ABSENT;
    enum mt_ntp_outcome outcome = judge(self, worker, request, &packet, ret_answer);
    if (outcome == MT_NTP_ANSWERED || outcome == MT_NTP_RATE_SAID ||
        outcome == MT_NTP_NTS_REFUSED) {
        if (make(served, worker, request, &packet.header, outcome, ret_answer)) {
            outcome = MT_NTP_INTERLEAVED;
        }
        tell_correction(&packet, request, ret_answer);
        if (ret_answer->nts.verdict != MT_NTS_ABSENT) {
            begin_nts(self, worker, request, ret_answer);
        }
    }
    worker->outcomes[outcome]++;
    return outcome;
}

void mt_ntp_answer_finish(const struct mt_ntp_server *self, struct mt_ntp_answer *answer,
                          const struct mt_instant *departure)
{
    if (!answer->has_transmit) {
        mt_ntp_time transmit = mt_ntp_from_instant(departure) & ~ODD;
        for (unsigned i = 0; i < sizeof transmit; i++) {
            answer->octets[TRANSMIT_OFFSET + i] = (uint8_t)(transmit >> (56 - 8 * i));
        }
        answer->has_transmit = true;
    }
    if (answer->key != NULL) {
        answer->length += mt_ntp_key_sign(self->keys, answer->key, answer->octets, answer->length,
                                          sizeof answer->octets);
    }
    if (answer->nts.verdict != MT_NTS_ABSENT && answer->length > 0) {
        answer->length = self->nts->ops->finish(self->nts, &answer->nts, answer->octets,
                                                answer->length, sizeof answer->octets);
    }
}
