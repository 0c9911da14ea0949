/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The control socket with real clients, all in one thread: the poll loop is turned by hand.
 */
#include <errno.h>
#include <fcntl.h>
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

#include "platform/linux/linux_control.h"

#define BIG_REPLY (4 * 1024 * 1024)

struct fixture {
    char folder[64];
    char path[96];
    struct mt_linux *platform;
    struct mt_control *control;
    char reason[MT_HAL_REASON_SIZE];
    int requests;
    uid_t uid;
};

/* echoes; "big" gives a large reply, "quit" closes */
static char *echo(void *context, const char *line, uid_t uid)
{
    struct fixture *self = context;
    char *reply;

    self->requests++;
    self->uid = uid;
    if (strcmp(line, "quit") == 0) {
        return 0;
    }
    if (strcmp(line, "big") != 0) {
        return strdup(line);
    }
    reply = malloc(BIG_REPLY + 1);
    memset(reply, 'x', BIG_REPLY);
    reply[BIG_REPLY] = 0;
    return reply;
}

static void open_control(struct fixture *self)
{
    self->control = mt_control_open(self->platform, self->path, echo, self, self->reason);
}

static int set_up(void **state)
{
    static const struct mt_linux_options no_files;
    struct fixture *self = calloc(1, sizeof *self);

    *state = self;
    snprintf(self->folder, sizeof self->folder, "/tmp/meantime-control-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/control", self->folder);
    self->platform = mt_linux_open(&no_files, self->reason);
    assert_non_null(self->platform);
    open_control(self);
    assert_non_null(self->control);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *self = *state;

    mt_control_close(self->control);
    mt_linux_close(self->platform);
    unlink(self->path);
    assert_int_equal(rmdir(self->folder), 0);
    free(self);
    return 0;
}

static void turn(struct fixture *self, int times)
{
    struct mt_hal_wait *wait = mt_linux_provider(self->platform)->wait;
    struct mt_input input;

    for (int i = 0; i < times; i++) {
        wait->ops->next(wait, (struct mt_mono){0}, &input);
        assert_int_equal(input.kind, MT_INPUT_NONE);
    }
}

static int connect_client(struct fixture *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, self->path, strlen(self->path));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    turn(self, 2);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect(int fd, const char *text)
{
    char buffer[256] = "";

    assert_int_equal(read(fd, buffer, sizeof buffer - 1), (ssize_t)strlen(text));
    assert_string_equal(buffer, text);
}

static bool is_closed(int fd)
{
    char octet;
    ssize_t got = read(fd, &octet, 1);

    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static void control_answers_when_a_line_comes(void **state)
{
    struct fixture *self = *state;
    int fd = connect_client(self);

    say(fd, "{\"command\":\"ping\"}\n");
    turn(self, 1);
    expect(fd, "{\"command\":\"ping\"}\n");
    assert_int_equal(self->uid, getuid());
    say(fd, "with carriage return\r\n");
    turn(self, 1);
    expect(fd, "with carriage return\n");
    close(fd);
}

static void control_waits_when_a_line_comes_in_pieces(void **state)
{
    struct fixture *self = *state;
    int fd = connect_client(self);

    say(fd, "hal");
    turn(self, 3);
    assert_int_equal(self->requests, 0);
    say(fd, "f\n");
    turn(self, 1);
    expect(fd, "half\n");
    close(fd);
}

static void control_answers_one_request_a_turn_when_many_come_at_once(void **state)
{
    struct fixture *self = *state;
    int fd = connect_client(self);

    say(fd, "1\n2\n3\n");
    for (int i = 1; i <= 3; i++) {
        turn(self, 1);
        assert_int_equal(self->requests, i);
    }
    expect(fd, "1\n2\n3\n");
    shutdown(fd, SHUT_WR);
    turn(self, 2);
    assert_true(is_closed(fd));
    close(fd);
}

static void control_answers_when_the_client_has_closed_its_half(void **state)
{
    struct fixture *self = *state;
    int fd = connect_client(self);

    say(fd, "a\nb\n");
    shutdown(fd, SHUT_WR);
    turn(self, 4);
    expect(fd, "a\nb\n");
    assert_true(is_closed(fd));
    close(fd);
}

static void control_drops_a_client_when_its_line_is_too_long(void **state)
{
    struct fixture *self = *state;
    int fd = connect_client(self);
    char *line = malloc(MT_CONTROL_LINE_SIZE);
    size_t sent = 0;

    memset(line, 'a', MT_CONTROL_LINE_SIZE);
    for (int i = 0; i < 1000 && sent < MT_CONTROL_LINE_SIZE; i++) {
        ssize_t more = send(fd, line + sent, MT_CONTROL_LINE_SIZE - sent, MSG_NOSIGNAL);

        sent += more > 0 ? (size_t)more : 0;
        turn(self, 1);
    }
    turn(self, 3);
    assert_true(is_closed(fd));
    assert_int_equal(self->requests, 0);
    close(fd);
    fd = connect_client(self); /* the longest that is allowed */
    line[MT_CONTROL_LINE_SIZE - 1] = '\n';
    sent = 0;
    for (int i = 0; i < 1000 && self->requests == 0; i++) {
        ssize_t more = send(fd, line + sent, MT_CONTROL_LINE_SIZE - sent, MSG_NOSIGNAL);

        sent += more > 0 ? (size_t)more : 0;
        turn(self, 1);
    }
    assert_int_equal(self->requests, 1);
    free(line);
    close(fd);
}

static void control_sends_all_when_the_client_reads_in_its_own_time(void **state)
{
    struct fixture *self = *state;
    int fd = connect_client(self);
    static char buffer[65536];
    size_t total = 0;

    say(fd, "big\nnext\n");
    for (int i = 0; i < 10000 && total < BIG_REPLY + 1; i++) {
        ssize_t got;

        turn(self, 1);
        got = read(fd, buffer, sizeof buffer);
        total += got > 0 ? (size_t)got : 0;
    }
    assert_int_equal(total, BIG_REPLY + 1);
    turn(self, 2);
    expect(fd, "next\n");
    close(fd);
}

static void control_drops_a_client_when_it_takes_no_replies(void **state)
{
    struct fixture *self = *state;
    int slow = connect_client(self);
    int other = connect_client(self);
    struct mt_hal_wait *wait = mt_linux_provider(self->platform)->wait;
    struct mt_mono begin = wait->ops->now(wait);
    static char buffer[1024 * 1024];
    ssize_t got = 1;

    say(slow, "big\n");
    turn(self, 3);
    say(other, "still served\n");
    turn(self, 2);
    expect(other, "still served\n");
    while (wait->ops->now(wait).ns < begin.ns + MT_CONTROL_PATIENCE_NS + 1000000000) {
        struct mt_input input;

        wait->ops->next(wait, MT_MONO_NEVER, &input);
    }
    while (got > 0) {
        got = read(slow, buffer, sizeof buffer);
    }
    assert_int_equal(got, 0);
    close(slow);
    close(other);
}

static void control_makes_room_when_all_places_are_taken(void **state)
{
    struct fixture *self = *state;
    int idle[MT_CONTROL_CLIENTS];
    int fd;

    for (int i = 0; i < MT_CONTROL_CLIENTS; i++) {
        idle[i] = connect_client(self);
    }
    say(idle[0], "x\n");
    turn(self, 2);
    fd = connect_client(self);
    say(fd, "y\n");
    turn(self, 2);
    expect(fd, "y\n");
    expect(idle[0], "x\n");
    assert_true(is_closed(idle[1])); /* silent the longest */
    for (int i = 0; i < MT_CONTROL_CLIENTS; i++) {
        close(idle[i]);
    }
    close(fd);
}

static void control_closes_when_the_handler_says_so(void **state)
{
    struct fixture *self = *state;
    int fd = connect_client(self);

    say(fd, "quit\n");
    turn(self, 1);
    assert_true(is_closed(fd));
    close(fd);
}

static void control_refuses_when_somebody_listens(void **state)
{
    struct fixture *self = *state;
    struct mt_control *second =
        mt_control_open(self->platform, self->path, echo, self, self->reason);

    assert_null(second);
    assert_non_null(strstr(self->reason, "another meantimed"));
    assert_int_equal(access(self->path, F_OK), 0);
}

static void control_replaces_the_file_when_nobody_listens(void **state)
{
    struct fixture *self = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    int fd;

    mt_control_close(self->control);
    assert_int_equal(access(self->path, F_OK), -1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memcpy(address.sun_path, self->path, strlen(self->path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    open_control(self);
    assert_non_null(self->control);
    assert_int_equal(stat(self->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0666);
    close(connect_client(self));
}

static void control_leaves_the_file_when_it_is_no_socket(void **state)
{
    struct fixture *self = *state;
    int fd;

    mt_control_close(self->control);
    fd = open(self->path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    open_control(self);
    assert_null(self->control);
    assert_non_null(strstr(self->reason, "no socket"));
    assert_int_equal(access(self->path, F_OK), 0);
}

static void control_names_the_remedy_when_the_folder_is_missing(void **state)
{
    struct fixture *self = *state;

    assert_null(mt_control_open(self->platform, "/nowhere/control", echo, self, self->reason));
    assert_non_null(strstr(self->reason, "make the folder"));
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(control_answers_when_a_line_comes),
        CONTROL_TEST(control_waits_when_a_line_comes_in_pieces),
        CONTROL_TEST(control_answers_one_request_a_turn_when_many_come_at_once),
        CONTROL_TEST(control_answers_when_the_client_has_closed_its_half),
        CONTROL_TEST(control_drops_a_client_when_its_line_is_too_long),
        CONTROL_TEST(control_sends_all_when_the_client_reads_in_its_own_time),
        CONTROL_TEST(control_drops_a_client_when_it_takes_no_replies),
        CONTROL_TEST(control_makes_room_when_all_places_are_taken),
        CONTROL_TEST(control_closes_when_the_handler_says_so),
        CONTROL_TEST(control_refuses_when_somebody_listens),
        CONTROL_TEST(control_replaces_the_file_when_nobody_listens),
        CONTROL_TEST(control_leaves_the_file_when_it_is_no_socket),
        CONTROL_TEST(control_names_the_remedy_when_the_folder_is_missing),
    };

    return cmocka_run_group_tests(tests, 0, 0);
}
