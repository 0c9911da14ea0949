/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The loop of a firmware with one clock and one port: everything that such a program asks of the
 * core is called here, so that an image holds what it would hold in the field.  The board's
 * functions are volatile pointers: the compiler can neither see through them nor leave them out.
 */
#include "firmware.h"

static struct mt_instance instance_ptp;
static struct mt_port instance_port;
static struct mt_discipline instance_discipline;
static struct mt_discipline_source instance_source;

struct board {
    struct mt_mono (*now)(void);
    struct mt_instant (*clock)(void);
    bool (*receive)(uint8_t *frame, size_t *ret_length, struct mt_stamp *ret_stamp);
    void (*send)(const struct mt_tx *tx, const uint8_t *frame);
    bool (*sent)(uint32_t *ret_token, struct mt_stamp *ret_stamp);
    struct mt_applied (*correct)(const struct mt_correction *correction);
    void (*store)(mt_real rate);
    void (*wait)(struct mt_mono until);
};
static const struct board *volatile board;

static uint8_t frame[MT_PTP_MESSAGE_MAX];

static void start(const struct mt_ptp_features *features, struct mt_path *path,
                  struct mt_instance_more *more, struct mt_port_more *port_more)
{
    struct mt_instance_config config;
    struct mt_port_config port;
    struct mt_steer_config steer;
    mt_instance_config_init(&config);
    config.features = features;
    config.path = path;
    config.more = more;
    mt_port_config_init(&port);
    port.more = port_more;
    mt_steer_config_init(&steer);
    const struct mt_mono now = board->now();
    mt_instance_init(&instance_ptp, &config, &instance_port, &port, 1, 1, now);
    mt_discipline_init(&instance_discipline, &steer, &instance_source, 1, MT_SCALE_ARB, 0, 0,
                       false);
    mt_instance_link(&instance_ptp, 1, true, now);
}

static void take_input(struct mt_mono now)
{
    size_t length;
    struct mt_stamp stamp;
    uint32_t token;
    if (board->receive(frame, &length, &stamp)) {
        mt_instance_rx(&instance_ptp, 1, frame, length, &stamp, NULL, now);
    }
    if (board->sent(&token, &stamp)) {
        mt_instance_tx_done(&instance_ptp, token, &stamp, now);
    }
    mt_instance_tick(&instance_ptp, now);
}

static void take_event(const struct mt_event *event, struct mt_mono now)
{
    if (event->kind == MT_EVENT_SAMPLE) {
        mt_discipline_sample(&instance_discipline, &event->value.sample, now);
        return;
    }
    if (event->kind == MT_EVENT_PARENT) {
        mt_discipline_reset_source(&instance_discipline, 0);
        mt_discipline_select(&instance_discipline, event->port == 0 ? MT_SOURCE_NONE : 0, now);
    }
    if ((event->kind == MT_EVENT_PARENT || event->kind == MT_EVENT_REFERENCE) && event->port != 0 &&
        !event->value.parent.is_same_grandmaster) {
        mt_discipline_new_reference(&instance_discipline, event->value.parent.is_same_reference);
    }
}

static void take_events(struct mt_mono now)
{
    struct mt_event event;
    while (mt_instance_next_event(&instance_ptp, &event)) {
        take_event(&event, now);
    }
}

static void steer_clock(struct mt_mono now)
{
    struct mt_correction correction;
    mt_discipline_tick(&instance_discipline, now);
    while (mt_discipline_next_correction(&instance_discipline, &correction)) {
        const struct mt_applied applied = board->correct(&correction);
        mt_discipline_applied(&instance_discipline, &applied);
    }
    mt_real rate;
    if (mt_discipline_drift(&instance_discipline, &rate)) {
        board->store(rate);
    }
}

static void report_clock(struct mt_mono now)
{
    struct mt_clock_quality_report report;
    mt_discipline_report(&instance_discipline, board->clock(), &report);
    const struct mt_clock_condition condition = {
        .is_locked = report.is_locked,
        .has_bound = report.reference == MT_BOUND_SOURCE,
        .bound = report.bound,
    };
    mt_instance_clock(&instance_ptp, &condition, now);
}

static void send_all(void)
{
    struct mt_tx tx;
    while (mt_instance_next_tx(&instance_ptp, frame, sizeof frame, &tx)) {
        board->send(&tx, frame);
    }
}

_Noreturn static void run(void)
{
    for (;;) {
        const struct mt_mono now = board->now();
        take_input(now);
        take_events(now);
        steer_clock(now);
        report_clock(now);
        send_all();
        board->wait(mt_mono_earlier(mt_instance_deadline(&instance_ptp),
                                    mt_discipline_deadline(&instance_discipline)));
    }
}

void firmware_run(const struct mt_ptp_features *features, struct mt_path *path)
{
    start(features, path, NULL, NULL);
    run();
}

void firmware_run_with(const struct mt_ptp_features *features, struct mt_instance_more *more,
                       struct mt_port_more *port)
{
    start(features, NULL, more, port);
    run();
}
