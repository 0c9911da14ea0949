/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reference clocks of other programs, and ours for them.  Readings are heard from shared memory,
 * looked at when its time has come, or from a socket of ours that other programs send to; each is
 * an input frame of its link.  What we export is a page that the node hands over: here it is
 * compared with CLOCK_REALTIME, between two looks at the clock that the page is based on.
 *
 * Segments are attached for good before privileges are given up, and made if need be, so that it
 * does not matter which of two programs starts first.  Those of root may be nobody else's to
 * write: who can write one sets the clock.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/linux/linux_private.h"
#include "platform/linux/linux_refclock_forms.h"

#define MODE_PRIVATE     0600
#define MODE_PUBLIC      0666
#define OTHERS_WRITE     0022
#define FRESH_NS         INT64_C(5000000000)
#define LOOKS            3
#define EXPORT_PRECISION (-20)

struct mt_linux_refclock {
    struct mt_hal_link hal;
    struct mt_linux *platform;
    struct mt_linux_refclock *next;
    uint16_t index;
    enum mt_transport transport;
    volatile struct mt_refclock_segment *segment; /* null: a socket */
    int seen;
    bool has_seen;
    int64_t last_ns; /* of the machine's clock, at the last reading */
    int64_t poll_ns;
    struct mt_mono poll_at;
    int fd; /* -1: shared memory */
    struct sockaddr_un address;
};

/* ---- heard ------------------------------------------------------------------------------- */

/* One that was made long ago, or is not yet, says nothing of the clock now. */
static bool is_fresh(const struct mt_linux_refclock *self, int64_t machine_ns)
{
    const struct mt_os_time *time = &self->platform->time;
    int64_t age_ns = time->realtime_ns(time->context) - machine_ns;

    return age_ns < FRESH_NS && age_ns > -FRESH_NS;
}

static void tell(const struct mt_linux_refclock *self, int64_t machine_ns,
                 const struct mt_refclock_reading *reading, uint8_t *buffer,
                 struct mt_input *ret_input)
{
    mt_refclock_reading_write(reading, buffer);
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->link = self->index;
    ret_input->bytes = buffer;
    ret_input->length = MT_REFCLOCK_READING_SIZE;
    ret_input->has_stamp = true;
    ret_input->stamp = (struct mt_base_time){.ns = machine_ns};
}

static bool look(struct mt_linux_refclock *self, uint8_t *buffer, struct mt_input *ret_input)
{
    struct mt_refclock_reading reading;
    int64_t machine_ns;

    if (!mt_refclock_segment_read(self->segment, self->has_seen, &self->seen, &machine_ns,
                                  &reading)) {
        return false;
    }
    self->has_seen = true;
    if (machine_ns == self->last_ns || !is_fresh(self, machine_ns)) {
        return false;
    }
    self->last_ns = machine_ns;
    self->hal.counters.received++;
    tell(self, machine_ns, &reading, buffer, ret_input);
    return true;
}

bool mt_linux_refclock_due(struct mt_linux *platform, struct mt_input *ret_input,
                           struct mt_mono *deadline)
{
    struct mt_mono now = ret_input->now;

    for (struct mt_linux_refclock *self = platform->refclocks; self; self = self->next) {
        if (!self->segment || self->poll_ns == 0) {
            continue;
        }
        if (now.ns >= self->poll_at.ns) {
            self->poll_at = mt_mono_plus(now, self->poll_ns);
            if (look(self, platform->wait.frame, ret_input)) {
                return true;
            }
        }
        *deadline = mt_mono_earlier(*deadline, self->poll_at);
    }
    return false;
}

/* What is no reading goes to the runtime as nothing, so that it is counted. */
static void receive(struct mt_linux_refclock *self, uint8_t *buffer, struct mt_input *ret_input)
{
    ssize_t received = recv(self->fd, buffer, MT_LINUX_FRAME_SIZE, 0);
    struct mt_refclock_reading reading;
    int64_t machine_ns;

    if (received < 0) {
        return;
    }
    self->hal.counters.received++;
    if (mt_refclock_datagram_read(buffer, (size_t)received, &machine_ns, &reading) &&
        is_fresh(self, machine_ns)) {
        tell(self, machine_ns, &reading, buffer, ret_input);
        return;
    }
    ret_input->kind = MT_INPUT_FRAME;
    ret_input->link = self->index;
    ret_input->bytes = buffer;
    ret_input->length = 0;
}

static struct mt_linux_refclock *find(const struct mt_linux *platform, uint16_t index)
{
    struct mt_linux_refclock *self = platform->refclocks;

    while (self && self->index != index) {
        self = self->next;
    }
    return self;
}

void mt_linux_refclock_receive(struct mt_linux *platform, uint16_t index, uint8_t *buffer,
                               struct mt_input *ret_input)
{
    struct mt_linux_refclock *self = find(platform, index);

    if (self) {
        receive(self, buffer, ret_input);
    }
}

size_t mt_linux_refclock_descriptors(const struct mt_linux *platform,
                                     struct mt_linux_heard *ret_heard, size_t room)
{
    size_t count = 0;

    for (struct mt_linux_refclock *self = platform->refclocks; self; self = self->next) {
        if (self->transport == MT_TRANSPORT_REFCLOCK_SOCK) {
            if (count < room) {
                ret_heard[count] = (struct mt_linux_heard){self->fd, self->index};
            }
            count++;
        }
    }
    return count;
}

/* ---- exported ---------------------------------------------------------------------------- */

/* The page's time when CLOCK_REALTIME reads what is returned. */
static int64_t compare(const struct mt_linux *platform, const struct mt_clock_page *page,
                       struct mt_refclock_reading *ret_reading)
{
    const struct mt_os_time *time = &platform->time;
    int64_t machine_ns = 0;
    int64_t base_ns = 0;
    int64_t window_ns = INT64_MAX;

    for (int i = 0; i < LOOKS; i++) {
        int64_t before_ns = time->boottime_ns(time->context);
        int64_t now_ns = time->realtime_ns(time->context);
        int64_t after_ns = time->boottime_ns(time->context);

        if (after_ns - before_ns < window_ns) {
            window_ns = after_ns - before_ns;
            base_ns = before_ns + window_ns / 2;
            machine_ns = now_ns;
        }
    }
    struct mt_instant at = mt_clock_page_time(page, base_ns);
    *ret_reading = (struct mt_refclock_reading){
        .s = at.s,
        .ns = at.ns,
        .frac = at.frac,
        .precision_log2s = EXPORT_PRECISION,
        .leap = page->leap_s > 0   ? MT_REFCLOCK_INSERT
                : page->leap_s < 0 ? MT_REFCLOCK_DELETE
                                   : MT_REFCLOCK_NO_LEAP,
    };
    return machine_ns;
}

static bool hand_on(struct mt_linux_refclock *self, int64_t machine_ns,
                    const struct mt_refclock_reading *reading)
{
    struct mt_refclock_datagram datagram;

    if (self->segment) {
        mt_refclock_segment_write(self->segment, machine_ns, reading);
        return true;
    }
    mt_refclock_datagram_write(machine_ns, reading, &datagram);
    return sendto(self->fd, &datagram, sizeof datagram, MSG_NOSIGNAL,
                  (const struct sockaddr *)&self->address,
                  sizeof self->address) == (ssize_t)sizeof datagram;
}

static bool export_page(struct mt_hal_link *hal, const struct mt_link_frame *frame)
{
    struct mt_linux_refclock *self = (struct mt_linux_refclock *)hal;
    struct mt_clock_page page;
    struct mt_refclock_reading reading;
    bool is_sent = false;

    if (frame->length == sizeof page) {
        memcpy(&page, frame->bytes, sizeof page);
        int64_t machine_ns = compare(self->platform, &page, &reading);
        is_sent = hand_on(self, machine_ns, &reading);
    }
    hal->counters.sent += is_sent;
    hal->counters.send_failed += !is_sent;
    return is_sent;
}

static const struct mt_hal_link_ops ops = {.send = export_page};

/* ---- opening and closing ----------------------------------------------------------------- */

static bool is_heard(enum mt_transport transport)
{
    return transport == MT_TRANSPORT_REFCLOCK_SHM || transport == MT_TRANSPORT_REFCLOCK_SOCK;
}

/* Root's segment, which somebody else may write. */
static bool is_open_to_others(int id)
{
    struct shmid_ds state;

    return shmctl(id, IPC_STAT, &state) == 0 &&
           ((state.shm_perm.mode & OTHERS_WRITE) != 0 || state.shm_perm.uid != geteuid());
}

static bool attach(struct mt_linux_refclock *self, const char *text,
                   char reason[MT_HAL_REASON_SIZE])
{
    int unit = atoi(text);
    bool is_private = unit < MT_REFCLOCK_SHM_PRIVATE;
    int id = shmget((key_t)(MT_REFCLOCK_SHM_KEY + unit), sizeof *self->segment,
                    IPC_CREAT | (is_private ? MODE_PRIVATE : MODE_PUBLIC));
    void *memory = id >= 0 ? shmat(id, 0, 0) : (void *)-1;

    if (memory == (void *)-1) {
        mt_linux_say(
            reason, "cannot use unit %d of NTP's shared memory: %s%s", unit, strerror(errno),
            errno == EACCES && is_private ? "; it is root's: start as root, or use unit 2 or above"
            : errno == EINVAL             ? "; another program has made it too small"
                                          : "");
        return false;
    }
    if (is_private && is_heard(self->transport) && is_open_to_others(id)) {
        mt_linux_say(reason,
                     "unit %d of NTP's shared memory is not ours alone to write, so anybody could "
                     "set the clock: remove it (ipcrm -M 0x%x), or use unit 2 or above for that",
                     unit, MT_REFCLOCK_SHM_KEY + (unsigned)unit);
        shmdt(memory);
        return false;
    }
    self->segment = memory;
    return true;
}

static bool open_socket(struct mt_linux_refclock *self, const char *path,
                        char reason[MT_HAL_REASON_SIZE])
{
    size_t length = strlen(path);
    bool is_good = length < sizeof self->address.sun_path;

    self->address.sun_family = AF_UNIX;
    memcpy(self->address.sun_path, path, is_good ? length : 0);
    self->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    errno = is_good ? errno : ENAMETOOLONG;
    is_good = is_good && self->fd >= 0 && mt_linux_set_nonblocking(self->fd);
    if (is_good && is_heard(self->transport)) {
        is_good = mt_linux_bind_local(self->fd, &self->address) &&
                  chmod(self->address.sun_path, MODE_PRIVATE) == 0;
    }
    if (!is_good) {
        mt_linux_say(reason, "cannot open the socket %.100s of a reference clock: %s", path,
                     strerror(errno));
    }
    return is_good;
}

static void free_refclock(struct mt_linux_refclock *self)
{
    if (self->segment) {
        shmdt((const void *)self->segment);
    }
    if (self->fd >= 0) {
        close(self->fd);
    }
    free(self);
}

struct mt_hal_link *mt_linux_refclock_open(struct mt_linux *platform, uint16_t index,
                                           const struct mt_link_request *request,
                                           char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_refclock *self = calloc(1, sizeof *self);
    bool is_shared = request->transport == MT_TRANSPORT_REFCLOCK_SHM ||
                     request->transport == MT_TRANSPORT_EXPORT_SHM;

    if (!self) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    self->hal.ops = &ops;
    self->platform = platform;
    self->index = index;
    self->transport = request->transport;
    self->poll_ns = request->transport == MT_TRANSPORT_REFCLOCK_SHM ? request->poll_ns : 0;
    self->fd = -1;
    if (is_shared ? !attach(self, request->interface, reason)
                  : !open_socket(self, request->interface, reason)) {
        free_refclock(self);
        return 0;
    }
    self->next = platform->refclocks;
    platform->refclocks = self;
    platform->wait.is_set_old = true;
    return &self->hal;
}

void mt_linux_refclocks_close(struct mt_linux *platform)
{
    while (platform->refclocks) {
        struct mt_linux_refclock *self = platform->refclocks;

        platform->refclocks = self->next;
        if (self->transport == MT_TRANSPORT_REFCLOCK_SOCK) {
            unlink(self->address.sun_path);
        }
        free_refclock(self);
    }
}
