/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The loop of the ordinary clock of 16 KiB: as in firmware.c, with the smallest discipline that
 * tunes itself in the place of the full one.
 */
#include "firmware.h"
#include "meantime/steer_kalman.h"

static struct mt_instance instance_ptp;
static struct mt_port instance_port;
static struct mt_kalman_follower instance_follower;

struct board {
    struct mt_mono (*now)(void);
    bool (*receive)(uint8_t *frame, size_t *ret_length, struct mt_stamp *ret_stamp);
    void (*send)(const struct mt_tx *tx, const uint8_t *frame);
    bool (*sent)(uint32_t *ret_token, struct mt_stamp *ret_stamp);
    struct mt_applied (*correct)(const struct mt_correction *correction);
    void (*store)(mt_real rate);
    void (*wait)(struct mt_mono until);
};
static const struct board *volatile board;

static uint8_t frame[MT_PTP_MESSAGE_MAX];

static void start(const struct mt_ptp_features *features, struct mt_instance_more *more,
                  struct mt_port_more *port_more)
{
    struct mt_instance_config config;
    struct mt_port_config port;
    mt_instance_config_init(&config);
    config.features = features;
    config.more = more;
    mt_port_config_init(&port);
    port.more = port_more;
    const struct mt_mono now = board->now();
    mt_instance_init(&instance_ptp, &config, &instance_port, &port, 1, 1, now);
    mt_kalman_follower_init(&instance_follower, MT_SCALE_ARB, 0, 0);
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

static void take_events(struct mt_mono now)
{
    struct mt_event event;
    while (mt_instance_next_event(&instance_ptp, &event)) {
        if (event.kind == MT_EVENT_SAMPLE) {
            mt_kalman_follower_sample(&instance_follower, &event.value.sample, now);
        } else if (event.kind == MT_EVENT_PARENT) {
            mt_kalman_follower_forget(&instance_follower);
        }
    }
}

static void steer_clock(struct mt_mono now)
{
    struct mt_correction correction;
    mt_kalman_follower_tick(&instance_follower, now);
    while (mt_kalman_follower_next_correction(&instance_follower, &correction)) {
        const struct mt_applied applied = board->correct(&correction);
        mt_kalman_follower_applied(&instance_follower, &applied);
    }
    mt_real rate;
    if (mt_kalman_follower_drift(&instance_follower, &rate)) {
        board->store(rate);
    }
    struct mt_clock_condition condition = {
        .is_locked = mt_kalman_follower_is_locked(&instance_follower),
    };
    mt_kalman_follower_measured(&instance_follower, &condition.offset, &condition.mean_delay);
    mt_instance_clock(&instance_ptp, &condition, now);
}

static void send_all(void)
{
    struct mt_tx tx;
    while (mt_instance_next_tx(&instance_ptp, frame, sizeof frame, &tx)) {
        board->send(&tx, frame);
    }
}

void firmware_tune(const struct mt_ptp_features *features, struct mt_instance_more *more,
                   struct mt_port_more *port)
{
    start(features, more, port);
    for (;;) {
        const struct mt_mono now = board->now();
        take_input(now);
        take_events(now);
        steer_clock(now);
        send_all();
        board->wait(mt_mono_earlier(mt_instance_deadline(&instance_ptp),
                                    mt_kalman_follower_deadline(&instance_follower)));
    }
}
