/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What it is to do is counted in messages, states and the learned frequency, never in the accuracy
 * of time: an emulator shares its processor with others, and stands still when they want it.  The
 * application's own time begins with the first frame.
 */
#include "firmware/application.h"

#include "firmware/arguments.h"

#define LEARNED_PPB     2000
#define LEARNED_FOR_NS  INT64_C(4000000000)
#define ANSWERS_DEFAULT 20
#define S_TO_PPB        MT_REAL(1e9)

static struct mt_ordinary node;

static struct task {
    const char *arguments;
    enum mt_port_state told_state;
    enum mt_steer_phase told_phase;
    int64_t expected_ppb;   /**< correction that makes up for the injected error */
    struct mt_mono learned; /**< since when the rate is right; 0: it is not */
} task;

static const struct mt_ptp_features receiver_features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};
static const struct mt_ptp_features ordinary_features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_full,
    .transmitter = &mt_transmitter,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};

static bool is_role(const char *role)
{
    return firmware_is(task.arguments, "role", role);
}

void firmware_open(struct mt_board *ret_board)
{
    task.arguments = mt_board_arguments();
    task.expected_ppb = -firmware_number(task.arguments, "ppb", 0);
    mt_board_open(ret_board, is_role("transmitter") ? MT_SCALE_TAI : MT_SCALE_ARB,
                  -task.expected_ppb);
}

static void configure(const struct mt_board *board, struct mt_ordinary_config *ret_config)
{
    const char *arguments = task.arguments;
    const bool is_receiver = is_role("receiver");
    struct mt_instance_config *instance = &ret_config->instance;
    struct mt_port_config *port = &ret_config->port;

    mt_ordinary_config_init(ret_config, is_receiver ? &receiver_features : &ordinary_features,
                            board->clock);
    instance->identity = mt_mac_identity(board->mac);
    instance->is_receiver_only = is_receiver;
    instance->domain = (uint8_t)firmware_number(arguments, "domain", instance->domain);
    instance->priority1 = (uint8_t)firmware_number(arguments, "priority1", instance->priority1);
    port->is_transmitter_only = is_role("transmitter");
    port->log_announce_interval =
        (int8_t)firmware_number(arguments, "announce", port->log_announce_interval);
    port->log_sync_interval = (int8_t)firmware_number(arguments, "sync", port->log_sync_interval);
    port->log_min_delay_req_interval =
        (int8_t)firmware_number(arguments, "delay", port->log_min_delay_req_interval);
    ret_config->seed = board->seed;
}

/* ---- what it says --------------------------------------------------------------------------- */

static int64_t rate_ppb(void)
{
    mt_real rate;
    return mt_ordinary_drift(&node, &rate) ? mt_real_round(rate * S_TO_PPB) : 0;
}

static uint64_t answered(void)
{
    return node.port.counters[MT_COUNT_SENT_DELAY_RESP];
}

static void say_all(const char *word)
{
    const struct mt_link_counters *link = &node.tables.link->counters;
    mt_board_print(word);
    firmware_say("state", (int)mt_port_state_of(&node.ptp, 1));
    firmware_say("phase", (int)node.discipline.phase);
    firmware_say("rate_ppb", rate_ppb());
    firmware_say("samples", node.source.verdicts[MT_SAMPLE_USED]);
    firmware_say("steps", node.discipline.steps);
    firmware_say("answered", (int64_t)answered());
    firmware_say("received", (int64_t)link->received);
    firmware_say("sent", (int64_t)link->sent);
    firmware_say("failed", (int64_t)link->send_failed);
    firmware_end_line();
}

static void say_changes(void)
{
    const enum mt_port_state state = mt_port_state_of(&node.ptp, 1);
    const enum mt_steer_phase phase = node.discipline.phase;
    if (state != task.told_state || phase != task.told_phase) {
        task.told_state = state;
        task.told_phase = phase;
        say_all("change");
    }
}

/* ---- what it is to do ----------------------------------------------------------------------- */

static bool has_learned(struct mt_mono now)
{
    const int64_t off_ppb = rate_ppb() - task.expected_ppb;
    const bool is_right = task.told_state == MT_STATE_RECEIVER &&
                          task.told_phase == MT_STEER_LOCKED && off_ppb <= LEARNED_PPB &&
                          off_ppb >= -LEARNED_PPB;
    if (!is_right) {
        task.learned.ns = 0;
    } else if (task.learned.ns == 0) {
        task.learned = now;
    }
    return is_right && now.ns - task.learned.ns >= LEARNED_FOR_NS;
}

static bool is_done(struct mt_mono now)
{
    const int64_t answers = firmware_number(task.arguments, "answers", ANSWERS_DEFAULT);
    return task.told_state == MT_STATE_TRANSMITTER ? (int64_t)answered() >= answers
                                                   : has_learned(now);
}

static struct mt_mono time_now(void)
{
    return node.tables.wait->ops->now(node.tables.wait);
}

int firmware_run(const struct mt_board *board, const struct mt_ordinary_tables *tables)
{
    struct mt_ordinary_config config;
    const int64_t seconds = firmware_number(task.arguments, "seconds", 0);

    configure(board, &config);
    mt_ordinary_init(&node, &config, tables);
    say_all("start");
    const struct mt_mono end = mt_mono_plus(time_now(), seconds * MT_NS_PER_S);
    while (seconds == 0 || time_now().ns < end.ns) {
        mt_ordinary_once(&node);
        say_changes();
        if (seconds != 0 && is_done(time_now())) {
            say_all("done");
            return 0;
        }
    }
    say_all("late");
    return 1;
}
