# SPDX-License-Identifier: Apache-2.0 OR MIT
"""An emulated Cortex-M7 board with Debian's ptp4l and with meantimed, both ways round.

Nothing here depends on how fast the emulator is: the board learns the 50 ppm that its oscillator
is off within 2 ppm, or answers so many requests, and ends with a status.
"""
import pytest

import board
import firmware
import linuxptp
from patience import wait_until

RATES = ("announce=-2", "sync=-3", "delay=-3")
TRANSPORT = {"mps2-802.3": "L2", "mps2-udp-ipv4": "UDPv4"}
OURS = {"mps2-802.3": "l2", "mps2-udp-ipv4": "udp4"}
PATIENCE_S = 150
FAST = {"logAnnounceInterval": -2, "logSyncInterval": -3, "logMinDelayReqInterval": -3}

images = pytest.mark.parametrize("image", firmware.EMULATED)


def start(lab, image, *words):
    board.build()
    board.make_tap(lab, "A")
    made = board.Board(lab, "A", firmware.image(image), *RATES, "address=10.9.0.2",
                       f"seconds={PATIENCE_S}", *words)
    assert wait_until(made.has_started), made.log()
    return made


def ptp4l(lab, image, **options):
    return lab.ptp4l("A", "eth0", network_transport=TRANSPORT[image], **FAST, **options)


def meantimed(lab, image, **options):
    return lab.meantimed("A", "eth0", ptp={"transport": OURS[image], **options})


def assert_learned(made):
    status, (word, numbers) = made.wait_end(PATIENCE_S + 30)
    assert (status, word) == (0, "done"), made.log()
    assert abs(numbers["rate_ppb"] + 50000) <= 2000
    assert numbers["samples"] > 40
    assert made.states()[-1] == "RECEIVER"


@pytest.mark.lab(seconds=40)
@images
def test_the_board_learns_its_oscillator_from_ptp4l(lab, image):
    made = start(lab, image, "role=receiver", "ppb=50000")
    ptp4l(lab, image, priority1=100)
    assert_learned(made)


@pytest.mark.lab(seconds=40)
@images
def test_the_board_learns_its_oscillator_from_meantimed(lab, image):
    made = start(lab, image, "role=ordinary", "ppb=50000", "answers=100000", "priority1=200")
    meantimed(lab, image, priority1=100)
    assert_learned(made)


def assert_answered(made, answers):
    status, (word, numbers) = made.wait_end(PATIENCE_S + 30)
    assert (status, word) == (0, "done"), made.log()
    assert made.states()[-1] == "TRANSMITTER"
    assert numbers["answered"] >= answers


@pytest.mark.lab(seconds=30)
@images
def test_ptp4l_follows_the_board(lab, image):
    made = start(lab, image, "role=transmitter", "priority1=50", "answers=40")
    follower = ptp4l(lab, image, slaveOnly=1)
    follower.wait_state(*linuxptp.FOLLOWS)
    assert_answered(made, 40)


@pytest.mark.lab(seconds=30)
@images
def test_meantimed_follows_the_board(lab, image):
    made = start(lab, image, "role=ordinary", "priority1=50", "answers=60")
    follower = meantimed(lab, image, priority1=200)
    assert_answered(made, 60)
    assert follower.when("RECEIVER")  # by then
