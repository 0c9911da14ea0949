/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which timestamps a network card is told to make, over a card of the test's own.
 */
#include "platform/linux/linux_stamping.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BIT(n)    (1u << (n))
#define L2_EVENT  HWTSTAMP_FILTER_PTP_V2_L2_EVENT
#define L4_EVENT  HWTSTAMP_FILTER_PTP_V2_L4_EVENT
#define ANY_EVENT HWTSTAMP_FILTER_PTP_V2_EVENT
#define NTP_ALL   HWTSTAMP_FILTER_NTP_ALL
#define ALL       HWTSTAMP_FILTER_ALL

struct card {
    struct mt_phc_os os;
    struct mt_stamping stamping;
    struct ethtool_ts_info info;
    struct hwtstamp_config config;
    bool says_nothing_of_config;
    int widens_to; /* what the driver makes of each filter; 0: what was asked for */
    int refusal;
    int sets;
};

static int ask(void *context, int fd, unsigned long what, void *argument)
{
    struct card *card = context;
    struct ifreq *request = argument;

    if (fd != 5 || strcmp(request->ifr_name, "eth7") != 0) {
        errno = ENODEV;
        return -1;
    }
    if (what == SIOCETHTOOL) {
        memcpy(request->ifr_data, &card->info, sizeof card->info);
    } else if (what == SIOCGHWTSTAMP && !card->says_nothing_of_config) {
        memcpy(request->ifr_data, &card->config, sizeof card->config);
    } else if (what == SIOCSHWTSTAMP && card->refusal == 0) {
        memcpy(&card->config, request->ifr_data, sizeof card->config);
        card->config.rx_filter = card->widens_to ? card->widens_to : card->config.rx_filter;
        memcpy(request->ifr_data, &card->config, sizeof card->config);
        card->sets++;
    } else {
        errno = card->refusal ? card->refusal : EOPNOTSUPP;
        return -1;
    }
    return 0;
}

static void card_init(struct card *card, uint32_t rx_filters)
{
    memset(card, 0, sizeof *card);
    card->os = (struct mt_phc_os){.ask = ask, .context = card};
    card->info.so_timestamping =
        SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    card->info.phc_index = 2;
    card->info.tx_types = BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON);
    card->info.rx_filters = rx_filters;
    mt_stamping_init(&card->stamping, &card->os, 5);
}

static bool begin(struct card *card, unsigned wanted, char *reason)
{
    return mt_stamping_begin(&card->stamping, "eth7", wanted, reason);
}

static void filter_is_the_narrowest_when_there_are_several(void **state)
{
    uint32_t every = BIT(L2_EVENT) | BIT(L4_EVENT) | BIT(ANY_EVENT) | BIT(ALL);

    (void)state;
    assert_int_equal(mt_stamping_filter(every, MT_STAMPING_L2), L2_EVENT);
    assert_int_equal(mt_stamping_filter(every, MT_STAMPING_L4), L4_EVENT);
    assert_int_equal(mt_stamping_filter(every, MT_STAMPING_L2 | MT_STAMPING_L4), ANY_EVENT);
    assert_int_equal(mt_stamping_filter(BIT(ALL) | BIT(ANY_EVENT), MT_STAMPING_L2), ANY_EVENT);
    assert_int_equal(mt_stamping_filter(BIT(ALL) | BIT(L4_EVENT), MT_STAMPING_L2), ALL);
}

static void filter_stamps_everything_when_ntp_is_wanted(void **state)
{
    uint32_t every = BIT(L2_EVENT) | BIT(L4_EVENT) | BIT(ANY_EVENT) | BIT(ALL);

    (void)state;
    assert_int_equal(mt_stamping_filter(every, MT_STAMPING_NTP), ALL);
    assert_int_equal(mt_stamping_filter(every | BIT(NTP_ALL), MT_STAMPING_NTP), NTP_ALL);
    assert_int_equal(mt_stamping_filter(every | BIT(NTP_ALL), MT_STAMPING_NTP | MT_STAMPING_L4),
                     ALL);
    assert_int_equal(mt_stamping_filter(BIT(ANY_EVENT), MT_STAMPING_NTP), -1);
}

static void filter_is_none_when_none_suffices(void **state)
{
    (void)state;
    assert_int_equal(mt_stamping_filter(BIT(L4_EVENT), MT_STAMPING_L2), -1);
    assert_int_equal(mt_stamping_filter(BIT(L4_EVENT) | BIT(L2_EVENT), 3), -1);
    assert_int_equal(mt_stamping_filter(BIT(HWTSTAMP_FILTER_PTP_V1_L4_EVENT), 1), -1);
    assert_false(mt_stamping_suffices(HWTSTAMP_FILTER_PTP_V2_SYNC, MT_STAMPING_L2));
}

static void card_is_refused_when_it_lacks_something(void **state)
{
    struct mt_stamping_abilities good = {
        SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE,
        0, BIT(HWTSTAMP_TX_ON), BIT(ANY_EVENT)};
    struct mt_stamping_abilities bad = good;

    (void)state;
    assert_null(mt_stamping_lacks(&good, MT_STAMPING_L2));
    bad.flags &= ~(uint32_t)SOF_TIMESTAMPING_RAW_HARDWARE;
    assert_non_null(mt_stamping_lacks(&bad, MT_STAMPING_L2));
    bad = good;
    bad.phc = -1;
    assert_string_equal(mt_stamping_lacks(&bad, MT_STAMPING_L2),
                        "the interface has no hardware clock");
    bad = good;
    bad.tx_types = BIT(HWTSTAMP_TX_OFF);
    assert_non_null(mt_stamping_lacks(&bad, MT_STAMPING_L2));
    bad = good;
    bad.rx_filters = BIT(L4_EVENT);
    assert_non_null(mt_stamping_lacks(&bad, MT_STAMPING_L2));
}

static void card_is_put_back_when_the_last_link_ends(void **state)
{
    struct card card;
    char reason[MT_HAL_REASON_SIZE];

    (void)state;
    card_init(&card, BIT(L2_EVENT) | BIT(L4_EVENT) | BIT(ANY_EVENT));
    card.config.rx_filter = HWTSTAMP_FILTER_PTP_V1_L4_SYNC;
    assert_true(begin(&card, MT_STAMPING_L2, reason));
    assert_int_equal(card.config.rx_filter, L2_EVENT);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ON);
    assert_true(begin(&card, MT_STAMPING_L4, reason));
    assert_int_equal(card.config.rx_filter, ANY_EVENT);
    mt_stamping_end(&card.stamping, "eth7");
    assert_int_equal(card.config.rx_filter, ANY_EVENT);
    mt_stamping_end(&card.stamping, "eth7");
    assert_int_equal(card.config.rx_filter, HWTSTAMP_FILTER_PTP_V1_L4_SYNC);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_OFF);
    mt_stamping_end(&card.stamping, "eth7");
    assert_int_equal(card.sets, 3);
}

static void card_is_left_alone_when_its_setting_suffices(void **state)
{
    struct card card;
    char reason[MT_HAL_REASON_SIZE];

    (void)state;
    card_init(&card, BIT(L2_EVENT) | BIT(ALL));
    card.config = (struct hwtstamp_config){0, HWTSTAMP_TX_ON, ALL};
    assert_true(begin(&card, MT_STAMPING_L2, reason));
    mt_stamping_end(&card.stamping, "eth7");
    assert_int_equal(card.sets, 0);
}

static void card_is_believed_when_it_widens_the_filter(void **state)
{
    struct card card;
    char reason[MT_HAL_REASON_SIZE];

    (void)state;
    card_init(&card, BIT(L2_EVENT));
    card.widens_to = ALL;
    assert_true(begin(&card, MT_STAMPING_L2, reason));
    card_init(&card, BIT(L2_EVENT));
    card.widens_to = L4_EVENT;
    assert_false(begin(&card, MT_STAMPING_L2, reason));
    assert_non_null(strstr(reason, "other timestamps"));
}

static void card_is_not_put_back_when_nothing_is_known_of_before(void **state)
{
    struct card card;
    char reason[MT_HAL_REASON_SIZE];

    (void)state;
    card_init(&card, BIT(L2_EVENT));
    card.says_nothing_of_config = true;
    assert_true(begin(&card, MT_STAMPING_L2, reason));
    mt_stamping_end(&card.stamping, "eth7");
    assert_int_equal(card.sets, 1);
}

static void refusal_names_the_remedy_when_there_is_no_permission(void **state)
{
    struct card card;
    char reason[MT_HAL_REASON_SIZE];

    (void)state;
    card_init(&card, BIT(L2_EVENT));
    card.refusal = EPERM;
    assert_false(begin(&card, MT_STAMPING_L2, reason));
    assert_non_null(strstr(reason, "CAP_NET_ADMIN"));
    assert_false(mt_stamping_begin(&card.stamping, "eth8", MT_STAMPING_L2, reason));
    assert_non_null(strstr(reason, "does not say"));
}

static void card_writes_into_what_leaves_when_it_can_and_is_asked_to(void **state)
{
    static const struct {
        unsigned able;
        int set;
    } rows[] = {
        {BIT(HWTSTAMP_TX_ON), HWTSTAMP_TX_ON},
        {BIT(HWTSTAMP_TX_ON) | BIT(HWTSTAMP_TX_ONESTEP_SYNC), HWTSTAMP_TX_ONESTEP_SYNC},
        {BIT(HWTSTAMP_TX_ON) | BIT(HWTSTAMP_TX_ONESTEP_SYNC) | BIT(HWTSTAMP_TX_ONESTEP_P2P),
         HWTSTAMP_TX_ONESTEP_P2P},
    };
    struct card card;
    char reason[MT_HAL_REASON_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        card_init(&card, BIT(L2_EVENT) | BIT(ANY_EVENT));
        card.info.tx_types = rows[i].able;
        assert_true(begin(&card, MT_STAMPING_L2 | MT_STAMPING_ONE_STEP, reason));
        assert_int_equal(card.config.tx_type, rows[i].set);
        assert_int_equal(card.config.rx_filter, L2_EVENT);
        assert_int_equal(mt_stamping_tx_type(&card.stamping, "eth7"), rows[i].set);
        assert_true(begin(&card, MT_STAMPING_L2, reason)); /* another link, in two steps */
        assert_int_equal(card.config.tx_type, rows[i].set);
        mt_stamping_end(&card.stamping, "eth7");
        mt_stamping_end(&card.stamping, "eth7");
        assert_int_equal(card.config.tx_type, HWTSTAMP_TX_OFF);
        assert_int_equal(mt_stamping_tx_type(&card.stamping, "eth7"), HWTSTAMP_TX_OFF);
        assert_true(begin(&card, MT_STAMPING_L2, reason)); /* who has not asked for it */
        assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ON);
        mt_stamping_end(&card.stamping, "eth7");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(card_writes_into_what_leaves_when_it_can_and_is_asked_to),
        cmocka_unit_test(filter_is_the_narrowest_when_there_are_several),
        cmocka_unit_test(filter_stamps_everything_when_ntp_is_wanted),
        cmocka_unit_test(filter_is_none_when_none_suffices),
        cmocka_unit_test(card_is_refused_when_it_lacks_something),
        cmocka_unit_test(card_is_put_back_when_the_last_link_ends),
        cmocka_unit_test(card_is_left_alone_when_its_setting_suffices),
        cmocka_unit_test(card_is_believed_when_it_widens_the_filter),
        cmocka_unit_test(card_is_not_put_back_when_nothing_is_known_of_before),
        cmocka_unit_test(refusal_names_the_remedy_when_there_is_no_permission),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
