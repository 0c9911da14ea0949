# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Two-way traffic for the firmware, as a table in C: the same numbers for every build."""
import random

INTERVAL_NS = 1_000_000_000
RESPONSE_NS = 300_000_000  # of the delay request, after the Sync
JITTER_NS = 100
WANDER = 1e-9              # per sqrt(s)
FREQUENCY = 20e-6
SEED = 3


def events(seconds):
    """(true time in ns, is_reverse, noise in 2^-16 ns, frequency in 2^-40 s/s)"""
    source = random.Random(SEED)
    frequency = FREQUENCY
    for second in range(seconds):
        frequency += source.gauss(0, WANDER)
        for is_reverse in (0, 1):
            noise_ns = source.expovariate(1 / JITTER_NS)
            yield (second * INTERVAL_NS + is_reverse * RESPONSE_NS, is_reverse,
                   round(noise_ns * 65536), round(frequency * 2 ** 40))


def header(seconds):
    rows = [f"    {{{t}LL, {noise}, {frequency}, {'true' if is_reverse else 'false'}}},"
            for t, is_reverse, noise, frequency in events(seconds)]
    return "\n".join([
        "/* SPDX-License-Identifier: Apache-2.0 OR MIT */",
        "#include <stdbool.h>", "#include <stdint.h>",
        "struct event {",
        "    int64_t t_ns;", "    int32_t noise_q16;",
        "    int32_t frequency_q40; /* of the oscillator until then */",
        "    bool is_reverse;",
        "};",
        f"#define EVENT_COUNT {len(rows)}",
        "static const struct event events[EVENT_COUNT] = {", *rows, "};", ""])
