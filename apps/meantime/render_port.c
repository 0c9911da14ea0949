/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The report for people: ports.  A line of figures each, then what is not as usual, in lines of
 * their own: who reads a status wants to know why nothing works. */
#include <math.h>
#include <string.h>

#include "apps/meantime/render_private.h"

#include "status/names.h"

/* "12 not expected in this state, 3 of another domain"; the first verdict is "accepted". */
static void render_refused(struct mt_text *out, const cJSON *instance, const cJSON *port)
{
    const cJSON *verdicts = member(port, "verdicts");
    const cJSON *count;
    const char *separator = "";
    cJSON_ArrayForEach(count, verdicts)
    {
        if (count == verdicts->child || count->valuedouble == 0) {
            continue;
        }
        mt_text_say(out, "%s%.0f %s", separator, count->valuedouble,
                    mt_verdict_words(count->string));
        separator = ", ";
        if (strcmp(count->string, "domain") == 0 &&
            !isnan(number_of(port, "other_domain.number"))) {
            mt_text_say(out, " (domain %u, sdoId 0x%03x; here it is domain %u, sdoId 0x%03x)",
                        code_of(port, "other_domain.number"), code_of(port, "other_domain.sdo_id"),
                        code_of(instance, "domain"), code_of(instance, "sdo_id"));
        }
    }
}

static double refused_of(const cJSON *port)
{
    const cJSON *count;
    double sum = 0;
    const cJSON *verdicts = member(port, "verdicts");
    cJSON_ArrayForEach(count, verdicts)
    {
        sum += count == verdicts->child ? 0 : count->valuedouble;
    }
    return sum;
}

static const char *port_style(const char *state)
{
    if (strcmp(state, "RECEIVER") == 0 || strcmp(state, "TRANSMITTER") == 0 ||
        strcmp(state, "FORWARDING") == 0) {
        return MT_GOOD;
    }
    if (strcmp(state, "FAULTY") == 0 || strcmp(state, "DISABLED") == 0) {
        return MT_BAD;
    }
    return strcmp(state, "PASSIVE") == 0 ? MT_PLAIN : MT_WARN;
}

/* Columns of figures, the most important first. */
struct column {
    const char *title;
    int width;
};
static const struct column columns[] = {
    {"received", 9}, {"sent", 10}, {"refused", 8}, {"dropped", 8}};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])
#define FIRST_COLUMN 45

/* How many of them have room. */
static size_t columns_in(size_t width)
{
    size_t count = 0;
    size_t used = FIRST_COLUMN;
    while (count < COLUMN_COUNT && used + (size_t)columns[count].width <= width) {
        used += (size_t)columns[count++].width;
    }
    return count;
}

void mt_render_heading(struct mt_text *out, size_t width)
{
    mt_text_say(out, MT_FAINT "    no. port");
    mt_text_pad(out, 24);
    mt_text_say(out, "state");
    mt_text_pad(out, 40);
    mt_text_say(out, "link ");
    for (size_t i = 0; i < columns_in(width); i++) {
        mt_text_say(out, "%*s", columns[i].width, columns[i].title);
    }
    mt_text_say(out, MT_PLAIN "\n");
}

static void render_figures(struct mt_text *out, const cJSON *port, size_t width)
{
    const double figures[COLUMN_COUNT] = {
        number_of(port, "link.received"),
        number_of(port, "link.sent"),
        refused_of(port),
        number_of(port, "link.kernel_dropped"),
    };
    mt_text_pad(out, FIRST_COLUMN);
    for (size_t i = 0; i < columns_in(width); i++) {
        mt_text_say(out, "%*.0f", columns[i].width, figures[i]);
    }
    mt_text_say(out, "\n");
}

/* What is not as usual: another name than that of the interface, not UDP over IPv4. */
static void render_network(struct mt_text *out, const cJSON *port)
{
    const cJSON *interface = member(port, "interface");
    const cJSON *transport = member(port, "transport");
    bool is_named =
        cJSON_IsString(interface) && strcmp(interface->valuestring, text_of(port, "name")) != 0;
    bool is_other = cJSON_IsString(transport) && strcmp(transport->valuestring, "udp4") != 0;
    bool is_hardware = strncmp(text_of(port, "timestamping"), "hardware", 8) == 0;
    if (!is_named && !is_other && !is_hardware) {
        return;
    }
    mt_text_say(out, "       ");
    if (is_named) {
        mt_text_say(out, MT_FAINT " interface " MT_PLAIN "%s", interface->valuestring);
    }
    if (is_other) {
        mt_text_say(out, MT_FAINT " transport " MT_PLAIN "%s", transport->valuestring);
    }
    if (cJSON_IsNumber(member(port, "vlan"))) {
        mt_text_say(out, MT_FAINT " VLAN " MT_PLAIN "%.0f", number_of(port, "vlan"));
    }
    if (is_hardware) {
        mt_text_say(out, MT_FAINT " timestamps " MT_PLAIN "%s", text_of(port, "timestamping"));
    }
    mt_text_say(out, "\n");
}

/* gPTP does not use the link, and nothing else would tell why. */
static void render_incapable(struct mt_text *out, const cJSON *port)
{
    if (!is_true(port, "peer.as_capable")) {
        const cJSON *why = member(port, "peer.why_not_capable");
        mt_text_say(out,
                    "        " MT_WARN "the link is not used (not asCapable)%s%s" MT_PLAIN "\n",
                    cJSON_IsString(why) ? ": " : "", cJSON_IsString(why) ? why->valuestring : "");
    }
}

/* Nothing with e2e, where the delay is the clock's to show. */
static void render_peer(struct mt_text *out, const cJSON *port)
{
    char a[MT_FIGURE_SIZE];
    char b[MT_FIGURE_SIZE];
    const char *mechanism = text_of(port, "delay_mechanism");
    bool is_known = !isnan(number_of(port, "peer.mean_link_delay_ns"));
    if (strcmp(mechanism, "p2p") != 0 && strcmp(mechanism, "common_p2p") != 0) {
        return;
    }
    mt_text_say(out, MT_FAINT "        link:     " MT_PLAIN);
    if (is_true(port, "peer.several_answer")) {
        mt_text_say(out, MT_WARN "several stations answer, its delay cannot be told" MT_PLAIN "\n");
        return;
    }
    if (!is_known) {
        mt_text_say(out, MT_WARN "its delay is not known, nobody answers" MT_PLAIN "\n");
        render_incapable(out, port);
        return;
    }
    mt_text_say(out, "delay %s, sigma %s",
                mt_figure_time(number_of(port, "peer.mean_link_delay_ns"), false, a),
                mt_figure_time(number_of(port, "peer.sigma_ns"), false, b));
    if (cJSON_IsString(member(port, "peer.port_identity"))) {
        mt_text_say(out, ", to %s", text_of(port, "peer.port_identity"));
    }
    if (!isnan(number_of(port, "peer.rate_ppb"))) {
        double rate_ppb = number_of(port, "peer.rate_ppb");
        mt_text_say(out, ", whose clock %s %s", rate_ppb < 0 ? "loses" : "gains",
                    mt_figure_ratio(fabs(rate_ppb), a) + 1); /* without its sign */
    }
    mt_text_say(out, "\n");
    render_incapable(out, port);
}

/* With p2p the line of the link has it. */
static void render_delay(struct mt_text *out, const cJSON *port)
{
    if (is_true(port, "delay_req.unanswered")) {
        mt_text_say(out,
                    MT_FAINT "        delay:    " MT_PLAIN MT_WARN
                             "not measured, nobody answers: %.0f Delay_Req in a row" MT_PLAIN "\n",
                    number_of(port, "delay_req.unanswered_in_a_row"));
    }
}

/* A role that was given holds whoever else is there, so that two may contradict each other. */
static void render_role(struct mt_text *out, const cJSON *port)
{
    const cJSON *heard = member(port, "heard");
    const char *role = text_of(port, "role");
    if (strcmp(role, "?") == 0 || strcmp(role, "auto") == 0) {
        return;
    }
    mt_text_say(out, MT_FAINT "        role:     " MT_PLAIN "%s, as the configuration says", role);
    if (strcmp(role, "transmitter") == 0 && heard != NULL && heard->child != NULL) {
        mt_text_say(out, "; " MT_WARN "%s announces itself here, too" MT_PLAIN,
                    heard->child->string);
    }
    mt_text_say(out, "\n");
}

/* A port of a transparent clock that does not receive has no part in the state decision; one of
 * 802.1AS whose link cannot be used transmits nothing, whatever was decided. */
static const char *state_of(const cJSON *instance, const cJSON *port)
{
    const char *state = text_of(port, "state");
    const bool is_transparent = strcmp(text_of(instance, "role"), "transparent") == 0;
    if (cJSON_IsFalse(member(port, "peer.as_capable")) && strcmp(state, "TRANSMITTER") == 0) {
        return "not asCapable";
    }
    return is_transparent && strcmp(state, "LISTENING") == 0 ? "FORWARDING" : state;
}

void mt_render_port(struct mt_text *out, const cJSON *instance, const cJSON *port, size_t width)
{
    const char *state = state_of(instance, port);
    mt_text_say(out, "    %-3.0f %s", number_of(port, "number"), text_of(port, "name"));
    mt_text_pad(out, 24);
    mt_text_say(out, "%s%s" MT_PLAIN, port_style(state), state);
    mt_text_pad(out, 40);
    mt_text_say(out, "%s" MT_PLAIN, is_true(port, "link_up") ? "up" : MT_BAD "down");
    render_figures(out, port, width);
    render_network(out, port);
    if (cJSON_IsString(member(port, "fault_reason"))) {
        mt_text_say(out, "        " MT_BAD "%s" MT_PLAIN "\n", text_of(port, "fault_reason"));
    }
    render_role(out, port);
    mt_render_unicast(out, port);
    mt_render_security(out, port);
    mt_render_servers(out, port);
    render_peer(out, port);
    render_delay(out, port);
    mt_render_port_options(out, port);
    if (refused_of(port) > 0) {
        mt_text_say(out, MT_FAINT "        refused:  " MT_PLAIN);
        render_refused(out, instance, port);
        mt_text_say(out, "\n");
    }
}
