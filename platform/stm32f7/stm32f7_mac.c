/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two rings of enhanced descriptors, eight words each, the last of which says that it is the last.
 * A descriptor belongs to the DMA while its topmost bit is set; that bit is written after all
 * others, with a barrier before it, and another before the DMA is told to look.  The stamp stands
 * in words 6 (ns) and 7 (s) once the DMA has given the descriptor back; all ones are a stamp that
 * it lost.
 *
 * Each frame lies in one buffer, so what begins or ends elsewhere is damaged or too long and is
 * dropped.  When the DMA finds no free descriptor it stops and counts what it misses; it goes on
 * when it is told that there is one, which is done with each that is given back while it stands.
 *
 * Whole frames are gathered in the MAC's queues in both directions: none ever runs empty in
 * the middle.
 */
#include "platform/stm32f7/stm32f7_mac.h"

#include "platform/stm32f7/stm32f7_io.h"

#define RESET_TRIES     1000000 /* tens of milliseconds */
#define FLUSH_TRIES     100000
#define SETTLE_READS    64 /* 4 cycles of the receiver's clock, 1.6 us at 10 Mbit/s */
#define CHECKSUM_OCTETS 4

_Static_assert((MT_STM32F7_SENDING & (MT_STM32F7_SENDING - 1)) == 0, "numbers of frames wrap");
_Static_assert(sizeof(struct mt_stm32f7_rings) <= 16384, "SRAM2 has 16 KiB");

static bool is_cleared(uint32_t address, uint32_t bit, uint32_t tries)
{
    while ((mt_stm32f7_read(address) & bit) != 0) {
        if (--tries == 0) {
            return false;
        }
    }
    return true;
}

static volatile uint32_t *sending(const struct mt_stm32f7_mac *self, uint32_t number)
{
    return self->rings->sending[number % MT_STM32F7_SENDING];
}

/* `further` descriptors after the oldest frame's */
static volatile uint32_t *receiving(const struct mt_stm32f7_mac *self, uint32_t further)
{
    return self->rings->receiving[(self->receive_place + further) % MT_STM32F7_RECEIVING];
}

/* ---- beginning ----------------------------------------------------------------------------- */

static void make_rings(struct mt_stm32f7_mac *self)
{
    for (uint32_t i = 0; i < MT_STM32F7_SENDING; i++) {
        volatile uint32_t *descriptor = sending(self, i);
        descriptor[DES_STATUS] = 0;
        descriptor[DES_CONTROL] = 0;
        descriptor[DES_BUFFER] = mt_stm32f7_bus_address(self->rings->sent[i]);
        descriptor[DES_BUFFER + 1] = 0;
    }
    for (uint32_t i = 0; i < MT_STM32F7_RECEIVING; i++) {
        volatile uint32_t *descriptor = receiving(self, i);
        const bool is_last = i == MT_STM32F7_RECEIVING - 1;
        descriptor[DES_CONTROL] = MT_STM32F7_BUFFER_SIZE | (is_last ? RDES1_RER : 0);
        descriptor[DES_BUFFER] = mt_stm32f7_bus_address(self->rings->received[i]);
        descriptor[DES_BUFFER + 1] = 0;
        descriptor[DES_STATUS] = RDES0_OWN;
    }
    mt_stm32f7_barrier();
}

static void set_address(const uint8_t address[6])
{
    mt_stm32f7_write(ETH_MACA0HR, ETH_MACA0HR_MO | (uint32_t)address[5] << 8 | address[4]);
    mt_stm32f7_write(ETH_MACA0LR, (uint32_t)address[3] << 24 | (uint32_t)address[2] << 16 |
                                      (uint32_t)address[1] << 8 | address[0]);
}

bool mt_stm32f7_mac_init(struct mt_stm32f7_mac *self, struct mt_stm32f7_rings *rings,
                         const uint8_t address[6])
{
    const struct mt_stm32f7_counters counters = self->counters;
    *self = (struct mt_stm32f7_mac){.counters = counters, .rings = rings};
    mt_stm32f7_write(ETH_DMABMR, ETH_DMABMR_SR);
    if (!is_cleared(ETH_DMABMR, ETH_DMABMR_SR, RESET_TRIES)) {
        return false;
    }
    make_rings(self);
    mt_stm32f7_write(ETH_MACCR, ETH_MACCR_RESERVED);
    mt_stm32f7_write(ETH_MACFFR, ETH_MACFFR_PAM);
    mt_stm32f7_write(ETH_MACFCR, 0);
    set_address(address);
    mt_stm32f7_write(ETH_MACIMR, ETH_MACIMR_PMTIM | ETH_MACIMR_TSTIM);
    mt_stm32f7_write(ETH_MMCRIMR, ETH_MMCRIMR_ALL);
    mt_stm32f7_write(ETH_MMCTIMR, ETH_MMCTIMR_ALL);
    mt_stm32f7_write(ETH_DMABMR, ETH_DMABMR_EDFE | ETH_DMABMR_PBL_32 | ETH_DMABMR_FB |
                                     ETH_DMABMR_RDP_32 | ETH_DMABMR_USP | ETH_DMABMR_AAB);
    mt_stm32f7_write(ETH_DMARDLAR, mt_stm32f7_bus_address(rings->receiving));
    mt_stm32f7_write(ETH_DMATDLAR, mt_stm32f7_bus_address(rings->sending));
    mt_stm32f7_write(ETH_DMAIER, ETH_DMAIER_TIE | ETH_DMAIER_RIE | ETH_DMAIER_NISE);
    return true;
}

/* Two writes to MACCR within four cycles of the receiver's clock may lose the second; so it is read
 * for as long as that and written again. */
static void write_control(uint32_t control)
{
    mt_stm32f7_write(ETH_MACCR, control);
    for (uint32_t i = 0; i < SETTLE_READS; i++) {
        (void)mt_stm32f7_read(ETH_MACCR);
    }
    mt_stm32f7_write(ETH_MACCR, control);
}

void mt_stm32f7_mac_start(bool is_100_mbit, bool is_full_duplex)
{
    const uint32_t gathered = ETH_DMAOMR_TSF | ETH_DMAOMR_RSF;
    const uint32_t running = gathered | ETH_DMAOMR_ST | ETH_DMAOMR_SR;
    if ((mt_stm32f7_read(ETH_DMAOMR) & ETH_DMAOMR_ST) == 0) {
        mt_stm32f7_write(ETH_DMAOMR, gathered | ETH_DMAOMR_FTF);
        (void)is_cleared(ETH_DMAOMR, ETH_DMAOMR_FTF, FLUSH_TRIES);
    }
    write_control(ETH_MACCR_RESERVED | ETH_MACCR_TE | ETH_MACCR_RE |
                  (is_100_mbit ? ETH_MACCR_FES : 0) | (is_full_duplex ? ETH_MACCR_DM : 0));
    mt_stm32f7_write(ETH_DMAOMR, running);
}

/* ---- sending ------------------------------------------------------------------------------- */

uint8_t *mt_stm32f7_mac_buffer(struct mt_stm32f7_mac *self)
{
    if (self->filled - self->settled == MT_STM32F7_SENDING) {
        self->counters.send_ring_full++;
        return NULL;
    }
    return self->rings->sent[self->filled % MT_STM32F7_SENDING];
}

void mt_stm32f7_mac_send(struct mt_stm32f7_mac *self, size_t length, uint32_t token)
{
    const uint32_t place = self->filled % MT_STM32F7_SENDING;
    volatile uint32_t *descriptor = sending(self, self->filled);
    const bool is_last = place == MT_STM32F7_SENDING - 1;
    self->tokens[place] = token;
    self->is_void[place] = false;
    self->filled++;
    descriptor[DES_CONTROL] = (uint32_t)length;
    descriptor[DES_STAMP_NS] = UINT32_MAX;
    descriptor[DES_STAMP_S] = UINT32_MAX;
    mt_stm32f7_barrier();
    descriptor[DES_STATUS] = TDES0_OWN | TDES0_IC | TDES0_LS | TDES0_FS |
                             (token != 0 ? TDES0_TTSE : 0) | (is_last ? TDES0_TER : 0);
    mt_stm32f7_barrier();
    mt_stm32f7_write(ETH_DMASR, ETH_DMASR_TBUS);
    mt_stm32f7_write(ETH_DMATPDR, 0);
}

static bool stamp_of(const volatile uint32_t *descriptor, struct mt_stm32f7_raw_time *ret_stamp)
{
    ret_stamp->s = descriptor[DES_STAMP_S];
    ret_stamp->ns = descriptor[DES_STAMP_NS];
    return mt_stm32f7_ptp_is_time(*ret_stamp);
}

static void settle(struct mt_stm32f7_mac *self, uint32_t status,
                   struct mt_stm32f7_departure *ret_departure)
{
    const uint32_t place = self->settled % MT_STM32F7_SENDING;
    const volatile uint32_t *descriptor = sending(self, self->settled);
    const bool is_sent = (status & TDES0_ES) == 0;
    ret_departure->token = self->tokens[place];
    ret_departure->has_stamp =
        stamp_of(descriptor, &ret_departure->stamp) && (status & TDES0_TTSS) != 0 && is_sent;
    self->counters.sent += is_sent ? 1 : 0;
    self->counters.send_failed += is_sent ? 0 : 1;
    if (ret_departure->has_stamp && self->is_void[place]) {
        ret_departure->has_stamp = false;
        self->counters.stamps_voided++;
    } else if (!ret_departure->has_stamp && ret_departure->token != 0 && is_sent) {
        self->counters.send_stamps_lost++;
    }
    self->settled++;
}

bool mt_stm32f7_mac_next_departure(struct mt_stm32f7_mac *self,
                                   struct mt_stm32f7_departure *ret_departure)
{
    while (self->settled != self->filled) {
        const uint32_t status = sending(self, self->settled)[DES_STATUS];
        if ((status & TDES0_OWN) != 0) {
            return false;
        }
        mt_stm32f7_barrier();
        settle(self, status, ret_departure);
        if (ret_departure->token != 0) {
            return true;
        }
    }
    return false;
}

/* ---- receiving ----------------------------------------------------------------------------- */

void mt_stm32f7_mac_release(struct mt_stm32f7_mac *self)
{
    volatile uint32_t *descriptor = receiving(self, 0);
    self->receive_place = (self->receive_place + 1) % MT_STM32F7_RECEIVING;
    self->void_count -= self->void_count > 0 ? 1 : 0;
    descriptor[DES_STAMP_NS] = UINT32_MAX;
    descriptor[DES_STAMP_S] = UINT32_MAX;
    mt_stm32f7_barrier();
    descriptor[DES_STATUS] = RDES0_OWN;
    mt_stm32f7_barrier();
    if ((mt_stm32f7_read(ETH_DMASR) & ETH_DMASR_RBUS) != 0) {
        mt_stm32f7_write(ETH_DMASR, ETH_DMASR_RBUS);
        mt_stm32f7_write(ETH_DMARPDR, 0);
    }
}

static bool is_whole(uint32_t status)
{
    const uint32_t ends = RDES0_FS | RDES0_LS;
    return (status & (ends | RDES0_ES)) == ends &&
           (status >> RDES0_FL_SHIFT & RDES0_FL) > CHECKSUM_OCTETS;
}

static void take_stamp(struct mt_stm32f7_mac *self, uint32_t status,
                       struct mt_stm32f7_arrival *ret_arrival)
{
    const volatile uint32_t *descriptor = receiving(self, 0);
    ret_arrival->has_stamp = stamp_of(descriptor, &ret_arrival->stamp) && (status & RDES0_TSV) != 0;
    if (ret_arrival->has_stamp && self->void_count > 0) {
        ret_arrival->has_stamp = false;
        self->counters.stamps_voided++;
    } else if (!ret_arrival->has_stamp) {
        self->counters.receive_stamps_lost++;
    }
}

bool mt_stm32f7_mac_next_arrival(struct mt_stm32f7_mac *self,
                                 struct mt_stm32f7_arrival *ret_arrival)
{
    for (uint32_t i = 0; i < MT_STM32F7_RECEIVING; i++) {
        const uint32_t status = receiving(self, 0)[DES_STATUS];
        if ((status & RDES0_OWN) != 0) {
            return false;
        }
        mt_stm32f7_barrier();
        if (is_whole(status)) {
            take_stamp(self, status, ret_arrival);
            ret_arrival->bytes = self->rings->received[self->receive_place];
            ret_arrival->length = (status >> RDES0_FL_SHIFT & RDES0_FL) - CHECKSUM_OCTETS;
            self->counters.received++;
            return true;
        }
        self->counters.receive_failed++;
        mt_stm32f7_mac_release(self);
    }
    return false;
}

/* ---- what happens beside ------------------------------------------------------------------- */

void mt_stm32f7_mac_void_stamps(struct mt_stm32f7_mac *self)
{
    for (uint32_t i = self->settled; i != self->filled; i++) {
        self->is_void[i % MT_STM32F7_SENDING] = true;
    }
    self->void_count = 0;
    while (self->void_count < MT_STM32F7_RECEIVING &&
           (receiving(self, self->void_count)[DES_STATUS] & RDES0_OWN) == 0) {
        self->void_count++;
    }
}

bool mt_stm32f7_mac_attend(struct mt_stm32f7_mac *self)
{
    const uint32_t missed = mt_stm32f7_read(ETH_DMAMFBOCR); /* reading clears it */
    const uint32_t status = mt_stm32f7_read(ETH_DMASR);
    self->counters.receive_missed +=
        (missed & ETH_DMAMFBOCR_MFC) + ((missed & ETH_DMAMFBOCR_MFA) >> 17);
    mt_stm32f7_write(ETH_DMASR,
                     status & (ETH_DMASR_TS | ETH_DMASR_RS | ETH_DMASR_AIS | ETH_DMASR_NIS));
    if ((status & ETH_DMASR_FBES) == 0) {
        return false;
    }
    self->counters.bus_errors++;
    mt_stm32f7_write(ETH_DMASR, ETH_DMASR_FBES);
    return true;
}

uint32_t mt_stm32f7_mac_checksum_errors(void)
{
    return mt_stm32f7_read(ETH_MMCRFCECR);
}
