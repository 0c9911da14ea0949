/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A model of the parts of an STM32F767 and of its PHY that the driver touches, for tests on the
 * host: registers, the clock of the MAC counted cycle by cycle, descriptor rings, serial
 * management.
 * It is made from the reference manual's text by the same hands as the driver, so it shows that the
 * driver does what we think is right; only silicon could show that it is.
 *
 * Strictness: what would be lost on the chip is lost here, and counted.  A register of a block
 * without a clock cannot be written; the DMA sees memory as it was at the last barrier; a
 * descriptor that is handed over must have been complete one barrier before.
 */
#ifndef MEANTIME_TESTS_STM32F7_MODEL_H
#define MEANTIME_TESTS_STM32F7_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/stm32f7/stm32f7_io.h"
#include "platform/stm32f7/stm32f7_mac.h"
#include "platform/stm32f7/stm32f7_registers.h"

#define MODEL_WRITES        4096
#define MODEL_FRAMES        32
#define MODEL_CYCLES_PER_US 216
#define MODEL_RINGS_AT      UINT32_C(0x2007C000)

struct model_write {
    uint32_t address;
    uint32_t value;
};

struct model_frame {
    uint8_t bytes[MT_STM32F7_BUFFER_SIZE];
    size_t length;
    uint64_t cycles; /* when it left ... */
    uint32_t s;      /* ... and what the clock read */
    uint32_t ns;
    bool is_stamped;
};

struct model {
    /* how it behaves; all 0 is the best of worlds */
    uint32_t cycles_per_access; /* 1 at least */
    bool has_no_hse;
    bool has_no_reference_clock; /* from the PHY: resets of the DMA do not end */
    bool has_no_phy;
    bool is_clock_stuck; /* bits of the PTP block do not clear themselves */
    bool holds_frames;   /* what is sent stays under way until model_transmit() */
    bool loses_stamps;
    bool fails_to_send;
    bool is_link_down;
    bool is_10_mbit;
    bool is_half_duplex;
    uint64_t wake_at_cycles; /* something will happen then: sleep is not longer; 0: nothing */
    /* what became of it */
    uint64_t cycles;
    struct model_write writes[MODEL_WRITES];
    size_t write_count;
    unsigned lost_writes;   /* to blocks without a clock */
    unsigned lost_accesses; /* to addresses that the model does not know */
    unsigned violations;    /* of an order that the manual prescribes */
    const char *violation;  /* the last of them */
    unsigned bad_addresses; /* that the DMA cannot reach */
    unsigned barriers;
    unsigned sleeps;
    struct model_frame sent[MODEL_FRAMES];
    unsigned sent_count;
    unsigned missed; /* frames that found no descriptor */
    char console[256];
    size_t console_length;
    struct mt_stm32f7_rings rings;
};

extern struct model model;

/** As after power has come. */
void model_reset(void);
/** Time passes. */
void model_pass_us(uint64_t us);
void model_pass_cycles(uint64_t cycles);
/** The clock of the MAC: seconds as a 64-bit count of granules would have them, and set. */
uint64_t model_clock_ns(void);
void model_set_clock(uint32_t s, uint32_t ns);
/** Sends what is under way. */
void model_transmit(void);
/** A frame comes in; false if nobody took it.  `damage`: bits for RDES0.  length: without the
 * checksum. */
bool model_receive(const void *bytes, size_t length, uint32_t damage);
/** A register as it stands, without an access of the processor. */
uint32_t model_peek(uint32_t address);
void model_poke(uint32_t address, uint32_t value);
/** A register of the PHY. */
uint16_t model_phy(unsigned number);

#endif
