/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The requester: whom it asks for what and when, whom it follows, whom it leaves; and hybrid
 * operation.  The transmitters are invented: each grants, denies or says nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unicast_bench.h"

#define TRANSMITTERS 3
#define STEP         BENCH_S(0.0625)

struct server { /* an invented transmitter */
    struct mt_address address;
    struct bench_peer peer;
    bool is_dead;       /* says nothing at all */
    bool denies_sync;   /* and Delay_Resp */
    bool sends_nothing; /* but Announces */
    bool ignores_delay; /* requests for Delay_Resp */
    bool is_multicast;  /* its Announces */
    int8_t slower;      /* its Delay_Resps, in log2 */
    uint32_t most_s;    /* longest duration */
    int64_t until[MT_SERVICE_COUNT];
    uint64_t requests[MT_SERVICE_COUNT];
    uint64_t cancels;
    uint64_t delay_reqs;
    int64_t announce_at, sync_at;
    size_t seen; /* frames of the bench */
};

#define TROUBLE(kind) table[0].services[MT_SERVICE_##kind].trouble
static struct ptp_bench bench;
static struct mt_port_more more;
static struct mt_requester requester;
static struct mt_unicast_transmitter table[TRANSMITTERS];
static struct mt_hybrid hybrid;
static struct server servers[TRANSMITTERS];

static int begin(void **state)
{
    (void)state;
    memset(&more, 0, sizeof more);
    memset(table, 0, sizeof table);
    memset(servers, 0, sizeof servers);
    memset(&hybrid, 0, sizeof hybrid);
    bench_init(&bench, 1);
    bench.config.is_receiver_only = true;
    bench.port_configs[0].log_announce_interval = 0;
    bench.port_configs[0].more = &more;
    for (uint8_t i = 0; i < TRANSMITTERS; i++) {
        servers[i].address = unicast_address((uint8_t)(1 + i));
        servers[i].most_s = UINT32_MAX;
        peer_init(&servers[i].peer, (uint8_t)(101 + i));
        servers[i].peer.announce.priority1 = (uint8_t)(10 + i);
        table[i].address = servers[i].address;
        table[i].local_priority = 128;
    }
    mt_requester_init(&requester, table, TRANSMITTERS, true, 60);
    more.requester = &requester;
    return 0;
}

/* ---- invented transmitters ------------------------------------------------------------------- */

static const enum mt_ptp_type types[] = {MT_PTP_ANNOUNCE, MT_PTP_SYNC, MT_PTP_DELAY_RESP};

static enum mt_verdict say(const struct server *self, const struct mt_unicast_word *words,
                           size_t count)
{
    return unicast_say(&bench, self->peer.identity.clock.octet[7], &self->address, words, count);
}

static void hear_words(struct server *self, const struct bench_frame *frame)
{
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    struct mt_unicast_word answers[MT_UNICAST_TLVS];
    size_t answer_count = 0;
    size_t count = unicast_words(frame, words);
    for (size_t i = 0; i < count; i++) {
        unsigned kind = 0;
        while (types[kind] != words[i].value.message) {
            kind++;
        }
        if (words[i].type == MT_TLV_CANCEL_UNICAST_TRANSMISSION) {
            self->cancels++;
            self->until[kind] = 0;
            answers[answer_count] = words[i];
            answers[answer_count++].type = MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION;
        }
        if (words[i].type == MT_TLV_REQUEST_UNICAST_TRANSMISSION) {
            struct mt_tlv_unicast *grant = &answers[answer_count].value;
            self->requests[kind]++;
            if (kind == 2 && self->ignores_delay) {
                continue;
            }
            answers[answer_count] = words[i];
            answers[answer_count++].type = MT_TLV_GRANT_UNICAST_TRANSMISSION;
            grant->duration_s = grant->duration_s < self->most_s ? grant->duration_s : self->most_s;
            grant->duration_s = kind != 0 && self->denies_sync ? 0 : grant->duration_s;
            grant->log_interval = (int8_t)(grant->log_interval + (kind == 2 ? self->slower : 0));
            self->until[kind] = bench.now.ns + (int64_t)grant->duration_s * MT_NS_PER_S;
        }
    }
    if (answer_count != 0 && !self->is_dead) {
        say(self, answers, answer_count);
    }
}

static void answer_delay_req(struct server *self, const struct bench_frame *frame)
{
    const struct mt_ptp_header *header = &frame->message.header;
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_DELAY_RESP,
                   .flags = MT_PTP_UNICAST,
                   .sequence = header->sequence,
                   .source = self->peer.identity,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .body.response = {.at = {(uint64_t)BENCH_EPOCH_S, 0}, .requester = header->source},
    };
    self->delay_reqs++;
    if (!self->is_dead && !self->sends_nothing) {
        unicast_rx(&bench, &message, &self->address);
    }
}

static void hear(struct server *self)
{
    for (; self->seen < bench.frame_count; self->seen++) {
        const struct bench_frame frame = bench.frames[self->seen];
        if (frame.tx.destination != MT_TO_ADDRESS ||
            !mt_address_equal(&frame.tx.to, &self->address)) {
            continue;
        }
        if (frame.message.header.type == MT_PTP_SIGNALING) {
            struct bench_frame copy = frame; /* its TLVs lie in it */
            copy.message.tlvs =
                copy.octets + (frame.message.tlvs - bench.frames[self->seen].octets);
            hear_words(self, &copy);
        } else if (frame.message.header.type == MT_PTP_DELAY_REQ) {
            answer_delay_req(self, &frame);
        }
    }
}

static enum mt_verdict announce(struct server *self)
{
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_ANNOUNCE,
                   .flags = self->is_multicast ? 0 : MT_PTP_UNICAST,
                   .sequence = self->peer.announce_sequence++,
                   .source = self->peer.identity},
        .body.announce = self->peer.announce,
    };
    return unicast_rx(&bench, &message, &self->address);
}

static enum mt_verdict sync(struct server *self)
{
    const struct mt_ptp_message message = {
        .header = {.type = MT_PTP_SYNC,
                   .flags = MT_PTP_UNICAST,
                   .sequence = self->peer.sync_sequence++,
                   .source = self->peer.identity,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .body.origin = {(uint64_t)BENCH_EPOCH_S, 0},
    };
    return unicast_rx(&bench, &message, &self->address);
}

static void serve(struct server *self)
{
    int64_t now = bench.now.ns;
    hear(self);
    if (self->is_dead) {
        return;
    }
    if (self->until[0] > now && now >= self->announce_at) {
        self->announce_at = now + BENCH_S(1);
        announce(self);
    }
    if (self->until[1] > now && now >= self->sync_at && !self->sends_nothing) {
        self->sync_at = now + BENCH_S(1);
        sync(self);
    }
}

static void pass(int64_t ns)
{
    for (int64_t end = bench.now.ns + ns; bench.now.ns < end;) {
        bench_pass(&bench, STEP);
        for (unsigned i = 0; i < TRANSMITTERS; i++) {
            serve(&servers[i]);
        }
        if (bench.frame_count > BENCH_LOG_MAX / 2 || bench.event_count > BENCH_LOG_MAX / 2) {
            bench_clear(&bench);
            for (unsigned i = 0; i < TRANSMITTERS; i++) {
                servers[i].seen = 0;
            }
        }
    }
}

static bool follows(unsigned i)
{
    return bench_state(&bench, 1) >= MT_STATE_UNCALIBRATED && requester.selected == i &&
           mt_port_identity_equal(&mt_instance_parent(&bench.instance)->sender,
                                  &servers[i].peer.identity);
}

static void start(void)
{
    bench_start(&bench);
    pass(BENCH_S(10));
    assert_true(follows(0));
}

/* ---- choice ---------------------------------------------------------------------------------- */

static void requester_follows_the_best_when_all_announce(void **state)
{
    (void)state;
    start();
    assert_int_equal(table[0].state, MT_REQUESTER_HAVE_SYNC);
    assert_int_equal(table[1].state, MT_REQUESTER_HAVE_ANNOUNCE);
    for (unsigned i = 1; i < TRANSMITTERS; i++) {
        assert_int_equal(servers[i].requests[0], 1);
        assert_int_equal(servers[i].requests[1] + servers[i].requests[2], 0);
    }
    assert_true(bench_counter(&bench, 1, MT_COUNT_SAMPLES) > 10);
    assert_true(servers[0].delay_reqs > 3);
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0)->message.header.flags,
                     MT_PTP_UNICAST);
}

static void requester_asks_everybody_by_wildcard_first_when_started(void **state)
{
    (void)state;
    bench_start(&bench);
    bench_pass(&bench, STEP);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SIGNALING), TRANSMITTERS);
    for (unsigned i = 0; i < TRANSMITTERS; i++) {
        struct mt_unicast_word words[MT_UNICAST_TLVS];
        const struct bench_frame *frame = bench_newest(&bench, 1, MT_PTP_SIGNALING, i);
        assert_int_equal(unicast_words(frame, words), 1);
        assert_int_equal(words[0].value.message, MT_PTP_ANNOUNCE);
        assert_int_equal(words[0].value.log_interval, 0);
        assert_int_equal(words[0].value.duration_s, 60);
        assert_int_equal(frame->message.body.target.port, 0xFFFF);
        assert_int_equal(frame->message.body.target.clock.octet[0], 0xFF);
    }
    pass(BENCH_S(60));
    const struct bench_frame *frame = bench_newest(&bench, 1, MT_PTP_SIGNALING, 0);
    assert_int_equal(frame->message.body.target.port, 1); /* learned */
}

static void requester_prefers_by_local_priority_when_the_profile_compares_it(void **state)
{
    (void)state;
    start();
    assert_int_equal(bench.ports[0].best->dataset.local_priority, 128);
    table[0].local_priority = 7;
    pass(BENCH_S(2));
    assert_int_equal(bench.ports[0].best->dataset.local_priority, 7);
}

static void requester_cancels_when_a_better_one_appears(void **state)
{
    (void)state;
    servers[0].is_dead = true;
    bench_start(&bench);
    pass(BENCH_S(10));
    assert_true(follows(1));
    servers[0].is_dead = false;
    pass(BENCH_S(60));
    assert_true(follows(0));
    assert_int_equal(servers[1].cancels, 2);
    assert_int_equal(table[1].state, MT_REQUESTER_HAVE_ANNOUNCE);
    assert_int_equal(requester.book.given_up, 2);
}

/* ---- the life of a grant --------------------------------------------------------------------- */

static void requester_renews_in_time_when_grants_are_short(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRANSMITTERS; i++) {
        servers[i].most_s = 10;
    }
    start();
    uint64_t samples = bench_counter(&bench, 1, MT_COUNT_SAMPLES);
    pass(BENCH_S(200));
    assert_true(follows(0));
    assert_int_equal(requester.book.expired, 0);
    assert_int_equal(requester.book.fallen_silent, 0);
    assert_int_equal(requester.book.unanswered, 0);
    assert_in_range(servers[0].requests[1], 30, 42);
    assert_true(bench_counter(&bench, 1, MT_COUNT_SAMPLES) > samples + 380);
}

static void requester_asks_more_and_more_rarely_when_nobody_answers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRANSMITTERS; i++) {
        servers[i].is_dead = true;
    }
    bench_start(&bench);
    pass(BENCH_S(30));
    assert_in_range(servers[0].requests[0], 4, 6);
    pass(BENCH_S(600));
    assert_in_range(servers[0].requests[0], 18, 26);
    assert_int_equal(table[0].state, MT_REQUESTER_WAIT);
}

static void requester_asks_again_when_a_transmitter_has_forgotten(void **state)
{
    (void)state;
    start();
    servers[0].until[0] = servers[0].until[1] = servers[0].until[2] = 0; /* it has restarted */
    pass(BENCH_S(5));
    assert_true(follows(1) || requester.book.fallen_silent > 0);
    pass(BENCH_S(30));
    assert_true(follows(0));
}

static void requester_sends_no_delay_req_when_it_is_not_granted_yet(void **state)
{
    (void)state;
    servers[0].ignores_delay = true;
    bench_start(&bench);
    pass(BENCH_S(7));
    assert_true(follows(0));
    assert_int_equal(table[0].state, MT_REQUESTER_NEED_SYNC);
    assert_int_equal(bench_count(&bench, 1, MT_PTP_DELAY_REQ), 0);
    servers[0].ignores_delay = false;
    pass(BENCH_S(10));
    assert_true(bench_count(&bench, 1, MT_PTP_DELAY_REQ) > 0);
}

static void requester_sends_delay_req_at_the_granted_pace_when_it_is_slower(void **state)
{
    (void)state;
    servers[0].slower = 2;
    start();
    uint64_t before = servers[0].delay_reqs;
    pass(BENCH_S(80));
    assert_in_range(servers[0].delay_reqs - before, 10, 30);
}

/* ---- failover -------------------------------------------------------------------------------- */

static void requester_fails_over_when_announces_stop(void **state)
{
    (void)state;
    start();
    servers[0].is_dead = true;
    pass(BENCH_S(5));
    assert_true(follows(1));
    pass(BENCH_S(3));
    assert_int_equal(table[1].state, MT_REQUESTER_HAVE_SYNC);
    assert_true(table[0].state == MT_REQUESTER_WAIT && TROUBLE(ANNOUNCE) == MT_TROUBLE_SILENT);
}

static void requester_fails_over_when_sync_is_denied(void **state)
{
    (void)state;
    servers[0].denies_sync = true;
    bench_start(&bench);
    pass(BENCH_S(8));
    assert_true(follows(1) && TROUBLE(SYNC) == MT_TROUBLE_DENIED);
    assert_true(requester.book.denied > 0 && requester.book.failovers > 0);
    pass(BENCH_S(100));
    assert_true(requester.book.failovers < 8 && requester.book.fallen_silent == 0); /* rarely */
    servers[0].denies_sync = false;
    pass(BENCH_S(100));
    assert_true(follows(0) && TROUBLE(SYNC) == MT_TROUBLE_NONE);
}

static void requester_fails_over_when_its_grants_are_cancelled(void **state)
{
    (void)state;
    struct mt_unicast_word words[MT_UNICAST_TLVS];
    const struct mt_unicast_word cancels[] = {
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_ANNOUNCE, 0, 0),
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_SYNC, 0, 0),
        unicast_word(MT_TLV_CANCEL_UNICAST_TRANSMISSION, MT_PTP_DELAY_RESP, 0, 0),
    };
    start();
    bench_clear(&bench);
    servers[0].seen = servers[1].seen = servers[2].seen = 0;
    assert_int_equal(say(&servers[0], cancels, 3), MT_VERDICT_ACCEPTED);
    assert_true(follows(1) && TROUBLE(SYNC) == MT_TROUBLE_CANCELLED); /* at once */
    size_t count = 0;
    for (size_t i = 0; i < bench.frame_count; i++) {
        if (bench.frames[i].message.header.type == MT_PTP_SIGNALING &&
            mt_address_equal(&bench.frames[i].tx.to, &servers[0].address)) {
            count = unicast_words(&bench.frames[i], words);
        }
    }
    assert_int_equal(count, 3);
    assert_int_equal(words[0].type, MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION);
}

static void requester_fails_over_when_sync_is_granted_but_never_comes(void **state)
{
    (void)state;
    start();
    servers[0].sends_nothing = true;
    pass(BENCH_S(40));
    assert_true(follows(1) && TROUBLE(SYNC) == MT_TROUBLE_SILENT);
    assert_true(requester.book.fallen_silent >= 2);
}

static void requester_begins_anew_when_the_link_comes_back(void **state)
{
    (void)state;
    start();
    bench_link(&bench, 1, false);
    pass(BENCH_S(5));
    assert_int_equal(table[0].state, MT_REQUESTER_WAIT);
    bench_link(&bench, 1, true);
    pass(BENCH_S(10));
    assert_true(follows(0));
}

static void requester_asks_at_the_new_address_when_a_name_moves(void **state)
{
    (void)state;
    start();
    servers[0].address = unicast_address(50);
    mt_requester_set_address(&requester, 0, &servers[0].address);
    pass(BENCH_S(10));
    assert_true(follows(0));
    assert_true(mt_address_equal(&table[0].address, &servers[0].address));
}

/* ---- forgeries ------------------------------------------------------------------------------- */

static void requester_stays_as_it_is_when_signaling_is_forged(void **state)
{
    (void)state;
    static const uint16_t kinds[] = {MT_TLV_GRANT_UNICAST_TRANSMISSION,
                                     MT_TLV_CANCEL_UNICAST_TRANSMISSION,
                                     MT_TLV_ACKNOWLEDGE_CANCEL_UNICAST_TRANSMISSION};
    const struct mt_address elsewhere = unicast_address(99);
    start();
    for (unsigned i = 0; i < TRANSMITTERS; i++) {
        servers[i].seen = bench.frame_count;
    }
    struct mt_unicast_transmitter before[TRANSMITTERS];
    memcpy(before, table, sizeof table);
    for (unsigned kind = 0; kind < 3; kind++) {
        for (unsigned type = 0; type < 16; type++) {
            const struct mt_unicast_word word = unicast_word(
                (enum mt_tlv_type)kinds[kind], (enum mt_ptp_type)type, -7, kind == 0 ? 1 : 0);
            unicast_say(&bench, 101, &elsewhere, &word, 1);         /* from elsewhere */
            unicast_say(&bench, 77, &servers[0].address, &word, 1); /* under another identity */
            if (kind != 1) {
                unicast_say(&bench, 101, &servers[0].address, &word, 1); /* not asked for */
            }
        }
    }
    assert_memory_equal(before, table, sizeof table);
    assert_true(follows(0));
    assert_int_equal(requester.book.cancelled, 0);
}

static void requester_listens_to_nobody_else_when_others_announce(void **state)
{
    (void)state;
    struct server stranger = servers[0];
    stranger.address = unicast_address(99);
    peer_init(&stranger.peer, 66);
    stranger.peer.announce.priority1 = 1;
    start();
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(announce(&stranger), MT_VERDICT_NOT_ACCEPTABLE);
        pass(BENCH_S(0.5));
    }
    stranger.address = servers[1].address; /* spoofed: the identity is not its own */
    assert_int_equal(announce(&stranger), MT_VERDICT_NOT_ACCEPTABLE);
    assert_int_equal(bench_announce(&bench, 1, &stranger.peer), MT_VERDICT_NOT_ACCEPTABLE);
    stranger = servers[1];
    stranger.is_multicast = true;
    assert_int_equal(announce(&stranger), MT_VERDICT_NOT_ACCEPTABLE);
    assert_int_equal(sync(&servers[1]), MT_VERDICT_NOT_REQUESTED);
    assert_true(follows(0));
}

/* ---- without negotiation --------------------------------------------------------------------- */

static void requester_follows_without_a_word_when_static(void **state)
{
    (void)state;
    requester.negotiates = false;
    for (unsigned i = 0; i < TRANSMITTERS; i++) {
        servers[i].until[0] = servers[i].until[1] = INT64_MAX;
    }
    start();
    assert_int_equal(bench_count(&bench, 1, MT_PTP_SIGNALING), 0);
    assert_true(servers[0].delay_reqs > 3);
    assert_int_equal(table[1].state, MT_REQUESTER_HAVE_ANNOUNCE);
    servers[0].is_dead = true;
    pass(BENCH_S(5));
    assert_true(follows(1));
}

static void requester_honours_acceptable_transmitters_when_there_are_some(void **state)
{
    (void)state;
    bench.port_configs[0].acceptable = &servers[2].peer.identity;
    bench.port_configs[0].acceptable_count = 1;
    bench_start(&bench);
    pass(BENCH_S(10));
    assert_true(follows(2));
}

/* ---- hybrid ---------------------------------------------------------------------------------- */

static void hybrid_asks_the_parent_alone_when_its_address_is_known(void **state)
{
    (void)state;
    more.requester = NULL;
    more.hybrid = &hybrid;
    bench_start(&bench);
    for (unsigned i = 0; i < 10; i++) { /* nobody says whence it comes */
        bench_announce(&bench, 1, &servers[0].peer);
        bench_pass(&bench, BENCH_S(1));
    }
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0)->tx.destination, MT_TO_ALL);
    bench_clear(&bench);
    announce(&servers[0]);
    sync(&servers[0]);
    bench_pass(&bench, BENCH_S(3));
    const struct bench_frame *frame = bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0);
    assert_int_equal(frame->tx.destination, MT_TO_ADDRESS);
    assert_true(mt_address_equal(&frame->tx.to, &servers[0].address));
    assert_int_equal(frame->message.header.flags, MT_PTP_UNICAST);
    uint64_t samples = bench_counter(&bench, 1, MT_COUNT_SAMPLES);
    answer_delay_req(&servers[0], frame);
    assert_int_equal(bench_counter(&bench, 1, MT_COUNT_SAMPLES), samples + 1);
}

static void hybrid_asks_everybody_when_a_new_parent_has_no_address_yet(void **state)
{
    (void)state;
    more.requester = NULL;
    more.hybrid = &hybrid;
    bench_start(&bench);
    for (unsigned i = 0; i < 8; i++) {
        announce(&servers[1]);
        bench_pass(&bench, BENCH_S(1));
    }
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0)->tx.destination, MT_TO_ADDRESS);
    announce(&servers[2]); /* not the parent: its address is nobody's business */
    bench_pass(&bench, BENCH_S(3));
    const struct bench_frame *frame = bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0);
    assert_true(mt_address_equal(&frame->tx.to, &servers[1].address));
    for (unsigned i = 0; i < 5; i++) {
        bench_announce(&bench, 1, &servers[0].peer);
        bench_pass(&bench, BENCH_S(1));
    }
    bench_clear(&bench);
    bench_pass(&bench, BENCH_S(2));
    assert_int_equal(bench_newest(&bench, 1, MT_PTP_DELAY_REQ, 0)->tx.destination, MT_TO_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
        TEST(requester_follows_the_best_when_all_announce),
        TEST(requester_asks_everybody_by_wildcard_first_when_started),
        TEST(requester_prefers_by_local_priority_when_the_profile_compares_it),
        TEST(requester_cancels_when_a_better_one_appears),
        TEST(requester_renews_in_time_when_grants_are_short),
        TEST(requester_asks_more_and_more_rarely_when_nobody_answers),
        TEST(requester_asks_again_when_a_transmitter_has_forgotten),
        TEST(requester_fails_over_when_announces_stop),
        TEST(requester_fails_over_when_sync_is_denied),
        TEST(requester_fails_over_when_its_grants_are_cancelled),
        TEST(requester_fails_over_when_sync_is_granted_but_never_comes),
        TEST(requester_begins_anew_when_the_link_comes_back),
        TEST(requester_asks_at_the_new_address_when_a_name_moves),
        TEST(requester_stays_as_it_is_when_signaling_is_forged),
        TEST(requester_listens_to_nobody_else_when_others_announce),
        TEST(requester_follows_without_a_word_when_static),
        TEST(requester_honours_acceptable_transmitters_when_there_are_some),
        TEST(requester_sends_no_delay_req_when_it_is_not_granted_yet),
        TEST(requester_sends_delay_req_at_the_granted_pace_when_it_is_slower),
        TEST(hybrid_asks_the_parent_alone_when_its_address_is_known),
        TEST(hybrid_asks_everybody_when_a_new_parent_has_no_address_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
