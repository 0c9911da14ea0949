/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A whole PTP ordinary clock with nothing between the program and the core: for those who have a
 * loop of their own (an RTOS task, another event loop).  embed/ordinary.h is this, ready to use.
 *
 *     bare_loop INTERFACE SECONDS [PRIORITY1]      says its states; exit status 0 if at the end it
 *                                                  transmits, or receives and is locked
 *
 * The core is told what happened (a frame, a stamp, a command, time), then everything that it has
 * to say is taken out: frames, events, corrections.  It never calls back.
 */
#include "meantime/ptp.h"
#include "meantime/steer.h"
#include "platform/bare/bare.h"

static struct mt_bare platform;
static struct mt_instance instance;
static struct mt_port port;
static struct mt_discipline discipline;
static struct mt_discipline_source source;

static const struct mt_ptp_features features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_full,
    .transmitter = &mt_transmitter,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};

static void start(uint8_t priority1, struct mt_mono now)
{
    struct mt_instance_config config;
    struct mt_port_config port_config;
    struct mt_steer_config steer;
    mt_instance_config_init(&config);
    mt_port_config_init(&port_config);
    mt_steer_config_init(&steer);
    config.features = &features;
    config.identity = platform.identity;
    config.priority1 = priority1;
    port_config.log_announce_interval = 0; /* twice as often as the default profile: 1 s */
    port_config.log_sync_interval = -2;
    port_config.log_min_delay_req_interval = -2;
    steer.adopts_scale = true; /* the clock begins in 1970 and takes over whatever is served */
    mt_instance_init(&instance, &config, &port, &port_config, 1, platform.seed, now);
    mt_discipline_init(&discipline, &steer, &source, 1, platform.clock.hal.scale, 0, 0, false);
}

/* ---- what goes in --------------------------------------------------------------------------- */

static void feed(const struct mt_input *input)
{
    struct mt_hal_clock *clock = &platform.clock.hal;
    const struct mt_command link = {
        .kind = MT_COMMAND_LINK, .port = 1, .value.is_on = input->is_up};
    struct mt_stamp stamp;
    if (input->has_stamp) {
        clock->ops->stamp(clock, input->stamp, &stamp);
    }
    if (input->kind == MT_INPUT_FRAME) {
        mt_instance_rx(&instance, 1, input->bytes, input->length, input->has_stamp ? &stamp : NULL,
                       NULL, input->now);
    } else if (input->kind == MT_INPUT_TX_STAMP) {
        mt_instance_tx_done(&instance, input->token, input->has_stamp ? &stamp : NULL, input->now);
    } else if (input->kind == MT_INPUT_LINK) {
        mt_instance_command(&instance, &link, input->now);
    }
    mt_instance_tick(&instance, input->now);
    mt_discipline_tick(&discipline, input->now);
}

/* ---- what comes out ------------------------------------------------------------------------- */

static void say_state(const struct mt_event *event)
{
    mt_bare_print("state ");
    mt_bare_print_number(event->value.state.to);
    mt_bare_print("\n");
}

static void take_events(struct mt_mono now)
{
    struct mt_event event;
    while (mt_instance_next_event(&instance, &event)) {
        if (event.kind == MT_EVENT_STATE) {
            say_state(&event);
        } else if (event.kind == MT_EVENT_SAMPLE) {
            mt_discipline_sample(&discipline, &event.value.sample, now);
        } else if (event.kind == MT_EVENT_PARENT) { /* port 0: this clock is the grandmaster */
            mt_discipline_reset_source(&discipline, 0);
            mt_discipline_select(&discipline, event.port != 0 ? 0 : MT_SOURCE_NONE, now);
        }
    }
}

static void correct_clock(void)
{
    struct mt_correction correction;
    struct mt_applied applied;
    while (mt_discipline_next_correction(&discipline, &correction)) {
        platform.clock.hal.ops->apply(&platform.clock.hal, &correction, &applied);
        mt_discipline_applied(&discipline, &applied);
    }
}

/* The port goes from UNCALIBRATED to RECEIVER when it hears that the clock is locked. */
static bool tell_condition(struct mt_mono now)
{
    struct mt_command command = {.kind = MT_COMMAND_CLOCK};
    struct mt_clock_quality_report report;
    struct mt_clock_reading reading;
    platform.clock.hal.ops->read(&platform.clock.hal, &reading);
    mt_discipline_report(&discipline, reading.local.at, &report);
    command.value.clock.is_locked = report.is_locked;
    command.value.clock.shows =
        discipline.scale == MT_SCALE_TAI ? MT_CLOCK_SHOWS_PTP : MT_CLOCK_SHOWS_ARBITRARY;
    mt_instance_command(&instance, &command, now);
    return report.is_locked;
}

static void send_frames(struct mt_mono now)
{
    uint8_t frame[MT_ORDINARY_FRAME_SIZE];
    struct mt_tx tx;
    while (mt_instance_next_tx(&instance, frame, sizeof frame, &tx)) {
        const struct mt_link_frame out = {
            .bytes = frame, .length = tx.length, .is_event = tx.is_event, .token = tx.token};
        if (!platform.link.ops->send(&platform.link, &out) && tx.is_event) {
            mt_instance_tx_done(&instance, tx.token, NULL, now);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3 || !mt_bare_open(&platform, argv[1])) {
        mt_bare_print("usage: bare_loop INTERFACE SECONDS [PRIORITY1]\n");
        return 2;
    }
    struct mt_input input = {.now = platform.wait.ops->now(&platform.wait)};
    const struct mt_mono end = mt_mono_plus(input.now, mt_bare_number(argv[2]) * MT_NS_PER_S);
    bool is_locked = false;
    start(argc > 3 ? (uint8_t)mt_bare_number(argv[3]) : 128, input.now);
    while (input.now.ns < end.ns) {
        platform.wait.ops->next(
            &platform.wait,
            mt_mono_earlier(mt_instance_deadline(&instance), mt_discipline_deadline(&discipline)),
            &input);
        feed(&input);
        take_events(input.now);
        correct_clock();
        is_locked = tell_condition(input.now);
        take_events(input.now);
        send_frames(input.now);
    }
    const enum mt_port_state state = mt_port_state_of(&instance, 1);
    return state == MT_STATE_TRANSMITTER || (state == MT_STATE_RECEIVER && is_locked) ? 0 : 1;
}
