/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Linux behind the tables of hal/: one structure that owns everything that was opened, and
 * frees it at the end.  What is optional (rtnetlink, a run folder, random numbers of the kernel)
 * may be missing; what is not comes with a sentence that says what to do.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/linux_clock.h"
#include "platform/linux/linux_vclock.h"

struct mt_mono mt_linux_now(void)
{
    return (struct mt_mono){mt_os_time_linux()->monotonic_ns(0)};
}

void mt_linux_say(char reason[MT_HAL_REASON_SIZE], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, MT_HAL_REASON_SIZE, format, arguments);
    va_end(arguments);
}

bool mt_linux_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Null with a reason if there is no such device, or no memory. */
static struct mt_hal_clock *new_clock(struct mt_linux *self, const struct mt_clock_request *request,
                                      char reason[MT_HAL_REASON_SIZE])
{
    struct mt_phc *device = 0;

    mt_linux_say(reason, "out of memory");
    switch (request->kind) {
    case MT_CLOCK_SYSTEM:
        return mt_clock_system_new(request, &self->time);
    case MT_CLOCK_OVERLAY:
    case MT_CLOCK_LAB:
        return mt_clock_overlay_new(request, &self->time);
    case MT_CLOCK_PHC:
        device = request->is_virtual ? mt_linux_phc_virtual(self, request->device, reason)
                                     : mt_linux_phc_named(self, request->device, reason);
        break;
    }
    if (device && device->owner) {
        mt_linux_say(reason, "clock %.40s: clock %.40s steers %s already", request->name,
                     device->owner, device->path);
        return 0;
    }
    if (device) {
        device->owner = request->name;
    }
    return device ? mt_clock_phc_new(request, device, &self->time) : 0;
}

static struct mt_hal_clock *open_clock(struct mt_hal_provider *provider,
                                       const struct mt_clock_request *request,
                                       char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux *self = (struct mt_linux *)provider;
    struct mt_hal_clock *clock;

    if (self->clock_count >= MT_LINUX_CLOCKS) {
        mt_linux_say(reason, "cannot open clock %.40s: the limit is %d", request->name,
                     MT_LINUX_CLOCKS);
        return 0;
    }
    clock = new_clock(self, request, reason);
    if (!clock) {
        return 0;
    }
    if (!mt_linux_store_add(self->store, request->name, reason)) {
        free(clock);
        return 0;
    }
    self->clocks[self->clock_count++] = clock;
    if (request->kind == MT_CLOCK_PHC && !request->is_virtual) {
        mt_linux_card_steers(self, clock, request->device);
    }
    return clock;
}

static struct mt_hal_link *open_link(struct mt_hal_provider *provider, uint16_t index,
                                     const struct mt_link_request *request,
                                     char reason[MT_HAL_REASON_SIZE])
{
    if (request->transport == MT_TRANSPORT_LOCAL) {
        return mt_local_open((struct mt_linux *)provider, index, request, reason);
    }
    if (request->transport == MT_TRANSPORT_NTP) {
        return mt_linux_ntp_open((struct mt_linux *)provider, index, request, reason);
    }
    if (request->transport >= MT_TRANSPORT_REFCLOCK_SHM &&
        request->transport <= MT_TRANSPORT_EXPORT_SOCK) {
        return mt_linux_refclock_open((struct mt_linux *)provider, index, request, reason);
    }
    if (request->transport >= MT_TRANSPORT_PPS) {
        return mt_linux_listen((struct mt_linux *)provider, index, request, reason);
    }
    return mt_linux_link_open((struct mt_linux *)provider, index, request, reason);
}

static void close_link(struct mt_hal_provider *provider, uint16_t index)
{
    mt_linux_ntp_close((struct mt_linux *)provider, index);
}

static bool identity(struct mt_hal_provider *provider, const char *interface,
                     struct mt_clock_identity *ret_identity)
{
    return mt_netdev_identity(((struct mt_linux *)provider)->ioctl_fd, interface, ret_identity);
}

static size_t own_addresses(struct mt_hal_provider *provider, const char *interface,
                            const struct mt_address *other, struct mt_address *ret_addresses,
                            size_t max)
{
    (void)provider;
    return mt_netdev_own_addresses(interface, other, ret_addresses, max);
}

static const struct mt_hal_provider_ops provider_ops = {
    .own_addresses = own_addresses,
    .open_clock = open_clock,
    .open_link = open_link,
    .close_link = close_link,
    .identity = identity,
};

/* Nobody is to guess them; but who starts before the kernel has gathered enough for that does not
 * wait, and takes the best that there is by then, or the time. */
static uint64_t seed(struct mt_hal_entropy *hal)
{
    struct mt_linux_entropy *self = (struct mt_linux_entropy *)hal;
    uint64_t number;

    if (self->seed != 0) {
        return self->seed++;
    }
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number &&
        getrandom(&number, sizeof number, GRND_INSECURE) != (ssize_t)sizeof number) {
        number = (uint64_t)mt_os_time_linux()->realtime_ns(0) ^ (uint64_t)getpid() << 32;
    }
    return number;
}

struct mt_linux *mt_linux_open(const struct mt_linux_options *options,
                               char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux *self = calloc(1, sizeof *self);

    if (!self) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    mt_linux_wait_init(self);
    self->netlink_fd = -1;
    self->ioctl_fd = socket(AF_INET, SOCK_DGRAM, 0);
    self->store = mt_linux_store_open(options, reason);
    if (!self->store) {
        mt_linux_close(self);
        return 0;
    }
    if (self->ioctl_fd < 0 || !mt_linux_set_nonblocking(self->ioctl_fd)) {
        mt_linux_say(reason, "cannot make a socket: %s; is IPv4 switched off?", strerror(errno));
        mt_linux_close(self);
        return 0;
    }
    mt_linux_cards_init(self);
    self->netlink_fd = mt_netdev_listen();
    self->entropy = (struct mt_linux_entropy){{seed}, options->seed};
    self->provider = (struct mt_hal_provider){
        &provider_ops, &self->wait.hal, mt_linux_store_table(self->store), &self->entropy.hal};
    return self;
}

void mt_linux_keep(struct mt_linux *self)
{
    mt_linux_store_keep(self->store);
}

void mt_linux_close(struct mt_linux *self)
{
    if (!self) {
        return;
    }
    mt_linux_store_close(self->store);
    for (uint16_t i = 0; i < self->link_count; i++) {
        mt_linux_link_close(self->links[i]);
    }
    mt_local_close(self->local);
    mt_linux_ntp_close_all(self);
    mt_linux_refclocks_close(self);
    mt_linux_listeners_close(self);
    for (size_t i = 0; i < self->clock_count; i++) {
        free(self->clocks[i]);
    }
    mt_linux_cards_free(self);
    mt_linux_vclocks_free(self);
    if (self->ioctl_fd >= 0) {
        close(self->ioctl_fd);
    }
    if (self->netlink_fd >= 0) {
        close(self->netlink_fd);
    }
    mt_linux_wait_free(self);
    free(self);
}

struct mt_hal_provider *mt_linux_provider(struct mt_linux *self)
{
    return &self->provider;
}

const char *mt_linux_log_problem(const struct mt_linux *self)
{
    return mt_linux_store_log_problem(self->store);
}

const char *mt_linux_link_reason(const struct mt_linux *self, uint16_t index)
{
    const char *reason = mt_linux_listeners_reason(self, index);

    if (index < self->link_count && self->links[index]) {
        return self->links[index]->reason;
    }
    return reason[0] != 0 ? reason : mt_linux_ntp_reason(self, index);
}
