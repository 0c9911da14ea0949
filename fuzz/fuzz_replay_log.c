/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Input logs out of any octets: a whole node is composed from the configuration that a log claims
 * to hold, and fed with what follows, as `meantime replay` does with a log that somebody sent.
 * Whatever is in it, the replay ends, with a sentence if it did not go well.
 */
#include "fuzz.h"

#include <string.h>

#include "compose/compose.h"
#include "runtime/rerun.h"

#define CONFIG_MOST 4096 /* octets: long ones are the target of fuzz_config */
#define STEPS_MOST  2000

static void carry_out(void *context, const struct mt_order *order)
{
    const struct mt_compose_facts facts = mt_compose_facts_of(&order->facts);

    if (order->kind == MT_ORDER_FACTS) {
        mt_composition_set_facts(context, &facts, order->now);
    } else if (order->kind == MT_ORDER_AUTO) {
        mt_composition_make_utc_offset_auto(context, order->instance, order->now);
    }
}

static struct mt_config *configuration(struct mt_log_text text)
{
    static struct mt_config_problems problems;
    struct mt_config *config = NULL;

    problems = (struct mt_config_problems){0};
    if (text.length <= CONFIG_MOST) {
        mt_config_parse(text.text, text.length, "log", NULL, 0, &config, &problems);
    }
    return config;
}

static void run(struct mt_replay *replay, const struct mt_config *config)
{
    const struct mt_log_facts *known = &mt_replay_start(replay)->facts;
    const struct mt_compose_facts facts = mt_compose_facts_of(known);
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_composition *composition =
        mt_compose(config, mt_replay_provider(replay), &facts, reason);

    if (composition == NULL) {
        fuzz_require(reason[0] != '\0');
        return;
    }
    mt_replay_on_order(replay, carry_out, composition);
    while (mt_replay_step(replay, &composition->node)) {
    }
    const struct mt_replay_result *result = mt_replay_result(replay);
    fuzz_require(result->outcome != MT_REPLAY_RUNNING);
    fuzz_require((result->outcome == MT_REPLAY_SAME) == (result->sentence[0] == '\0'));
    mt_composition_free(composition);
}

/* The same octets, run anew: nothing need be as recorded, so much more of a hostile log is used.
 * How long it claims to be decides how often the node is woken, so that is limited here. */
static void run_anew(const uint8_t *data, size_t size, const struct mt_config *config)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_rerun *rerun = mt_rerun_open(data, size, reason);
    struct mt_composition *composition = NULL;

    fuzz_require(rerun != NULL || reason[0] != '\0');
    if (rerun != NULL) {
        const struct mt_log_facts *known = &mt_rerun_start(rerun)->facts;
        const struct mt_compose_facts facts = mt_compose_facts_of(known);
        composition = mt_compose(config, mt_rerun_provider(rerun), &facts, reason);
    }
    if (composition != NULL) {
        mt_rerun_on_order(rerun, carry_out, composition);
        for (int i = 0; i < STEPS_MOST && mt_rerun_step(rerun, &composition->node); i++) {
        }
        fuzz_require(mt_rerun_result(rerun)->offset <= size);
    }
    mt_composition_free(composition);
    mt_rerun_close(rerun);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    struct mt_replay *replay = mt_replay_open(data, size, reason);

    if (replay == NULL) {
        fuzz_require(reason[0] != '\0');
        return 0;
    }
    struct mt_config *config = configuration(mt_replay_start(replay)->config);
    if (config != NULL) {
        run(replay, config);
        run_anew(data, size, config);
    }
    fuzz_require(mt_replay_result(replay)->offset <= size);
    mt_config_free(config);
    mt_replay_close(replay);
    return 0;
}
