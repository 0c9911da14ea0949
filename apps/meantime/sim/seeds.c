/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A child for each seed, as many at a time as there are cores.  A child sends its progress, and in
 * the end its result; the parent keeps results until those of all earlier seeds have been pooled.
 * One seed alone runs here, without a child.
 */
#include "apps/meantime/sim/seeds.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TELL_EVERY_NS 100000000
#define POLL_MS       100

volatile sig_atomic_t mt_seeds_interrupted;

/* What a child sends; a result of `length` octets follows the last one. */
struct message {
    int64_t t_ns;
    uint64_t messages;
    uint64_t length;
};

struct child {
    pid_t pid; /**< 0: does not run */
    int pipe;
    int64_t t_ns;
    uint64_t messages;
    bool was_told; /**< to end */
    struct mt_run_result result;
    bool has_result;
    bool is_partial;
};

struct seeds {
    const struct mt_topology *topology;
    const struct mt_seeds_options *options;
    mt_seeds_tell *tell;
    void *context;
    int pipe; /**< of this child, or -1 */
    struct timespec told;
    struct child *children; /**< one for each seed */
    uint32_t started;
    uint32_t running;
    char *complaint;
};

static int64_t since_ns(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - then->tv_sec) * INT64_C(1000000000) + now.tv_nsec - then->tv_nsec;
}

/* ---- one seed -------------------------------------------------------------------------------- */

static bool write_all(int file, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t written = write(file, at, length);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
    }
    return true;
}

static void tell_parent(struct seeds *self, int64_t t_ns, uint64_t messages)
{
    const struct message message = {t_ns, messages, 0};

    if (self->pipe >= 0) {
        write_all(self->pipe, &message, sizeof message);
        return;
    }
    const struct mt_seeds_progress progress = {
        .share = (double)t_ns / (double)self->topology->run.duration_ns,
        .messages = messages,
    };
    self->tell(self->context, &progress);
}

static bool tell(void *context, int64_t t_ns, uint64_t messages)
{
    struct seeds *self = context;

    if (since_ns(&self->told) >= TELL_EVERY_NS) {
        clock_gettime(CLOCK_MONOTONIC, &self->told);
        tell_parent(self, t_ns, messages);
    }
    return !mt_seeds_interrupted;
}

/* Only the first seed's series and recordings are ever written. */
static bool run_one(struct seeds *self, uint32_t number, struct mt_run_result *ret_result)
{
    struct mt_run_options options = self->options->run;

    options.keeps_series = options.keeps_series && number == 0;
    options.record_count = number == 0 ? options.record_count : 0;
    return mt_run_seed(self->topology, &options, self->options->first + number, tell, self,
                       ret_result);
}

/* ---- children -------------------------------------------------------------------------------- */

static void be_child(struct seeds *self, uint32_t number)
{
    struct mt_run_result result;
    struct message message = {0};
    void *octets = NULL;

    if (run_one(self, number, &result)) {
        message = (struct message){result.t_ns, result.messages, 0};
        octets = mt_seeds_pack(&result, &message.length);
    }
    bool is_sent = octets != NULL && write_all(self->pipe, &message, sizeof message) &&
                   write_all(self->pipe, octets, message.length);
    _exit(is_sent ? 0 : 1);
}

static bool start_child(struct seeds *self)
{
    struct child *child = &self->children[self->started];
    int ends[2];

    if (pipe(ends) != 0) {
        return false;
    }
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0) {
        close(ends[0]);
        self->pipe = ends[1];
        be_child(self, self->started);
    }
    close(ends[1]);
    if (child->pid < 0) {
        close(ends[0]);
        child->pid = 0;
        return false;
    }
    child->pipe = ends[0];
    self->started++;
    self->running++;
    return true;
}

static bool read_all(int file, void *bytes, size_t length)
{
    char *at = bytes;

    while (length > 0) {
        ssize_t count = read(file, at, length);
        if (count == 0 || (count < 0 && errno != EINTR)) {
            return false;
        }
        if (count > 0) {
            at += count;
            length -= (size_t)count;
        }
    }
    return true;
}

static void end_child(struct seeds *self, struct child *child)
{
    close(child->pipe);
    waitpid(child->pid, NULL, 0);
    child->pid = 0;
    self->running--;
}

static void take_result(struct seeds *self, struct child *child, uint64_t length)
{
    void *octets = malloc(length);

    if (octets != NULL && read_all(child->pipe, octets, length)) {
        child->has_result = mt_seeds_unpack(octets, length, &child->result);
        child->is_partial = child->t_ns < self->topology->run.duration_ns;
        if (child->has_result && self->complaint[0] == '\0') {
            memcpy(self->complaint, child->result.complaint, MT_RUN_COMPLAINT_SIZE);
        }
    }
    free(octets);
}

/* A message of a child, or its end. */
static void listen_to(struct seeds *self, uint32_t number)
{
    struct child *child = &self->children[number];
    struct message message;
    bool is_alive = read_all(child->pipe, &message, sizeof message);

    if (is_alive) {
        child->t_ns = message.t_ns;
        child->messages = message.messages;
    }
    if (is_alive && message.length > 0) {
        take_result(self, child, message.length);
    }
    if (!is_alive || message.length > 0) {
        end_child(self, child);
        if (!child->has_result && self->complaint[0] == '\0') {
            snprintf(self->complaint, MT_RUN_COMPLAINT_SIZE,
                     "the process of seed %llu has ended without a result (out of memory?)",
                     (unsigned long long)(self->options->first + number));
        }
    }
}

static void listen_to_all(struct seeds *self, struct pollfd *files, uint32_t *numbers)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < self->started; i++) {
        struct child *child = &self->children[i];
        if (child->pid != 0) {
            files[count] = (struct pollfd){.fd = child->pipe, .events = POLLIN};
            numbers[count++] = i;
            if (mt_seeds_interrupted && !child->was_told) {
                child->was_told = true;
                kill(child->pid, SIGINT);
            }
        }
    }
    if (poll(files, count, POLL_MS) <= 0) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (files[i].revents != 0) {
            listen_to(self, numbers[i]);
        }
    }
}

static void tell_all(struct seeds *self)
{
    struct mt_seeds_progress progress = {0};
    double duration_ns = (double)self->topology->run.duration_ns;

    for (uint32_t i = 0; i < self->started; i++) {
        const struct child *child = &self->children[i];
        progress.done += child->has_result;
        progress.messages += child->messages;
        progress.share += (double)child->t_ns / duration_ns / self->options->count;
    }
    self->tell(self->context, &progress);
}

/* ---- pooling --------------------------------------------------------------------------------- */

static void pool(const struct child *child, struct mt_run_result *result, uint32_t *seeds)
{
    if (*seeds == 0) {
        *result = child->result;
    } else {
        mt_run_result_merge(result, &child->result);
    }
    ++*seeds;
}

/* Results are pooled as soon as those of all earlier seeds are there, to keep few in memory. */
static void pool_ready(struct seeds *self, uint32_t *next, struct mt_run_result *result,
                       uint32_t *seeds)
{
    for (; *next < self->started && self->children[*next].pid == 0; ++*next) {
        struct child *child = &self->children[*next];
        if (!child->has_result || child->is_partial) {
            continue;
        }
        pool(child, result, seeds);
        if (*seeds > 1) {
            mt_run_result_free(&child->result);
        }
        child->has_result = false;
        child->t_ns = self->topology->run.duration_ns;
    }
}

static void pool_partial(struct seeds *self, struct mt_run_result *result, uint32_t *seeds)
{
    bool wants_them = *seeds == 0;

    for (uint32_t i = 0; i < self->started; i++) {
        struct child *child = &self->children[i];
        if (!child->has_result) {
            continue;
        }
        if (wants_them) {
            pool(child, result, seeds);
        }
        if (!wants_them || *seeds > 1) {
            mt_run_result_free(&child->result);
        }
    }
}

static bool run_children(struct seeds *self, struct mt_run_result *ret_result, uint32_t *ret_seeds)
{
    uint32_t count = self->options->count;
    struct pollfd *files = calloc(self->options->jobs, sizeof *files);
    uint32_t *numbers = calloc(self->options->jobs, sizeof *numbers);
    uint32_t next = 0;

    self->children = calloc(count, sizeof *self->children);
    bool goes_on = files != NULL && numbers != NULL && self->children != NULL;
    while (goes_on) {
        while (self->running < self->options->jobs && self->started < count &&
               !mt_seeds_interrupted && start_child(self)) {
        }
        goes_on = self->running > 0;
        if (goes_on) {
            listen_to_all(self, files, numbers);
            tell_all(self);
        }
        pool_ready(self, &next, ret_result, ret_seeds);
    }
    if (self->children != NULL) {
        pool_partial(self, ret_result, ret_seeds);
    }
    free(files);
    free(numbers);
    free(self->children);
    return *ret_seeds > 0;
}

bool mt_seeds_run(const struct mt_topology *topology, const struct mt_seeds_options *options,
                  mt_seeds_tell *report, void *context, struct mt_run_result *ret_result,
                  uint32_t *ret_seeds, char complaint[MT_RUN_COMPLAINT_SIZE])
{
    struct seeds self = {.topology = topology,
                         .options = options,
                         .tell = report,
                         .context = context,
                         .pipe = -1,
                         .complaint = complaint};

    *ret_seeds = 0;
    complaint[0] = '\0';
    clock_gettime(CLOCK_MONOTONIC, &self.told);
    if (options->count == 1) {
        *ret_seeds = run_one(&self, 0, ret_result);
        if (*ret_seeds > 0) {
            memcpy(complaint, ret_result->complaint, MT_RUN_COMPLAINT_SIZE);
        }
    } else {
        run_children(&self, ret_result, ret_seeds);
    }
    if (*ret_seeds == 0 && complaint[0] == '\0') {
        snprintf(complaint, MT_RUN_COMPLAINT_SIZE, "out of memory, or no process can be started");
    }
    return *ret_seeds > 0;
}
