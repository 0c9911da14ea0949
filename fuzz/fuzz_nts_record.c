/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Any octets as messages of NTS key exchange, to the server and to the client.  What the server
 * answers is a whole message, which the client understands; what the client takes fits its jar.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/nts_record.h"

static const enum mt_aead aeads[] = {MT_AEAD_AES_SIV_CMAC_256, MT_AEAD_AES_SIV_CMAC_512};

static void serve(const uint8_t *data, size_t size)
{
    static struct mt_nts_cookie cookies[MT_NTS_COOKIES];
    uint8_t octets[MT_NTS_RESPONSE_OWN_MAX];
    struct mt_nts_request request;
    struct mt_nts_response response;
    mt_nts_request_read(data, size, aeads, 2, &request);
    for (unsigned i = 0; i < MT_NTS_COOKIES; i++) {
        cookies[i].length = 168;
    }
    const struct mt_nts_offer offer = {"a.example", 124, MT_NTS_COOKIES, cookies};
    size_t length = mt_nts_response_write(&request, &offer, octets, sizeof octets);
    fuzz_require(length > 0 && mt_nts_message_length(octets, length) == length);
    enum mt_nts_response_verdict verdict =
        mt_nts_response_read(octets, length, aeads, 2, &response);
    fuzz_require(verdict == (request.has_error    ? MT_NTS_RESPONSE_ERROR
                             : !request.wants_ntp ? MT_NTS_RESPONSE_PROTOCOL
                             : !request.has_aead  ? MT_NTS_RESPONSE_AEAD
                                                  : MT_NTS_RESPONSE_GOOD));
    fuzz_require(verdict != MT_NTS_RESPONSE_GOOD || response.count == MT_NTS_COOKIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mt_nts_response response;
    size_t length = mt_nts_message_length(data, size);
    fuzz_require(length <= size);
    serve(data, size);
    serve(data, length);
    if (mt_nts_response_read(data, size, aeads, 2, &response) == MT_NTS_RESPONSE_GOOD) {
        fuzz_require(length == size);
        fuzz_require(response.count > 0 && response.count <= MT_NTS_COOKIES);
        fuzz_require(memchr(response.server, 0, sizeof response.server) != NULL);
    }
    return 0;
}
