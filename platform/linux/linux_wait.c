/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The one place to wait: poll(2) over all sockets, whose timeout is the earliest of the runtime's
 * deadline, our own and half a second (signals set a flag that the caller looks at in between).
 *
 * One ready descriptor is served for each wake-up, with one recvmsg.  Each member of the set has
 * two slots, input and errors, and the search for the next ready slot starts after the one that
 * was served last: a flooded socket gets every second turn at most, and cannot keep a transmit
 * stamp waiting that lies in its own error queue.  Level-triggered poll finds again what was left.
 * The error queue is read only when poll says so (POLLPRI or POLLERR).
 *
 * Once the runtime's deadline is over, what has come for the node goes before all else, so that an
 * input of nothing says that nothing lies in wait.
 */
#include "platform/linux/linux_private.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_NS     500000000
#define NS_PER_MS      1000000
#define ERROR_EVENTS   (POLLERR | POLLPRI | POLLHUP | POLLNVAL)
#define SLOTS          2  /* for each descriptor: input, errors */
#define FRUITLESS_MOST 64 /* served in a row that bring nothing */

/* ---- the set ---------------------------------------------------------------------------- */

static size_t count_members(const struct mt_linux *self)
{
    return 1 + (size_t)self->link_count * MT_SOCKET_ROLE_COUNT + MT_LINUX_LOCAL_SOCKETS +
           self->ntp_count + self->wait.watch_count + mt_linux_refclock_descriptors(self, 0, 0) +
           mt_linux_listeners_count(self);
}

static bool reserve(struct mt_linux_wait *wait, size_t size)
{
    struct pollfd *set;
    struct mt_pollee *pollees;

    if (size <= wait->capacity) {
        return true;
    }
    set = realloc(wait->set, 2 * size * sizeof *set);
    wait->set = set ? set : wait->set;
    pollees = realloc(wait->pollees, 2 * size * sizeof *pollees);
    wait->pollees = pollees ? pollees : wait->pollees;
    wait->capacity = set && pollees ? 2 * size : wait->capacity;
    return set && pollees;
}

static void put(struct mt_linux_wait *wait, int fd, short events, struct mt_pollee pollee)
{
    if (fd >= 0) {
        wait->set[wait->size] = (struct pollfd){fd, events, 0};
        wait->pollees[wait->size] = pollee;
        wait->size++;
    }
}

static void put_link(struct mt_linux_wait *wait, const struct mt_linux_link *link, uint16_t index)
{
    for (int role = 0; role < MT_SOCKET_ROLE_COUNT; role++) {
        struct mt_pollee pollee = {MT_POLLEE_SOCKET, index, (enum mt_socket_role)role};

        put(wait, link->sockets[role].fd, POLLIN | POLLPRI, pollee);
    }
}

static void put_refclocks(struct mt_linux *self)
{
    struct mt_linux_heard heard[MT_LINUX_LINKS];
    size_t count = mt_linux_refclock_descriptors(self, heard, MT_LINUX_LINKS);

    for (size_t i = 0; i < count && i < MT_LINUX_LINKS; i++) {
        put(&self->wait, heard[i].fd, POLLIN,
            (struct mt_pollee){.kind = MT_POLLEE_REFCLOCK, .link = heard[i].index});
    }
}

/* Without memory the old set would name closed descriptors, so then there is none until the next
 * call. */
static void rebuild(struct mt_linux *self)
{
    struct mt_linux_wait *wait = &self->wait;

    wait->size = 0;
    if (!reserve(wait, count_members(self))) {
        return;
    }
    wait->is_set_old = false;
    put(wait, self->netlink_fd, POLLIN, (struct mt_pollee){.kind = MT_POLLEE_NETLINK});
    for (uint16_t i = 0; i < self->link_count; i++) {
        if (self->links[i]) {
            put_link(wait, self->links[i], i);
        }
    }
    for (uint16_t i = 0; self->local && i < MT_LINUX_LOCAL_SOCKETS; i++) {
        put(wait, mt_local_descriptor(self->local, i), POLLIN,
            (struct mt_pollee){.kind = MT_POLLEE_LOCAL, .link = i});
    }
    for (uint16_t i = 0; i < self->ntp_count; i++) {
        put(wait, mt_linux_ntp_descriptor(self->ntp[i]), POLLIN | POLLPRI,
            (struct mt_pollee){.kind = MT_POLLEE_NTP, .link = i});
    }
    put_refclocks(self);
    mt_linux_listeners_put(self, put);
    for (size_t i = 0; i < wait->watch_count; i++) {
        put(wait, wait->watches[i].fd, wait->watches[i].events,
            (struct mt_pollee){.kind = MT_POLLEE_WATCH});
    }
}

static struct mt_linux_watch *find_watch(struct mt_linux_wait *wait, int fd)
{
    for (size_t i = 0; i < wait->watch_count; i++) {
        if (wait->watches[i].fd == fd) {
            return &wait->watches[i];
        }
    }
    return 0;
}

bool mt_linux_watch(struct mt_linux *self, int fd, short events, mt_linux_ready *ready,
                    void *context)
{
    struct mt_linux_wait *wait = &self->wait;
    struct mt_linux_watch *watch = find_watch(wait, fd);

    if (!watch) {
        struct mt_linux_watch *more =
            realloc(wait->watches, (wait->watch_count + 1) * sizeof *more);

        if (!more) {
            return false;
        }
        wait->watches = more;
        watch = &more[wait->watch_count++];
    }
    *watch = (struct mt_linux_watch){fd, events, ready, context};
    wait->is_set_old = true;
    return true;
}

void mt_linux_unwatch(struct mt_linux *self, int fd)
{
    struct mt_linux_wait *wait = &self->wait;
    struct mt_linux_watch *watch = find_watch(wait, fd);

    if (watch) {
        *watch = wait->watches[--wait->watch_count];
        wait->is_set_old = true;
    }
}

void mt_linux_every(struct mt_linux *self, void (*regular)(void *context), void *context)
{
    self->wait.regular = regular;
    self->wait.regular_context = context;
}

/* ---- what is due without waiting --------------------------------------------------------- */

static bool take_link_change(struct mt_linux_link *link, struct mt_input *ret_input)
{
    if (link->is_told && link->told_up == link->is_up && link->told_counter == link->counter &&
        link->told_speed == link->speed_mbit && strcmp(link->told_name, link->present) == 0 &&
        mt_address_equal(&link->told_own.protocol, &link->own.protocol) &&
        mt_address_equal(&link->told_own.physical, &link->own.physical)) {
        return false;
    }
    link->is_told = true;
    link->told_up = link->is_up;
    link->told_counter = link->counter;
    link->told_speed = link->speed_mbit;
    memcpy(link->told_name, link->present, IFNAMSIZ);
    ret_input->speed_mbit = link->speed_mbit;
    link->told_own = link->own;
    ret_input->kind = MT_INPUT_LINK;
    ret_input->is_up = link->is_up;
    ret_input->has_stamp = link->hal.has_hardware_clock;
    ret_input->from = link->own.protocol;
    ret_input->bytes = link->told_own.physical.octets;
    ret_input->length = mt_address_length(&link->own.physical);
    return true;
}

static bool take_given_up(struct mt_linux_link *link, struct mt_input *ret_input)
{
    if (!mt_tokens_next_given_up(&link->tokens, &ret_input->token, ret_input->now)) {
        return false;
    }
    if (ret_input->token != 0) {
        link->hal.counters.stamps_missing++;
        mt_linux_card_missed(link);
        ret_input->kind = MT_INPUT_TX_STAMP;
        ret_input->has_stamp = false;
    }
    return true; /* with nothing to say if nobody wanted the stamp */
}

/* Something that a link has to say, and when the next link wants to be looked at. */
static bool take_due(struct mt_linux *self, struct mt_input *ret_input, struct mt_mono *deadline)
{
    for (uint16_t i = 0; i < self->link_count; i++) {
        struct mt_linux_link *link = self->links[i];

        if (!link) {
            continue;
        }
        ret_input->link = i;
        if (ret_input->now.ns >= link->check_at.ns) {
            mt_linux_link_check(link, ret_input->now);
        }
        if (take_link_change(link, ret_input) || take_given_up(link, ret_input)) {
            return true;
        }
        *deadline = mt_mono_earlier(*deadline, link->check_at);
        *deadline = mt_mono_earlier(*deadline, mt_tokens_deadline(&link->tokens));
    }
    for (size_t i = 0; i < self->ntp_count; i++) {
        if (mt_linux_ntp_take_due(self->ntp[i], ret_input, deadline)) {
            return true;
        }
    }
    return mt_linux_refclock_due(self, ret_input, deadline) ||
           mt_linux_listeners_due(self, ret_input, deadline);
}

static void run_regular(struct mt_linux_wait *wait, struct mt_mono now)
{
    if (now.ns >= wait->tick_at.ns) {
        wait->tick_at = mt_mono_plus(now, MT_LINUX_TICK_NS);
        mt_linux_store_flush(wait->platform->store);
        mt_linux_cards_look(wait->platform);
        if (wait->regular) {
            wait->regular(wait->regular_context);
        }
    }
}

/* ---- waiting ---------------------------------------------------------------------------- */

/* rounded up: to wake a little late costs nothing, to wake early means to wait twice */
static int timeout_ms(struct mt_mono now, struct mt_mono deadline)
{
    if (deadline.ns <= now.ns) {
        return 0;
    }
    if (deadline.ns - now.ns >= LONGEST_NS) {
        return LONGEST_NS / NS_PER_MS;
    }
    return (int)((deadline.ns - now.ns + NS_PER_MS - 1) / NS_PER_MS);
}

static bool is_slot_ready(const struct mt_linux_wait *wait, size_t slot)
{
    const struct pollfd *member = &wait->set[slot / SLOTS];
    bool is_for_errors = slot % SLOTS != 0;
    enum mt_pollee_kind kind = wait->pollees[slot / SLOTS].kind;

    if (kind == MT_POLLEE_SOCKET || kind == MT_POLLEE_NTP) {
        return (member->revents & (is_for_errors ? ERROR_EVENTS : POLLIN)) != 0;
    }
    return !is_for_errors && member->revents != 0;
}

static void serve_ntp(struct mt_linux *self, struct mt_linux_ntp *link, bool is_for_errors,
                      struct mt_input *ret_input)
{
    ret_input->link = mt_linux_ntp_index(link);
    if (is_for_errors) {
        mt_linux_ntp_take_stamp(link, self->wait.frame, ret_input);
    } else {
        mt_linux_ntp_receive(link, self->wait.frame, ret_input);
    }
}

static void serve(struct mt_linux *self, size_t slot, struct mt_input *ret_input)
{
    struct mt_linux_wait *wait = &self->wait;
    const struct mt_pollee *pollee = &wait->pollees[slot / SLOTS];
    const struct pollfd *member = &wait->set[slot / SLOTS];
    struct mt_linux_link *link;
    const struct mt_linux_watch *watch;

    switch (pollee->kind) {
    case MT_POLLEE_NETLINK:
        mt_linux_netlink_ready(self);
        break;
    case MT_POLLEE_SOCKET:
        link = self->links[pollee->link];
        ret_input->link = pollee->link;
        if (slot % SLOTS == 0) {
            mt_linux_receive(link, pollee->role, wait->frame, ret_input);
        } else {
            mt_linux_take_stamp(link, pollee->role, wait->frame, ret_input);
        }
        break;
    case MT_POLLEE_NTP:
        serve_ntp(self, self->ntp[pollee->link], slot % SLOTS != 0, ret_input);
        break;
    case MT_POLLEE_LOCAL:
        mt_local_receive(self->local, pollee->link, wait->frame, ret_input);
        break;
    case MT_POLLEE_REFCLOCK:
        mt_linux_refclock_receive(self, pollee->link, wait->frame, ret_input);
        break;
    case MT_POLLEE_LISTENER:
        mt_linux_listeners_receive(self, pollee->link, wait->frame, ret_input);
        break;
    case MT_POLLEE_WATCH:
        watch = find_watch(wait, member->fd);
        if (watch) {
            watch->ready(watch->context, member->fd, member->revents);
        }
        break;
    }
}

/* Requests and notices are the daemon's. */
static bool is_for_node(enum mt_pollee_kind kind)
{
    return kind != MT_POLLEE_WATCH && kind != MT_POLLEE_NETLINK;
}

/* False: none of them is ready. */
static bool serve_one(struct mt_linux *self, bool is_any, struct mt_input *ret_input)
{
    struct mt_linux_wait *wait = &self->wait;
    size_t slots = wait->size * SLOTS;

    for (size_t i = 0; i < slots; i++) {
        size_t slot = (wait->turn + i) % slots;
        bool is_eligible = is_any || is_for_node(wait->pollees[slot / SLOTS].kind);

        if (is_eligible && is_slot_ready(wait, slot)) {
            wait->turn = slot + 1;
            serve(self, slot, ret_input);
            return true;
        }
    }
    return false;
}

/* How many are ready; less than none: it was interrupted. */
static int poll_set(struct mt_linux *self, int timeout)
{
    struct mt_linux_wait *wait = &self->wait;

    if (wait->is_set_old) {
        rebuild(self);
    }
    return poll(wait->set, wait->size, timeout);
}

/* Something for the node that lies in wait while its deadline is over. */
static bool take_late(struct mt_linux *self, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct mt_input input = {.kind = MT_INPUT_NONE, .now = mt_linux_now()};

    if (input.now.ns < deadline.ns) {
        return false;
    }
    for (unsigned i = 0; i < FRUITLESS_MOST; i++) {
        if (poll_set(self, 0) <= 0 || !serve_one(self, false, &input)) {
            return false;
        }
        input.now = mt_linux_now();
        if (input.kind != MT_INPUT_NONE) {
            *ret_input = input;
            return true;
        }
    }
    return false;
}

/* What waits for company has waited long enough. */
static void flush(struct mt_linux *self)
{
    for (uint16_t i = 0; i < self->link_count; i++) {
        if (self->links[i]) {
            mt_linux_outbox_flush(self->links[i]);
        }
    }
}

/* Before anything else that has come: it would be compared with what does not hold any more. */
static bool take_resumed(struct mt_linux_wait *wait, struct mt_input *ret_input)
{
    int64_t slept_ns = mt_sleep_watch_look(&wait->sleep, ret_input->now.ns);

    if (slept_ns == 0) {
        return false;
    }
    ret_input->kind = MT_INPUT_RESUMED;
    ret_input->stamp.ns = slept_ns;
    return true;
}

static void wait_next(struct mt_hal_wait *hal, struct mt_mono deadline, struct mt_input *ret_input)
{
    struct mt_linux_wait *wait = (struct mt_linux_wait *)hal;
    struct mt_linux *self = wait->platform;
    struct mt_input input = {.kind = MT_INPUT_NONE, .now = mt_linux_now()};
    struct mt_mono next = deadline;

    run_regular(wait, input.now);
    flush(self);
    if (take_resumed(wait, &input)) {
        *ret_input = input;
        return;
    }
    if (!take_late(self, deadline, &input) && !take_due(self, &input, &next)) {
        int ready = poll_set(self, timeout_ms(input.now, next));

        if (ready > 0) {
            serve_one(self, true, &input);
        }
        input.now = mt_linux_now();
        if (ready != 0 && input.kind == MT_INPUT_NONE) {
            (void)take_late(self, deadline, &input);
        }
    }
    *ret_input = input;
}

static struct mt_mono wait_now(struct mt_hal_wait *hal)
{
    (void)hal;
    return mt_linux_now();
}

static const struct mt_hal_wait_ops wait_ops = {.next = wait_next, .now = wait_now};

void mt_linux_wait_init(struct mt_linux *self)
{
    self->wait.hal.ops = &wait_ops;
    self->wait.platform = self;
    self->wait.is_set_old = true;
    mt_sleep_watch_init(&self->wait.sleep, mt_os_time_linux());
}

void mt_linux_wait_free(struct mt_linux *self)
{
    free(self->wait.set);
    free(self->wait.pollees);
    free(self->wait.watches);
}
