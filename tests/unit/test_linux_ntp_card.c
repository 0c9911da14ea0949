/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who stamps the NTP packets of an interface, over a card of the test's own on the loopback
 * interface, which every machine has.
 */
#include "platform/linux/linux_ntp_card.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux_device.h"
#include "meantime/ntp_ptp.h"
#include "platform/linux/linux_private.h"

#define BIT(n) (1u << (n))

struct fixture {
    struct device device; /* the first, for what the device itself answers */
    struct machine machine;
    struct mt_phc_os os;
    uint32_t rx_filters;
    struct hwtstamp_config config;
    struct mt_linux platform;
    struct mt_linux_ntp_card card;
    char reason[MT_HAL_REASON_SIZE];
};

static int ask(void *context, int fd, unsigned long what, void *argument)
{
    struct fixture *f = context;
    struct ifreq *request = argument;
    struct ethtool_ts_info info = {.so_timestamping = SOF_TIMESTAMPING_TX_HARDWARE |
                                                      SOF_TIMESTAMPING_RX_HARDWARE |
                                                      SOF_TIMESTAMPING_RAW_HARDWARE,
                                   .phc_index = 3,
                                   .tx_types = BIT(HWTSTAMP_TX_ON),
                                   .rx_filters = f->rx_filters};

    if (what == SIOCETHTOOL) {
        memcpy(request->ifr_data, &info, sizeof info);
    } else if (what == SIOCGHWTSTAMP) {
        memcpy(request->ifr_data, &f->config, sizeof f->config);
    } else if (what == SIOCSHWTSTAMP) {
        memcpy(&f->config, request->ifr_data, sizeof f->config);
    } else {
        return f->device.os.ask(&f->device, fd, what, argument);
    }
    return 0;
}

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    machine_init(&f.machine);
    device_init(&f.device, &f.machine);
    f.os = f.device.os;
    f.os.ask = ask;
    f.platform.ioctl_fd = socket(AF_INET, SOCK_DGRAM, 0);
    mt_stamping_init(&f.platform.stamping, &f.os, f.platform.ioctl_fd);
    f.os.context = &f;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    mt_linux_cards_free(&f->platform);
    close(f->platform.ioctl_fd);
    return 0;
}

static bool choose(struct fixture *f)
{
    return mt_linux_ntp_card_choose(&f->card, &f->platform, "lo", f->reason);
}

static void ntp_card_stamps_when_it_can_stamp_everything(void **state)
{
    struct fixture *f = *state;

    f->rx_filters = BIT(HWTSTAMP_FILTER_ALL) | BIT(HWTSTAMP_FILTER_PTP_V2_EVENT);
    mt_linux_ntp_card_init(&f->card, MT_STAMPER_AUTO);
    assert_true(choose(f));
    assert_int_equal(f->card.counter, mt_counter_of_phc(3));
    assert_string_equal(f->card.stamping, "hardware, by the clock /dev/ptp3");
    assert_int_equal(f->config.rx_filter, HWTSTAMP_FILTER_ALL);
    assert_int_equal(f->config.tx_type, HWTSTAMP_TX_ON);
    assert_true(mt_linux_ntp_card_flags(&f->card) & SOF_TIMESTAMPING_RAW_HARDWARE);
    assert_false(mt_linux_ntp_card_flags(&f->card) & SOF_TIMESTAMPING_SOFTWARE);
    mt_linux_ntp_card_end(&f->card, &f->platform);
    assert_int_equal(f->config.tx_type, HWTSTAMP_TX_OFF);
}

static void ntp_card_leaves_it_to_the_kernel_when_it_stamps_ptp_alone(void **state)
{
    struct fixture *f = *state;

    f->rx_filters = BIT(HWTSTAMP_FILTER_PTP_V2_EVENT);
    mt_linux_ntp_card_init(&f->card, MT_STAMPER_AUTO);
    assert_true(choose(f));
    assert_int_equal(f->card.counter, 0);
    assert_true(mt_linux_ntp_card_flags(&f->card) & SOF_TIMESTAMPING_SOFTWARE);
    assert_string_equal(f->card.stamping, "software, for the interface cannot stamp these messages "
                                          "when it receives them");
    mt_linux_ntp_card_init(&f->card, MT_STAMPER_CARD);
    assert_false(choose(f));
    assert_string_equal(f->reason, "no hardware timestamps of NTP on lo: the interface cannot "
                                   "stamp these messages when it receives them");
}

static void ntp_card_is_not_asked_when_no_interface_is_named(void **state)
{
    struct fixture *f = *state;

    f->rx_filters = BIT(HWTSTAMP_FILTER_ALL);
    mt_linux_ntp_card_init(&f->card, MT_STAMPER_AUTO);
    assert_true(mt_linux_ntp_card_choose(&f->card, &f->platform, "", f->reason));
    assert_int_equal(f->card.counter, 0);
    mt_linux_ntp_card_init(&f->card, MT_STAMPER_KERNEL);
    assert_true(choose(f));
    assert_int_equal(f->card.counter, 0);
    assert_int_equal(f->config.tx_type, HWTSTAMP_TX_OFF);
}

static void ntp_card_gives_way_to_the_kernel_when_it_does_not_stamp(void **state)
{
    struct fixture *f = *state;

    f->rx_filters = BIT(HWTSTAMP_FILTER_ALL);
    mt_linux_ntp_card_init(&f->card, MT_STAMPER_AUTO);
    assert_true(choose(f));
    for (int i = 0; i < 7; i++) {
        mt_linux_ntp_card_note(&f->card, false);
    }
    mt_linux_ntp_card_note(&f->card, true);
    mt_linux_ntp_card_note(&f->card, false);
    assert_true(choose(f));
    assert_int_not_equal(f->card.counter, 0);
    for (int i = 0; i < 7; i++) {
        mt_linux_ntp_card_note(&f->card, false);
    }
    assert_true(choose(f));
    assert_int_equal(f->card.counter, 0);
    assert_int_equal(f->config.tx_type, HWTSTAMP_TX_OFF);
    assert_true(choose(f)); /* and it stays so */
    assert_int_equal(f->card.counter, 0);
}

static void ntp_card_is_told_again_when_it_must_stamp_and_does_not(void **state)
{
    struct fixture *f = *state;

    f->rx_filters = BIT(HWTSTAMP_FILTER_ALL);
    mt_linux_ntp_card_init(&f->card, MT_STAMPER_CARD);
    assert_true(choose(f));
    f->config.rx_filter = HWTSTAMP_FILTER_NONE;
    for (int i = 0; i < 8; i++) {
        mt_linux_ntp_card_note(&f->card, false);
    }
    assert_true(choose(f));
    assert_int_not_equal(f->card.counter, 0);
    assert_int_equal(f->config.rx_filter, HWTSTAMP_FILTER_ALL);
}

static void ntp_is_received_at_the_end_of_its_frame(void **state)
{
    (void)state;
    assert_int_equal(mt_linux_ntp_card_reception_ns(1000, false, 48), (14 + 20 + 8 + 48 + 4) * 8);
    assert_int_equal(mt_linux_ntp_card_reception_ns(100, true, 48), (14 + 40 + 8 + 48 + 4) * 80);
    assert_int_equal(mt_linux_ntp_card_reception_ns(1000, false, 1), 64 * 8);
    assert_int_equal(mt_linux_ntp_card_reception_ns(0, false, 48), 0);
}

static void ntp_in_ptp_is_received_at_the_end_of_its_frame_where_it_is_spoken(void **state)
{
    uint8_t octets[MT_NTP_PTP_HEAD + 48] = {0};
    struct mt_linux_link link = {
        .counter = 1, .speed_mbit = 1000, .transport = &mt_linux_udp4, .hal.carries_ntp = true};
    size_t length = mt_ntp_ptp_write(MT_NTP_PTP_DRAFT, 1, 48, octets, sizeof octets);

    (void)state;
    assert_int_equal(length, sizeof octets);
    assert_int_equal(mt_linux_ntp_in_ptp_ns(&link, octets, length),
                     (14 + 20 + 8 + (int)sizeof octets + 4) * 8);
    assert_int_equal(mt_linux_ntp_in_ptp_ns(&link, octets, 44), 0); /* PTP in domain 123 */
    link.hal.carries_ntp = false;
    assert_int_equal(mt_linux_ntp_in_ptp_ns(&link, octets, length), 0);
    link.hal.carries_ntp = true;
    link.counter = 0; /* the kernel stamps it later than that */
    assert_int_equal(mt_linux_ntp_in_ptp_ns(&link, octets, length), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ntp_card_stamps_when_it_can_stamp_everything, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ntp_card_leaves_it_to_the_kernel_when_it_stamps_ptp_alone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(ntp_card_is_not_asked_when_no_interface_is_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ntp_card_gives_way_to_the_kernel_when_it_does_not_stamp,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(ntp_card_is_told_again_when_it_must_stamp_and_does_not,
                                        setup, teardown),
        cmocka_unit_test(ntp_is_received_at_the_end_of_its_frame),
        cmocka_unit_test(ntp_in_ptp_is_received_at_the_end_of_its_frame_where_it_is_spoken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
