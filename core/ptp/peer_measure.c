/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From single Pdelay exchanges to the mean link delay and the neighbour's rate, in integers.
 *
 * The delay of a link is nearly constant, so its mean is taken over as many exchanges as 64: its
 * noise is then an eighth of one exchange's.  It begins with the median of the first five, since
 * nothing is known yet by which an outlier could be told.  After that an exchange that is far
 * off, in mean deviations, is refused; three of these that agree are another path and begin the
 * mean anew.  A change that is too small for that shows in a short mean of what the exchanges
 * deviate by; it moves the long one and makes it quick again.  Each refusal widens the gate, so a
 * path that has become noisy is soon followed.
 *
 * The rate is that between the ends of a window of exchanges.  A point that the rate does not
 * explain is a step of one of both clocks, or the end of a slew: the window begins anew with it,
 * and until there is another one the old rate holds.
 */
#include "ptp/peer_private.h"

#define MEAN_MOST      64
#define DEVIATION_MOST 16
#define GATE           8                       /* mean deviations: 6.4 sigma of normal noise */
#define GRANULARITY    (INT64_C(8) * 65536)    /* stamps of equal value may still be so wrong */
#define AGREEING       3                       /* refused ones that are another path */
#define SHORT_MEAN     4                       /* exchanges */
#define SHIFT(dev)     (2 * (dev) + (dev) / 8) /* 4.5 sigma of the short mean */
#define DELAY_MOST     (INT64_C(1) << 52)      /* 2^-16 ns: 69 s */
#define RATE_SHIFT     41
#define ELAPSED_MOST   (INT64_C(1) << 36) /* ns: 69 s */
#define AHEAD_MOST     (INT64_C(1) << 60) /* 2^-16 ns: 5 h since the window began */
#define RATE_LOOSE     10                 /* 2^-10: no oscillator is so far off */
#define RATE_STEERED   17                 /* 2^-17: nor a clock that is steered with care */

static int64_t size_of(int64_t a)
{
    return a < 0 ? -a : a;
}

/* ---- the mean link delay --------------------------------------------------------------------- */

static int64_t median(const int64_t *values, unsigned count)
{
    int64_t sorted[MT_PEER_START];
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > values[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = values[i];
    }
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

static void begin(struct mt_link_delay *self, int64_t delay_q16)
{
    int64_t off[MT_PEER_START];
    unsigned count = self->count + 1;
    self->first_q16[self->count] = delay_q16;
    self->count = count;
    self->mean_q16 = median(self->first_q16, count);
    for (unsigned i = 0; i < count; i++) {
        off[i] = size_of(self->first_q16[i] - self->mean_q16);
    }
    self->deviation_q16 = median(off, count);
}

static void move_to(struct mt_link_delay *self, int64_t mean_q16, uint32_t count)
{
    self->mean_q16 = mean_q16;
    self->count = count;
    self->short_q16 = 0;
    self->refused = 0;
}

static enum mt_link_fit refuse(struct mt_link_delay *self, int64_t delay_q16, int64_t gate_q16)
{
    int64_t apart_q16 = size_of(delay_q16 - self->refused_q16);
    if (self->refused == 0 || apart_q16 > gate_q16) {
        self->refused = 0;
        self->refused_q16 = delay_q16;
    }
    self->refused++;
    self->refused_q16 += (delay_q16 - self->refused_q16) / self->refused;
    if (self->refused < AGREEING) {
        self->deviation_q16 += self->deviation_q16 / 2 + GRANULARITY / GATE;
        return MT_LINK_REFUSED;
    }
    move_to(self, self->refused_q16, MT_PEER_START);
    return MT_LINK_USED;
}

static int64_t shorter_of(uint32_t count, int64_t most)
{
    return count < most ? (int64_t)count : most;
}

static void absorb(struct mt_link_delay *self, int64_t off_q16)
{
    self->count += self->count < UINT32_MAX;
    self->refused = 0;
    self->deviation_q16 += (size_of(off_q16 - self->short_q16) - self->deviation_q16) /
                           shorter_of(self->count, DEVIATION_MOST);
    self->short_q16 += (off_q16 - self->short_q16) / SHORT_MEAN;
    self->mean_q16 += off_q16 / shorter_of(self->count, MEAN_MOST);
    if (size_of(self->short_q16) > SHIFT(self->deviation_q16) + GRANULARITY) {
        move_to(self, self->mean_q16 + self->short_q16, SHORT_MEAN + 1);
    }
}

enum mt_link_fit mt_link_delay_take(struct mt_link_delay *self, int64_t delay_q16, bool is_across)
{
    if (delay_q16 > DELAY_MOST || delay_q16 < -DELAY_MOST) {
        return MT_LINK_VOID;
    }
    if (self->is_stored) {
        self->is_stored = false;
        self->count = 0;
    }
    if (self->count < MT_PEER_START) {
        begin(self, delay_q16);
        return MT_LINK_USED;
    }
    int64_t off_q16 = delay_q16 - self->mean_q16;
    int64_t gate_q16 = GATE * self->deviation_q16 + GRANULARITY;
    if (size_of(off_q16) > gate_q16) {
        return is_across ? MT_LINK_VOID : refuse(self, delay_q16, gate_q16);
    }
    absorb(self, off_q16);
    return MT_LINK_USED;
}

int64_t mt_link_delay_spread_q16(const struct mt_link_delay *self)
{
    return self->deviation_q16 + self->deviation_q16 / 4; /* of normal noise: sqrt(pi / 2) */
}

int64_t mt_link_delay_sigma_q16(const struct mt_link_delay *self)
{
    int64_t exchanges = shorter_of(self->count, 2 * MEAN_MOST); /* what 1/64 averages over */
    int64_t root = 1;
    if (self->count < 3) {
        return size_of(self->mean_q16); /* nothing is known of the noise */
    }
    while (16 * exchanges >= (root + 1) * (root + 1)) {
        root++;
    }
    return 4 * mt_link_delay_spread_q16(self) / root;
}

/* ---- the neighbour's rate -------------------------------------------------------------------- */

/* a * 2^41 / b, as exactly as 64 bits allow; b > 0. */
static int64_t scaled_ratio(int64_t a, int64_t b)
{
    unsigned shift = RATE_SHIFT;
    while (shift > 0 && size_of(a) < INT64_C(1) << 61) {
        a *= 2;
        shift--;
    }
    b >>= shift;
    return b > 0 ? a / b : 0;
}

static const struct mt_link_rate_point *newest(const struct mt_link_rate *self)
{
    return &self->points[(self->next + MT_PEER_WINDOW - 1) % MT_PEER_WINDOW];
}

static void append(struct mt_link_rate *self, const struct mt_link_rate_point *point)
{
    self->points[self->next] = *point;
    self->next = (uint8_t)((self->next + 1) % MT_PEER_WINDOW);
    self->count = (uint8_t)(self->count < MT_PEER_WINDOW ? self->count + 1 : MT_PEER_WINDOW);
}

static void start(struct mt_link_rate *self, const struct mt_span *ahead, int64_t local_ns)
{
    const struct mt_link_rate_point point = {local_ns, 0};
    self->base = *ahead;
    self->next = 0;
    self->count = 0;
    append(self, &point);
}

/* The new point lies where the last one and the rate say. */
static bool is_steady(const struct mt_link_rate *self, const struct mt_link_rate_point *point,
                      int64_t noise_q16)
{
    const struct mt_link_rate_point *last = newest(self);
    int64_t elapsed_ns = point->local_ns - last->local_ns;
    unsigned shift = self->count > 1 ? RATE_STEERED : RATE_LOOSE;
    if (elapsed_ns <= 0 || elapsed_ns > ELAPSED_MOST || size_of(point->ahead_q16) > AHEAD_MOST) {
        return false;
    }
    int64_t elapsed_q16 = elapsed_ns * 65536;
    int64_t expected_q16 =
        last->ahead_q16 + mt_link_rate_apply_q16(self, elapsed_q16) - elapsed_q16;
    int64_t off_q16 = size_of(point->ahead_q16 - expected_q16);
    return off_q16 <= (elapsed_q16 >> shift) + GATE * (noise_q16 + GRANULARITY);
}

void mt_link_rate_take(struct mt_link_rate *self, const struct mt_instant *ours,
                       const struct mt_instant *theirs, int64_t noise_q16)
{
    struct mt_span ahead;
    mt_span_between(ours, theirs, &ahead);
    struct mt_link_rate_point point = {.local_ns = mt_instant_to_ns(*ours)};
    point.ahead_q16 = mt_span_to_interval(mt_span_minus(ahead, self->base)).q16;
    if (point.ahead_q16 < -AHEAD_MOST) { /* it has no opposite number */
        point.ahead_q16 = INT64_MAX;
    }
    if (self->count == 0 || !is_steady(self, &point, noise_q16)) {
        start(self, &ahead, point.local_ns);
        return;
    }
    append(self, &point);
    const struct mt_link_rate_point *oldest =
        &self->points[(self->next + MT_PEER_WINDOW - self->count) % MT_PEER_WINDOW];
    int64_t ratio = scaled_ratio(point.ahead_q16 - oldest->ahead_q16,
                                 (point.local_ns - oldest->local_ns) * 65536);
    ratio = ratio > INT32_MAX ? INT32_MAX : ratio;
    self->is_known = true;
    self->ratio = (int32_t)(ratio < -INT32_MAX ? -INT32_MAX : ratio);
}

bool mt_link_rate_is_valid(const struct mt_link_rate *self)
{
    return self->is_known;
}

bool mt_link_rate_compare(const struct mt_link_rate *self, const struct mt_instant *ours,
                          const struct mt_span *ahead, int64_t *ret_apart_q16,
                          int64_t *ret_tolerance_q16)
{
    const struct mt_link_rate_point *last = newest(self);
    int64_t elapsed_ns = mt_instant_to_ns(*ours) - last->local_ns;
    if (!mt_link_rate_is_valid(self) || size_of(elapsed_ns) > ELAPSED_MOST) {
        return false;
    }
    int64_t elapsed_q16 = elapsed_ns * 65536;
    int64_t apart_q16 = mt_span_to_interval(mt_span_minus(*ahead, self->base)).q16;
    if (apart_q16 > AHEAD_MOST || apart_q16 < -AHEAD_MOST) {
        return false;
    }
    apart_q16 -= last->ahead_q16 + mt_link_rate_apply_q16(self, elapsed_q16) - elapsed_q16;
    *ret_apart_q16 = apart_q16;
    *ret_tolerance_q16 = size_of(elapsed_q16) >> RATE_STEERED;
    return true;
}

int64_t mt_link_rate_apply_q16(const struct mt_link_rate *self, int64_t local_q16)
{
    return local_q16 + (local_q16 / (1 << 21)) * self->ratio / (1 << 20);
}
