/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "chain_signer.h"

#include <string.h>

#include "ptp/security_private.h"

size_t chain_sign(struct mt_security *self, const struct mt_port_security *policy,
                  enum mt_ptp_type type, struct mt_mono now, uint8_t *octets, size_t length,
                  size_t capacity)
{
    struct mt_security_key key;
    uint8_t code[MT_MAC_SIZE];
    size_t tlv =
        mt_delayed_write(self, policy, type, octets + length, capacity - length, now, &key);
    if (tlv == 0) {
        return length;
    }
    length += tlv;
    octets[2] = (uint8_t)(length >> 8); /* messageLength */
    octets[3] = (uint8_t)length;
    size_t covered = length - mt_mac_size(key.mac);
    if (mt_security_code(self, true, &key, octets, covered, code)) {
        memcpy(octets + covered, code, mt_mac_size(key.mac));
    }
    return length;
}
