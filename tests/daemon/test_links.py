# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What happens to an interface does not end the daemon; it synchronises again."""
import os
import time

import pytest

import isolate
import netlab
import truth
from test_defects import LAB_CLOCK, pair, wait_listening

LATE_INTERFACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "late_interface.c")


def take_down_and_up(lab, node, _):
    lab.ip(node, "link", "set", "eth0", "down")
    time.sleep(1.5)
    lab.ip(node, "link", "set", "eth0", "up")


def delete_and_make_again(lab, node, other):
    lab.ip(node, "link", "del", "eth0")
    time.sleep(1.5)
    lab.link(node, "eth0", other, "eth0")


def rename(lab, node, _):
    lab.ip(node, "link", "set", "eth0", "down")
    lab.ip(node, "link", "set", "eth0", "name", "lan0")
    lab.ip(node, "link", "set", "lan0", "up")


def lose_address_for_a_while(lab, node, _):
    address = lab.ip(node, "-4", "-o", "address", "show", "eth0").split()[3]
    lab.ip(node, "address", "flush", "dev", "eth0")
    time.sleep(1.5)
    lab.ip(node, "address", "add", address, "dev", "eth0")


def flap(lab, node, _):
    for _ in range(20):
        lab.ip(node, "link", "set", "eth0", "down")
        lab.ip(node, "link", "set", "eth0", "up")


MISHAPS = {"down and up": take_down_and_up, "deleted and made again": delete_and_make_again,
           "renamed": rename, "address lost": lose_address_for_a_while, "flapping": flap}
LONG = [("transmitter", "renamed"), ("transmitter", "address lost"), ("transmitter", "flapping"),
        ("receiver", "address lost")]
CASES = [(whose, what) for whose in ("transmitter", "receiver") for what in MISHAPS]
OTHERS = [(transport, what) for transport in ("l2", "udp6") for what in MISHAPS
          if what != "address lost"]


@pytest.mark.lab(seconds=14)
@pytest.mark.parametrize("whose, what", [
    pytest.param(*case, marks=pytest.mark.long if case in LONG else (), id=" ".join(case))
    for case in CASES])
def test_receiver_synchronises_again_when_an_interface_is(lab, whose, what):
    has_mishap(lab, whose, what, *pair(lab))


@pytest.mark.long
@pytest.mark.lab(seconds=14)
@pytest.mark.parametrize("transport, what", OTHERS)
def test_receiver_synchronises_again_when_it_is_not_over_ipv4(lab, transport, what):
    has_mishap(lab, "receiver", what, *pair(lab, transport))


def has_mishap(lab, whose, what, a, b):
    time.sleep(1)
    steps = b.page().steps
    since_s = time.time()
    MISHAPS[what](lab, *(("A", "B") if whose == "transmitter" else ("B", "A")))

    def is_back():
        readings = truth.hold(b, a, seconds=1)
        return b.states().get("eth0") == "RECEIVER" and a.is_running() and \
            {reading.state for reading in readings} == {"locked"}
    if what != "renamed":  # which may pass unnoticed
        assert netlab.wait_until(lambda: len([1 for change in b.history() + a.history()
                                              if change[0] >= since_s]) > 0, 60)
    if what == "renamed":
        renamed = a if whose == "transmitter" else b
        renamed.wait_log(r"port eth0: the link is up; its interface is called lan0 now")
        assert renamed.port()["interface"] == "lan0"
    time.sleep(1)
    assert netlab.wait_until(is_back, 60), b.states()
    readings = truth.hold(b, a, seconds=1)
    truth.assert_inside(readings)
    assert readings[-1].steps == steps  # it knew the time all along


@pytest.mark.lab(seconds=14)
@pytest.mark.parametrize("transport", ["udp4", "l2", pytest.param("udp6", marks=pytest.mark.long)])
def test_daemon_without_root_opens_an_interface_again(lab, transport):
    if not isolate.has_users():
        pytest.skip("there is no other user in a user namespace")
    a, b = pair(lab, transport, daemon={"user": "nobody"})
    with open(f"/proc/{b.program.pid}/status", encoding="ascii") as file:
        assert "Uid:\t65534\t65534" in file.read()
    since_s = time.time()
    delete_and_make_again(lab, "B", "A")
    b.wait_for(lambda: [change for change in b.history() if change[0] >= since_s], 60, "notices")
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, a, seconds=1))
    b.ptp["priority2"] = 33
    b.reload()
    b.wait_for(lambda: b.instance()["priority2"] == 33, 60, "reloads")
    assert b.stop() == 0
    assert "drift.main" in os.listdir(b.directory)
    b.start()
    b.wait_state("RECEIVER")


@pytest.mark.lab(seconds=14)
def test_daemon_waits_when_the_interface_does_not_exist_yet(lab):
    lab.nodes("A", "B")
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK)
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b.wait_log(r"there is no interface eth0; waiting for it")
    lab.link("A", "eth0", "B", "eth0")
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, a, seconds=1))


@pytest.mark.lab(seconds=6)
def test_daemon_starts_when_the_interface_is_made_between_two_looks(lab):
    shim = lab.compile(LATE_INTERFACE, "-shared", "-fPIC", "-ldl")
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", environment={
        "LD_PRELOAD": shim,
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"})
    b.wait_log("there is no interface eth0; waiting for it")
    wait_listening(b)


@pytest.mark.lab(seconds=6)
def test_status_says_why_a_port_cannot_be_used(lab):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0")
    wait_listening(b)
    assert b.port()["fault_reason"] is None
    lab.ip("B", "address", "flush", "dev", "eth0")
    b.wait_state("FAULTY")
    assert b.port()["fault_reason"] == "the interface eth0 has no IPv4 address; give it one"
    lab.ip("B", "link", "set", "eth0", "down")
    b.wait_for(lambda: "eth0 is down" in b.port()["fault_reason"], 60, "says that it is down")
    lab.ip("B", "link", "del", "eth0")
    b.wait_for(lambda: "eth0 is gone" in b.port()["fault_reason"]
               or "no interface eth0" in b.port()["fault_reason"], 60, "says that it is gone")
