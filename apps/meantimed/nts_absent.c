/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A daemon that was built without GnuTLS: it says so, rather than to ask without NTS. */
#include "apps/meantimed/daemon.h"

bool mt_daemon_start_nts(struct mt_daemon *daemon)
{
    const struct mt_config *config = daemon->config;
    bool is_wanted = config->has_server && config->server.nts_certificate != NULL;
    for (size_t i = 0; i < config->ntp_count; i++) {
        is_wanted = is_wanted || config->ntps[i].nts;
    }
    if (is_wanted) {
        mt_journal_write(&daemon->journal, MT_JOURNAL_ERROR, 0,
                         "NTS cannot be spoken: this daemon was built without GnuTLS");
    }
    return !is_wanted;
}

bool mt_daemon_join_nts(struct mt_daemon *daemon)
{
    (void)daemon;
    return true;
}

void mt_daemon_tend_nts(struct mt_daemon *daemon, struct mt_mono now)
{
    (void)daemon;
    (void)now;
}

void mt_daemon_renew_nts(struct mt_daemon *daemon)
{
    (void)daemon;
}

void mt_daemon_reload_nts(struct mt_daemon *daemon)
{
    (void)daemon;
}

const struct mt_nts_ring *mt_daemon_nts_ring(const struct mt_daemon *daemon)
{
    (void)daemon;
    return NULL;
}

void mt_daemon_end_nts(struct mt_daemon *daemon)
{
    (void)daemon;
}
