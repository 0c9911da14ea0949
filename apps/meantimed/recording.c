/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the daemon does to its node besides feeding inputs, each bracketed for the recorder, so
 * that a replay does the same at the same place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantimed/daemon.h"
#include "meantime_version.h"

/* The configuration in full, as text; the caller frees it. */
static char *config_text(const struct mt_config *config, struct mt_log_text *ret_text)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out != NULL) {
        mt_config_write(config, out);
        fclose(out);
    }
    *ret_text = (struct mt_log_text){text, length};
    return text;
}

static const char *log_path(const struct mt_daemon *self)
{
    return self->options.record != NULL ? self->options.record : self->config->daemon.record;
}

bool mt_daemon_record(struct mt_daemon *self, const struct mt_compose_facts *facts)
{
    self->provider = mt_linux_provider(self->platform);
    if (log_path(self) == NULL) {
        return true;
    }
    static const char about[] = "meantimed " MT_VERSION;
    struct mt_log_start start = {
        .about = {about, sizeof about - 1},
        .facts = mt_compose_log_facts(facts),
    };
    char *text = config_text(self->config, &start.config);
    self->recorder = text != NULL ? mt_recorder_open(self->provider, NULL, &start) : NULL;
    free(text);
    if (self->recorder == NULL) {
        return false;
    }
    self->provider = mt_recorder_provider(self->recorder);
    return true;
}

void mt_daemon_watch_log(struct mt_daemon *self)
{
    const char *problem = mt_linux_log_problem(self->platform);
    if (self->recorder != NULL && problem != NULL && !self->told_lost_log) {
        self->told_lost_log = true;
        mt_journal_write(&self->journal, MT_JOURNAL_WARNING, 0,
                         "the input log %s cannot be written any more: %s; what it holds can be "
                         "replayed, and the daemon goes on without it",
                         log_path(self), problem);
    }
}

const char *mt_daemon_recording(const struct mt_daemon *self)
{
    if (self->recorder == NULL) {
        return "off";
    }
    return mt_linux_log_problem(self->platform) == NULL ? "on" : "failed";
}

bool mt_daemon_reload(struct mt_daemon *self, const struct mt_config *config, struct mt_mono now,
                      char ret_reason[MT_HAL_REASON_SIZE])
{
    struct mt_order order = {.kind = MT_ORDER_RELOAD, .now = now};
    char *text = self->recorder != NULL ? config_text(config, &order.config) : NULL;
    mt_recorder_begin(self->recorder, &order);
    bool is_whole = mt_composition_reload(self->composition, config, now, ret_reason);
    mt_recorder_end(self->recorder);
    free(text);
    return is_whole;
}

void mt_daemon_set_facts(struct mt_daemon *self, const struct mt_compose_facts *facts,
                         struct mt_mono now)
{
    const struct mt_order order = {
        .kind = MT_ORDER_FACTS, .now = now, .facts = mt_compose_log_facts(facts)};
    mt_recorder_begin(self->recorder, &order);
    mt_composition_set_facts(self->composition, facts, now);
    mt_recorder_end(self->recorder);
}

void mt_daemon_stop_node(struct mt_daemon *self, struct mt_mono now)
{
    const struct mt_order order = {.kind = MT_ORDER_STOP, .now = now};
    mt_recorder_begin(self->recorder, &order);
    mt_node_stop(&self->composition->node, now);
    mt_recorder_end(self->recorder);
}
