/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pulses that the kernel stamps (/dev/ppsN, RFC 2783).  The kernel can be waited upon for the next
 * one by a blocking call only, so a thread does that, and hands each stamp to the loop as a
 * datagram of a socket pair.  It begins with the first turn of the loop, when privileges have been
 * given up already, and looks a few times a second whether it is to end.
 *
 * Which edges are captured may be set with privileges only; what is set already will often do.
 *
 * A device may come late (a module that is loaded after us, a receiver that is plugged in, ldattach
 * that is started) and go.  The kernel does not tell those who wait for its pulses, but its name is
 * gone then, or another device's: so the name is looked at, and a device that is gone is let go, or
 * the next one would get another number.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pps.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/linux_listen.h"

#define NS_PER_S    INT64_C(1000000000)
#define PATIENCE_NS 250000000
#define PAUSE_NS    500000000 /* after an error that comes at once */
#define LOOK_NS     NS_PER_S
#define NAME_SIZE   128

struct mt_linux_pps {
    struct mt_linux_listener heard; /* its fd: where datagrams come out */
    char name[NAME_SIZE];
    int device; /* -1: it is not there */
    int writer;
    bool is_falling;
    bool has_thread;
    struct mt_mono look_at;
    atomic_bool is_ending; /* the thread is to end ... */
    atomic_bool has_ended; /* ... and has */
    pthread_t thread;
};

struct pulse {
    int64_t ns;
};

/* ---- the thread ---------------------------------------------------------------------------- */

static void pause_a_little(void)
{
    struct timespec pause = {0, PAUSE_NS};

    nanosleep(&pause, 0);
}

static bool fetch(const struct mt_linux_pps *self, uint32_t *ret_sequence, struct pulse *ret_pulse)
{
    struct pps_fdata data;
    const struct pps_ktime *at;

    memset(&data, 0, sizeof data);
    data.timeout.nsec = PATIENCE_NS;
    if (ioctl(self->device, PPS_FETCH, &data) < 0) {
        if (errno != ETIMEDOUT && errno != EINTR) {
            pause_a_little();
        }
        return false;
    }
    at = self->is_falling ? &data.info.clear_tu : &data.info.assert_tu;
    *ret_sequence = self->is_falling ? data.info.clear_sequence : data.info.assert_sequence;
    ret_pulse->ns = at->sec * NS_PER_S + at->nsec;
    return true;
}

static void *run(void *context)
{
    struct mt_linux_pps *self = context;
    struct pulse pulse;
    uint32_t sequence;
    uint32_t seen = 0;
    bool has_seen = false;

    while (!atomic_load(&self->is_ending)) {
        if (fetch(self, &sequence, &pulse)) {
            if (has_seen && sequence != seen) {
                (void)send(self->writer, &pulse, sizeof pulse, MSG_DONTWAIT | MSG_NOSIGNAL);
            }
            seen = sequence;
            has_seen = true;
        }
    }
    atomic_store(&self->has_ended, true);
    return 0;
}

static bool start(struct mt_linux_pps *self)
{
    sigset_t all;
    sigset_t before;

    atomic_store(&self->is_ending, false);
    atomic_store(&self->has_ended, false);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    self->has_thread = pthread_create(&self->thread, 0, run, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, 0);
    return self->has_thread;
}

/* ---- the device ----------------------------------------------------------------------------- */

static bool can_capture(struct mt_linux_pps *self, const char *device,
                        char reason[MT_HAL_REASON_SIZE])
{
    int edge = self->is_falling ? PPS_CAPTURECLEAR : PPS_CAPTUREASSERT;
    struct pps_kparams wanted;
    int abilities = 0;

    memset(&wanted, 0, sizeof wanted);
    if (ioctl(self->device, PPS_GETCAP, &abilities) < 0) {
        mt_linux_say(reason, "%.100s is no device of pulses: %s", device, strerror(errno));
        return false;
    }
    if ((abilities & edge) == 0 || (abilities & PPS_CANWAIT) == 0) {
        mt_linux_say(reason, "%.100s cannot stamp %s edges%s", device,
                     self->is_falling ? "falling" : "rising",
                     self->is_falling ? "; set the edge to rising" : "");
        return false;
    }
    if (ioctl(self->device, PPS_GETPARAMS, &wanted) == 0 && (wanted.mode & edge) != 0) {
        return true;
    }
    wanted.api_version = PPS_API_VERS;
    wanted.mode |= edge | PPS_TSFMT_TSPEC;
    if (ioctl(self->device, PPS_SETPARAMS, &wanted) < 0) {
        mt_linux_say(reason, "%.100s cannot be told to stamp that edge: %s; start as root", device,
                     strerror(errno));
        return false;
    }
    return true;
}

/* May come when it is plugged in, or its driver loaded. */
static bool may_come(int error)
{
    return error == ENOENT || error == ENODEV || error == ENXIO;
}

static const char *remedy_of(int error)
{
    return may_come(error)
               ? "; waiting for it; on a Raspberry Pi, dtoverlay=pps-gpio in config.txt "
                 "makes it; ls /dev/pps* shows those that there are"
           : error == EACCES || error == EPERM ? "; give the daemon's user access to it"
                                               : "";
}

static void close_device(struct mt_linux_pps *self)
{
    if (self->device >= 0) {
        close(self->device);
    }
    self->device = -1;
}

/* False with a reason and errno. */
static bool open_device(struct mt_linux_pps *self, char reason[MT_HAL_REASON_SIZE])
{
    int error;

    self->device = open(self->name, O_RDWR | O_CLOEXEC);
    if (self->device < 0) {
        self->device = open(self->name, O_RDONLY | O_CLOEXEC);
    }
    if (self->device < 0) {
        error = errno;
        mt_linux_say(reason, "cannot open %.100s: %s%s", self->name, strerror(error),
                     remedy_of(error));
        errno = error;
        return false;
    }
    if (!can_capture(self, self->name, reason)) {
        close_device(self);
        errno = EINVAL;
        return false;
    }
    return true;
}

/* Or another one has its name. */
static bool is_gone(const struct mt_linux_pps *self)
{
    struct stat named;
    struct stat opened;

    if (stat(self->name, &named) < 0) {
        return may_come(errno);
    }
    return fstat(self->device, &opened) == 0 && named.st_rdev != opened.st_rdev;
}

/* ---- the loop's side ------------------------------------------------------------------------ */

/* The thread ends by itself: it may take as long as it waits for a pulse. */
static void let_go(struct mt_linux_pps *self)
{
    if (self->has_thread && !atomic_load(&self->has_ended)) {
        return;
    }
    if (self->has_thread) {
        pthread_join(self->thread, 0);
        self->has_thread = false;
    }
    close_device(self);
}

static void look(struct mt_linux_pps *self)
{
    char *reason = self->heard.reason;

    if (self->has_thread && atomic_load(&self->is_ending)) {
        let_go(self);
    } else if (self->device >= 0 && is_gone(self)) {
        mt_linux_say(reason, "%.100s is gone; waiting for it", self->name);
        atomic_store(&self->is_ending, true);
        let_go(self);
    } else if (self->device >= 0 || open_device(self, reason)) {
        reason[0] = 0;
        if (!self->has_thread && !start(self)) {
            mt_linux_say(reason, "no thread can be had that waits for pulses");
        }
    }
}

static bool due(struct mt_linux_listener *listener, struct mt_input *ret_input,
                struct mt_mono *deadline)
{
    struct mt_linux_pps *self = (struct mt_linux_pps *)listener;

    if (ret_input->now.ns >= self->look_at.ns) {
        self->look_at = mt_mono_plus(ret_input->now, LOOK_NS);
        look(self);
    }
    *deadline = mt_mono_earlier(*deadline, self->look_at);
    return mt_linux_listener_tell(listener, listener->reason[0] == 0, ret_input);
}

static void receive(struct mt_linux_listener *listener, uint8_t *buffer, struct mt_input *ret_input)
{
    struct pulse pulse;

    if (recv(listener->fd, &pulse, sizeof pulse, 0) == (ssize_t)sizeof pulse) {
        listener->hal.counters.received++;
        mt_linux_listener_pulse(listener, (struct mt_base_time){.ns = pulse.ns}, buffer, ret_input);
    }
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

static void close_pps(struct mt_linux_listener *listener)
{
    struct mt_linux_pps *self = (struct mt_linux_pps *)listener;

    atomic_store(&self->is_ending, true);
    if (self->has_thread) {
        pthread_join(self->thread, 0);
    }
    close_device(self);
    close_fd(listener->fd);
    close_fd(self->writer);
    free(self);
}

/* ---- opening ------------------------------------------------------------------------------- */

static bool make_pair(struct mt_linux_pps *self, char reason[MT_HAL_REASON_SIZE])
{
    int pair[2] = {-1, -1};

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 || !mt_linux_set_nonblocking(pair[0])) {
        mt_linux_say(reason, "cannot make a pair of sockets: %s", strerror(errno));
        close_fd(pair[0]);
        close_fd(pair[1]);
        return false;
    }
    self->heard.fd = pair[0];
    self->writer = pair[1];
    return true;
}

/* If the device is not there yet, that is no error. */
struct mt_hal_link *mt_linux_pps_open(struct mt_linux *platform, uint16_t index,
                                      const struct mt_link_request *request,
                                      char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_pps *self = calloc(1, sizeof *self);

    if (!self || strlen(request->interface) >= NAME_SIZE) {
        mt_linux_say(reason, self ? "the name of the device is too long" : "out of memory");
        free(self);
        return 0;
    }
    self->heard = (struct mt_linux_listener){
        .hal = {.ops = &mt_linux_only_heard, .stamping = "software, by the kernel"},
        .index = index,
        .fd = -1,
        .events = POLLIN,
        .receive = receive,
        .due = due,
        .close = close_pps,
    };
    self->device = -1;
    self->writer = -1;
    self->is_falling = request->pulse.is_falling;
    strcpy(self->name, request->interface);
    if (!make_pair(self, reason) || (!open_device(self, reason) && !may_come(errno))) {
        close_pps(&self->heard);
        return 0;
    }
    mt_linux_listeners_add(platform, &self->heard);
    return &self->heard.hal;
}
