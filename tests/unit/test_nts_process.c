/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nts/nts_process.h"

#define LEAVE_TAKING_MS 200

struct place {
    int listener;
    struct sockaddr_in address;
};

static bool listen_at(struct place *self)
{
    const int yes = 1;
    socklen_t length = sizeof self->address;
    self->listener = socket(AF_INET, SOCK_STREAM, 0);
    return self->listener >= 0 &&
           setsockopt(self->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
           bind(self->listener, (struct sockaddr *)&self->address, length) == 0 &&
           listen(self->listener, 1) == 0 &&
           getsockname(self->listener, (struct sockaddr *)&self->address, &length) == 0;
}

static void settle(void *context, int fd)
{
}

/* It takes its time to leave, as on a busy machine. */
static void wait_for_the_end(void *context, int fd)
{
    struct pollfd daemon = {fd, POLLIN, 0};
    (void)poll(&daemon, 1, -1);
    (void)poll(NULL, 0, LEAVE_TAKING_MS);
}

static void process_has_left_its_port_when_it_is_awaited(void **state)
{
    struct place place = {.address = {.sin_family = AF_INET}};
    struct mt_nts_process process;
    struct mt_nts_message hello;
    place.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(listen_at(&place));
    assert_true(mt_nts_process_start(&process, settle, wait_for_the_end, &place));
    close(place.listener);
    struct pollfd here = {process.fd, POLLIN, 0};
    assert_int_equal(poll(&here, 1, -1), 1);
    assert_int_equal(mt_nts_receive(process.fd, &hello), MT_NTS_RECEIVED);
    mt_nts_process_stop(&process);
    assert_false(listen_at(&place));
    close(place.listener);
    mt_nts_process_await(&process);
    assert_true(listen_at(&place));
    close(place.listener);
    mt_nts_process_await(&process); /* again: there is nobody */
}

static void nobody_is_awaited_when_nothing_was_started(void **state)
{
    struct mt_nts_process process = {.fd = -1};
    mt_nts_process_stop(&process);
    mt_nts_process_await(&process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_has_left_its_port_when_it_is_awaited),
        cmocka_unit_test(nobody_is_awaited_when_nothing_was_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
