/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files that render the report share.
 */
#ifndef MEANTIME_RENDER_PRIVATE_H
#define MEANTIME_RENDER_PRIVATE_H

#include "apps/meantime/render.h"
#include "apps/meantime/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static inline const cJSON *member(const cJSON *object, const char *path)
{
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL) {
        char name[40] = "";
        memcpy(name, path, (size_t)(dot - path));
        object = cJSON_GetObjectItemCaseSensitive(object, name);
        path = dot + 1;
    }
    return cJSON_GetObjectItemCaseSensitive(object, path);
}

static inline const char *text_of(const cJSON *object, const char *path)
{
    const char *text = cJSON_GetStringValue(member(object, path));
    return text == NULL ? "?" : text;
}

static inline double number_of(const cJSON *object, const char *path)
{
    const cJSON *item = member(object, path);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static inline unsigned code_of(const cJSON *object, const char *path)
{
    double number = number_of(object, path);
    return number >= 0 && number <= 65535 ? (unsigned)number : 0;
}

static inline bool is_true(const cJSON *object, const char *path)
{
    return cJSON_IsTrue(member(object, path));
}

#define FIGURES_COLUMN 18

/* "    offset        " : the figures of all lines begin in one column. */
static inline void begin(struct mt_text *out, const char *what)
{
    mt_text_say(out, "    " MT_FAINT "%s" MT_PLAIN, what);
    mt_text_pad(out, FIGURES_COLUMN);
}

/** The colour of what the arbiter makes of a source. */
const char *mt_verdict_style(const char *verdict);
/** "time.example.org", with the address behind it if another one of the list has that name. */
void mt_source_name(const cJSON *list, const cJSON *source, char *buffer, size_t size);
/** What keeps a source of which nothing is known from telling the time; null: nothing. */
const char *mt_source_fault(const cJSON *source);
/** The same as a line that begins with its name, if there is such a thing. */
void mt_render_fault(struct mt_text *out, int indent, const cJSON *list, const cJSON *source);
/** A figure, or "-" for NAN. */
void mt_put_time(char cell[MT_TABLE_CELL_SIZE], double ns, bool with_sign);
/** All NTP servers, if there are any. */
void mt_render_ntp(struct mt_text *out, const cJSON *report, size_t width);
void mt_render_server(struct mt_text *out, const cJSON *report);
/** GNSS receivers, each with what becomes of its sentences and pulses. */
void mt_render_gnss(struct mt_text *out, const cJSON *report);
/** The titles of the ports' figures, and a port with all that is told of it. */
void mt_render_heading(struct mt_text *out, size_t width);
void mt_render_port(struct mt_text *out, const cJSON *instance, const cJSON *port, size_t width);
/** Whom the instances of a clock follow, and why not others. */
void mt_why_ptp(struct mt_text *out, const cJSON *clock, const cJSON *report);
/** Its unicast service: transmitters, clients. */
void mt_render_unicast(struct mt_text *out, const cJSON *port);
/** How it signs and verifies; nothing if it does not. */
void mt_render_security(struct mt_text *out, const cJSON *port);
/** Which of two instances steers a clock, and why. */
void mt_render_standby(struct mt_text *out, const cJSON *clock);
/** How long a clock has gone on without its source, and how long it may. */
void mt_render_holdover(struct mt_text *out, const cJSON *clock);
void mt_render_oscillator(struct mt_text *out, const cJSON *clock);
/** Which other programs steer a clock, or may. */
void mt_render_rivals(struct mt_text *out, const cJSON *clock);
/** How an instance serves stateless clients. */
void mt_render_service(struct mt_text *out, const cJSON *instance);
/** Which stateless servers a port asks. */
void mt_render_servers(struct mt_text *out, const cJSON *port);
/** What ST 2059-2 tells beside the time. */
void mt_render_smpte(struct mt_text *out, const cJSON *instance);
/** What a port asks its transmitter for; alternate transmitters that it hears, or that it is. */
void mt_render_port_options(struct mt_text *out, const cJSON *port);

#endif
