/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The image over IEEE 802.3: the controller and the loop, no IP stack.
 */
#include "embed/ether_link.h"
#include "firmware/application.h"

int mt_board_main(void)
{
    static struct mt_ether_link link;
    struct mt_board board;

    firmware_open(&board);
    mt_ether_link_init(&link, board.mac);
    const struct mt_ordinary_tables tables = {board.clock, &link.link, &link.wait};
    return firmware_run(&board, &tables);
}
