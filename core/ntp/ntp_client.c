/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The client of one server.
 *
 * A question says nothing but two numbers that nobody can guess, as transmit and as receive
 * timestamp; an answer is to the question that is open if it gives one of them back as its origin,
 * and which one tells whether it is interleaved.  So nobody who cannot see the questions can make
 * up an answer, not even a kiss of death, and a server learns nothing of the client's clock.
 *
 * The time of departure may become known later than the answer.  Then the answer waits for it; if
 * it never comes, or the next question is due first, only the way back is measured.
 *
 * In interleaved mode an answer brings the departure of the one before: the way back is that of the
 * exchange before, the way there is that of this one.  After some answers in a row were lost the
 * server may have forgotten; then the client begins with a plain question.
 *
 * In PTP messages transparent clocks say how long they held a packet; of a question, the server
 * hands that on.  What an answer says of both is believed if it leaves no less than nothing of the
 * round trip, and not before that is known: anybody on the way can say what he likes, but so he
 * moves the time no further than by holding packets himself.  As that would widen the bound, half
 * of what is said is in it where answers are authenticated.
 *
 * After the burst the intervals double until they are what was chosen.  The burst tells the time,
 * but hardly the frequency: a whole interval later the clock would be far off.  And if nobody
 * answers yet, a network that comes up late does not cost a whole interval.
 *
 * Who has answered none of eight questions is asked ever less, down to the longest interval: when
 * it comes back this is noticed after about as long as it was away at most, and then it is as at
 * the start.
 */
#include "meantime/ntp_client.h"

#include "base/memory.h"
#include "meantime/ntp_ptp.h"

#define BURST_LOG_INTERVAL 0 /* log2 s */
#define UNSENT_NS          MT_NS_PER_S
#define MISSED_MOST        4
#define ABSENT_AFTER       8  /* questions in a row without an answer */
#define RATE_STEP          2  /* log2 s */
#define RATE_MOST          10 /* log2 s */
#define TURNAROUND_MOST_S  4
#define MADE_UP_MOST       (-10)   /* log2 s */
#define NEGATIVE_MOST_NS   1000000 /* a round trip that is shorter than nothing by more cannot be */
#define LEAST_TIME_S       INT64_C(1767225600) /* 2026, when this was written */
#define TOKEN_MAX          0xFFFFFF
#define OWN_RANDOM         16 /* octets; the others are for NTS */

void mt_ntp_client_config_init(struct mt_ntp_client_config *self)
{
    *self = (struct mt_ntp_client_config){
        .version = MT_NTP_VERSION,
        .min_poll = 6,
        .max_poll = 10,
        .burst = 4,
        .max_distance = mt_interval_from_ns(INT64_C(3) * MT_NS_PER_S),
    };
}

void mt_ntp_client_init(struct mt_ntp_client *self, const struct mt_ntp_client_config *config,
                        struct mt_mono now)
{
    memset(self, 0, sizeof *self);
    self->config = *config;
    self->poll = config->min_poll;
    mt_ntp_client_restart(self, now);
}

void mt_ntp_client_restart(struct mt_ntp_client *self, struct mt_mono now)
{
    self->begun = 0;
    self->now = now;
    self->next = now;
}

struct mt_mono mt_ntp_client_deadline(const struct mt_ntp_client *self)
{
    return self->next;
}

void mt_ntp_client_set_poll(struct mt_ntp_client *self, int8_t log2s)
{
    const struct mt_ntp_client_config *config = &self->config;
    self->poll = log2s < config->min_poll   ? config->min_poll
                 : log2s > config->max_poll ? config->max_poll
                                            : log2s;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* The oldest gives way: who drains seldom wants what is new. */
static struct mt_ntp_event *new_event(struct mt_ntp_client *self, enum mt_ntp_event_kind kind)
{
    const unsigned most = sizeof self->events / sizeof self->events[0];
    if (self->event_count == most) {
        memmove(self->events, self->events + 1, (most - 1) * sizeof self->events[0]);
        self->event_count--;
    }
    struct mt_ntp_event *event = &self->events[self->event_count++];
    memset(event, 0, sizeof *event);
    event->kind = kind;
    return event;
}

bool mt_ntp_client_next_event(struct mt_ntp_client *self, struct mt_ntp_event *ret_event)
{
    if (self->event_count == 0) {
        return false;
    }
    *ret_event = self->events[0];
    self->event_count--;
    memmove(self->events, self->events + 1, self->event_count * sizeof self->events[0]);
    return true;
}

/* ---- questions ------------------------------------------------------------------------------- */

static int8_t present_poll(const struct mt_ntp_client *self)
{
    bool has_answered = self->server.version != 0 || self->kiss[0] != 0;
    bool hurries = self->begun < UINT8_MAX && (self->config.burst > 0 || !has_answered);
    int hurry = (int)self->begun - self->config.burst;
    if (!hurries || hurry >= self->config.min_poll) {
        return self->poll;
    }
    hurry = hurry > BURST_LOG_INTERVAL ? hurry : BURST_LOG_INTERVAL;
    return hurry < self->poll ? (int8_t)hurry : self->poll;
}

static int64_t interval_ns(const struct mt_ntp_client *self)
{
    return mt_log2s_to_ns(present_poll(self));
}

bool mt_ntp_client_is_in_burst(const struct mt_ntp_client *self)
{
    return self->begun < self->config.burst;
}

int64_t mt_ntp_client_interval_ns(const struct mt_ntp_client *self)
{
    return interval_ns(self);
}

void mt_ntp_client_unsent(struct mt_ntp_client *self)
{
    self->asked--;
    self->is_asking = false; /* so nobody owes an answer */
    if (self->begun > 0 && self->begun < UINT8_MAX) {
        self->begun--;
    }
    self->next = mt_mono_earlier(self->next, mt_mono_plus(self->now, UNSENT_NS));
}

static void note_silence(struct mt_ntp_client *self)
{
    if (self->missed < UINT8_MAX) {
        self->missed++;
    }
    if (self->missed > MISSED_MOST) {
        self->before.has_arrival = false;
    }
}

/* No question of the last eight has brought its time: there was no answer, or one without time, or
 * it could not even be asked.  Of one who has never answered it is said, too, and once. */
static void note_absence(struct mt_ntp_client *self)
{
    bool is_lost = self->reach == 0 && self->was_reachable;
    bool was_never = self->missed >= ABSENT_AFTER && !self->was_reachable && !self->is_absent;
    if (is_lost || was_never) {
        self->was_reachable = false;
        self->is_absent = true;
        new_event(self, MT_NTP_EVENT_UNREACHABLE);
    }
}

static void back_off(struct mt_ntp_client *self)
{
    bool is_slow = present_poll(self) == self->poll; /* it hurries no more */
    if (self->missed >= ABSENT_AFTER && is_slow && self->poll < self->config.max_poll) {
        self->poll++;
    }
}

void mt_ntp_client_tick(struct mt_ntp_client *self, struct mt_mono now)
{
    self->now = now;
    if (self->next.ns > now.ns) {
        return;
    }
    self->reach = (uint8_t)(self->reach << 1);
    if (self->is_asking) {
        note_silence(self);
        if (self->config.nts != NULL) {
            self->config.nts->ops->give_up(self->config.nts);
        }
    }
    note_absence(self);
    self->wants_to_ask = true;
    self->is_asking = false;
    self->next = mt_mono_plus(now, interval_ns(self));
    back_off(self);
    if (self->begun < UINT8_MAX) {
        self->begun++;
    }
}

static uint64_t number_of(const uint8_t *octets)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < sizeof number; i++) {
        number = number << 8 | octets[i];
    }
    return number != 0 ? number : 1;
}

/* Up to a sixty-fourth of the interval earlier, so that clients do not march in step. */
static void spread(struct mt_ntp_client *self, uint8_t random)
{
    self->next = mt_mono_plus(self->next, -(interval_ns(self) / 64 * random / 256));
}

static void begin(struct mt_ntp_client *self, const uint8_t random[MT_NTP_RANDOM_SIZE])
{
    struct mt_ntp_exchange *current = &self->current;
    memset(current, 0, sizeof *current);
    current->asked = number_of(random);
    if (self->config.is_interleaved && self->before.has_arrival) {
        current->presented = number_of(random + 8);
        current->presented += current->presented == current->asked;
    }
    self->last_token = self->last_token < TOKEN_MAX ? self->last_token + 1 : 1;
    current->token = self->last_token;
    spread(self, random[0]);
}

/* Never without the code that is wanted: then 0. */
static size_t sign(const struct mt_ntp_client *self, const uint8_t random[MT_NTP_RANDOM_SIZE],
                   uint8_t *buffer, size_t length, size_t capacity)
{
    const struct mt_ntp_client_config *config = &self->config;
    if (config->nts != NULL) {
        return config->nts->ops->sign(config->nts, random + OWN_RANDOM, buffer, length, capacity);
    }
    if (config->key == 0) {
        return length;
    }
    const struct mt_ntp_key *key = mt_ntp_key_find(config->keys, config->key);
    size_t code = key != NULL ? mt_ntp_key_sign(config->keys, key, buffer, length, capacity) : 0;
    return code > 0 ? length + code : 0;
}

static size_t write(const struct mt_ntp_client *self, const uint8_t random[MT_NTP_RANDOM_SIZE],
                    uint8_t *buffer, size_t capacity)
{
    const struct mt_ntp_exchange *current = &self->current;
    const struct mt_ntp_header header = {
        .version = self->config.version,
        .mode = MT_NTP_MODE_CLIENT,
        .poll = self->poll,
        .precision = 32, /* which says nothing */
        .origin = current->presented != 0 ? self->before.received : 0,
        .receive = current->presented,
        .transmit = current->asked,
    };
    if (capacity < MT_NTP_HEADER_SIZE) {
        return 0;
    }
    mt_ntp_write(&header, buffer);
    size_t length = MT_NTP_HEADER_SIZE;
    if (self->config.asks_for_correction && self->config.version == MT_NTP_VERSION) {
        length +=
            mt_ntp_correction_write((struct mt_interval){0}, buffer + length, capacity - length);
    }
    return sign(self, random, buffer, length, capacity);
}

bool mt_ntp_client_next_tx(struct mt_ntp_client *self, const uint8_t random[MT_NTP_RANDOM_SIZE],
                           uint8_t *buffer, size_t capacity, struct mt_ntp_tx *ret_tx)
{
    if (!self->wants_to_ask || self->is_refused) {
        return false;
    }
    self->wants_to_ask = false;
    begin(self, random);
    size_t length = write(self, random, buffer, capacity);
    if (length == 0) {
        return false;
    }
    self->is_asking = true;
    self->asked++;
    *ret_tx = (struct mt_ntp_tx){length, self->current.token};
    return true;
}

/* ---- measurements ---------------------------------------------------------------------------- */

static struct mt_interval distance_of(const struct mt_ntp_header *server)
{
    struct mt_interval delay = mt_ntp_short_to_interval(server->root_delay);
    return mt_interval_plus((struct mt_interval){delay.q16 / 2},
                            mt_ntp_short_to_interval(server->root_dispersion));
}

/* In the era that is nearest to our clock; but that is not asked when it cannot be right, as that
 * of a machine which begins in 1970. */
static struct mt_instant to_instant(mt_ntp_time theirs, const struct mt_stamp *ours)
{
    const struct mt_instant least = {.s = LEAST_TIME_S, .scale = ours->at.scale};
    return mt_ntp_to_instant(theirs, ours->at.s > LEAST_TIME_S ? &ours->at : &least);
}

/* The server's clock read `theirs` at its end of one way of the exchange. */
static void measure(struct mt_ntp_client *self, enum mt_sample_kind kind,
                    const struct mt_ntp_exchange *exchange, mt_ntp_time theirs)
{
    struct mt_sample *sample = &new_event(self, MT_NTP_EVENT_SAMPLE)->sample;
    bool is_forward = kind == MT_SAMPLE_FORWARD;
    const struct mt_stamp *ours = is_forward ? &exchange->arrival : &exchange->departure;
    const struct mt_instant there = to_instant(theirs, ours);
    sample->kind = kind;
    sample->local = *ours;
    if (is_forward) {
        mt_span_between(&there, &ours->at, &sample->value);
    } else {
        mt_span_between(&ours->at, &there, &sample->value);
    }
    sample->value =
        mt_span_minus(sample->value, mt_span_from_interval(is_forward ? exchange->held_back
                                                                      : exchange->held_there));
    sample->authenticated = self->config.key != 0 || self->config.nts != NULL;
    sample->bound = distance_of(&self->server);
    if (sample->authenticated) { /* but nobody signs what transparent clocks say */
        struct mt_interval held = mt_interval_plus(exchange->held_there, exchange->held_back);
        sample->bound = mt_interval_plus(sample->bound, (struct mt_interval){held.q16 / 2});
    }
    sample->bound_since = self->now;
    if (mt_ntp_is_own_clock(&self->server)) { /* then it is against nothing but that clock */
        sample->reference_bound = MT_INTERVAL_TOO_LARGE;
    }
    sample->scale = MT_SCALE_UTC;
    sample->hops = (uint8_t)(self->server.stratum - 1);
}

static bool is_between(struct mt_span value, struct mt_span least, struct mt_span most)
{
    return mt_span_compare(value, least) >= 0 && mt_span_compare(value, most) <= 0;
}

/* By so much an answer may seem to have left before the question came: below their precision
 * servers make digits up. */
static struct mt_span made_up(int8_t precision)
{
    int8_t most = MADE_UP_MOST;
    return mt_span_from_ns(-mt_log2s_to_ns(precision < most ? precision : most));
}

/* Of an exchange both of whose ends are known: it was answered after it was asked, and soon. */
static bool is_possible(const struct mt_ntp_exchange *exchange, const struct mt_stamp *arrival,
                        mt_ntp_time receive, const struct mt_ntp_header *answer)
{
    const struct mt_instant there = to_instant(receive, arrival);
    const struct mt_instant back = to_instant(answer->transmit, arrival);
    const struct mt_span turnaround = mt_instant_minus(back, there);
    const struct mt_span least = made_up(answer->precision);
    if (!is_between(turnaround, least, (struct mt_span){TURNAROUND_MOST_S, 0, 0})) {
        return false;
    }
    if (!exchange->has_departure) {
        return true;
    }
    const struct mt_span round =
        mt_span_minus(mt_instant_minus(arrival->at, exchange->departure.at), turnaround);
    return mt_span_compare(round, mt_span_from_ns(-NEGATIVE_MOST_NS)) >= 0;
}

static void forget_impossible_corrections(struct mt_ntp_exchange *exchange)
{
    const struct mt_interval none = {0};
    struct mt_interval held = mt_interval_plus(exchange->held_there, exchange->held_back);
    if (exchange->held_there.q16 < 0 || exchange->held_back.q16 < 0 || !exchange->has_departure ||
        mt_span_compare(mt_instant_minus(exchange->arrival.at, exchange->departure.at),
                        mt_span_from_interval(held)) < 0) {
        exchange->held_there = exchange->held_back = none;
    }
}

static bool is_held(const struct mt_ntp_exchange *exchange)
{
    return exchange->held_there.q16 != 0 || exchange->held_back.q16 != 0;
}

static void measure_way_there(struct mt_ntp_client *self)
{
    struct mt_ntp_exchange *before = &self->before;
    if (before->has_departure && before->has_arrival) {
        measure(self, MT_SAMPLE_REVERSE, before, before->received);
    }
}

/* That of a plain answer. */
static void measure_way_back(struct mt_ntp_client *self)
{
    struct mt_ntp_exchange *before = &self->before;
    if (before->left != 0) {
        measure(self, MT_SAMPLE_FORWARD, before, before->left);
        before->is_measured_back = true;
        before->left = 0;
    }
}

void mt_ntp_client_tx_done(struct mt_ntp_client *self, uint32_t token, const struct mt_stamp *stamp)
{
    bool is_current = self->current.token == token;
    bool is_before = !is_current && self->before.has_arrival && self->before.token == token;
    struct mt_ntp_exchange *exchange = is_current ? &self->current : &self->before;
    if (token == 0 || stamp == NULL || (!is_current && !is_before) || exchange->has_departure) {
        return;
    }
    exchange->has_departure = true;
    exchange->departure = *stamp;
    if (is_before) { /* its answer has been waiting for this */
        forget_impossible_corrections(exchange);
        measure_way_back(self);
        measure_way_there(self);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool is_letters(const uint8_t *octets, const char *letters)
{
    return memcmp(octets, letters, 4) == 0;
}

/* Not for ever longer: who asks in our name can make a server say RATE to us. */
static int8_t slower(int8_t poll)
{
    int slower = poll + RATE_STEP < RATE_MOST ? poll + RATE_STEP : RATE_MOST;
    return (int8_t)(slower > poll ? slower : poll);
}

static enum mt_ntp_verdict kissed(struct mt_ntp_client *self, const struct mt_ntp_header *answer)
{
    memcpy(self->kiss, answer->reference_id, sizeof self->kiss);
    self->begun = UINT8_MAX;
    if (is_letters(self->kiss, "DENY") || is_letters(self->kiss, "RSTR")) {
        self->is_refused = true;
        self->next = MT_MONO_NEVER;
        new_event(self, MT_NTP_EVENT_REFUSED);
    } else if (is_letters(self->kiss, "RATE")) {
        self->poll = slower(self->poll);
        if (self->config.min_poll < self->poll) {
            self->config.min_poll = self->poll;
        }
        if (self->config.max_poll < self->poll) {
            self->config.max_poll = self->poll;
        }
        self->next = mt_mono_plus(self->now, interval_ns(self));
    }
    return MT_NTP_VERDICT_KISS;
}

static void note_answer(struct mt_ntp_client *self)
{
    self->reach |= 1;
    self->missed = 0;
    if (!self->was_reachable) {
        self->was_reachable = true;
        self->is_absent = false;
        self->poll = self->config.min_poll;
        if (!mt_ntp_client_is_in_burst(self)) { /* it was not there when the burst went out */
            self->begun = 0;
            self->next = mt_mono_earlier(self->next, mt_mono_plus(self->now, interval_ns(self)));
        }
        new_event(self, MT_NTP_EVENT_REACHABLE);
    }
}

/* The exchange becomes the one before. */
static void take_exchange(struct mt_ntp_client *self, const struct mt_ntp_packet *packet,
                          const struct mt_stamp *arrival, struct mt_interval held)
{
    struct mt_ntp_exchange *before = &self->before;
    self->server = packet->header;
    *before = self->current;
    before->has_arrival = true;
    before->arrival = *arrival;
    before->received = packet->header.receive;
    before->held_back = held;
    if (self->config.asks_for_correction) {
        (void)mt_ntp_correction_read(packet, &before->held_there);
    }
    self->current.token = 0;
}

static enum mt_ntp_verdict use(struct mt_ntp_client *self, const struct mt_ntp_packet *packet,
                               const struct mt_stamp *arrival, struct mt_interval held)
{
    const struct mt_ntp_header *answer = &packet->header;
    struct mt_ntp_exchange before = self->before;
    bool is_interleaved = answer->origin != self->current.asked;
    const struct mt_stamp *back = is_interleaved ? &before.arrival : arrival;
    mt_ntp_time receive = is_interleaved ? before.received : answer->receive;
    if (!is_possible(is_interleaved ? &before : &self->current, back, receive, answer)) {
        return MT_NTP_VERDICT_IMPOSSIBLE;
    }
    note_answer(self);
    take_exchange(self, packet, arrival, held);
    if (!is_interleaved) {
        self->before.left = answer->transmit;
    } else if (!before.is_measured_back) { /* each way once */
        forget_impossible_corrections(&before);
        measure(self, MT_SAMPLE_FORWARD, &before, answer->transmit);
    }
    if (self->before.has_departure || !is_held(&self->before)) {
        forget_impossible_corrections(&self->before);
        measure_way_back(self);
        measure_way_there(self);
    }
    return is_interleaved ? MT_NTP_VERDICT_INTERLEAVED : MT_NTP_VERDICT_USED;
}

/* It answers the question that is open. */
static bool is_answer(const struct mt_ntp_client *self, const struct mt_ntp_header *answer)
{
    const struct mt_ntp_exchange *current = &self->current;
    return self->is_asking && (answer->origin == current->asked ||
                               (current->presented != 0 && answer->origin == current->presented));
}

/* USED: it is by who we ask, as far as is known. */
static enum mt_ntp_verdict verify(struct mt_ntp_client *self, const uint8_t *octets,
                                  const struct mt_ntp_packet *packet)
{
    const struct mt_ntp_client_config *config = &self->config;
    if (config->nts != NULL) {
        enum mt_nts_verdict verdict = config->nts->ops->verify(config->nts, octets, packet);
        return verdict == MT_NTS_GENUINE   ? MT_NTP_VERDICT_USED
               : verdict == MT_NTS_REFUSED ? MT_NTP_VERDICT_NTS_REFUSED
                                           : MT_NTP_VERDICT_FORGED;
    }
    if (config->key == 0) {
        return MT_NTP_VERDICT_USED;
    }
    const struct mt_ntp_key *key = mt_ntp_key_verify(config->keys, octets, packet);
    return key != NULL && key->id == config->key ? MT_NTP_VERDICT_USED : MT_NTP_VERDICT_FORGED;
}

static enum mt_ntp_verdict judge(struct mt_ntp_client *self, const uint8_t *octets, size_t length,
                                 const struct mt_stamp *arrival, struct mt_interval held)
{
    struct mt_ntp_packet packet;
    const struct mt_ntp_header *answer = &packet.header;
    if (mt_ntp_parse(octets, length, &packet) != MT_NTP_WELL_FORMED ||
        answer->mode != MT_NTP_MODE_SERVER || answer->version != self->config.version) {
        return MT_NTP_VERDICT_MALFORMED;
    }
    if (!is_answer(self, answer)) {
        return MT_NTP_VERDICT_BOGUS;
    }
    enum mt_ntp_verdict verdict = verify(self, octets, &packet);
    if (verdict != MT_NTP_VERDICT_USED) {
        return verdict; /* the right one may still come */
    }
    self->is_asking = false;
    if (answer->stratum == 0 && answer->reference_id[0] != 0) {
        return kissed(self, answer);
    }
    if (answer->leap == MT_NTP_LEAP_UNKNOWN || answer->stratum == 0 ||
        answer->stratum > MT_NTP_STRATUM_MAX) {
        return MT_NTP_VERDICT_NOT_SYNCHRONISED;
    }
    if (distance_of(answer).q16 > self->config.max_distance.q16) {
        return MT_NTP_VERDICT_DISTANT;
    }
    if (answer->receive == 0 || answer->transmit == 0) {
        return MT_NTP_VERDICT_IMPOSSIBLE;
    }
    return arrival != NULL ? use(self, &packet, arrival, held) : MT_NTP_VERDICT_NO_TIMESTAMP;
}

enum mt_ntp_verdict mt_ntp_client_rx_held(struct mt_ntp_client *self, const uint8_t *octets,
                                          size_t length, const struct mt_stamp *arrival,
                                          struct mt_interval held, struct mt_mono now)
{
    self->now = now;
    enum mt_ntp_verdict verdict = judge(self, octets, length, arrival, held);
    self->verdicts[verdict]++;
    return verdict;
}

enum mt_ntp_verdict mt_ntp_client_rx(struct mt_ntp_client *self, const uint8_t *octets,
                                     size_t length, const struct mt_stamp *arrival,
                                     struct mt_mono now)
{
    return mt_ntp_client_rx_held(self, octets, length, arrival, (struct mt_interval){0}, now);
}
