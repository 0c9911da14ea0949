/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The file with what was learned of an oscillator: it comes back to the last digit, or not at all.
 */
#include "platform/linux/linux_learned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/linux/linux_platform.h"

#define TEXT_SIZE 1000

struct fixture {
    char folder[64];
    char path[96];
    char reason[MT_HAL_REASON_SIZE];
    struct mt_linux_options options;
    struct mt_linux *platform;
    struct mt_hal_store *store;
};

static const struct mt_steer_oscillator_memory learned = {
    .ageing = -1.23456789012345e-14,
    .ageing_sigma = 1e-300,
    .coefficient = 1.0 / 3e8,
    .coefficient_sigma = 1.0 / 7e9,
    .kelvin = 40.125,
    .kelvin_low = 1.0 / 3,
    .kelvin_high = 51.875,
    .wander = 1.0 / 3e20,
    .observed_s = 12345.678,
    .uses_temperature = true,
    .frequency = -1.0 / 3e5,
    .frequency_sigma = 2.0 / 3e9,
    .age_s = 17,
};

static void open_platform(struct fixture *self)
{
    const struct mt_clock_request request = {.kind = MT_CLOCK_OVERLAY, .name = "main"};

    self->platform = mt_linux_open(&self->options, self->reason);
    assert_non_null(self->platform);
    struct mt_hal_provider *provider = mt_linux_provider(self->platform);
    assert_non_null(provider->ops->open_clock(provider, &request, self->reason));
    self->store = provider->store;
}

static int set_up(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);

    *state = self;
    snprintf(self->folder, sizeof self->folder, "/tmp/meantime-learned-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/oscillator.main", self->folder);
    self->options = (struct mt_linux_options){.state_dir = self->folder, .seed = 5};
    open_platform(self);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *self = *state;

    mt_linux_close(self->platform);
    unlink(self->path);
    assert_int_equal(rmdir(self->folder), 0); /* nothing else was left behind */
    free(self);
    return 0;
}

static bool load(struct fixture *self, struct mt_steer_oscillator_memory *ret_memory)
{
    return self->store->ops->load_oscillator(self->store, 0, ret_memory, self->reason);
}

static void learned_comes_back_to_the_last_digit_when_restarted(void **state)
{
    struct fixture *self = *state;
    struct mt_steer_oscillator_memory found = {.age_s = -7};

    assert_false(load(self, &found));
    assert_string_equal(self->reason, ""); /* the first start: nothing is wrong */
    assert_true(found.age_s == -7);
    self->store->ops->save_oscillator(self->store, 0, &learned);
    mt_linux_keep(self->platform);
    mt_linux_close(self->platform);
    open_platform(self);
    assert_true(load(self, &found));
    assert_string_equal(self->reason, "");
    assert_true(found.ageing == learned.ageing && found.ageing_sigma == learned.ageing_sigma);
    assert_true(found.coefficient == learned.coefficient);
    assert_true(found.coefficient_sigma == learned.coefficient_sigma);
    assert_true(found.kelvin == learned.kelvin && found.kelvin_low == learned.kelvin_low);
    assert_true(found.kelvin_high == learned.kelvin_high && found.uses_temperature);
    assert_true(found.wander == learned.wander && found.observed_s == learned.observed_s);
    assert_true(found.frequency == learned.frequency);
    assert_true(found.frequency_sigma == learned.frequency_sigma);
    assert_true(found.age_s >= 17 && found.age_s < 17 + 100);
}

static void learned_is_of_its_own_clock_alone(void **state)
{
    struct fixture *self = *state;
    struct mt_steer_oscillator_memory found;

    self->store->ops->save_oscillator(self->store, 1, &learned);
    assert_false(self->store->ops->load_oscillator(self->store, 1, &found, self->reason));
    assert_string_equal(self->reason, "");
    assert_int_equal(access(self->path, F_OK), -1);
}

/* ---- damaged files --------------------------------------------------------------------------- */

static void write_text(const struct fixture *self, const char *text)
{
    FILE *file = fopen(self->path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static size_t read_text(const struct fixture *self, char text[TEXT_SIZE])
{
    FILE *file = fopen(self->path, "r");

    assert_non_null(file);
    size_t length = fread(text, 1, TEXT_SIZE - 1, file);
    fclose(file);
    text[length] = '\0';
    return length;
}

static void assert_refused(struct fixture *self, const char *reason)
{
    struct mt_steer_oscillator_memory found = {.age_s = -7};

    assert_false(load(self, &found));
    if (!strstr(self->reason, self->path) || !strstr(self->reason, reason)) {
        fail_msg("\"%s\" does not say \"%s\"", self->reason, reason);
    }
    assert_true(found.age_s == -7);
}

static void learned_is_refused_when_the_file_is_cut_off_anywhere(void **state)
{
    struct fixture *self = *state;
    char text[TEXT_SIZE];
    char cut[TEXT_SIZE];

    self->store->ops->save_oscillator(self->store, 0, &learned);
    size_t length = read_text(self, text);
    for (size_t i = 0; i < length; i++) {
        memcpy(cut, text, i);
        cut[i] = '\0';
        write_text(self, cut);
        assert_refused(self, "is damaged in line ");
    }
}

static void learned_is_refused_when_the_file_is_of_another_version_or_changed(void **state)
{
    static const struct {
        const char *what;
        const char *instead;
        const char *reason;
    } changes[] = {
        {"meantime-oscillator 1", "meantime-oscillator 2", "is of version 2, this program knows 1"},
        {"meantime-oscillator 1", "meantime-oscillator 0", "is damaged in line 1"},
        {"meantime-oscillator", "another-oscillator", "is damaged in line 1"},
        {"observed_s", "observed", "is damaged in line 4"},
        {"observed_s 1", "observed_s x", "is damaged in line 4"},
        {"wander 3", "wander 3 3", "is damaged in line 7"},
        {"wander 3", "wander nan", "is damaged in line 7"},
        {"wander 3", "wander -3", "describes what no oscillator is like"},
        {"age_s 17", "age_s 1e40", "describes what no oscillator is like"},
        {"age_s 17", "age_s inf", "describes what no oscillator is like"},
        {"uses_temperature 1", "uses_temperature 2", "is damaged in line 15"},
        {"end\n", "end\nend\n", "is damaged in line 16"},
    };
    struct fixture *self = *state;
    char text[TEXT_SIZE];
    char changed[2 * TEXT_SIZE];

    self->store->ops->save_oscillator(self->store, 0, &learned);
    read_text(self, text);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *at = strstr(text, changes[i].what);
        assert_non_null(at);
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, changes[i].instead,
                 at + strlen(changes[i].what));
        write_text(self, changed);
        assert_refused(self, changes[i].reason);
    }
}

static void learned_is_refused_when_the_file_cannot_be_read(void **state)
{
    struct fixture *self = *state;

    assert_int_equal(symlink(self->path, self->path), 0);
    assert_refused(self, "cannot read ");
    assert_int_equal(unlink(self->path), 0);
    assert_int_equal(mkdir(self->path, 0700), 0);
    assert_refused(self, "is damaged in line 1");
    assert_int_equal(rmdir(self->path), 0);
}

/* ---- its age --------------------------------------------------------------------------------- */

static void learned_is_older_when_time_has_passed(void **state)
{
    struct fixture *self = *state;
    struct mt_steer_oscillator_memory found;
    char fresh[96];

    snprintf(fresh, sizeof fresh, "%s/fresh", self->folder);
    assert_true(mt_linux_learned_write(self->path, fresh, 1000000, &learned));
    assert_true(mt_linux_learned_read(self->path, 1000500, &found, self->reason));
    assert_true(found.age_s == 517);
    assert_true(mt_linux_learned_read(self->path, 5, &found, self->reason));
    assert_true(found.age_s == 17); /* a machine that has lost the time of day */
}

static void learned_stays_as_it_was_when_it_cannot_be_written(void **state)
{
    struct fixture *self = *state;
    struct mt_steer_oscillator_memory found;

    self->store->ops->save_oscillator(self->store, 0, &learned);
    assert_false(mt_linux_learned_write(self->path, "/nowhere/fresh", 0, &learned));
    assert_true(load(self, &found));
}

#define LEARNED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEARNED_TEST(learned_comes_back_to_the_last_digit_when_restarted),
        LEARNED_TEST(learned_is_of_its_own_clock_alone),
        LEARNED_TEST(learned_is_refused_when_the_file_is_cut_off_anywhere),
        LEARNED_TEST(learned_is_refused_when_the_file_is_of_another_version_or_changed),
        LEARNED_TEST(learned_is_refused_when_the_file_cannot_be_read),
        LEARNED_TEST(learned_is_older_when_time_has_passed),
        LEARNED_TEST(learned_stays_as_it_was_when_it_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
