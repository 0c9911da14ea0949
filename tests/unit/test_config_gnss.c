/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * GNSS receivers and pulses in a configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct mt_config_problems problems;

static struct mt_config *parse(const char *text)
{
    struct mt_config *config = NULL;
    return mt_config_parse(text, strlen(text), "f", NULL, 0, &config, &problems) ? config : NULL;
}

static void assert_problem(const char *text, const char *problem)
{
    assert_null(parse(text));
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.problem[0].text, problem);
}

static void assert_good(const char *text)
{
    struct mt_config *config = parse(text);
    if (config == NULL) {
        fail_msg("%s", problems.problem[0].text);
    }
    mt_config_free(config);
}

static void config_has_a_grandmaster_in_ten_lines_when_there_is_a_hat(void **state)
{
    struct mt_config *config = parse("[clock]\nclock = system\n[gnss hat]\ndevice = /dev/ttyAMA0\n"
                                     "pulse = /dev/pps0\n[ptp eth0]\n[server]\n");
    (void)state;
    assert_non_null(config);
    assert_int_equal(config->clock_count, 1);
    assert_int_equal(config->refclock_count, 1);
    const struct mt_config_refclock *hat = &config->refclocks[0];
    assert_int_equal(hat->driver, MT_CONFIG_REFCLOCK_GNSS);
    assert_string_equal(hat->name, "hat");
    assert_string_equal(hat->gnss.device, "/dev/ttyAMA0");
    assert_string_equal(hat->pulse.device, "/dev/pps0");
    assert_int_equal(hat->gnss.baud, 9600);
    assert_true(hat->gnss.sentence_delay_is_auto);
    assert_true(hat->max_error_is_unknown);
    assert_int_equal(hat->gnss.jump_policy, MT_GNSS_JUMP_HOLD);
    assert_int_equal(hat->clock_index, 0);
    mt_config_free(config);
}

static void config_takes_every_way_to_a_receiver_when_it_is_written_well(void **state)
{
    (void)state;
    assert_good("[gnss a]\ndevice = tcp:192.0.2.1:2000\n");
    assert_good("[gnss a]\ndevice = tcp:[::1]:2000\n");
    assert_good("[gnss a]\ndevice = gpsd\n[gnss b]\ndevice = gpsd:host.example:2948\n");
    assert_good("[gnss a]\ndevice = /dev/gnss0\npulse = eth0\npulse_pin = 1\npulse_channel = 1\n");
    assert_problem("[gnss a]\ndevice = tcp:192.0.2.1\n",
                   "f:2: device = tcp:192.0.2.1: is neither a path such as /dev/ttyAMA0 nor "
                   "tcp:HOST:PORT, gpsd or gpsd:HOST:PORT");
    assert_problem("[gnss a]\n", "f:1: [gnss a]: nobody says where the receiver is; add device = "
                                 "/dev/ttyAMA0, say");
}

static void config_complains_when_a_receiver_contradicts_itself(void **state)
{
    (void)state;
    assert_problem("[gnss a]\ndevice = gpsd\nprotocol = ubx\n",
                   "f:3: [gnss a]: gpsd speaks its own protocol, whatever its receiver does; "
                   "remove protocol");
    assert_problem("[gnss a]\ndevice = /dev/ttyS0\nbaud = 11520\n",
                   "f:3: baud = 11520: no serial line has this speed; expected 4800, 9600, 19200, "
                   "38400, 57600, 115200, 230400, 460800 or 921600");
    assert_problem("[gnss a]\ndevice = gpsd\nbaud = 4800\n",
                   "f:3: [gnss a]: baud is for a serial line");
    assert_problem("[gnss a]\ndevice = gpsd\npulse = /dev/tty0\n",
                   "f:3: pulse = /dev/tty0: is neither a device of pulses (/dev/pps0) nor a "
                   "hardware clock (/dev/ptp0, or its interface)");
    assert_problem("[gnss a]\ndevice = gpsd\npulse = /dev/pps0\npulse_pin = 1\n",
                   "f:4: [gnss a]: pulse_pin is for pulses that a hardware clock stamps");
    assert_problem("[gnss a]\ndevice = gpsd\npulse_edge = falling\n",
                   "f:3: [gnss a]: pulse_edge says something of pulses; add pulse = /dev/pps0, "
                   "say");
    assert_problem("[gnss a]\ndevice = /dev/x\nsentence_error = 10ms\n",
                   "f:3: [gnss a]: sentence_error is for time from sentences alone, whose "
                   "sentence_delay is known");
    assert_problem("[gnss a]\ndevice = gpsd\nreference_id = GALILEO\n",
                   "f:3: reference_id = GALILEO: at most 4 characters");
    assert_problem("[gnss a]\ndevice = gpsd\nselect = no\nprefer = yes\n",
                   "f:3: a: select = no and prefer = yes: one that is only watched has no say; "
                   "remove one of them");
}

static void config_complains_when_two_read_one_thing(void **state)
{
    (void)state;
    assert_problem("[gnss a]\ndevice = /dev/x\n[gnss b]\ndevice = /dev/x\n",
                   "f:4: [gnss b]: [gnss a] reads /dev/x already");
    assert_problem("[gnss a]\ndevice = /dev/x\npulse = /dev/pps0\n[gnss b]\ndevice = /dev/y\n"
                   "pulse = /dev/pps0\n",
                   "f:6: [gnss b]: [gnss a] has the same pulses already");
    assert_problem("[gnss a]\ndevice = /dev/x\npulse = /dev/pps0\n[refclock b]\ndriver = pps\n"
                   "device = /dev/pps0\n",
                   "f:3: [gnss a]: [refclock b] has the same pulses already");
    assert_problem("[gnss a]\ndevice = /dev/x\n[refclock a]\n",
                   "f:1: [gnss a]: there is a [refclock a], too; call one of them otherwise");
}

static void config_complains_when_pulses_have_no_device(void **state)
{
    (void)state;
    assert_good("[refclock a]\ndriver = pps\ndevice = /dev/pps0\n[ntp x.example]\n");
    assert_good("[refclock a]\ndriver = extts\ndevice = /dev/ptp0\npin = 0\nchannel = 1\n");
    assert_problem("[refclock a]\ndriver = pps\n",
                   "f:2: [refclock a]: driver = pps needs a device; add device = /dev/pps0, say");
    assert_problem("[refclock a]\ndriver = pps\ndevice = pps0\n",
                   "f:3: device = pps0: expected a device such as /dev/pps0, or an interface");
    assert_problem("[gnss a]\ndevice = /dev/x\npulse = ptp1\n",
                   "f:3: pulse = ptp1: expected a device such as /dev/ptp1, or an interface");
    assert_good("[gnss a]\ndevice = /dev/x\npulse = ppsnet\n");
    assert_problem("[refclock a]\ndevice = /dev/pps0\n",
                   "f:2: [refclock a]: device is for drivers of pulses");
    assert_problem("[refclock a]\ndriver = pps\ndevice = /dev/pps0\n[refclock b]\ndriver = pps\n"
                   "device = /dev/pps0\n",
                   "f:5: [refclock b]: [refclock a] has the same device already");
}

static void config_complains_when_pulses_do_not_come_from_the_clock(void **state)
{
    (void)state;
    assert_good("[clock]\nclock = phc\ndevice = /dev/ptp0\n[ptp eth0]\n[export a]\n"
                "driver = perout\ndevice = /dev/ptp0\n");
    assert_good("[clock]\nclock = phc\ndevice = /dev/ptp0\n[ptp eth0]\n[export a]\n"
                "driver = perout\ndevice = eth0\n");
    assert_problem("[ptp eth0]\n[export a]\ndriver = perout\ndevice = /dev/ptp0\n",
                   "f:3: [export a]: driver = perout: clock main is no hardware clock; it needs "
                   "clock = phc");
    assert_problem("[clock]\nclock = phc\ndevice = /dev/ptp0\n[ptp eth0]\n[export a]\n"
                   "driver = perout\ndevice = /dev/ptp1\n",
                   "f:7: [export a]: clock main is /dev/ptp0, not /dev/ptp1; pulses come from the "
                   "clock itself");
    assert_problem("[clock]\nclock = phc\ndevice = /dev/ptp0\n[ptp eth0]\n[export a]\n"
                   "driver = perout\ndevice = /dev/ptp0\nwidth = 1s\n",
                   "f:8: [export a]: a pulse as wide as its period has no edges");
}

struct difference {
    unsigned count;
    char section[16];
    char key[32];
};

static void note(void *context, const struct mt_config_change *change)
{
    struct difference *self = context;
    self->count++;
    strcpy(self->section, change->section);
    strcpy(self->key, change->key != NULL ? change->key->name : "");
}

static void config_tells_of_a_receiver_by_its_own_heading_when_it_changed(void **state)
{
    struct mt_config *before = parse("[gnss a]\ndevice = /dev/x\n[refclock b]\n");
    struct mt_config *after = parse("[refclock b]\n[gnss a]\ndevice = /dev/x\nbaud = 4800\n");
    struct mt_config *without = parse("[refclock b]\n");
    struct difference difference = {0};
    (void)state;
    mt_config_compare(before, after, note, &difference);
    assert_int_equal(difference.count, 1);
    assert_string_equal(difference.section, "gnss");
    assert_string_equal(difference.key, "baud");
    difference.count = 0;
    mt_config_compare(before, without, note, &difference);
    assert_int_equal(difference.count, 1);
    assert_string_equal(difference.section, "gnss");
    mt_config_compare(without, before, note, &difference);
    assert_int_equal(difference.count, 2);
    assert_string_equal(difference.section, "gnss");
    mt_config_free(before);
    mt_config_free(after);
    mt_config_free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_has_a_grandmaster_in_ten_lines_when_there_is_a_hat),
        cmocka_unit_test(config_takes_every_way_to_a_receiver_when_it_is_written_well),
        cmocka_unit_test(config_complains_when_a_receiver_contradicts_itself),
        cmocka_unit_test(config_complains_when_two_read_one_thing),
        cmocka_unit_test(config_complains_when_pulses_have_no_device),
        cmocka_unit_test(config_complains_when_pulses_do_not_come_from_the_clock),
        cmocka_unit_test(config_tells_of_a_receiver_by_its_own_heading_when_it_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
