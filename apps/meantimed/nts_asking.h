/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Getting keys from NTP servers, one of them or members of a pool: what is known of each, and with
 * which address of its name a member exchanges keys next.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_APPS_MEANTIMED_NTS_ASKING_H
#define MEANTIME_APPS_MEANTIMED_NTS_ASKING_H

#include "compose/compose.h"
#include "nts/nts_process.h"

struct mt_nts_asking {
    uint32_t number; /* of the server: another one may take its place */
    uint32_t attempt;
    uint32_t failures; /* in a row */
    uint32_t useless;  /* exchanges in a row whose keys have brought no answer yet */
    bool is_asking;
    bool told_failure;
    char reason[MT_NTS_REASON_SIZE];    /* of the last failure; "": there is none */
    char told[MT_NTS_REASON_SIZE + 96]; /* the same, as a sentence */
    struct mt_mono next;                /* attempt, or the end of waiting for an answer */
    struct mt_address peer;             /* with whom keys were exchanged; NONE: nobody */
    struct mt_address bad;              /* whom to ask only if there is nobody else */
};

/** `all`: of each NTP server of the node. */
void mt_nts_asking_choose(const struct mt_composition *composition, const struct mt_nts_asking *all,
                          uint16_t index, struct mt_nts_choice *ret_choice);
/** Another member is about to choose. */
bool mt_nts_asking_must_wait(const struct mt_composition *composition,
                             const struct mt_nts_asking *all, uint16_t index);
/** Another member asks that NTP server already. */
bool mt_nts_asking_is_double(const struct mt_composition *composition, uint16_t index,
                             const struct mt_address *server);

/** What time certificates are checked at: that of the clock if it is right. */
void mt_nts_asking_set_time(const struct mt_clock_page *page,
                            const struct mt_composition *composition,
                            const struct mt_config_ntp *config, struct mt_nts_question *question);

#endif
