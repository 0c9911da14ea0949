/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who has been granted what, and what is due when, for very many clients.
 *
 * A client is found through a hash of its address; those behind one address are few (a limit of the
 * policy), so that they may share a bucket.  A grant is due when its next message is, at the latest
 * when it expires; it stands in a wheel of time slots, each a little over a millisecond.  A slot
 * holds what is due in it, in this round of the wheel or a later one, in a list that can be left
 * from the middle.  Time that passes empties the slots into one list of what is due, from which
 * messages are made as they are drained: whoever drains late gets each once and not twice.
 *
 * The number of a grant is that of its client times MT_SERVICE_COUNT plus that of the service.
 */
#include "ptp/grantor_private.h"

#define SLOT_SHIFT 20 /* 2^20 ns */

enum place { PLACE_NONE, PLACE_IDLE, PLACE_SLOT, PLACE_DUE };

bool mt_grant_is_active(const struct mt_grant *grant)
{
    return grant->place != PLACE_NONE;
}

/* ---- the wheel ------------------------------------------------------------------------------- */

static struct mt_grant *grant_at(const struct mt_grantor *self, uint32_t number)
{
    return &self->storage.clients[number / MT_SERVICE_COUNT].grants[number % MT_SERVICE_COUNT];
}

/* The first moment at which the whole slot has begun and nothing in it comes too early. */
static int64_t slot_of(struct mt_mono at)
{
    int64_t before = at.ns >> SLOT_SHIFT;
    return before + ((before << SLOT_SHIFT) < at.ns ? 1 : 0);
}

static uint32_t *slot_head(const struct mt_grantor *self, int64_t slot)
{
    return &self->storage.slots[(uint64_t)slot & (self->storage.slot_count - 1)];
}

static void append_due(struct mt_grantor *self, uint32_t number)
{
    struct mt_grant *grant = grant_at(self, number);
    grant->place = PLACE_DUE;
    grant->previous = self->due_last;
    grant->next = MT_GRANTOR_NONE;
    if (self->due_last != MT_GRANTOR_NONE) {
        grant_at(self, self->due_last)->next = number;
    } else {
        self->due_first = number;
    }
    self->due_last = number;
}

static void insert(struct mt_grantor *self, uint32_t number)
{
    struct mt_grant *grant = grant_at(self, number);
    int64_t slot = slot_of(grant->due);
    if (slot <= self->turned_to) {
        append_due(self, number);
        return;
    }
    uint32_t *head = slot_head(self, slot);
    grant->place = PLACE_SLOT;
    grant->previous = MT_GRANTOR_NONE;
    grant->next = *head;
    if (*head != MT_GRANTOR_NONE) {
        grant_at(self, *head)->previous = number;
    }
    *head = number;
    if (slot < self->first_slot) {
        self->first_slot = slot;
    }
}

static void take_out(struct mt_grantor *self, uint32_t number)
{
    struct mt_grant *grant = grant_at(self, number);
    bool is_due = grant->place == PLACE_DUE;
    if (grant->place != PLACE_SLOT && !is_due) {
        return;
    }
    if (grant->previous != MT_GRANTOR_NONE) {
        grant_at(self, grant->previous)->next = grant->next;
    } else {
        *(is_due ? &self->due_first : slot_head(self, slot_of(grant->due))) = grant->next;
    }
    if (grant->next != MT_GRANTOR_NONE) {
        grant_at(self, grant->next)->previous = grant->previous;
    } else if (is_due) {
        self->due_last = grant->previous;
    }
    grant->place = PLACE_IDLE;
}

static void empty_slot(struct mt_grantor *self, int64_t slot, int64_t until)
{
    uint32_t number = *slot_head(self, slot);
    while (number != MT_GRANTOR_NONE) {
        const struct mt_grant *grant = grant_at(self, number);
        uint32_t next = grant->next;
        if (slot_of(grant->due) <= until) {
            take_out(self, number);
            append_due(self, number);
        }
        number = next;
    }
}

static void find_first_slot(struct mt_grantor *self)
{
    self->first_slot = INT64_MAX;
    for (int64_t slot = self->turned_to + 1; slot <= self->turned_to + self->storage.slot_count;
         slot++) {
        if (*slot_head(self, slot) != MT_GRANTOR_NONE) {
            self->first_slot = slot;
            return;
        }
    }
}

struct mt_mono mt_grantor_deadline(const struct mt_grantor *self)
{
    if (self->first_slot == INT64_MAX) {
        return MT_MONO_NEVER;
    }
    return (struct mt_mono){self->first_slot << SLOT_SHIFT};
}

struct mt_mono mt_grantor_turn(struct mt_grantor *self, struct mt_mono now)
{
    int64_t until = now.ns >> SLOT_SHIFT;
    if (self->first_slot <= until) {
        int64_t slot = self->first_slot;
        if (until - slot >= self->storage.slot_count) { /* all the way round is enough */
            slot = until - self->storage.slot_count + 1;
        }
        for (; slot <= until; slot++) {
            empty_slot(self, slot, until);
        }
        self->turned_to = until;
        find_first_slot(self);
    }
    if (self->turned_to < until) {
        self->turned_to = until;
    }
    return mt_grantor_deadline(self);
}

struct mt_client *mt_grantor_take(struct mt_grantor *self, enum mt_service *ret_service)
{
    uint32_t number = self->due_first;
    if (number == MT_GRANTOR_NONE) {
        return NULL;
    }
    take_out(self, number);
    *ret_service = (enum mt_service)(number % MT_SERVICE_COUNT);
    return &self->storage.clients[number / MT_SERVICE_COUNT];
}

static uint32_t number_of(const struct mt_grantor *self, const struct mt_client *client,
                          enum mt_service service)
{
    return (uint32_t)(client - self->storage.clients) * MT_SERVICE_COUNT + (uint32_t)service;
}

void mt_grantor_schedule(struct mt_grantor *self, struct mt_client *client, enum mt_service service,
                         struct mt_mono at)
{
    struct mt_grant *grant = &client->grants[service];
    grant->due = mt_mono_earlier(at, grant->expires);
    if (grant->due.ns != MT_MONO_NEVER.ns) {
        insert(self, number_of(self, client, service));
    }
}

/* ---- clients --------------------------------------------------------------------------------- */

static uint32_t *bucket_of(const struct mt_grantor *self, const struct mt_address *address)
{
    uint32_t hash = self->secret ^ address->network;
    for (unsigned i = 0; i < MT_ADDRESS_OCTETS; i++) {
        hash = (hash ^ address->octets[i]) * 0x01000193u;
        hash ^= hash >> 15;
    }
    hash *= 0x85EBCA6Bu;
    hash ^= hash >> 13;
    return &self->storage.buckets[hash & (self->storage.bucket_count - 1)];
}

/* Counts those of the address until it comes to the one that is looked for. */
static struct mt_client *find(const struct mt_grantor *self, const struct mt_address *address,
                              const struct mt_port_identity *identity, uint32_t *ret_count)
{
    *ret_count = 0;
    if (self->storage.client_count == 0) {
        return NULL;
    }
    for (uint32_t i = *bucket_of(self, address); i != MT_GRANTOR_NONE;
         i = self->storage.clients[i].next) {
        struct mt_client *client = &self->storage.clients[i];
        if (!mt_address_equal(&client->address, address)) {
            continue;
        }
        ++*ret_count;
        if (identity == NULL
                ? client->is_static
                : !client->is_static && mt_port_identity_equal(&client->identity, identity)) {
            return client;
        }
    }
    return NULL;
}

struct mt_client *mt_grantor_find(const struct mt_grantor *self, const struct mt_address *address,
                                  const struct mt_port_identity *identity)
{
    uint32_t count;
    return find(self, address, identity, &count);
}

struct mt_client *mt_grantor_find_static(const struct mt_grantor *self,
                                         const struct mt_address *address)
{
    uint32_t count;
    return find(self, address, NULL, &count);
}

struct mt_client *mt_grantor_add(struct mt_grantor *self, const struct mt_address *address,
                                 const struct mt_port_identity *identity)
{
    uint32_t count;
    uint32_t most = self->policy.max_per_address != 0 ? self->policy.max_per_address : 1;
    if (self->unused == MT_GRANTOR_NONE || find(self, address, identity, &count) != NULL ||
        (identity != NULL && count >= most)) {
        return NULL;
    }
    uint32_t *bucket = bucket_of(self, address);
    uint32_t index = self->unused;
    struct mt_client *client = &self->storage.clients[index];
    uint16_t generation = client->generation;
    self->unused = client->next;
    self->client_count++;
    memset(client, 0, sizeof *client);
    client->generation = (uint16_t)(generation + 1);
    client->is_used = true;
    client->is_static = identity == NULL;
    client->address = *address;
    client->address.udp_port = 0;
    if (identity != NULL) {
        client->identity = *identity;
    }
    client->next = *bucket;
    *bucket = index;
    return client;
}

static void forget(struct mt_grantor *self, struct mt_client *client)
{
    uint32_t index = (uint32_t)(client - self->storage.clients);
    uint32_t *link = bucket_of(self, &client->address);
    while (*link != index) {
        link = &self->storage.clients[*link].next;
    }
    *link = client->next;
    client->is_used = false;
    client->next = self->unused;
    self->unused = index;
    self->client_count--;
}

/* ---- grants ---------------------------------------------------------------------------------- */

void mt_grantor_grant(struct mt_grantor *self, struct mt_client *client, enum mt_service service,
                      int8_t log_interval, struct mt_mono expires, struct mt_mono first)
{
    struct mt_grant *grant = &client->grants[service];
    struct mt_grant_book *book = &self->books[service];
    bool is_new = !mt_grant_is_active(grant);
    bool keeps_pace = !is_new && grant->log_interval == log_interval;
    struct mt_mono due = keeps_pace ? grant->due : first;
    if (is_new) {
        grant->place = PLACE_IDLE;
        book->granted++;
        book->active++;
    } else {
        take_out(self, number_of(self, client, service));
        book->renewed++;
    }
    grant->log_interval = log_interval;
    grant->expires = expires;
    mt_grantor_schedule(self, client, service, due);
}

void mt_grantor_end(struct mt_grantor *self, struct mt_client *client, enum mt_service service,
                    enum mt_grant_end how)
{
    struct mt_grant_book *book = &self->books[service];
    bool is_last = true;
    take_out(self, number_of(self, client, service));
    client->grants[service].place = PLACE_NONE;
    book->active--;
    switch (how) {
    case MT_GRANT_CANCELLED:
        book->cancelled++;
        break;
    case MT_GRANT_WITHDRAWN:
        book->withdrawn++;
        break;
    case MT_GRANT_EXPIRED:
        book->expired++;
        break;
    }
    for (unsigned other = 0; other < MT_SERVICE_COUNT; other++) {
        is_last = is_last && !mt_grant_is_active(&client->grants[other]);
    }
    if (is_last) {
        forget(self, client);
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void fill(uint32_t *array, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        array[i] = MT_GRANTOR_NONE;
    }
}

void mt_grantor_policy_init(struct mt_grantor_policy *self)
{
    *self = (struct mt_grantor_policy){
        .negotiates = true,
        .answers_all = true,
        .max_per_address = 8,
        .max_duration_s = 1000,
        .shortest_log_interval = {-3, MT_LOG_INTERVAL_LOWEST, MT_LOG_INTERVAL_LOWEST},
    };
}

void mt_grantor_init(struct mt_grantor *self, const struct mt_grantor_policy *policy,
                     const struct mt_grantor_storage *storage, uint32_t seed)
{
    memset(self, 0, sizeof *self);
    self->policy = *policy;
    self->storage = *storage;
    self->secret = seed;
    self->unused = storage->client_count != 0 ? 0 : MT_GRANTOR_NONE;
    self->due_first = MT_GRANTOR_NONE;
    self->due_last = MT_GRANTOR_NONE;
    self->stamped_first = MT_GRANTOR_NONE;
    self->stamped_last = MT_GRANTOR_NONE;
    self->first_slot = INT64_MAX;
    if (storage->client_count == 0) {
        return;
    }
    memset(storage->clients, 0, storage->client_count * sizeof *storage->clients);
    memset(storage->tokens, 0, storage->token_count * sizeof *storage->tokens);
    fill(storage->buckets, storage->bucket_count);
    fill(storage->slots, storage->slot_count);
    for (uint32_t i = 0; i < storage->client_count; i++) {
        storage->clients[i].next = i + 1 < storage->client_count ? i + 1 : MT_GRANTOR_NONE;
    }
}

bool mt_grantor_add_static(struct mt_grantor *self, const struct mt_address *address,
                           int8_t log_announce_interval, int8_t log_sync_interval)
{
    const struct mt_mono at_once = {0};
    struct mt_client *client = mt_grantor_add(self, address, NULL);
    if (client == NULL) {
        return false;
    }
    mt_grantor_grant(self, client, MT_SERVICE_ANNOUNCE, log_announce_interval, MT_MONO_NEVER,
                     at_once);
    mt_grantor_grant(self, client, MT_SERVICE_SYNC, log_sync_interval, MT_MONO_NEVER, at_once);
    return true;
}
