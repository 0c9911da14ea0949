/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Events of the node become entries of the journal. */
#include "compose/tell.h"
#include "apps/meantimed/daemon.h"

void mt_daemon_tell(struct mt_daemon *self)
{
    struct mt_node_event event;
    struct mt_status_event told;
    char text[MT_STATUS_SENTENCE_SIZE];
    while (mt_node_next_event(&self->composition->node, &event)) {
        if (mt_composition_tell(self->composition, &event, &told)) {
            mt_status_sentence(&told, text, sizeof text);
            mt_journal_write(&self->journal,
                             (enum mt_journal_level)mt_status_event_level(told.kind),
                             (unsigned)told.kind + 1, "%s", text);
        }
    }
}
