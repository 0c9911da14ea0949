/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One port, so all indices are gone.  A frame that the link does not take is one whose stamp will
 * not come.
 */
#include "embed/instance_io.h"

#define PORT 1

static const struct mt_stamp *stamp_of(struct mt_hal_clock *clock, const struct mt_input *input,
                                       struct mt_stamp *stamp)
{
    if (!input->has_stamp) {
        return NULL;
    }
    clock->ops->stamp(clock, input->stamp, stamp);
    return stamp;
}

void mt_embed_input(struct mt_instance *ptp, struct mt_hal_clock *clock,
                    const struct mt_input *input)
{
    struct mt_stamp stamp;
    switch (input->kind) {
    case MT_INPUT_NONE:
    case MT_INPUT_RESUMED:
        break;
    case MT_INPUT_FRAME:
        mt_instance_rx(ptp, PORT, input->bytes, input->length, stamp_of(clock, input, &stamp),
                       input->from.network != MT_NETWORK_NONE ? &input->from : NULL, input->now);
        break;
    case MT_INPUT_TX_STAMP:
        mt_instance_tx_done(ptp, input->token, stamp_of(clock, input, &stamp), input->now);
        break;
    case MT_INPUT_LINK:
        mt_instance_link(ptp, PORT, input->is_up, input->now);
        break;
    }
}

static enum mt_link_destination destination_of(enum mt_destination destination)
{
    switch (destination) {
    case MT_TO_ALL:
        break;
    case MT_TO_PEER:
        return MT_LINK_PEER;
    case MT_TO_ADDRESS:
        return MT_LINK_ADDRESS;
    }
    return MT_LINK_PRIMARY;
}

bool mt_embed_send(struct mt_instance *ptp, struct mt_hal_link *link, uint8_t *frame, size_t size,
                   struct mt_mono now)
{
    struct mt_tx tx;
    bool any = false;
    while (mt_instance_next_tx(ptp, frame, size, &tx)) {
        struct mt_link_frame out = {
            .bytes = frame,
            .length = tx.length,
            .destination = destination_of(tx.destination),
            .is_event = tx.is_event,
            .token = tx.token,
        };
        if (tx.destination == MT_TO_ADDRESS) {
            out.to = tx.to;
        }
        if (!link->ops->send(link, &out) && tx.is_event) {
            mt_instance_tx_done(ptp, tx.token, NULL, now);
        }
        any = true;
    }
    return any;
}
