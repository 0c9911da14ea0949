/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Serial lines, on pseudo-terminals, and connections, on loopback.
 */
#include "platform/linux/linux_gnss.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BAUD     38400
#define GONE_S   30 /* who has been silent for so long is gone */
#define PATIENCE 6  /* attempts to connect */

static int far_end = -1;
static char near_end[64];

static int open_pair(void **state)
{
    (void)state;
    far_end = posix_openpt(O_RDWR | O_NOCTTY);
    if (far_end < 0 || grantpt(far_end) != 0 || unlockpt(far_end) != 0) {
        return -1;
    }
    return ptsname_r(far_end, near_end, sizeof near_end);
}

static int close_pair(void **state)
{
    (void)state;
    return close(far_end);
}

static void line_is_raw_and_left_as_it_was(void **state)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_linux_line line;
    struct termios now;
    int fd = mt_linux_line_open(near_end, BAUD, &line, reason);

    (void)state;
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(tcgetattr(far_end, &now), 0);
    assert_int_equal(cfgetispeed(&now), B38400);
    assert_int_equal(now.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), 0);
    assert_true((line.before.c_lflag & ICANON) != 0);
    mt_linux_line_close(fd, &line);
    assert_int_equal(tcgetattr(far_end, &now), 0);
    assert_true((now.c_lflag & ICANON) != 0);
    assert_int_equal(cfgetispeed(&now), cfgetispeed(&line.before));
}

static void line_is_refused_with_the_reason(void **state)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_linux_line line;

    (void)state;
    assert_int_equal(mt_linux_line_open(near_end, 11520, &line, reason), -1);
    assert_non_null(strstr(reason, "11520 baud"));
    assert_int_equal(mt_linux_line_open("/dev/ttyNone", BAUD, &line, reason), -1);
    assert_non_null(strstr(reason, "/dev/ttyNone: No such file"));
}

static int value_of(int fd, int option)
{
    int value = 0;
    socklen_t size = sizeof value;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, option, &value, &size), 0);
    return value;
}

/* Whoever only listens is not told that the other side has lost its power. */
static void stream_finds_out_when_the_other_side_is_gone(void **state)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    char where[40];
    char reason[MT_HAL_REASON_SIZE] = "";
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int is_on = 0;
    socklen_t length = sizeof is_on;
    int fd;

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&name, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    snprintf(where, sizeof where, "localhost:%u", ntohs(name.sin_port));
    fd = mt_linux_stream_connect(where, (struct mt_mono){0}, reason);
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &is_on, &length), 0);
    assert_int_equal(is_on, 1);
    assert_true(value_of(fd, TCP_KEEPIDLE) +
                    value_of(fd, TCP_KEEPINTVL) * value_of(fd, TCP_KEEPCNT) <=
                GONE_S);
    assert_true(value_of(fd, TCP_SYNCNT) < PATIENCE);
    close(fd);
    close(listener);
}

static void stream_is_refused_with_the_reason(void **state)
{
    char reason[MT_HAL_REASON_SIZE] = "";

    (void)state;
    assert_int_equal(mt_linux_stream_connect("nowhere", (struct mt_mono){0}, reason), -1);
    assert_string_equal(reason, "nowhere is no HOST:PORT");
    assert_int_equal(mt_linux_stream_connect("[]:1", (struct mt_mono){0}, reason), -1);
    assert_string_equal(reason, "[]:1 is no HOST:PORT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(line_is_raw_and_left_as_it_was, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(line_is_refused_with_the_reason, open_pair, close_pair),
        cmocka_unit_test(stream_finds_out_when_the_other_side_is_gone),
        cmocka_unit_test(stream_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
