/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The page counts TAI where it can, and so knows nothing of leap seconds; what is served is UTC as
 * POSIX counts it.  The second that is inserted is the day's last one again, of one that is deleted
 * only the next midnight is seen.  When the page learns the new TAI - UTC does not matter: from the
 * announcement on the leap second is known here, and remembered until its smearing is over.
 *
 * Smearing is linear, and by 24 h goes from noon to noon of UTC, as public servers have it.  What
 * has been smeared is not taken back when the announcement is, and an announcement that comes late
 * begins then; so served time never jumps.  Clients that compare servers can see it and undo it:
 * the reference id is 254 and what is served less UTC, in 24 bits of which 22 are behind the point,
 * as ntpd's of the same name.
 *
 * The error bound of the page is the root dispersion; with an NTP source that has a root delay, its
 * half is taken out of it, since clients add that themselves.
 */
#include "runtime/ntp_served.h"

#include <string.h>

#define DAY_S           86400
#define PATIENCE_S      3600 /* so long after a leap second TAI - UTC may be the old one */
#define SMEARS          254
#define SMEARED_LOG     22
#define STRATUM_UNKNOWN 11 /* a clock that follows nobody is 10 */
#define PRECISION_MIN   (-29)
#define PRECISION_MAX   (-10)

/* ---- the timescale --------------------------------------------------------------------------- */

/* The page's second at which the count of UTC jumps. */
static int64_t jump_s(const struct mt_ntp_scale *self)
{
    return self->leap_s > 0 ? self->midnight_s : self->midnight_s - 1;
}

static int64_t offset_of(const struct mt_clock_page *page)
{
    return page->scale == MT_SCALE_TAI ? page->tai_minus_utc_s : 0;
}

static bool is_leap_valid(const struct mt_ntp_scale *self, const struct mt_clock_page *page)
{
    int64_t now_s = page->anchor_s;
    int64_t offset_s = offset_of(page);
    if (self->leap_s == 0) {
        return false;
    }
    if (offset_s == self->offset_s) {
        bool is_begun = self->smear_s > 0 && now_s >= self->begin_s;
        return now_s < jump_s(self) ? page->leap_s == self->leap_s || is_begun
                                    : now_s < jump_s(self) + PATIENCE_S;
    }
    return offset_s == self->offset_s + self->leap_s &&
           now_s < self->midnight_s + self->smear_s / 2 + PATIENCE_S;
}

/* A leap second that was not known until now is smeared from now on, if clients have the time
 * already; who begins to serve begins where others are. */
static int64_t smear_begin(bool was_served, const struct mt_clock_page *page, int64_t midnight_s,
                           int32_t smear_s)
{
    int64_t begin_s = midnight_s - smear_s / 2;
    return was_served && page->anchor_s >= begin_s ? page->anchor_s + 1 : begin_s;
}

static void set_scale(struct mt_ntp_scale *self, const struct mt_clock_page *page, int32_t smear_s,
                      bool was_served)
{
    bool is_ours = page->scale == MT_SCALE_TAI;
    if (is_ours && page->tai_utc_valid == 0) {
        self->is_known = self->is_known && !self->announces_leap;
        return;
    }
    if (is_leap_valid(self, page)) {
        return;
    }
    int64_t offset_s = offset_of(page);
    int64_t utc_s = page->anchor_s - offset_s;
    int64_t midnight_s = utc_s - utc_s % DAY_S + DAY_S + offset_s;
    *self = (struct mt_ntp_scale){
        .offset_s = offset_s,
        .leap_s = is_ours ? page->leap_s : 0,
        .midnight_s = midnight_s,
        .smear_s = smear_s,
        .begin_s = smear_begin(was_served, page, midnight_s, smear_s),
        .announces_leap = !is_ours,
        .is_known = true,
    };
}

static int64_t smear_end(const struct mt_ntp_scale *self)
{
    return self->midnight_s - self->smear_s / 2 + self->smear_s + self->leap_s;
}

/* What of the leap second has passed `at`, as a span to take off. */
static struct mt_span smeared(const struct mt_ntp_scale *self, const struct mt_instant *at)
{
    if (at->s < self->begin_s) {
        return (struct mt_span){0};
    }
    if (at->s >= smear_end(self)) {
        return (struct mt_span){.s = self->leap_s};
    }
    int64_t length_s = smear_end(self) - self->begin_s;
    int64_t elapsed_q16 = ((at->s - self->begin_s) * MT_NS_PER_S + at->ns) * 65536 + at->frac;
    return mt_span_from_interval((struct mt_interval){elapsed_q16 / length_s * self->leap_s});
}

struct mt_instant mt_ntp_scale_time(const struct mt_ntp_scale *self, const struct mt_instant *at)
{
    struct mt_instant time = *at;
    time.s -= self->offset_s;
    time.scale = self->smear_s > 0 ? MT_SCALE_SMEARED_UTC : MT_SCALE_UTC;
    if (self->leap_s != 0 && self->smear_s > 0) {
        const struct mt_span shift = smeared(self, at);
        return mt_instant_plus(time, mt_span_negate(shift));
    }
    if (self->leap_s != 0 && at->s >= jump_s(self)) {
        time.s -= self->leap_s;
    }
    return time;
}

static bool is_smearing(const struct mt_ntp_scale *self, const struct mt_instant *at)
{
    return self->leap_s != 0 && self->smear_s > 0 && at->s >= self->begin_s &&
           at->s < smear_end(self);
}

/* Served time less UTC. */
static void name_smear(const struct mt_ntp_scale *self, const struct mt_instant *at,
                       uint8_t ret_id[4])
{
    int64_t off_q16 = -mt_span_to_interval(smeared(self, at)).q16;
    if (at->s >= jump_s(self)) {
        off_q16 += (int64_t)self->leap_s * MT_NS_PER_S * 65536;
    }
    uint32_t off = (uint32_t)(off_q16 * (INT64_C(1) << SMEARED_LOG >> 16) / MT_NS_PER_S);
    ret_id[0] = SMEARS;
    ret_id[1] = (uint8_t)(off >> 16);
    ret_id[2] = (uint8_t)(off >> 8);
    ret_id[3] = (uint8_t)off;
}

/* ---- how good it is -------------------------------------------------------------------------- */

static uint8_t leap_of(const struct mt_ntp_scale *scale, const struct mt_clock_page *page)
{
    int32_t leap_s = scale->announces_leap ? page->leap_s : scale->leap_s;
    bool is_over = !scale->announces_leap && page->anchor_s >= jump_s(scale);
    if (leap_s == 0 || is_over || scale->smear_s > 0) {
        return MT_NTP_LEAP_NONE;
    }
    return leap_s > 0 ? MT_NTP_LEAP_61 : MT_NTP_LEAP_59;
}

static bool is_synchronised(const struct mt_clock_page *page, struct mt_interval max_error)
{
    bool follows = page->state == MT_CLOCK_LOCKED || page->state == MT_CLOCK_HOLDOVER ||
                   page->state == MT_CLOCK_ACQUIRING;
    return follows && page->bound_reference != MT_BOUND_NONE &&
           page->bound_ns <= mt_interval_to_ns(max_error);
}

/* log2 s of what timestamps may be off, rounded up */
static int8_t precision_of(const struct mt_clock_page *page)
{
    int64_t reach_ns = MT_NS_PER_S >> -PRECISION_MIN;
    int8_t log2s = PRECISION_MIN;
    while (log2s < PRECISION_MAX &&
           (reach_ns = MT_NS_PER_S >> -log2s) < page->parts.granularity_ns) {
        log2s++;
    }
    return log2s;
}

/* Of IPv6 the first octets of a digest, which has nothing to keep secret. */
void mt_ntp_name_upstream(const struct mt_crypto *crypto, const struct mt_address *address,
                          uint8_t ret_id[4])
{
    uint8_t digest[MT_DIGEST_SIZE] = {0};
    const struct mt_piece piece = {address->octets, mt_address_length(address)};
    if (address->network == MT_NETWORK_UDP_IPV4) {
        memcpy(digest, address->octets, 4);
    } else if (crypto != NULL && crypto->digest != NULL) {
        (void)crypto->digest(MT_DIGEST_MD5, &piece, 1, digest);
    }
    memcpy(ret_id, digest, 4);
}

static void set_reference(const struct mt_ntp_serving_config *config,
                          const struct mt_ntp_upstream *upstream, struct mt_ntp_served *served)
{
    uint8_t own = upstream != NULL ? (uint8_t)(upstream->stratum + 1) : STRATUM_UNKNOWN;
    served->stratum = config->stratum != 0 ? config->stratum : own;
    if (served->stratum == 1 && config->has_reference_id) {
        memcpy(served->reference_id, config->reference_id, sizeof served->reference_id);
    } else if (upstream != NULL && upstream->address.network == MT_NETWORK_NONE) {
        memcpy(served->reference_id, upstream->reference_id, sizeof served->reference_id);
    } else if (upstream != NULL) {
        mt_ntp_name_upstream(config->crypto, &upstream->address, served->reference_id);
    }
}

static void serve_followed(const struct mt_ntp_serving_config *config,
                           const struct mt_clock_page *page, const struct mt_ntp_upstream *upstream,
                           struct mt_ntp_served *served)
{
    struct mt_interval bound = mt_interval_from_ns(page->bound_ns);
    set_reference(config, upstream, served);
    served->growth_ppb =
        page->bound_growth_ppb < UINT32_MAX ? (uint32_t)page->bound_growth_ppb : UINT32_MAX;
    served->root_dispersion = bound;
    if (upstream != NULL && upstream->root_delay.q16 > 0) {
        int64_t half_q16 = upstream->root_delay.q16 / 2;
        served->root_delay = upstream->root_delay;
        served->root_dispersion.q16 = bound.q16 > half_q16 ? bound.q16 - half_q16 : 0;
    }
}

/* It is the reference itself. */
static void serve_local(const struct mt_ntp_serving_config *config, struct mt_ntp_served *served)
{
    static const uint8_t local[4] = {'L', 'O', 'C', 'L'};
    static const uint8_t local_above[4] = {127, 127, 1, 1}; /* as an address, as everybody has it */
    const uint8_t *id = config->has_reference_id     ? config->reference_id
                        : config->local_stratum == 1 ? local
                                                     : local_above;
    served->stratum = config->local_stratum;
    memcpy(served->reference_id, id, sizeof served->reference_id);
}

void mt_ntp_serving_make(struct mt_ntp_serving *self, const struct mt_ntp_serving_config *config,
                         const struct mt_clock_page *page, const struct mt_ntp_upstream *upstream)
{
    const struct mt_instant anchor = {page->anchor_s, page->anchor_ns, page->anchor_frac,
                                      (enum mt_timescale)page->scale};
    const struct mt_instant before = self->served.reference;
    bool was_served = self->served.leap != MT_NTP_LEAP_UNKNOWN && self->served.stratum != 0;
    set_scale(&self->scale, page, config->smear_s, was_served);
    const struct mt_instant at = mt_ntp_scale_time(&self->scale, &anchor);
    struct mt_ntp_served served = {
        .leap = leap_of(&self->scale, page),
        .precision = precision_of(page),
        .reference = {.s = at.s, .scale = at.scale},
        .at = at,
    };
    if (self->scale.is_known && is_synchronised(page, config->max_error)) {
        serve_followed(config, page, upstream, &served);
        if (page->state == MT_CLOCK_HOLDOVER && before.s != 0) {
            served.reference = before;
        }
    } else if (self->scale.is_known && config->local_stratum != 0) {
        serve_local(config, &served);
    } else {
        served.leap = MT_NTP_LEAP_UNKNOWN;
    }
    if (served.stratum > MT_NTP_STRATUM_MAX) {
        served.leap = MT_NTP_LEAP_UNKNOWN;
    }
    self->served = served;
    memcpy(self->reference_id, served.reference_id, sizeof self->reference_id);
}

void mt_ntp_serving_pass(struct mt_ntp_serving *self, const struct mt_instant *at)
{
    const struct mt_ntp_scale *scale = &self->scale;
    bool is_over = !scale->announces_leap && at->s >= jump_s(scale);
    if (self->served.leap == MT_NTP_LEAP_UNKNOWN) {
        return;
    }
    if (is_over) {
        self->served.leap = MT_NTP_LEAP_NONE;
    }
    if (is_smearing(scale, at)) {
        name_smear(scale, at, self->served.reference_id);
    } else {
        memcpy(self->served.reference_id, self->reference_id, sizeof self->reference_id);
    }
}
