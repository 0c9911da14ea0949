/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Configuration files out of any octets: a file either has problems, each of which is a line of
 * text, or it gives a configuration that can be written, and read again without problems.
 */
#define _POSIX_C_SOURCE 200809L /* fmemopen */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "fuzz.h"

static char *written(const struct mt_config *config, size_t *ret_length)
{
    static char text[1 << 20];
    FILE *file = fmemopen(text, sizeof text, "w");
    fuzz_require(file != NULL);
    mt_config_write(config, file);
    fuzz_require(fclose(file) == 0);
    *ret_length = strlen(text);
    return text;
}

static void check_problems(const struct mt_config_problems *problems)
{
    fuzz_require(problems->count > 0 && problems->count <= MT_CONFIG_PROBLEMS_MAX);
    for (size_t i = 0; i < problems->count; i++) {
        size_t length = strlen(problems->problem[i].text);
        fuzz_require(length > 0 && length < MT_CONFIG_PROBLEM_SIZE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mt_config_problems problems;
    struct mt_config *config = NULL;
    struct mt_config *again = NULL;
    if (!mt_config_parse((const char *)data, size, "f", NULL, 0, &config, &problems)) {
        fuzz_require(config == NULL);
        check_problems(&problems);
        return 0;
    }
    size_t length;
    const char *text = written(config, &length);
    fuzz_require(mt_config_parse(text, length, "f", NULL, 0, &again, &problems));
    fuzz_require(again->port_count == config->port_count);
    fuzz_require(again->instance_count == config->instance_count);
    fuzz_require(again->clock_count == config->clock_count);
    mt_config_free(config);
    mt_config_free(again);
    return 0;
}
