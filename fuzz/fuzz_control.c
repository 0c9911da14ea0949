/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What comes over the control socket, out of any octets: as a request it is refused with a
 * sentence or has all its values in range; as a report it becomes metrics or does not.
 */
#include <string.h>

#include "fuzz.h"
#include "status/control.h"
#include "status/report.h"

static void check_request(const struct mt_control_request *request)
{
    struct mt_command commands[MT_CONTROL_COMMANDS_MAX];
    struct mt_instance_config now;
    for (unsigned i = 0; i < MT_CONTROL_SETTING_COUNT; i++) {
        enum mt_control_setting setting = (enum mt_control_setting)i;
        fuzz_require(!request->is_given[i] ||
                     (request->value[i] >= mt_control_setting_min(setting) &&
                      request->value[i] <= mt_control_setting_max(setting)));
    }
    mt_instance_config_init(&now);
    size_t count = mt_control_commands(request, &now, commands);
    fuzz_require(count <= MT_CONTROL_COMMANDS_MAX);
    bool is_auto = request->is_auto[MT_CONTROL_CLOCK_CLASS] ||
                   request->is_auto[MT_CONTROL_VARIANCE] || request->is_auto[MT_CONTROL_UTC_OFFSET];
    fuzz_require((count > 0 || is_auto) == (request->command == MT_CONTROL_SET));
    bool names = request->command == MT_CONTROL_ADD || request->command == MT_CONTROL_REMOVE;
    fuzz_require(names == (request->ntp[0] != '\0') && strpbrk(request->ntp, "[]\n") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mt_control_request request;
    char reason[MT_CONTROL_REASON_SIZE] = "";
    if (mt_control_parse((const char *)data, size, &request, reason)) {
        check_request(&request);
    } else {
        fuzz_require(reason[0] != '\0' && strlen(reason) < sizeof reason);
    }
    char *text = malloc(size + 1);
    fuzz_require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    char *metrics = mt_report_open_metrics(text);
    size_t length = metrics == NULL ? 0 : strlen(metrics);
    fuzz_require(metrics == NULL || strcmp(metrics + length - 6, "# EOF\n") == 0);
    free(metrics);
    free(text);
    return 0;
}
