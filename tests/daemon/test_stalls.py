# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Daemons that were not let run for longer than a time limit: the machine was busy or paused."""
import signal
import time

import pytest

import truth
from test_defects import LAB_CLOCK, assert_unharmed

STALL_S = 3
SETTLED_S = 5  # then it knows its frequency, and stays near for as long as it is not let run
LIMITED = {"log_announce_interval": -1, "announce_receipt_timeout": 3}  # to half of that


class Stalled:
    """`with Stalled(daemon): ...`: it does not run meanwhile."""

    def __init__(self, daemon):
        self.program = daemon.program

    def __enter__(self):
        self.program.send_signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self.program.send_signal(signal.SIGCONT)


def follow(lab, transmitter):
    """B follows A, and is locked."""
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp=LIMITED)
    b.wait_state("RECEIVER")
    b.wait_locked()
    time.sleep(SETTLED_S)
    return transmitter, b


@pytest.fixture(name="pair")
def make_pair(lab):
    lab.chain("A", "B")
    return follow(lab, lab.meantimed("A", "eth0", ptp={**LIMITED, "priority1": 100}))


@pytest.mark.lab(seconds=20)
def test_a_receiver_takes_what_lies_in_wait_before_it_gives_anybody_up(pair):
    a, b = pair
    since_s = time.time()
    for _ in range(2):
        with Stalled(b):
            time.sleep(STALL_S)
        time.sleep(1)
    truth.assert_inside(truth.hold(b, a, seconds=1))
    assert_unharmed(a, b, since_s)
    assert b.page().state == "locked"


@pytest.mark.lab(seconds=18)
def test_a_transmitter_that_went_meanwhile_is_given_up(pair):
    a, b = pair
    with Stalled(b):
        a.stop()
        time.sleep(STALL_S)
    b.wait_state("TRANSMITTER")
