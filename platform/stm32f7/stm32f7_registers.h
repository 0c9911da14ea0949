/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Registers and bits of the STM32F76x that we use, by the names of its reference manual (RM0410).
 */
#ifndef MEANTIME_STM32F7_REGISTERS_H
#define MEANTIME_STM32F7_REGISTERS_H

#include <stdint.h>

#define BIT(n) (UINT32_C(1) << (n))

/* ---- power, flash, clocks, pins ------------------------------------------------------------ */

#define PWR_CR1          UINT32_C(0x40007000)
#define PWR_CSR1         UINT32_C(0x40007004)
#define PWR_CR1_VOS_1    (UINT32_C(3) << 14) /* scale 1: the only one with 216 MHz */
#define PWR_CR1_ODEN     BIT(16)
#define PWR_CR1_ODSWEN   BIT(17)
#define PWR_CSR1_ODRDY   BIT(16)
#define PWR_CSR1_ODSWRDY BIT(17)

#define FLASH_ACR        UINT32_C(0x40023C00)
#define FLASH_ACR_WAIT   UINT32_C(0xF)
#define FLASH_ACR_PRFTEN BIT(8)
#define FLASH_ACR_ARTEN  BIT(9)

#define RCC_CR           UINT32_C(0x40023800)
#define RCC_CR_HSEON     BIT(16)
#define RCC_CR_HSERDY    BIT(17)
#define RCC_CR_HSEBYP    BIT(18)
#define RCC_CR_PLLON     BIT(24)
#define RCC_CR_PLLRDY    BIT(25)
#define RCC_PLLCFGR      UINT32_C(0x40023804)
#define RCC_PLLCFGR_HSE  BIT(22)
#define RCC_CFGR         UINT32_C(0x40023808)
#define RCC_CFGR_SW_PLL  UINT32_C(2)
#define RCC_CFGR_SW      UINT32_C(3)
#define RCC_CFGR_SWS_PLL (UINT32_C(2) << 2)
#define RCC_CFGR_SWS     (UINT32_C(3) << 2)
#define RCC_CFGR_PPRE    (UINT32_C(0x3F) << 10)
#define RCC_CFGR_PPRE1_4 (UINT32_C(5) << 10)
#define RCC_CFGR_PPRE2_2 (UINT32_C(4) << 13)
#define RCC_AHB1RSTR     UINT32_C(0x40023810)
#define RCC_AHB1ENR      UINT32_C(0x40023830)
#define RCC_AHB1_GPIOA   BIT(0)
#define RCC_AHB1_GPIOB   BIT(1)
#define RCC_AHB1_GPIOC   BIT(2)
#define RCC_AHB1_GPIOD   BIT(3)
#define RCC_AHB1_GPIOG   BIT(6)
#define RCC_AHB1_ETHMAC  BIT(25)
#define RCC_AHB1_ETH_ALL (UINT32_C(0xF) << 25) /* MAC, its transmitter, receiver and PTP block */
#define RCC_APB1ENR      UINT32_C(0x40023840)
#define RCC_APB1_TIM2    BIT(0)
#define RCC_APB1_USART3  BIT(18)
#define RCC_APB1_PWR     BIT(28)
#define RCC_APB2ENR      UINT32_C(0x40023844)
#define RCC_APB2_SYSCFG  BIT(14)

#define SYSCFG_PMC      UINT32_C(0x40013804)
#define SYSCFG_PMC_RMII BIT(23)

#define GPIO(letter) (UINT32_C(0x40020000) + UINT32_C(0x400) * (uint32_t)((letter) - 'A'))
#define GPIO_MODER   0x00
#define GPIO_OSPEEDR 0x08
#define GPIO_BSRR    0x18
#define GPIO_AFR     0x20 /* of eight pins; the next register is that of the others */

/* ---- timer, serial port, identity, interrupt controller ------------------------------------ */

#define TIM2_CR1     UINT32_C(0x40000000)
#define TIM2_CR1_CEN BIT(0)
#define TIM2_EGR     UINT32_C(0x40000014)
#define TIM2_EGR_UG  BIT(0)
#define TIM2_CNT     UINT32_C(0x40000024)
#define TIM2_PSC     UINT32_C(0x40000028)
#define TIM2_ARR     UINT32_C(0x4000002C)

#define USART3_CR1     UINT32_C(0x40004800)
#define USART3_CR1_UE  BIT(0)
#define USART3_CR1_TE  BIT(3)
#define USART3_BRR     UINT32_C(0x4000480C)
#define USART3_ISR     UINT32_C(0x4000481C)
#define USART3_ISR_TXE BIT(7)
#define USART3_TDR     UINT32_C(0x40004828)

#define UNIQUE_ID UINT32_C(0x1FF0F420) /* three words */

#define SYST_CSR           UINT32_C(0xE000E010)
#define SYST_RVR           UINT32_C(0xE000E014)
#define SYST_CVR           UINT32_C(0xE000E018)
#define SYST_CSR_START     UINT32_C(7)          /* counts, interrupts, at the processor's clock */
#define NVIC_ISER_ETH      UINT32_C(0xE000E104) /* interrupts 32 to 63 */
#define NVIC_ICPR_ETH      UINT32_C(0xE000E284)
#define NVIC_ETH           BIT(61 - 32)
#define SCB_ICSR           UINT32_C(0xE000ED04)
#define SCB_ICSR_PENDSTCLR BIT(25)

#define MPU_CTRL              UINT32_C(0xE000ED94)
#define MPU_CTRL_ENABLE       BIT(0)
#define MPU_CTRL_PRIVDEFENA   BIT(2) /* what no region covers is as the architecture has it */
#define MPU_RNR               UINT32_C(0xE000ED98)
#define MPU_RBAR              UINT32_C(0xE000ED9C)
#define MPU_RASR              UINT32_C(0xE000EDA0)
#define MPU_RASR_ENABLE       BIT(0)
#define MPU_RASR_SIZE_SHIFT   1 /* of the logarithm of its octets, less one */
#define MPU_RASR_SRD_SHIFT    8 /* eighths that do not count */
#define MPU_RASR_SHAREABLE    BIT(18)
#define MPU_RASR_NOT_CACHED   BIT(19) /* TEX 1, C 0, B 0: normal memory */
#define MPU_RASR_FULL_ACCESS  (UINT32_C(3) << 24)
#define MPU_RASR_NO_CODE      BIT(28)
#define SCB_AIRCR             UINT32_C(0xE000ED0C)
#define SCB_AIRCR_KEY         (UINT32_C(0x05FA) << 16)
#define SCB_AIRCR_SYSRESETREQ BIT(2)

/* ---- Ethernet: MAC ------------------------------------------------------------------------- */

#define ETH UINT32_C(0x40028000)

#define ETH_MACCR          (ETH + 0x0000)
#define ETH_MACCR_RE       BIT(2)
#define ETH_MACCR_TE       BIT(3)
#define ETH_MACCR_DM       BIT(11)
#define ETH_MACCR_FES      BIT(14)
#define ETH_MACCR_RESERVED BIT(15) /* reads as one, is to be written as one */
#define ETH_MACFFR         (ETH + 0x0004)
#define ETH_MACFFR_PAM     BIT(4)
#define ETH_MACMIIAR       (ETH + 0x0010)
#define ETH_MACMIIAR_MB    BIT(0)
#define ETH_MACMIIAR_MW    BIT(1)
#define ETH_MACMIIAR_CR    (UINT32_C(4) << 2) /* MDC = HCLK / 102, for 150 to 216 MHz */
#define ETH_MACMIIDR       (ETH + 0x0014)
#define ETH_MACFCR         (ETH + 0x0018)
#define ETH_MACIMR         (ETH + 0x003C)
#define ETH_MACIMR_PMTIM   BIT(3)
#define ETH_MACIMR_TSTIM   BIT(9)
#define ETH_MACA0HR        (ETH + 0x0040)
#define ETH_MACA0HR_MO     BIT(31)
#define ETH_MACA0LR        (ETH + 0x0044)
#define ETH_MMCRIMR        (ETH + 0x010C)
#define ETH_MMCRIMR_ALL    (BIT(5) | BIT(6) | BIT(17))
#define ETH_MMCTIMR        (ETH + 0x0110)
#define ETH_MMCTIMR_ALL    (BIT(14) | BIT(15) | BIT(21))
#define ETH_MMCRFCECR      (ETH + 0x0194) /* frames received with a wrong checksum */

/* ---- Ethernet: clock [IEEE 1588] ----------------------------------------------------------- */

#define ETH_PTPTSCR         (ETH + 0x0700)
#define ETH_PTPTSCR_TSE     BIT(0)
#define ETH_PTPTSCR_TSFCU   BIT(1)
#define ETH_PTPTSCR_TSSTI   BIT(2)
#define ETH_PTPTSCR_TSSTU   BIT(3)
#define ETH_PTPTSCR_TTSARU  BIT(5)
#define ETH_PTPTSCR_TSSARFE BIT(8)
#define ETH_PTPTSCR_TSSSR   BIT(9)
#define ETH_PTPSSIR         (ETH + 0x0704)
#define ETH_PTPTSHR         (ETH + 0x0708)
#define ETH_PTPTSLR         (ETH + 0x070C)
#define ETH_PTPTSHUR        (ETH + 0x0710)
#define ETH_PTPTSLUR        (ETH + 0x0714)
#define ETH_PTPTSLUR_TSUPNS BIT(31)
#define ETH_PTPTSAR         (ETH + 0x0718)
#define ETH_PTPPPSCR        (ETH + 0x072C)

/* ---- Ethernet: DMA ------------------------------------------------------------------------- */

#define ETH_DMABMR        (ETH + 0x1000)
#define ETH_DMABMR_SR     BIT(0)
#define ETH_DMABMR_EDFE   BIT(7)
#define ETH_DMABMR_PBL_32 (UINT32_C(32) << 8)
#define ETH_DMABMR_FB     BIT(16)
#define ETH_DMABMR_RDP_32 (UINT32_C(32) << 17)
#define ETH_DMABMR_USP    BIT(23)
#define ETH_DMABMR_AAB    BIT(25)
#define ETH_DMATPDR       (ETH + 0x1004)
#define ETH_DMARPDR       (ETH + 0x1008)
#define ETH_DMARDLAR      (ETH + 0x100C)
#define ETH_DMATDLAR      (ETH + 0x1010)
#define ETH_DMASR         (ETH + 0x1014)
#define ETH_DMASR_TS      BIT(0)
#define ETH_DMASR_TBUS    BIT(2)
#define ETH_DMASR_RS      BIT(6)
#define ETH_DMASR_RBUS    BIT(7)
#define ETH_DMASR_FBES    BIT(13)
#define ETH_DMASR_AIS     BIT(15)
#define ETH_DMASR_NIS     BIT(16)
#define ETH_DMAOMR        (ETH + 0x1018)
#define ETH_DMAOMR_SR     BIT(1)
#define ETH_DMAOMR_ST     BIT(13)
#define ETH_DMAOMR_FTF    BIT(20)
#define ETH_DMAOMR_TSF    BIT(21)
#define ETH_DMAOMR_RSF    BIT(25)
#define ETH_DMAIER        (ETH + 0x101C)
#define ETH_DMAIER_TIE    BIT(0)
#define ETH_DMAIER_RIE    BIT(6)
#define ETH_DMAIER_NISE   BIT(16)
#define ETH_DMAMFBOCR     (ETH + 0x1020)
#define ETH_DMAMFBOCR_MFC UINT32_C(0xFFFF)
#define ETH_DMAMFBOCR_MFA (UINT32_C(0x7FF) << 17)

/* ---- Ethernet: enhanced descriptors -------------------------------------------------------- */

#define TDES0_OWN  BIT(31)
#define TDES0_IC   BIT(30)
#define TDES0_LS   BIT(29)
#define TDES0_FS   BIT(28)
#define TDES0_TTSE BIT(25) /* a stamp is wanted ... */
#define TDES0_TER  BIT(21)
#define TDES0_TTSS BIT(17) /* ... and is there */
#define TDES0_ES   BIT(15)

#define RDES0_OWN      BIT(31)
#define RDES0_FL_SHIFT 16
#define RDES0_FL       UINT32_C(0x3FFF)
#define RDES0_ES       BIT(15)
#define RDES0_FS       BIT(9)
#define RDES0_LS       BIT(8)
#define RDES0_TSV      BIT(7) /* the descriptor holds a stamp */
#define RDES1_RER      BIT(15)

/* words of a descriptor */
#define DES_STATUS   0
#define DES_CONTROL  1
#define DES_BUFFER   2
#define DES_STAMP_NS 6
#define DES_STAMP_S  7
#define DES_WORDS    8

#endif
