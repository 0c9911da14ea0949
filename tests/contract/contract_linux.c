/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The contract on Linux, and the one that answers at the other end of the cable:
 *
 *     contract_linux check|echo INTERFACE udp4|l2
 */
#include <stdio.h>
#include <string.h>

#include "contract.h"
#include "platform/linux/linux_platform.h"

#define SLACK_NS INT64_C(2000000000) /* of a busy machine */
#define DOUBT_NS 20000               /* the kernel's clocks are read one after the other */

static void say(const char *rule, bool holds)
{
    printf("%s  %s\n", holds ? "holds " : "BROKEN", rule);
}

static int check(struct mt_hal_provider *provider, struct mt_hal_link *link)
{
    const struct mt_clock_request request = {.kind = MT_CLOCK_OVERLAY, .name = "main"};
    char reason[MT_HAL_REASON_SIZE];
    struct mt_hal_clock *clock = provider->ops->open_clock(provider, &request, reason);
    const struct contract contract = {.tables = {clock, link, provider->wait},
                                      .slack_ns = SLACK_NS,
                                      .doubt_ns = DOUBT_NS,
                                      .say = say};
    return clock != NULL && contract_check(&contract) == 0 ? 0 : 1;
}

/* Until it is killed. */
static _Noreturn void echo(struct mt_hal_wait *wait, struct mt_hal_link *link)
{
    for (;;) {
        struct mt_input input;
        wait->ops->next(wait, MT_MONO_NEVER, &input);
        if (input.kind == MT_INPUT_FRAME) {
            const struct mt_link_frame frame = {.bytes = input.bytes,
                                                .length = input.length,
                                                .is_event = (input.bytes[0] & 8) == 0};
            (void)link->ops->send(link, &frame);
        } else if (input.kind == MT_INPUT_LINK && input.is_up) {
            printf("echo: up\n");
            fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    const struct mt_linux_options no_files = {0};
    char reason[MT_HAL_REASON_SIZE] = "";
    if (argc != 4) {
        fprintf(stderr, "usage: contract_linux check|echo INTERFACE udp4|l2\n");
        return 2;
    }
    const bool is_udp = strcmp(argv[3], "udp4") == 0;
    const struct mt_link_request request = {
        .interface = argv[2],
        .transport = is_udp ? MT_TRANSPORT_UDP_IPV4 : MT_TRANSPORT_IEEE_802_3,
        .ttl = 1,
    };
    struct mt_linux *platform = mt_linux_open(&no_files, reason);
    struct mt_hal_provider *provider = platform != NULL ? mt_linux_provider(platform) : NULL;
    struct mt_hal_link *link =
        provider != NULL ? provider->ops->open_link(provider, 0, &request, reason) : NULL;
    if (link == NULL) {
        fprintf(stderr, "contract_linux: %s\n", reason);
        return 2;
    }
    if (strcmp(argv[1], "echo") == 0) {
        echo(provider->wait, link);
    }
    int status = check(provider, link);
    mt_linux_close(platform);
    return status;
}
