/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What outlives an input.
 *
 * Clock pages are files clock.NAME in the run folder, mapped and shared.  A page is an array of
 * 32-bit words under a sequence number that is odd while they change; all accesses are atomic, so
 * a reader may look at any moment.  A page that is there already is used again, so that programs
 * which have it mapped see the new daemon; a new one appears complete, under its name, in one
 * step.  The run folder is locked while we live: two daemons never write one page.  Without a
 * daemon a page says that it is stale.
 *
 * Drift files drift.NAME hold one number, oscillator.NAME what was learned of the oscillator
 * (linux_learned.h), and both are replaced in one step.
 *
 * Until the start has succeeded, the input log is held in memory, and we remember what we made:
 * a start that fails takes that back, and only that.
 */
#include "platform/linux/linux_learned.h"
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE_FILE_SIZE 4096 /* room to grow: readers map what they know */
#define PATH_SIZE      4200
#define NAME_SIZE      64
#define WORDS          (sizeof(struct mt_clock_page) / sizeof(uint32_t))
#define SEQUENCE_WORD  (offsetof(struct mt_clock_page, sequence) / sizeof(uint32_t))
#define DRIFT_LIMIT    0.1 /* s/s: no oscillator is that bad; the file is */

_Static_assert(sizeof(struct mt_clock_page) % sizeof(uint32_t) == 0, "the page is made of words");

struct slot {
    char name[NAME_SIZE];
    _Atomic uint32_t *words; /* null: not published */
    int fd;
    bool is_new;
    uint64_t boot_id;
    struct mt_clock_page last;
};

struct mt_linux_store {
    struct mt_hal_store hal;
    const char *run_dir;
    const char *state_dir;
    const char *log_path;
    bool made_run_dir;
    bool made_state_dir;
    bool made_log;
    bool is_kept; /* the start has succeeded */
    int lock;     /* of the run folder; -1: there is none */
    int log_fd;   /* until then; -1: none */
    FILE *log;    /* into `held` until then; null: there is none, or it has failed */
    int log_error;
    char *held;
    size_t held_size;
    struct slot slots[MT_LINUX_CLOCKS];
    size_t count;
};

/* ---- pages ------------------------------------------------------------------------------ */

/* lib/ has the same: it stands below all that reads files, and shares only the page with us, where
 * the number is defined.  If the two differed, every page would be stale in test_libmeantime. */
static uint64_t read_boot_id(void)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    unsigned part[3];
    bool is_good = file && fscanf(file, "%8x-%4x-%4x", &part[0], &part[1], &part[2]) == 3;

    if (file) {
        fclose(file);
    }
    return is_good ? (uint64_t)part[0] << 32 | part[1] << 16 | part[2] : 0;
}

static void write_page(struct slot *slot)
{
    uint32_t words[WORDS];
    uint32_t odd =
        (atomic_load_explicit(&slot->words[SEQUENCE_WORD], memory_order_relaxed) + 1) | 1;

    slot->last.magic = MT_CLOCK_PAGE_MAGIC;
    slot->last.version = MT_CLOCK_PAGE_VERSION;
    slot->last.size = sizeof slot->last;
    slot->last.boot_id = slot->boot_id;
    memcpy(words, &slot->last, sizeof words);
    atomic_store_explicit(&slot->words[SEQUENCE_WORD], odd, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < WORDS; i++) {
        if (i != SEQUENCE_WORD) {
            atomic_store_explicit(&slot->words[i], words[i], memory_order_relaxed);
        }
    }
    atomic_store_explicit(&slot->words[SEQUENCE_WORD], odd + 1, memory_order_release);
}

static void publish(struct mt_hal_store *hal, uint16_t index, const struct mt_clock_page *page)
{
    struct mt_linux_store *self = (struct mt_linux_store *)hal;

    if (index < self->count && self->slots[index].words) {
        self->slots[index].last = *page;
        write_page(&self->slots[index]);
    }
}

static void mark_stale(struct slot *slot)
{
    slot->last.valid_until_base_ns = INT64_MIN;
    write_page(slot);
}

/* a descriptor of the page file, readable for everybody; -1 with errno */
static int prepare_file(int fd)
{
    if (fd >= 0 && (fchmod(fd, 0644) != 0 || ftruncate(fd, PAGE_FILE_SIZE) != 0)) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool map_page(struct slot *slot)
{
    void *memory = mmap(0, PAGE_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, slot->fd, 0);

    if (memory == MAP_FAILED) {
        return false;
    }
    slot->words = memory;
    mark_stale(slot);
    return true;
}

static void page_path(const struct mt_linux_store *self, const struct slot *slot,
                      char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/clock.%s", self->run_dir, slot->name);
}

static bool open_page(const struct mt_linux_store *self, struct slot *slot)
{
    char path[PATH_SIZE];
    char fresh[PATH_SIZE];
    int error;

    page_path(self, slot, path);
    snprintf(fresh, sizeof fresh, "%s/.clock.%s.%ld", self->run_dir, slot->name, (long)getpid());
    slot->fd = prepare_file(open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    slot->is_new = slot->fd < 0 && errno == ENOENT;
    if (slot->is_new) {
        slot->fd =
            prepare_file(open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    }
    if (slot->fd >= 0 && map_page(slot) && (!slot->is_new || rename(fresh, path) == 0)) {
        return true;
    }
    error = errno;
    if (slot->is_new) {
        unlink(fresh);
    }
    errno = error;
    return false;
}

static void close_page(struct slot *slot)
{
    if (slot->words) {
        mark_stale(slot);
        munmap((void *)slot->words, PAGE_FILE_SIZE);
        slot->words = 0;
    }
    if (slot->fd >= 0) {
        close(slot->fd);
        slot->fd = -1;
    }
}

/* ---- drift ------------------------------------------------------------------------------ */

static bool load_drift(struct mt_hal_store *hal, uint16_t index, mt_real *ret_rate)
{
    const struct mt_linux_store *self = (struct mt_linux_store *)hal;
    char path[PATH_SIZE];
    FILE *file;
    mt_real rate = 0;
    bool is_good;

    if (!self->state_dir || index >= self->count) {
        return false;
    }
    snprintf(path, sizeof path, "%s/drift.%s", self->state_dir, self->slots[index].name);
    file = fopen(path, "re");
    if (!file) {
        return false;
    }
    is_good = fscanf(file, "%lf", &rate) == 1 && rate > -DRIFT_LIMIT && rate < DRIFT_LIMIT;
    fclose(file);
    if (is_good) {
        *ret_rate = rate;
    }
    return is_good;
}

static void save_drift(struct mt_hal_store *hal, uint16_t index, mt_real rate)
{
    const struct mt_linux_store *self = (struct mt_linux_store *)hal;
    char path[PATH_SIZE];
    char fresh[PATH_SIZE];
    FILE *file;
    bool is_good;

    if (!self->state_dir || index >= self->count) {
        return;
    }
    snprintf(path, sizeof path, "%s/drift.%s", self->state_dir, self->slots[index].name);
    snprintf(fresh, sizeof fresh, "%s/.drift.%s", self->state_dir, self->slots[index].name);
    file = fopen(fresh, "we");
    if (!file) {
        return;
    }
    is_good = fprintf(file, "%.17g # rate correction of clock %s, s/s\n", rate,
                      self->slots[index].name) > 0;
    if (fclose(file) == 0 && is_good) {
        (void)rename(fresh, path);
    }
}

/* ---- what was learned of an oscillator ------------------------------------------------------- */

static int64_t utc_s(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static bool load_oscillator(struct mt_hal_store *hal, uint16_t index,
                            struct mt_steer_oscillator_memory *ret_memory,
                            char reason[MT_HAL_REASON_SIZE])
{
    const struct mt_linux_store *self = (struct mt_linux_store *)hal;
    char path[PATH_SIZE];

    reason[0] = '\0';
    if (!self->state_dir || index >= self->count) {
        return false;
    }
    snprintf(path, sizeof path, "%s/oscillator.%s", self->state_dir, self->slots[index].name);
    return mt_linux_learned_read(path, utc_s(), ret_memory, reason);
}

static void save_oscillator(struct mt_hal_store *hal, uint16_t index,
                            const struct mt_steer_oscillator_memory *memory)
{
    const struct mt_linux_store *self = (struct mt_linux_store *)hal;
    char path[PATH_SIZE];
    char fresh[PATH_SIZE];

    if (!self->state_dir || index >= self->count) {
        return;
    }
    snprintf(path, sizeof path, "%s/oscillator.%s", self->state_dir, self->slots[index].name);
    snprintf(fresh, sizeof fresh, "%s/.oscillator.%s", self->state_dir, self->slots[index].name);
    (void)mt_linux_learned_write(path, fresh, utc_s(), memory);
}

/* ---- the input log ----------------------------------------------------------------------- */

/* -1 with errno.  What the file holds is left alone for now.  A new one is its owner's alone, for
 * keys are among what is recorded. */
static int open_log(const char *path, bool *ret_is_new)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    *ret_is_new = fd >= 0;
    return fd >= 0 || errno != EEXIST ? fd : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

/* Only a file can be emptied; a pipe need not be. */
static bool empty(int fd)
{
    return ftruncate(fd, 0) == 0 || errno == EINVAL;
}

/* A log with a hole in it cannot be replayed, so the first failure ends it. */
static void end_log(struct mt_linux_store *self)
{
    self->log_error = errno != 0 ? errno : EIO;
    fclose(self->log);
    self->log = 0;
}

/* From memory to its file. */
static void begin_log(struct mt_linux_store *self)
{
    FILE *file = fdopen(self->log_fd, "w");

    fclose(self->log);
    self->log = file;
    if (file) {
        if (!empty(self->log_fd) ||
            fwrite(self->held, 1, self->held_size, file) != self->held_size) {
            end_log(self);
        }
        self->log_fd = -1;
    } else {
        self->log_error = errno;
    }
    free(self->held);
    self->held = 0;
}

static void log_input(struct mt_hal_store *hal, const uint8_t *bytes, size_t length)
{
    struct mt_linux_store *self = (struct mt_linux_store *)hal;

    if (self->log && fwrite(bytes, 1, length, self->log) != length) {
        end_log(self);
    }
}

void mt_linux_store_flush(struct mt_linux_store *self)
{
    if (self->log && fflush(self->log) != 0) {
        end_log(self);
    }
}

const char *mt_linux_store_log_problem(const struct mt_linux_store *self)
{
    return self->log_error != 0 ? strerror(self->log_error) : 0;
}

/* ---- opening and closing ----------------------------------------------------------------- */

static const struct mt_hal_store_ops store_ops = {
    .publish = publish,
    .load_drift = load_drift,
    .save_drift = save_drift,
    .load_oscillator = load_oscillator,
    .save_oscillator = save_oscillator,
    .log = log_input,
};

#define RUN_OPTION   "--run-directory DIRECTORY"
#define STATE_OPTION "state_directory in the configuration"

/* What to do about a file that cannot be made in a folder. */
static const char *remedy_of(int error)
{
    if (error == EACCES || error == EPERM) {
        return "start as root or as the owner of the folder";
    }
    return error == ENOSPC || error == EDQUOT ? "make room" : "make it";
}

static bool make_folder(const char *path, const char *use, const char *option, bool *ret_is_new,
                        char reason[MT_HAL_REASON_SIZE])
{
    *ret_is_new = path && mkdir(path, 0755) == 0;
    if (!path || *ret_is_new || errno == EEXIST) {
        return true;
    }
    mt_linux_say(reason, "cannot make the folder %.80s for %s: %s; %s, or name another one with %s",
                 path, use, strerror(errno), remedy_of(errno), option);
    return false;
}

static bool prepare_log(struct mt_linux_store *self, char reason[MT_HAL_REASON_SIZE])
{
    self->log_fd = open_log(self->log_path, &self->made_log);
    if (self->log_fd < 0) {
        mt_linux_say(reason, "cannot write the input log %.100s: %s; name another file",
                     self->log_path, strerror(errno));
        return false;
    }
    self->log = open_memstream(&self->held, &self->held_size);
    if (!self->log) {
        mt_linux_say(reason, "out of memory");
    }
    return self->log != 0;
}

static bool prepare(struct mt_linux_store *self, char reason[MT_HAL_REASON_SIZE])
{
    if (!make_folder(self->run_dir, "clock pages", RUN_OPTION, &self->made_run_dir, reason)) {
        return false;
    }
    self->lock = self->run_dir ? mt_linux_lock(self->run_dir, reason) : -1;
    return (!self->run_dir || self->lock >= 0) &&
           make_folder(self->state_dir, "drift files", STATE_OPTION, &self->made_state_dir,
                       reason) &&
           (!self->log_path || prepare_log(self, reason));
}

struct mt_linux_store *mt_linux_store_open(const struct mt_linux_options *options,
                                           char reason[MT_HAL_REASON_SIZE])
{
    struct mt_linux_store *self = calloc(1, sizeof *self);

    if (!self) {
        mt_linux_say(reason, "out of memory");
        return 0;
    }
    self->hal.ops = &store_ops;
    self->run_dir = options->run_dir;
    self->state_dir = options->state_dir;
    self->log_path = options->input_log;
    self->lock = -1;
    self->log_fd = -1;
    if (!prepare(self, reason)) {
        mt_linux_store_close(self);
        return 0;
    }
    return self;
}

void mt_linux_store_keep(struct mt_linux_store *self)
{
    self->is_kept = true;
    if (self->log) {
        begin_log(self);
    }
}

static bool is_file_name(const char *name)
{
    return name && name[0] && name[0] != '.' && strlen(name) < NAME_SIZE && !strchr(name, '/');
}

bool mt_linux_store_add(struct mt_linux_store *self, const char *name,
                        char reason[MT_HAL_REASON_SIZE])
{
    struct slot *slot = &self->slots[self->count];

    if (!is_file_name(name)) {
        mt_linux_say(reason,
                     "\"%.60s\" cannot name a clock: it is part of a file name, so no '/', "
                     "no '.' in front, at most %d characters",
                     name ? name : "", NAME_SIZE - 1);
        return false;
    }
    if (self->count > 0 && strcmp(self->slots[self->count - 1].name, name) == 0) {
        return true; /* another takes the place of a clock that may not be adjusted */
    }
    memset(slot, 0, sizeof *slot);
    memcpy(slot->name, name, strlen(name));
    slot->boot_id = read_boot_id();
    slot->fd = -1;
    if (self->run_dir && !open_page(self, slot)) {
        mt_linux_say(
            reason,
            "cannot publish clock %.24s in %.80s: %s; %s, or name another one with " RUN_OPTION,
            name, self->run_dir, strerror(errno), remedy_of(errno));
        close_page(slot);
        return false;
    }
    self->count++;
    return true;
}

struct mt_hal_store *mt_linux_store_table(struct mt_linux_store *self)
{
    return &self->hal;
}

/* What has this name now may be somebody else's. */
static void remove_own(int fd, const char *path)
{
    if (mt_linux_is_at(fd, path)) {
        unlink(path);
    }
}

static void take_back_files(struct mt_linux_store *self)
{
    char path[PATH_SIZE];

    for (size_t i = 0; i < self->count; i++) {
        if (self->slots[i].is_new) {
            page_path(self, &self->slots[i], path);
            remove_own(self->slots[i].fd, path);
        }
    }
    if (self->made_log) {
        remove_own(self->log_fd, self->log_path);
    }
}

static void take_back_folders(struct mt_linux_store *self)
{
    if (self->made_run_dir) {
        rmdir(self->run_dir);
    }
    if (self->made_state_dir) {
        rmdir(self->state_dir);
    }
}

static void close_log(struct mt_linux_store *self)
{
    if (self->log) {
        fclose(self->log);
    }
    if (self->log_fd >= 0) {
        close(self->log_fd);
    }
    free(self->held);
}

void mt_linux_store_close(struct mt_linux_store *self)
{
    if (!self) {
        return;
    }
    if (!self->is_kept) {
        take_back_files(self);
    }
    for (size_t i = 0; i < self->count; i++) {
        close_page(&self->slots[i]);
    }
    close_log(self);
    if (self->lock >= 0) {
        mt_linux_unlock(self->run_dir, self->lock);
    }
    if (!self->is_kept) {
        take_back_folders(self);
    }
    free(self);
}
