/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The compiler and what surrounds it, as lwIP asks: there is no C library.
 */
#ifndef MEANTIME_LWIP_CC_H
#define MEANTIME_LWIP_CC_H

#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H    1
#define LWIP_NO_UNISTD_H   1
#define BYTE_ORDER         LITTLE_ENDIAN

uint32_t mt_lwip_random(void);

#define LWIP_RAND()                  mt_lwip_random()
#define LWIP_PLATFORM_DIAG(message)  ((void)0)
#define LWIP_PLATFORM_ASSERT(reason) ((void)0)

#endif
