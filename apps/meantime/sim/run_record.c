/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Recording a simulated node, as meantimed --record does: the recorder stands between the world and
 * the node, which does not notice.  What the timeline does to the node is bracketed as the daemon's
 * own orders are.  A log is of one life, the first; if that ends by kill, the log just ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/meantime/sim/run_private.h"

static struct run_recording *find(struct run *self, uint32_t node)
{
    for (uint32_t i = 0; i < self->options->record_count; i++) {
        if (self->options->records[i].node == node) {
            return &self->recordings[i];
        }
    }
    return NULL;
}

struct mt_recorder *mt_run_recorder(struct run *self, uint32_t node)
{
    const struct run_recording *recording = find(self, node);

    return recording != NULL ? recording->recorder : NULL;
}

static void append(void *context, const uint8_t *octets, size_t length)
{
    struct run_recording *self = context;

    if (!self->is_cut) {
        fwrite(octets, 1, length, self->out);
    }
}

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

struct mt_log_facts mt_run_log_facts(const struct mt_compose_facts *facts)
{
    return mt_compose_log_facts(facts);
}

struct mt_hal_provider *mt_run_record(struct run *self, uint32_t node,
                                      struct mt_hal_provider *provider,
                                      const struct mt_compose_facts *facts)
{
    struct run_recording *recording = find(self, node);

    if (recording == NULL || recording->has_begun) {
        return provider;
    }
    const struct mt_run_record *wanted = &self->options->records[recording - self->recordings];
    const struct mt_log_sink sink = {recording, append};
    struct mt_log_start start = {
        .about = {wanted->about, strlen(wanted->about)},
        .facts = mt_run_log_facts(facts),
    };
    char *text = config_text(self->topology->nodes[node].config, &start.config);
    *recording = (struct run_recording){.out = wanted->out, .has_begun = true};
    recording->recorder = text != NULL ? mt_recorder_open(provider, &sink, &start) : NULL;
    free(text);
    if (recording->recorder == NULL) {
        mt_run_complain(self, self->topology->nodes[node].name, "no memory to record it");
        return provider;
    }
    return mt_recorder_provider(recording->recorder);
}

void mt_run_record_end(struct run *self, uint32_t node, bool is_complete)
{
    struct run_recording *recording = find(self, node);

    if (recording == NULL || recording->recorder == NULL) {
        return;
    }
    recording->is_cut = !is_complete;
    mt_recorder_close(recording->recorder);
    recording->recorder = NULL;
    if (fflush(recording->out) != 0 || ferror(recording->out) != 0) {
        mt_run_complain(self, "the recording cannot be written", strerror(errno));
    }
}
