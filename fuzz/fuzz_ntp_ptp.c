/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Any octets as a PTP message with NTP in it.  What is found lies within the octets, is found again
 * in what is written of it, and so is the correction in its extension field, to 2^-32 s.
 */
#include "fuzz.h"

#include <string.h>

#include "meantime/ntp_ptp.h"

#define GRAIN_Q16 15260

static void read_packet(const uint8_t *octets, size_t length)
{
    uint8_t field[MT_NTP_EXTENSION_LAST];
    struct mt_ntp_packet packet;
    struct mt_interval correction;
    if (mt_ntp_parse(octets, length, &packet) == MT_NTP_WELL_FORMED &&
        mt_ntp_correction_read(&packet, &correction)) {
        fuzz_require(mt_ntp_correction_write(correction, field, sizeof field) == sizeof field ||
                     correction.q16 > INT64_C(65536000000000) * 86400);
    }
}

static void write_correction(struct mt_interval correction)
{
    uint8_t octets[MT_NTP_HEADER_SIZE + MT_NTP_EXTENSION_LAST];
    struct mt_ntp_packet packet;
    struct mt_interval again;
    mt_ntp_write(&(struct mt_ntp_header){.version = 4}, octets);
    if (mt_ntp_correction_write(correction, octets + MT_NTP_HEADER_SIZE, MT_NTP_EXTENSION_LAST)) {
        fuzz_require(mt_ntp_parse(octets, sizeof octets, &packet) == MT_NTP_WELL_FORMED);
        fuzz_require(mt_ntp_correction_read(&packet, &again));
        fuzz_require(again.q16 - correction.q16 <= GRAIN_Q16 &&
                     correction.q16 - again.q16 <= GRAIN_Q16);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t octets[MT_NTP_PTP_HEAD + UINT16_MAX];
    struct mt_ntp_ptp message;
    struct mt_ntp_ptp again;
    if (!mt_ntp_ptp_parse(data, size, &message)) {
        return 0;
    }
    fuzz_require(message.packet >= data && message.packet + message.length <= data + size);
    read_packet(message.packet, message.length);
    write_correction(message.correction);
    size_t whole =
        mt_ntp_ptp_write(message.form, message.sequence_id, message.length, octets, sizeof octets);
    size_t head = mt_ntp_ptp_head(message.form);
    fuzz_require(whole == head + message.length);
    memcpy(octets + head, message.packet, message.length);
    fuzz_require(mt_ntp_ptp_parse(octets, whole, &again));
    fuzz_require(again.length == message.length && again.sequence_id == message.sequence_id);
    return 0;
}
