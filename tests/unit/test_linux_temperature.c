/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Thermometers: files as the kernel has them for hwmon and thermal zones, good, spoilt and gone.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/linux/linux_listen.h"

#define MS   INT64_C(1000000)
#define LINK 3

struct fixture {
    char folder[64];
    char path[96];
    char reason[MT_HAL_REASON_SIZE];
    struct mt_linux *platform;
    struct mt_hal_provider *provider;
    struct mt_hal_link *link;
    unsigned told_down; /* so often */
    unsigned told_up;
};

static int set_up(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    const struct mt_linux_options options = {.seed = 5};

    *state = self;
    snprintf(self->folder, sizeof self->folder, "/tmp/meantime-temperature-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/temp1_input", self->folder);
    self->platform = mt_linux_open(&options, self->reason);
    assert_non_null(self->platform);
    self->provider = mt_linux_provider(self->platform);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *self = *state;

    mt_linux_close(self->platform);
    unlink(self->path);
    assert_int_equal(rmdir(self->folder), 0);
    free(self);
    return 0;
}

static void put(const struct fixture *self, const char *text)
{
    FILE *file = fopen(self->path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void open_thermometer(struct fixture *self, int64_t poll_ns)
{
    const struct mt_link_request request = {
        .interface = self->path, .transport = MT_TRANSPORT_TEMPERATURE, .poll_ns = poll_ns};

    self->link = self->provider->ops->open_link(self->provider, LINK, &request, self->reason);
}

/* What the next wait of `ms` gives; thousandths of a degree, INT32_MIN if it is nothing. */
static int32_t reading(struct fixture *self, int64_t ms)
{
    struct mt_hal_wait *wait = self->provider->wait;
    struct mt_input input;

    wait->ops->next(wait, mt_mono_plus(wait->ops->now(wait), ms * MS), &input);
    while (input.kind == MT_INPUT_LINK) {
        assert_int_equal(input.link, LINK);
        self->told_down += !input.is_up;
        self->told_up += input.is_up;
        wait->ops->next(wait, mt_mono_plus(wait->ops->now(wait), ms * MS), &input);
    }
    if (input.kind == MT_INPUT_NONE) {
        return INT32_MIN;
    }
    assert_int_equal(input.kind, MT_INPUT_FRAME);
    assert_int_equal(input.link, LINK);
    assert_int_equal(input.length, 4);
    return (int32_t)((uint32_t)input.bytes[0] | (uint32_t)input.bytes[1] << 8 |
                     (uint32_t)input.bytes[2] << 16 | (uint32_t)input.bytes[3] << 24);
}

/* Once its time has come: it is asked again at once. */
static int32_t look(struct fixture *self)
{
    usleep(2000);
    return reading(self, 0);
}

static const char *fault(const struct fixture *self)
{
    return mt_linux_listeners_reason(self->platform, LINK);
}

static void thermometer_tells_thousandths_of_a_degree_when_a_driver_does(void **state)
{
    static const struct {
        const char *text;
        int32_t milli;
    } files[] = {{"45000\n", 45000},         {"45125", 45125},     {"0\n", 0},
                 {"-5000\n", -5000},         {"-1\n", -1},         {"999999\n", 999999},
                 {"-999999\n", -999999},     {"  38500\n", 38500}, {"65535\n", 65535},
                 {"31000\nsomething", 31000}};
    struct fixture *self = *state;

    put(self, files[0].text);
    open_thermometer(self, MS);
    assert_non_null(self->link);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        put(self, files[i].text);
        assert_int_equal(look(self), files[i].milli);
        assert_string_equal(fault(self), "");
        assert_int_equal(self->link->counters.received, i + 1);
    }
}

static void thermometer_says_nothing_when_the_file_holds_no_temperature(void **state)
{
    static const char *const files[] = {"",
                                        "\n",
                                        "warm\n",
                                        "45.0\n",
                                        "45000 C\n",
                                        "0x10\n",
                                        "-\n",
                                        "1000000\n",
                                        "-1000000\n",
                                        "4294967296\n",
                                        "99999999999999999999\n",
                                        "-99999999999999999999\n",
                                        "-9223372036854775808\n",
                                        "000000000000000000000000000000000000045000\n"};
    struct fixture *self = *state;

    put(self, "45000\n");
    open_thermometer(self, MS);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        put(self, files[i]);
        assert_int_equal(look(self), INT32_MIN);
        assert_non_null(strstr(fault(self), self->path));
        assert_non_null(strstr(fault(self), "gives no temperature"));
    }
    assert_int_equal(self->link->counters.received, 0);
    put(self, "46000\n"); /* it has recovered */
    assert_int_equal(look(self), 46000);
    assert_string_equal(fault(self), "");
}

/* Not the start of it alone, as if that were all. */
static void thermometer_says_nothing_when_the_number_is_longer_than_any(void **state)
{
    struct fixture *self = *state;
    char text[5000];

    memset(text, '0', sizeof text);
    memcpy(text + sizeof text - 7, "45000\n", 7);
    put(self, text);
    open_thermometer(self, MS);
    assert_int_equal(look(self), INT32_MIN);
    assert_non_null(strstr(fault(self), "gives no temperature"));
}

static void thermometer_is_waited_for_when_there_is_none(void **state)
{
    struct fixture *self = *state;

    open_thermometer(self, MS);
    assert_non_null(self->link);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(look(self), INT32_MIN);
        assert_int_equal(self->told_down, 1); /* at once, and once */
    }
    assert_non_null(strstr(fault(self), self->path));
    assert_non_null(strstr(fault(self), "No such file or directory; waiting for it"));
    put(self, "45000\n");
    assert_int_equal(look(self), 45000);
    assert_int_equal(self->told_up, 1);
    assert_string_equal(fault(self), "");
    assert_int_equal(look(self), 45000);
    assert_int_equal(self->told_up, 1);
    assert_int_equal(self->told_down, 1);
}

static void thermometer_is_called_silent_when_its_last_reading_is_not_believed_any_more(
    void **state)
{
    struct fixture *self = *state;

    put(self, "45000\n");
    open_thermometer(self, MS);
    assert_int_equal(look(self), 45000);
    for (int busy = 0; busy < 3; busy++) {
        put(self, "");
        for (int i = 0; i < 9; i++) {
            assert_int_equal(look(self), INT32_MIN);
        }
        assert_int_equal(self->told_down, 0);
        put(self, "45000\n");
        assert_int_equal(look(self), 45000);
    }
    put(self, "");
    for (int i = 0; i < 30; i++) {
        assert_int_equal(self->told_down, i >= 10);
        assert_int_equal(look(self), INT32_MIN);
    }
    assert_int_equal(self->told_down, 1);
    assert_int_equal(self->told_up, 0);
    put(self, "46000\n");
    assert_int_equal(look(self), 46000);
    assert_int_equal(self->told_up, 1);
}

static void thermometer_is_not_opened_when_it_may_not_be_read(void **state)
{
    struct fixture *self = *state;

    put(self, "45000\n");
    assert_int_equal(unlink(self->path), 0);
    assert_int_equal(symlink(self->path, self->path), 0); /* also for root */
    open_thermometer(self, MS);
    assert_null(self->link);
    assert_non_null(strstr(self->reason, "cannot read the thermometer"));
}

/* A folder can be opened, but each reading fails, as that of a sensor whose driver is gone. */
static void thermometer_is_opened_again_when_reading_fails(void **state)
{
    struct fixture *self = *state;

    assert_int_equal(mkdir(self->path, 0700), 0);
    open_thermometer(self, MS);
    assert_non_null(self->link);
    assert_int_equal(look(self), INT32_MIN);
    assert_non_null(strstr(fault(self), "cannot read the thermometer"));
    assert_non_null(strstr(fault(self), "Is a directory"));
    assert_int_equal(rmdir(self->path), 0);
    assert_int_equal(look(self), INT32_MIN);
    assert_non_null(strstr(fault(self), "No such file"));
    put(self, "45000\n"); /* loaded anew */
    assert_int_equal(look(self), 45000);
    assert_string_equal(fault(self), "");
}

static void thermometer_is_read_no_oftener_than_asked(void **state)
{
    struct fixture *self = *state;

    put(self, "45000\n");
    open_thermometer(self, 100000 * MS);
    assert_int_equal(reading(self, 0), 45000); /* at once */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(look(self), INT32_MIN);
    }
    assert_int_equal(self->link->counters.received, 1);
}

#define THERMOMETER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THERMOMETER_TEST(thermometer_tells_thousandths_of_a_degree_when_a_driver_does),
        THERMOMETER_TEST(thermometer_says_nothing_when_the_file_holds_no_temperature),
        THERMOMETER_TEST(thermometer_says_nothing_when_the_number_is_longer_than_any),
        THERMOMETER_TEST(thermometer_is_waited_for_when_there_is_none),
        THERMOMETER_TEST(
            thermometer_is_called_silent_when_its_last_reading_is_not_believed_any_more),
        THERMOMETER_TEST(thermometer_is_not_opened_when_it_may_not_be_read),
        THERMOMETER_TEST(thermometer_is_opened_again_when_reading_fails),
        THERMOMETER_TEST(thermometer_is_read_no_oftener_than_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
