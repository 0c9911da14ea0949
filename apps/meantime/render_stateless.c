/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report for people: stateless PTP, where it is switched on. */
#include "apps/meantime/render_private.h"

#include "status/names.h"

static const char *form_words(const char *form)
{
    return strcmp(form, "sptp") == 0    ? "SPTP"
           : strcmp(form, "csptp") == 0 ? "CSPTP"
                                        : "SPTP and CSPTP";
}

static bool is_on(const char *form)
{
    return strcmp(form, "sptp") == 0 || strcmp(form, "csptp") == 0 || strcmp(form, "both") == 0;
}

/* "by SPTP, 1201 requests answered; not: 3 requests of another domain" */
void mt_render_service(struct mt_text *out, const cJSON *instance)
{
    const char *form = text_of(instance, "stateless.serves");
    const cJSON *counts = member(instance, "stateless.requests");
    const cJSON *count;
    const char *separator = "; not: ";
    if (!is_on(form)) {
        return;
    }
    begin(out, "serves");
    mt_text_say(out, "by %s, %.0f requests answered", form_words(form),
                number_of(counts, "answered"));
    cJSON_ArrayForEach(count, counts)
    {
        if (count != counts->child && count->valuedouble > 0) {
            mt_text_say(out, "%s%.0f %s", separator, count->valuedouble,
                        mt_stateless_counter_words(count->string));
            separator = ", ";
        }
    }
    mt_text_say(out, "\n");
}

/* "192.0.2.1 answered 120 times, 3 times not" */
static void render_server(struct mt_text *out, const cJSON *stateless, const cJSON *server)
{
    const cJSON *count =
        cJSON_GetObjectItemCaseSensitive(member(stateless, "unanswered"), server->string);
    double unanswered = cJSON_IsNumber(count) ? count->valuedouble : 0;
    bool is_followed = strcmp(text_of(stateless, "followed"), server->string) == 0;
    mt_text_say(out, "%s%s ", server->string,
                is_followed ? " " MT_GOOD "followed" MT_PLAIN "," : "");
    if (server->valuedouble > 0) {
        mt_text_say(out, "answered %.0f times", server->valuedouble);
    } else {
        mt_text_say(out, MT_WARN "never answered" MT_PLAIN);
    }
    if (unanswered > 0 && server->valuedouble > 0) {
        mt_text_say(out, ", %.0f times not", unanswered);
    } else if (unanswered > 0) {
        mt_text_say(out, ", asked %.0f %s", unanswered, unanswered == 1 ? "time" : "times");
    }
}

/* "192.0.2.1 followed, answered 120 times; 192.0.2.2 never answered, asked 3 times" */
void mt_render_servers(struct mt_text *out, const cJSON *port)
{
    const char *form = text_of(port, "stateless.asks");
    const cJSON *server;
    const char *separator = "";
    double bogus = number_of(port, "stateless.exchanges.bogus");
    if (!is_on(form)) {
        return;
    }
    mt_text_say(out, MT_FAINT "        %s:%*s" MT_PLAIN, form_words(form),
                (int)(9 - strlen(form_words(form))), "");
    cJSON_ArrayForEach(server, member(port, "stateless.servers"))
    {
        mt_text_say(out, "%s", separator);
        render_server(out, member(port, "stateless"), server);
        separator = "; ";
    }
    if (bogus > 0) {
        mt_text_say(out, "; %.0f not asked for", bogus);
    }
    mt_text_say(out, "\n");
}
