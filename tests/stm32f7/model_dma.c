/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The DMA.  It works on its own copy of the shared memory, which is brought up to date at barriers
 * only; what it writes itself is seen at once.  Two bits of the copy are watched: a descriptor that
 * changes hands must not change otherwise between the same two barriers.
 */
#include "model_private.h"

#include <string.h>

#define EXTENDED 8 /* words */

static struct mt_stm32f7_rings seen; /* memory, as the DMA sees it */
static uint32_t transmit_at;         /* number of the descriptor */
static uint32_t receive_at;
static bool is_transmit_suspended;
static bool is_receive_suspended;

void model_dma_reset(void)
{
    transmit_at = 0;
    receive_at = 0;
    is_transmit_suspended = false;
    is_receive_suspended = false;
    model_poke(ETH_DMABMR, 0x00020101);
    model_poke(ETH_DMAOMR, 0);
    model_poke(ETH_DMASR, 0);
    model_poke(ETH_DMAIER, 0);
    model_poke(ETH_DMARDLAR, 0);
    model_poke(ETH_DMATDLAR, 0);
    model_poke(ETH_MACCR, ETH_MACCR_RESERVED);
}

static bool is_running(void)
{
    return (model_peek(ETH_DMAOMR) & (ETH_DMAOMR_ST | ETH_DMAOMR_SR)) != 0;
}

static void watch(uint32_t (*before)[EXTENDED], uint32_t (*now)[EXTENDED], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const bool was_handed = (before[i][0] & BIT(31)) == 0 && (now[i][0] & BIT(31)) != 0;
        if (was_handed && memcmp(&before[i][1], &now[i][1], 4 * (EXTENDED - 1)) != 0) {
            model_violate("a descriptor was handed over before it was complete");
        }
    }
}

void mt_stm32f7_barrier(void)
{
    model.barriers++;
    if (is_running()) {
        watch(seen.sending, model.rings.sending, MT_STM32F7_SENDING);
        watch(seen.receiving, model.rings.receiving, MT_STM32F7_RECEIVING);
    }
    seen = model.rings;
}

/* What the DMA writes. */
static void put(uint32_t *word_seen, uint32_t value)
{
    const size_t offset = (size_t)((char *)word_seen - (char *)&seen);
    *word_seen = value;
    memcpy((char *)&model.rings + offset, &value, sizeof value);
}

static uint8_t *memory_at(uint32_t address, size_t length)
{
    const uint32_t offset = address - MODEL_RINGS_AT;
    if (offset >= sizeof seen || offset + length > sizeof seen) {
        model.bad_addresses++;
        return NULL;
    }
    return (uint8_t *)&seen + offset;
}

static void put_stamp(uint32_t *descriptor)
{
    const uint64_t now_ns = model_clock_ns();
    put(&descriptor[DES_STAMP_NS],
        model.loses_stamps ? UINT32_MAX : (uint32_t)(now_ns % 1000000000));
    put(&descriptor[DES_STAMP_S],
        model.loses_stamps ? UINT32_MAX : (uint32_t)(now_ns / 1000000000));
}

static void raise(uint32_t bits)
{
    *model_word(ETH_DMASR) |= bits;
}

/* ---- sending ------------------------------------------------------------------------------- */

static void send_one(uint32_t *descriptor)
{
    const uint32_t status = descriptor[0];
    const size_t length = descriptor[DES_CONTROL] & 0x1FFF;
    const uint8_t *bytes = memory_at(descriptor[DES_BUFFER], length);
    const bool is_whole = (status & (TDES0_FS | TDES0_LS)) == (TDES0_FS | TDES0_LS);
    if (!is_whole || bytes == NULL || model.sent_count == MODEL_FRAMES) {
        model_violate("a frame that cannot be sent");
        put(&descriptor[0], (status & ~TDES0_OWN) | TDES0_ES);
        return;
    }
    struct model_frame *frame = &model.sent[model.sent_count++];
    memcpy(frame->bytes, bytes, length);
    frame->length = length;
    frame->cycles = model.cycles;
    frame->s = (uint32_t)(model_clock_ns() / 1000000000);
    frame->ns = (uint32_t)(model_clock_ns() % 1000000000);
    frame->is_stamped = (status & TDES0_TTSE) != 0;
    if (frame->is_stamped) {
        put_stamp(descriptor);
    }
    put(&descriptor[0], (status & ~TDES0_OWN) | (frame->is_stamped ? TDES0_TTSS : 0) |
                            (model.fails_to_send ? TDES0_ES : 0));
    raise(ETH_DMASR_TS | ETH_DMASR_NIS);
}

void model_transmit(void)
{
    const uint32_t sends = ETH_MACCR_TE;
    if ((model_peek(ETH_DMAOMR) & ETH_DMAOMR_ST) == 0 || (model_peek(ETH_MACCR) & sends) == 0 ||
        is_transmit_suspended) {
        return;
    }
    if ((model_peek(ETH_DMABMR) & ETH_DMABMR_EDFE) == 0 ||
        model_peek(ETH_DMATDLAR) != mt_stm32f7_bus_address(model.rings.sending)) {
        model_violate("no ring of enhanced descriptors to send from");
        return;
    }
    for (;;) {
        uint32_t *descriptor = transmit_at < MT_STM32F7_SENDING ? seen.sending[transmit_at] : NULL;
        if (descriptor == NULL) {
            model_violate("the ring does not end");
            return;
        }
        if ((descriptor[0] & TDES0_OWN) == 0) {
            is_transmit_suspended = true;
            raise(ETH_DMASR_TBUS);
            return;
        }
        const bool is_end = (descriptor[0] & TDES0_TER) != 0;
        send_one(descriptor);
        transmit_at = is_end ? 0 : transmit_at + 1;
    }
}

/* ---- receiving ----------------------------------------------------------------------------- */

static bool is_receiving(void)
{
    return (model_peek(ETH_DMAOMR) & ETH_DMAOMR_SR) != 0 &&
           (model_peek(ETH_MACCR) & ETH_MACCR_RE) != 0 &&
           (model_peek(ETH_DMABMR) & ETH_DMABMR_EDFE) != 0 &&
           model_peek(ETH_DMARDLAR) == mt_stm32f7_bus_address(model.rings.receiving);
}

static void miss(void)
{
    uint32_t *counter = model_word(ETH_DMAMFBOCR);
    is_receive_suspended = true;
    model.missed++;
    *counter = (*counter & ~ETH_DMAMFBOCR_MFC) | ((*counter + 1) & ETH_DMAMFBOCR_MFC);
    raise(ETH_DMASR_RBUS | ETH_DMASR_AIS);
}

/* One descriptor's share; returns how much. */
static size_t fill(uint32_t *descriptor, const uint8_t *bytes, size_t left, uint32_t flags)
{
    const size_t room = descriptor[DES_CONTROL] & 0x1FFF;
    const size_t some = left < room ? left : room;
    uint8_t *to = memory_at(descriptor[DES_BUFFER], some);
    if (to == NULL || room % 4 != 0) {
        model_violate("a frame that cannot be stored");
        return left;
    }
    memcpy(to, bytes, some);
    memcpy((uint8_t *)&model.rings + (to - (uint8_t *)&seen), bytes, some);
    if (some == left) {
        put_stamp(descriptor);
        flags |= RDES0_LS | RDES0_TSV;
    }
    put(&descriptor[0], flags);
    return some;
}

bool model_receive(const void *bytes, size_t length, uint32_t damage)
{
    static uint8_t frame[4 * MT_STM32F7_BUFFER_SIZE];
    size_t done = 0;
    if (!is_receiving()) {
        return false;
    }
    memcpy(frame, bytes, length);
    memset(&frame[length], 0xC5, 4);
    while (done < length + 4) {
        uint32_t *descriptor = seen.receiving[receive_at];
        if (receive_at >= MT_STM32F7_RECEIVING) {
            model_violate("the ring does not end");
            return false;
        }
        if (is_receive_suspended || (descriptor[0] & RDES0_OWN) == 0) {
            miss();
            return false;
        }
        const bool is_end = (descriptor[DES_CONTROL] & RDES1_RER) != 0;
        done += fill(descriptor, &frame[done], length + 4 - done,
                     damage | (done == 0 ? RDES0_FS : 0) | (uint32_t)(length + 4) << 16);
        receive_at = is_end ? 0 : receive_at + 1;
    }
    raise(ETH_DMASR_RS | ETH_DMASR_NIS);
    return true;
}

/* ---- registers ----------------------------------------------------------------------------- */

bool model_dma_write(uint32_t address, uint32_t value)
{
    if (address == ETH_DMASR) {
        *model_word(ETH_DMASR) &= ~value;
        return true;
    }
    if (address == ETH_DMATPDR) {
        is_transmit_suspended = false;
        if (!model.holds_frames) {
            model_transmit();
        }
        return true;
    }
    if (address == ETH_DMARPDR) {
        is_receive_suspended = false;
        return true;
    }
    if (address == ETH_DMAOMR) {
        model_poke(address, value & ~ETH_DMAOMR_FTF);
        return true;
    }
    return false;
}

uint32_t model_dma_read(uint32_t address)
{
    const uint32_t value = model_peek(address);
    if (address == ETH_DMAMFBOCR) {
        model_poke(address, 0);
    }
    return value;
}
