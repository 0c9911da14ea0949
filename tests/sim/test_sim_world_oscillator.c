/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Oscillators: noise by its Allan and time deviation, and what changes by plan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_bare.h"

#define SAMPLES 16384
#define STEP_NS (BARE_S_NS / 16)

static struct bare net;
static double phase_ns[SAMPLES];

static bool is_near(double x, double expected, double share)
{
    return x > expected * (1 - share) && x < expected * (1 + share);
}

static double gain_ns(uint32_t node)
{
    return (double)mt_world_oscillator_gain(net.world, node, mt_world_t_ns(net.world)).q16 / 65536;
}

static void open_with(const struct mt_sim_node_config *config)
{
    bare_open(&net, 1);
    assert_int_equal(mt_world_add_node(net.world, config), 0);
}

static void sample_phase(const struct mt_sim_node_config *config)
{
    open_with(config);
    for (int i = 0; i < SAMPLES; i++) {
        phase_ns[i] = gain_ns(0);
        bare_run(&net, STEP_NS);
    }
    bare_close(&net);
}

/* ns; overlapping, of the phase samples n apart */
static double allan_times_tau(int n)
{
    double sum = 0;

    for (int i = 0; i + 2 * n < SAMPLES; i++) {
        double second = phase_ns[i + 2 * n] - 2 * phase_ns[i + n] + phase_ns[i];
        sum += second * second;
    }
    return mt_real_sqrt(sum / 2 / (SAMPLES - 2 * n));
}

/* ns; of means over n samples */
static double time_deviation(int n)
{
    double sum = 0;
    int count = 0;

    for (int i = 0; i + 3 * n<SAMPLES; i += n> 8 ? n / 8 : 1) {
        double second = 0;
        for (int k = i; k < i + n; k++) {
            second += phase_ns[k + 2 * n] - 2 * phase_ns[k + n] + phase_ns[k];
        }
        sum += second * second / n / n;
        count++;
    }
    return mt_real_sqrt(sum / 6 / count);
}

/* ---- noise ----------------------------------------------------------------------------------- */

/* White phase: ADEV tau = sqrt(3) s at all times, TDEV falls as 1 / sqrt(n). */
static void sim_oscillator_has_white_phase_noise_when_told(void **state)
{
    sample_phase(&(struct mt_sim_node_config){.white_phase_ns = 10});
    for (int n = 1; n <= 256; n *= 4) {
        assert_true(is_near(allan_times_tau(n), 10 * mt_real_sqrt(3), 0.04));
        assert_true(is_near(time_deviation(n), 10 / mt_real_sqrt(n), 0.15));
    }
}

/* Flicker phase: TDEV is flat. */
static void sim_oscillator_has_flicker_phase_noise_when_told(void **state)
{
    sample_phase(&(struct mt_sim_node_config){.flicker_phase_ns = 10});
    for (int n = 4; n <= 256; n *= 4) {
        assert_true(is_near(time_deviation(n), 10, 0.2));
    }
}

/* Random walk of the frequency: ADEV = w sqrt(tau / 3). */
static void sim_oscillator_walks_in_frequency_when_it_wanders(void **state)
{
    sample_phase(&(struct mt_sim_node_config){.wander = 1e-9});
    for (int n = 16; n <= 256; n *= 4) {
        double tau_s = n / 16.0;
        assert_true(is_near(allan_times_tau(n), tau_s * mt_real_sqrt(tau_s / 3), 0.15));
    }
}

static void sim_oscillator_is_perfect_when_all_is_zero(void **state)
{
    sample_phase(&(struct mt_sim_node_config){0});
    for (int i = 0; i < SAMPLES; i++) {
        assert_true(phase_ns[i] == 0);
    }
}

/* Noise is a function of time: who looks twice sees the same. */
static void sim_oscillator_shows_the_same_noise_when_it_is_read_again(void **state)
{
    open_with(&(struct mt_sim_node_config){.white_phase_ns = 10, .flicker_phase_ns = 10});
    double before_ns[50];
    for (int i = 0; i < 50; i++) {
        before_ns[i] = gain_ns(0);
        bare_run(&net, BARE_S_NS / 10);
    }
    for (int i = 49; i >= 0; i--) {
        int64_t t_ns = i * (BARE_S_NS / 10);
        double again_ns = (double)mt_world_oscillator_gain(net.world, 0, t_ns).q16 / 65536;
        assert_true(again_ns == before_ns[i] && again_ns != 0);
    }
    bare_close(&net);
}

/* ---- what changes by plan -------------------------------------------------------------------- */

static void sim_oscillator_gains_with_the_square_of_time_when_it_ages(void **state)
{
    open_with(&(struct mt_sim_node_config){.ageing_per_day = 86400e-12});
    bare_run(&net, 1000 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 1e-12 * 1e6 / 2 * 1e9, 1e-6));
    mt_world_node_config(net.world, 0)->ageing_per_day = 0;
    bare_run(&net, 1000 * BARE_S_NS); /* at the frequency that it has reached */
    assert_true(is_near(gain_ns(0), 500 + 1000, 1e-6));
    bare_close(&net);
}

static void sim_oscillator_jumps_when_its_frequency_is_changed(void **state)
{
    open_with(&(struct mt_sim_node_config){.frequency = 1e-6});
    bare_run(&net, 100 * BARE_S_NS);
    mt_world_node_config(net.world, 0)->frequency = -2e-6;
    bare_run(&net, 100 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 1e5 - 2e5, -1e-6));
    int64_t past_t_ns = 99 * BARE_S_NS + BARE_S_NS / 2;
    bare_run(&net, 0);
    assert_true(is_near(
        (double)mt_world_oscillator_gain(net.world, 0, past_t_ns + 97 * BARE_S_NS).q16 / 65536,
        1e5 - 2e-6 * 96.5e9, -1e-6));
    bare_close(&net);
}

static void sim_oscillator_follows_temperature_when_it_has_a_coefficient(void **state)
{
    open_with(&(struct mt_sim_node_config){.temperature_coefficient = 1e-7});
    mt_world_set_temperature(net.world, 0, 10, 0); /* a step: 1e-6 */
    bare_run(&net, 10 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 10e3, 1e-6));
    mt_world_set_temperature(net.world, 0, -10, 20 * BARE_S_NS); /* a ramp through 0 */
    bare_run(&net, 10 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 10e3 + 5e3, 1e-6));
    bare_run(&net, 10 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 10e3, 1e-6));
    bare_run(&net, 10 * BARE_S_NS); /* it stays there */
    assert_true(gain_ns(0) < 1e-3 && gain_ns(0) > -1e-3);
    bare_close(&net);
}

static void sim_oscillator_ends_a_ramp_when_another_begins(void **state)
{
    open_with(&(struct mt_sim_node_config){.temperature_coefficient = 1e-7});
    mt_world_set_temperature(net.world, 0, 10, 10 * BARE_S_NS);
    bare_run(&net, 5 * BARE_S_NS); /* at 5 K: 1.25 us */
    mt_world_set_temperature(net.world, 0, 0, 5 * BARE_S_NS);
    bare_run(&net, 100 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 2500, 1e-6));
    bare_close(&net);
}

static void sim_clock_lies_from_now_on_when_told(void **state)
{
    open_with(&(struct mt_sim_node_config){.frequency = 1e-6});
    bare_run(&net, 10 * BARE_S_NS);
    mt_world_set_lie(net.world, 0, 0.5, 1e-5);
    assert_true(is_near(gain_ns(0), 10e3 + 0.5e9, 1e-9));
    int64_t before_t_ns = mt_world_t_ns(net.world) - 1;
    assert_true(mt_world_oscillator_gain(net.world, 0, before_t_ns).q16 < 65536 * 10001);
    bare_run(&net, 10 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 20e3 + 0.5e9 + 1e5, 1e-9));
    mt_world_set_lie(net.world, 0, 0, 0);
    bare_run(&net, 10 * BARE_S_NS);
    assert_true(is_near(gain_ns(0), 30e3, 1e-6));
    bare_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_oscillator_has_white_phase_noise_when_told),
        cmocka_unit_test(sim_oscillator_has_flicker_phase_noise_when_told),
        cmocka_unit_test(sim_oscillator_walks_in_frequency_when_it_wanders),
        cmocka_unit_test(sim_oscillator_is_perfect_when_all_is_zero),
        cmocka_unit_test(sim_oscillator_shows_the_same_noise_when_it_is_read_again),
        cmocka_unit_test(sim_oscillator_gains_with_the_square_of_time_when_it_ages),
        cmocka_unit_test(sim_oscillator_jumps_when_its_frequency_is_changed),
        cmocka_unit_test(sim_oscillator_follows_temperature_when_it_has_a_coefficient),
        cmocka_unit_test(sim_oscillator_ends_a_ramp_when_another_begins),
        cmocka_unit_test(sim_clock_lies_from_now_on_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
