/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * usage: replay_log FILE
 *
 * Replays what `meantimed --record FILE` wrote and prints what came of it as one line of JSON:
 * the same run again, or the first thing that was different.  The exit status is 0 if the whole
 * log was replayed to its end and everything was the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "compose/compose.h"
#include "runtime/replay.h"

struct run {
    struct mt_composition *composition;
    struct mt_config *config;
};

static uint8_t *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    uint8_t *octets = NULL;
    long length;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) > 0) {
        rewind(file);
        octets = malloc((size_t)length);
        *ret_length = octets != NULL ? fread(octets, 1, (size_t)length, file) : 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return octets;
}

static struct mt_config *parse(struct mt_log_text text)
{
    static struct mt_config_problems problems;
    struct mt_config *config = NULL;

    if (!mt_config_parse(text.text, text.length, "log", NULL, 0, &config, &problems)) {
        mt_config_problems_print(&problems, stderr);
    }
    return config;
}

static struct mt_compose_facts facts_of(const struct mt_log_facts *facts)
{
    return (struct mt_compose_facts){facts->tai_utc_known, facts->tai_minus_utc_s, facts->leap_s};
}

static void obey(void *context, const struct mt_order *order)
{
    struct run *self = context;
    char reason[MT_HAL_REASON_SIZE];

    if (order->kind == MT_ORDER_FACTS) {
        const struct mt_compose_facts facts = facts_of(&order->facts);

        mt_composition_set_facts(self->composition, &facts, order->now);
    } else if (order->kind == MT_ORDER_RELOAD) {
        struct mt_config *config = parse(order->config);

        if (config != NULL) {
            mt_composition_reload(self->composition, config, order->now, reason);
        }
        mt_config_free(config);
    }
}

static bool replay(struct mt_replay *replay)
{
    char reason[MT_HAL_REASON_SIZE] = "";
    const struct mt_log_start *start = mt_replay_start(replay);
    const struct mt_compose_facts facts = facts_of(&start->facts);
    struct run run = {.config = parse(start->config)};
    const struct mt_replay_result *result = mt_replay_result(replay);

    if (run.config != NULL) {
        run.composition = mt_compose(run.config, mt_replay_provider(replay), &facts, reason);
    }
    mt_replay_on_order(replay, obey, &run);
    while (run.composition != NULL && mt_replay_step(replay, &run.composition->node)) {
    }
    bool is_same = result->outcome == MT_REPLAY_SAME && result->is_complete;
    printf("{\"same\": %s, \"sentence\": \"%s\", \"records\": %" PRIu64 ", \"inputs\": %" PRIu64
           ", \"frames\": %" PRIu64 ", \"corrections\": %" PRIu64 "}\n",
           is_same ? "true" : "false", run.composition != NULL ? result->sentence : reason,
           result->records, result->inputs, result->frames, result->corrections);
    mt_composition_free(run.composition);
    mt_config_free(run.config);
    return is_same;
}

int main(int argc, char **argv)
{
    char reason[MT_HAL_REASON_SIZE] = "cannot be read";
    size_t length = 0;
    uint8_t *octets = argc == 2 ? read_file(argv[1], &length) : NULL;
    struct mt_replay *opened = octets != NULL ? mt_replay_open(octets, length, reason) : NULL;
    bool is_same = opened != NULL && replay(opened);

    if (opened == NULL) {
        fprintf(stderr, "replay_log: %s\n", argc == 2 ? reason : "usage: replay_log FILE");
    } else {
        mt_replay_close(opened);
    }
    free(octets);
    return is_same ? EXIT_SUCCESS : EXIT_FAILURE;
}
