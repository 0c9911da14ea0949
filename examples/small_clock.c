/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An ordinary clock for machines that have 16 KiB of code for it: both roles, end-to-end delay, and
 * the Kalman filter of embed/small_ordinary.h, which tunes itself.  Peer delay and GET of the data
 * sets are two extensions more (meantime/ptp_small.h).
 *
 *     small_clock INTERFACE SECONDS      exit status 0: locked; 1: not in that time
 */
#include "embed/small_ordinary.h"
#include "platform/bare/bare.h"

static struct mt_bare platform;
static struct mt_small_ordinary node;

/* What is not named here is not linked. */
static const struct mt_ptp_features features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide,
    .states = &mt_states_full,
    .transmitter = &mt_transmitter,
    .delay = &mt_delay_e2e,
};

static void start(void)
{
    const struct mt_ordinary_tables tables = mt_bare_tables(&platform);
    struct mt_small_ordinary_config config;
    mt_small_ordinary_config_init(&config, &features);
    config.instance.identity = platform.identity;
    config.instance.priority1 = 255; /* its time is of 1970: whoever else is there knows better */
    config.seed = platform.seed;
    mt_small_ordinary_init(&node, &config, &tables);
}

int main(int argc, char **argv)
{
    if (argc < 3 || !mt_bare_open(&platform, argv[1])) {
        mt_bare_print("usage: small_clock INTERFACE SECONDS\n");
        return 2;
    }
    start();
    const struct mt_mono now = platform.wait.ops->now(&platform.wait);
    const struct mt_mono end = mt_mono_plus(now, mt_bare_number(argv[2]) * MT_NS_PER_S);
    while (!mt_small_ordinary_is_locked(&node)) {
        mt_small_ordinary_once(&node);
        if (platform.wait.ops->now(&platform.wait).ns > end.ns) {
            mt_bare_print("not locked\n");
            return 1;
        }
    }
    mt_bare_print("locked\n");
    return 0;
}
