/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Reloads of a running node: each key that differs from what is in force is told, either as in
 * force from now on or as waiting for a restart, and the next reload compares with that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "meantime/ptp_management.h"
#include "meantime/ptp_more.h"
#include "meantime/ptp_security.h"
#include "sim_lab.h"

#define A 0

static struct lab net;

static int set_up(void **state)
{
    const struct mt_sim_node_config clock = {0};
    const struct mt_sim_segment_config cable = {.delay_ns = 1000};
    lab_open(&net, 1);
    lab_add(&net, "A", &clock, lab_conf("priority1 = 100", 1));
    lab_add(&net, "B", &clock, lab_conf("", 1));
    lab_cable(&net, &cable, 0, "eth0", 1, "eth0");
    lab_boot(&net, A);
    lab_run(&net, 1);
    return 0;
}

static int clean_up(void **state)
{
    lab_close(&net);
    return 0;
}

/* What the last reload said, a line for each change: "+" is in force, "-" needs a restart. */
static void assert_told(const char *expected)
{
    const struct mt_composition *composition = net.nodes[A].composition;
    char told[2048] = "";
    size_t length = 0;
    for (size_t i = 0; i < composition->change_count; i++) {
        const struct mt_compose_change *change = &composition->changes[i];
        length += (size_t)snprintf(told + length, sizeof told - length, "%c%s\n",
                                   change->is_applied ? '+' : '-', change->text);
    }
    assert_string_equal(told, expected);
}

static const struct mt_instance_config *running(void)
{
    return &lab_instance(&net, A, 0)->config;
}

static void reload_says_nothing_when_nothing_has_changed(void **state)
{
    assert_true(lab_reload(&net, A, lab_conf("priority1 = 100", 1)));
    assert_told("");
}

static void reload_compares_with_what_is_in_force_when_one_key_was_refused(void **state)
{
    assert_false(lab_reload(&net, A, lab_conf("priority1 = 90\ndomain = 3", 1)));
    assert_told("-domain = 3 (instance main) needs a restart; until then it is 0\n"
                "+priority1 = 90 (instance main)\n");
    assert_int_equal(running()->priority1, 90);
    assert_int_equal(running()->domain, 0);

    /* the refused one is told again, the applied one is in force */
    assert_false(lab_reload(&net, A, lab_conf("priority1 = 90\ndomain = 3", 1)));
    assert_told("-domain = 3 (instance main) needs a restart; until then it is 0\n");

    /* back to what it was: only the applied one is a change */
    assert_true(lab_reload(&net, A, lab_conf("priority1 = 100", 1)));
    assert_told("+priority1 = 100 (instance main)\n");
    assert_int_equal(running()->priority1, 100);
}

static void reload_tells_every_key_when_many_need_a_restart(void **state)
{
    const char *text = lab_conf("priority1 = 100\nttl = 2\nmax_steps_removed = 9\n[clock]\n"
                                "max_slew = 9ppm",
                                2);
    assert_false(lab_reload(&net, A, text));
    assert_told("-max_slew = 9ppm (clock main) needs a restart; until then it is 500ppm\n"
                "-max_steps_removed = 9 (instance main) needs a restart; until then it is 255\n"
                "-ttl = 2 (port eth0) needs a restart; until then it is 1\n"
                "-port eth1 is new and needs a restart\n");
    assert_int_equal(net.nodes[A].composition->refused_count, 4);
}

static void reload_takes_over_all_that_may_change(void **state)
{
    const char *text = lab_conf("priority1 = 1\npriority2 = 2\nclock_class = 6\n"
                                "clock_accuracy = 100ns\noffset_scaled_log_variance = 3\n"
                                "utc_offset = 38\nleap61 = yes\ntime_traceable = yes\n"
                                "frequency_traceable = yes\ntime_source = gnss",
                                1);
    assert_true(lab_reload(&net, A, text));
    assert_int_equal(net.nodes[A].composition->applied_count, 10);
    assert_int_equal(running()->priority2, 2);
    assert_int_equal(running()->quality.clock_class, 6);
    assert_int_equal(running()->quality.accuracy, 0x21);
    assert_int_equal(running()->time.utc_offset, 38);
    assert_int_equal(running()->time.time_source, 0x20);
    assert_true((running()->time.flags & MT_PTP_LEAP_61) != 0);
    assert_true((running()->time.flags & MT_PTP_TIME_TRACEABLE) != 0);
    assert_true(lab_reload(&net, A, text));
    assert_told("");
    assert_true(lab_reload(&net, A, lab_conf("priority1 = 100", 1)));
    assert_int_equal(net.nodes[A].composition->applied_count, 10);
    assert_true((running()->time.flags & MT_PTP_LEAP_61) == 0);
    assert_int_equal(running()->quality.clock_class, 248); /* "auto" */
    assert_int_equal(running()->quality.variance, 0xFFFF);
}

/* The control socket changes what is in force; the next reload puts the file's values back. */
static void reload_undoes_what_was_set(void **state)
{
    const struct mt_command best = {.kind = MT_COMMAND_PRIORITIES, .value.priorities = {1, 7}};
    struct mt_command time = {.kind = MT_COMMAND_TIME_PROPERTIES, .value.time = running()->time};
    time.value.time.time_source = 0x20;
    time.value.time.flags |= MT_PTP_LEAP_59;
    assert_true(lab_command(&net, A, 0, &best));
    assert_true(lab_command(&net, A, 0, &time));
    assert_true(lab_reload(&net, A, lab_conf("priority1 = 1", 1)));
    assert_told("+priority2 = 128 (instance main)\n"
                "+leap59 = no (instance main)\n"
                "+time_source = internal_oscillator (instance main)\n");
    assert_int_equal(running()->priority2, 128);
    assert_true((running()->time.flags & MT_PTP_LEAP_59) == 0);
}

static struct mt_mono now_of(uint32_t node)
{
    struct mt_hal_wait *wait = mt_world_provider(net.world, node)->wait;
    return wait->ops->now(wait);
}

static void set_utc_offset(int16_t offset_s)
{
    struct mt_command time = {.kind = MT_COMMAND_TIME_PROPERTIES, .value.time = running()->time};
    time.value.time.utc_offset = offset_s;
    time.value.time.flags |= MT_PTP_UTC_OFFSET_VALID;
    assert_true(lab_command(&net, A, 0, &time));
}

static void utc_offset_is_the_machines_again_when_it_is_auto(void **state)
{
    struct mt_composition *self = net.nodes[A].composition;
    const struct mt_time_properties before = running()->time;
    struct mt_mono now = now_of(A);
    struct mt_compose_facts facts = {.tai_utc_known = true, .tai_minus_utc_s = 38};

    set_utc_offset(35);
    mt_composition_make_utc_offset_auto(self, 0, now);
    assert_int_equal(running()->time.utc_offset, before.utc_offset);
    assert_int_equal(running()->time.flags, before.flags);

    set_utc_offset(35);
    mt_composition_set_facts(self, &facts, now); /* what was set stays */
    assert_int_equal(running()->time.utc_offset, 35);
    mt_composition_make_utc_offset_auto(self, 0, now);
    assert_int_equal(running()->time.utc_offset, 38);
    facts.tai_minus_utc_s = 37;
    mt_composition_set_facts(self, &facts, now);
    assert_int_equal(running()->time.utc_offset, 37);

    mt_composition_make_utc_offset_auto(self, 1, now); /* there is no such instance */
    assert_true(lab_reload(&net, A, lab_conf("priority1 = 100", 1)));
    assert_told("");
}

static const char *description(void)
{
    return running()->more->management->user_description;
}

static void reload_takes_over_what_people_call_a_clock(void **state)
{
    const char *named = lab_conf("priority1 = 100\nuser_description = Rack 7, unit 3", 1);
    struct mt_management *management = running()->more->management;

    assert_true(lab_reload(&net, A, named));
    assert_told("+user_description = Rack 7, unit 3 (instance main)\n");
    assert_string_equal(description(), "Rack 7, unit 3");
    assert_true(lab_reload(&net, A, named));
    assert_told("");

    strcpy(management->user_description, "cellar"); /* by a management message */
    assert_true(lab_reload(&net, A, named));
    assert_told("+user_description = Rack 7, unit 3 (instance main)\n");
    assert_string_equal(description(), "Rack 7, unit 3");

    assert_true(lab_reload(&net, A, lab_conf("priority1 = 100", 1)));
    assert_told("+user_description = none (instance main)\n");
    assert_string_equal(description(), "");
    assert_true(lab_reload(&net, A, lab_conf("priority1 = 100", 1)));
    assert_told("");

    strcpy(management->user_description, "attic");
    assert_true(lab_reload(&net, A, lab_conf("priority1 = 100", 1)));
    assert_told("+user_description = none (instance main)\n");
    assert_string_equal(description(), "");
}

/* A receiver goes on from the newest key that it knows, and not from the anchor. */
static void reload_keeps_what_was_disclosed_when_the_chain_is_the_same(void **state)
{
    static const char chain[] = "[security_association]\nspp 4\nchain SHA256-128\nchain_start 1\n"
                                "chain_length 64\nchain_anchor ASCII:"
                                "01234567890123456789012345678901\n";
    char path[60];
    char keys[120];
    snprintf(path, sizeof path, "/tmp/test_sim_reload.%ld", (long)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)state;
    assert_true(file >= 0);
    assert_int_equal(write(file, chain, sizeof chain - 1), sizeof chain - 1);
    close(file);
    snprintf(keys, sizeof keys, "security_file = %s\ndelayed_spp = 4\n", path);
    lab_close(&net);
    const struct mt_sim_node_config clock = {0};
    lab_open(&net, 1);
    lab_add(&net, "A", &clock, lab_conf(keys, 1));
    lab_boot(&net, A);
    struct mt_security *security = lab_instance(&net, A, 0)->config.more->security;
    struct mt_chain *old = security->associations[0].chain;
    old->known = 5;
    old->known_key[0] ^= 1;
    const uint8_t first = old->known_key[0];
    assert_true(lab_reload(&net, A, lab_conf(keys, 1)));
    const struct mt_chain *now = security->associations[0].chain;
    assert_int_equal(now->known, 5);
    assert_int_equal(now->known_key[0], first);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reload_says_nothing_when_nothing_has_changed, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(
            reload_compares_with_what_is_in_force_when_one_key_was_refused, set_up, clean_up),
        cmocka_unit_test_setup_teardown(reload_tells_every_key_when_many_need_a_restart, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(reload_takes_over_all_that_may_change, set_up, clean_up),
        cmocka_unit_test_setup_teardown(reload_undoes_what_was_set, set_up, clean_up),
        cmocka_unit_test_setup_teardown(utc_offset_is_the_machines_again_when_it_is_auto, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(reload_takes_over_what_people_call_a_clock, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(reload_keeps_what_was_disclosed_when_the_chain_is_the_same,
                                        set_up, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
