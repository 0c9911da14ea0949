/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files that outlive an input: drift, input log, and the page files as such (what is in a page
 * is test_libmeantime.c's).
 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/linux/linux_platform.h"

struct fixture {
    char folder[64];
    char log[96];
    char drift[96];
    char page[96];
    char lock[96];
    char reason[MT_HAL_REASON_SIZE];
    struct mt_linux_options options;
    struct mt_linux *platform;
    struct mt_hal_provider *provider;
    struct mt_hal_store *store;
};

static void open_platform(struct fixture *self)
{
    self->platform = mt_linux_open(&self->options, self->reason);
    assert_non_null(self->platform);
    self->provider = mt_linux_provider(self->platform);
    self->store = self->provider->store;
}

static struct mt_hal_clock *open_clock(struct fixture *self, const char *name)
{
    struct mt_clock_request request = {.kind = MT_CLOCK_OVERLAY, .name = name};

    return self->provider->ops->open_clock(self->provider, &request, self->reason);
}

static int set_up(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);

    *state = self;
    snprintf(self->folder, sizeof self->folder, "/tmp/meantime-store-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->log, sizeof self->log, "%s/log", self->folder);
    snprintf(self->drift, sizeof self->drift, "%s/drift.main", self->folder);
    snprintf(self->page, sizeof self->page, "%s/clock.main", self->folder);
    snprintf(self->lock, sizeof self->lock, "%s/lock", self->folder);
    self->options = (struct mt_linux_options){
        .run_dir = self->folder, .state_dir = self->folder, .input_log = self->log, .seed = 5};
    open_platform(self);
    mt_linux_keep(self->platform);
    assert_non_null(open_clock(self, "main"));
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *self = *state;

    mt_linux_close(self->platform);
    unlink(self->log);
    unlink(self->drift);
    unlink(self->page);
    assert_int_equal(rmdir(self->folder), 0); /* nothing else was left behind */
    free(self);
    return 0;
}

static bool load(struct fixture *self, mt_real *ret_rate)
{
    return self->store->ops->load_drift(self->store, 0, ret_rate);
}

static void write_drift(const struct fixture *self, const char *text)
{
    FILE *file = fopen(self->drift, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void store_gives_back_the_drift_when_restarted(void **state)
{
    struct fixture *self = *state;
    mt_real rate = 7;

    assert_false(load(self, &rate));
    assert_true(rate == 7);
    self->store->ops->save_drift(self->store, 0, -1.23456789012345e-5);
    self->store->ops->save_drift(self->store, 0, 4.000000000000001e-5);
    mt_linux_close(self->platform);
    open_platform(self);
    assert_non_null(open_clock(self, "main"));
    assert_true(load(self, &rate));
    assert_true(rate == 4.000000000000001e-5);
}

static void store_has_no_drift_when_the_file_is_spoilt(void **state)
{
    static const char *const spoilt[] = {"", "fast", "0.2", "-1e9", "nan", "inf"};
    struct fixture *self = *state;
    mt_real rate = 7;

    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        write_drift(self, spoilt[i]);
        assert_false(load(self, &rate));
        assert_true(rate == 7);
    }
}

static void store_ignores_a_clock_that_was_not_opened(void **state)
{
    struct fixture *self = *state;
    struct mt_clock_page page = {.scale = MT_SCALE_TAI};
    mt_real rate;

    self->store->ops->publish(self->store, 1, &page);
    self->store->ops->save_drift(self->store, 1, 1e-6);
    assert_false(self->store->ops->load_drift(self->store, 1, &rate));
}

static void store_refuses_a_clock_when_its_name_is_no_file_name(void **state)
{
    static const char *const names[] = {
        "", "../x", "a/b", ".hidden",
        "a-name-that-is-much-too-long-to-be-the-name-of-a-clock-or-of-anything"};
    struct fixture *self = *state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_null(open_clock(self, names[i]));
        assert_non_null(strstr(self->reason, "cannot name a clock"));
    }
}

static void store_names_the_remedy_when_a_folder_cannot_be_made(void **state)
{
    struct fixture *self = *state;
    struct mt_linux_options options = {.run_dir = "/nowhere/meantime"};

    assert_null(mt_linux_open(&options, self->reason));
    assert_non_null(strstr(self->reason, "/nowhere/meantime"));
    assert_non_null(strstr(self->reason, "make it"));
    options = (struct mt_linux_options){.input_log = "/nowhere/log"};
    assert_null(mt_linux_open(&options, self->reason));
    assert_non_null(strstr(self->reason, "name another file"));
}

static void store_lets_everybody_read_a_page(void **state)
{
    struct fixture *self = *state;
    struct stat status;

    assert_int_equal(stat(self->page, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_true(status.st_size >= (off_t)sizeof(struct mt_clock_page));
}

static void store_refuses_a_page_when_it_is_a_link_elsewhere(void **state)
{
    struct fixture *self = *state;
    char link[96];

    snprintf(link, sizeof link, "%s/clock.other", self->folder);
    assert_int_equal(symlink("/tmp/meantime-victim", link), 0);
    assert_null(open_clock(self, "other"));
    assert_int_equal(access("/tmp/meantime-victim", F_OK), -1);
    unlink(link);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_file(const char *path, const char *expected)
{
    char text[32] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    assert_string_equal(text, expected);
}

static void log_text(struct fixture *self, const char *text)
{
    self->store->ops->log(self->store, (const uint8_t *)text, strlen(text));
}

static void store_appends_to_the_log(void **state)
{
    struct fixture *self = *state;

    log_text(self, "abc");
    log_text(self, "def");
    mt_linux_close(self->platform);
    assert_file(self->log, "abcdef");
    open_platform(self);
}

static void store_keeps_the_log_from_others_when_it_makes_it(void **state)
{
    struct fixture *self = *state;
    struct stat status;

    log_text(self, "keys");
    mt_linux_close(self->platform);
    assert_int_equal(stat(self->log, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    open_platform(self);
}

static void store_keeps_the_old_log_when_the_start_fails(void **state)
{
    struct fixture *self = *state;

    mt_linux_close(self->platform);
    write_file(self->log, "a run of yesterday");
    open_platform(self);
    log_text(self, "abc");
    mt_linux_close(self->platform);
    assert_file(self->log, "a run of yesterday");
    open_platform(self);
    log_text(self, "abc");
    mt_linux_keep(self->platform);
    log_text(self, "def");
    mt_linux_close(self->platform);
    assert_file(self->log, "abcdef");
    open_platform(self);
}

static void store_says_why_when_the_log_cannot_be_written_any_more(void **state)
{
    struct fixture *self = *state;
    struct mt_linux_options options = {.input_log = "/dev/full"};
    struct mt_linux *full = mt_linux_open(&options, self->reason);
    static const uint8_t much[100000];

    assert_non_null(full);
    struct mt_hal_store *store = mt_linux_provider(full)->store;
    mt_linux_keep(full);
    assert_null(mt_linux_log_problem(full));
    store->ops->log(store, much, sizeof much);
    assert_string_equal(mt_linux_log_problem(full), "No space left on device");
    store->ops->log(store, much, sizeof much);
    mt_linux_close(full);
    log_text(self, "abc");
    assert_null(mt_linux_log_problem(self->platform));
}

/* ---- a start that fails ------------------------------------------------------------------ */

/* The folder is ours, the page in it is root's. */
static void store_says_what_to_do_when_it_may_not_publish(void **state)
{
    const uid_t nobody = 65534;
    struct fixture *self = *state;
    struct mt_linux *platform;

    mt_linux_close(self->platform);
    bool is_root = geteuid() == 0 && chown(self->folder, nobody, nobody) == 0 &&
                   unlink(self->log) == 0 && seteuid(nobody) == 0;
    if (is_root) {
        platform = mt_linux_open(&self->options, self->reason);
        assert_non_null(platform);
        self->provider = mt_linux_provider(platform);
        assert_null(open_clock(self, "main"));
        mt_linux_close(platform);
        assert_int_equal(seteuid(0), 0);
        assert_non_null(strstr(self->reason, "cannot publish clock main in "));
        assert_non_null(strstr(self->reason, ": Permission denied; start as root or as the owner "
                                             "of the folder, or name another one with "
                                             "--run-directory DIRECTORY"));
    }
    open_platform(self);
    if (!is_root) {
        skip();
    }
}

static struct mt_linux *open_beside(const struct mt_linux_options *options, const char *clock)
{
    struct mt_clock_request request = {.kind = MT_CLOCK_OVERLAY, .name = clock};
    char reason[MT_HAL_REASON_SIZE];
    struct mt_linux *platform = mt_linux_open(options, reason);
    struct mt_hal_provider *provider;

    assert_non_null(platform);
    provider = mt_linux_provider(platform);
    assert_non_null(provider->ops->open_clock(provider, &request, reason));
    return platform;
}

static void store_leaves_nothing_when_the_start_fails(void **state)
{
    struct fixture *self = *state;
    char run[80];
    char states[80];
    char log[80];
    struct mt_linux_options options = {.run_dir = run, .state_dir = states, .input_log = log};

    snprintf(run, sizeof run, "%s/run", self->folder);
    snprintf(states, sizeof states, "%s/state", self->folder);
    snprintf(log, sizeof log, "%s/new-log", self->folder);
    mt_linux_close(open_beside(&options, "main"));
    assert_int_equal(access(run, F_OK), -1);
    assert_int_equal(access(states, F_OK), -1);
    assert_int_equal(access(log, F_OK), -1);
    options.input_log = "/nowhere/log"; /* ... at its very beginning */
    assert_null(mt_linux_open(&options, self->reason));
    assert_int_equal(access(run, F_OK), -1);
    assert_int_equal(access(states, F_OK), -1);
}

static void store_leaves_the_pages_of_others_when_the_start_fails(void **state)
{
    struct fixture *self = *state;

    mt_linux_close(self->platform); /* its page was there before */
    mt_linux_close(open_beside(&self->options, "main"));
    assert_int_equal(access(self->page, F_OK), 0);
    assert_int_equal(unlink(self->page), 0); /* somebody else's has taken its name */
    self->platform = open_beside(&self->options, "main");
    assert_int_equal(unlink(self->page), 0);
    write_file(self->page, "another");
    mt_linux_close(self->platform);
    assert_file(self->page, "another");
    assert_int_equal(unlink(self->page), 0); /* or a link that leads nowhere */
    assert_int_equal(symlink("/tmp/meantime-victim", self->page), 0);
    open_platform(self);
    assert_null(open_clock(self, "main"));
    mt_linux_close(self->platform);
    assert_int_equal(unlink(self->page), 0);
    open_platform(self);
}

/* ---- one daemon for each run folder ------------------------------------------------------- */

static void store_refuses_when_another_daemon_runs_in_the_folder(void **state)
{
    struct fixture *self = *state;
    struct mt_linux_options options = {.run_dir = self->folder};
    char expected[256];

    assert_null(mt_linux_open(&options, self->reason));
    snprintf(expected, sizeof expected,
             "another meantimed (pid %ld) runs in %s; stop it, or start this one with "
             "--run-directory DIRECTORY",
             (long)getpid(), self->folder);
    assert_string_equal(self->reason, expected);
    assert_int_equal(access(self->page, F_OK), 0);
    assert_int_equal(access(self->lock, F_OK), 0);
}

static void store_lets_only_its_owner_open_the_lock(void **state)
{
    struct fixture *self = *state;
    struct stat status;

    assert_int_equal(stat(self->lock, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    mt_linux_close(self->platform);
    assert_int_equal(access(self->lock, F_OK), -1);
    write_file(self->lock, "4000000000 of a daemon that was killed"); /* and anybody may read it */
    assert_int_equal(chmod(self->lock, 0644), 0);
    open_platform(self);
    assert_int_equal(stat(self->lock, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    snprintf(self->reason, sizeof self->reason, "%ld\n", (long)getpid());
    assert_file(self->lock, self->reason);
}

static void store_starts_when_a_reader_locks_a_page(void **state)
{
    struct fixture *self = *state;
    int fd = open(self->page, O_RDONLY);
    struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    assert_int_equal(flock(fd, LOCK_SH), 0);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
    mt_linux_close(self->platform);
    open_platform(self);
    assert_non_null(open_clock(self, "main"));
    close(fd);
}

static void entropy_follows_from_the_seed_when_there_is_one(void **state)
{
    static const struct mt_linux_options random;
    struct fixture *self = *state;
    struct mt_hal_entropy *fixed = self->provider->entropy;
    struct mt_linux *platform = mt_linux_open(&random, self->reason);
    struct mt_hal_entropy *free_running = mt_linux_provider(platform)->entropy;

    assert_int_equal(fixed->seed(fixed), 5);
    assert_int_equal(fixed->seed(fixed), 6);
    assert_int_not_equal(free_running->seed(free_running), free_running->seed(free_running));
    mt_linux_close(platform);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(store_gives_back_the_drift_when_restarted),
        STORE_TEST(store_has_no_drift_when_the_file_is_spoilt),
        STORE_TEST(store_ignores_a_clock_that_was_not_opened),
        STORE_TEST(store_refuses_a_clock_when_its_name_is_no_file_name),
        STORE_TEST(store_names_the_remedy_when_a_folder_cannot_be_made),
        STORE_TEST(store_lets_everybody_read_a_page),
        STORE_TEST(store_refuses_a_page_when_it_is_a_link_elsewhere),
        STORE_TEST(store_appends_to_the_log),
        STORE_TEST(store_says_why_when_the_log_cannot_be_written_any_more),
        STORE_TEST(store_says_what_to_do_when_it_may_not_publish),
        STORE_TEST(store_keeps_the_log_from_others_when_it_makes_it),
        STORE_TEST(store_keeps_the_old_log_when_the_start_fails),
        STORE_TEST(store_leaves_nothing_when_the_start_fails),
        STORE_TEST(store_leaves_the_pages_of_others_when_the_start_fails),
        STORE_TEST(store_refuses_when_another_daemon_runs_in_the_folder),
        STORE_TEST(store_lets_only_its_owner_open_the_lock),
        STORE_TEST(store_starts_when_a_reader_locks_a_page),
        STORE_TEST(entropy_follows_from_the_seed_when_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
