# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The examples, programs without a C library, with meantimed on the other end of a cable."""
import os

import pytest

import meantimed
from patience import wait_until

BUILD = os.path.dirname(os.path.dirname(meantimed.BIN))
RATES = {"log_announce_interval": 0, "log_sync_interval": -2, "log_min_delay_req_interval": -2}
PATIENCE_S = 90  # they have a minute
FOLLOWS = 9  # portState of a RECEIVER [1588-2019 Table 20]


def built(name):
    """Asked before anything is started."""
    path = os.path.join(BUILD, "examples", name)
    if not os.path.exists(path):
        pytest.skip("not built: instrumented, or another processor")
    return path


def example(lab, node, path, *arguments):
    return lab.start(node, [path, *arguments], lab.path("example"))


def ended(program):
    assert wait_until(lambda: not program.is_running(), PATIENCE_S), program.log()
    return program.stop()


@pytest.mark.lab(seconds=8)
@pytest.mark.parametrize("name", ["smallest_receiver", "pi_receiver", "small_clock"])
def test_receiver_locks_when_it_hears_meantimed(lab, name):
    path = built(name)
    lab.chain("A", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100})
    program = example(lab, "B", path, "eth0", "60")
    assert ended(program) == 0, program.log()
    assert program.log() == "locked\n"


@pytest.mark.lab(seconds=3)
def test_smallest_receiver_says_so_when_nobody_transmits(lab):
    lab.chain("A", "B")
    program = example(lab, "B", built("smallest_receiver"), "eth0", "1")
    assert ended(program) == 1
    assert program.log() == "not locked\n"


@pytest.mark.lab(seconds=36)
def test_bare_loop_is_followed_by_meantimed_and_follows_a_better_one(lab):
    path = built("bare_loop")
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 120, **RATES})
    program = example(lab, "B", path, "eth0", "35", "90")
    a.wait_state("RECEIVER")
    assert "state 6" in program.log()
    a.stop()
    lab.meantimed("A", "eth0", ptp={"priority1": 80, **RATES})
    assert ended(program) == 0, program.log()
    assert program.log().endswith(f"state {FOLLOWS}\n")
