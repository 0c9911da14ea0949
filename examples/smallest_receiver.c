/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The smallest PTP receiver: follows the best transmitter on one interface and ends as soon as its
 * clock is locked.
 *
 *     smallest_receiver INTERFACE SECONDS      exit status 0: locked; 1: not in that time
 *
 * A firmware differs in one line, where the platform is opened (docs/guide/integrators.md).
 */
#include "embed/ordinary.h"
#include "platform/bare/bare.h"

static struct mt_bare platform;
static struct mt_ordinary receiver;

/* What is not named here is not linked. */
static const struct mt_ptp_features features = {
    .compare = mt_dataset_compare,
    .decide = mt_decide_receiver,
    .states = &mt_states_receiver_only,
    .delay = &mt_delay_e2e,
    .reference = mt_reference,
};

static void start(void)
{
    const struct mt_ordinary_tables tables = mt_bare_tables(&platform);
    struct mt_ordinary_config config;
    mt_ordinary_config_init(&config, &features, tables.clock);
    config.instance.identity = platform.identity;
    config.instance.is_receiver_only = true;
    config.seed = platform.seed;
    mt_ordinary_init(&receiver, &config, &tables);
}

static bool is_locked(void)
{
    struct mt_clock_quality_report report;
    mt_ordinary_report(&receiver, &report);
    return report.is_locked;
}

int main(int argc, char **argv)
{
    if (argc < 3 || !mt_bare_open(&platform, argv[1])) {
        mt_bare_print("usage: smallest_receiver INTERFACE SECONDS\n");
        return 2;
    }
    start();
    const struct mt_mono now = platform.wait.ops->now(&platform.wait);
    const struct mt_mono end = mt_mono_plus(now, mt_bare_number(argv[2]) * MT_NS_PER_S);
    while (!is_locked()) {
        mt_ordinary_once(&receiver);
        if (platform.wait.ops->now(&platform.wait).ns > end.ns) {
            mt_bare_print("not locked\n");
            return 1;
        }
    }
    mt_bare_print("locked\n");
    return 0;
}
