/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Slave event monitoring [1588-2019 16.11]: what the receiving port has measured goes out in a
 * Signaling message to all, a record of each kind at a time, for stations that watch receivers.
 * Corrections have been applied to the departure of a Sync by then, so the record has the sum in
 * the timestamp, and in totalCorrectionField what is below a nanosecond.
 */
#include "meantime/ptp_more.h"
#include "meantime/ptp_tlv.h"
#include "ptp/management_private.h"

#define TELLS_SYNC      1u
#define TELLS_DELAY_REQ 2u
/* computedFlags [16.11.4.2]: bit 0 scaledNeighborRateRatio, 1 meanPathDelay, 2 offsetFromMaster are
 * valid */
#define COMPUTED_FLAGS 0x06
#define HEAD           10 /* octets of sourcePortIdentity */

static const struct mt_port *receiving_port(const struct mt_instance *self)
{
    return self->receiving_port != 0 ? &self->ports[self->receiving_port - 1] : NULL;
}

/* The newest Delay_Req whose departure is known. */
static const struct mt_delay_exchange *newest_departure(const struct mt_port *port)
{
    unsigned newest = (port->delay.next + MT_DELAY_OUTSTANDING - 1u) % MT_DELAY_OUTSTANDING;
    const struct mt_delay_exchange *exchange = &port->delay.exchange[newest];
    return exchange->has_departure ? exchange : NULL;
}

static struct mt_mono settle(struct mt_instance *self)
{
    struct mt_management *management = mt_management_of(self);
    const struct mt_port *port = receiving_port(self);
    if (management == NULL || !management->monitors || port == NULL) {
        return MT_MONO_NEVER;
    }
    if (port->sync.done.is_there && port->sync.done.sequence != management->monitored_sync) {
        management->monitored_sync = port->sync.done.sequence;
        management->monitoring |= TELLS_SYNC;
    }
    const struct mt_delay_exchange *exchange = newest_departure(port);
    if (exchange != NULL && exchange->sequence != management->monitored_delay_req) {
        management->monitored_delay_req = exchange->sequence;
        management->monitored_departure = exchange->departure.at;
        management->monitoring |= TELLS_DELAY_REQ;
    }
    return MT_MONO_NEVER;
}

/* ---- TLVs ------------------------------------------------------------------------------------ */

static void put_timing(const struct mt_instance *self, const struct mt_port *port,
                       struct mt_put *out)
{
    struct mt_ptp_timestamp origin;
    struct mt_interval fraction;
    mt_ptp_timestamp_from_instant(&port->sync.departure, &origin, &fraction);
    mt_put_number(out, MT_TLV_SLAVE_RX_SYNC_TIMING_DATA, 2);
    mt_put_number(out, HEAD + 34, 2);
    mt_put_port_identity(out, &self->parent.sender);
    mt_put_number(out, port->sync.done.sequence, 2);
    mt_put_timestamp(out, &port->sync.departure);
    mt_put_number(out, (uint64_t)fraction.q16, 8);
    mt_put_number(out, 0, 4); /* scaledCumulativeRateOffset */
    mt_put_timestamp(out, &port->sync.arrival.at);
}

static void put_computed(const struct mt_instance *self, const struct mt_port *port,
                         struct mt_put *out)
{
    mt_put_number(out, MT_TLV_SLAVE_RX_SYNC_COMPUTED_DATA, 2);
    mt_put_number(out, HEAD + 2 + 22, 2);
    mt_put_port_identity(out, &self->parent.sender);
    mt_put_octet_and_reserved(out, COMPUTED_FLAGS);
    mt_put_number(out, port->sync.done.sequence, 2);
    mt_put_number(out, (uint64_t)self->clock.offset.q16, 8);
    mt_put_number(out, (uint64_t)self->clock.mean_delay.q16, 8);
    mt_put_number(out, 0, 4); /* scaledNeighborRateRatio: not valid */
}

static void put_departure(const struct mt_management *management, const struct mt_port *port,
                          struct mt_put *out)
{
    mt_put_number(out, MT_TLV_SLAVE_TX_EVENT_TIMESTAMPS, 2);
    mt_put_number(out, HEAD + 2 + 12, 2);
    mt_put_port_identity(out, &port->identity);
    mt_put_octet_and_reserved(out, MT_PTP_DELAY_REQ);
    mt_put_number(out, management->monitored_delay_req, 2);
    mt_put_timestamp(out, &management->monitored_departure);
}

static void begin(const struct mt_instance *self, struct mt_management *management,
                  const struct mt_port *port, struct mt_ptp_message *ret_message)
{
    struct mt_ptp_header *header = &ret_message->header;
    struct mt_port_more *more = port->config.more;
    uint16_t *sequence =
        more != NULL ? &more->signaling_sequence : &management->monitoring_sequence;
    memset(ret_message, 0, sizeof *ret_message);
    header->type = MT_PTP_SIGNALING;
    header->sdo_id = self->config.sdo_id;
    header->minor_version = self->config.minor_version;
    header->domain = self->config.domain;
    header->source = port->identity;
    header->sequence = (*sequence)++;
    header->log_interval = MT_PTP_LOG_INTERVAL_NONE;
    memset(&ret_message->body.target.clock, 0xFF, sizeof ret_message->body.target.clock);
    ret_message->body.target.port = 0xFFFF;
}

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    struct mt_management *management = mt_management_of(self);
    const struct mt_port *port = receiving_port(self);
    uint8_t tlvs[128];
    struct mt_put put = {tlvs, sizeof tlvs, false};
    if (management == NULL || management->monitoring == 0) {
        return false;
    }
    unsigned what = management->monitoring;
    management->monitoring = 0;
    if (port == NULL) {
        return false;
    }
    if ((what & TELLS_SYNC) != 0) {
        put_timing(self, port, &put);
        put_computed(self, port, &put);
    }
    if ((what & TELLS_DELAY_REQ) != 0) {
        put_departure(management, port, &put);
    }
    begin(self, management, port, &out->message);
    out->message.tlvs = tlvs;
    out->message.tlvs_length = sizeof tlvs - put.left;
    size_t length = mt_ptp_write(&out->message, out->buffer, out->capacity);
    memset(ret_tx, 0, sizeof *ret_tx);
    ret_tx->port = port->identity.port;
    ret_tx->length = length;
    return length != 0;
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)port;
    return instance->management != NULL && instance->management->monitors;
}

const struct mt_extension mt_monitoring_extension = {
    .settle = settle, .next_tx = next_tx, .is_used = is_used};
