# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Messages that other implementations mishandle do no harm (named after those defects)."""
import time

import pytest

import frames
import netlab
import truth
from impostor import SlowLink, Transmitter

LAB_CLOCK = {"clock": "lab", "lab_offset": "0.3 s", "lab_frequency": "20 ppm"}
STRANGER = (0x00AABBCCFFFE0001, 1)
BY_SPOOF = [(0x0BAD000000000000 + number, 1) for number in range(8)]


def pair(lab, transport="udp4", ptp=None, **options):
    """A serves B, which is RECEIVER."""
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "transport": transport})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK, ptp={"transport": transport, **(ptp or {})},
                     **options)
    b.wait_state("RECEIVER")
    return a, b


def wait_listening(daemon):
    """Until its port is in use.  LISTENING does not last, so it may have passed already."""
    daemon.wait_for(lambda: set(daemon.states().values()) & {"LISTENING", "TRANSMITTER"}, 60,
                    "listens")


def assert_unharmed(a, b, since_s):
    """A serves and B receives without a change since then; B is inside its bound."""
    assert not [change for change in a.history() + b.history() if change[0] >= since_s]
    assert (a.states(), b.states()) == ({"eth0": "TRANSMITTER"}, {"eth0": "RECEIVER"})
    truth.assert_inside(truth.hold(b, a, seconds=1))


def verdict(daemon, name):
    return daemon.port()["verdicts"].get(name, 0)


def identity_of(daemon):
    return frames.identity_of(daemon.instance()["clock_identity"])


@pytest.mark.lab(seconds=8)
@pytest.mark.parametrize("victim", ["transmitter", "receiver"])
def test_stray_pdelay_resp_does_no_harm(lab, victim):
    """linuxptp: one of them makes a port faulty for 16 s."""
    a, b = pair(lab)
    target = a if victim == "transmitter" else b
    sender = frames.Sender(lab, "B" if victim == "transmitter" else "A")
    port = (identity_of(target), 1)
    since_s = time.time()

    def judged():  # and what did not fit into the queue of a busy daemon
        return verdict(target, "unsupported") + target.port()["link"]["kernel_dropped"]
    before = judged()
    for sequence in range(100):
        for group in (frames.PEER, frames.PRIMARY):
            sender.send(frames.pdelay_resp(STRANGER, port, sequence), group=group)
            sender.send(frames.pdelay_resp_follow_up(STRANGER, port, sequence), group=group)
            sender.send(frames.pdelay_req(STRANGER, sequence), group=group)
        time.sleep(0.01)
    assert_unharmed(a, b, since_s)
    assert netlab.wait_until(lambda: judged() >= before + 600, 60), judged() - before
    assert verdict(target, "unsupported") <= 600


def assert_goes_on(sniffer, kind, source, interval_s, log_interval=0x7F):
    """That source sends on as before: 16 messages of this kind come, and no torrent of them."""
    since_s = time.time()

    def heard():
        return sniffer.of(kind, source=source, since_s=since_s)
    assert netlab.wait_until(lambda: len(heard()) >= 16, 60), len(heard())
    most = 3 * (time.time() - since_s) / interval_s + 8
    assert len(heard()) <= most, (len(heard()), most)
    assert {message.log_interval for message in heard()} == {log_interval}


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("log_interval", [-127, pytest.param(-8, marks=pytest.mark.long),
                                          pytest.param(126, marks=pytest.mark.long),
                                          pytest.param(22, marks=pytest.mark.long)])
def test_hostile_interval_request_by_signaling_does_no_harm(lab, log_interval):
    """linuxptp: -127 stops Sync for ever, -8 multiplies it."""
    a, b = pair(lab)
    sender = frames.Sender(lab, "B")
    since_s = time.time()
    source = identity_of(a)
    with frames.Sniffer(lab, "B") as sniffer:
        for sequence in range(20):
            tlv = frames.interval_request_tlv(log_interval, log_interval, log_interval)
            tlv += frames.signaling_interval_tlv(frames.SYNC, log_interval)
            sender.send(frames.signaling(STRANGER, tlv, sequence=sequence))
        assert_goes_on(sniffer, frames.SYNC, source, 1 / 8, -3)
        assert_goes_on(sniffer, frames.ANNOUNCE, source, 1 / 4, -2)
    assert_unharmed(a, b, since_s)


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("log_interval", [-128, pytest.param(-10, marks=pytest.mark.long),
                                          pytest.param(22, marks=pytest.mark.long),
                                          pytest.param(126, marks=pytest.mark.long)])
def test_hostile_interval_request_by_delay_resp_does_no_harm(lab, log_interval):
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK)
    with Transmitter(lab, "A", delay_resp_log_interval=log_interval), \
            frames.Sniffer(lab, "A") as sniffer:
        b.wait_state("RECEIVER")
        assert_goes_on(sniffer, frames.DELAY_REQ, identity_of(b), 1 / 8)
        assert b.port()["counters"]["interval_refused"] > 0
        assert b.states() == {"eth0": "RECEIVER"}


@pytest.mark.lab(seconds=8)
def test_alternate_master_flag_never_qualifies(lab):
    """linuxptp: such Announces qualify and win."""
    a, b = pair(lab)
    since_s = time.time()
    with Transmitter(lab, "A", flags=frames.ALTERNATE) as transmitter:
        def heard():
            return b.port()["alternate"]["heard_offset_ns"]
        assert netlab.wait_until(lambda: len(heard()) == 1, 60)
        time.sleep(1)  # many of its intervals
        assert [frames.identity_of(name[:-2]) for name in heard()] == [transmitter.source[0]]
        assert_unharmed(a, b, since_s)


@pytest.mark.long
@pytest.mark.lab(seconds=8)
def test_alternate_master_flag_is_accepted_when_allowed(lab):
    _, b = pair(lab, ptp={"accept_alternate": "yes"})
    with Transmitter(lab, "A", flags=frames.ALTERNATE) as transmitter:
        b.wait_for(lambda: frames.identity_of(b.instance()["grandmaster"]["clock_identity"])
                   == transmitter.source[0], 60, "follows the alternate one")


@pytest.mark.lab(seconds=8)
@pytest.mark.parametrize("pad", [8, pytest.param(1, marks=pytest.mark.long),
                                 pytest.param(4, marks=pytest.mark.long),
                                 pytest.param(46, marks=pytest.mark.long),
                                 pytest.param(900, marks=pytest.mark.long)])
def test_trailing_pad_bytes_are_ignored(lab, pad):
    """linuxptp: a message with eight zero octets behind it is bad."""
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK)
    with Transmitter(lab, "A", pad=bytes(pad)):
        b.wait_state("RECEIVER")
        counts = b.port()["verdicts"]
        assert sum(counts.get(name, 0) for name in ("short", "length", "tlv", "field")) == 0


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("priority1, lasts", [
    (250, True), pytest.param(1, False, marks=pytest.mark.long)],
    ids=["worse ones again and again", "better ones once"])
def test_eight_spoofed_identities_do_not_lock_out_a_real_grandmaster(lab, priority1, lasts):
    """Statime: the list is full, and the real one is ignored.  Worse ones go on until the real one
    is followed."""
    lab.chain("A", "B")
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK)
    sender = frames.Sender(lab, "A")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100}, is_started=False)
    b.wait_state("TRANSMITTER")
    sent = 0

    def is_receiver():
        nonlocal sent
        if lasts or sent == 0:
            for source in BY_SPOOF:
                sender.send(frames.announce(source, sent, priority1=priority1))
        if sent == (8 if lasts else 0):
            a.start()
        sent += 1
        return a.is_running() and b.states().get("eth0") == "RECEIVER"
    assert netlab.wait_until(is_receiver, 60, step_s=0.125), b.states()
    assert identity_of(a) == frames.identity_of(b.instance()["grandmaster"]["clock_identity"])
    truth.assert_inside(truth.hold(b, a, seconds=1))


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("delay_s", [
    pytest.param(0.0001, marks=pytest.mark.long), 0.002,
    pytest.param(0.01, marks=pytest.mark.long), 0.05])
def test_path_delay_of_a_tenth_to_50_milliseconds_does_no_harm(lab, delay_s):
    """Statime: from 0.7 ms on the clock is stepped with every message."""
    lab.chain("A", "X", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK)
    with SlowLink(lab, "X", "eth0", "eth1", delay_s) as link:
        b.wait_state("RECEIVER")
        steps = b.page().steps
        readings = truth.hold(b, a, seconds=4)
        truth.assert_inside(readings)
        assert readings[-1].steps == steps <= 2
        measured_s = b.status()["clocks"][0]["mean_delay_ns"] / 1e9
        assert delay_s - 1e-4 < measured_s < link.longest_s + 1e-4
