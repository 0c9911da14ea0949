/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report for people: unicast service and signatures of a port.  Codes that an older or newer
 * daemon does not send, or that this program does not know, are shown as they are. */
#include "apps/meantime/render_private.h"

struct word {
    const char *code;
    const char *words;
};

static const char *words_of(const struct word *words, size_t count, const char *code)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].code, code) == 0) {
            return words[i].words;
        }
    }
    return code;
}
#define WORDS(table, code) words_of(table, sizeof(table) / sizeof(table)[0], code)

/* ---- transmitters ------------------------------------------------------------------------- */

static const struct word states[] = {
    {"unresolved", "cannot be asked"},
    {"not_heard", "not heard"},
    {"announces", "announces itself"},
    {"asked", "asked for Sync"},
    {"followed", "followed"},
    {"held", "left alone"},
    {"wait_to_restore", "waits to restore"},
};

static const struct word reasons[] = {
    {"no_address", "its name has no address"},
    {"port_down", "the port is down"},
    {"unanswered", "requests are not answered"},
    {"denied", "it denies service"},
    {"cancelled", "it cancelled its service"},
    {"expired", "its grant was not renewed"},
    {"loss_sync", "its Sync failed (PTSF-lossSync)"},
    {"loss_announce", "its Announce failed (PTSF-lossAnnounce)"},
    {"not_acceptable", "its Announces are refused"},
    {"not_best", "another one is better"},
};

/* "192.0.2.1 waits to restore: its Sync failed (PTSF-lossSync), for 250 s" */
static void render_transmitter(struct mt_text *out, const cJSON *unicast, const cJSON *transmitter)
{
    const char *address = transmitter->string;
    const cJSON *why = cJSON_GetObjectItemCaseSensitive(member(unicast, "reasons"), address);
    const cJSON *retry = cJSON_GetObjectItemCaseSensitive(member(unicast, "retry_s"), address);
    const char *state = cJSON_GetStringValue(transmitter);
    const char *reason = cJSON_GetStringValue(why);
    bool is_followed = state != NULL && strcmp(state, "followed") == 0;
    mt_text_say(out, "%s %s%s" MT_PLAIN, address, is_followed ? MT_GOOD : MT_PLAIN,
                state != NULL ? WORDS(states, state) : "?");
    if (reason != NULL && strcmp(reason, "none") != 0) {
        mt_text_say(out, ": %s", WORDS(reasons, reason));
    }
    if (cJSON_IsNumber(retry)) {
        mt_text_say(out, ", for %.0f s", retry->valuedouble);
    }
}

static void render_table(struct mt_text *out, const cJSON *unicast)
{
    const cJSON *transmitter;
    const char *title = "unicast:";
    cJSON_ArrayForEach(transmitter, member(unicast, "transmitters"))
    {
        mt_text_say(out, MT_FAINT "        %-10s" MT_PLAIN, title);
        render_transmitter(out, unicast, transmitter);
        mt_text_say(out, "\n");
        title = "";
    }
}

/* Of a grantor: whom it serves, and how often it did not. */
static void render_service(struct mt_text *out, const cJSON *unicast)
{
    static const char *const denied[] = {"announce_denied", "sync_denied", "delay_resp_denied"};
    double clients = number_of(unicast, "clients");
    double denials = 0;
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++) {
        double count = number_of(member(unicast, "grants"), denied[i]);
        denials += isnan(count) ? 0 : count;
    }
    if (clients > 0) {
        mt_text_say(out, MT_FAINT "        serves " MT_PLAIN "%.0f %s by unicast\n", clients,
                    clients == 1 ? "client" : "clients");
    }
    if (denials > 0) {
        mt_text_say(out, MT_FAINT "        unicast:  " MT_PLAIN "%.0f %s for service denied\n",
                    denials, denials == 1 ? "request" : "requests");
    }
}

void mt_render_unicast(struct mt_text *out, const cJSON *port)
{
    const cJSON *unicast = member(port, "unicast");
    const char *mode = text_of(unicast, "mode");
    if (strcmp(mode, "negotiated") == 0 || strcmp(mode, "static") == 0) {
        render_table(out, unicast);
    }
    if (strcmp(mode, "hybrid") == 0) {
        mt_text_say(out, MT_FAINT "        unicast:  " MT_PLAIN "Delay_Req and its answer alone\n");
    }
    render_service(out, unicast);
}

/* ---- signatures --------------------------------------------------------------------------- */

static const struct word counters[] = {
    {"signed", "signed"},     {"unsigned", "sent without a code that they ought to have"},
    {"verified", "verified"}, {"missing", "heard without a code"},
    {"forged", "forged"},     {"repeated", "repeated"},
};

static bool uses(const char *which, const char *kind)
{
    return strcmp(which, kind) == 0 || strcmp(which, "both") == 0;
}

static void render_shared(struct mt_text *out, const cJSON *port)
{
    mt_text_say(out, "spp %.0f, ", number_of(port, "security.spp"));
    if (uses(text_of(port, "security.signs"), "immediate")) {
        mt_text_say(out, "signs with key %.0f and verifies", number_of(port, "security.key_id"));
    } else {
        mt_text_say(out, MT_WARN "verifies, but has no key to sign with" MT_PLAIN);
    }
    mt_text_say(out, " (immediate)");
}

static void render_delayed(struct mt_text *out, const cJSON *port)
{
    double key = number_of(port, "security.delayed_key_id");
    double disclosed = number_of(port, "security.disclosed_key_id");
    mt_text_say(out, "spp %.0f, ", number_of(port, "security.delayed_spp"));
    if (uses(text_of(port, "security.signs"), "delayed")) {
        mt_text_say(out, "signs");
        if (!isnan(key)) {
            mt_text_say(out, " with key %.0f", key);
        }
        mt_text_say(out, " and ");
    }
    mt_text_say(out, "verifies");
    if (!isnan(disclosed)) {
        mt_text_say(out, ", key %.0f disclosed", disclosed);
    }
    mt_text_say(out, " (delayed)");
}

void mt_render_security(struct mt_text *out, const cJSON *port)
{
    const cJSON *count;
    const char *separator = "";
    const char *verifies = text_of(port, "security.verifies");
    if (!uses(verifies, "immediate") && !uses(verifies, "delayed")) {
        return;
    }
    mt_text_say(out, MT_FAINT "        security: " MT_PLAIN);
    if (uses(verifies, "immediate")) {
        render_shared(out, port);
        separator = "; ";
    }
    if (uses(verifies, "delayed")) {
        mt_text_say(out, "%s", separator);
        render_delayed(out, port);
    }
    separator = "; ";
    cJSON_ArrayForEach(count, member(port, "security.counters"))
    {
        if (count->valuedouble > 0) {
            mt_text_say(out, "%s%.0f %s", separator, count->valuedouble,
                        WORDS(counters, count->string));
            separator = ", ";
        }
    }
    mt_text_say(out, "\n");
}
