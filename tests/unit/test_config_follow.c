/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Clocks of a configuration that follow one another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct mt_config_problems problems;

static struct mt_config *parse(const char *text)
{
    struct mt_config *config = NULL;
    return mt_config_parse(text, strlen(text), "f", NULL, 0, &config, &problems) ? config : NULL;
}

static void assert_leader(const char *text, size_t clock, const char *leader)
{
    struct mt_config *config = parse(text);
    const struct mt_config_clock *found;
    assert_non_null(config);
    found = mt_config_leader(config, &config->clocks[clock]);
    if (leader == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found->name, leader);
    }
    mt_config_free(config);
}

static void assert_problem(const char *text, const char *problem)
{
    assert_null(parse(text));
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.problem[0].text, problem);
}

static void config_knows_the_leader_when_a_clock_follows(void **state)
{
    const char *down = "[ptp a]\n[clock main]\n[clock b]\nfollow = main\n";
    assert_leader(down, 0, NULL);
    assert_leader(down, 1, "main");
    assert_leader("[ptp a]\n[clock main]\nfollow = b\n[clock b]\n", 0, "b");
    /* in turn, as their sources have it */
    assert_leader("[ptp a]\n[clock main]\nfollow = b\n[clock b]\nfollow = main\n", 0, "b");
    assert_leader("[ptp a]\n[clock main]\nfollow = b\n[clock b]\nfollow = main\n", 1, "main");
}

static void config_complains_when_clocks_follow_in_a_circle(void **state)
{
    assert_problem("[ptp a]\n[clock b]\nfollow = c\n",
                   "f:3: follow = c: there is no section [clock c]");
    assert_problem("[ptp a]\n[clock b]\nfollow = b\n",
                   "f:3: [clock b]: a clock cannot follow itself");
    assert_problem("[ptp a]\n[clock b]\nfollow = main\n[clock c]\nfollow = b\n",
                   "f:5: [clock c]: clock b follows a third one itself; two clocks may follow each "
                   "other, but no more than two");
}

/* Two domains over one card: the stamps of one are not those of the other. */
static void config_keeps_sockets_apart_when_virtual_clocks_stamp(void **state)
{
    static const char *const clocks[] = {"vclock", "phc"};
    char text[300];
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text,
                 "[clock main]\nclock = %s\n[clock b]\nclock = %s\ndevice = /dev/ptp9\n"
                 "[instance main]\n[instance b]\ndomain = 1\nclock = b\n"
                 "[port x]\ninterface = e\n[port y]\ninterface = e\ninstance = b\n",
                 clocks[i], clocks[i]);
        struct mt_config *config = parse(text);
        assert_non_null(config);
        assert_true(mt_config_shares_link(&config->ports[0], &config->ports[1]) == (i == 1));
        mt_config_free(config);
    }
}

static void config_complains_when_two_clocks_are_one_device(void **state)
{
    const char *two = "[ptp a]\n[clock main]\nclock = %s\ndevice = /dev/ptp0\n"
                      "[clock b]\nclock = %s\ndevice = /dev/ptp%u\nfollow = main\n";
    char text[200];
    struct mt_config *config;
    (void)state;
    snprintf(text, sizeof text, two, "phc", "phc", 0u);
    assert_problem(text, "f:5: [clock b]: clock main is /dev/ptp0 already; for two clocks of one "
                         "card write clock = vclock in both");
    snprintf(text, sizeof text, two, "phc", "vclock", 0u);
    assert_null(parse(text));
    snprintf(text, sizeof text, two, "phc", "phc", 1u);
    config = parse(text);
    assert_non_null(config);
    mt_config_free(config);
    snprintf(text, sizeof text, two, "vclock", "vclock", 0u);
    config = parse(text);
    assert_non_null(config);
    mt_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_keeps_sockets_apart_when_virtual_clocks_stamp),
        cmocka_unit_test(config_knows_the_leader_when_a_clock_follows),
        cmocka_unit_test(config_complains_when_clocks_follow_in_a_circle),
        cmocka_unit_test(config_complains_when_two_clocks_are_one_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
