/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Between the files of the model.
 */
#ifndef MEANTIME_TESTS_STM32F7_MODEL_PRIVATE_H
#define MEANTIME_TESTS_STM32F7_MODEL_PRIVATE_H

#include "model.h"

/** The word of a register; null: the model does not know it. */
uint32_t *model_word(uint32_t address);
void model_violate(const char *what);

/* model_clock.c */
void model_clock_reset(void);
void model_clock_run(uint64_t cycles);
void model_clock_write(uint32_t address, uint32_t value);
uint32_t model_clock_read(uint32_t address);
bool model_clock_is(uint32_t address);

/* model_dma.c */
void model_dma_reset(void);
bool model_dma_write(uint32_t address, uint32_t value);
uint32_t model_dma_read(uint32_t address);

/* model_phy.c */
void model_phy_reset(void);
void model_phy_command(uint32_t command);
uint32_t model_phy_command_state(void);

#endif
