/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Each change begins a new parabola with the phase that the old one has reached and with the rate
 * that all terms add up to then.  A ramp of temperature ends by itself: its end is a parabola in
 * the future, which the next change throws away if it comes first.
 */
#include "platform/sim/sim_drift.h"

#include "platform/sim/sim_noise.h"

static const struct mt_sim_drift_piece *piece_at(const struct mt_sim_drift *self, int64_t ns)
{
    uint32_t number = self->pieces - 1;
    uint32_t oldest = self->pieces > MT_SIM_DRIFT_PIECES ? self->pieces - MT_SIM_DRIFT_PIECES : 0;

    while (number > oldest && ns < self->piece[number % MT_SIM_DRIFT_PIECES].start_ns) {
        number--;
    }
    return &self->piece[number % MT_SIM_DRIFT_PIECES];
}

static mt_real since_s(const struct mt_sim_drift_piece *piece, struct mt_base_time at)
{
    if (at.ns < piece->start_ns) {
        return 0;
    }
    return ((mt_real)(at.ns - piece->start_ns) + (mt_real)at.frac / 65536) / 1e9;
}

int64_t mt_sim_drift_gain_q16(const struct mt_sim_drift *self, struct mt_base_time at)
{
    if (self->pieces == 0) {
        return 0;
    }
    const struct mt_sim_drift_piece *piece = piece_at(self, at.ns);
    mt_real s = since_s(piece, at);

    return piece->gain_q16 + mt_sim_q16((piece->rate + piece->per_s * s / 2) * s * 1e9);
}

mt_real mt_sim_drift_rate(const struct mt_sim_drift *self, struct mt_base_time at)
{
    if (self->pieces == 0) {
        return 0;
    }
    const struct mt_sim_drift_piece *piece = piece_at(self, at.ns);

    return piece->rate + piece->per_s * since_s(piece, at);
}

/* ---- temperature ----------------------------------------------------------------------------- */

static mt_real kelvin_at(const struct mt_sim_drift *self, int64_t now_ns)
{
    int64_t since_ns = now_ns - self->ramp_begin_ns;

    if (since_ns >= self->terms.within_ns) {
        return self->terms.kelvin;
    }
    return self->kelvin_from + (self->terms.kelvin - self->kelvin_from) * (mt_real)since_ns /
                                   (mt_real)self->terms.within_ns;
}

mt_real mt_sim_drift_kelvin(const struct mt_sim_drift *self, int64_t base_ns)
{
    return self->pieces > 0 ? kelvin_at(self, base_ns) : 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

static void begin_piece(struct mt_sim_drift *self, int64_t start_ns, int64_t gain_q16, mt_real rate,
                        mt_real per_s)
{
    self->piece[self->pieces++ % MT_SIM_DRIFT_PIECES] =
        (struct mt_sim_drift_piece){start_ns, gain_q16, rate, per_s};
}

/* The piece that begins now, and the one at the end of the ramp, if there is one. */
static void begin_pieces(struct mt_sim_drift *self, int64_t gain_q16)
{
    const struct mt_sim_drift_terms *terms = &self->terms;
    int64_t ramp_end_ns = self->ramp_begin_ns + terms->within_ns;
    mt_real kelvin = kelvin_at(self, self->now_ns);
    mt_real rate =
        terms->frequency + self->aged + terms->lie_frequency + terms->coefficient * kelvin;

    if (self->now_ns >= ramp_end_ns) {
        begin_piece(self, self->now_ns, gain_q16, rate, terms->ageing_per_s);
        return;
    }
    mt_real left_s = (mt_real)(ramp_end_ns - self->now_ns) / 1e9;
    mt_real per_s = terms->ageing_per_s + terms->coefficient * (terms->kelvin - kelvin) / left_s;

    begin_piece(self, self->now_ns, gain_q16, rate, per_s);
    const struct mt_base_time end = {.ns = ramp_end_ns};
    int64_t end_q16 = mt_sim_drift_gain_q16(self, end);
    mt_real end_rate = rate + per_s * left_s;
    begin_piece(self, ramp_end_ns, end_q16, end_rate, terms->ageing_per_s);
}

/* Moves what has no closed form over changes up to now. */
static void bring_up(struct mt_sim_drift *self, int64_t now_ns)
{
    mt_real elapsed_s = (mt_real)(now_ns - self->now_ns) / 1e9;

    self->aged += self->terms.ageing_per_s * elapsed_s;
    self->lied_ns += self->terms.lie_frequency * elapsed_s * 1e9;
    while (self->piece[(self->pieces - 1) % MT_SIM_DRIFT_PIECES].start_ns > now_ns) {
        self->pieces--;
    }
    self->now_ns = now_ns;
}

void mt_sim_drift_change(struct mt_sim_drift *self, const struct mt_sim_drift_terms *terms,
                         bool begins_lie, int64_t now_ns)
{
    int64_t gain_q16 = mt_sim_drift_gain_q16(self, (struct mt_base_time){.ns = now_ns});
    mt_real kelvin = self->pieces > 0 ? kelvin_at(self, now_ns) : 0;
    bool is_new_ramp =
        terms->kelvin != self->terms.kelvin || terms->within_ns != self->terms.within_ns;

    if (self->pieces == 0) {
        begin_piece(self, 0, 0, 0, 0); /* all that was before */
    }
    bring_up(self, now_ns);
    if (begins_lie) {
        gain_q16 += mt_sim_q16(terms->lie_offset_s * 1e9 - self->lied_ns);
        self->lied_ns = terms->lie_offset_s * 1e9;
    }
    if (is_new_ramp) {
        self->kelvin_from = kelvin;
        self->ramp_begin_ns = now_ns;
    }
    self->terms = *terms;
    begin_pieces(self, gain_q16);
}
