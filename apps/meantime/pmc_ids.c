/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The names of management ids, as pmc has them.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/pmc.h"
#include "config/schema.h"

const struct mt_pmc_id mt_pmc_ids[] = {
#define MT_MANAGEMENT_ID(name, id, scope, actions, length, get, set) {#name, (id), #actions},
#include "meantime/management_id.def"
#undef MT_MANAGEMENT_ID
    {NULL, 0, NULL},
};

const struct mt_pmc_id *mt_pmc_find_number(uint16_t id)
{
    for (const struct mt_pmc_id *row = mt_pmc_ids; row->name != NULL; row++) {
        if (row->id == id) {
            return row;
        }
    }
    return NULL;
}

const struct mt_pmc_id *mt_pmc_find(const char *name)
{
    char *end;
    unsigned long number = strtoul(name, &end, 0);
    if (*name != '\0' && *end == '\0' && number <= UINT16_MAX) {
        return mt_pmc_find_number((uint16_t)number);
    }
    for (const struct mt_pmc_id *row = mt_pmc_ids; row->name != NULL; row++) {
        if (strcasecmp(row->name, name) == 0 ||
            (row->id == MT_ID_NULL_PTP_MANAGEMENT && strcasecmp(name, "NULL_MANAGEMENT") == 0)) {
            return row;
        }
    }
    return NULL;
}

static const char *id_name(const void *ids, size_t n)
{
    return ((const struct mt_pmc_id *)ids)[n].name;
}

const char *mt_pmc_nearest(const char *name)
{
    char upper[64] = "";
    size_t count = sizeof mt_pmc_ids / sizeof mt_pmc_ids[0] - 1;
    for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof upper; i++) {
        upper[i] = (char)toupper((unsigned char)name[i]);
    }
    return mt_config_nearest(upper, id_name, mt_pmc_ids, count);
}
