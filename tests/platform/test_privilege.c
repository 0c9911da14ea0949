/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Giving up privileges cannot be undone, so each test does it in a child process and looks at
 * how the child fares.
 */
#include <arpa/inet.h>
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "netspace.h"
#include "platform/linux/linux_control.h"
#include "platform/linux/linux_privilege.h"

#define SKIPPED 99

/* the child's exit status; what it returns is 0 for good */
static int in_child(int (*act)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        _exit(act());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* a user namespace may know no user but root */
static int become_nobody(void)
{
    return setgid(65534) == 0 && setuid(65534) == 0 ? 0 : 1;
}

static bool is_real_root(void)
{
    return geteuid() == 0 && in_child(become_nobody) == 0;
}

static bool has(unsigned capability)
{
    capng_get_caps_process();
    return capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

static int drop_to_nobody(void)
{
    char reason[MT_HAL_REASON_SIZE];
    struct mt_privilege_options options = {.user = "nobody", .keeps_network = true};

    if (!mt_privilege_drop(&options, reason)) {
        fprintf(stderr, "%s\n", reason);
        return 1;
    }
    if (geteuid() == 0 || getuid() == 0 || setuid(0) == 0) {
        return 2;
    }
    if (!has(CAP_NET_BIND_SERVICE) || has(CAP_SYS_TIME) || has(CAP_SYS_ADMIN)) {
        return 3;
    }
    return 0;
}

static void privilege_keeps_what_is_needed_when_dropped(void **state)
{
    (void)state;
    if (!is_real_root()) {
        skip();
    }
    assert_int_equal(in_child(drop_to_nobody), 0);
}

/* Seen by this process alone. */
static int add_group(const char *line)
{
    char path[] = "/tmp/group.XXXXXX";
    int fd = mkstemp(path);
    int is_bad = fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line) ||
                 fchmod(fd, 0644) != 0 || unshare(CLONE_NEWNS) != 0 ||
                 mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) != 0 ||
                 mount(path, "/etc/group", 0, MS_BIND, 0) != 0;

    close(fd);
    unlink(path);
    return is_bad;
}

static int drop_with_groups(void)
{
    gid_t strangers[] = {4243};
    gid_t groups[8];
    int count;
    bool has_own = false;

    if (add_group("dialout:x:4242:nobody\nstaff:x:4243:\n") != 0) {
        return SKIPPED;
    }
    if (setgroups(1, strangers) != 0 || drop_to_nobody() != 0) {
        return 1;
    }
    count = getgroups(8, groups);
    for (int i = 0; i < count; i++) {
        has_own = has_own || groups[i] == 4242;
        if (groups[i] == 4243 || groups[i] == 0) {
            return 2;
        }
    }
    return has_own ? 0 : 3;
}

static void privilege_brings_the_users_own_groups_when_dropped(void **state)
{
    int status;

    (void)state;
    if (!is_real_root()) {
        skip();
    }
    status = in_child(drop_with_groups);
    if (status == SKIPPED) {
        skip();
    }
    assert_int_equal(status, 0);
}

static int drop_in_place(void)
{
    char reason[MT_HAL_REASON_SIZE];
    struct mt_privilege_options options = {.keeps_network = true};

    if (!mt_privilege_drop(&options, reason)) {
        return 1;
    }
    return has(CAP_SYS_ADMIN) || has(CAP_DAC_OVERRIDE) ? 2 : 0;
}

static void privilege_drops_capabilities_when_no_user_is_named(void **state)
{
    (void)state;
    assert_int_equal(in_child(drop_in_place), 0);
}

static int drop_to_stranger(void)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_privilege_options options = {.user = "no-such-user"};

    if (mt_privilege_drop(&options, reason)) {
        return 1;
    }
    return strstr(reason, "no-such-user") && strstr(reason, "adduser") ? 0 : 2;
}

static void privilege_names_the_remedy_when_there_is_no_such_user(void **state)
{
    (void)state;
    if (!is_real_root()) {
        skip();
    }
    assert_int_equal(in_child(drop_to_stranger), 0);
}

static int give_folder(void)
{
    char given[] = "/tmp/meantime-privilege-XXXXXX";
    const char *paths[] = {given, "/tmp/meantime-not-there", 0};
    struct mt_privilege_options options = {.user = "nobody", .paths = paths};
    char reason[MT_HAL_REASON_SIZE];
    struct stat status;
    char file[64];
    int fd;

    if (!mkdtemp(given) || !mt_privilege_drop(&options, reason)) {
        return 1;
    }
    snprintf(file, sizeof file, "%s/drift", given);
    fd = open(file, O_CREAT | O_WRONLY, 0644);
    if (fd < 0 || stat(given, &status) != 0 || status.st_uid != geteuid()) {
        return 2;
    }
    unlink(file);
    rmdir(given);
    return 0;
}

static void privilege_gives_the_folders_to_the_user_when_dropped(void **state)
{
    (void)state;
    if (!is_real_root()) {
        skip();
    }
    assert_int_equal(in_child(give_folder), 0);
}

/* ---- the system call filter -------------------------------------------------------------- */

static bool enter_sandbox(void)
{
    char reason[MT_HAL_REASON_SIZE] = "";

    if (mt_privilege_sandbox(MT_SANDBOX_REFUSE, reason)) {
        return true;
    }
    fprintf(stderr, "%s\n", reason);
    return false;
}

static int try_forbidden_calls(void)
{
    char *const arguments[] = {"/bin/true", 0};

    if (!enter_sandbox()) {
        return SKIPPED;
    }
    execv("/bin/true", arguments);
    if (errno != EPERM) {
        return 1;
    }
    if (socket(AF_INET, SOCK_STREAM, 0) < 0 || socket(AF_BLUETOOTH, SOCK_RAW, 0) >= 0 ||
        errno != EPERM) {
        return 2;
    }
    return chroot("/tmp") == 0 || errno != EPERM ? 3 : 0;
}

static void expect_result(int result)
{
    if (result == SKIPPED) {
        skip();
    }
    assert_int_equal(result, 0);
}

static void sandbox_refuses_what_the_daemon_never_does(void **state)
{
    (void)state;
    expect_result(in_child(try_forbidden_calls));
}

static char *answer(void *context, const char *line, uid_t uid)
{
    (void)context;
    (void)uid;
    return strdup(line);
}

static bool wait_for(struct mt_hal_wait *wait, enum mt_input_kind kind, bool is_up)
{
    struct mt_input input = {.kind = MT_INPUT_NONE};

    for (int i = 0; i < 20; i++) {
        wait->ops->next(wait, MT_MONO_NEVER, &input);
        if (input.kind == kind && input.is_up == is_up) {
            return true;
        }
    }
    return false;
}

static char folder[] = "/tmp/meantime-sandbox-XXXXXX";

/* everything that a daemon does while it runs: an interface comes back, frames are sent, pages,
 * drift and log are written, the control socket is removed */
static int live_in_sandbox(void)
{
    char log[64];
    char path[64];
    char lock[64];
    struct stat status;
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_linux_options options = {.run_dir = folder, .state_dir = folder, .input_log = log};
    struct mt_link_request link_request = {.interface = "v0", .ttl = 1};
    struct mt_clock_request clock_request = {.kind = MT_CLOCK_LAB, .name = "main"};
    struct mt_privilege_options drop = {.user = is_real_root() ? "nobody" : 0,
                                        .paths = (const char *const[]){folder, 0},
                                        .keeps_network = true};
    uint8_t sync[44] = {0, 2, 0, 44};
    struct mt_link_frame frame = {.bytes = sync,
                                  .length = sizeof sync,
                                  .destination = MT_LINK_PRIMARY,
                                  .is_event = true,
                                  .token = 1};
    struct mt_clock_page page = {.scale = MT_SCALE_TAI};
    struct mt_linux *platform;
    struct mt_hal_provider *provider;
    struct mt_hal_clock *clock;
    struct mt_hal_link *link;
    struct mt_control *control;
    struct mt_clock_reading reading;
    mt_real drift = 0;
    pid_t helper;

    snprintf(log, sizeof log, "%s/log", folder);
    snprintf(path, sizeof path, "%s/control", folder);
    snprintf(lock, sizeof lock, "%s/lock", folder);
    platform = mt_linux_open(&options, reason);
    provider = mt_linux_provider(platform);
    clock = provider->ops->open_clock(provider, &clock_request, reason);
    link = provider->ops->open_link(provider, 0, &link_request, reason);
    control = mt_control_open(platform, path, answer, 0, reason);
    if (!clock || !link || !control) {
        return 2;
    }
    helper = fork(); /* outside the sandbox: takes the interface away and gives it back */
    if (helper == 0) {
        usleep(500000);
        netspace_delete_pair();
        usleep(1000000);
        _exit(netspace_make_pair() ? 0 : 1);
    }
    if (!mt_privilege_drop(&drop, reason) || !enter_sandbox()) {
        fprintf(stderr, "%s\n", reason);
        return SKIPPED;
    }
    mt_linux_keep(platform);
    if (!wait_for(provider->wait, MT_INPUT_LINK, true) || !link->ops->send(link, &frame) ||
        !wait_for(provider->wait, MT_INPUT_TX_STAMP, false)) {
        return 3;
    }
    if (!wait_for(provider->wait, MT_INPUT_LINK, false) ||
        !wait_for(provider->wait, MT_INPUT_LINK, true) || !link->ops->send(link, &frame)) {
        fprintf(stderr, "%s\n", mt_linux_link_reason(platform, 0));
        return 4;
    }
    clock->ops->read(clock, &reading);
    provider->store->ops->publish(provider->store, 0, &page);
    provider->store->ops->save_drift(provider->store, 0, 1e-6);
    provider->store->ops->log(provider->store, sync, sizeof sync);
    if (!provider->store->ops->load_drift(provider->store, 0, &drift) || drift != 1e-6) {
        return 5;
    }
    mt_control_close(control);
    mt_linux_close(platform);
    if (access(path, F_OK) == 0 || access(lock, F_OK) == 0) {
        return 6;
    }
    return stat(log, &status) == 0 && status.st_size == sizeof sync ? 0 : 7;
}

static void sandbox_lets_the_daemon_live_when_its_interface_comes_back(void **state)
{
    int result;

    (void)state;
    assert_true(netspace_make_pair());
    assert_non_null(mkdtemp(folder));
    result = in_child(live_in_sandbox);
    assert_true(netspace_run("rm -r %s", folder)); /* the child may not any more */
    expect_result(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(privilege_keeps_what_is_needed_when_dropped),
        cmocka_unit_test(privilege_brings_the_users_own_groups_when_dropped),
        cmocka_unit_test(privilege_drops_capabilities_when_no_user_is_named),
        cmocka_unit_test(privilege_names_the_remedy_when_there_is_no_such_user),
        cmocka_unit_test(privilege_gives_the_folders_to_the_user_when_dropped),
        cmocka_unit_test(sandbox_refuses_what_the_daemon_never_does),
        cmocka_unit_test(sandbox_lets_the_daemon_live_when_its_interface_comes_back),
    };

    if (!netspace_enter()) {
        return TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, 0, 0);
}
