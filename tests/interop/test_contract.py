# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The contract of hal/ (tests/contract) on every platform that has a cable."""
import os

import pytest

import board
import firmware
import meantimed
from patience import wait_until

PROGRAMS = os.path.join(os.path.dirname(os.path.dirname(meantimed.BIN)), "tests", "contract")
TRANSPORTS = ("udp4", "l2")
PATIENCE_S = 120
IMAGES = {"l2": "contract-802.3", "udp4": "contract-udp-ipv4"}


def program(name):
    path = os.path.join(PROGRAMS, name)
    if not os.path.exists(path):
        pytest.skip("not built")
    return path


def answer(lab, node, transport):
    """Somebody in a node who sends back what comes."""
    return lab.start(node, [program("contract_linux"), "echo", "eth0", transport],
                     lab.path("echo.log"))


def wait_up(echo):
    """Who is on a cable that is plugged in is there at once; a board plugs it in itself."""
    assert wait_until(lambda: "echo: up" in echo.log()), echo.log()


def assert_holds(checker):
    assert wait_until(lambda: not checker.is_running(), PATIENCE_S), checker.log()
    assert checker.stop() == 0, checker.log()
    assert checker.log().count("holds ") >= 20 and "BROKEN" not in checker.log()


@pytest.mark.lab(seconds=5)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_linux_keeps_the_contract(lab, transport):
    lab.chain("A", "B")
    wait_up(answer(lab, "A", transport))
    assert_holds(lab.start("B", [program("contract_linux"), "check", "eth0", transport],
                           lab.path("check.log")))


@pytest.mark.lab(seconds=5)
def test_linux_without_a_c_library_keeps_the_contract(lab):
    lab.chain("A", "B")
    wait_up(answer(lab, "A", "udp4"))
    assert_holds(lab.start("B", [program("contract_bare"), "eth0"], lab.path("check.log")))


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_emulated_board_keeps_the_contract(lab, transport):
    board.build()
    board.make_tap(lab, "A")
    image = os.path.join(firmware.BUILD, "tests", "contract", IMAGES[transport] + ".elf")
    answer(lab, "A", transport)
    assert_holds(board.Board(lab, "A", image, "address=10.9.0.2"))
