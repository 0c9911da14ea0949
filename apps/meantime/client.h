/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The tool's end of the control socket [meantime-control(7)].
 */
#ifndef MEANTIME_APPS_CLIENT_H
#define MEANTIME_APPS_CLIENT_H

#include <cjson/cJSON.h>

#include "apps/meantime/tool.h"

#define MT_CLIENT_REASON_SIZE 400

/** Sends one request line (without newline) and returns the reply if it says ok; the caller
 * deletes it.  Null with one sentence that names the remedy. */
cJSON *mt_client_ask(const struct mt_tool *tool, const char *request,
                     char ret_reason[MT_CLIENT_REASON_SIZE]);

#endif
