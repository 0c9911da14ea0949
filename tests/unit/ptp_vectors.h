/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: reads tests/vectors/ptp_wire.txt and renders a parsed message in the form of
 * its `=` lines, so that vectors, round trips and comparisons all speak one language.
 */
#ifndef MEANTIME_TESTS_PTP_VECTORS_H
#define MEANTIME_TESTS_PTP_VECTORS_H

#include "meantime/ptp_wire.h"

#define VECTORS_MAX       32
#define VECTOR_OCTETS_MAX 160
#define VECTOR_TEXT_MAX   1024

struct ptp_vector {
    char name[64];
    uint8_t octets[VECTOR_OCTETS_MAX];
    size_t length;
    char text[VECTOR_TEXT_MAX]; /**< the `=` lines without their sign, each with its newline */
};

/** Reads all vectors; fails the test if the file is not readable or malformed. */
size_t ptp_vectors_read(struct ptp_vector *ret_vectors);
/** The text of a message; `ret_text` holds VECTOR_TEXT_MAX characters. */
void ptp_message_describe(const struct mt_ptp_message *message, char *ret_text);

#endif
