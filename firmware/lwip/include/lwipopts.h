/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What lwIP is made of here: UDP over IPv4 with ARP and IGMP, one thread, no operating system.
 */
#ifndef MEANTIME_LWIPOPTS_H
#define MEANTIME_LWIPOPTS_H

#define NO_SYS                    1
#define SYS_LIGHTWEIGHT_PROT      0
#define LWIP_NETCONN              0
#define LWIP_SOCKET               0
#define LWIP_TCP                  0
#define LWIP_RAW                  0
#define LWIP_UDP                  1
#define LWIP_IPV4                 1
#define LWIP_IPV6                 0
#define LWIP_ARP                  1
#define LWIP_ICMP                 1
#define LWIP_IGMP                 1
#define LWIP_MULTICAST_TX_OPTIONS 1
#define LWIP_STATS                0
#define IP_REASSEMBLY             0
#define IP_FRAG                   0
#define MEM_ALIGNMENT             4
#define MEM_SIZE                  2048
#define MEMP_NUM_UDP_PCB          2
#define MEMP_NUM_IGMP_GROUP       4
#define PBUF_POOL_SIZE            8
#define PBUF_POOL_BUFSIZE         256
#define ARP_TABLE_SIZE            4
#define LWIP_NETIF_HWADDRHINT     0
#define LWIP_CHECKSUM_ON_COPY     0
#define LWIP_NOASSERT             1

#endif
