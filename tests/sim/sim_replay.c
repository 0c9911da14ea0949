/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sim_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct lab_replay lab_replay(const struct lab_log *log)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_config_problems problems = {0};
    struct lab_replay self = {.replay = mt_replay_open(log->octets, log->length, reason)};
    assert_string_equal(reason, "");
    const struct mt_log_start *start = mt_replay_start(self.replay);
    const struct mt_compose_facts facts = {.tai_utc_known = start->facts.tai_utc_known,
                                           .tai_minus_utc_s = start->facts.tai_minus_utc_s,
                                           .leap_s = start->facts.leap_s};
    assert_true(mt_config_parse(start->config.text, start->config.length, "log", NULL, 0,
                                &self.config, &problems));
    self.composition = mt_compose(self.config, mt_replay_provider(self.replay), &facts, reason);
    assert_non_null(self.composition);
    while (mt_replay_step(self.replay, &self.composition->node)) {
    }
    self.result = *mt_replay_result(self.replay);
    assert_string_equal(self.result.sentence, "");
    assert_int_equal(self.result.outcome, MT_REPLAY_SAME);
    assert_true(self.result.is_complete);
    return self;
}

void lab_replay_close(struct lab_replay *self)
{
    mt_composition_free(self->composition);
    mt_config_free(self->config);
    mt_replay_close(self->replay);
}
