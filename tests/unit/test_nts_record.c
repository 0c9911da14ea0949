/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Messages of NTS key exchange: octets as the standard has them, both ways; every truncation; and
 * what must not be believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "meantime/nts_record.h"

static const enum mt_aead ours[] = {MT_AEAD_AES_SIV_CMAC_256, MT_AEAD_AES_SIV_CMAC_512};

/* What a client says that wants NTPv4 with AEAD 15, 17. */
static const uint8_t request_octets[] = {0x80, 1, 0,  2, 0,  0,    0x80, 4, 0,
                                         4,    0, 15, 0, 17, 0x80, 0,    0, 0};

#define COOKIE_SIZE 100

static size_t put(uint8_t *octets, uint16_t type, const void *body, uint16_t length)
{
    const struct mt_nts_record record = {(type & 0x8000) != 0, type & 0x7FFF, length, body};
    return mt_nts_record_write(&record, octets, 4u + length);
}

static size_t write_response(uint8_t *octets, size_t capacity, const char *server, uint16_t port)
{
    static struct mt_nts_cookie cookies[MT_NTS_COOKIES];
    const struct mt_nts_request request = {
        .wants_ntp = true, .has_aead = true, .aead = MT_AEAD_AES_SIV_CMAC_512};
    const struct mt_nts_offer offer = {server, port, MT_NTS_COOKIES, cookies};
    for (uint8_t i = 0; i < MT_NTS_COOKIES; i++) {
        cookies[i].length = COOKIE_SIZE;
        memset(cookies[i].octets, i + 1, COOKIE_SIZE);
    }
    return mt_nts_response_write(&request, &offer, octets, capacity);
}

static enum mt_nts_response_verdict read_response(const uint8_t *octets, size_t length,
                                                  struct mt_nts_response *ret_response)
{
    return mt_nts_response_read(octets, length, ours, 2, ret_response);
}

static void nts_request_is_as_the_standard_has_it_when_it_is_written(void **state)
{
    uint8_t octets[64];
    (void)state;
    size_t length = mt_nts_request_write(ours, 2, octets, sizeof octets);
    assert_int_equal(length, sizeof request_octets);
    assert_memory_equal(octets, request_octets, length);
    for (size_t capacity = 0; capacity < length; capacity++) {
        assert_int_equal(mt_nts_request_write(ours, 2, octets, capacity), 0);
    }
}

static void nts_request_chooses_the_first_algorithm_when_both_have_it(void **state)
{
    static const enum mt_aead backwards[] = {MT_AEAD_AES_SIV_CMAC_512, MT_AEAD_AES_SIV_CMAC_256};
    struct mt_nts_request request;
    (void)state;
    mt_nts_request_read(request_octets, sizeof request_octets, backwards, 2, &request);
    assert_false(request.has_error);
    assert_true(request.wants_ntp);
    assert_true(request.has_aead);
    assert_int_equal(request.aead, MT_AEAD_AES_SIV_CMAC_256);
    mt_nts_request_read(request_octets, sizeof request_octets, backwards, 1, &request);
    assert_int_equal(request.aead, MT_AEAD_AES_SIV_CMAC_512);
}

static void nts_message_has_no_length_when_it_has_not_ended(void **state)
{
    uint8_t octets[64];
    (void)state;
    memset(octets, 0, sizeof octets);
    memcpy(octets, request_octets, sizeof request_octets);
    for (size_t length = 0; length < sizeof request_octets; length++) {
        struct mt_nts_request request;
        assert_int_equal(mt_nts_message_length(octets, length), 0);
        mt_nts_request_read(octets, length, ours, 2, &request);
        assert_true(request.has_error);
        assert_int_equal(request.error, MT_NTS_ERROR_BAD_REQUEST);
    }
    assert_int_equal(mt_nts_message_length(octets, sizeof octets), sizeof request_octets);
}

struct request_case {
    const char *what;
    uint8_t octets[40];
    uint8_t length;
    enum mt_nts_error error;
};

static void nts_request_is_an_error_when_a_record_must_not_be_there(void **state)
{
    static const struct request_case cases[] = {
        {"critical, unknown", {0x84, 0, 0, 0}, 4, MT_NTS_ERROR_UNKNOWN_CRITICAL},
        {"a cookie", {0, 5, 0, 0}, 4, MT_NTS_ERROR_BAD_REQUEST},
        {"an error", {0x80, 2, 0, 2, 0, 1}, 6, MT_NTS_ERROR_BAD_REQUEST},
        {"a warning", {0x80, 3, 0, 2, 0, 1}, 6, MT_NTS_ERROR_BAD_REQUEST},
        {"a second protocol", {0x80, 1, 0, 2, 0, 0}, 6, MT_NTS_ERROR_BAD_REQUEST},
        {"a second algorithm", {0x80, 4, 0, 2, 0, 15}, 6, MT_NTS_ERROR_BAD_REQUEST},
        {"an end before", {0x80, 0, 0, 0}, 4, MT_NTS_ERROR_BAD_REQUEST},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t octets[64];
        struct mt_nts_request request;
        memcpy(octets, cases[i].octets, cases[i].length);
        memcpy(octets + cases[i].length, request_octets, sizeof request_octets);
        mt_nts_request_read(octets, cases[i].length + sizeof request_octets, ours, 2, &request);
        assert_true(request.has_error);
        assert_int_equal(request.error, cases[i].error);
        uint8_t response[64];
        const uint8_t expected[] = {0x80, 2, 0, 2, 0, (uint8_t)cases[i].error, 0x80, 0, 0, 0};
        assert_int_equal(mt_nts_response_write(&request, NULL, response, sizeof response), 10);
        assert_memory_equal(response, expected, sizeof expected);
    }
}

static void nts_request_is_understood_when_it_says_more_than_we_know(void **state)
{
    static const uint8_t more[] = {0, 6, 0, 3, 'a', '.', 'b', 0, 7, 0, 2, 0, 123, 4, 0, 0, 0};
    uint8_t octets[64];
    struct mt_nts_request request;
    (void)state;
    memcpy(octets, more, sizeof more);
    memcpy(octets + sizeof more, request_octets, sizeof request_octets);
    mt_nts_request_read(octets, sizeof more + sizeof request_octets, ours, 2, &request);
    assert_false(request.has_error);
    assert_true(request.has_aead);
}

static void nts_response_offers_nothing_when_nothing_is_in_common(void **state)
{
    static const enum mt_aead others[] = {MT_AEAD_AES128_GCM_SIV};
    static const uint8_t no_aead[] = {0x80, 1, 0, 2, 0, 0, 0x80, 4, 0, 0, 0x80, 0, 0, 0};
    static const uint8_t no_protocol[] = {0x80, 1, 0, 0, 0x80, 0, 0, 0};
    uint8_t octets[sizeof request_octets];
    uint8_t response[64];
    struct mt_nts_request request;
    struct mt_nts_response read;
    (void)state;
    mt_nts_request_read(request_octets, sizeof request_octets, others, 1, &request);
    size_t length = mt_nts_response_write(&request, NULL, response, sizeof response);
    assert_int_equal(length, sizeof no_aead);
    assert_memory_equal(response, no_aead, length);
    assert_int_equal(read_response(response, length, &read), MT_NTS_RESPONSE_AEAD);
    memcpy(octets, request_octets, sizeof octets);
    octets[5] = 7; /* a protocol that is not NTPv4 */
    mt_nts_request_read(octets, sizeof octets, ours, 2, &request);
    length = mt_nts_response_write(&request, NULL, response, sizeof response);
    assert_int_equal(length, sizeof no_protocol);
    assert_memory_equal(response, no_protocol, length);
    assert_int_equal(read_response(response, length, &read), MT_NTS_RESPONSE_PROTOCOL);
}

static void nts_response_gives_all_it_holds_when_it_is_read(void **state)
{
    uint8_t octets[MT_NTS_RESPONSE_OWN_MAX];
    struct mt_nts_response response;
    (void)state;
    size_t length = write_response(octets, sizeof octets, "time.example.org", 4123);
    assert_true(length > 0);
    assert_int_equal(mt_nts_message_length(octets, length), length);
    assert_int_equal(read_response(octets, length, &response), MT_NTS_RESPONSE_GOOD);
    assert_int_equal(response.aead, MT_AEAD_AES_SIV_CMAC_512);
    assert_string_equal(response.server, "time.example.org");
    assert_int_equal(response.port, 4123);
    assert_int_equal(response.count, MT_NTS_COOKIES);
    for (uint8_t i = 0; i < MT_NTS_COOKIES; i++) {
        assert_int_equal(response.cookies[i].length, COOKIE_SIZE);
        assert_int_equal(response.cookies[i].octets[COOKIE_SIZE - 1], i + 1);
    }
    for (size_t cut = 0; cut < length; cut++) {
        assert_int_equal(mt_nts_message_length(octets, cut), 0);
        assert_int_equal(read_response(octets, cut, &response), MT_NTS_RESPONSE_BROKEN);
        assert_int_equal(write_response(octets, cut, "time.example.org", 4123), 0);
    }
    length = write_response(octets, sizeof octets, NULL, MT_NTP_PORT);
    assert_int_equal(read_response(octets, length, &response), MT_NTS_RESPONSE_GOOD);
    assert_string_equal(response.server, "");
    assert_int_equal(response.port, MT_NTP_PORT);
}

static void nts_response_is_not_believed_when_a_record_must_not_be_there(void **state)
{
    static const struct {
        uint8_t octets[40];
        uint8_t length;
        enum mt_nts_response_verdict verdict;
    } cases[] = {
        {{0x84, 0, 0, 0}, 4, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 3, 0, 2, 0, 0}, 6, MT_NTS_RESPONSE_BROKEN},
        {{0, 3, 0, 2, 0, 0}, 6, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 2, 0, 2, 0, 2}, 6, MT_NTS_RESPONSE_ERROR},
        {{0x80, 2, 0, 0}, 4, MT_NTS_RESPONSE_ERROR},
        {{0x80, 1, 0, 2, 0, 0}, 6, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 4, 0, 2, 0, 15}, 6, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 4, 0, 4, 0, 15, 0, 17}, 8, MT_NTS_RESPONSE_AEAD},
        {{0x80, 4, 0, 2, 0, 30}, 6, MT_NTS_RESPONSE_AEAD},
        {{0x80, 6, 0, 0}, 4, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 6, 0, 3, 'a', ' ', 'b'}, 7, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 6, 0, 3, 'a', 0, 'b'}, 7, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 7, 0, 2, 0, 0}, 6, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 7, 0, 1, 9}, 5, MT_NTS_RESPONSE_BROKEN},
        {{0x80, 7, 0, 2, 0, 9, 0x80, 7, 0, 2, 0, 9}, 12, MT_NTS_RESPONSE_BROKEN},
        {{4, 0, 0, 1, 9}, 5, MT_NTS_RESPONSE_GOOD},
    };
    uint8_t whole[MT_NTS_RESPONSE_OWN_MAX];
    (void)state;
    size_t length = write_response(whole, sizeof whole, NULL, MT_NTP_PORT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t octets[MT_NTS_RESPONSE_OWN_MAX + 40];
        struct mt_nts_response response;
        memcpy(octets, cases[i].octets, cases[i].length);
        memcpy(octets + cases[i].length, whole, length);
        assert_int_equal(read_response(octets, cases[i].length + length, &response),
                         cases[i].verdict);
    }
}

/* Of no length, or of so many, they have broken others. */
static void nts_response_takes_eight_cookies_when_there_are_odd_ones_or_more(void **state)
{
    static const uint16_t lengths[] = {0, 4, 11, 13, MT_NTS_COOKIE_MAX + 4, 65000};
    static uint8_t octets[400000];
    static const uint8_t body[65000];
    static const uint8_t agreed[] = {0x80, 1, 0, 2, 0, 0, 0x80, 4, 0, 2, 0, 15};
    struct mt_nts_response response;
    (void)state;
    memcpy(octets, agreed, sizeof agreed);
    size_t length = sizeof agreed;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        length += put(octets + length, 5, body, lengths[i]);
    }
    size_t end = length + put(octets + length, 0x8000, NULL, 0);
    assert_int_equal(read_response(octets, end, &response), MT_NTS_RESPONSE_COOKIES);
    for (unsigned i = 0; i < 1000; i++) {
        length += put(octets + length, 5, body, COOKIE_SIZE);
    }
    end = length + put(octets + length, 0x8000, NULL, 0);
    assert_int_equal(read_response(octets, end, &response), MT_NTS_RESPONSE_GOOD);
    assert_int_equal(response.count, MT_NTS_COOKIES);
}

static void nts_exporter_context_names_protocol_algorithm_and_direction(void **state)
{
    static const uint8_t expected[] = {0, 0, 0, 15, 1};
    uint8_t context[MT_NTS_CONTEXT_SIZE];
    (void)state;
    mt_nts_exporter_context(MT_AEAD_AES_SIV_CMAC_256, true, context);
    assert_memory_equal(context, expected, sizeof expected);
    mt_nts_exporter_context(MT_AEAD_AES_SIV_CMAC_256, false, context);
    assert_int_equal(context[4], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nts_request_is_as_the_standard_has_it_when_it_is_written),
        cmocka_unit_test(nts_request_chooses_the_first_algorithm_when_both_have_it),
        cmocka_unit_test(nts_message_has_no_length_when_it_has_not_ended),
        cmocka_unit_test(nts_request_is_an_error_when_a_record_must_not_be_there),
        cmocka_unit_test(nts_request_is_understood_when_it_says_more_than_we_know),
        cmocka_unit_test(nts_response_offers_nothing_when_nothing_is_in_common),
        cmocka_unit_test(nts_response_gives_all_it_holds_when_it_is_read),
        cmocka_unit_test(nts_response_is_not_believed_when_a_record_must_not_be_there),
        cmocka_unit_test(nts_response_takes_eight_cookies_when_there_are_odd_ones_or_more),
        cmocka_unit_test(nts_exporter_context_names_protocol_algorithm_and_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
