/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime why, of a clock that a PTP instance steers: whom it follows, who else is heard and by
 * what that one is worse, and which of two instances steers.  All of it is in the report; status
 * shows it in other places. */
#include "apps/meantime/render_private.h"

static const cJSON *receiving_port(const cJSON *instance)
{
    const cJSON *port;
    cJSON_ArrayForEach(port, member(instance, "ports"))
    {
        if (code_of(port, "number") == code_of(instance, "receiving_port")) {
            return port;
        }
    }
    return NULL;
}

/* "follows 001122.fffe.334455-1 on port eth0 (grandmaster 001122.fffe.334455, 1 step away)" */
static void say_followed(struct mt_text *out, const cJSON *instance)
{
    const cJSON *port = receiving_port(instance);
    double removed = number_of(instance, "steps_removed");
    mt_text_say(out, "  instance %s ", text_of(instance, "name"));
    if (port != NULL) {
        mt_text_say(out, "follows %s-%u on port %s (grandmaster %s, %.0f %s away)\n",
                    text_of(instance, "parent.clock_identity"),
                    code_of(instance, "parent.port_number"), text_of(port, "name"),
                    text_of(instance, "grandmaster.clock_identity"), removed,
                    removed == 1 ? "step" : "steps");
    } else if (strcmp(text_of(instance, "role"), "grandmaster") == 0) {
        mt_text_say(out, "is the grandmaster itself\n");
    } else {
        mt_text_say(out, "follows nobody\n");
    }
}

static void say_heard(struct mt_text *out, const cJSON *port)
{
    const cJSON *heard;
    cJSON_ArrayForEach(heard, member(port, "heard"))
    {
        const char *reason = cJSON_GetStringValue(heard);
        if (reason != NULL && strcmp(reason, "followed") != 0) {
            mt_text_say(out, "    heard on port %s: %s, %s\n", text_of(port, "name"), heard->string,
                        reason);
        }
    }
}

void mt_why_ptp(struct mt_text *out, const cJSON *clock, const cJSON *report)
{
    const cJSON *instance;
    const cJSON *port;
    cJSON_ArrayForEach(instance, member(report, "instances"))
    {
        if (strcmp(text_of(instance, "clock"), text_of(clock, "name")) != 0) {
            continue;
        }
        say_followed(out, instance);
        cJSON_ArrayForEach(port, member(instance, "ports"))
        {
            say_heard(out, port);
            mt_render_unicast(out, port);
            mt_render_servers(out, port);
        }
    }
    mt_render_standby(out, clock);
}
