/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Without GnuTLS the daemon does not start with certificates at all, and nothing else of them would
 * be worth saying. */
#include <stdio.h>

#include "apps/meantime/tool.h"
#include "config/config.h"

static bool find_fault_of_authorities(const char *path, char ret_text[MT_CONFIG_PROBLEM_SIZE])
{
    (void)path;
    snprintf(ret_text, MT_CONFIG_PROBLEM_SIZE,
             "NTS cannot be spoken: this program was built without GnuTLS");
    return true;
}

static bool find_fault_of_pair(const char *certificate, const char *key, bool *ret_is_key,
                               char ret_text[MT_CONFIG_PROBLEM_SIZE])
{
    (void)key;
    *ret_is_key = false;
    return find_fault_of_authorities(certificate, ret_text);
}

static const struct mt_config_inspector inspector = {
    .find_fault_of_pair = find_fault_of_pair,
    .find_fault_of_authorities = find_fault_of_authorities,
};

const struct mt_config_inspector *const mt_tool_certificates = &inspector;
