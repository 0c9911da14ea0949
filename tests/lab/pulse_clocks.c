/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A module of a guest's kernel: hardware clocks with pins.  Each clock has an oscillator of its own
 * over CLOCK_MONOTONIC_RAW.  Pins of the same number of all clocks are wired together, so what one
 * clock puts out on its pin 1 another can stamp on its pin 1.
 *
 * All clocks are functions of one counter, so an edge needs no interrupt: a look every few
 * milliseconds finds the edges that were due since the last one, and computes at which reading of
 * the counter they were, and what the stamping clocks read then.  Stamps are exact; that they come
 * late is what hardware does, too.
 *
 * Drivers differ, and so do the clocks here, each by a parameter (lists, a value for each clock):
 * ppb: error of the oscillator; loose: stamps both edges whatever is asked for, and refuses to
 * promise otherwise; startable: its output wants a start and goes on from edge to edge, so it is
 * left behind when the clock is stepped, where others keep a phase; precise: reads itself and the
 * system's clock at one moment.  wire_ns: how long an edge is on the wire.
 *
 * A pin may lead to the processor, too (line_pin): there each edge interrupts, and the kernel
 * stamps it with the system's clock, for /dev/ppsN.  Such an interrupt is a timer's, and as late as
 * those are; with early_ns it comes before the edge and waits for it, so it is prompt.
 * latencies_ns tells by how much the last ones were late; inverted: the line is high while the pin
 * is low; is_cut: no edge gets through.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/pps_kernel.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#define CLOCKS      4
#define PINS        3
#define CHANNELS    2
#define LOOK_MS     5
#define MAX_PPB     500000
#define LEAST_NS    1000000 /* between two edges */
#define REFINEMENTS 4
#define AHEAD_NS    50000000 /* a timer is set for an edge */
#define LATENCIES   128

static int count = 2;
static int ppb[CLOCKS];
static int loose[CLOCKS];
static int startable[CLOCKS];
static int precise[CLOCKS];
static int wire_ns;
static int line_pin = -1;
static int early_ns;
static bool inverted;
static bool is_cut;
static int latencies_ns[LATENCIES];
static int latency_count;
module_param(count, int, 0444);
module_param_array(ppb, int, NULL, 0444);
module_param_array(loose, int, NULL, 0444);
module_param_array(startable, int, NULL, 0444);
module_param_array(precise, int, NULL, 0444);
module_param(wire_ns, int, 0444);
module_param(line_pin, int, 0444);
module_param(early_ns, int, 0444);
module_param(inverted, bool, 0444);
module_param(is_cut, bool, 0644);
module_param_array(latencies_ns, int, &latency_count, 0444);

struct output {
    bool is_on;
    bool is_high;
    bool has_missed; /* the clock was stepped over its next edge */
    s64 rise_ns;     /* of its pulse that is or comes next, by the clock */
    s64 period_ns;
    s64 width_ns;
};

struct pulse_clock {
    struct ptp_clock_info info;
    struct ptp_clock *registered;
    struct ptp_pin_desc pins[PINS];
    int number;
    long scaled_ppm;
    u64 base_counter; /* there it read this, and the fraction in 2^-32 ns */
    s64 base_ns;
    u32 base_fraction;
    struct output outputs[CHANNELS];
    unsigned int inputs[CHANNELS]; /* flags of the request; 0: off */
};

/* of the processor */
struct interrupt_line {
    struct pps_device *source;
    struct hrtimer timer;
    s64 edge_ns; /* that it is set for, by the clock that makes it */
    u64 edge_counter;
    int event;
    unsigned int count;
};

static struct pulse_clock clocks[CLOCKS];
static struct interrupt_line line;
static DEFINE_SPINLOCK(lock);
static struct delayed_work work;

#define CLOCK_OF(pointer) container_of(pointer, struct pulse_clock, info)

/* ---- time ---------------------------------------------------------------------------------- */

/* faster than the counter, in 2^-32 */
static s64 rate_of(const struct pulse_clock *clock)
{
    return div_s64((s64)ppb[clock->number] << 32, NSEC_PER_SEC) +
           div_s64((s64)clock->scaled_ppm << 16, 1000000);
}

static s64 read_at(const struct pulse_clock *clock, u64 counter)
{
    s64 since = (s64)(counter - clock->base_counter);

    return clock->base_ns + since + ((since * rate_of(clock) + clock->base_fraction) >> 32);
}

/* From here on it may go on at another rate. */
static void rebase(struct pulse_clock *clock, u64 counter)
{
    s64 since = (s64)(counter - clock->base_counter);
    s64 more = since * rate_of(clock) + clock->base_fraction;

    clock->base_ns += since + (more >> 32);
    clock->base_fraction = (u32)more;
    clock->base_counter = counter;
}

/* when it reads that, which is about now */
static u64 counter_at(const struct pulse_clock *clock, s64 ns)
{
    u64 counter = clock->base_counter;
    int i;

    for (i = 0; i < REFINEMENTS; i++) {
        counter += (u64)(ns - read_at(clock, counter));
    }
    return counter;
}

/* ---- the line to the processor ------------------------------------------------------------- */

static enum hrtimer_restart interrupt(struct hrtimer *timer)
{
    struct system_time_snapshot now;
    struct pps_event_time stamp = {};

    do {
        ktime_get_snapshot(&now);
    } while ((s64)((u64)ktime_to_ns(now.raw) - line.edge_counter) < 0);
    if (is_cut) {
        return HRTIMER_NORESTART;
    }
    stamp.ts_real = ktime_to_timespec64(now.real);
    latencies_ns[line.count % LATENCIES] =
        (int)min((u64)ktime_to_ns(now.raw) - line.edge_counter, (u64)INT_MAX);
    line.count++;
    latency_count = (int)min(line.count, (unsigned int)LATENCIES);
    pps_event(line.source, &stamp, line.event, NULL);
    return HRTIMER_NORESTART;
}

static bool leads_to_processor(const struct pulse_clock *clock, unsigned int channel)
{
    return line.source && clock->pins[line_pin].func == PTP_PF_PEROUT &&
           clock->pins[line_pin].chan == channel;
}

/* Once for each edge, when it comes near. */
static void set_timer(const struct pulse_clock *clock, s64 edge_ns, bool is_rising, u64 counter)
{
    u64 edge = counter_at(clock, edge_ns) + (u64)wire_ns;
    s64 left_ns = (s64)(edge - counter);

    if (edge_ns != line.edge_ns && left_ns < AHEAD_NS) {
        line.edge_ns = edge_ns;
        line.edge_counter = edge;
        line.event = is_rising != inverted ? PPS_CAPTUREASSERT : PPS_CAPTURECLEAR;
        hrtimer_start(&line.timer, ns_to_ktime(max(left_ns - early_ns, 0LL)), HRTIMER_MODE_REL);
    }
}

static int add_line(void)
{
    struct pps_source_info info = {
        .name = "pulses",
        .mode = PPS_CAPTUREBOTH | PPS_CANWAIT | PPS_TSFMT_TSPEC,
        .owner = THIS_MODULE,
    };
    struct pps_device *source;

    if (line_pin < 0 || line_pin >= PINS) {
        return 0;
    }
    hrtimer_init(&line.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
    line.timer.function = interrupt;
    source = pps_register_source(&info, PPS_CAPTUREASSERT);
    if (IS_ERR(source)) {
        return (int)PTR_ERR(source);
    }
    line.source = source;
    return 0;
}

static void remove_line(void)
{
    if (line.source) {
        hrtimer_cancel(&line.timer);
        pps_unregister_source(line.source);
    }
}

/* ---- edges --------------------------------------------------------------------------------- */

static bool is_stamped(const struct pulse_clock *clock, unsigned int input, bool is_rising)
{
    unsigned int wanted = is_rising ? PTP_RISING_EDGE : PTP_FALLING_EDGE;

    return (input & PTP_ENABLE_FEATURE) &&
           (loose[clock->number] || (input & wanted) || !(input & PTP_EXTTS_EDGES));
}

static void stamp(unsigned int pin, u64 counter, bool is_rising)
{
    int i;

    for (i = 0; i < count; i++) {
        struct pulse_clock *clock = &clocks[i];
        struct ptp_clock_event event = {.type = PTP_CLOCK_EXTTS};
        unsigned int channel = clock->pins[pin].chan;

        if (clock->pins[pin].func == PTP_PF_EXTTS && channel < CHANNELS &&
            is_stamped(clock, clock->inputs[channel], is_rising)) {
            event.index = (int)channel;
            event.timestamp = (u64)read_at(clock, counter + (u64)wire_ns);
            ptp_clock_event(clock->registered, &event);
        }
    }
}

static void put_out(const struct pulse_clock *clock, unsigned int channel, s64 ns, bool is_rising)
{
    unsigned int pin;

    for (pin = 0; pin < PINS; pin++) {
        if (clock->pins[pin].func == PTP_PF_PEROUT && clock->pins[pin].chan == channel) {
            stamp(pin, counter_at(clock, ns), is_rising);
        }
    }
}

/* Makes the edges that were due up to this reading. */
static void look_at(const struct pulse_clock *clock, struct output *output, unsigned int channel,
                    u64 counter)
{
    s64 now_ns = read_at(clock, counter);

    while (output->is_on && !output->has_missed) {
        s64 next_ns = output->rise_ns + (output->is_high ? output->width_ns : 0);

        if (leads_to_processor(clock, channel)) {
            set_timer(clock, next_ns, !output->is_high, counter);
        }
        if (now_ns < next_ns) {
            return;
        }
        output->is_high = !output->is_high;
        put_out(clock, channel, next_ns, output->is_high);
        output->rise_ns += output->is_high ? 0 : output->period_ns;
    }
}

static u64 look(void)
{
    u64 counter = ktime_get_raw_ns();
    unsigned int channel;
    int i;

    for (i = 0; i < count; i++) {
        for (channel = 0; channel < CHANNELS; channel++) {
            look_at(&clocks[i], &clocks[i].outputs[channel], channel, counter);
        }
    }
    for (i = 0; i < count; i++) {
        rebase(&clocks[i], counter);
    }
    return counter;
}

static void look_again(struct work_struct *unused)
{
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    look();
    spin_unlock_irqrestore(&lock, flags);
    schedule_delayed_work(&work, msecs_to_jiffies(LOOK_MS));
}

static s64 remainder_of(s64 ns, s64 period_ns)
{
    u64 remainder;

    div64_u64_rem((u64)ns, (u64)period_ns, &remainder);
    return (s64)remainder;
}

/* The first reading after this one that is `phase_ns` behind a whole period. */
static s64 next_in_phase(s64 now_ns, s64 phase_ns, s64 period_ns)
{
    return now_ns - remainder_of(now_ns - remainder_of(phase_ns, period_ns), period_ns) + period_ns;
}

static void after_step(struct pulse_clock *clock)
{
    s64 now_ns = clock->base_ns;
    unsigned int channel;

    if (line.source && hrtimer_try_to_cancel(&line.timer) >= 0) {
        line.edge_ns = 0;
    }
    for (channel = 0; channel < CHANNELS; channel++) {
        struct output *output = &clock->outputs[channel];

        output->is_high = false;
        if (!startable[clock->number] && output->is_on) {
            output->rise_ns = next_in_phase(now_ns, output->rise_ns, output->period_ns);
        } else if (now_ns >= output->rise_ns) {
            output->has_missed = true;
        }
    }
}

/* ---- what a driver offers ------------------------------------------------------------------ */

static int adjust_rate(struct ptp_clock_info *info, long scaled_ppm)
{
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    look();
    CLOCK_OF(info)->scaled_ppm = scaled_ppm;
    spin_unlock_irqrestore(&lock, flags);
    return 0;
}

static int adjust_time(struct ptp_clock_info *info, s64 by_ns)
{
    struct pulse_clock *clock = CLOCK_OF(info);
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    look();
    clock->base_ns += by_ns;
    after_step(clock);
    spin_unlock_irqrestore(&lock, flags);
    return 0;
}

static int set_time(struct ptp_clock_info *info, const struct timespec64 *time)
{
    struct pulse_clock *clock = CLOCK_OF(info);
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    look();
    clock->base_ns = timespec64_to_ns(time);
    clock->base_fraction = 0;
    after_step(clock);
    spin_unlock_irqrestore(&lock, flags);
    return 0;
}

static int get_time(struct ptp_clock_info *info, struct timespec64 *time,
                    struct ptp_system_timestamp *around)
{
    unsigned long flags;
    u64 counter;
    s64 ns;

    spin_lock_irqsave(&lock, flags);
    ptp_read_system_prets(around);
    counter = ktime_get_raw_ns();
    ptp_read_system_postts(around);
    ns = read_at(CLOCK_OF(info), counter);
    spin_unlock_irqrestore(&lock, flags);
    *time = ns_to_timespec64(ns);
    return 0;
}

static int get_both_times(struct ptp_clock_info *info, struct system_device_crosststamp *both)
{
    struct system_time_snapshot system;
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    ktime_get_snapshot(&system);
    both->device = ns_to_ktime(read_at(CLOCK_OF(info), (u64)ktime_to_ns(system.raw)));
    spin_unlock_irqrestore(&lock, flags);
    both->sys_realtime = system.real;
    both->sys_monoraw = system.raw;
    return 0;
}

static int begin_output(struct pulse_clock *clock, const struct ptp_perout_request *wanted)
{
    struct output *output = &clock->outputs[wanted->index];
    s64 period_ns = wanted->period.sec * NSEC_PER_SEC + wanted->period.nsec;
    s64 on_ns = wanted->on.sec * NSEC_PER_SEC + wanted->on.nsec;
    s64 start_ns = wanted->start.sec * NSEC_PER_SEC + wanted->start.nsec; /* or the phase */
    bool has_phase = wanted->flags & PTP_PEROUT_PHASE;

    if ((wanted->flags & ~(PTP_PEROUT_PHASE | PTP_PEROUT_DUTY_CYCLE)) ||
        (has_phase && startable[clock->number])) {
        return -EOPNOTSUPP;
    }
    if (period_ns != 0 && period_ns < 2 * LEAST_NS) {
        return -ERANGE;
    }
    look();
    if (has_phase) {
        start_ns = next_in_phase(clock->base_ns, start_ns, period_ns);
    } else if (period_ns != 0 && start_ns <= clock->base_ns) {
        return -ERANGE; /* past */
    }
    *output = (struct output){
        .is_on = period_ns != 0,
        .rise_ns = start_ns,
        .period_ns = period_ns,
        .width_ns = wanted->flags & PTP_PEROUT_DUTY_CYCLE ? on_ns : period_ns / 2,
    };
    return 0;
}

static int begin_input(struct pulse_clock *clock, const struct ptp_extts_request *wanted, int on)
{
    if ((wanted->flags & PTP_STRICT_FLAGS) && loose[clock->number]) {
        return -EOPNOTSUPP;
    }
    look();
    clock->inputs[wanted->index] = on ? wanted->flags | PTP_ENABLE_FEATURE : 0;
    return 0;
}

static int enable(struct ptp_clock_info *info, struct ptp_clock_request *request, int on)
{
    unsigned long flags;
    int result = -EOPNOTSUPP;

    spin_lock_irqsave(&lock, flags);
    if (request->type == PTP_CLK_REQ_EXTTS) {
        result = begin_input(CLOCK_OF(info), &request->extts, on);
    } else if (request->type == PTP_CLK_REQ_PEROUT) {
        result = begin_output(CLOCK_OF(info), &request->perout);
    }
    spin_unlock_irqrestore(&lock, flags);
    return result;
}

static int verify(struct ptp_clock_info *info, unsigned int pin, enum ptp_pin_function function,
                  unsigned int channel)
{
    return function == PTP_PF_PHYSYNC ? -EOPNOTSUPP : 0;
}

/* ---- beginning and end --------------------------------------------------------------------- */

static int add_clock(int number)
{
    struct pulse_clock *clock = &clocks[number];
    unsigned int pin;

    clock->number = number;
    clock->base_counter = ktime_get_raw_ns();
    clock->base_ns = ktime_get_real_ns();
    for (pin = 0; pin < PINS; pin++) {
        snprintf(clock->pins[pin].name, sizeof clock->pins[pin].name, "PIN%u", pin);
        clock->pins[pin].index = pin;
    }
    clock->info = (struct ptp_clock_info){
        .owner = THIS_MODULE,
        .max_adj = MAX_PPB,
        .n_ext_ts = CHANNELS,
        .n_per_out = CHANNELS,
        .n_pins = PINS,
        .pin_config = clock->pins,
        .adjfine = adjust_rate,
        .adjtime = adjust_time,
        .settime64 = set_time,
        .gettimex64 = get_time,
        .getcrosststamp = precise[number] ? get_both_times : NULL,
        .enable = enable,
        .verify = verify,
    };
    snprintf(clock->info.name, sizeof clock->info.name, "pulses%d", number);
    clock->registered = ptp_clock_register(&clock->info, NULL);
    return PTR_ERR_OR_ZERO(clock->registered);
}

static void remove_clocks(void)
{
    cancel_delayed_work_sync(&work);
    remove_line();
    while (count > 0) {
        ptp_clock_unregister(clocks[--count].registered);
    }
}

static int __init begin(void)
{
    int wanted = min(count, CLOCKS);
    int error = add_line();

    INIT_DELAYED_WORK(&work, look_again);
    count = 0;
    while (count < wanted && error == 0) {
        error = add_clock(count);
        count += error == 0;
    }
    if (error) {
        remove_clocks();
        return error;
    }
    schedule_delayed_work(&work, msecs_to_jiffies(LOOK_MS));
    return 0;
}

module_init(begin);
module_exit(remove_clocks);
MODULE_DESCRIPTION("Hardware clocks with pins for meantime's laboratory");
MODULE_LICENSE("Dual MIT/GPL");
