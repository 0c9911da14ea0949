/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * -icount gives each instruction 32 ns of the processor's time, however long the host takes, and
 * none passes while it waits for the simulator: so it does the same in each run.
 */
#include "pil_remote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pil_wire.h"

#define PATIENCE_S 60 /* for one answer */

static void give_up(const char *what)
{
    fprintf(stderr, "pil: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void write_all(const struct pil_remote *self, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        const ssize_t done = write(self->to, octets, length);
        if (done <= 0) {
            give_up("writing");
        }
        octets += done;
        length -= (size_t)done;
    }
}

static void read_all(const struct pil_remote *self, uint8_t *octets, size_t length)
{
    while (length > 0) {
        const ssize_t done = read(self->from, octets, length);
        if (done <= 0) {
            errno = done == 0 ? EPIPE : errno;
            give_up("the processor has ended");
        }
        octets += done;
        length -= (size_t)done;
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

static void answer_read(struct mt_hal_clock *clock, struct pil_cursor *to)
{
    struct mt_clock_reading reading;
    clock->ops->read(clock, &reading);
    pil_put_stamp(to, &reading.local);
    pil_put_base(to, reading.base);
    pil_put(to, (uint64_t)reading.rate_q64, 8);
    pil_put(to, (uint64_t)reading.window_ns, 8);
}

static void answer_stamp(const struct pil_remote *self, struct pil_cursor *to)
{
    struct mt_hal_clock *clock = self->tables.clock;
    uint8_t octets[PIL_BASE_SIZE];
    struct pil_cursor from = {octets};
    struct mt_stamp stamp;
    read_all(self, octets, sizeof octets);
    clock->ops->stamp(clock, pil_get_base(&from), &stamp);
    pil_put_stamp(to, &stamp);
}

static void answer_apply(const struct pil_remote *self, struct pil_cursor *to)
{
    struct mt_hal_clock *clock = self->tables.clock;
    uint8_t octets[PIL_CORRECTION_SIZE];
    struct pil_cursor from = {octets};
    struct mt_correction correction;
    struct mt_applied applied = {0};
    read_all(self, octets, sizeof octets);
    pil_get_correction(&from, &correction);
    clock->ops->apply(clock, &correction, &applied);
    pil_put_applied(to, &applied);
    pil_put(to, clock->scale, 1);
}

static void answer_disturbed(const struct pil_remote *self, struct pil_cursor *to)
{
    struct mt_hal_clock *clock = self->tables.clock;
    struct mt_applied applied = {0};
    pil_put(to, clock->ops->disturbed(clock, &applied), 1);
    pil_put_applied(to, &applied);
}

static void answer_wait(const struct pil_remote *self, struct pil_cursor *to)
{
    struct mt_hal_wait *wait = self->tables.wait;
    uint8_t octets[PIL_MONO_SIZE];
    struct pil_cursor from = {octets};
    struct mt_input input = {0};
    read_all(self, octets, sizeof octets);
    wait->ops->next(wait, (struct mt_mono){(int64_t)pil_get(&from, 8)}, &input);
    pil_put_input(to, &input);
    for (size_t i = 0; i < input.length; i++) {
        pil_put(to, input.bytes[i], 1);
    }
}

static void answer_send(const struct pil_remote *self, struct pil_cursor *to)
{
    struct mt_hal_link *link = self->tables.link;
    uint8_t octets[PIL_MESSAGE_MAX];
    struct pil_cursor from = {octets};
    struct mt_link_frame frame = {.bytes = octets};
    read_all(self, octets, PIL_SEND_HEAD - 1);
    frame.length = (size_t)pil_get(&from, 2);
    frame.destination = (enum mt_link_destination)pil_get(&from, 1);
    frame.is_event = pil_get(&from, 1) != 0;
    frame.token = (uint32_t)pil_get(&from, 4);
    read_all(self, octets, frame.length < sizeof octets ? frame.length : 0);
    pil_put(to, link->ops->send(link, &frame), 1);
}

/* True if it was the last of this turn. */
static bool serve(struct pil_remote *self)
{
    uint8_t octets[PIL_MESSAGE_MAX];
    struct pil_cursor to = {octets};
    struct pil_cursor from = {octets};
    uint8_t question;
    read_all(self, &question, 1);
    self->questions++;
    switch (question) {
    case PIL_NOW:
        pil_put(&to, (uint64_t)self->tables.wait->ops->now(self->tables.wait).ns, 8);
        break;
    case PIL_WAIT:
        answer_wait(self, &to);
        break;
    case PIL_READ:
        answer_read(self->tables.clock, &to);
        break;
    case PIL_STAMP:
        answer_stamp(self, &to);
        break;
    case PIL_APPLY:
        answer_apply(self, &to);
        break;
    case PIL_DISTURBED:
        answer_disturbed(self, &to);
        break;
    case PIL_SEND:
        answer_send(self, &to);
        break;
    default:
        read_all(self, octets, PIL_MONO_SIZE);
        self->deadline.ns = (int64_t)pil_get(&from, 8);
        return true;
    }
    write_all(self, octets, (size_t)(to.at - octets));
    return false;
}

static void take_turn(struct pil_remote *self, const uint8_t *order, size_t length)
{
    alarm(PATIENCE_S);
    write_all(self, order, length);
    while (!serve(self)) {
    }
    self->turns++;
    alarm(0);
}

static void once(void *context)
{
    const uint8_t order = PIL_ONCE;
    take_turn(context, &order, 1);
}

static struct mt_mono deadline(void *context)
{
    const struct pil_remote *self = context;
    return self->deadline;
}

/* ---- the process ----------------------------------------------------------------------------- */

static _Noreturn void run_qemu(const char *image, const char *in, const char *out)
{
    char semihosting[512];
    snprintf(semihosting, sizeof semihosting,
             "enable=on,target=native,arg=pil,arg=in=%s,arg=out=%s", in, out);
    execlp("qemu-system-arm", "qemu-system-arm", "-M", "mps2-an500", "-kernel", image, "-display",
           "none", "-monitor", "none", "-serial", "null", "-nic", "none", "-icount",
           "shift=5,sleep=off", "-semihosting-config", semihosting, (char *)NULL);
    give_up("qemu-system-arm");
    _exit(2);
}

/* A loop that is built for this machine: it takes the same two words. */
static _Noreturn void run_here(const char *program, const char *in, const char *out)
{
    char words[2][160];
    snprintf(words[0], sizeof words[0], "in=%s", in);
    snprintf(words[1], sizeof words[1], "out=%s", out);
    execl(program, program, words[0], words[1], (char *)NULL);
    give_up(program);
    _exit(2);
}

static bool is_for_qemu(const char *image)
{
    const char *end = strrchr(image, '.');
    return end != NULL && strcmp(end, ".elf") == 0;
}

static void path_of(const struct pil_remote *self, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", self->folder, name);
}

static void start_process(struct pil_remote *self, const char *image)
{
    char in[128];
    char out[128];
    strcpy(self->folder, "/tmp/meantime-pil.XXXXXX");
    if (mkdtemp(self->folder) == NULL) {
        give_up("a folder");
    }
    path_of(self, "in", in);
    path_of(self, "out", out);
    if (mkfifo(in, 0600) != 0 || mkfifo(out, 0600) != 0) {
        give_up("a FIFO");
    }
    signal(SIGPIPE, SIG_IGN);
    self->process = fork();
    if (self->process == 0 && is_for_qemu(image)) {
        run_qemu(image, in, out);
    } else if (self->process == 0) {
        run_here(image, in, out);
    }
    alarm(PATIENCE_S);
    self->to = open(in, O_WRONLY);
    self->from = open(out, O_RDONLY);
    alarm(0);
    if (self->process < 0 || self->to < 0 || self->from < 0) {
        give_up("the processor");
    }
}

void pil_start(struct pil_remote *self, const char *image, const struct mt_ordinary_tables *tables)
{
    uint8_t order[1 + PIL_CLOCK_SIZE] = {PIL_BEGIN};
    struct pil_cursor to = {order + 1};
    *self = (struct pil_remote){.program = {self, once, deadline}, .tables = *tables};
    start_process(self, image);
    pil_put_clock(&to, tables->clock);
    take_turn(self, order, sizeof order);
}

int64_t pil_stop(struct pil_remote *self)
{
    const uint8_t order = PIL_QUIT;
    char path[128];
    int status = -1;
    take_turn(self, &order, 1);
    waitpid(self->process, &status, 0);
    close(self->to);
    close(self->from);
    path_of(self, "in", path);
    unlink(path);
    path_of(self, "out", path);
    unlink(path);
    rmdir(self->folder);
    if (status != 0) {
        errno = ECHILD;
        give_up("the processor did not end well");
    }
    return self->deadline.ns;
}
