/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each table of the inner platform is wrapped by one of the same kind: call through, write down
 * what was asked and answered, hand on the answer.  What the node can see in structs rather than
 * through calls (a clock's timescale, a link's counters) is copied after each call.
 */
#include "runtime/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recorded_clock {
    struct mt_hal_clock hal;
    struct mt_hal_clock *inner;
    struct mt_recorder *recorder;
    struct recorded_clock *next;
    uint16_t index;
};

struct recorded_link {
    struct mt_hal_link hal;
    struct mt_hal_link *inner;
    struct mt_recorder *recorder;
    struct recorded_link *next;
    uint16_t index;
};

struct recorded_wait {
    struct mt_hal_wait hal;
    struct mt_recorder *recorder;
};

struct recorded_store {
    struct mt_hal_store hal;
    struct mt_recorder *recorder;
};

struct recorded_entropy {
    struct mt_hal_entropy hal;
    struct mt_recorder *recorder;
};

struct mt_recorder {
    struct mt_hal_provider provider; /* first: handed out as its own table */
    struct mt_hal_provider *inner;
    struct mt_log_sink sink;
    struct recorded_wait wait;
    struct recorded_store store;
    struct recorded_entropy entropy;
    struct recorded_clock *clocks;
    struct recorded_link *links;
    uint16_t clock_count;
    bool has_waited;
    bool is_waiting;
    unsigned orders; /* being carried out */
};

/* ---- writing --------------------------------------------------------------------------------- */

static void note(struct mt_recorder *self, const struct mt_log_record *record)
{
    if (!self->is_waiting || self->orders > 0) {
        mt_log_write(&self->sink, record);
    }
}

static struct mt_log_text text_of(const char *string)
{
    return (struct mt_log_text){string, strlen(string)};
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static void clock_read(struct mt_hal_clock *hal, struct mt_clock_reading *ret_reading)
{
    struct recorded_clock *self = (struct recorded_clock *)hal;

    self->inner->ops->read(self->inner, ret_reading);
    note(self->recorder,
         &(struct mt_log_record){.kind = MT_LOG_READ, .value.read = {self->index, *ret_reading}});
}

static void clock_stamp(struct mt_hal_clock *hal, struct mt_base_time base,
                        struct mt_stamp *ret_stamp)
{
    struct recorded_clock *self = (struct recorded_clock *)hal;

    self->inner->ops->stamp(self->inner, base, ret_stamp);
    note(self->recorder, &(struct mt_log_record){.kind = MT_LOG_STAMP,
                                                 .value.stamp = {self->index, base, *ret_stamp}});
}

static void clock_apply(struct mt_hal_clock *hal, const struct mt_correction *correction,
                        struct mt_applied *ret_applied)
{
    struct recorded_clock *self = (struct recorded_clock *)hal;

    *ret_applied = (struct mt_applied){.kind = correction->kind};
    self->inner->ops->apply(self->inner, correction, ret_applied);
    self->hal.scale = self->inner->scale;
    note(self->recorder,
         &(struct mt_log_record){.kind = MT_LOG_APPLY,
                                 .value.apply = {self->index, *correction, *ret_applied}});
}

static bool clock_disturbed(struct mt_hal_clock *hal, struct mt_applied *ret_applied)
{
    struct recorded_clock *self = (struct recorded_clock *)hal;
    bool is_disturbed = self->inner->ops->disturbed(self->inner, ret_applied);

    self->hal.scale = self->inner->scale;
    if (is_disturbed) {
        note(self->recorder,
             &(struct mt_log_record){.kind = MT_LOG_DISTURBED,
                                     .value.disturbed = {self->index, *ret_applied}});
    }
    return is_disturbed;
}

/* Nothing comes back of it. */
static void clock_announce(struct mt_hal_clock *hal, int32_t leap_s)
{
    struct recorded_clock *self = (struct recorded_clock *)hal;
    if (self->inner->ops->announce != NULL) {
        self->inner->ops->announce(self->inner, leap_s);
    }
}

/* Nor of it. */
static void clock_tell(struct mt_hal_clock *hal, const struct mt_clock_standing *standing)
{
    struct recorded_clock *self = (struct recorded_clock *)hal;
    if (self->inner->ops->tell != NULL) {
        self->inner->ops->tell(self->inner, standing);
    }
}

static const struct mt_hal_clock_ops clock_ops = {
    .read = clock_read,
    .stamp = clock_stamp,
    .apply = clock_apply,
    .disturbed = clock_disturbed,
    .announce = clock_announce,
    .tell = clock_tell,
};

static struct recorded_clock *wrap_clock(struct mt_recorder *self, struct mt_hal_clock *inner)
{
    struct recorded_clock *clock = calloc(1, sizeof *clock);

    if (clock != NULL) {
        clock->hal = *inner;
        clock->hal.ops = &clock_ops;
        clock->inner = inner;
        clock->recorder = self;
        clock->index = self->clock_count++;
        clock->next = self->clocks;
        self->clocks = clock;
    }
    return clock;
}

static struct mt_hal_clock *open_clock(struct mt_hal_provider *provider,
                                       const struct mt_clock_request *request,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_recorder *self = (struct mt_recorder *)provider;
    struct mt_hal_clock *inner = self->inner->ops->open_clock(self->inner, request, reason);
    struct recorded_clock *clock = inner != NULL ? wrap_clock(self, inner) : NULL;
    struct mt_log_record record = {
        .kind = MT_LOG_CLOCK,
        .value.clock = {.kind = request->kind, .name = text_of(request->name)},
    };

    if (inner != NULL && clock == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
    }
    if (clock != NULL) {
        record.value.clock.is_open = true;
        record.value.clock.hal = clock->hal;
    } else {
        record.value.clock.reason = text_of(reason);
    }
    note(self, &record);
    return clock != NULL ? &clock->hal : NULL;
}

/* ---- links ----------------------------------------------------------------------------------- */

static bool link_send(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct recorded_link *self = (struct recorded_link *)hal;
    bool is_sent = self->inner->ops->send(self->inner, frame);

    self->hal.counters = self->inner->counters;
    note(self->recorder, &(struct mt_log_record){.kind = MT_LOG_SEND,
                                                 .value.send = {self->index, *frame, is_sent}});
    return is_sent;
}

static const struct mt_hal_link_ops link_ops = {.send = link_send};

static struct recorded_link *wrap_link(struct mt_recorder *self, struct mt_hal_link *inner,
                                       uint16_t index)
{
    struct recorded_link *link = calloc(1, sizeof *link);

    if (link != NULL) {
        link->hal = *inner;
        link->hal.ops = &link_ops;
        link->inner = inner;
        link->recorder = self;
        link->index = index;
        link->next = self->links;
        self->links = link;
    }
    return link;
}

static struct mt_hal_link *open_link(struct mt_hal_provider *provider, uint16_t index,
                                     const struct mt_link_request *request,
                                     char reason[MT_HAL_REASON_SIZE])
{
    struct mt_recorder *self = (struct mt_recorder *)provider;
    struct mt_hal_link *inner = self->inner->ops->open_link(self->inner, index, request, reason);
    struct recorded_link *link = inner != NULL ? wrap_link(self, inner, index) : NULL;
    struct mt_log_record record = {
        .kind = MT_LOG_LINK,
        .value.link = {.index = index,
                       .interface = text_of(request->interface),
                       .transport = request->transport,
                       .is_tagged = request->is_tagged,
                       .vlan = request->vlan},
    };

    if (inner != NULL && link == NULL) {
        snprintf(reason, MT_HAL_REASON_SIZE, "out of memory");
    }
    if (link != NULL) {
        record.value.link.is_open = true;
        record.value.link.inserts_stamps = inner->inserts_stamps;
        record.value.link.inserts_origin = inner->inserts_origin;
        record.value.link.inserts_turnaround = inner->inserts_turnaround;
    } else {
        record.value.link.reason = text_of(reason);
    }
    note(self, &record);
    return link != NULL ? &link->hal : NULL;
}

/* Nothing comes back of it. */
static void close_link(struct mt_hal_provider *provider, uint16_t index)
{
    struct mt_recorder *self = (struct mt_recorder *)provider;
    struct recorded_link **at = &self->links;

    if (self->inner->ops->close_link != NULL) {
        self->inner->ops->close_link(self->inner, index);
    }
    while (*at != NULL && (*at)->index != index) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct recorded_link *link = *at;

        *at = link->next;
        free(link);
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void wait_next(struct mt_hal_wait *hal, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct mt_recorder *self = ((struct recorded_wait *)hal)->recorder;

    self->has_waited = true;
    self->is_waiting = true;
    self->inner->wait->ops->next(self->inner->wait, deadline, ret_input);
    self->is_waiting = false;
    for (struct recorded_link *link = self->links; link != NULL; link = link->next) {
        link->hal.counters = link->inner->counters;
    }
    note(self,
         &(struct mt_log_record){.kind = MT_LOG_INPUT, .value.input = {deadline, *ret_input}});
}

/* Composition asks for the time; later on time comes with the inputs, and who asks is not the
 * node. */
static struct mt_mono wait_now(struct mt_hal_wait *hal)
{
    struct mt_recorder *self = ((struct recorded_wait *)hal)->recorder;
    struct mt_mono now = self->inner->wait->ops->now(self->inner->wait);

    if (!self->has_waited) {
        note(self, &(struct mt_log_record){.kind = MT_LOG_NOW, .value.now = now});
    }
    return now;
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

/* ---- store, entropy, identity ---------------------------------------------------------------- */

static const struct mt_hal_store_ops *inner_store(const struct mt_recorder *self)
{
    static const struct mt_hal_store_ops none;

    return self->inner->store != NULL ? self->inner->store->ops : &none;
}

static void publish(struct mt_hal_store *hal, uint16_t index, const struct mt_clock_page *page)
{
    struct mt_recorder *self = ((struct recorded_store *)hal)->recorder;

    if (inner_store(self)->publish != NULL) {
        inner_store(self)->publish(self->inner->store, index, page);
    }
    note(self, &(struct mt_log_record){.kind = MT_LOG_PAGE,
                                       .value.page = {index, mt_log_page_digest(page)}});
}

static bool load_drift(struct mt_hal_store *hal, uint16_t index, mt_real *ret_rate)
{
    struct mt_recorder *self = ((struct recorded_store *)hal)->recorder;
    mt_real rate = 0;
    bool is_known = inner_store(self)->load_drift != NULL &&
                    inner_store(self)->load_drift(self->inner->store, index, &rate);

    if (is_known) {
        *ret_rate = rate;
    }
    note(self,
         &(struct mt_log_record){.kind = MT_LOG_DRIFT, .value.drift = {index, is_known, rate}});
    return is_known;
}

static void save_drift(struct mt_hal_store *hal, uint16_t index, mt_real rate)
{
    struct mt_recorder *self = ((struct recorded_store *)hal)->recorder;

    if (inner_store(self)->save_drift != NULL) {
        inner_store(self)->save_drift(self->inner->store, index, rate);
    }
    note(self, &(struct mt_log_record){.kind = MT_LOG_SAVE, .value.save = {index, rate}});
}

static bool load_oscillator(struct mt_hal_store *hal, uint16_t index,
                            struct mt_steer_oscillator_memory *ret_memory,
                            char reason[MT_HAL_REASON_SIZE])
{
    struct mt_recorder *self = ((struct recorded_store *)hal)->recorder;
    struct mt_log_record record = {.kind = MT_LOG_OSCILLATOR, .value.oscillator.index = index};

    reason[0] = '\0';
    record.value.oscillator.is_known =
        inner_store(self)->load_oscillator != NULL &&
        inner_store(self)->load_oscillator(self->inner->store, index,
                                           &record.value.oscillator.memory, reason);
    record.value.oscillator.reason = text_of(reason);
    if (record.value.oscillator.is_known) {
        *ret_memory = record.value.oscillator.memory;
    }
    note(self, &record);
    return record.value.oscillator.is_known;
}

static void save_oscillator(struct mt_hal_store *hal, uint16_t index,
                            const struct mt_steer_oscillator_memory *memory)
{
    struct mt_recorder *self = ((struct recorded_store *)hal)->recorder;

    if (inner_store(self)->save_oscillator != NULL) {
        inner_store(self)->save_oscillator(self->inner->store, index, memory);
    }
    note(self, &(struct mt_log_record){
                   .kind = MT_LOG_LEARNED,
                   .value.oscillator = {.index = index, .is_known = true, .memory = *memory}});
}

static const struct mt_hal_store_ops store_ops = {
    .publish = publish,
    .load_drift = load_drift,
    .save_drift = save_drift,
    .load_oscillator = load_oscillator,
    .save_oscillator = save_oscillator,
};

static uint64_t seed(struct mt_hal_entropy *hal)
{
    struct mt_recorder *self = ((struct recorded_entropy *)hal)->recorder;
    uint64_t drawn = self->inner->entropy->seed(self->inner->entropy);

    note(self, &(struct mt_log_record){.kind = MT_LOG_SEED, .value.seed = drawn});
    return drawn;
}

static bool identity(struct mt_hal_provider *provider, const char *interface,
                     struct mt_clock_identity *ret_identity)
{
    struct mt_recorder *self = (struct mt_recorder *)provider;
    struct mt_log_record record = {
        .kind = MT_LOG_IDENTITY,
        .value.identity = {.interface = text_of(interface)},
    };

    record.value.identity.is_known =
        self->inner->ops->identity(self->inner, interface, &record.value.identity.identity);
    if (record.value.identity.is_known) {
        *ret_identity = record.value.identity.identity;
    }
    note(self, &record);
    return record.value.identity.is_known;
}

/* What becomes of the answer is recorded: an order for each address that is new. */
static size_t own_addresses(struct mt_hal_provider *provider, const char *interface,
                            const struct mt_address *other, struct mt_address *ret_addresses,
                            size_t max)
{
    struct mt_hal_provider *inner = ((struct mt_recorder *)provider)->inner;

    return inner->ops->own_addresses != NULL
               ? inner->ops->own_addresses(inner, interface, other, ret_addresses, max)
               : 0;
}

static const struct mt_hal_provider_ops provider_ops = {
    .open_clock = open_clock,
    .open_link = open_link,
    .close_link = close_link,
    .identity = identity,
    .own_addresses = own_addresses,
};

/* ---- the whole ------------------------------------------------------------------------------- */

static void write_to_store(void *context, const uint8_t *octets, size_t length)
{
    struct mt_hal_store *store = context;

    store->ops->log(store, octets, length);
}

static bool choose_sink(struct mt_recorder *self, const struct mt_log_sink *sink)
{
    if (sink != NULL) {
        self->sink = *sink;
        return true;
    }
    self->sink = (struct mt_log_sink){self->inner->store, write_to_store};
    return inner_store(self)->log != NULL;
}

struct mt_recorder *mt_recorder_open(struct mt_hal_provider *inner, const struct mt_log_sink *sink,
                                     const struct mt_log_start *start)
{
    struct mt_recorder *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return NULL;
    }
    self->inner = inner;
    self->wait = (struct recorded_wait){{&wait_ops}, self};
    self->store = (struct recorded_store){{&store_ops}, self};
    self->entropy = (struct recorded_entropy){{seed}, self};
    self->provider = (struct mt_hal_provider){&provider_ops, &self->wait.hal, &self->store.hal,
                                              &self->entropy.hal};
    if (!choose_sink(self, sink)) {
        free(self);
        return NULL;
    }
    mt_log_write_header(&self->sink);
    mt_log_write(&self->sink, &(struct mt_log_record){.kind = MT_LOG_START, .value.start = *start});
    return self;
}

void mt_recorder_close(struct mt_recorder *self)
{
    if (self == NULL) {
        return;
    }
    mt_log_write(&self->sink, &(struct mt_log_record){.kind = MT_LOG_END});
    while (self->clocks != NULL) {
        struct recorded_clock *clock = self->clocks;

        self->clocks = clock->next;
        free(clock);
    }
    while (self->links != NULL) {
        struct recorded_link *link = self->links;

        self->links = link->next;
        free(link);
    }
    free(self);
}

struct mt_hal_provider *mt_recorder_provider(struct mt_recorder *self)
{
    return &self->provider;
}

/* ---- orders ---------------------------------------------------------------------------------- */

void mt_recorder_begin(struct mt_recorder *self, const struct mt_order *order)
{
    struct mt_log_record record = {.kind = MT_LOG_ORDER, .value.order = *order};

    if (self != NULL) {
        record.value.order.came_while_waiting = self->is_waiting;
        self->orders++;
        note(self, &record);
    }
}

void mt_recorder_end(struct mt_recorder *self)
{
    if (self != NULL) {
        self->orders--;
    }
}

bool mt_recorder_command(struct mt_recorder *self, struct mt_node *node, uint16_t instance,
                         const struct mt_command *command, struct mt_mono now)
{
    const struct mt_order order = {
        .kind = MT_ORDER_COMMAND,
        .now = now,
        .instance = instance,
        .command = *command,
    };

    mt_recorder_begin(self, &order);
    bool is_done = mt_node_command(node, instance, command, now);
    mt_recorder_end(self);
    return is_done;
}
