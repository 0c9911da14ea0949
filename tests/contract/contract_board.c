/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The contract on a board, over 802.3, or with lwIP where the image has it.
 */
#include "contract.h"
#include "embed/board.h"
#include "embed/ether_link.h"
#ifdef CONTRACT_OVER_UDP
#include "firmware/arguments.h"
#include "firmware/lwip_link.h"
#endif

#define SLACK_NS INT64_C(5000000000) /* of an emulator on a busy machine */
#define DOUBT_NS 1000

static void say(const char *rule, bool holds)
{
    mt_board_print(holds ? "holds   " : "BROKEN  ");
    mt_board_print(rule);
    mt_board_print("\n");
}

static bool open_link(struct mt_mac *mac, struct mt_ordinary_tables *tables)
{
#ifdef CONTRACT_OVER_UDP
    return mt_lwip_link_open(mac, firmware_ipv4(mt_board_arguments(), "address"), 0xFFFFFF00u,
                             &tables->link, &tables->wait);
#else
    static struct mt_ether_link link;
    mt_ether_link_init(&link, mac);
    tables->link = &link.link;
    tables->wait = &link.wait;
    return true;
#endif
}

int mt_board_main(void)
{
    struct mt_board board;
    struct contract contract = {.slack_ns = SLACK_NS, .doubt_ns = DOUBT_NS, .say = say};
    mt_board_open(&board, MT_SCALE_ARB, 20000);
    contract.tables.clock = board.clock;
    return open_link(board.mac, &contract.tables) && contract_check(&contract) == 0 ? 0 : 1;
}
