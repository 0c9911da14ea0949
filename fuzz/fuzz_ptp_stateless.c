/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Any octets as a request to the servers of SPTP and CSPTP, and as answers to a client that has
 * asked.  The first octet chooses how is served; what is answered must be well formed, carry the
 * request's sequenceId, be no request itself, and in CSPTP be no longer than the request.  The
 * client gets what is left as frames (an octet: which of them; an octet: length), with the
 * sequenceId put right in half of them, for else nothing would ever get past it.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ptp_more.h"
#include "meantime/ptp_stateless.h"

static const struct mt_address address = {
    .network = MT_NETWORK_UDP_IPV4, .octets = {192, 0, 2, 1}, .udp_port = 319};

static void check_second(const struct mt_served *served, const struct mt_stateless_rest *rest,
                         size_t first_length, uint16_t request_length, bool is_bounded)
{
    const struct mt_instant departure = {.s = 1700000001, .ns = 17};
    uint8_t second[MT_STATELESS_FRAME_MAX];
    struct mt_ptp_message message;
    size_t length = mt_stateless_finish(served, rest, &departure, second, sizeof second);
    fuzz_require(mt_ptp_parse(second, length, &message) == MT_VERDICT_ACCEPTED);
    fuzz_require(message.header.sequence == rest->sequence);
    fuzz_require(!is_bounded || first_length + length <= request_length);
}

static void serve(uint8_t how, const uint8_t *data, size_t size)
{
    const struct mt_stateless_server server = {
        .serves_sptp = true,
        .serves_csptp = true,
        .sptp_padded_only = (how & 8) != 0,
        .csptp_per_message = (how & 16) != 0,
        .layout = &mt_csptp_layouts[how % MT_CSPTP_LAYOUT_COUNT],
    };
    const struct mt_served served = {.is_serving = true, .domain = 0, .parent = address};
    const struct mt_instant arrival = {.s = 1700000000, .ns = 5, .frac = 9};
    struct mt_stateless_answer answer;
    struct mt_stateless_answer again;
    struct mt_ptp_message request;
    struct mt_ptp_message message;
    if (mt_stateless_answer(&server, &served, data, size, &arrival, &address, &answer) !=
        MT_STATELESS_ANSWERED) {
        return;
    }
    fuzz_require(mt_ptp_parse(data, size, &request) == MT_VERDICT_ACCEPTED);
    fuzz_require(mt_ptp_parse(answer.frame, answer.length, &message) == MT_VERDICT_ACCEPTED);
    fuzz_require(message.header.sequence == request.header.sequence);
    fuzz_require(mt_stateless_answer(&server, &served, answer.frame, answer.length, &arrival,
                                     &address, &again) == MT_STATELESS_OTHER);
    bool is_csptp = answer.rest.form == MT_STATELESS_CSPTP;
    fuzz_require(!is_csptp || answer.length <= request.header.length);
    check_second(&served, &answer.rest, answer.length, request.header.length,
                 is_csptp ? !server.csptp_per_message : server.sptp_padded_only);
}

/* ---- client ---------------------------------------------------------------------------------- */

static struct mt_instance instance;
static struct mt_port port;
static struct mt_stateless_client client;
static struct mt_port_more more;

static void start(uint8_t how)
{
    struct mt_instance_config config;
    struct mt_port_config port_config;
    const struct mt_command up = {.kind = MT_COMMAND_LINK, .port = 1, .value.is_on = true};
    mt_stateless_client_init(&client, (how & 4) != 0 ? MT_STATELESS_SPTP : MT_STATELESS_CSPTP,
                             &mt_csptp_layouts[how % MT_CSPTP_LAYOUT_COUNT], 0, &address, 1);
    more = (struct mt_port_more){.stateless = &client};
    mt_instance_config_init(&config);
    mt_port_config_init(&port_config);
    config.features = &mt_ptp_all_features;
    config.identity = (struct mt_clock_identity){{9, 9, 9, 9, 9, 9, 9, 9}};
    config.is_receiver_only = true;
    port_config.more = &more;
    mt_instance_init(&instance, &config, &port, &port_config, 1, 1, (struct mt_mono){1});
    mt_instance_command(&instance, &up, (struct mt_mono){1});
}

static void drain(struct mt_mono now)
{
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    struct mt_tx tx;
    struct mt_event event;
    while (mt_instance_next_tx(&instance, frame, sizeof frame, &tx)) {
        const struct mt_stamp stamp = {.at = mt_instant_from_ns(now.ns, MT_SCALE_TAI)};
        fuzz_require(tx.destination == MT_TO_ADDRESS && tx.length <= MT_STATELESS_REQUEST_SIZE);
        mt_instance_tx_done(&instance, tx.token, &stamp, now);
    }
    while (mt_instance_next_event(&instance, &event)) {
    }
}

static void ask(uint8_t how, struct fuzz_input input)
{
    struct mt_mono now = {1};
    uint8_t frame[256];
    start(how);
    while (input.left > 2) {
        uint8_t action = fuzz_u8(&input);
        size_t length = fuzz_u8(&input);
        length = length < input.left ? length : input.left;
        memcpy(frame, input.at, length);
        input.at += length;
        input.left -= length;
        if ((action & 1) != 0 && length >= 32) {
            frame[30] = (uint8_t)(client.peers[0].sequence >> 8);
            frame[31] = (uint8_t)client.peers[0].sequence;
        }
        now.ns += (int64_t)(action >> 3) * 40000000;
        mt_instance_tick(&instance, now);
        drain(now);
        const struct mt_stamp stamp = {.at = mt_instant_from_ns(now.ns + 5000, MT_SCALE_TAI)};
        mt_instance_rx(&instance, 1, frame, length, (action & 2) != 0 ? NULL : &stamp,
                       (action & 4) != 0 ? NULL : &address, now);
        drain(now);
    }
    fuzz_require(client.peers[0].measured <= client.peers[0].asked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t how = fuzz_u8(&input);
    serve(how, input.at, input.left);
    ask(how, input);
    return 0;
}
