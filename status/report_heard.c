/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who else is heard, and by what the one that is followed is better [1588-2019 figures 34, 35].
 * The core compares and does not say by what; so the members are gone through here once more, in
 * the order of the comparison that the profile has, and the first one that differs is named.
 */
#include "status/report_heard.h"

#include <stdio.h>

#include "status/names.h"

#define REASON_SIZE        100
#define LAST_PRIMARY_CLASS 127

/* ---- by what it is worse --------------------------------------------------------------------- */

static bool differs(unsigned theirs, unsigned ours, const char *member, char *reason)
{
    if (theirs != ours) {
        snprintf(reason, REASON_SIZE, "worse by %s (%u, not %u)", member, theirs, ours);
    }
    return theirs != ours;
}

static bool differs_in_accuracy(uint8_t theirs, uint8_t ours, char *reason)
{
    if (theirs != ours) {
        snprintf(reason, REASON_SIZE, "worse by clockAccuracy (%s, not %s)",
                 mt_clock_accuracy_name(theirs), mt_clock_accuracy_name(ours));
    }
    return theirs != ours;
}

static bool differs_in_quality(const struct mt_ptp_dataset *other,
                               const struct mt_ptp_dataset *best, char *reason)
{
    return differs(other->quality.clock_class, best->quality.clock_class, "clockClass", reason) ||
           differs_in_accuracy(other->quality.accuracy, best->quality.accuracy, reason) ||
           differs(other->quality.variance, best->quality.variance, "offsetScaledLogVariance",
                   reason) ||
           differs(other->priority2, best->priority2, "priority2", reason);
}

static bool differs_in_identity(const struct mt_ptp_dataset *other,
                                const struct mt_ptp_dataset *best, char *reason)
{
    bool is_same = mt_clock_identity_equal(&other->grandmaster, &best->grandmaster);
    if (!is_same) {
        snprintf(reason, REASON_SIZE, "equal in all, but of a higher grandmasterIdentity");
    }
    return !is_same;
}

/* Two ways to one grandmaster, or to two that count as one. */
static void tell_topology(const struct mt_ptp_dataset *other, const struct mt_ptp_dataset *best,
                          char *reason)
{
    if (!differs(other->steps_removed, best->steps_removed, "stepsRemoved", reason)) {
        snprintf(reason, REASON_SIZE, "another way of the same length, of a higher portIdentity");
    }
}

static void tell_criterion(mt_dataset_comparison compare, const struct mt_ptp_dataset *other,
                           const struct mt_ptp_dataset *best, char *reason)
{
    bool is_same = mt_clock_identity_equal(&other->grandmaster, &best->grandmaster);
    bool has_told = false;
    if (compare == &mt_dataset_compare_quality) {
        has_told =
            differs(other->quality.clock_class, best->quality.clock_class, "clockClass", reason) ||
            differs(other->local_priority, best->local_priority, "localPriority", reason);
    } else if (compare == &mt_dataset_compare_itu) {
        has_told = differs_in_quality(other, best, reason) ||
                   differs(other->local_priority, best->local_priority, "localPriority", reason) ||
                   (best->quality.clock_class > LAST_PRIMARY_CLASS &&
                    differs_in_identity(other, best, reason));
    } else if (!is_same) {
        has_told = differs(other->priority1, best->priority1, "priority1", reason) ||
                   differs_in_quality(other, best, reason) ||
                   differs_in_identity(other, best, reason);
    }
    if (!has_told && compare == &mt_dataset_compare_quality) {
        snprintf(reason, REASON_SIZE, "equal in all, but of a higher portIdentity");
    } else if (!has_told) {
        tell_topology(other, best, reason);
    }
}

/* ---- who is heard ---------------------------------------------------------------------------- */

static int64_t interval_ns(const struct mt_port *port)
{
    int8_t log_interval = port->config.log_announce_interval;
    return log_interval >= 0 ? INT64_C(1000000000) << log_interval
                             : INT64_C(1000000000) >> -log_interval;
}

/* Its Announce before `skipped` others came within the window in which it counts. */
static bool was_heard(const struct mt_instance *ptp, const struct mt_port *port,
                      const struct mt_foreign *foreign, unsigned skipped)
{
    int64_t heard_ns = foreign->heard[skipped].ns;
    return heard_ns != 0 && ptp->now.ns - heard_ns <= MT_FOREIGN_WINDOW * interval_ns(port);
}

/* Of the port that receives; null: this clock follows nobody. */
static const struct mt_foreign *followed_by(const struct mt_instance *ptp)
{
    return ptp->receiving_port != 0 ? ptp->ports[ptp->receiving_port - 1].best : NULL;
}

static struct mt_ptp_dataset own_dataset(const struct mt_instance *ptp)
{
    return (struct mt_ptp_dataset){
        .priority1 = ptp->config.priority1,
        .local_priority = ptp->config.local_priority,
        .quality = ptp->config.quality,
        .priority2 = ptp->config.priority2,
        .grandmaster = ptp->config.identity,
    };
}

static void tell_foreign(const struct mt_instance *ptp, const struct mt_port *port,
                         const struct mt_foreign *foreign, char *reason)
{
    const struct mt_foreign *followed = followed_by(ptp);
    const struct mt_ptp_dataset best = followed != NULL ? followed->dataset : own_dataset(ptp);
    enum mt_comparison result = ptp->config.features->compare(&best, &foreign->dataset);
    bool is_worse = result == MT_A_BETTER || result == MT_A_BETTER_BY_TOPOLOGY;
    if (foreign == followed) {
        snprintf(reason, REASON_SIZE, "followed");
    } else if (!was_heard(ptp, port, foreign, ptp->config.announces_to_skip)) {
        snprintf(reason, REASON_SIZE, "not heard often enough");
    } else if (is_worse) {
        tell_criterion(ptp->config.features->compare, &foreign->dataset, &best, reason);
    } else if (followed == NULL) {
        snprintf(reason, REASON_SIZE, "better than this clock, and not followed");
    } else {
        snprintf(reason, REASON_SIZE, "not worse, and not followed");
    }
}

cJSON *mt_report_transmitters_heard(const struct mt_report_port *report)
{
    const struct mt_instance *ptp = report->instance;
    const struct mt_port *port = report->ptp;
    cJSON *heard = cJSON_CreateObject();
    for (unsigned i = 0; ptp != NULL && i < MT_FOREIGN_MAX; i++) {
        const struct mt_foreign *foreign = &port->foreign[i];
        char sender[MT_IDENTITY_TEXT_SIZE];
        char reason[REASON_SIZE];
        if (foreign->is_used && ptp->config.features != NULL &&
            (foreign == followed_by(ptp) || was_heard(ptp, port, foreign, 0))) {
            mt_port_identity_text(foreign->dataset.sender, sender);
            tell_foreign(ptp, port, foreign, reason);
            cJSON_AddStringToObject(heard, sender, reason);
        }
    }
    return heard;
}
