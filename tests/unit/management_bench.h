/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Test support: a bench whose instance answers management messages, and who asks it: local
 * programs, by the socket that they write to, and a station of the network.
 */
#ifndef MEANTIME_TESTS_MANAGEMENT_BENCH_H
#define MEANTIME_TESTS_MANAGEMENT_BENCH_H

#include "meantime/ptp_management.h"
#include "meantime/ptp_tlv.h"
#include "ptp_bench.h"

#define PORTS    3
#define DATA_AT  54 /* of the data in a frame: header, body, type, length and id */
#define ERROR_AT 52 /* of managementErrorId */
#define STATION  40

struct managed {
    struct ptp_bench bench;
    struct mt_management management;
    struct mt_management_port ports[PORTS];
    struct mt_instance_more more;
};
extern struct managed clock_;

extern const struct mt_address local_writer;
extern const struct mt_address local_reader;
extern const struct mt_address station;
extern const struct mt_port_identity everybody;

/** An instance of 1 to PORTS ports whose links are up. */
void begin(uint16_t port_count);
/** Setups of tests: an ordinary clock, and a boundary clock of PORTS ports. */
int begin_one(void **state);
int begin_three(void **state);

struct request {
    enum mt_management_action action;
    uint16_t id;
    const uint8_t *data;
    size_t length;
    uint8_t hops;
    struct mt_port_identity target;
};

size_t write_request(const struct request *request, uint8_t *frame);
/** Sends it from a local program or to port 1, and drains. */
enum mt_verdict ask(const struct request *request, const struct mt_address *from);
void get(uint16_t id, const struct mt_address *from);
void set(uint16_t id, const uint8_t *data, size_t length, const struct mt_address *from);
void command(uint16_t id, uint16_t port, const uint8_t *data, size_t length);

/** The i-th management message that has left since it was asked. */
const struct bench_frame *answer(size_t i);
void assert_answers(size_t count);
void assert_data(size_t i, uint16_t id, const uint8_t *data, size_t length);
void assert_error(size_t i, uint16_t id, enum mt_management_error error);

#define OWN 0x02, 0, 0, 0xFF, 0xFE, 0, 0, 8
#define GET_IS(id, ...)                                                                            \
    do {                                                                                           \
        const uint8_t expected[] = {__VA_ARGS__};                                                  \
        get(id, &local_reader);                                                                    \
        assert_data(0, id, expected, sizeof expected);                                             \
    } while (0)

#define ON_ONE(test)   cmocka_unit_test_setup(test, begin_one)
#define ON_THREE(test) cmocka_unit_test_setup(test, begin_three)

#endif
