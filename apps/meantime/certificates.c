/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime check looks at certificates as the processes of NTS key exchange do. */
#include <stdio.h>
#include <time.h>

#include "apps/meantime/tool.h"
#include "config/config.h"
#include "nts/nts_files.h"

static bool find_fault_of_pair(const char *certificate, const char *key, bool *ret_is_key,
                               char ret_text[MT_CONFIG_PROBLEM_SIZE])
{
    struct mt_nts_fault fault;
    if (!mt_nts_pair_has_fault(certificate, key, time(NULL), &fault)) {
        return false;
    }
    *ret_is_key = fault.is_key;
    snprintf(ret_text, MT_CONFIG_PROBLEM_SIZE, "%s", fault.text);
    return true;
}

static bool find_fault_of_authorities(const char *path, char ret_text[MT_CONFIG_PROBLEM_SIZE])
{
    char text[MT_NTS_REASON_SIZE];
    if (!mt_nts_authorities_have_fault(path, time(NULL), text)) {
        return false;
    }
    snprintf(ret_text, MT_CONFIG_PROBLEM_SIZE, "%s", text);
    return true;
}

static const struct mt_config_inspector inspector = {
    .find_fault_of_pair = find_fault_of_pair,
    .find_fault_of_authorities = find_fault_of_authorities,
};

const struct mt_config_inspector *const mt_tool_certificates = &inspector;
