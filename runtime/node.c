/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One input goes in; then everything is drained until nothing moves any more: frames to the
 * links, samples to the disciplines, corrections to the clocks, the clocks' condition back to the
 * instances.  The circle is short (a condition may change a state, which may ask for a frame)
 * and bounded all the same.
 *
 * Who was not let run for a while finds in its sockets what has come meanwhile, even from those
 * whose time has just run out.  So when an input comes late, time limits wait until none is left.
 *
 * A frame's token carries the number of its instance in the high octet, since several instances
 * share a link.
 */
#include "runtime/node.h"

#include <string.h>

#include "meantime/ptp_management.h"
#include "meantime/steer_standby.h"
#include "runtime/clock_duty.h"
#include "runtime/events.h"
#include "runtime/log_keys.h"
#include "runtime/ntp_in_ptp.h"
#include "runtime/pace.h"
#include "runtime/resumed.h"

#define TOKEN_BITS   24
#define MAC_OCTETS   6
#define DRAIN_ROUNDS 32 /* far more than any input needs; a bound, not a plan */
#define LATE_NS      5000000
#define BEHIND_MOST  1000 /* inputs: a flood puts off no time limit for long */

/* ---- from instances outwards ---------------------------------------------------------------- */

static enum mt_link_destination destination_of(enum mt_destination destination)
{
    switch (destination) {
    case MT_TO_ALL:
        break;
    case MT_TO_PEER:
        return MT_LINK_PEER;
    case MT_TO_ADDRESS:
        return MT_LINK_ADDRESS;
    }
    return MT_LINK_PRIMARY;
}

static void send_frames(struct mt_node *self, uint16_t index, struct mt_mono now)
{
    struct mt_node_instance *instance = &self->instances[index];
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    while (mt_instance_next_tx(&instance->ptp, frame, sizeof frame, &tx)) {
        uint16_t index_of_link =
            tx.port == 0 ? self->local_link : instance->ports[tx.port - 1].link;
        if (index_of_link == MT_NODE_NO_LINK) {
            continue;
        }
        struct mt_hal_link *link = self->links[index_of_link];
        struct mt_link_frame out = {
            .bytes = frame,
            .length = tx.length,
            .destination = destination_of(tx.destination),
            .is_event = tx.is_event,
            .token = tx.token != 0 ? (uint32_t)index << TOKEN_BITS | tx.token : 0,
            .insertion = tx.insertion,
        };
        if (tx.destination == MT_TO_ADDRESS) {
            out.to = tx.to;
        }
        if (tx.insertion == MT_INSERT_RESIDENCE) {
            out.arrival = tx.arrival;
        }
        if (tx.port != 0) {
            mt_minor_sent(self, index, frame, now);
        }
        if (!link->ops->send(link, &out) && tx.is_event) {
            mt_instance_tx_done(&instance->ptp, tx.token, NULL, now);
        }
    }
}

static void note_one_way(struct mt_node_clock *clock, const struct mt_node_port *port,
                         const struct mt_sample *sample)
{
    bool is_doubtful = sample->kind == MT_SAMPLE_OFFSET && !port->is_stamped_by_card;
    if (sample->source == clock->discipline.selected) { /* or one in standby would take its place */
        clock->one_way.source = sample->source;
        clock->one_way.most = is_doubtful ? sample->delay : (struct mt_interval){0};
    }
}

static void take_sample(struct mt_node *self, struct mt_node_instance *instance,
                        const struct mt_event *event, struct mt_mono now)
{
    struct mt_node_clock *clock = &self->clocks[instance->clock];
    struct mt_sample sample = event->value.sample;
    sample.source = instance->ports[event->port - 1].source;
    if (sample.scale == MT_SCALE_ARB && instance->arb_is_utc && clock->leap.choice.is_known) {
        sample.scale = MT_SCALE_UTC;
        mt_leap_duty_convert(clock, &sample);
    }
    note_one_way(clock, &instance->ports[event->port - 1], &sample);
    enum mt_sample_verdict verdict = mt_discipline_sample(&clock->discipline, &sample, now);
    if (verdict == MT_SAMPLE_REFUSED && !clock->told_wrong_scale) {
        clock->told_wrong_scale = true;
        mt_node_tell(self, &(struct mt_node_event){.kind = MT_NODE_WRONG_SCALE,
                                                   .at = now,
                                                   .index = instance->clock,
                                                   .value.scale = sample.scale});
    }
    if (clock->standby.is_used && verdict == MT_SAMPLE_USED && sample.kind != MT_SAMPLE_REVERSE) {
        mt_standby_sampled(self, (uint16_t)(instance - self->instances), now);
    }
    clock->needs_report = true;
}

static void follow(struct mt_node *self, struct mt_node_instance *instance,
                   const struct mt_event *event, struct mt_mono now)
{
    struct mt_node_clock *clock = &self->clocks[instance->clock];
    uint16_t port = event->port;
    uint16_t source = port != 0 ? instance->ports[port - 1].source : MT_SOURCE_NONE;
    if (source != MT_SOURCE_NONE) {
        mt_discipline_reset_source(&clock->discipline, source);
    }
    mt_discipline_select(&clock->discipline, source, now);
    clock->told_wrong_scale = false;
}

static void change_parent(struct mt_node *self, struct mt_node_instance *instance,
                          const struct mt_event *event, struct mt_mono now)
{
    struct mt_node_clock *clock = &self->clocks[instance->clock];
    if (clock->standby.is_used) {
        mt_standby_changed(self, (uint16_t)(instance - self->instances), event);
        return;
    }
    if (clock->arbiter.is_used) {
        mt_arbiter_duty_changed(self, (uint16_t)(instance - self->instances), event);
        return;
    }
    if (event->kind == MT_EVENT_PARENT) {
        follow(self, instance, event, now);
    }
    if (event->port != 0 && !event->value.parent.is_same_grandmaster) {
        mt_discipline_new_reference(&clock->discipline, event->value.parent.is_same_reference);
    }
}

static void take_event(struct mt_node *self, uint16_t index, const struct mt_event *event,
                       struct mt_mono now)
{
    struct mt_node_instance *instance = &self->instances[index];
    struct mt_node_clock *clock = &self->clocks[instance->clock];
    bool is_parent = event->kind == MT_EVENT_PARENT;
    if (event->kind == MT_EVENT_SAMPLE) {
        take_sample(self, instance, event, now);
        mt_heard_sample(self, index, event->port, event->value.sample.kind, now);
        mt_pace_sample(self, index, event->port, now);
        return;
    }
    if (is_parent || event->kind == MT_EVENT_REFERENCE) {
        change_parent(self, instance, event, now);
    }
    if (is_parent) {
        mt_heard_parent(self, index);
    }
    clock->needs_report = true;
    mt_node_tell(self, &(struct mt_node_event){
                           .kind = MT_NODE_PTP, .at = now, .index = index, .value.ptp = *event});
}

static bool take_events(struct mt_node *self, uint16_t index, struct mt_mono now)
{
    struct mt_event event;
    bool any = false;
    while (mt_instance_next_event(&self->instances[index].ptp, &event)) {
        any = true;
        take_event(self, index, &event, now);
    }
    return any;
}

/* ---- from clocks back to instances ----------------------------------------------------------- */

/* Who measures how long messages were inside has to know when the clock was stepped. */
static void tell_relays(const struct mt_node_instance *instance, const struct mt_node_clock *clock)
{
    const struct mt_instance_more *more = instance->ptp.config.more;
    struct mt_transparent_clock condition;
    if (more != NULL && more->profile != NULL) {
        more->profile->stepped_at = clock->stepped_at;
    }
    if (more != NULL && more->transparent != NULL) {
        mt_clock_duty_rate(clock, &condition);
        mt_transparent_set_clock(more->transparent, &condition);
    }
}

/* What is signed for an interval of time needs the time. */
static void tell_security(const struct mt_node_instance *instance,
                          const struct mt_node_clock *clock, struct mt_mono now)
{
    const struct mt_instance_more *more = instance->ptp.config.more;
    struct mt_clock_reading reading;
    if (more != NULL && more->security != NULL && more->security->held_max > 0) {
        clock->hal->ops->read(clock->hal, &reading);
        mt_security_tell_time(more->security, reading.local.at, now);
    }
}

static void tell_condition(struct mt_node *self, uint16_t clock_index, struct mt_mono now)
{
    struct mt_node_clock *clock = &self->clocks[clock_index];
    for (uint16_t i = 0; i < self->instance_count; i++) {
        struct mt_node_instance *instance = &self->instances[i];
        struct mt_command command = {.kind = MT_COMMAND_CLOCK};
        if (instance->clock == clock_index) {
            tell_relays(instance, clock);
            tell_security(instance, clock, now);
            mt_clock_duty_condition(self, i, &command.value.clock);
            mt_instance_command(&instance->ptp, &command, now);
        }
    }
}

/* Messages whose keys have become known, each as if it had just come. */
static void release_messages(struct mt_node *self, uint16_t index, struct mt_mono now)
{
    while (mt_security_next(&self->instances[index].ptp, now)) {
        send_frames(self, index, now);
        take_events(self, index, now);
    }
}

static bool serve_clock(struct mt_node *self, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &self->clocks[index];
    bool is_behind = self->behind > 0;
    bool any = !is_behind && mt_standby_judge(self, index, now);
    if (!is_behind && (clock->needs_report || now.ns >= clock->publish_at.ns)) {
        any |= mt_arbiter_duty_judge(self, index, now);
    }
    any |= mt_clock_duty_correct(self, index, now);
    if (clock->needs_report || now.ns >= clock->publish_at.ns) {
        mt_clock_duty_publish(self, index, now);
        mt_foreign_time_tell(self, index, now);
        tell_condition(self, index, now);
        any = true;
    }
    return any;
}

static struct mt_mono find_deadline(const struct mt_node *self)
{
    struct mt_mono earliest = mt_ntp_duty_deadline(self);
    for (uint16_t i = 0; i < self->instance_count; i++) {
        earliest = mt_mono_earlier(earliest, mt_instance_deadline(&self->instances[i].ptp));
    }
    for (uint16_t i = 0; i < self->clock_count; i++) {
        const struct mt_node_clock *clock = &self->clocks[i];
        earliest = mt_mono_earlier(earliest, mt_discipline_deadline(&clock->discipline));
        earliest = mt_mono_earlier(earliest, clock->publish_at);
        if (clock->follow.is_used) {
            earliest = mt_mono_earlier(earliest, clock->follow.at);
        }
        if (clock->standby.is_used) {
            earliest = mt_mono_earlier(earliest, clock->standby.at);
        }
    }
    earliest = mt_mono_earlier(earliest, mt_refclock_duty_deadline(self));
    earliest = mt_mono_earlier(earliest, mt_gnss_duty_deadline(self));
    return mt_mono_earlier(earliest, mt_export_duty_deadline(self));
}

static void drain(struct mt_node *self, struct mt_mono now)
{
    bool any = true;
    for (unsigned round = 0; any && round < DRAIN_ROUNDS; round++) {
        any = false;
        for (uint16_t i = 0; i < self->instance_count; i++) {
            release_messages(self, i, now);
            send_frames(self, i, now);
            any |= take_events(self, i, now);
        }
        any |= mt_ntp_duty_drain(self, now);
        for (uint16_t i = 0; i < self->clock_count; i++) {
            any |= serve_clock(self, i, now);
        }
    }
    self->deadline = find_deadline(self);
}

/* ---- inputs ---------------------------------------------------------------------------------- */

/* Management tells the time, which the instance does not know. */
static void tell_time(struct mt_node *self, struct mt_node_instance *instance,
                      const struct mt_input *input)
{
    struct mt_instance_more *more = instance->ptp.config.more;
    struct mt_hal_clock *clock = self->clocks[instance->clock].hal;
    struct mt_clock_reading reading;
    if (more != NULL && more->management != NULL && input->length > 0 &&
        (input->bytes[0] & 0x0F) == MT_PTP_MANAGEMENT) {
        clock->ops->read(clock, &reading);
        more->management->time = reading.local.at;
    }
}

static void local_frame_received(struct mt_node *self, const struct mt_input *input)
{
    for (uint16_t i = 0; i < self->instance_count; i++) {
        tell_time(self, &self->instances[i], input);
        mt_management_local(&self->instances[i].ptp, input->bytes, input->length, &input->from,
                            input->now);
    }
}

static void frame_received(struct mt_node *self, const struct mt_input *input)
{
    if (input->link == self->local_link) {
        local_frame_received(self, input);
        return;
    }
    if (mt_holdover_rx(self, input) || mt_refclock_duty_rx(self, input) ||
        mt_gnss_duty_rx(self, input)) {
        return;
    }
    for (uint16_t i = 0; i < self->instance_count; i++) {
        struct mt_node_instance *instance = &self->instances[i];
        struct mt_hal_clock *clock = self->clocks[instance->clock].hal;
        const struct mt_address *from =
            input->from.network != MT_NETWORK_NONE ? &input->from : NULL;
        tell_time(self, instance, input);
        for (uint16_t port = 0; port < instance->ptp.port_count; port++) {
            struct mt_stamp stamp;
            if (instance->ports[port].link != input->link) {
                continue;
            }
            if (input->has_stamp) {
                clock->ops->stamp(clock, input->stamp, &stamp);
            }
            mt_minor_heard(self, i, input);
            enum mt_verdict verdict =
                mt_instance_rx(&instance->ptp, (uint16_t)(port + 1), input->bytes, input->length,
                               input->has_stamp ? &stamp : NULL, from, input->now);
            mt_heard_frame(self, i, (uint16_t)(port + 1), input, verdict);
            mt_pace_frame(self, i, (uint16_t)(port + 1), input, verdict);
        }
    }
}

static void frame_sent(struct mt_node *self, const struct mt_input *input)
{
    uint32_t index = input->token >> TOKEN_BITS;
    uint32_t token = input->token & ((1u << TOKEN_BITS) - 1);
    mt_stamps_note(self, input->link, input->has_stamp, input->now);
    if (index >= self->instance_count) {
        return;
    }
    struct mt_node_instance *instance = &self->instances[index];
    struct mt_hal_clock *clock = self->clocks[instance->clock].hal;
    struct mt_stamp stamp;
    if (input->has_stamp) {
        clock->ops->stamp(clock, input->stamp, &stamp);
    }
    mt_instance_tx_done(&instance->ptp, token, input->has_stamp ? &stamp : NULL, input->now);
}

/* Management tells who stamps, which may be another card now. */
static void tell_stamper(struct mt_instance *ptp, uint16_t port, const struct mt_hal_link *link)
{
    struct mt_instance_more *more = ptp->config.more;
    if (more != NULL && more->management != NULL) {
        struct mt_management_port *told = &more->management->ports[port];
        told->timestamping =
            link->has_hardware_clock ? MT_TIMESTAMPING_HARDWARE : MT_TIMESTAMPING_SOFTWARE;
        told->hardware_clock = link->has_hardware_clock ? link->hardware_clock : -1;
    }
}

/* ... and where it is. */
static void tell_addresses(struct mt_instance *ptp, uint16_t port, const struct mt_input *input)
{
    struct mt_instance_more *more = ptp->config.more;
    if (more == NULL || more->management == NULL) {
        return;
    }
    struct mt_management_port *told = &more->management->ports[port];
    if (input->from.network != MT_NETWORK_NONE) {
        told->protocol = input->from;
    }
    if (input->length == MAC_OCTETS) {
        told->physical = (struct mt_address){.network = MT_NETWORK_IEEE_802_3};
        memcpy(told->physical.octets, input->bytes, MAC_OCTETS);
    }
}

/* What management has set stays while the speed does. */
static void set_speed(struct mt_node_instance *instance, uint16_t port, uint32_t speed_mbit)
{
    struct mt_node_port *plug = &instance->ports[port];
    if (speed_mbit != plug->speed_mbit) {
        plug->speed_mbit = speed_mbit;
        mt_latencies_apply(&plug->latencies, speed_mbit, &instance->ptp.ports[port].config);
    }
}

static void link_changed(struct mt_node *self, const struct mt_input *input)
{
    if (mt_gnss_duty_link(self, input)) {
        return;
    }
    for (uint16_t i = 0; i < self->instance_count; i++) {
        struct mt_node_instance *instance = &self->instances[i];
        for (uint16_t port = 0; port < instance->ptp.port_count; port++) {
            if (instance->ports[port].link == input->link) {
                const struct mt_command command = {.kind = MT_COMMAND_LINK,
                                                   .port = (uint16_t)(port + 1),
                                                   .value.is_on = input->is_up};
                instance->ports[port].is_stamped_by_card = input->has_stamp;
                set_speed(instance, port, input->speed_mbit);
                tell_stamper(&instance->ptp, port, self->links[input->link]);
                tell_addresses(&instance->ptp, port, input);
                mt_instance_command(&instance->ptp, &command, input->now);
            }
        }
    }
    mt_node_tell(self, &(struct mt_node_event){.kind = MT_NODE_LINK,
                                               .at = input->now,
                                               .index = input->link,
                                               .value.is_on = input->is_up});
}

static void tick(struct mt_node *self, struct mt_mono now)
{
    for (uint16_t i = 0; i < self->instance_count; i++) {
        struct mt_instance *ptp = &self->instances[i].ptp;
        if (mt_instance_deadline(ptp).ns <= now.ns) {
            mt_instance_tick(ptp, now);
        }
    }
    mt_ntp_duty_tick(self, now);
    for (uint16_t i = 0; i < self->clock_count; i++) {
        mt_clock_duty_tick(self, i, now);
        mt_follow_tick(self, i, now);
    }
    mt_refclock_duty_tick(self, now);
    mt_gnss_duty_tick(self, now);
    mt_export_duty_tick(self, now);
}

/* Where any source may be chosen: later it would make void what was measured before. */
static void begin_at_stored_rate(struct mt_node *self, uint16_t index, struct mt_mono now)
{
    struct mt_node_clock *clock = &self->clocks[index];
    if (clock->arbiter.is_used && clock->discipline.sets_rate) {
        mt_discipline_act(&clock->discipline);
        (void)mt_clock_duty_correct(self, index, now);
    }
}

void mt_node_start(struct mt_node *self, struct mt_mono now)
{
    for (uint16_t i = 0; i < self->clock_count; i++) {
        self->clocks[i].needs_report = true;
        self->clocks[i].save_at = mt_mono_plus(now, MT_NODE_DRIFT_SAVE_NS);
        begin_at_stored_rate(self, i, now);
    }
    drain(self, now);
}

static bool is_behind(const struct mt_node *self, const struct mt_input *input)
{
    int64_t late_ns = input->now.ns - self->deadline.ns;
    return input->kind != MT_INPUT_NONE && late_ns >= (self->behind > 0 ? 0 : LATE_NS) &&
           self->behind < BEHIND_MOST;
}

void mt_node_input(struct mt_node *self, const struct mt_input *input)
{
    bool is_of_link = input->kind != MT_INPUT_RESUMED;
    struct mt_node_ntp *ntp = is_of_link ? mt_ntp_duty_of_link(self, input->link) : NULL;
    self->inputs++;
    self->behind = is_behind(self, input) ? self->behind + 1 : 0;
    if (ntp != NULL) {
        mt_ntp_duty_take(self, ntp, input, (struct mt_interval){0});
    }
    bool is_taken = ntp != NULL || (is_of_link && mt_ntp_in_ptp_take(self, input));
    switch (is_taken ? MT_INPUT_NONE : input->kind) {
    case MT_INPUT_NONE:
        break;
    case MT_INPUT_FRAME:
        frame_received(self, input);
        break;
    case MT_INPUT_TX_STAMP:
        frame_sent(self, input);
        break;
    case MT_INPUT_LINK:
        link_changed(self, input);
        break;
    case MT_INPUT_RESUMED:
        mt_resumed(self, input);
        break;
    }
    if (self->behind == 0) {
        tick(self, input->now);
    }
    drain(self, input->now);
    mt_heard_look(self, input->now);
}

bool mt_node_command(struct mt_node *self, uint16_t instance, const struct mt_command *command,
                     struct mt_mono now)
{
    bool is_done = instance < self->instance_count &&
                   mt_instance_command(&self->instances[instance].ptp, command, now);
    drain(self, now);
    return is_done;
}

void mt_node_set_ntp_address(struct mt_node *self, uint16_t ntp, const struct mt_address *address,
                             struct mt_mono now)
{
    if (ntp < self->ntp_count) {
        mt_ntp_duty_set_address(self, ntp, address, now);
        tick(self, now);
        drain(self, now);
    }
}

void mt_node_set_ntp_keys(struct mt_node *self, uint16_t ntp, const struct mt_log_keys *keys,
                          const struct mt_address *server, struct mt_mono now)
{
    if (ntp < self->ntp_count && self->ntp[ntp].config.nts != NULL) {
        mt_ntp_duty_set_keys(self, ntp, &keys->keys, keys->cookies, keys->count, server, now);
        tick(self, now);
        drain(self, now);
    }
}

struct mt_mono mt_node_deadline(const struct mt_node *self)
{
    return self->deadline;
}

void mt_node_stop(struct mt_node *self, struct mt_mono now)
{
    for (uint16_t i = 0; i < self->clock_count; i++) {
        mt_clock_duty_stop(self, i, now);
    }
}
