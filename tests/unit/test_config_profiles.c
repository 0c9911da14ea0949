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
        bool is_unicast =
            word->value == MT_CONFIG_PROFILE_G8265_1 || word->value == MT_CONFIG_PROFILE_G8275_2;
        snprintf(text, sizeof text, "[ptp]\nprofile = %s\n[ptp eth0]\n%s", word->word,
                 is_unicast ? "unicast_grants = yes\n" : "");
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

/* ---- names -------------------------------------------------------------------------------- */

static void config_knows_a_profile_when_its_name_is_spelled_as_in_the_standard(void **state)
{
    static const struct {
        const char *name;
        enum mt_config_profile profile;
    } names[] = {
        {"g8275.1", MT_CONFIG_PROFILE_G8275_1},
        {"G.8275.1", MT_CONFIG_PROFILE_G8275_1},
        {"ITU-T G.8265.1", MT_CONFIG_PROFILE_G8265_1},
        {"IEEE 802.1AS", MT_CONFIG_PROFILE_IEEE_802_1AS},
        {"gPTP", MT_CONFIG_PROFILE_IEEE_802_1AS},
        {"SMPTE ST 2059-2", MT_CONFIG_PROFILE_ST2059_2},
        {"IEC/IEEE 61850-9-3", MT_CONFIG_PROFILE_IEC_61850_9_3},
        {"IEEE C37.238-2011", MT_CONFIG_PROFILE_C37_238_2011},
        {"power", MT_CONFIG_PROFILE_C37_238_2017},
        {"default", MT_CONFIG_PROFILE_DEFAULT_E2E},
        {"none", MT_CONFIG_PROFILE_NONE},
    };
    enum mt_config_profile profile;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(mt_config_profile_find(names[i].name, &profile));
        assert_int_equal(profile, names[i].profile);
    }
    static const char *const strangers[] = {"", "ITU-T", "G.8275", "G.8275.12", "1588", "gptp2"};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        assert_false(mt_config_profile_find(strangers[i], &profile));
    }
    struct mt_config *config = parse_good("[ptp]\nprofile = G.8275.1\n[ptp eth0]\n");
    assert_int_equal(config->instances[0].profile, MT_CONFIG_PROFILE_G8275_1);
    assert_int_equal(config->instances[0].ptp.domain, 24);
    mt_config_free(config);
}

static void config_suggests_a_profile_when_the_name_is_nearly_right(void **state)
{
    assert_null(parse("[ptp]\nprofile = g8725.1\n[ptp eth0]\n"));
    assert_non_null(strstr(problems.problem[0].text, "enterprise; did you mean g8275.1?"));
    assert_null(parse("[ptp]\nprofile = nonsense\n[ptp eth0]\n"));
    assert_null(strstr(problems.problem[0].text, "did you mean"));
}

static void config_complains_when_a_unicast_profile_names_nobody(void **state)
{
    assert_problem("[ptp]\nprofile = g8275.2\n[ptp eth0]\n",
                   "f:2: [port eth0]: profile g8275.2 is for unicast alone, and nobody is named: "
                   "add unicast_transmitters to follow them, or unicast_grants = yes to serve");
    mt_config_free(
        parse_good("[ptp]\nprofile = g8275.2\nunicast_receivers = 192.0.2.1\n[ptp eth0]\n"));
}

static void config_negotiates_when_transmitters_are_named_and_no_mode(void **state)
{
    struct mt_config *config = parse_good("[ptp]\nprofile = g8275.2\n[ptp eth0]\n"
                                          "unicast_transmitters = 192.0.2.1, 192.0.2.2\n");
    assert_int_equal(config->ports[0].unicast.mode, MT_CONFIG_UNICAST_NEGOTIATED);
    mt_config_free(config);
    config = parse_good("[ptp]\nunicast = static\n[ptp eth0]\nunicast_transmitters = 192.0.2.1\n");
    assert_int_equal(config->ports[0].unicast.mode, MT_CONFIG_UNICAST_STATIC);
    mt_config_free(config);
    assert_problem("[ptp]\nunicast = off\n[ptp eth0]\nunicast_transmitters = 192.0.2.1\n",
                   "f:4: [port eth0]: unicast_transmitters: only with unicast = negotiated or "
                   "static");
    assert_problem("[ptp]\nunicast = static\n[ptp eth0]\n",
                   "f:2: [port eth0]: unicast: nobody to receive from; add unicast_transmitters");
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

static void config_refuses_alternates_and_standby_when_the_profile_has_none(void **state)
{
    assert_problem("[ptp]\nprofile = g8275.1\nalternate_transmitters = 1\n[ptp eth0]\n",
                   "f:3: alternate_transmitters = 1: profile g8275.1 allows 0; "
                   "profile_strict = no takes it all the same");
    assert_problem("[ptp]\nprofile = 802.1as\nalternate_transmitters = 1\n[ptp eth0]\n",
                   "f:3: alternate_transmitters = 1: profile 802.1as allows 0; "
                   "profile_strict = no takes it all the same");
    assert_problem("[instance a]\nprofile = g8275.1\nhot_standby = primary\n"
                   "[instance b]\nprofile = g8275.1\nprofile_strict = no\ndomain = 25\n"
                   "hot_standby = secondary\n[port eth0]\ninstance = a\n"
                   "[port x]\ninterface = eth0\ninstance = b\n",
                   "f:3: hot_standby = primary: profile g8275.1 allows none; "
                   "profile_strict = no takes it all the same");
    mt_config_free(parse_good("[instance a]\nprofile = 802.1as\nhot_standby = primary\n"
                              "[instance b]\nprofile = 802.1as\ndomain = 1\n"
                              "hot_standby = secondary\n[port eth0]\ninstance = a\n"
                              "[port x]\ninterface = eth0\ninstance = b\n"));
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
    assert_explained("G.8275.1", "log_announce_interval        -3                 -3\n");
    assert_explained("g8275.2", "unicast                      off");
    assert_explained("g8275.2", "log_announce_interval        0                  from -3 to 0\n");
}

static void config_profiles_have_identities_and_ranges_when_their_rows_do(void **state)
{
    static const uint8_t telecom[] = {0x00, 0x19, 0xA7, 0x01, 0x02, 0x00};
    uint8_t octets[6];
    int16_t lowest;
    int16_t highest;
    (void)state;
    for (size_t i = 0; mt_config_profile_words[i].word != NULL; i++) {
        enum mt_config_profile profile = (enum mt_config_profile)mt_config_profile_words[i].value;
        assert_int_equal(mt_config_profile_octets(profile, octets),
                         mt_config_profile_identity(profile)[0] != '\0');
    }
    assert_true(mt_config_profile_octets(MT_CONFIG_PROFILE_G8275_1, octets));
    assert_memory_equal(octets, telecom, 6);
    assert_true(mt_config_profile_range(MT_CONFIG_PROFILE_G8275_1, "priority1", &lowest, &highest));
    assert_int_equal(lowest, 128);
    assert_int_equal(highest, 128);
    assert_true(mt_config_profile_range(MT_CONFIG_PROFILE_G8275_2, "log_announce_interval", &lowest,
                                        &highest));
    assert_int_equal(lowest, -3);
    assert_int_equal(highest, 0);
    assert_false(
        mt_config_profile_range(MT_CONFIG_PROFILE_G8275_1, "priority2", &lowest, &highest));
    assert_false(
        mt_config_profile_range(MT_CONFIG_PROFILE_G8275_2, "transport", &lowest, &highest));
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
        cmocka_unit_test(config_knows_a_profile_when_its_name_is_spelled_as_in_the_standard),
        cmocka_unit_test(config_suggests_a_profile_when_the_name_is_nearly_right),
        cmocka_unit_test(config_complains_when_a_unicast_profile_names_nobody),
        cmocka_unit_test(config_negotiates_when_transmitters_are_named_and_no_mode),
        cmocka_unit_test(config_says_where_when_a_value_leaves_the_profile),
        cmocka_unit_test(config_refuses_alternates_and_standby_when_the_profile_has_none),
        cmocka_unit_test(config_complains_once_when_a_default_of_many_ports_leaves_the_profile),
        cmocka_unit_test(config_takes_a_general_value_when_a_nearer_one_is_in_the_profile),
        cmocka_unit_test(config_takes_any_value_when_the_profile_is_not_strict),
        cmocka_unit_test(config_knows_single_values_when_a_profile_lists_them),
        cmocka_unit_test(config_refuses_roles_when_they_cannot_be_meant),
        cmocka_unit_test(config_profiles_have_identities_and_ranges_when_their_rows_do),
        cmocka_unit_test(config_lists_profiles_when_the_key_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
