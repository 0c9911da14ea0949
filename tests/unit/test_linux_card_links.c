/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Links on a network card with a hardware clock, over a card that this test is: the interface is
 * the loopback, but what the kernel is asked of its card, its clocks and its sockets ends here.
 */
#include "platform/linux/linux_private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>

#define BIT(n)       (1u << (n))
#define CARD         4 /* its clock is /dev/ptp4 */
#define VIRTUAL      5
#define LOADED_ANEW  6
#define DEVICE       "/dev/ptp4"
#define LATER_DEVICE "/dev/ptp6"
#define VCLOCK       "/dev/ptp5"
#define STAMPED_IN_S INT64_C(1000)
#define GIVEN_UP_S   INT64_C(3)
#define HEADERS_SIZE 42 /* Ethernet, IP, UDP */
#define SYNC_SIZE    44
#define UDP_SIZE     (8 + SYNC_SIZE)
#define IP_SIZE      (20 + UDP_SIZE)

static struct {
    int number; /* of its clock */
    uint32_t tx_types;
    struct hwtstamp_config config;
    struct so_timestamping asked; /* of the last socket that wants stamps */
    bool refuses_bound;           /* a kernel that knows no virtual clocks */
    unsigned sent;
    unsigned sets; /* of its configuration */
    bool stamps;
    size_t length;                          /* of the last frame's message, with what follows it */
    uint8_t left[HEADERS_SIZE + SYNC_SIZE]; /* the last frame, as the error queue has it */
} card;

int __real_open64(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, void *argument);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
int __real_clock_adjtime(clockid_t clock, struct timex *change);
int __wrap_clock_adjtime(clockid_t clock, struct timex *change);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);

static int refuse(int error)
{
    errno = error;
    return -1;
}

static bool is_device(const char *path)
{
    return strcmp(path, DEVICE) == 0 || strcmp(path, VCLOCK) == 0 ||
           strcmp(path, LATER_DEVICE) == 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    return __real_open(is_device(path) ? "/dev/null" : path, flags, 0600);
}

int __wrap_open64(const char *path, int flags, ...)
{
    return __real_open64(is_device(path) ? "/dev/null" : path, flags, 0600);
}

static int answer_ethtool(struct ifreq *request)
{
    struct ethtool_ts_info *info = (void *)request->ifr_data;

    if (info->cmd != ETHTOOL_GET_TS_INFO) {
        return refuse(EOPNOTSUPP);
    }
    info->so_timestamping =
        SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    info->phc_index = card.number;
    info->tx_types = card.tx_types;
    info->rx_filters = BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_PTP_V2_EVENT);
    return 0;
}

static int answer_both_times(struct ptp_sys_offset_precise *both)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    both->sys_realtime.sec = now.tv_sec;
    both->sys_realtime.nsec = (unsigned)now.tv_nsec;
    both->device = both->sys_realtime;
    return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    struct ifreq *interface = argument;

    switch (request) {
    case SIOCETHTOOL:
        return answer_ethtool(interface);
    case SIOCGHWTSTAMP:
        memcpy(interface->ifr_data, &card.config, sizeof card.config);
        return 0;
    case SIOCSHWTSTAMP:
        memcpy(&card.config, interface->ifr_data, sizeof card.config);
        card.sets++;
        return 0;
    case PTP_CLOCK_GETCAPS:
        *(struct ptp_clock_caps *)argument =
            (struct ptp_clock_caps){.max_adj = 100000, .cross_timestamping = 1};
        return 0;
    case PTP_SYS_OFFSET_PRECISE:
        return answer_both_times(argument);
    default:
        return __real_ioctl(fd, request, argument);
    }
}

int __wrap_clock_adjtime(clockid_t clock, struct timex *change)
{
    return clock < 0 ? 0 : __real_clock_adjtime(clock, change);
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    (void)fd;
    (void)address;
    (void)size;
    return 0;
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    (void)fd;
    if (level == SOL_SOCKET && option == SO_TIMESTAMPING) {
        if (size > sizeof(int) && card.refuses_bound) {
            return refuse(EINVAL);
        }
        card.asked = (struct so_timestamping){.bind_phc = -1};
        memcpy(&card.asked, value, size);
    }
    return 0;
}

/* as it leaves: Ethernet, IP, UDP, Sync */
static void loop(const struct sockaddr_in *to, const struct iovec *sync)
{
    static const uint8_t ethernet_and_ip[] = {[12] = 0x08, [14] = 0x45, [17] = IP_SIZE, [23] = 17};
    const uint8_t udp[] = {MT_LINUX_EVENT_PORT >> 8, MT_LINUX_EVENT_PORT & 255, 0, 0, 0, UDP_SIZE};

    card.length = sync->iov_len;
    memcpy(card.left, ethernet_and_ip, sizeof ethernet_and_ip);
    memcpy(card.left + 30, &to->sin_addr, 4);
    memcpy(card.left + 34, udp, sizeof udp);
    memcpy(card.left + 36, &to->sin_port, 2);
    memcpy(card.left + HEADERS_SIZE, sync->iov_base, SYNC_SIZE);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    (void)fd;
    (void)flags;
    card.sent++;
    loop(message->msg_name, message->msg_iov);
    return (ssize_t)message->msg_iov[0].iov_len;
}

/* The error queue: the frame as it left, and the card's stamp. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    struct scm_timestamping stamps = {.ts[2] = {STAMPED_IN_S, 7}};
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    if ((flags & MSG_ERRQUEUE) == 0) {
        return __real_recvmsg(fd, message, flags);
    }
    if (!card.stamps) {
        return refuse(EAGAIN);
    }
    memcpy(message->msg_iov[0].iov_base, card.left, sizeof card.left);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_TIMESTAMPING;
    header->cmsg_len = CMSG_LEN(sizeof stamps);
    memcpy(CMSG_DATA(header), &stamps, sizeof stamps);
    message->msg_controllen = CMSG_SPACE(sizeof stamps);
    return sizeof card.left;
}

/* ---- the platform ---------------------------------------------------------------------------- */

static struct mt_linux *platform;
static struct mt_hal_link *link_of_test;
static char reason[MT_HAL_REASON_SIZE];

static int set_up(void **state)
{
    static const struct mt_linux_options none;

    (void)state;
    memset(&card, 0, sizeof card);
    card.number = CARD;
    card.tx_types = BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON);
    platform = mt_linux_open(&none, reason);
    assert_non_null(platform);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mt_linux_close(platform);
    return 0;
}

/* An opened clock is what a link can be told to be stamped by. */
static void open_as(enum mt_stamper stamper, const char *clock)
{
    struct mt_hal_provider *provider = mt_linux_provider(platform);
    const struct mt_link_request request = {
        .interface = "lo", .transport = MT_TRANSPORT_UDP_IPV4, .stamper = stamper, .clock = clock};

    assert_true(!clock || mt_linux_phc_named(platform, clock, reason));
    link_of_test = provider->ops->open_link(provider, 0, &request, reason);
    assert_non_null(link_of_test);
}

static bool send_sync(enum mt_insertion insertion, uint16_t sequence)
{
    uint8_t sync[SYNC_SIZE] = {0x10, 0x12, 0, SYNC_SIZE};
    struct mt_link_frame frame = {.destination = MT_LINK_PRIMARY,
                                  .is_event = true,
                                  .bytes = sync,
                                  .length = sizeof sync,
                                  .insertion = insertion,
                                  .token = sequence + 1u};

    sync[30] = (uint8_t)(sequence >> 8);
    sync[31] = (uint8_t)sequence;
    return link_of_test->ops->send(link_of_test, &frame);
}

/* ---- virtual clocks -------------------------------------------------------------------------- */

static void card_links_are_stamped_by_a_virtual_clock_when_theirs_is_one(void **state)
{
    (void)state;
    open_as(MT_STAMPER_CARD, VCLOCK);
    assert_int_equal(card.asked.bind_phc, VIRTUAL);
    assert_true(card.asked.flags & SOF_TIMESTAMPING_BIND_PHC);
    assert_true(card.asked.flags & SOF_TIMESTAMPING_RAW_HARDWARE);
    assert_string_equal(link_of_test->stamping, "hardware, by the virtual clock " VCLOCK);
    assert_int_equal(link_of_test->hardware_clock, VIRTUAL);
}

static void card_links_are_stamped_by_the_card_when_the_clock_is_its_own(void **state)
{
    (void)state;
    open_as(MT_STAMPER_CARD, DEVICE);
    assert_int_equal(card.asked.bind_phc, -1);
    assert_false(card.asked.flags & SOF_TIMESTAMPING_BIND_PHC);
    assert_string_equal(link_of_test->stamping, "hardware, by the clock " DEVICE);
    assert_int_equal(link_of_test->hardware_clock, CARD);
}

/* Its stamps are the card's then, and are said to be. */
static void card_links_are_stamped_by_the_card_when_the_kernel_binds_no_clock(void **state)
{
    (void)state;
    card.refuses_bound = true;
    open_as(MT_STAMPER_CARD, VCLOCK);
    assert_true(card.asked.flags & SOF_TIMESTAMPING_RAW_HARDWARE);
    assert_string_equal(link_of_test->stamping, "hardware, by the clock " DEVICE);
    assert_int_equal(link_of_test->hardware_clock, CARD);
    assert_int_equal(((struct mt_linux_link *)link_of_test)->bound_clock, -1);
}

static void card_links_are_stamped_by_the_kernel_when_software_is_wanted(void **state)
{
    (void)state;
    open_as(MT_STAMPER_KERNEL, VCLOCK);
    assert_int_equal(card.asked.bind_phc, -1);
    assert_true(card.asked.flags & SOF_TIMESTAMPING_SOFTWARE);
    assert_false(card.asked.flags & SOF_TIMESTAMPING_RAW_HARDWARE);
    assert_false(link_of_test->has_hardware_clock);
}

/* ---- one step -------------------------------------------------------------------------------- */

static void assert_inserts(uint32_t tx_types, enum mt_stamper stamper, const char *clock,
                           bool is_origin, bool is_turnaround)
{
    uint64_t refused = !is_origin + (uint64_t)!is_turnaround;

    card.tx_types |= tx_types;
    open_as(stamper, clock);
    assert_int_equal(send_sync(MT_INSERT_ORIGIN, 1), is_origin);
    assert_int_equal(send_sync(MT_INSERT_RESIDENCE, 2), is_turnaround);
    assert_int_equal(card.sent, 2 - refused);
    assert_int_equal(card.length, card.sent > 0 ? SYNC_SIZE + 2 : 0); /* for the checksum */
    assert_int_equal(link_of_test->counters.send_failed, refused);
    assert_int_equal(((struct mt_linux_link *)link_of_test)->tokens.waiting, 0);
}

static void card_links_insert_the_origin_when_the_card_does_sync_in_one_step(void **state)
{
    (void)state;
    assert_inserts(BIT(HWTSTAMP_TX_ONESTEP_SYNC), MT_STAMPER_ONE_STEP, DEVICE, true, false);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ONESTEP_SYNC);
}

static void card_links_insert_both_when_the_card_does_all_in_one_step(void **state)
{
    (void)state;
    assert_inserts(BIT(HWTSTAMP_TX_ONESTEP_SYNC) | BIT(HWTSTAMP_TX_ONESTEP_P2P),
                   MT_STAMPER_ONE_STEP, DEVICE, true, true);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ONESTEP_P2P);
}

/* The card would write its own time, which is another clock's. */
static void card_links_insert_no_origin_when_the_clock_is_not_the_card_s(void **state)
{
    (void)state;
    assert_inserts(BIT(HWTSTAMP_TX_ONESTEP_SYNC) | BIT(HWTSTAMP_TX_ONESTEP_P2P),
                   MT_STAMPER_ONE_STEP, VCLOCK, false, true);
}

static void card_links_insert_nothing_when_two_steps_are_wanted(void **state)
{
    (void)state;
    assert_inserts(BIT(HWTSTAMP_TX_ONESTEP_SYNC), MT_STAMPER_CARD, DEVICE, false, false);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ON);
}

/* ---- drivers that are loaded anew ------------------------------------------------------------ */

static void turn_for(int64_t ns)
{
    struct mt_hal_wait *wait = mt_linux_provider(platform)->wait;
    int64_t end_ns = wait->ops->now(wait).ns + ns;
    struct mt_input input;

    do {
        wait->ops->next(wait, (struct mt_mono){end_ns}, &input);
    } while (input.now.ns < end_ns);
}

static void card_links_take_their_clock_along_when_the_card_gets_another_number(void **state)
{
    struct mt_hal_provider *provider = mt_linux_provider(platform);
    const struct mt_clock_request request = {.kind = MT_CLOCK_PHC, .name = "p", .device = "lo"};
    struct mt_hal_clock *clock = provider->ops->open_clock(provider, &request, reason);
    struct mt_linux_link *link;

    (void)state;
    card.tx_types |= BIT(HWTSTAMP_TX_ONESTEP_SYNC);
    assert_non_null(clock);
    assert_string_equal(clock->device, DEVICE);
    open_as(MT_STAMPER_ONE_STEP, DEVICE);
    assert_true(link_of_test->inserts_origin);
    link = (struct mt_linux_link *)link_of_test;
    turn_for(700000000);
    assert_string_equal(clock->device, DEVICE);
    card.number = LOADED_ANEW;
    card.refuses_bound = true;    /* the one that was before is none of its virtual clocks */
    mt_linux_sockets_close(link); /* as when the interface is gone */
    link->has_interface = false;
    mt_linux_link_check(link, mt_linux_now());
    assert_int_equal(link_of_test->hardware_clock, LOADED_ANEW);
    turn_for(1200000000);
    assert_string_equal(clock->device, LATER_DEVICE);
    assert_string_equal(mt_linux_phc_of(platform, LATER_DEVICE)->owner, "p");
    assert_null(mt_linux_phc_of(platform, DEVICE)->owner);
    assert_true(link_of_test->inserts_origin);
}

/* ---- cards that do not stamp ----------------------------------------------------------------- */

/* Until all that were sent are given up, or longer. */
static unsigned wait_given_up(unsigned count)
{
    struct mt_hal_wait *wait = mt_linux_provider(platform)->wait;
    int64_t end_ns = wait->ops->now(wait).ns + GIVEN_UP_S * MT_NS_PER_S;
    struct mt_input input;
    unsigned given_up = 0;

    do {
        wait->ops->next(wait, (struct mt_mono){end_ns}, &input);
        given_up += input.kind == MT_INPUT_TX_STAMP && !input.has_stamp;
    } while (given_up < count && input.now.ns < end_ns);
    wait->ops->next(wait, (struct mt_mono){0}, &input); /* opens what was closed */
    return given_up;
}

static void send_syncs(uint16_t from, unsigned count)
{
    for (uint16_t i = 0; i < count; i++) {
        assert_true(send_sync(MT_INSERT_NOTHING, from + i));
    }
}

static void card_links_are_stamped_by_the_kernel_when_the_card_never_does(void **state)
{
    (void)state;
    card.config.rx_filter = HWTSTAMP_FILTER_NONE;
    open_as(MT_STAMPER_AUTO, 0);
    assert_string_equal(link_of_test->stamping, "hardware, by the clock " DEVICE);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ON);
    send_syncs(1, 32);
    assert_int_equal(wait_given_up(32), 32);
    assert_int_equal(link_of_test->counters.stamps_missing, 32);
    assert_string_equal(link_of_test->stamping,
                        "software, for the card stamps nothing that it sends");
    assert_false(link_of_test->has_hardware_clock);
    assert_true(card.asked.flags & SOF_TIMESTAMPING_SOFTWARE);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_OFF); /* as it was before us */
    assert_true(send_sync(MT_INSERT_NOTHING, 33));
    assert_int_equal(card.length, SYNC_SIZE);
}

static void card_links_stay_with_the_card_when_it_has_stamped_once(void **state)
{
    uint8_t buffer[MT_LINUX_FRAME_SIZE];
    struct mt_input input = {.kind = MT_INPUT_NONE};

    (void)state;
    open_as(MT_STAMPER_AUTO, 0);
    send_syncs(1, 1);
    card.stamps = true;
    mt_linux_take_stamp((struct mt_linux_link *)link_of_test, MT_SOCKET_EVENT, buffer, &input);
    card.stamps = false;
    assert_int_equal(input.kind, MT_INPUT_TX_STAMP);
    assert_int_equal(input.token, 2);
    assert_true(input.stamp.ns == STAMPED_IN_S * MT_NS_PER_S + 7);
    send_syncs(2, 40);
    assert_int_equal(wait_given_up(40), 40);
    assert_string_equal(link_of_test->stamping, "hardware, by the clock " DEVICE);
}

static void take_one_stamp(void)
{
    uint8_t buffer[MT_LINUX_FRAME_SIZE];
    struct mt_input input = {.kind = MT_INPUT_NONE};

    send_syncs(1, 1);
    card.stamps = true;
    mt_linux_take_stamp((struct mt_linux_link *)link_of_test, MT_SOCKET_EVENT, buffer, &input);
    card.stamps = false;
    assert_int_equal(input.kind, MT_INPUT_TX_STAMP);
}

/* A driver that has reset its card; some of them still answer what they were told before. */
static void card_links_tell_the_card_again_when_it_has_forgotten(void **state)
{
    (void)state;
    open_as(MT_STAMPER_CARD, 0);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ON);
    take_one_stamp();
    card.sets = 0;
    memset(&card.config, 0, sizeof card.config);
    send_syncs(2, 7);
    assert_int_equal(wait_given_up(7), 7);
    assert_int_equal(card.sets, 0); /* a few may be lost */
    send_syncs(9, 1);
    assert_int_equal(wait_given_up(1), 1);
    assert_int_equal(card.sets, 1);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ON);
    assert_int_equal(card.config.rx_filter, HWTSTAMP_FILTER_PTP_V2_EVENT);
    send_syncs(10, 10);
    assert_int_equal(wait_given_up(10), 10);
    assert_int_equal(card.sets, 2); /* after twice as many, whatever it answers */
}

static void card_links_tell_the_card_again_when_messages_come_without_stamps(void **state)
{
    const uint8_t sync[SYNC_SIZE] = {0x10, 0x12, 0, SYNC_SIZE};
    const uint8_t announce[64] = {0x1B, 0x12, 0, 64};
    struct mt_linux_link *link;

    (void)state;
    open_as(MT_STAMPER_CARD, 0);
    link = (struct mt_linux_link *)link_of_test;
    card.sets = 0;
    for (int i = 0; i < 20; i++) { /* it never did */
        mt_linux_card_received(link, sync, sizeof sync, false);
    }
    assert_int_equal(card.sets, 0);
    mt_linux_card_received(link, sync, sizeof sync, true);
    for (int i = 0; i < 7; i++) {
        mt_linux_card_received(link, sync, sizeof sync, false);
        mt_linux_card_received(link, announce, sizeof announce, false);
    }
    assert_int_equal(card.sets, 0);
    mt_linux_card_received(link, sync, sizeof sync, false);
    assert_int_equal(card.sets, 1);
}

static void card_links_stay_with_the_card_when_the_configuration_insists(void **state)
{
    (void)state;
    open_as(MT_STAMPER_CARD, 0);
    send_syncs(1, 40);
    assert_int_equal(wait_given_up(40), 40);
    assert_true(((struct mt_linux_link *)link_of_test)->has_interface);
    assert_true(link_of_test->has_hardware_clock);
    assert_int_equal(link_of_test->counters.stamps_missing, 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(card_links_are_stamped_by_a_virtual_clock_when_theirs_is_one),
        TEST(card_links_are_stamped_by_the_card_when_the_clock_is_its_own),
        TEST(card_links_are_stamped_by_the_card_when_the_kernel_binds_no_clock),
        TEST(card_links_are_stamped_by_the_kernel_when_software_is_wanted),
        TEST(card_links_insert_the_origin_when_the_card_does_sync_in_one_step),
        TEST(card_links_insert_both_when_the_card_does_all_in_one_step),
        TEST(card_links_insert_no_origin_when_the_clock_is_not_the_card_s),
        TEST(card_links_insert_nothing_when_two_steps_are_wanted),
        TEST(card_links_take_their_clock_along_when_the_card_gets_another_number),
        TEST(card_links_are_stamped_by_the_kernel_when_the_card_never_does),
        TEST(card_links_stay_with_the_card_when_it_has_stamped_once),
        TEST(card_links_tell_the_card_again_when_it_has_forgotten),
        TEST(card_links_tell_the_card_again_when_messages_come_without_stamps),
        TEST(card_links_stay_with_the_card_when_the_configuration_insists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
