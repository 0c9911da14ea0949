/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Copies that outlive the configuration that they were read from.  Key by key, through its text: so
 * a key that is new here needs nothing of its own. */
#include "config/config.h"
#include "config/value_private.h"

bool mt_config_ntp_copy(const struct mt_config_ntp *self, struct mt_config_pool *pool,
                        struct mt_config_ntp *ret_copy)
{
    struct mt_config_ntp copy = *self;
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    copy.name = mt_config_pool_text(pool, self->name);
    for (size_t i = 0; i < count; i++) {
        char text[MT_CONFIG_PATH_MAX + 1];
        if (keys[i].scope != MT_CONFIG_NTP) {
            continue;
        }
        mt_config_value_write(&keys[i], self, text, sizeof text);
        if (!mt_config_value_parse(&keys[i], text, &copy, pool)) {
            return false;
        }
    }
    if (copy.name != NULL) {
        *ret_copy = copy;
    }
    return copy.name != NULL;
}
