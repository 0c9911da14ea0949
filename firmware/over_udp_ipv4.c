/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The image over UDP/IPv4: controller, lwIP and the loop.
 */
#include "firmware/application.h"
#include "firmware/arguments.h"
#include "firmware/lwip_link.h"

#define ADDRESS_DEFAULT 0xC0A80164u /* 192.168.1.100 */
#define NETMASK_DEFAULT 0xFFFFFF00u
#define NO_MEMORY       4

int mt_board_main(void)
{
    const char *arguments = mt_board_arguments();
    const uint32_t address = firmware_ipv4(arguments, "address");
    const uint32_t netmask = firmware_ipv4(arguments, "netmask");
    struct mt_ordinary_tables tables;
    struct mt_board board;

    firmware_open(&board);
    tables.clock = board.clock;
    if (!mt_lwip_link_open(board.mac, address != 0 ? address : ADDRESS_DEFAULT,
                           netmask != 0 ? netmask : NETMASK_DEFAULT, &tables.link, &tables.wait)) {
        mt_board_print("no memory for the IP stack\n");
        return NO_MEMORY;
    }
    return firmware_run(&board, &tables);
}
