/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * INTERFACE_RATE: see ptp_interface_rate.h.
 *
 * A frame is stamped behind its preamble.  The first bridge has it when the bits after the stamp
 * have come, at the rate of the sender's link; on the last link the bits before the stamp pass at
 * the rate of the receiver's.  What is between is the same both ways.  So, with b and a bits before
 * and after the stamp and p the time of a bit,
 *
 *     there = a_t p_t + b_r p_r,  back = a_r p_r + b_t p_t,  asymmetry = (there - back) / 2,
 *
 * which is nothing where the links are alike.  What is heard is kept by address, since the rate
 * comes with the first grant, before the transmitter is followed.
 */
#include "meantime/ptp_interface_rate.h"

#include "ptp/requester_private.h"

#define SIGNALING_TLVS 44 /* where they begin */
#define AS_PER_NS      INT64_C(1000000000)
#define AS_MBIT        UINT64_C(1000000000000) /* a bit at 1 Mbit/s */
#define PREAMBLE_BITS  64                      /* with the delimiter */
#define ETHERNET       18                      /* octets: addresses, type, check sequence */
#define LEAST_FRAME    64
#define SYNC_OCTETS    44
#define PERIOD_MOST    (AS_MBIT * 10) /* 100 kbit/s: what is slower is no link for time */

void mt_interface_rate_init(struct mt_interface_rate *self, uint32_t rate_mbit,
                            enum mt_network network)
{
    unsigned octets = ETHERNET + SYNC_OCTETS;
    memset(self, 0, sizeof *self);
    if (network == MT_NETWORK_UDP_IPV4) {
        octets += 20 + 8;
    } else if (network == MT_NETWORK_UDP_IPV6) {
        octets += 40 + 8 + 2; /* two more octets than the message has [annex D] */
    }
    octets = octets < LEAST_FRAME ? LEAST_FRAME : octets;
    self->own = (struct mt_tlv_interface_rate){
        .bit_period_as = AS_MBIT / rate_mbit,
        .bits_before = PREAMBLE_BITS,
        .bits_after = (uint16_t)(8 * octets),
    };
}

static struct mt_interface_rate *rate_of(const struct mt_port *port)
{
    return port->config.more != NULL ? port->config.more->interface_rate : NULL;
}

/* ---- what is heard --------------------------------------------------------------------------- */

static void remember(struct mt_interface_rate *self, const struct mt_address *from,
                     const struct mt_tlv_interface_rate *rate)
{
    unsigned place = 0;
    while (place < MT_INTERFACE_RATES_MAX - 1 &&
           self->heard[place].from.network != MT_NETWORK_NONE &&
           !mt_address_equal(&self->heard[place].from, from)) {
        place++;
    }
    memmove(&self->heard[1], &self->heard[0], place * sizeof self->heard[0]);
    self->heard[0].from = *from;
    self->heard[0].rate = *rate;
}

static bool is_of_table(const struct mt_requester *requester, const struct mt_address *from)
{
    for (unsigned i = 0; requester != NULL && i < requester->count; i++) {
        if (mt_address_equal(&requester->table[i].address, from)) {
            return true;
        }
    }
    return false;
}

/* With a grant; the requester sees the message next. */
static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    struct mt_interface_rate *own = rate_of(port);
    const uint8_t *tlvs = in->message.tlvs;
    size_t length = in->message.tlvs_length;
    struct mt_tlv_interface_rate rate = {0};
    bool is_granted = false;
    struct mt_tlv tlv;
    (void)ret_verdict;
    if (own == NULL || !mt_unicast_is_addressed(self, port, in) ||
        !is_of_table(mt_requester_of(port), in->from)) {
        return false;
    }
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        is_granted |= tlv.type == MT_TLV_GRANT_UNICAST_TRANSMISSION;
        (void)mt_tlv_parse_interface_rate(&tlv, &rate);
    }
    if (is_granted && rate.bit_period_as != 0 && rate.bit_period_as <= PERIOD_MOST) {
        remember(own, in->from, &rate);
    }
    return false;
}

/* ---- what is made of it ---------------------------------------------------------------------- */

/* Of the stamp's two sides on one link, in attoseconds: at most 2^16 bits of 10^13 as. */
static int64_t lead_as(const struct mt_tlv_interface_rate *rate)
{
    return (int64_t)rate->bit_period_as * ((int32_t)rate->bits_after - (int32_t)rate->bits_before);
}

static struct mt_interval asymmetry(const struct mt_tlv_interface_rate *transmitter,
                                    const struct mt_tlv_interface_rate *receiver)
{
    int64_t difference_as = lead_as(transmitter) - lead_as(receiver);
    int64_t whole_ns = difference_as / (2 * AS_PER_NS);
    int64_t rest_as = difference_as % (2 * AS_PER_NS);
    return (struct mt_interval){whole_ns * 65536 + rest_as * 65536 / (2 * AS_PER_NS)};
}

static const struct mt_interface_rate_heard *of_transmitter(const struct mt_port *port,
                                                            const struct mt_interface_rate *self)
{
    const struct mt_requester *requester = mt_requester_of(port);
    if (requester == NULL || requester->selected >= requester->count) {
        return NULL;
    }
    const struct mt_address *address = &requester->table[requester->selected].address;
    for (unsigned i = 0; i < MT_INTERFACE_RATES_MAX; i++) {
        if (self->heard[i].from.network != MT_NETWORK_NONE &&
            mt_address_equal(&self->heard[i].from, address)) {
            return &self->heard[i];
        }
    }
    return NULL;
}

/* The rest of delay_asymmetry is the configuration's, or was set by management. */
static void apply(struct mt_port *port, struct mt_interface_rate *self)
{
    const struct mt_interface_rate_heard *heard = of_transmitter(port, self);
    struct mt_interval wanted = {0};
    self->is_known = heard != NULL;
    if (heard != NULL) {
        self->peer = heard->rate;
        wanted = asymmetry(&heard->rate, &self->own);
    }
    if (wanted.q16 != self->applied.q16) {
        struct mt_interval rest = mt_interval_minus(port->config.delay_asymmetry, self->applied);
        port->config.delay_asymmetry = mt_interval_plus(rest, wanted);
        self->applied = wanted;
    }
}

static struct mt_mono settle(struct mt_instance *self)
{
    for (struct mt_port *port = self->ports; port < self->ports_end; port++) {
        struct mt_interface_rate *rate = rate_of(port);
        if (rate != NULL) {
            apply(port, rate);
        }
    }
    return MT_MONO_NEVER;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static bool negotiates(const struct mt_outgoing *out, const struct mt_tx *tx)
{
    const uint8_t *tlvs = out->buffer + SIGNALING_TLVS;
    size_t length = tx->length - SIGNALING_TLVS;
    struct mt_tlv tlv;
    while (mt_tlv_next(&tlvs, &length, &tlv)) {
        if (tlv.type == MT_TLV_REQUEST_UNICAST_TRANSMISSION ||
            tlv.type == MT_TLV_GRANT_UNICAST_TRANSMISSION) {
            return true;
        }
    }
    return false;
}

static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *tx)
{
    struct mt_interface_rate *rate = tx->port != 0 ? rate_of(&self->ports[tx->port - 1]) : NULL;
    if (rate == NULL || out->is_forwarded || out->message.header.type != MT_PTP_SIGNALING ||
        tx->destination != MT_TO_ADDRESS || tx->length < SIGNALING_TLVS || !negotiates(out, tx)) {
        return;
    }
    size_t length = mt_tlv_write_interface_rate(&rate->own, out->buffer + tx->length,
                                                out->capacity - tx->length);
    if (length > 0) {
        mt_frame_appended(out, tx, length);
        mt_count(&rate->sent);
    }
}

static bool is_used(const struct mt_instance_more *instance, const struct mt_port_more *port)
{
    (void)instance;
    return port->interface_rate != NULL;
}

const struct mt_extension mt_interface_rate_extension = {
    .rx = rx,
    .settle = settle,
    .finish = finish,
    .is_used = is_used,
};
