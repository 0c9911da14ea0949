/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * SMSC LAN9118: frames go through FIFOs, word by word.  It has no timestamps: a frame is stamped
 * with the counter when its last word has been written, or when the processor finds it in the
 * FIFO, woken by the controller's interrupt.
 */
#include "base/memory.h"
#include "platform/mps2/mps2.h"
#include "platform/mps2/mps2_registers.h"

#define ETHERNET(offset) REGISTER(ETHERNET_BASE + (offset))
#define RX_DATA          ETHERNET(0x00)
#define TX_DATA          ETHERNET(0x20)
#define RX_STATUS        ETHERNET(0x40)
#define TX_STATUS        ETHERNET(0x48)
#define IRQ_CONFIG       ETHERNET(0x54)
#define INTERRUPTS       ETHERNET(0x58)
#define INTERRUPT_ENABLE ETHERNET(0x5C)
#define FIFO_LEVELS      ETHERNET(0x68)
#define RX_CONFIG        ETHERNET(0x6C)
#define TX_CONFIG        ETHERNET(0x70)
#define HW_CONFIG        ETHERNET(0x74)
#define RX_FIFO_INFO     ETHERNET(0x7C)
#define TX_FIFO_INFO     ETHERNET(0x80)
#define MAC_COMMAND      ETHERNET(0xA4)
#define MAC_DATA         ETHERNET(0xA8)

#define IRQ_ON_PUSH_PULL_HIGH 0x111u
#define RX_STATUS_LEVEL       (1u << 3) /* more frames than FIFO_LEVELS says */
#define TX_ON                 2u
#define SOFT_RESET            1u
#define TX_FIFO_5K            (5u << 16 | 1u << 20)
#define MAC_BUSY              (1u << 31)
#define MAC_READ              (1u << 30)
#define MAC_CONTROL           1
#define MAC_ADDRESS_HIGH      2
#define MAC_ADDRESS_LOW       3
#define MAC_MII_ACCESS        6
#define MAC_MII_DATA          7
#define MAC_RX_TX_MULTICAST   (1u << 2 | 1u << 3 | 1u << 19 | 1u << 20)
#define PHY_STATUS            (1u << 11 | 1u << 6) /* register 1 of PHY 1 */
#define PHY_HAS_LINK          (1u << 2)
#define RX_ERROR              (1u << 15)
#define CHECK_SEQUENCE        4
#define FIRST_AND_LAST        (1u << 13 | 1u << 12)
#define LENGTH_MIN            60
#define POLLS_MAX             100000
#define STAMPS                8

static struct mt_mac mac;
static struct mt_mac_sent stamps[STAMPS];
static uint32_t stamp_count;

static void wait_for_mac(void)
{
    for (unsigned i = 0; i < POLLS_MAX && (MAC_COMMAND & MAC_BUSY) != 0; i++) {
    }
}

static uint32_t mac_read(uint32_t number)
{
    MAC_COMMAND = MAC_BUSY | MAC_READ | number;
    wait_for_mac();
    return MAC_DATA;
}

static void mac_write(uint32_t number, uint32_t value)
{
    MAC_DATA = value;
    MAC_COMMAND = MAC_BUSY | number;
    wait_for_mac();
}

static uint32_t word_at(const uint8_t *octets)
{
    return octets[0] | (uint32_t)octets[1] << 8 | (uint32_t)octets[2] << 16 |
           (uint32_t)octets[3] << 24;
}

static void write_frame(const uint8_t *frame, size_t length)
{
    const size_t sent = length < LENGTH_MIN ? LENGTH_MIN : length;
    TX_DATA = FIRST_AND_LAST | (uint32_t)sent;
    TX_DATA = (uint32_t)sent;
    for (size_t at = 0; at < sent; at += 4) {
        uint8_t word[4] = {0, 0, 0, 0};
        if (at < length) {
            memcpy(word, &frame[at], length - at < 4 ? length - at : 4);
        }
        TX_DATA = word_at(word);
    }
}

static bool has_room(size_t length)
{
    const uint32_t info = TX_FIFO_INFO;
    for (uint32_t done = info >> 16 & 0xFF; done > 0; done--) {
        (void)TX_STATUS;
    }
    return (info & 0xFFFF) >= length + 12;
}

static bool send(struct mt_mac *self, const uint8_t *frame, size_t length, uint32_t token)
{
    if (length > MT_MAC_FRAME_MAX || !has_room(MT_MAC_FRAME_MAX)) {
        return false;
    }
    write_frame(frame, length);
    if (token != 0 && stamp_count < STAMPS) {
        stamps[stamp_count++] =
            (struct mt_mac_sent){.token = token, .has_stamp = true, .stamp = mps2_oscillator_ns()};
    }
    return true;
}

static bool sent(struct mt_mac *self, struct mt_mac_sent *ret_sent)
{
    if (stamp_count == 0) {
        return false;
    }
    *ret_sent = stamps[0];
    stamp_count--;
    memmove(&stamps[0], &stamps[1], stamp_count * sizeof stamps[0]);
    return true;
}

/* All words of a frame are to be taken, whatever is done with them. */
static void read_frame(uint8_t *buffer, size_t capacity, size_t length)
{
    for (size_t at = 0; at < length; at += 4) {
        const uint32_t word = RX_DATA;
        const uint8_t octets[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                                   (uint8_t)(word >> 24)};
        if (at < capacity) {
            memcpy(&buffer[at], octets, capacity - at < 4 ? capacity - at : 4);
        }
    }
}

static bool receive(struct mt_mac *self, uint8_t *buffer, size_t capacity,
                    struct mt_mac_received *ret_received)
{
    while ((RX_FIFO_INFO >> 16 & 0xFF) != 0) {
        const struct mt_base_time stamp = mps2_oscillator_ns();
        const uint32_t status = RX_STATUS;
        const size_t length = status >> 16 & 0x3FFF;
        read_frame(buffer, capacity, length);
        if ((status & RX_ERROR) == 0 && length > CHECK_SEQUENCE &&
            length - CHECK_SEQUENCE <= capacity) {
            ret_received->length = length - CHECK_SEQUENCE;
            ret_received->has_stamp = true;
            ret_received->stamp = stamp;
            return true;
        }
    }
    INTERRUPTS = RX_STATUS_LEVEL;
    return false;
}

static bool is_up(struct mt_mac *self)
{
    mac_write(MAC_MII_ACCESS, PHY_STATUS);
    return (mac_read(MAC_MII_DATA) & PHY_HAS_LINK) != 0;
}

static struct mt_mono now(struct mt_mac *self)
{
    return (struct mt_mono){mps2_count_ns().ns};
}

static void idle(struct mt_mac *self, struct mt_mono until)
{
    if ((RX_FIFO_INFO >> 16 & 0xFF) == 0) {
        mps2_sleep(until.ns - mps2_count_ns().ns);
    }
}

static const struct mt_mac_ops ops = {
    .send = send, .receive = receive, .sent = sent, .is_up = is_up, .now = now, .idle = idle};

static void read_address(void)
{
    const uint32_t low = mac_read(MAC_ADDRESS_LOW);
    const uint32_t high = mac_read(MAC_ADDRESS_HIGH);
    for (unsigned i = 0; i < 4; i++) {
        mac.address[i] = (uint8_t)(low >> 8 * i);
    }
    mac.address[4] = (uint8_t)high;
    mac.address[5] = (uint8_t)(high >> 8);
}

struct mt_mac *mps2_mac(void)
{
    if (mac.ops != NULL) {
        return &mac;
    }
    HW_CONFIG = SOFT_RESET;
    for (unsigned i = 0; i < POLLS_MAX && (HW_CONFIG & SOFT_RESET) != 0; i++) {
    }
    HW_CONFIG = TX_FIFO_5K;
    RX_CONFIG = 0;
    FIFO_LEVELS = 0;
    TX_CONFIG = TX_ON;
    IRQ_CONFIG = IRQ_ON_PUSH_PULL_HIGH;
    INTERRUPT_ENABLE = RX_STATUS_LEVEL;
    mac_write(MAC_CONTROL, MAC_RX_TX_MULTICAST);
    read_address();
    mps2_wake_by(ETHERNET_IRQ);
    mac.ops = &ops;
    return &mac;
}
