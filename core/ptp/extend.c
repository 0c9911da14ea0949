/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an instance does beyond an ordinary clock, at the five places where it can matter: a frame
 * comes, a transmit timestamp comes, an input has been dealt with, a frame is wanted, a frame
 * leaves.  Here the parts of larger clocks and the extensions are called, each in its turn; an
 * ordinary clock in firmware has none of this.
 */
#include "meantime/ptp_more.h"
#include "ptp/ptp_private.h"

static bool rx(struct mt_instance *self, struct mt_port *port, struct mt_incoming *in,
               enum mt_verdict *ret_verdict)
{
    const struct mt_ptp_features *features = self->config.features;
    const struct mt_ptp_header *header = &in->message.header;
    const struct mt_extension *const *extension = features->extensions;
    in->is_authenticated = false;
    for (; extension != NULL && *extension != NULL; extension++) {
        if ((*extension)->rx != NULL && (*extension)->rx(self, port, in, ret_verdict)) {
            return true;
        }
    }
    if (features->boundary != NULL) { /* of what security has let pass */
        features->boundary->hear(self, port, header);
    }
    return false;
}

static bool is_done(const struct mt_extension *extension, struct mt_instance *self,
                    struct mt_port *port, uint32_t token, const struct mt_stamp *stamp)
{
    struct mt_stamp on_wire;
    if (stamp != NULL) {
        on_wire = *stamp;
        mt_instant_add(&on_wire.at, &port->config.egress_latency);
        stamp = &on_wire;
    }
    return extension->tx_done(self, port, token, stamp);
}

static bool tx_done(struct mt_instance *self, struct mt_port *port, uint32_t token,
                    const struct mt_stamp *stamp)
{
    const struct mt_extension *const *extension = self->config.features->extensions;
    for (; extension != NULL && *extension != NULL; extension++) {
        if ((*extension)->tx_done != NULL && is_done(*extension, self, port, token, stamp)) {
            return true;
        }
    }
    return false;
}

static void settle(struct mt_instance *self)
{
    const struct mt_ptp_features *features = self->config.features;
    const struct mt_extension *const *extension = features->extensions;
    struct mt_mono deadline = MT_MONO_NEVER;
    if (features->boundary != NULL) {
        features->boundary->gate(self);
    }
    for (; extension != NULL && *extension != NULL; extension++) {
        if ((*extension)->settle != NULL) {
            deadline = mt_mono_earlier(deadline, (*extension)->settle(self));
        }
    }
    if (self->has_moved_timers || self->is_deadline_lent) {
        mt_instance_find_deadline(self);
    }
    self->is_deadline_lent = false;
    mt_lend_deadline(self, deadline);
}

static void touch(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx);

static bool next_tx(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    const struct mt_extension *const *extension = self->config.features->extensions;
    out->is_forwarded = false;
    for (; extension != NULL && *extension != NULL; extension++) {
        if ((*extension)->next_tx != NULL && (*extension)->next_tx(self, out, ret_tx)) {
            touch(self, out, ret_tx);
            return true;
        }
    }
    return false;
}

/* ---- frames that leave ----------------------------------------------------------------------- */

void mt_frame_appended(const struct mt_outgoing *out, struct mt_tx *tx, size_t length)
{
    tx->length += length;
    out->buffer[2] = (uint8_t)(tx->length >> 8);
    out->buffer[3] = (uint8_t)tx->length;
}

/* What an Announce says beyond its body; a part that does not fit is left out. */
static void add_to_announce(const struct mt_instance *self, const struct mt_outgoing *out,
                            struct mt_tx *tx)
{
    const struct mt_ptp_features *features = self->config.features;
    size_t capacity = out->capacity < MT_PTP_MESSAGE_MAX ? out->capacity : MT_PTP_MESSAGE_MAX;
    if (features->path_trace != NULL) {
        mt_frame_appended(
            out, tx,
            features->path_trace->write(self, out->buffer + tx->length, capacity - tx->length));
    }
    if (features->accuracy != NULL) {
        mt_frame_appended(
            out, tx,
            features->accuracy->write(self, out->buffer + tx->length, capacity - tx->length));
    }
}

static void touch(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    const struct mt_extension *const *extension = self->config.features->extensions;
    if (out->message.header.type == MT_PTP_ANNOUNCE && !out->is_forwarded) {
        add_to_announce(self, out, ret_tx);
    }
    size_t count = 0;
    while (extension != NULL && extension[count] != NULL) {
        count++;
    }
    while (count-- > 0) { /* who reads first writes last: what is signed has everything in it */
        if (extension[count]->finish != NULL) {
            extension[count]->finish(self, out, ret_tx);
        }
    }
}

/* What a port sends is its own. */
static void finish(struct mt_instance *self, struct mt_outgoing *out, struct mt_tx *ret_tx)
{
    out->is_forwarded = false;
    touch(self, out, ret_tx);
}

/* ---- which of them --------------------------------------------------------------------------- */

static bool is_used(const struct mt_extension *extension, const struct mt_instance_more *instance,
                    const struct mt_port_config *ports, uint16_t port_count)
{
    for (uint16_t i = 0; i < port_count && extension->is_used != NULL; i++) {
        if (extension->is_used(instance, ports[i].more)) {
            return true;
        }
    }
    return extension->is_used == NULL;
}

void mt_ptp_choose_extensions(const struct mt_instance_config *instance,
                              const struct mt_port_config *ports, uint16_t port_count,
                              const struct mt_extension *ret_extensions[MT_EXTENSIONS_MAX])
{
    const struct mt_extension *const *from = instance->features->extensions;
    size_t count = 0;
    for (; *from != NULL && count < MT_EXTENSIONS_MAX - 1; from++) {
        if (is_used(*from, instance->more, ports, port_count)) {
            ret_extensions[count++] = *from;
        }
    }
    ret_extensions[count] = NULL;
}

const struct mt_extend_part mt_extend = {rx, tx_done, settle, next_tx, finish};
