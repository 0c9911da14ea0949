/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The contract without a C library:  contract_bare INTERFACE
 */
#include "contract.h"
#include "platform/bare/bare.h"

#define SLACK_NS INT64_C(2000000000) /* of a busy machine */
#define DOUBT_NS 1000

static struct mt_bare platform;

static void say(const char *rule, bool holds)
{
    mt_bare_print(holds ? "holds   " : "BROKEN  ");
    mt_bare_print(rule);
    mt_bare_print("\n");
}

int main(int argc, char **argv)
{
    if (argc != 2 || !mt_bare_open(&platform, argv[1])) {
        mt_bare_print("usage: contract_bare INTERFACE\n");
        return 2;
    }
    const struct contract contract = {.tables = mt_bare_tables(&platform),
                                      .slack_ns = SLACK_NS,
                                      .doubt_ns = DOUBT_NS,
                                      .say = say};
    return contract_check(&contract) == 0 ? 0 : 1;
}
