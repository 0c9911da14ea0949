/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: bounded views of octets as TLVs, and what every decoder owes to its bounds.
 * Include it after cmocka.h.
 */
#ifndef MEANTIME_TESTS_TLV_VIEWS_H
#define MEANTIME_TESTS_TLV_VIEWS_H

#include <stdlib.h>
#include <string.h>

#include "meantime/ptp_tlv.h"

/* any decoder, its result thrown away */
typedef bool decoder(const struct mt_tlv *tlv);

static inline struct mt_tlv view(uint16_t type, const uint8_t *value, size_t length)
{
    return (struct mt_tlv){type, (uint16_t)length, value};
}

/* `decode` takes `least` octets or more of these types and nothing else; values lie in heap
 * blocks of exactly their size, so that the address sanitizer watches their ends */
static inline void assert_takes(decoder *decode, const uint16_t *types, size_t type_count,
                                const uint8_t *value, size_t length, size_t least)
{
    for (uint32_t type = 0; type <= UINT16_MAX; type++) {
        struct mt_tlv tlv = view((uint16_t)type, value, length);
        bool is_ours = false;

        for (size_t i = 0; i < type_count; i++) {
            is_ours = is_ours || types[i] == type;
        }
        assert_int_equal(decode(&tlv), is_ours);
    }
    for (size_t shorter = 0; shorter <= length; shorter++) {
        uint8_t *copy = malloc(shorter > 0 ? shorter : 1);
        struct mt_tlv tlv = view(types[0], copy, shorter);

        assert_non_null(copy);
        memcpy(copy, value, shorter);
        assert_int_equal(decode(&tlv), shorter >= least);
        free(copy);
    }
}

#endif
