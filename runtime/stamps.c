/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Cards and drivers that compare the octet of the version with 2 do not stamp what begins with
 * 0x12, and equipment of 2008 may drop it.  Both look like something else: a broken card, a
 * transmitter that is deaf.  So when nothing has worked yet and the other version might, it is
 * tried.  One stamp, or one answer, settles it for good: later losses have other reasons.
 *
 * The share of losses is told from an eighth on, and as over from a thirty-second down, so that
 * what lies between does not flicker in the log.
 */
#include "runtime/stamps.h"

#include <string.h>

#include "meantime/ptp_peer.h"
#include "runtime/events.h"
#include "runtime/node.h"

#define MANY          8  /* one in so many */
#define FEW           32 /* likewise */
#define MESSAGE_TYPE  0x0F
#define VERSION_AT    1
#define DOMAIN_AT     4
#define IDENTITY_AT   20
#define REQUESTER_AT  44
#define HEADER_SIZE   34
#define RESPONSE_SIZE 54
#define IDENTITY_SIZE 8
#define DELAY_REQ     1
#define PDELAY_REQ    2
#define PDELAY_RESP   3
#define DELAY_RESP    9

static unsigned ones(uint64_t bits)
{
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

unsigned mt_stamps_lost(const struct mt_stamps *self, unsigned *ret_of)
{
    *ret_of = self->held;
    return ones(self->missing);
}

/* ---- the version ----------------------------------------------------------------------------- */

static void set_minor(struct mt_node *node, uint16_t index, uint8_t minor,
                      enum mt_minor_reason reason, struct mt_mono now)
{
    struct mt_node_instance *instance = &node->instances[index];
    instance->ptp.config.minor_version = minor;
    for (uint16_t i = 0; i < instance->ptp.port_count; i++) {
        const struct mt_port_more *more = instance->ptp.ports[i].config.more;
        if (more != NULL && more->peer != NULL) {
            more->peer->config.minor_version = minor;
        }
    }
    instance->minor.requests = 0;
    instance->minor.is_over = reason == MT_MINOR_NO_USE;
    mt_node_tell(node,
                 &(struct mt_node_event){
                     .kind = MT_NODE_MINOR, .at = now, .index = index, .value.minor = reason});
}

static bool uses(const struct mt_node_instance *instance, uint16_t link)
{
    for (uint16_t i = 0; i < instance->ptp.port_count; i++) {
        if (instance->ports[i].link == link) {
            return true;
        }
    }
    return false;
}

/* Nothing at all has come: with the other version it may. */
static void try_other(struct mt_node *node, uint16_t link, struct mt_mono now)
{
    for (uint16_t i = 0; i < node->instance_count; i++) {
        struct mt_node_instance *instance = &node->instances[i];
        bool is_old = instance->ptp.config.minor_version == 0;
        if (!instance->minor.is_auto || instance->minor.is_over || !uses(instance, link)) {
            continue;
        }
        set_minor(node, i, is_old ? 1 : 0, is_old ? MT_MINOR_NO_USE : MT_MINOR_NO_STAMPS, now);
    }
}

void mt_minor_sent(struct mt_node *node, uint16_t index, const uint8_t *frame, struct mt_mono now)
{
    struct mt_node_instance *instance = &node->instances[index];
    struct mt_minor *self = &instance->minor;
    unsigned type = frame[0] & MESSAGE_TYPE;
    if (!self->is_auto || self->has_answer || instance->ptp.config.minor_version == 0 ||
        (type != DELAY_REQ && type != PDELAY_REQ) || ++self->requests <= MT_STAMPS_PATIENCE) {
        return;
    }
    self->requests = 0;
    if (self->hears_old && !self->hears_new) {
        set_minor(node, index, 0, MT_MINOR_NO_ANSWERS, now);
    }
}

void mt_minor_heard(struct mt_node *node, uint16_t index, const struct mt_input *input)
{
    struct mt_minor *self = &node->instances[index].minor;
    const struct mt_instance_config *config = &node->instances[index].ptp.config;
    const uint8_t *frame = input->bytes;
    if (!self->is_auto || self->has_answer || input->length < HEADER_SIZE ||
        frame[DOMAIN_AT] != config->domain ||
        memcmp(frame + IDENTITY_AT, config->identity.octet, IDENTITY_SIZE) == 0) {
        return;
    }
    unsigned type = frame[0] & MESSAGE_TYPE;
    bool is_answer = (type == DELAY_RESP || type == PDELAY_RESP) &&
                     input->length >= RESPONSE_SIZE &&
                     memcmp(frame + REQUESTER_AT, config->identity.octet, IDENTITY_SIZE) == 0;
    self->has_answer = is_answer && config->minor_version != 0;
    self->hears_old |= frame[VERSION_AT] >> 4 == 0;
    self->hears_new |= frame[VERSION_AT] >> 4 != 0;
}

/* ---- losses ---------------------------------------------------------------------------------- */

static void judge(struct mt_node *node, uint16_t link, struct mt_mono now)
{
    struct mt_stamps *self = &node->stamps[link];
    unsigned of;
    unsigned lost = mt_stamps_lost(self, &of);
    bool is_losing = self->is_losing ? lost * FEW > of : lost * MANY >= of;
    if (of < MT_STAMPS_FEW || is_losing == self->is_losing) {
        return;
    }
    self->is_losing = is_losing;
    mt_node_tell(node,
                 &(struct mt_node_event){.kind = MT_NODE_STAMPS,
                                         .at = now,
                                         .index = link,
                                         .value.stamps = {is_losing, (uint8_t)lost, (uint8_t)of}});
}

void mt_stamps_note(struct mt_node *node, uint16_t link, bool has_stamp, struct mt_mono now)
{
    if (node->stamps == NULL) {
        return;
    }
    struct mt_stamps *self = &node->stamps[link];
    self->missing = self->missing << 1 | !has_stamp;
    self->held = (uint8_t)(self->held + (self->held < MT_STAMPS_REMEMBERED));
    self->has_come |= has_stamp;
    if (!self->has_come && self->held % MT_STAMPS_PATIENCE == 0 &&
        self->held <= 2 * MT_STAMPS_PATIENCE) {
        try_other(node, link, now);
    }
    judge(node, link, now);
}
