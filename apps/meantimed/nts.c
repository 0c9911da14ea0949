/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The daemon's end of NTS key exchange (nts/): two processes, if the configuration wants them, one
 * that serves and one that asks.  They are started first, while nothing else is open that they
 * could inherit and the certificate's key may still be read, and give up privileges by themselves.
 *
 * The keys of cookies are the daemon's, for it needs them to answer; it keeps them in a file,
 * changes them when it is time, and tells the serving process, each time it says hello.  The
 * asking process is asked for a server's keys when there are none, or no cookies, and after a
 * failure the later the more often it has failed.  Keys that brought no answer are a failure, too:
 * else a server that refuses each question, or who makes believe it does, would have us exchange
 * keys without end.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/meantimed/daemon.h"
#include "apps/meantimed/nts_asking.h"
#include "nts/nts_ask.h"
#include "nts/nts_serve.h"
#include "nts/nts_store.h"
#include "platform/linux/linux_privilege.h"
#include "runtime/log_keys.h"

#define PATH_SIZE 4200
#define TEND_NS   250000000
#define LATE_NS   ((int64_t)(MT_NTS_ASK_LIMIT_S + 10) * MT_NS_PER_S)

struct mt_daemon_nts {
    struct mt_daemon *daemon;
    struct mt_nts_serve_options options;
    struct mt_ntp_server rules; /* of them who may ask, at the start */
    uint32_t rules_fed;         /* the composition's `server_changes` that the server learns ... */
    uint16_t rules_next;        /* ... from this rule on */
    bool has_rules_left;        /* the socket holds but so many */
    bool has_ring_left;
    struct mt_ntp_rule *rule;
    struct mt_nts_process server;
    struct mt_nts_process client;
    bool is_serving;
    bool is_asking;
    struct mt_nts_ring ring;
    int64_t rotated_s;
    bool must_save;
    char store[PATH_SIZE];
    struct mt_mono tended;
    struct mt_nts_counts counts;    /* since the start */
    char fault[MT_NTS_REASON_SIZE]; /* of certificate or key; "": there is none */
    struct mt_nts_asking *asking;   /* of each NTP server of the node */
    size_t asking_count;
};

/* ---- in the processes ------------------------------------------------------------------------ */

static void settle(void *context, int fd)
{
    struct mt_daemon_nts *self = context;
    if (self->server.fd >= 0) { /* the process that asks: what serves is none of its business */
        close(self->server.fd);
        explicit_bzero(&self->ring, sizeof self->ring);
    }
    const struct mt_config_daemon *config = &self->daemon->config->daemon;
    const struct mt_privilege_options options = {.user = config->user};
    char reason[MT_HAL_REASON_SIZE];
    if (!mt_privilege_drop(&options, reason)) {
        mt_nts_say(fd, true, "NTS key exchange: %.200s", reason);
        if (config->user != NULL) {
            _exit(0);
        }
    }
}

static void confine(const struct mt_daemon_nts *self)
{
    char reason[MT_HAL_REASON_SIZE]; /* which the daemon gives for itself, too */
    if (self->daemon->config->daemon.sandbox) {
        (void)mt_privilege_sandbox(MT_SANDBOX_REFUSE, reason);
    }
}

static void serve(void *context, int fd)
{
    struct mt_daemon_nts *self = context;
    confine(self);
    mt_nts_serve(&self->options, fd);
}

static void answer_questions(void *context, int fd)
{
    confine(context);
    mt_nts_answer_questions(NULL, fd);
}

/* ---- start ----------------------------------------------------------------------------------- */

static bool copy_path(struct mt_daemon *daemon, const char *path, char ret_copy[MT_NTS_PATH_SIZE])
{
    size_t length = strlen(path);
    if (length >= MT_NTS_PATH_SIZE) {
        mt_journal_write(&daemon->journal, MT_JOURNAL_ERROR, 0,
                         "NTS: %.80s...: a path of at most %d characters is expected", path,
                         MT_NTS_PATH_SIZE - 1);
        return false;
    }
    memcpy(ret_copy, path, length + 1);
    return true;
}

static bool listen_at(struct mt_daemon_nts *self, const struct mt_address *address, bool is_v6)
{
    struct mt_nts_serve_options *options = &self->options;
    uint16_t port = self->daemon->config->server.nts_port;
    int fd = options->listener_count < MT_NTS_LISTENERS ? mt_nts_listen(address, is_v6, port) : -1;
    if (fd >= 0) {
        options->listeners[options->listener_count++] = fd;
        return true;
    }
    if (is_v6 && address == NULL && errno == EAFNOSUPPORT) {
        return true;
    }
    mt_journal_write(&self->daemon->journal, MT_JOURNAL_ERROR, 0,
                     "cannot listen for NTS key exchange on TCP port %u: %s%s", port,
                     options->listener_count < MT_NTS_LISTENERS ? strerror(errno)
                                                                : "too many addresses",
                     errno == EADDRINUSE ? "; another NTP daemon is running there, stop it, or "
                                           "set nts_port"
                                         : "");
    return false;
}

static bool listen_everywhere(struct mt_daemon_nts *self)
{
    const struct mt_config_stations *list = &self->daemon->config->server.listen;
    if (list->count == 0) {
        return listen_at(self, NULL, false) && listen_at(self, NULL, true);
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct mt_address *address = &list->station[i].address;
        if (!listen_at(self, address, address->network == MT_NETWORK_UDP_IPV6)) {
            return false;
        }
    }
    return true;
}

/* What cannot be read now, the process tries to read and complains of. */
static bool start_server(struct mt_daemon_nts *self)
{
    const struct mt_config_server *config = &self->daemon->config->server;
    struct mt_nts_serve_options *options = &self->options;
    self->rule = mt_compose_server_rules(config, &self->rules);
    if (self->rule == NULL ||
        !copy_path(self->daemon, config->nts_certificate, options->certificate) ||
        !copy_path(self->daemon, config->nts_key, options->key) || !listen_everywhere(self)) {
        return false;
    }
    (void)mt_nts_file_read(options->certificate, &options->certificate_now);
    (void)mt_nts_file_read(options->key, &options->key_now);
    options->port = config->port;
    options->patience_s = MT_NTS_PATIENCE_S;
    options->rate = config->nts_rate;
    options->rules = &self->rules;
    self->is_serving = mt_nts_process_start(&self->server, settle, serve, self);
    int error = errno;
    mt_nts_file_forget(&options->certificate_now);
    mt_nts_file_forget(&options->key_now);
    for (unsigned i = 0; i < options->listener_count; i++) {
        close(options->listeners[i]);
    }
    errno = error;
    return self->is_serving;
}

static bool wants_to_ask(const struct mt_config *config)
{
    for (size_t i = 0; i < config->ntp_count; i++) {
        if (config->ntps[i].nts) {
            return true;
        }
    }
    return false;
}

/* The keys that there are from before, or new ones. */
static bool begin_ring(struct mt_daemon_nts *self)
{
    uint8_t random[MT_NTS_RING_RANDOM];
    snprintf(self->store, sizeof self->store, "%s/nts.keys",
             self->daemon->config->daemon.state_directory);
    if (mt_nts_store_load(self->store, &self->ring, &self->rotated_s)) {
        return true;
    }
    if (errno != ENOENT) {
        mt_journal_write(&self->daemon->journal, MT_JOURNAL_WARNING, 0,
                         "the NTS keys in %s cannot be used (%s): new ones are made", self->store,
                         errno == EINVAL   ? "it is no file of keys"
                         : errno == EACCES ? "others may read it"
                                           : strerror(errno));
    }
    if (!mt_nts_random(random, sizeof random)) {
        return false;
    }
    mt_nts_ring_init(&self->ring, random);
    explicit_bzero(random, sizeof random);
    self->rotated_s = time(NULL);
    self->must_save = true;
    return true;
}

bool mt_daemon_start_nts(struct mt_daemon *daemon)
{
    const struct mt_config *config = daemon->config;
    bool serves = config->has_server && config->server.nts_certificate != NULL;
    if (!serves && !wants_to_ask(config)) {
        return true;
    }
    struct mt_daemon_nts *self = calloc(1, sizeof *self);
    daemon->nts = self;
    if (self == NULL) {
        return false;
    }
    self->daemon = daemon;
    self->server.fd = self->client.fd = -1;
    if (serves && (!begin_ring(self) || !start_server(self))) {
        return false;
    }
    self->is_asking = wants_to_ask(config);
    return !self->is_asking || mt_nts_process_start(&self->client, settle, answer_questions, self);
}

/* ---- what the processes say ------------------------------------------------------------------ */

static bool send_ring(const struct mt_daemon_nts *self)
{
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_RING, .value.ring = self->ring};
    bool is_sent = mt_nts_send(self->server.fd, &message);
    explicit_bzero(&message, sizeof message);
    return is_sent;
}

/* What there is no room for now goes later: first who may ask, then what they are served with. */
static void feed_server(struct mt_daemon_nts *self)
{
    const struct mt_composition *composition = self->daemon->composition;
    if (self->rules_fed != composition->server_changes) {
        self->rules_fed = composition->server_changes;
        self->rules_next = 0;
        self->has_rules_left = true;
    }
    if (self->has_rules_left) {
        self->has_rules_left = !mt_nts_send_rules(self->server.fd, &composition->node.server->rules,
                                                  &self->rules_next);
    }
    if (self->has_ring_left && !self->has_rules_left) {
        self->has_ring_left = !send_ring(self);
    }
}

static void fail(struct mt_daemon_nts *self, const char *name, struct mt_nts_asking *asking,
                 bool was_reached, const char *reason, struct mt_mono now)
{
    asking->is_asking = false;
    asking->failures++;
    int64_t pause_s = mt_nts_retry_s(asking->failures, was_reached);
    asking->next = mt_mono_plus(now, pause_s * MT_NS_PER_S);
    asking->told_failure = true;
    snprintf(asking->reason, sizeof asking->reason, "%s", reason);
    mt_journal_write(&self->daemon->journal, MT_JOURNAL_WARNING, 0,
                     "ntp %s: no keys could be exchanged: %s; the next attempt is in %lld s", name,
                     reason, (long long)pause_s);
}

static void set_keys(struct mt_daemon_nts *self, const struct mt_nts_told *told, struct mt_mono now)
{
    uint8_t octets[MT_LOG_KEYS_MAX];
    struct mt_log_keys keys = {.keys = told->keys, .count = told->count};
    memcpy(keys.cookies, told->cookies, sizeof keys.cookies);
    const struct mt_order order = {.kind = MT_ORDER_KEYS,
                                   .now = now,
                                   .instance = (uint16_t)told->source,
                                   .address = told->server,
                                   .config = mt_log_keys_pack(&keys, octets)};
    mt_recorder_begin(self->daemon->recorder, &order);
    mt_node_set_ntp_keys(&self->daemon->composition->node, (uint16_t)told->source, &keys,
                         &told->server, now);
    mt_recorder_end(self->daemon->recorder);
    explicit_bzero(octets, sizeof octets);
    explicit_bzero(&keys, sizeof keys);
}

/* Of a pool the next one is worth an attempt soon, whatever this one said. */
static void take_failure(struct mt_daemon_nts *self, const char *name,
                         const struct mt_nts_told *told, struct mt_mono now)
{
    struct mt_nts_asking *asking = &self->asking[told->source];
    bool has_others =
        mt_config_is_pool(mt_composition_ntp(self->daemon->composition, (uint16_t)told->source)) &&
        !mt_address_equal(&told->peer, &asking->bad);
    asking->bad = told->peer;
    asking->peer.network = MT_NETWORK_NONE;
    fail(self, name, asking, told->was_reached && !has_others,
         told->is_good ? "it sends us to an NTP server that is asked already" : told->reason, now);
}

static void take_keys(struct mt_daemon_nts *self, const struct mt_nts_told *told)
{
    struct mt_node *node = &self->daemon->composition->node;
    struct mt_hal_wait *wait = self->daemon->provider->wait;
    const struct mt_mono now = wait->ops->now(wait);
    if (told->source >= node->ntp_count || told->source >= self->asking_count ||
        node->ntp[told->source].config.nts == NULL) {
        return;
    }
    struct mt_nts_asking *asking = &self->asking[told->source];
    const char *name = mt_composition_ntp(self->daemon->composition, (uint16_t)told->source)->name;
    if (!asking->is_asking || asking->attempt != told->attempt) {
        return; /* too late */
    }
    if (!told->is_good ||
        mt_nts_asking_is_double(self->daemon->composition, (uint16_t)told->source, &told->server)) {
        take_failure(self, name, told, now);
        return;
    }
    bool is_first = asking->peer.network == MT_NETWORK_NONE;
    mt_journal_write(&self->daemon->journal,
                     asking->told_failure || is_first ? MT_JOURNAL_INFO : MT_JOURNAL_DEBUG, 0,
                     "ntp %s: keys were exchanged, with %u cookies", name, told->count);
    uint32_t useless = asking->useless + 1;
    *asking = (struct mt_nts_asking){
        .number = asking->number,
        .attempt = asking->attempt,
        .useless = useless,
        .peer = told->peer,
        .next = mt_mono_plus(now, mt_nts_retry_s(useless, false) * MT_NS_PER_S),
    };
    set_keys(self, told, now);
}

static void take_message(struct mt_daemon_nts *self, bool is_server,
                         const struct mt_nts_message *message)
{
    if (message->kind == MT_NTS_MESSAGE_HELLO && is_server) {
        self->rules_next = 0; /* those that it was started with may be old ones */
        self->has_rules_left = self->has_ring_left = true;
        feed_server(self);
    } else if (message->kind == MT_NTS_MESSAGE_COUNTS && is_server) {
        mt_nts_counts_add(&self->counts, &message->value.counts);
    } else if (message->kind == MT_NTS_MESSAGE_FAULT && is_server) {
        memcpy(self->fault, message->value.said.text, sizeof self->fault);
    } else if (message->kind == MT_NTS_MESSAGE_TOLD && !is_server) {
        take_keys(self, &message->value.told);
    } else if (message->kind == MT_NTS_MESSAGE_SAY) {
        mt_journal_write(&self->daemon->journal,
                         message->value.said.is_warning ? MT_JOURNAL_WARNING : MT_JOURNAL_INFO, 0,
                         "%s", message->value.said.text);
    }
}

static void ready(void *context, int fd, short revents)
{
    struct mt_daemon_nts *self = context;
    struct mt_nts_process *process = fd == self->server.fd ? &self->server : &self->client;
    struct mt_nts_message message;
    (void)revents;
    switch (mt_nts_receive(fd, &message)) {
    case MT_NTS_RECEIVED:
        take_message(self, process == &self->server, &message);
        explicit_bzero(&message, sizeof message);
        break;
    case MT_NTS_NOTHING:
        break;
    case MT_NTS_ENDED:
        mt_linux_unwatch(self->daemon->platform, fd);
        mt_nts_process_stop(process);
        mt_journal_write(&self->daemon->journal, MT_JOURNAL_ERROR, 0,
                         "NTS key exchange (%s) has ended: restart the daemon to have it again",
                         process == &self->server ? "server" : "client");
        break;
    }
}

/* Why keys are missing, as it stands now. */
static const char *keys_reason(const void *context, uint16_t ntp)
{
    const struct mt_daemon_nts *self = context;
    struct mt_hal_wait *wait = self->daemon->provider->wait;
    if (ntp >= self->asking_count) {
        return "";
    }
    struct mt_nts_asking *asking = &self->asking[ntp];
    int64_t left_ns = asking->next.ns - wait->ops->now(wait).ns;
    if (asking->reason[0] == '\0') {
        return "";
    }
    if (asking->is_asking || left_ns <= 0) {
        snprintf(asking->told, sizeof asking->told,
                 "no keys could be exchanged: %s; it is being tried again", asking->reason);
    } else {
        snprintf(asking->told, sizeof asking->told,
                 "no keys could be exchanged: %s; the next attempt is in %lld s", asking->reason,
                 (long long)(left_ns / MT_NS_PER_S + 1));
    }
    return asking->told;
}

/* Servers have come, or taken the place of others, answers to which come too late then. */
static bool renew(struct mt_daemon_nts *self)
{
    const struct mt_composition *composition = self->daemon->composition;
    size_t count = composition->node.ntp_count;
    if (count > self->asking_count) {
        struct mt_nts_asking *asking = realloc(self->asking, count * sizeof *asking);
        if (asking == NULL) {
            return false;
        }
        memset(&asking[self->asking_count], 0, (count - self->asking_count) * sizeof *asking);
        self->asking = asking;
        self->asking_count = count;
    }
    for (uint16_t i = 0; i < count; i++) {
        struct mt_nts_asking *asking = &self->asking[i];
        uint32_t number = mt_composition_ntp_number(composition, i);
        if (asking->number != number) {
            *asking = (struct mt_nts_asking){.number = number, .attempt = asking->attempt};
        }
    }
    return true;
}

void mt_daemon_renew_nts(struct mt_daemon *daemon)
{
    if (daemon->nts != NULL) {
        (void)renew(daemon->nts); /* who is new is not asked without memory */
    }
}

bool mt_daemon_join_nts(struct mt_daemon *daemon)
{
    struct mt_daemon_nts *self = daemon->nts;
    if (self == NULL) {
        return true;
    }
    daemon->composition->keys_reason = keys_reason;
    daemon->composition->keys_context = self;
    daemon->composition->key_exchanges = self->is_serving ? &self->counts : NULL;
    daemon->composition->key_fault = self->fault;
    return renew(self) &&
           (self->server.fd < 0 ||
            mt_linux_watch(daemon->platform, self->server.fd, POLLIN, ready, self)) &&
           (self->client.fd < 0 ||
            mt_linux_watch(daemon->platform, self->client.fd, POLLIN, ready, self));
}

/* ---- what is due ----------------------------------------------------------------------------- */

static void tend_ring(struct mt_daemon_nts *self)
{
    uint8_t fresh[MT_NTS_RING_KEY_SIZE];
    int64_t age_s = (int64_t)time(NULL) - self->rotated_s;
    int64_t period_s = (int64_t)self->daemon->composition->config->server.nts_rotate_h * 3600;
    if ((age_s >= period_s || age_s < -period_s) && mt_nts_random(fresh, sizeof fresh)) {
        mt_nts_ring_rotate(&self->ring, fresh);
        explicit_bzero(fresh, sizeof fresh);
        self->rotated_s += age_s;
        self->must_save = true;
        self->has_ring_left = true;
        mt_journal_write(&self->daemon->journal, MT_JOURNAL_INFO, 0,
                         "NTS cookies are made with a new key");
    }
    if (self->must_save && !mt_nts_store_save(self->store, &self->ring, self->rotated_s)) {
        mt_journal_write(&self->daemon->journal, MT_JOURNAL_WARNING, 0,
                         "the NTS keys cannot be kept in %s: %s; after a restart clients have to "
                         "exchange keys again",
                         self->store, strerror(errno));
    }
    self->must_save = false;
}

static void ask(struct mt_daemon_nts *self, uint16_t index, struct mt_mono now)
{
    const struct mt_composition *composition = self->daemon->composition;
    const struct mt_config_ntp *config = mt_composition_ntp(composition, index);
    struct mt_nts_asking *asking = &self->asking[index];
    struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_ASK};
    struct mt_nts_question *question = &message.value.question;
    question->source = index;
    question->attempt = ++asking->attempt;
    question->port = config->nts_port;
    snprintf(question->host, sizeof question->host, "%s", config->address.station[0].text);
    snprintf(question->ca, sizeof question->ca, "%s", config->nts_ca != NULL ? config->nts_ca : "");
    mt_nts_asking_choose(composition, self->asking, index, &question->choice);
    mt_nts_asking_set_time(&composition->node.clocks[config->clock_index].page, composition, config,
                           question);
    asking->is_asking = true;
    asking->next = mt_mono_plus(now, LATE_NS);
    (void)mt_nts_send(self->client.fd, &message); /* if not, the answer is late */
}

/* A single server that wants no questions is left alone. */
static bool must_be_replaced(const struct mt_daemon_nts *self, uint16_t index)
{
    return self->daemon->composition->node.ntp[index].client.is_refused &&
           mt_config_is_pool(mt_composition_ntp(self->daemon->composition, index));
}

static void tend_client(struct mt_daemon_nts *self, uint16_t index, struct mt_mono now)
{
    const struct mt_node_ntp *ntp = &self->daemon->composition->node.ntp[index];
    struct mt_nts_asking *asking = &self->asking[index];
    if (ntp->config.nts == NULL ||
        !(mt_nts_client_needs_keys(ntp->config.nts) || must_be_replaced(self, index))) {
        return;
    }
    if (asking->useless > 0 && ntp->config.nts->has_answered && !ntp->client.is_refused) {
        asking->useless = 0;
        asking->next = asking->is_asking ? asking->next : now;
    }
    if (now.ns < asking->next.ns ||
        mt_nts_asking_must_wait(self->daemon->composition, self->asking, index)) {
        return;
    }
    if (asking->is_asking) {
        fail(self, mt_composition_ntp(self->daemon->composition, index)->name, asking, false,
             "there was no answer in time", now);
    } else {
        ask(self, index, now);
    }
}

void mt_daemon_tend_nts(struct mt_daemon *daemon, struct mt_mono now)
{
    struct mt_daemon_nts *self = daemon->nts;
    if (self == NULL || now.ns - self->tended.ns < TEND_NS) {
        return;
    }
    self->tended = now;
    if (self->is_serving) {
        tend_ring(self);
    }
    if (self->server.fd >= 0) {
        feed_server(self);
    }
    uint16_t count = daemon->composition->node.ntp_count;
    bool may_ask = self->client.fd >= 0 && count <= self->asking_count;
    for (uint16_t i = 0; may_ask && i < count; i++) {
        tend_client(self, i, now);
    }
}

/* Who asks for a reload may have mended what was wrong, here or there: nobody waits for it. */
static void try_again(struct mt_daemon_nts *self)
{
    for (size_t i = 0; i < self->asking_count; i++) {
        if (!self->asking[i].is_asking && self->asking[i].failures > 0) {
            self->asking[i].next = (struct mt_mono){0};
        }
    }
}

void mt_daemon_reload_nts(struct mt_daemon *daemon)
{
    const struct mt_nts_message message = {.kind = MT_NTS_MESSAGE_RELOAD};
    if (daemon->nts == NULL) {
        return;
    }
    try_again(daemon->nts);
    if (daemon->nts->server.fd >= 0) {
        (void)mt_nts_send(daemon->nts->server.fd, &message);
    }
}

const struct mt_nts_ring *mt_daemon_nts_ring(const struct mt_daemon *daemon)
{
    return daemon->nts != NULL && daemon->nts->is_serving ? &daemon->nts->ring : NULL;
}

void mt_daemon_end_nts(struct mt_daemon *daemon)
{
    struct mt_daemon_nts *self = daemon->nts;
    if (self == NULL) {
        return;
    }
    mt_nts_process_stop(&self->server);
    mt_nts_process_stop(&self->client);
    mt_nts_process_await(&self->server); /* the next daemon wants its port at once */
    explicit_bzero(&self->ring, sizeof self->ring);
    free(self->asking);
    free(self->rule);
    free(self);
    daemon->nts = NULL;
}
