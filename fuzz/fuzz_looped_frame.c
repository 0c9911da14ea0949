/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Looped frames out of any octets: the search for the PTP message that a transmit timestamp
 * belongs to, in each network, and the table of those that wait.  The first octet chooses the
 * network.  What is found lies inside the frame, is found again whatever is in front of it, and
 * belongs to its own token only.
 */
#include "fuzz.h"

#include <string.h>

#include "platform/linux/linux_tokens.h"

#define PORT       319
#define FRONT_MOST 16
#define FRAME_MOST 2048

static bool is_same(const struct mt_token_key *a, const struct mt_token_key *b)
{
    return memcmp(a->octets, b->octets, sizeof a->octets) == 0 &&
           mt_address_equal(&a->to, &b->to) && a->to.udp_port == b->to.udp_port;
}

/* A few octets more in front are a longer link header; zeros begin no packet. */
static void find_behind(const uint8_t *frame, size_t length, enum mt_network network,
                        const struct mt_token_key *key)
{
    uint8_t longer[FRONT_MOST + FRAME_MOST] = {0};
    struct mt_token_key again;

    if (network != MT_NETWORK_IEEE_802_3 && length <= FRAME_MOST) {
        memcpy(longer + FRONT_MOST, frame, length);
        fuzz_require(!mt_token_key_of_looped(longer, FRONT_MOST + length, network, PORT, &again) ||
                     is_same(&again, key));
    }
}

static void take_out(const struct mt_token_key *key)
{
    static struct mt_tokens tokens;
    struct mt_token_key other = *key;
    uint32_t token = 0;

    mt_tokens_init(&tokens);
    other.octets[MT_TOKEN_KEY_SIZE - 1] ^= 1;
    mt_tokens_add(&tokens, &other, 1, 1, (struct mt_mono){0});
    mt_tokens_add(&tokens, key, 2, 2, (struct mt_mono){0});
    fuzz_require(mt_tokens_match(&tokens, key, true, 1, &token) == MT_TOKEN_MATCHED && token == 2);
    fuzz_require(mt_tokens_match(&tokens, key, true, 1, &token) == MT_TOKEN_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mt_token_key key;

    if (size == 0) {
        return 0;
    }
    enum mt_network network = (enum mt_network)(data[0] % (MT_NETWORK_IEEE_802_3 + 1));
    if (mt_token_key_of_looped(data + 1, size - 1, network, PORT, &key)) {
        fuzz_require(key.to.network == network);
        find_behind(data + 1, size - 1, network, &key);
        take_out(&key);
    }
    return 0;
}
