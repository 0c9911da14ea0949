/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Preloaded into Debian's qemu-system-x86_64: makes of its emulated network card "igb" (Intel
 * 82576) one whose hardware clock and timestamps can be measured with.  The emulation as it comes
 * moves the clock by the wrong sign when its frequency is set, stamps only Sync over Ethernet, and
 * never frees its receive stamp for the Linux driver.  Debian's qemu exports the functions that
 * do this, so three of them are replaced at the start.
 *
 * A card's clock is a function of the host's CLOCK_MONOTONIC and of an oscillator of its own.  Each
 * frame carries behind it, where the guest does not see it, the time at which it is at the other
 * end of the wire; the receive stamp is that time, not the one at which the host got round to the
 * receiver.  So stamps have none of the host's noise, whatever its load.
 *
 * The emulated card has a single receive stamp and compares one octet of a frame to decide about
 * it.  A frame that must be stamped is therefore left in its socket until the driver has read the
 * stamp before it, and the octets that are compared are made to fit: in captures, PTP event
 * messages over UDP arrive with ECN bits (IPv4) or a flow label (IPv6) that nobody sent.  With a
 * VLAN tag it is an octet of the tag: only VLAN numbers with 2 in their low four bits are stamped.
 *
 *     MEANTIME_LAB_CARDS="52:54:00:00:01:01,ppb=5000,delay=1000;52:54:00:00:01:ff,ref"
 * ppb: error of the oscillator; delay: ns from here to the other end; jitter: uniform, up to so
 * many ns more; ref: its clock is the host's, in nanoseconds.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire_queue.h"

/* registers of the 82576, as indexes of 32-bit words */
#define REG(address) ((address) / 4)
#define RCTL         REG(0x0100)
#define MTA          REG(0x5200)
#define RAL0         REG(0x5400)
#define ETQF(n)      (REG(0x5CB0) + (n))
#define TSYNCRXCFG   REG(0x5F50)
#define TIMINCA      REG(0xB608)
#define TXSTMPL      REG(0xB618)
#define TSYNCRXCTL   REG(0xB620)
#define RXSTMPL      REG(0xB624)
#define RXSTMPH_AT   0xB628

#define RECEIVES      (1u << 1) /* of RCTL */
#define ALL_UNICAST   (1u << 3)
#define ALL_MULTICAST (1u << 4)
#define ADDRESSES     16
#define ADDRESS_VALID (1u << 31) /* of its upper half */

#define RX_VALID    1u
#define RX_ENABLED  0x10u
#define ETQF_ENABLE ((1u << 26) | (1u << 30)) /* this EtherType, with timestamps */

#define CARDS       8
#define CHANGES     16 /* of its frequency, that a stamp may be older than */
#define DESCRIPTORS 1024
#define PATIENCE_NS 5000000000 /* for a driver that does not read its stamp */
#define SKIPPED     77         /* this qemu is another one */

struct change { /* from `host_ns` on the counter runs by `increment` */
    int64_t host_ns;
    long double oscillator_ns;
    uint64_t counter;
    uint32_t increment;
};

struct card {
    uint32_t *registers;
    int is_configured;
    int is_reference;
    double ppb;
    int64_t delay_ns;
    int64_t jitter_ns;
    int64_t born_ns;
    struct change changes[CHANGES];
    int change_count;
    int fd; /* where its last stamped frame came from */
};

static struct card cards[CARDS];
static int card_count;
static __thread struct card *sender; /* of the frame that is about to be sent, if it is stamped */
static __thread int64_t sent_ns;
static __thread int64_t arrived_ns; /* of the frame that was just received */
static __thread int arrived_fd = -1;

static int64_t host_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static uint64_t random_number(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* ---- cards --------------------------------------------------------------------------------- */

static double option(const char *entry, const char *key, double otherwise)
{
    const char *found = strstr(entry, key);

    return found ? strtod(found + strlen(key), NULL) : otherwise;
}

/* A card has its address some time after the guest has begun. */
static void configure(struct card *card)
{
    const uint8_t *mac = (const uint8_t *)(card->registers + RAL0);
    const char *all = getenv("MEANTIME_LAB_CARDS");
    char name[20];
    char entry[256] = "";
    const char *found;

    if (mac[0] == 0 && mac[1] == 0 && mac[2] == 0) {
        return;
    }
    snprintf(name, sizeof name, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    found = all ? strstr(all, name) : NULL;
    if (found) {
        snprintf(entry, sizeof entry, "%.*s", (int)strcspn(found, ";"), found);
    }
    card->is_configured = 1;
    card->ppb = option(entry, ",ppb=", 0);
    card->delay_ns = (int64_t)option(entry, ",delay=", 0);
    card->jitter_ns = (int64_t)option(entry, ",jitter=", 0);
    card->is_reference = strstr(entry, ",ref") != NULL;
}

static struct card *card_of(uint32_t *registers)
{
    struct card *card = cards;

    while (card < cards + card_count && card->registers != registers) {
        card++;
    }
    if (card == cards + card_count) {
        if (card_count == CARDS) {
            abort();
        }
        card_count++;
        card->registers = registers;
        card->fd = -1;
        card->born_ns = host_ns();
        card->change_count = 1;
        card->changes[0] = (struct change){card->born_ns, 0, 0, 0};
    }
    if (!card->is_configured) {
        configure(card);
    }
    return card;
}

static long double oscillator(const struct card *card, int64_t at_ns)
{
    long double elapsed = (long double)(at_ns - card->born_ns);

    return elapsed + elapsed * card->ppb * 1e-9L;
}

static uint64_t counter(const struct card *card, int64_t at_ns)
{
    int newest = card->change_count - 1;
    int at = newest;
    const struct change *change;
    uint32_t period;

    while (at > 0 && newest - at < CHANGES - 1 && card->changes[at % CHANGES].host_ns > at_ns) {
        at--;
    }
    change = &card->changes[at % CHANGES];
    period = change->increment >> 24 ? change->increment >> 24 : 1;
    return change->counter + (uint64_t)(int64_t)((oscillator(card, at_ns) - change->oscillator_ns) *
                                                 (change->increment & 0xFFFFFF) / (16.0L * period));
}

/* ---- what replaces qemu's own -------------------------------------------------------------- */

/* of e1000x_timestamp(): writes the counter into a pair of registers */
static void timestamp(uint32_t *registers, int64_t offset, size_t low, size_t high)
{
    struct card *card = card_of(registers);
    int64_t at_ns = host_ns();
    uint64_t value;

    if (low == TXSTMPL) {
        sent_ns = at_ns;
        sender = card;
    } else if (low == RXSTMPL && arrived_ns != 0) {
        at_ns = arrived_ns;
        card->fd = arrived_fd;
    }
    value = card->is_reference ? (uint64_t)at_ns : counter(card, at_ns) + (uint64_t)offset;
    registers[low] = (uint32_t)value;
    registers[high] = (uint32_t)(value >> 32);
}

/* of e1000x_set_timinca(): the counter goes on from where it is, at another frequency */
static void set_increment(uint32_t *registers, int64_t *offset, uint32_t increment)
{
    struct card *card = card_of(registers);
    int64_t at_ns = host_ns();
    struct change change = {at_ns, oscillator(card, at_ns), counter(card, at_ns), increment};

    (void)offset;
    registers[TIMINCA] = increment;
    card->changes[card->change_count++ % CHANGES] = change;
}

static uint64_t (*core_read)(void *core, uint64_t address, unsigned size);
static uint32_t core_offset;

/* of igb_mmio_read(): reading the upper half of a receive stamp frees it, as the manual says */
static uint64_t read_register(void *device, uint64_t address, unsigned size)
{
    char *core = (char *)device + core_offset;
    uint64_t value = core_read(core, address, size);

    for (int i = 0; address == RXSTMPH_AT && i < card_count; i++) {
        if ((char *)cards[i].registers == core) {
            cards[i].registers[TSYNCRXCTL] &= ~RX_VALID;
        }
    }
    return value;
}

static void give_up(const char *what)
{
    fprintf(stderr, "nic_fix: this qemu %s\n", what);
    exit(SKIPPED);
}

/* Overwrites the beginning of a function by a jump: FF 25 00000000 and the address. */
static void replace(const char *name, const void *by)
{
    uint8_t jump[14] = {0xFF, 0x25};
    uint8_t *code = dlsym(RTLD_DEFAULT, name);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uint8_t *begin;

    if (!code) {
        give_up("does not export what must be replaced");
        return;
    }
    begin = (uint8_t *)((uintptr_t)code & ~(page - 1));
    memcpy(jump + 6, &by, sizeof by);
    if (mprotect(begin, 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
        give_up("may not be changed");
    }
    memcpy(code, jump, sizeof jump);
    mprotect(begin, 2 * page, PROT_READ | PROT_EXEC);
}

/* igb_mmio_read() adds an offset to its first argument and jumps: 48 81 C7 offset, E9 */
__attribute__((constructor)) static void begin(void)
{
    const uint8_t *code = dlsym(RTLD_DEFAULT, "igb_mmio_read");
    void *core = dlsym(RTLD_DEFAULT, "igb_core_read");

    if (!dlsym(RTLD_DEFAULT, "qemu_clock_get_ns")) {
        return; /* a child of it that is no qemu */
    }
    if (!code || !core || memcmp(code, "\x48\x81\xC7", 3) != 0 || code[7] != 0xE9) {
        give_up("reads the registers of the card in another way");
        return;
    }
    memcpy(&core_read, &core, sizeof core_read);
    memcpy(&core_offset, code + 3, sizeof core_offset);
    void (*const stamps)(uint32_t *, int64_t, size_t, size_t) = timestamp;
    void (*const increments)(uint32_t *, int64_t *, uint32_t) = set_increment;
    uint64_t (*const reads)(void *, uint64_t, unsigned) = read_register;
    const void *address;
    memcpy(&address, &stamps, sizeof address);
    replace("e1000x_timestamp", address);
    memcpy(&address, &increments, sizeof address);
    replace("e1000x_set_timinca", address);
    memcpy(&address, &reads, sizeof address);
    replace("igb_mmio_read", address);
}

/* ---- the wire ------------------------------------------------------------------------------ */

#define MAGIC UINT64_C(0x6d65616e6c616231)

struct trailer {
    uint64_t magic;
    int64_t arrival_ns;
};

/* The sockets between guests are datagram sockets; qemu has no others. */
static int is_wire(int fd)
{
    static signed char known[DESCRIPTORS];
    int type = 0;
    socklen_t size = sizeof type;

    if (fd < 0 || fd >= DESCRIPTORS) {
        return 0;
    }
    if (known[fd] == 0) {
        known[fd] =
            getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM ? 1 : -1;
    }
    return known[fd] > 0;
}

#define VLAN 0x8100
#define IPV4 0x0800
#define IPV6 0x86DD
#define PTP  0x88F7

struct message {
    unsigned type;     /* EtherType of the frame: of the tag, if there is one */
    const uint8_t *at; /* its header; null: neither an event message of PTP version 2 nor NTP */
};

/* For programs that are told that the card stamps everything: stamps_all.c. */
static int is_ntp(const uint8_t *udp)
{
    return (udp[0] == 0 && udp[1] == 123) || (udp[2] == 0 && udp[3] == 123);
}

static int is_event_port(const uint8_t *udp)
{
    return udp[2] == 1 && udp[3] == 0x3F; /* 319 */
}

static struct message find_message(const uint8_t *frame, size_t length)
{
    struct message found = {0, NULL};
    const uint8_t *at = frame + 14;
    unsigned type;

    if (length < 48) {
        return found;
    }
    type = found.type = (unsigned)frame[12] << 8 | frame[13];
    if (type == VLAN) {
        type = (unsigned)frame[16] << 8 | frame[17];
        at += 4;
    }
    if (type == IPV4 && at[9] == 17 && is_ntp(at + (at[0] & 15) * 4)) {
        found.at = at + (at[0] & 15) * 4 + 8;
        return found;
    }
    if (type == IPV4 && at[9] == 17 && is_event_port(at + (at[0] & 15) * 4)) {
        at += (at[0] & 15) * 4 + 8;
    } else if (type == IPV6 && at[6] == 17 && is_event_port(at + 40)) {
        at += 48;
    } else if (type != PTP) {
        return found;
    }
    if (at + 34 <= frame + length && (at[1] & 15) == 2 && (at[0] & 15) <= 3) {
        found.at = at;
    }
    return found;
}

/* RFC 1624: the header's checksum after one 16-bit word has changed */
static void mend_checksum(uint8_t *checksum, unsigned before, unsigned after)
{
    unsigned sum =
        (~((unsigned)checksum[0] << 8 | checksum[1]) & 0xFFFF) + (~before & 0xFFFF) + after;

    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    checksum[0] = (uint8_t)(~sum >> 8);
    checksum[1] = (uint8_t)~sum;
}

/* Whether the card's filter lets it in, as the manual has it. */
static int is_let_in(const struct card *card, const uint8_t *frame)
{
    static const unsigned char shifts[] = {4, 3, 2, 0};
    const uint32_t *registers = card->registers;
    uint32_t control = registers[RCTL];
    uint32_t low = (uint32_t)frame[0] | (uint32_t)frame[1] << 8 | (uint32_t)frame[2] << 16 |
                   (uint32_t)frame[3] << 24;
    uint32_t high = (uint32_t)frame[4] | (uint32_t)frame[5] << 8;
    uint32_t hash = (high >> shifts[control >> 12 & 3]) & 0xFFF;
    int is_multicast = frame[0] & 1;

    if (!(control & RECEIVES)) {
        return 0;
    }
    for (int i = 0; i < ADDRESSES; i++) {
        if (registers[RAL0 + 2 * i] == low &&
            (registers[RAL0 + 2 * i + 1] & (ADDRESS_VALID | 0xFFFF)) == (ADDRESS_VALID | high)) {
            return 1;
        }
    }
    return control & (is_multicast ? ALL_MULTICAST : ALL_UNICAST) ||
           (is_multicast && registers[MTA + (hash >> 5)] & 1u << (hash & 31));
}

/* The emulation would stamp what the filter then drops, and no driver would read that stamp.
 * Which card a wire leads to is known by the first frame that it has stamped. */
static int is_taken(int fd, const uint8_t *frame)
{
    for (int i = 0; i < card_count; i++) {
        if ((cards[i].fd == fd || cards[i].fd < 0) && is_let_in(&cards[i], frame)) {
            return 1;
        }
    }
    return 0;
}

/* Has the cards stamp this frame, if it is a message, and no other. */
static void choose(uint8_t *frame, const struct message *message)
{
    uint32_t first = 0xFF;

    if (message->at) {
        first = message->type == PTP ? message->at[0] : frame[14];
    }
    if (message->at && message->type == IPV4) {
        unsigned before = (unsigned)frame[14] << 8 | frame[15];

        frame[15] = (uint8_t)((frame[15] & 0xF0) | 2);
        mend_checksum(frame + 24, before, (unsigned)frame[14] << 8 | frame[15]);
    } else if (message->at && message->type == IPV6) {
        frame[15] = (uint8_t)((frame[15] & 0xF0) | 2);
    }
    for (int i = 0; i < card_count; i++) {
        uint32_t *registers = cards[i].registers;

        registers[TSYNCRXCFG] = (registers[TSYNCRXCFG] & ~0xFF00u) | first << 8;
        registers[ETQF(7)] = ETQF_ENABLE | IPV4;
        registers[ETQF(6)] = ETQF_ENABLE | IPV6;
        registers[ETQF(5)] = ETQF_ENABLE | VLAN;
    }
}

/* Whether the stamp before this one must still be read. */
static int must_wait(int fd)
{
    static int64_t since_ns[DESCRIPTORS];
    int64_t now_ns = host_ns();

    for (int i = 0; i < card_count; i++) {
        uint32_t *control = &cards[i].registers[TSYNCRXCTL];

        if (cards[i].fd != fd || !(*control & RX_VALID) || !(*control & RX_ENABLED)) {
            continue;
        }
        since_ns[fd] = since_ns[fd] ? since_ns[fd] : now_ns;
        if (now_ns - since_ns[fd] < PATIENCE_NS) {
            return 1;
        }
        *control &= ~RX_VALID;
    }
    since_ns[fd] = 0;
    return 0;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    struct message message = {0, NULL};
    struct trailer trailer = {0, 0};
    ssize_t length;

    if (!real) {
        void *symbol = dlsym(RTLD_NEXT, "recv");

        memcpy(&real, &symbol, sizeof real);
    }
    if (!is_wire(fd)) {
        return real(fd, buffer, size, flags);
    }
    arrived_ns = 0;
    length = real(fd, buffer, size, flags | MSG_PEEK);
    if (length > (ssize_t)sizeof trailer) {
        memcpy(&trailer, (uint8_t *)buffer + length - sizeof trailer, sizeof trailer);
        length -= trailer.magic == MAGIC ? (ssize_t)sizeof trailer : 0;
        message = find_message(buffer, (size_t)length);
        message.at = message.at && is_taken(fd, buffer) ? message.at : NULL;
    }
    if (length >= 0 && message.at && must_wait(fd)) {
        errno = EAGAIN;
        return -1;
    }
    if (length < 0 || real(fd, buffer, size, flags) < 0) {
        return -1;
    }
    if (trailer.magic == MAGIC) {
        arrived_ns = trailer.arrival_ns;
        arrived_fd = fd;
    }
    choose(buffer, &message);
    return length;
}

static ssize_t transmit(const void *frame, size_t length, const struct sockaddr *to,
                        socklen_t to_size)
{
    struct card *card = sender ? sender : card_count == 1 ? &cards[0] : NULL;
    struct trailer trailer = {MAGIC, sent_ns ? sent_ns : host_ns()};

    sent_ns = 0;
    sender = NULL;
    if (card) {
        trailer.arrival_ns += card->delay_ns;
        trailer.arrival_ns +=
            card->jitter_ns > 0 ? (int64_t)(random_number() % (uint64_t)card->jitter_ns) : 0;
    }
    wire_queue_put(frame, length, &trailer, sizeof trailer, to, to_size);
    return (ssize_t)length;
}

ssize_t sendto(int fd, const void *frame, size_t length, int flags, const struct sockaddr *to,
               socklen_t to_size)
{
    static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

    if (!real) {
        void *symbol = dlsym(RTLD_NEXT, "sendto");

        memcpy(&real, &symbol, sizeof real);
    }
    return to && is_wire(fd) ? transmit(frame, length, to, to_size)
                             : real(fd, frame, length, flags, to, to_size);
}
