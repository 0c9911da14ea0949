/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A PTP receiver for machines that have room for nothing larger: smallest_receiver.c with the PI
 * loop of embed/receiver.h, 8 KiB of code beside the platform instead of twice as many.
 *
 *     pi_receiver INTERFACE SECONDS      exit status 0: locked; 1: not in that time
 */
#include "embed/receiver.h"
#include "platform/bare/bare.h"

static struct mt_bare platform;
static struct mt_receiver receiver;

/* What is not named here is not linked. */
static const struct mt_ptp_features features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide_receiver,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_e2e,
};

static void start(void)
{
    const struct mt_ordinary_tables tables = mt_bare_tables(&platform);
    struct mt_receiver_config config;
    mt_receiver_config_init(&config, &features);
    config.instance.identity = platform.identity;
    config.seed = platform.seed;
    mt_receiver_init(&receiver, &config, &tables);
}

int main(int argc, char **argv)
{
    if (argc < 3 || !mt_bare_open(&platform, argv[1])) {
        mt_bare_print("usage: pi_receiver INTERFACE SECONDS\n");
        return 2;
    }
    start();
    const struct mt_mono now = platform.wait.ops->now(&platform.wait);
    const struct mt_mono end = mt_mono_plus(now, mt_bare_number(argv[2]) * MT_NS_PER_S);
    while (!mt_receiver_is_locked(&receiver)) {
        mt_receiver_once(&receiver);
        if (platform.wait.ops->now(&platform.wait).ns > end.ns) {
            mt_bare_print("not locked\n");
            return 1;
        }
    }
    mt_bare_print("locked\n");
    return 0;
}
