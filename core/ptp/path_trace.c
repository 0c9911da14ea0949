/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Path trace [1588-2019 16.2]: the identities that an Announce has passed through, kept of the
 * parent's and sent on with this clock's own at the end; an Announce that has already passed
 * through this clock is refused.  A path that does not fit into a message is not sent at all: half
 * a path would hide a loop.
 */
#include "meantime/ptp_tlv.h"
#include "ptp/ptp_private.h"

static size_t find_path(const struct mt_ptp_message *announce, struct mt_tlv *ret_tlv)
{
    return mt_tlv_find(announce->tlvs, announce->tlvs_length, MT_TLV_PATH_TRACE, ret_tlv)
               ? mt_tlv_path_count(ret_tlv)
               : 0;
}

static bool is_loop(const struct mt_instance *self, const struct mt_ptp_message *announce)
{
    struct mt_tlv tlv;
    size_t count = find_path(announce, &tlv);
    for (size_t i = 0; i < count; i++) {
        if (mt_clock_identity_equal(mt_tlv_path_at(&tlv, i), &self->config.identity)) {
            return true;
        }
    }
    return false;
}

static void follow(struct mt_instance *self, const struct mt_ptp_message *announce)
{
    struct mt_tlv tlv;
    struct mt_path *path = self->config.path;
    if (path == NULL) {
        return;
    }
    size_t count = announce != NULL ? find_path(announce, &tlv) : 0;
    path->count = 0;
    for (size_t i = 0; i < count && i < MT_PATH_MAX; i++) {
        path->identity[i] = *mt_tlv_path_at(&tlv, i);
        path->count++;
    }
}

static size_t write(const struct mt_instance *self, uint8_t *buffer, size_t capacity)
{
    const struct mt_path *path = self->config.path;
    const size_t head = 4;
    if (path == NULL || path->count >= MT_PATH_MAX) {
        return 0;
    }
    size_t value = (path->count + (size_t)1) * sizeof self->config.identity;
    if (head + value > capacity) {
        return 0;
    }
    buffer[0] = 0;
    buffer[1] = MT_TLV_PATH_TRACE;
    buffer[2] = (uint8_t)(value >> 8);
    buffer[3] = (uint8_t)value;
    memcpy(buffer + head, path->identity, value - sizeof self->config.identity);
    memcpy(buffer + head + value - sizeof self->config.identity, &self->config.identity,
           sizeof self->config.identity);
    return head + value;
}

const struct mt_path_part mt_path_trace = {is_loop, follow, write};
