/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each member of a pool exchanges keys by itself, with an address of the pool's name that no other
 * member has, and for that name the certificate must be.  One after the other, so that two do not
 * choose the same.  Who has good keys stays with whom he got them from, as long as the name has
 * that address; whom keys could not be had from, or keys were good for nothing of, is asked again
 * only if there is nobody else.  So servers of a pool that do not answer are replaced, and a single
 * name with several addresses gets the same.
 */
#include "apps/meantimed/nts_asking.h"

static bool are_together(const struct mt_composition *composition, uint16_t one, uint16_t other)
{
    return one != other &&
           mt_composition_ntp(composition, one) == mt_composition_ntp(composition, other);
}

void mt_nts_asking_choose(const struct mt_composition *composition, const struct mt_nts_asking *all,
                          uint16_t index, struct mt_nts_choice *ret_choice)
{
    const struct mt_nts_asking *self = &all[index];
    bool is_good = self->useless == 0 && !composition->node.ntp[index].client.is_refused;
    *ret_choice = (struct mt_nts_choice){.first = {.network = MT_NETWORK_NONE},
                                         .last = is_good ? self->bad : self->peer};
    if (is_good) {
        ret_choice->first = self->peer;
    }
    for (uint16_t i = 0; i < composition->node.ntp_count; i++) {
        if (are_together(composition, i, index) && all[i].peer.network != MT_NETWORK_NONE &&
            ret_choice->other_count < MT_NTS_OTHERS) {
            ret_choice->others[ret_choice->other_count++] = all[i].peer;
        }
    }
}

bool mt_nts_asking_must_wait(const struct mt_composition *composition,
                             const struct mt_nts_asking *all, uint16_t index)
{
    for (uint16_t i = 0; i < composition->node.ntp_count; i++) {
        if (are_together(composition, i, index) && all[i].is_asking) {
            return true;
        }
    }
    return false;
}

bool mt_nts_asking_is_double(const struct mt_composition *composition, uint16_t index,
                             const struct mt_address *server)
{
    for (uint16_t i = 0; i < composition->node.ntp_count; i++) {
        const struct mt_address *theirs = &composition->node.ntp[i].server;
        if (are_together(composition, i, index) && mt_address_equal(theirs, server) &&
            theirs->udp_port == server->udp_port) {
            return true;
        }
    }
    return false;
}

void mt_nts_asking_set_time(const struct mt_clock_page *page,
                            const struct mt_composition *composition,
                            const struct mt_config_ntp *config, struct mt_nts_question *question)
{
    bool is_synchronised = page->state == MT_CLOCK_LOCKED || page->state == MT_CLOCK_HOLDOVER;
    question->checks_time =
        config->nts_time_check == MT_CONFIG_TIME_CHECK_ALWAYS || is_synchronised;
    if (is_synchronised && page->scale != MT_SCALE_ARB) {
        question->utc_s =
            page->anchor_s - (page->scale == MT_SCALE_TAI ? composition->facts.tai_minus_utc_s : 0);
    }
}
