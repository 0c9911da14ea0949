/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Management and signaling out of any octets, against a boundary clock that answers them: what
 * leaves must parse, answers go to who asked, intervals stay within their limits, and what the
 * network sends changes nothing but what it may: intervals, where that is allowed.
 *
 * The input is a sequence of steps: an octet that says from where and what, a length, so many
 * octets of a message behind the header (or from its first octet on).
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ptp_management.h"

#define PORTS      2
#define STEPS_MAX  64
#define DRAINS_MAX 256
#define HEADER     34

static struct {
    struct mt_instance instance;
    struct mt_port ports[PORTS];
    struct mt_path path;
    struct mt_instance_more more;
    struct mt_management management;
    struct mt_management_port more_ports[PORTS];
    struct mt_mono now;
} self;

static const struct mt_address network = {MT_NETWORK_UDP_IPV4, {10, 0, 0, 9}, 320};
static const struct mt_address writer = {MT_NETWORK_LOCAL_READ_WRITE, {1}, 0};
static const struct mt_address reader = {MT_NETWORK_LOCAL_READ_ONLY, {2}, 0};

static void begin(bool obeys_intervals)
{
    struct mt_instance_config config;
    struct mt_port_config ports[PORTS];
    memset(&self, 0, sizeof self);
    mt_instance_config_init(&config);
    config.features = &mt_ptp_all_features;
    config.identity.octet[7] = 8;
    config.path = &self.path;
    config.more = &self.more;
    self.now.ns = 1000000000;
    mt_management_init(&self.management, self.more_ports, PORTS);
    self.more.management = &self.management;
    for (unsigned i = 0; i < PORTS; i++) {
        mt_port_config_init(&ports[i]);
        self.more_ports[i].interface = "eth0";
        self.more_ports[i].obeys_intervals = obeys_intervals;
    }
    mt_instance_init(&self.instance, &config, self.ports, ports, PORTS, 1, self.now);
    for (uint16_t port = 1; port <= PORTS; port++) {
        const struct mt_command up = {.kind = MT_COMMAND_LINK, .port = port, .value.is_on = true};
        mt_instance_command(&self.instance, &up, self.now);
    }
}

static void check(void)
{
    for (unsigned i = 0; i < PORTS; i++) {
        const struct mt_port_config *config = &self.ports[i].config;
        fuzz_require(config->log_announce_interval >= MT_LOG_INTERVAL_LOWEST &&
                     config->log_announce_interval <= MT_LOG_INTERVAL_HIGHEST);
        fuzz_require(config->log_sync_interval >= MT_LOG_INTERVAL_LOWEST &&
                     config->log_sync_interval <= MT_LOG_INTERVAL_HIGHEST);
        fuzz_require(config->announce_receipt_timeout >= 2);
    }
    fuzz_require(self.management.relay_length <= MT_RELAY_OCTETS);
    fuzz_require(strlen(self.management.user_description) <= MT_MANAGEMENT_TEXT_MAX);
}

static void drain(void)
{
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    struct mt_ptp_message message;
    struct mt_event event;
    struct mt_tx tx;
    unsigned count = 0;
    while (mt_instance_next_tx(&self.instance, frame, sizeof frame, &tx)) {
        fuzz_require(++count < DRAINS_MAX);
        fuzz_require(tx.port <= PORTS && tx.length <= sizeof frame);
        fuzz_require(mt_ptp_parse(frame, tx.length, &message) == MT_VERDICT_ACCEPTED);
        fuzz_require(tx.port != 0 ||
                     (tx.destination == MT_TO_ADDRESS && message.header.type == MT_PTP_MANAGEMENT &&
                      tx.to.network >= MT_NETWORK_LOCAL_READ_WRITE));
        if (tx.token != 0) {
            const struct mt_stamp stamp = {mt_instant_from_ns(self.now.ns, MT_SCALE_TAI), 0};
            mt_instance_tx_done(&self.instance, tx.token, &stamp, self.now);
        }
    }
    while (mt_instance_next_event(&self.instance, &event)) {
    }
    fuzz_require(mt_instance_deadline(&self.instance).ns > self.now.ns - 1);
    check();
}

/* A message of one of three types with the octets as its body and TLVs. */
static size_t make_frame(uint8_t how, const uint8_t *octets, size_t length, uint8_t *frame)
{
    static const uint8_t types[] = {MT_PTP_MANAGEMENT, MT_PTP_SIGNALING, MT_PTP_ANNOUNCE,
                                    MT_PTP_MANAGEMENT};
    if ((how & 0x20) != 0) {
        memcpy(frame, octets, length);
        return length;
    }
    memset(frame, 0, HEADER);
    frame[0] = types[how >> 2 & 3];
    frame[1] = 0x12;
    frame[2] = (uint8_t)((HEADER + length) >> 8);
    frame[3] = (uint8_t)(HEADER + length);
    frame[27] = (how & 0x10) != 0 ? 3 : 9;
    frame[29] = 1;
    frame[33] = 1;
    memcpy(frame + HEADER, octets, length);
    return HEADER + length;
}

static void step(uint8_t how, const uint8_t *octets, size_t length)
{
    uint8_t frame[HEADER + 255];
    struct mt_ptp_message message;
    size_t size = make_frame(how, octets, length, frame);
    uint64_t changes = self.management.changes;
    unsigned from = how & 3;
    if (from >= 2) {
        mt_management_local(&self.instance, frame, size, from == 2 ? &writer : &reader, self.now);
    } else {
        mt_instance_rx(&self.instance, (uint16_t)(from + 1), frame, size, NULL,
                       (how & 0x40) != 0 ? &network : NULL, self.now);
    }
    bool is_subscription = mt_ptp_parse(frame, size, &message) == MT_VERDICT_ACCEPTED &&
                           message.tlvs_length >= 6 && message.tlvs[4] == 0xC0 &&
                           message.tlvs[5] == 0x03;
    fuzz_require(from == 2 || is_subscription || self.management.changes == changes);
    drain();
    if ((how & 0x80) != 0) {
        self.now.ns += 700000000;
        mt_instance_tick(&self.instance, self.now);
        drain();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    begin((data[0] & 1) != 0);
    data++;
    size--;
    for (unsigned steps = 0; steps < STEPS_MAX && size >= 2; steps++) {
        size_t length = data[1] <= size - 2 ? data[1] : size - 2;
        step(data[0], data + 2, length);
        data += 2 + length;
        size -= 2 + length;
    }
    return 0;
}
