# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed as an NTP server: of Debian's chronyd, and of strangers."""
import socket
import struct
import subprocess
import time

import pytest

import truth
from patience import PATIENCE_S, wait_until

LAB_CLOCK = {"clock": "lab", "lab_offset": "0.25 s", "lab_frequency": "3 ppm"}
# two programs and a path through a busy machine
PLAUSIBLE_NS = 2_000_000
SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
KEYS = {"AES128": "HEX:000102030405060708090a0b0c0d0e0f", "SHA256": "ASCII:a_secret_of_two",
        "SHA1": "HEX:0102030405"}
FASTEST = "iburst minpoll 0 maxpoll 0"


def address_both(lab, left="A", right="B", interface="eth0"):
    lab.ip(left, "address", "add", f"{SERVER}/24", "dev", interface)
    lab.ip(right, "address", "add", f"{CLIENT}/24", "dev", "eth0")


def serve(lab, *interfaces, server=None, clock=None, **options):
    return lab.meantimed("A", *interfaces, clock=clock or LAB_CLOCK,
                         more_sections={"server": server or {}}, **options)


def assert_follows(chronyd, server):
    """It takes the server's time, which is the time that it serves itself then."""
    chronyd.wait_until(lambda: chronyd.source() == "*", "followed")
    errors = []

    def is_true():
        errors.append(chronyd.ahead_ns() - truth.read(server).offset_ns)
        return abs(errors[-1]) < PLAUSIBLE_NS
    assert wait_until(is_true), (errors[-9:], chronyd.ask("ntpdata"), chronyd.ask("sources"))


@pytest.mark.lab(seconds=20)
@pytest.mark.parametrize("address", [SERVER, "fd77::1"])
def test_chronyd_follows_meantimed(lab, address):
    lab.chain("A", "B")
    address_both(lab)
    lab.ip("A", "address", "add", "fd77::1/64", "dev", "eth0")
    lab.ip("B", "address", "add", "fd77::2/64", "dev", "eth0")
    a = serve(lab)
    chronyd = lab.chronyd("B", "allow", f"server {address} {FASTEST}")
    assert_follows(chronyd, a)
    data = chronyd.fields("ntpdata")
    assert data["Stratum"] == "10" and data["Reference ID"].startswith("7F7F0101")
    assert data["Leap status"] == "Normal" and data["Interleaved"] == "No"


@pytest.mark.lab(seconds=20)
def test_chronyd_is_answered_from_the_address_that_it_asked(lab):
    """The server has a second address, which is not the one of the way back."""
    lab.chain("A", "B")
    address_both(lab)
    lab.ip("A", "address", "add", "10.78.0.1/32", "dev", "lo")
    lab.ip("B", "route", "add", "10.78.0.1/32", "via", SERVER)
    a = serve(lab, server={"workers": 2, "pin_workers": "yes"})
    assert_follows(lab.chronyd("B", "allow", f"server 10.78.0.1 {FASTEST}"), a)


@pytest.mark.lab(seconds=20)
def test_chronyd_is_answered_interleaved_when_it_asks_for_it(lab):
    lab.chain("A", "B")
    address_both(lab)
    a = serve(lab, server={"workers": 2})
    chronyd = lab.chronyd("B", "allow", f"server {SERVER} {FASTEST} xleave")
    assert_follows(chronyd, a)
    chronyd.wait_until(lambda: chronyd.fields("ntpdata")["Interleaved"] == "Yes", "interleaved")
    assert_follows(chronyd, a)


@pytest.mark.lab(seconds=20)
@pytest.mark.parametrize("kind", ["AES128", "SHA256", pytest.param("SHA1", marks=pytest.mark.long)])
def test_chronyd_follows_meantimed_with_a_key(lab, kind):
    lab.chain("A", "B")
    address_both(lab)
    keys = lab.path("keys")
    with open(keys, "w", encoding="utf-8") as file:
        file.write("".join(f"{number} {kind} {key}\n"
                           for number, (kind, key) in enumerate(KEYS.items(), 1)))
    subprocess.run(["chmod", "o=", keys], check=True)
    number = list(KEYS).index(kind) + 1
    a = serve(lab, server={"key_file": keys, "require_key": "yes"})
    chronyd = lab.chronyd("B", "allow", f"keyfile {keys}",
                          f"server {SERVER} {FASTEST} key {number}")
    assert_follows(chronyd, a)
    assert chronyd.fields("ntpdata")["Authenticated"] == "Yes"


@pytest.mark.lab(seconds=30)
def test_chronyd_follows_a_receiver_of_ptp(lab):
    lab.chain("GM", "A", "B")
    address_both(lab, interface="eth1")
    lab.meantimed("GM", "eth0", clock=LAB_CLOCK, ptp={"priority1": 100, "clock_class": 6})
    a = serve(lab, "eth0", clock={"clock": "overlay"})
    with lab.inside("B"):
        assert wait_until(lambda: ask(REQUEST))
        assert hear(REQUEST)[0] >> 6 == 3 or a.page().state == "locked"  # not synchronised yet
    a.wait_locked()
    chronyd = lab.chronyd("B", "allow", f"server {SERVER} {FASTEST}")
    assert_follows(chronyd, a)
    data = chronyd.fields("ntpdata")
    assert data["Stratum"] == "1" and data["Reference ID"] == "50545000 (PTP)"
    assert 0 < float(data["Root dispersion"].split()[0]) < 0.1


# ---- strangers --------------------------------------------------------------------------------

def request(version=4, mode=3, leap=0, transmit=0x123456789ABCDEF0, more=b""):
    return struct.pack(">BBbb36xQ", leap << 6 | version << 3 | mode, 0, 6, 32, transmit) + more


REQUEST = request()


def ask(payload, port=0, patience_s=0.3):
    """The answer to a datagram from this port; empty: there is none.  Who waits for silence waits
    for a moment, who waits for an answer until it comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((CLIENT, port))
        sock.settimeout(patience_s)
        sock.sendto(payload, (SERVER, 123))
        try:
            return sock.recv(2048)
        except socket.timeout:
            return b""


def hear(payload, port=0):
    """The answer, which comes."""
    return ask(payload, port, PATIENCE_S / 4)


SILENCE = {
    "answers": request(mode=4), "broadcasts": request(mode=5),
    "symmetric peers": request(mode=1), "passive peers": request(mode=2),
    "ntpq": bytes.fromhex("160200010000000000000000"),
    "ntpq, long": request(mode=6) + bytes(432),
    "ntpdc, monlist": bytes.fromhex("1700032a00000000"),
    "version 5": request(version=5), "version 0": request(version=0, mode=0),
    "nothing": b"", "one octet": b"\x23", "a short one": REQUEST[:47],
    "MS-SNTP": request(version=3, more=bytes.fromhex("d0040000") + bytes(16)),
    "a key that is not there": request(more=bytes.fromhex("00000007") + bytes(16)),
    "an extension field that runs over": request(more=bytes.fromhex("01040100") + bytes(24)),
    "an extension field of no length": request(more=bytes(28)),
}


@pytest.mark.lab(seconds=20)
def test_strangers_are_treated_as_they_should_be(lab):
    lab.chain("A", "B")
    address_both(lab)
    serve(lab, server={"workers": 2})
    with lab.inside("B"):
        assert wait_until(lambda: ask(REQUEST))
        for version in 1, 2, 3, 4:
            for port in 0, 123:
                answer = hear(request(version=version), port)
                assert len(answer) == 48 and answer[0] == version << 3 | 4, (version, port)
                assert answer[24:32] == REQUEST[40:]
        # version 1 has no modes; from the server's port it may be a server
        assert hear(request(version=1, mode=0))[0] == 1 << 3 | 4
        assert ask(request(version=1, mode=0), port=123) == b""
        # what is not known is ignored, and not sent back
        assert len(hear(request(more=bytes.fromhex("f000001c") + bytes(24)))) == 48
        for name, payload in SILENCE.items():
            assert ask(payload) == b"", name
            assert ask(payload, port=123) == b"", name
        # two servers cannot be made to talk to each other
        assert ask(hear(REQUEST), port=123) == b""
        assert len(hear(REQUEST)) == 48


def ask_often(count):
    """All answers to so many datagrams."""
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((CLIENT, 0))
        for _ in range(count):
            sock.sendto(REQUEST, (SERVER, 123))
            time.sleep(0.01)
        sock.settimeout(2)
        try:
            while True:
                answers.append(sock.recv(2048))
        except socket.timeout:
            return answers


@pytest.mark.lab(seconds=20)
def test_only_those_are_answered_who_are_allowed_and_not_too_often(lab):
    lab.chain("A", "B")
    address_both(lab)
    lab.ip("B", "address", "add", "10.77.0.3/24", "dev", "eth0")
    serve(lab, server={"allow": "10.77.0.0/24", "deny": "10.77.0.3", "rate_limit": 10,
                       "rate_burst": 5})
    with lab.inside("B"):
        global CLIENT
        assert wait_until(lambda: ask(REQUEST))
        answers = ask_often(60)
        kisses = [answer for answer in answers if answer[1] == 0]
        assert len([answer for answer in answers if answer[1] == 10]) <= 5
        assert all(kiss[12:16] == b"RATE" and kiss[24:32] == REQUEST[40:] for kiss in kisses)
        assert 3 <= len(kisses) <= 30
        ours, CLIENT = CLIENT, "10.77.0.3"
        denied = ask(REQUEST)
        CLIENT = ours
        assert denied == b""
