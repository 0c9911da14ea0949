/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * All that the core has of PTP.
 */
#include "firmware.h"

int main(void);

static struct mt_path instance_path;

int main(void)
{
    firmware_run(&mt_ptp_all_features, &instance_path);
}
