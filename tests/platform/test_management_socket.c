/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The management sockets with real clients, all in one thread: the poll loop is turned by hand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/linux/linux_platform.h"

#define LINK 3

struct fixture {
    char folder[64];
    char path[96]; /* where linuxptp's programs look */
    struct mt_linux *platform;
    struct mt_hal_provider *provider;
    struct mt_hal_link *link;
    char reason[MT_HAL_REASON_SIZE];
};

static void open_link(struct fixture *self)
{
    static const struct mt_linux_options no_files;
    const struct mt_link_request request = {
        .interface = self->folder, .transport = MT_TRANSPORT_LOCAL, .local_socket = self->path};
    self->platform = mt_linux_open(&no_files, self->reason);
    assert_non_null(self->platform);
    self->provider = mt_linux_provider(self->platform);
    self->reason[0] = 0;
    self->link = self->provider->ops->open_link(self->provider, LINK, &request, self->reason);
}

static int set_up(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    strcpy(self->folder, "/tmp/mt-management-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/ptp4l", self->folder);
    open_link(self);
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *self = *state;
    mt_linux_close(self->platform);
    rmdir(self->folder);
    free(self);
    return 0;
}

static struct sockaddr_un address_of(const struct fixture *self, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", self->folder, name);
    return address;
}

/* A client with a name of its own, or with one from the kernel. */
static int client(const struct fixture *self, const char *name)
{
    struct sockaddr_un own = address_of(self, name != NULL ? name : "");
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&own, name != NULL ? sizeof own : sizeof own.sun_family), 0);
    return fd;
}

static void say(const struct fixture *self, int fd, const char *server, const char *words)
{
    struct sockaddr_un there = address_of(self, server);
    assert_int_equal(sendto(fd, words, strlen(words), 0, (struct sockaddr *)&there, sizeof there),
                     (ssize_t)strlen(words));
}

static bool next(struct fixture *self, struct mt_input *ret_input)
{
    struct mt_hal_wait *wait = self->provider->wait;
    for (int i = 0; i < 10; i++) {
        wait->ops->next(wait, wait->ops->now(wait), ret_input);
        if (ret_input->kind == MT_INPUT_FRAME) {
            return true;
        }
    }
    return false;
}

static bool answer(struct fixture *self, const struct mt_address *to, const char *words)
{
    const struct mt_link_frame frame = {.bytes = (const uint8_t *)words,
                                        .length = strlen(words),
                                        .destination = MT_LINK_ADDRESS,
                                        .to = *to};
    return self->link->ops->send(self->link, &frame);
}

static void assert_heard(int fd, const char *words)
{
    char buffer[32] = "";
    assert_int_equal(recv(fd, buffer, sizeof buffer, MSG_DONTWAIT), (ssize_t)strlen(words));
    assert_string_equal(buffer, words);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void management_socket_says_by_which_socket_a_client_came_and_answers_it(void **state)
{
    static const struct {
        const char *socket;
        uint8_t network;
    } sockets[] = {{"ptp-rw", MT_NETWORK_LOCAL_READ_WRITE},
                   {"ptp-ro", MT_NETWORK_LOCAL_READ_ONLY},
                   {"ptp4l", MT_NETWORK_LOCAL_READ_WRITE},
                   {"ptp4lro", MT_NETWORK_LOCAL_READ_ONLY}};
    struct fixture *self = *state;
    struct mt_input input;
    int named = client(self, "pmc.1");
    int nameless = client(self, NULL);
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        for (int k = 0; k < 2; k++) {
            int fd = k == 0 ? named : nameless;
            say(self, fd, sockets[i].socket, "question");
            assert_true(next(self, &input));
            assert_int_equal(input.link, LINK);
            assert_int_equal(input.length, 8);
            assert_int_equal(input.from.network, sockets[i].network);
            assert_true(answer(self, &input.from, "answer"));
            assert_heard(fd, "answer");
        }
    }
    close(named);
    close(nameless);
    unlink(address_of(self, "pmc.1").sun_path);
}

static void management_socket_is_writable_by_its_owner_alone(void **state)
{
    struct fixture *self = *state;
    struct stat status;
    assert_int_equal(stat(address_of(self, "ptp-rw").sun_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_int_equal(stat(address_of(self, "ptp-ro").sun_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0666);
}

static void management_socket_knows_a_client_again_and_forgets_one_that_is_gone(void **state)
{
    struct fixture *self = *state;
    struct mt_input first;
    struct mt_input second;
    int one = client(self, "pmc.1");
    int other = client(self, "pmc.2");
    say(self, one, "ptp-rw", "a");
    assert_true(next(self, &first));
    say(self, other, "ptp-rw", "b");
    assert_true(next(self, &second));
    assert_false(mt_address_equal(&first.from, &second.from));
    assert_true(answer(self, &first.from, "x")); /* not the newest */
    say(self, one, "ptp-rw", "c");
    assert_true(next(self, &second));
    assert_true(mt_address_equal(&first.from, &second.from));
    close(one);
    unlink(address_of(self, "pmc.1").sun_path);
    assert_false(answer(self, &first.from, "x"));
    assert_false(answer(self, &first.from, "x"));
    assert_int_equal(self->link->counters.send_failed, 2);
    close(other);
    unlink(address_of(self, "pmc.2").sun_path);
}

static void management_socket_forgets_who_came_first_when_there_are_too_many(void **state)
{
    struct fixture *self = *state;
    struct mt_input first;
    struct mt_input input;
    int fds[65];
    for (int i = 0; i < 65; i++) {
        fds[i] = client(self, NULL);
        say(self, fds[i], "ptp-ro", "a");
        assert_true(next(self, i == 0 ? &first : &input));
    }
    assert_false(answer(self, &first.from, "x"));
    assert_true(answer(self, &input.from, "x"));
    for (int i = 0; i < 65; i++) {
        close(fds[i]);
    }
}

static void management_socket_ignores_who_cannot_be_answered(void **state)
{
    struct fixture *self = *state;
    struct mt_input input;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    say(self, fd, "ptp-rw", "a");
    assert_false(next(self, &input));
    close(fd);
}

static void management_socket_takes_the_place_of_one_left_over_but_of_no_other(void **state)
{
    struct fixture *self = *state;
    struct fixture second = *self;
    struct sockaddr_un path = address_of(self, "ptp-rw");
    open_link(&second); /* the first is alive */
    assert_null(second.link);
    assert_non_null(strstr(second.reason, "ptp-rw"));
    mt_linux_close(second.platform);
    mt_linux_close(self->platform);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0); /* somebody who died */
    assert_int_equal(bind(fd, (struct sockaddr *)&path, sizeof path), 0);
    close(fd);
    open_link(self);
    assert_non_null(self->link);
    mt_linux_close(self->platform);
    assert_int_equal(access(path.sun_path, F_OK), -1); /* nothing stays behind */
    FILE *file = fopen(path.sun_path, "w");            /* no socket at all */
    fclose(file);
    open_link(self);
    assert_null(self->link);
    assert_int_equal(access(path.sun_path, F_OK), 0);
    unlink(path.sun_path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(management_socket_says_by_which_socket_a_client_came_and_answers_it),
        TEST(management_socket_is_writable_by_its_owner_alone),
        TEST(management_socket_knows_a_client_again_and_forgets_one_that_is_gone),
        TEST(management_socket_forgets_who_came_first_when_there_are_too_many),
        TEST(management_socket_ignores_who_cannot_be_answered),
        TEST(management_socket_takes_the_place_of_one_left_over_but_of_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
