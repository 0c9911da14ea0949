/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * libmeantime.  A page is read as 32-bit words under a sequence number: copy, and copy again if
 * the number was odd or has changed.  The writer needs less than a microsecond for a page and
 * writes some ten times a second, so a second try is rare and a thousand mean that the writer
 * died half way.  The base clock is read after the copy: a correction that is published in
 * between makes the answer a few nanoseconds older than it could be, not wrong, for a page says
 * how its bound grows.
 * Today's pages count from CLOCK_BOOTTIME, which nobody can set: what others do to CLOCK_REALTIME
 * changes no answer.  A timestamp of CLOCK_REALTIME has to be carried over by reading both clocks
 * now; REALTIME between two readings of BOOTTIME, so that it is known how good that was.
 * The arithmetic is 64-bit; the one product that needs more is taken in halves, so that the
 * library is the same on 32-bit machines.
 */
#include "meantime.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES         1000
#define PAIR_TRIES    4
#define PAIR_GOOD_NS  200
#define WORD          sizeof(uint32_t)
#define WORDS         (sizeof(struct mt_clock_page) / WORD)
#define SEQUENCE_WORD (offsetof(struct mt_clock_page, sequence) / WORD)
#define LEAST_SIZE    offsetof(struct mt_clock_page, grandmaster) /* of any page there ever was */

struct mt_handle {
    const _Atomic uint32_t *words;
    size_t count; /* words that we may look at */
    uint64_t boot_id;
};

/* ---- the page --------------------------------------------------------------------------- */

static bool copy_once(const struct mt_handle *handle, uint32_t words[WORDS])
{
    uint32_t before = atomic_load_explicit(&handle->words[SEQUENCE_WORD], memory_order_acquire);

    for (size_t i = 0; i < handle->count; i++) {
        words[i] = atomic_load_explicit(&handle->words[i], memory_order_relaxed);
    }
    atomic_thread_fence(memory_order_acquire);
    return before % 2 == 0 &&
           before == atomic_load_explicit(&handle->words[SEQUENCE_WORD], memory_order_relaxed);
}

static enum mt_time_error judge(const struct mt_clock_page *page)
{
    if (page->magic != MT_CLOCK_PAGE_MAGIC || page->size < LEAST_SIZE) {
        return MT_TIME_NOT_PAGE;
    }
    return page->version == MT_CLOCK_PAGE_VERSION ? MT_TIME_OK : MT_TIME_VERSION;
}

/* what lies behind the page that the writer knows is not ours to interpret */
static void clear_unknown(struct mt_clock_page *page)
{
    if (page->size < sizeof *page) {
        memset((uint8_t *)page + page->size, 0, sizeof *page - page->size);
    }
}

enum mt_time_error mt_read_page(const struct mt_handle *handle, struct mt_clock_page *ret_page)
{
    uint32_t words[WORDS] = {0};
    struct mt_clock_page page;
    enum mt_time_error error;
    int tries = 1;

    while (!copy_once(handle, words)) {
        if (tries++ == TRIES) {
            return MT_TIME_BUSY;
        }
    }
    memcpy(&page, words, sizeof page);
    error = judge(&page);
    if (error == MT_TIME_OK) {
        clear_unknown(&page);
        *ret_page = page;
    }
    return error;
}

/* ---- arithmetic ------------------------------------------------------------------------- */

/* a * b / 2^64, rounded down */
static int64_t multiply_high(int64_t a, int64_t b)
{
    uint64_t a_low = (uint32_t)a;
    uint64_t b_low = (uint32_t)b;
    int64_t a_high = a >> 32;
    int64_t b_high = b >> 32;
    int64_t middle = a_high * (int64_t)b_low + (int64_t)(a_low * b_low >> 32);
    int64_t carry = (int64_t)a_low * b_high + (middle & UINT32_MAX);

    return a_high * b_high + (middle >> 32) + (carry >> 32);
}

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static int64_t subtract(int64_t a, int64_t b)
{
    int64_t rest;

    return __builtin_sub_overflow(a, b, &rest) ? (a < 0 ? INT64_MIN : INT64_MAX) : rest;
}

static int64_t multiply(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? ((a < 0) == (b < 0) ? INT64_MAX : INT64_MIN)
                                                  : product;
}

static struct timespec shift(struct timespec time, int64_t by_ns)
{
    int64_t ns = time.tv_nsec + by_ns % MT_NS_PER_S;
    int64_t s = add(time.tv_sec, by_ns / MT_NS_PER_S);

    if (ns < 0) {
        ns += MT_NS_PER_S;
        s--;
    } else if (ns >= MT_NS_PER_S) {
        ns -= MT_NS_PER_S;
        s++;
    }
    return (struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)ns};
}

/* ---- the answer ------------------------------------------------------------------------- */

/* Rounded up, with 1 ns for the rounding of the time itself. */
static int64_t bound_at(const struct mt_clock_page *page, int64_t elapsed_ns, int64_t window_ns)
{
    int64_t age_ns = elapsed_ns < 0 ? -elapsed_ns : elapsed_ns;
    int64_t growth_ns;

    if (page->bound_reference == MT_BOUND_NONE || page->bound_ns < 0 ||
        page->bound_growth_ppb < 0) {
        return MT_BOUND_UNKNOWN;
    }
    growth_ns = add(multiply(page->bound_growth_ppb, age_ns / MT_NS_PER_S),
                    multiply(page->bound_growth_ppb, age_ns % MT_NS_PER_S) / MT_NS_PER_S);
    return add(add(add(page->bound_ns, growth_ns), window_ns), 2);
}

/* A moment on the page's base clock. */
struct base_time {
    int64_t ns;
    int64_t window_ns; /* it may be wrong by this */
    int64_t now_ns;    /* what the base clock reads now */
};

/* A base clock that reads less than when the page was written was set back, or began anew when
 * the machine did: the writer is gone, or will write at once. */
static bool is_stale(const struct mt_handle *handle, const struct mt_clock_page *page,
                     const struct base_time *base)
{
    bool is_of_other_boot =
        page->boot_id != 0 && handle->boot_id != 0 && page->boot_id != handle->boot_id;

    return is_of_other_boot || base->ns > page->valid_until_base_ns ||
           base->now_ns < page->base_at_anchor_ns;
}

/* What the published time is still ahead of the estimate. */
static int64_t lag_at(const struct mt_clock_page *page, int64_t elapsed_ns)
{
    int64_t since_ns = elapsed_ns < 0 ? 0 : elapsed_ns;

    return since_ns < page->lag_span_ns
               ? add(page->lag_q16 >> 16, multiply_high(since_ns, page->lag_rate_q64))
               : 0;
}

static enum mt_time_error extrapolate(const struct mt_handle *handle,
                                      const struct mt_clock_page *page,
                                      const struct base_time *base,
                                      struct mt_now_result *ret_result)
{
    struct timespec anchor = {.tv_sec = (time_t)page->anchor_s, .tv_nsec = (long)page->anchor_ns};
    int64_t elapsed_ns;

    if (__builtin_sub_overflow(base->ns, page->base_at_anchor_ns, &elapsed_ns) ||
        elapsed_ns == INT64_MIN) {
        return MT_TIME_NOT_PAGE;
    }
    *ret_result = (struct mt_now_result){
        .time = shift(shift(anchor, elapsed_ns),
                      add(multiply_high(elapsed_ns, page->rate_q64), lag_at(page, elapsed_ns))),
        .bound_ns = bound_at(page, elapsed_ns, base->window_ns),
        .scale = (enum mt_timescale)page->scale,
        .state = (enum mt_clock_state)page->state,
        .bound_reference = (enum mt_bound_reference)page->bound_reference,
        .tai_utc_valid = page->tai_utc_valid != 0,
        .tai_minus_utc_s = page->tai_minus_utc_s,
        .leap_s = page->leap_s,
    };
    ret_result->earliest = shift(ret_result->time, -ret_result->bound_ns);
    ret_result->latest = shift(ret_result->time, ret_result->bound_ns);
    return is_stale(handle, page, base) ? MT_TIME_STALE : MT_TIME_OK;
}

/* ---- the base clock ----------------------------------------------------------------------- */

static int64_t to_ns(struct timespec time)
{
    return add(multiply(time.tv_sec, MT_NS_PER_S), time.tv_nsec);
}

static bool read_clock(clockid_t clock, int64_t *ret_ns)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0) {
        return false;
    }
    *ret_ns = to_ns(now);
    return true;
}

static bool read_base(uint16_t base, int64_t *ret_ns)
{
    switch (base) {
    case MT_BASE_REALTIME:
        return read_clock(CLOCK_REALTIME, ret_ns);
    case MT_BASE_MONOTONIC_RAW:
        return read_clock(CLOCK_MONOTONIC_RAW, ret_ns);
    case MT_BASE_BOOTTIME:
        return read_clock(CLOCK_BOOTTIME, ret_ns);
    case MT_BASE_MONOTONIC:
        return read_clock(CLOCK_MONOTONIC, ret_ns);
    }
    return false; /* a simulator's, or one that we do not know */
}

/* The tightest of a few: one may be torn by the scheduler. */
static bool carry_over(uint16_t base, int64_t realtime_ns, struct base_time *ret_base)
{
    *ret_base = (struct base_time){.window_ns = INT64_MAX};
    for (int i = 0; i < PAIR_TRIES && ret_base->window_ns > PAIR_GOOD_NS; i++) {
        int64_t first_ns;
        int64_t now_ns;
        int64_t last_ns;

        if (!read_base(base, &first_ns) || !read_clock(CLOCK_REALTIME, &now_ns) ||
            !read_base(base, &last_ns)) {
            return false;
        }
        if (last_ns - first_ns < ret_base->window_ns) {
            ret_base->window_ns = last_ns - first_ns;
            ret_base->now_ns = last_ns;
            ret_base->ns = add(subtract(realtime_ns, now_ns), first_ns + (last_ns - first_ns) / 2);
        }
    }
    ret_base->window_ns = (ret_base->window_ns + 1) / 2;
    return true;
}

static bool from_realtime(uint16_t base, int64_t realtime_ns, struct base_time *ret_base)
{
    switch (base) {
    case MT_BASE_REALTIME:
        *ret_base = (struct base_time){.ns = realtime_ns};
        return read_clock(CLOCK_REALTIME, &ret_base->now_ns);
    case MT_BASE_BOOTTIME:
    case MT_BASE_MONOTONIC:
        return carry_over(base, realtime_ns, ret_base);
    }
    return false;
}

enum mt_time_error mt_now(const struct mt_handle *handle, struct mt_now_result *ret_result)
{
    struct mt_clock_page page;
    struct base_time base = {0, 0, 0};
    enum mt_time_error error = mt_read_page(handle, &page);

    if (error != MT_TIME_OK) {
        return error;
    }
    if (!read_base(page.base, &base.ns)) {
        return MT_TIME_NO_BASE;
    }
    base.now_ns = base.ns;
    return extrapolate(handle, &page, &base, ret_result);
}

enum mt_time_error mt_at(const struct mt_handle *handle, struct timespec realtime,
                         struct mt_now_result *ret_result)
{
    struct mt_clock_page page;
    struct base_time base;
    enum mt_time_error error = mt_read_page(handle, &page);

    if (error != MT_TIME_OK) {
        return error;
    }
    if (!from_realtime(page.base, to_ns(realtime), &base)) {
        return MT_TIME_NO_BASE;
    }
    return extrapolate(handle, &page, &base, ret_result);
}

/* ---- opening and closing ----------------------------------------------------------------- */

/* 0 if it cannot be told, as in a sandbox */
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

/* The file may be longer than the page that we know: it has room to grow. */
static enum mt_time_error map(int fd, struct mt_handle *handle)
{
    struct stat status;
    void *memory;

    if (fstat(fd, &status) != 0) {
        return MT_TIME_NO_PAGE;
    }
    if (!S_ISREG(status.st_mode) || status.st_size < (off_t)LEAST_SIZE) {
        return MT_TIME_NOT_PAGE;
    }
    handle->count = status.st_size < (off_t)sizeof(struct mt_clock_page)
                        ? (size_t)status.st_size / WORD
                        : WORDS;
    memory = mmap(NULL, handle->count * WORD, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return MT_TIME_NO_PAGE;
    }
    handle->words = memory;
    return MT_TIME_OK;
}

static enum mt_time_error open_page(const char *path, struct mt_handle *handle)
{
    struct mt_clock_page page;
    int fd = open(path ? path : MT_DEFAULT_PAGE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum mt_time_error error;

    if (fd < 0) {
        return MT_TIME_NO_PAGE;
    }
    error = map(fd, handle);
    close(fd);
    if (error == MT_TIME_OK) {
        handle->boot_id = read_boot_id();
        error = mt_read_page(handle, &page);
        if (error == MT_TIME_BUSY) { /* it may be being written just now: that will pass */
            error = MT_TIME_OK;
        }
    }
    return error;
}

struct mt_handle *mt_open(const char *path, enum mt_time_error *ret_error)
{
    struct mt_handle *handle = calloc(1, sizeof *handle);
    enum mt_time_error error = handle ? open_page(path, handle) : MT_TIME_NO_MEMORY;

    if (ret_error) {
        *ret_error = error;
    }
    if (error != MT_TIME_OK) {
        mt_close(handle);
        return NULL;
    }
    return handle;
}

void mt_close(struct mt_handle *handle)
{
    if (handle && handle->words) {
        munmap((void *)(uintptr_t)handle->words, handle->count * WORD);
    }
    free(handle);
}

const char *mt_strerror(enum mt_time_error error)
{
    switch (error) {
    case MT_TIME_OK:
        return "no error";
    case MT_TIME_STALE:
        return "the clock page is out of date: meantimed does not run";
    case MT_TIME_NO_PAGE:
        return "cannot open the clock page";
    case MT_TIME_NOT_PAGE:
        return "the file is no clock page";
    case MT_TIME_VERSION:
        return "the clock page has a version that this library does not understand";
    case MT_TIME_BUSY:
        return "the clock page is half written: meantimed has died";
    case MT_TIME_NO_BASE:
        return "the base clock of the page cannot be read here";
    case MT_TIME_NO_MEMORY:
        return "out of memory";
    }
    return "unknown error";
}
