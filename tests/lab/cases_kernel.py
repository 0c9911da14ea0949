# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The laboratory's case of what a kernel is told of its clock, as it shows it to others."""
import time

from cases import case, check

UNSYNC = 0x40
LOOPS = 0x80 | 0x01 | 0x08  # FREQHOLD, PLL, FLL
UNKNOWN_US = 16_000_000
TAI_UTC = 37


class Kernel:
    def __init__(self, network, node):
        words = network[node].run("kernel_state").split()
        self.state, self.status, self.most_us, self.error_us, self.tai = map(int, words[:5])

    def __str__(self):
        return (f"state {self.state}, status {self.status:#x}, maxerror {self.most_us} us, "
                f"esterror {self.error_us} us, tai {self.tai} s")

    @property
    def is_synchronised(self):
        return not self.status & UNSYNC and self.most_us < UNKNOWN_US


def bound_us(network):
    return network.status("bc")["clocks"][1]["steered_bound_ns"] / 1000


def follow(network, **keys):
    network.meantimed("bc", ptp={"transport": "l2", "receiver_only": "yes"},
                      more={"clock main": {},
                            "clock machine": {"clock": "system", "follow": "main", **keys}})
    network.wait_locked("bc")
    network.wait_locked("bc", clock=1)
    time.sleep(1)


def check_unknown(kernel):
    check(kernel.status & UNSYNC and kernel.most_us == UNKNOWN_US, str(kernel))


def check_untold(kernel):
    """Other programs of earlier cases may have set the rest."""
    check(kernel.error_us == UNKNOWN_US, str(kernel))


@case("kernel-state")
def kernel_state(network):
    check_untold(Kernel(network, "gm"))
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100},
                      more={"clock main": {"follow": "machine"},
                            "clock machine": {"clock": "system"}})
    network.wait_locked("gm")
    follow(network)
    for _ in range(5):
        kernel, bound = Kernel(network, "bc"), bound_us(network)
        check(kernel.is_synchronised and kernel.state == 0, str(kernel))
        check(not kernel.status & LOOPS and kernel.tai == TAI_UTC, str(kernel))
        check(0 < kernel.error_us <= kernel.most_us < 2 * bound + 1000, f"{kernel}; {bound} us")
        time.sleep(1)
    network["gm"].stop("meantimed")
    time.sleep(10)
    kernel, bound = Kernel(network, "bc"), bound_us(network)
    check(kernel.is_synchronised and kernel.most_us >= bound - 50, f"holdover: {kernel}; {bound}")
    network["bc"].stop("meantimed")
    check_unknown(Kernel(network, "bc"))
    network.meantimed("gm", ptp={"transport": "l2", "priority1": 100},
                      more={"clock main": {"follow": "machine"},
                            "clock machine": {"clock": "system"}})
    network.wait_locked("gm")
    follow(network, rtc_sync="no")
    kernel = Kernel(network, "bc")
    check(kernel.status & UNSYNC and kernel.most_us < UNKNOWN_US, f"without RTC: {kernel}")
    # the grandmaster's own system clock, which nobody steers, is none of its business
    check_untold(Kernel(network, "gm"))
    return []
