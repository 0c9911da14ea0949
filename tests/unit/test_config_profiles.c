/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Profiles: each row of the table is tried as a user would meet it. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/profile.h"

static struct mt_config_problems problems;

static struct mt_config *parse(const char *text)
{
    struct mt_config *config = NULL;
    bool is_good = mt_config_parse(text, strlen(text), "f", NULL, 0, &config, &problems);
    return is_good ? config : NULL;
}

static struct mt_config *parse_good(const char *text)
{
    struct mt_config *config = parse(text);
    if (config == NULL) {
        mt_config_problems_print(&problems, stderr);
    }
    assert_non_null(config);
    return config;
}

static void assert_problem(const char *text, const char *problem)
{
    assert_null(parse(text));
    if (problems.count != 1) {
        mt_config_problems_print(&problems, stderr);
    }
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.problem[0].text, problem);
}

/* ---- the table ---------------------------------------------------------------------------- */

/* Each profile allows what it sets itself. */
static void config_profiles_allow_what_they_set_when_asked(void **state)
{
    unsigned looked_at = 0;
    for (const struct mt_config_word *word = mt_config_profile_words; word->word != NULL; word++) {
        enum mt_config_profile profile = (enum mt_config_profile)word->value;
        const struct mt_config_profile_row *row;
        size_t index = 0;
        while ((row = mt_config_profile_next(profile, &index)) != NULL) {
            struct mt_config_port port;
            struct mt_config_pool pool = {NULL};
            const struct mt_config_key *key = mt_config_profile_key(row, MT_CONFIG_PORT);
            memset(&port, 0, sizeof port);
            if (key == NULL || row->value[0] == '\0' || !mt_config_profile_is_there(row)) {
                continue;
            }
            assert_true(mt_config_value_parse(key, row->value, &port, &pool));
            if (!mt_config_profile_allows(row, key, &port)) {
                fail_msg("%s: %s = %s is not allowed", word->word, row->key, row->value);
            }
            mt_config_pool_free(&pool);
            looked_at++;
        }
    }
    assert_true(looked_at > 40);
}

static void config_takes_every_profile_when_nothing_else_is_said(void **state)
{
    for (const struct mt_config_word *word = mt_config_profile_words; word->word != NULL; word++) {
        char text[120];
        snprintf(text, sizeof text, "[ptp]\nprofile = %s\n[ptp eth0]\n", word->word);
        mt_config_free(parse_good(text));
    }
}

/* ---- layers ------------------------------------------------------------------------------- */

static void config_sets_keys_of_instance_and_ports_when_a_profile_is_named(void **state)
{
    struct mt_config *config = parse_good("[instance studio]\n"
                                          "profile = aes67\n"
                                          "clock = x\n"
                                          "[clock x]\n"
                                          "[port a]\n"
                                          "instance = studio\n"
                                          "[ptp b]\n");
    size_t studio = strcmp(config->instances[0].name, "studio") == 0 ? 0 : 1;
    const struct mt_config_port *a = &config->ports[config->instances[studio].first_port];
    const struct mt_config_port *b = &config->ports[config->instances[1 - studio].first_port];
    assert_int_equal(config->instances[studio].profile, MT_CONFIG_PROFILE_AES67);
    assert_int_equal(a->ptp.log_sync_interval, -3);
    assert_int_equal(a->dscp, 46);
    assert_int_equal(b->ptp.log_sync_interval, 0);
    assert_int_equal(b->dscp, 0);
    mt_config_free(config);
}

static void config_prefers_what_the_file_says_when_a_profile_is_named(void **state)
{
    struct mt_config *config = parse_good("[ptp eth0]\nlog_sync_interval = -4\n"
                                          "[ptp]\nprofile = aes67\ndomain = 7\ndscp = 0\n");
    assert_int_equal(config->instances[0].ptp.domain, 7);
    assert_int_equal(config->ports[0].ptp.log_sync_interval, -4);
    assert_int_equal(config->ports[0].dscp, 0);
    mt_config_free(config);
}

static void config_sets_the_comparison_when_the_profile_is_of_the_itu(void **state)
{
    struct mt_config *config = parse_good("[ptp]\nprofile = g8275.1\n"
                                          "[ptp eth0]\nlocal_priority = 5\n");
    assert_int_equal(config->instances[0].bmca, MT_CONFIG_BMCA_ITU);
    assert_int_equal(config->instances[0].ptp.domain, 24);
    assert_int_equal(config->instances[0].ptp.local_priority, 128);
    assert_int_equal(config->ports[0].ptp.local_priority, 5);
    assert_int_equal(config->ports[0].ptp.log_announce_interval, -3);
    assert_int_equal(config->ports[0].ptp.log_min_delay_req_interval, -4);
    mt_config_free(config);
}

static void config_writes_a_profile_when_asked_for_all_keys(void **state)
{
    struct mt_config *config = parse_good("[ptp]\nprofile = aes67\n[ptp eth0]\n");
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    mt_config_write(config, out);
    fclose(out);
    mt_config_free(config);
    assert_non_null(strstr(text, "profile = aes67\n"));
    config = parse_good(text);
    assert_int_equal(config->ports[0].ptp.log_sync_interval, -3);
    mt_config_free(config);
    free(text);
}

/* ---- ranges ------------------------------------------------------------------------------- */

static void config_says_where_when_a_value_leaves_the_profile(void **state)
{
    assert_problem("[ptp]\nprofile = aes67\n[ptp eth0]\nlog_sync_interval = -5\n",
                   "f:4: log_sync_interval = -5: profile aes67 allows from -4 to 1; "
                   "profile_strict = no takes it all the same");
    assert_problem("[ptp]\nprofile = aes67\ndomain = 128\nsdo_id = 1\n[ptp eth0]\n",
                   "f:3: domain = 128: profile aes67 allows from 0 to 127; "
                   "profile_strict = no takes it all the same");
    assert_problem("[ptp]\nprofile = aes67\nbmca = itu\n[ptp eth0]\n",
                   "f:3: bmca = itu: profile aes67 allows default; "
                   "profile_strict = no takes it all the same");
}

static void config_complains_once_when_a_default_of_many_ports_leaves_the_profile(void **state)
{
    assert_problem("[ptp]\nprofile = aes67\nlog_sync_interval = 2\n[ptp a]\n[ptp b]\n",
                   "f:3: log_sync_interval = 2: profile aes67 allows from -4 to 1; "
                   "profile_strict = no takes it all the same");
}

static void config_takes_a_general_value_when_a_nearer_one_is_in_the_profile(void **state)
{
    mt_config_free(parse_good("[ptp]\nprofile = aes67\nlog_sync_interval = 2\n"
                              "[ptp a]\nlog_sync_interval = 0\n"));
}

static void config_takes_any_value_when_the_profile_is_not_strict(void **state)
{
    struct mt_config *config = parse_good("[ptp]\nprofile = aes67\nprofile_strict = no\n"
                                          "[ptp eth0]\nlog_sync_interval = -5\n");
    assert_int_equal(config->ports[0].ptp.log_sync_interval, -5);
    mt_config_free(config);
}

static void config_knows_single_values_when_a_profile_lists_them(void **state)
{
    size_t index = 0;
    const struct mt_config_profile_row *row;
    struct mt_config_instance instance = {.ptp.quality.clock_class = 6};
    const struct mt_config_key *key = mt_config_key_find(MT_CONFIG_INSTANCE, "clock_class");
    do {
        row = mt_config_profile_next(MT_CONFIG_PROFILE_G8275_1, &index);
    } while (strcmp(row->key, "clock_class") != 0);
    assert_true(mt_config_profile_allows(row, key, &instance));
    instance.ptp.quality.clock_class = 13;
    assert_false(mt_config_profile_allows(row, key, &instance));
}

static void config_refuses_roles_when_they_cannot_be_meant(void **state)
{
    assert_problem("[ptp a]\nrole = receiver\n[ptp b]\n",
                   "f: [port b]: role: all ports of an instance have one, or none has");
    assert_problem("[ptp a]\nrole = receiver\n[ptp b]\nrole = receiver\n",
                   "f:4: [port b]: role: another port of the instance is receiver already");
    mt_config_free(parse_good("[ptp a]\nrole = receiver\n[ptp b]\nrole = transmitter\n"));
}

/* ---- explain ------------------------------------------------------------------------------ */

static void assert_explained(const char *name, const char *expected)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_true(mt_config_explain(name, out));
    fclose(out);
    if (strstr(text, expected) == NULL) {
        fail_msg("%s is not in:\n%s", expected, text);
    }
    free(text);
}

static void config_lists_profiles_when_the_key_is_explained(void **state)
{
    assert_explained("profile", "g8275.1        ITU-T G.8275.1");
    assert_explained("g8275.1", "log_announce_interval        -3                 -3\n");
    assert_explained("g8275.2", "log_announce_interval        0                  from -3 to 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_profiles_allow_what_they_set_when_asked),
        cmocka_unit_test(config_takes_every_profile_when_nothing_else_is_said),
        cmocka_unit_test(config_sets_keys_of_instance_and_ports_when_a_profile_is_named),
        cmocka_unit_test(config_prefers_what_the_file_says_when_a_profile_is_named),
        cmocka_unit_test(config_sets_the_comparison_when_the_profile_is_of_the_itu),
        cmocka_unit_test(config_writes_a_profile_when_asked_for_all_keys),
        cmocka_unit_test(config_says_where_when_a_value_leaves_the_profile),
        cmocka_unit_test(config_complains_once_when_a_default_of_many_ports_leaves_the_profile),
        cmocka_unit_test(config_takes_a_general_value_when_a_nearer_one_is_in_the_profile),
        cmocka_unit_test(config_takes_any_value_when_the_profile_is_not_strict),
        cmocka_unit_test(config_knows_single_values_when_a_profile_lists_them),
        cmocka_unit_test(config_refuses_roles_when_they_cannot_be_meant),
        cmocka_unit_test(config_lists_profiles_when_the_key_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
