# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Signed messages: two daemons with the same keys, a stranger without, and keys that change."""
import hashlib
import hmac
import os
import socket
import struct
import time

import pytest

import frames
import netlab
import truth

ASSOCIATION = "[security_association]\nspp 3\nseqid_window 20\n"
FIRST = "1 SHA256-128 HEX:00112233445566778899aabbccddeeff\n"
SECOND = "2 AES128 HEX:ffeeddccbbaa99887766554433221100\n"


def write_keys(lab, name, *keys):
    path = lab.path(name)
    with open(path, "w", encoding="ascii") as file:
        file.write(ASSOCIATION + "".join(keys))
    os.chmod(path, 0o600)
    return path


def start_signed_pair(lab):
    lab.chain("A", "B")
    a_keys = write_keys(lab, "A.keys", FIRST, SECOND)
    b_keys = write_keys(lab, "B.keys", FIRST)
    ports = {"eth0": {"spp": 3, "active_key_id": 1}}
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "security_file": a_keys}, ports=ports)
    b = lab.meantimed("B", "eth0", ptp={"security_file": b_keys}, ports=ports,
                      clock={"clock": "lab", "lab_offset": "0.3 s", "lab_frequency": "20 ppm"})
    return a, b


@pytest.mark.lab(seconds=12)
def test_daemons_with_the_same_keys_follow_and_change_their_keys_while_running(lab):
    a, b = start_signed_pair(lab)
    b.wait_locked()
    truth.assert_inside(truth.hold(b, seconds=1))
    assert b.port()["verdicts"].get("forged", 0) == 0

    a.ports["eth0"]["active_key_id"] = 2
    a.reload()
    b.wait_for(lambda: b.port()["verdicts"].get("forged", 0) > 3, 60, "refuses an unknown key")
    write_keys(lab, "B.keys", FIRST, SECOND)
    b.ports["eth0"]["active_key_id"] = 2
    b.reload()
    b.wait_log(r"reloaded: .*active_key_id = 2 \(port eth0\).*keys of ")
    forged = b.port()["verdicts"]["forged"]
    b.wait_state("RECEIVER")
    b.wait_locked()
    truth.assert_inside(truth.hold(b, seconds=1))
    assert b.port()["verdicts"]["forged"] <= forged + 3


@pytest.mark.lab(seconds=8)
def test_a_stranger_is_neither_followed_nor_answered_when_it_has_no_keys(lab):
    lab.chain("A", "B")
    keys = write_keys(lab, "B.keys", FIRST)
    lab.meantimed("A", "eth0", ptp={"priority1": 1})
    b = lab.meantimed("B", "eth0", ptp={"security_file": keys}, ports={"eth0": {"spp": 3}})
    b.wait_for(lambda: b.states(), 60, "answers")
    assert netlab.wait_until(lambda: b.port()["verdicts"].get("unauthenticated", 0) > 10, 60)
    assert b.states()["eth0"] in ("LISTENING", "TRANSMITTER")


@pytest.mark.lab(seconds=4)
def test_the_daemon_says_what_is_wrong_when_its_keys_are_not_good(lab):
    lab.chain("A", "B")
    keys = write_keys(lab, "A.keys", "1 AES128 HEX:00\n")
    a = lab.meantimed("A", "eth0", ptp={"security_file": keys}, ports={"eth0": {"spp": 3}},
                      is_started=False)
    a.start()
    assert netlab.wait_until(lambda: not a.is_running(), 60)
    assert "A.keys:4: AES128 needs a key of 16 octets" in a.log()


# ---- keys that are disclosed later -----------------------------------------------------------

SEED = bytes(range(32))
SIGNING = bytes.fromhex("00112233445566778899aabbccddeeff")
OPERATOR = (0x0A0000FFFE000001, 1)


def set_table(address, sequence, key=SIGNING):
    """A signed SET of UNICAST_MASTER_TABLE with one address."""
    data = struct.pack(">HbHHH4sB", 0x2018, 0, 1, 1, 4, socket.inet_aton(address), 0)
    body = struct.pack(">QHBBBB", *frames.ALL_PORTS, 0, 0, 1, 0)
    body += struct.pack(">HH", 1, len(data)) + data + struct.pack(">HHBBI", 0x8009, 22, 3, 0, 1)
    message = frames.header(frames.MANAGEMENT, OPERATOR, sequence=sequence,
                            length=34 + len(body) + 16) + body
    return message + hmac.new(key, message, hashlib.sha256).digest()[:16]


@pytest.mark.lab(seconds=15)
def test_an_authenticated_peer_may_set_the_table_of_transmitters(lab):
    lab.star("A", "B", "C")
    address = {}
    for number, node in enumerate("ABC", 1):
        address[node] = f"10.78.0.{number}"
        lab.ip(node, "address", "add", f"{address[node]}/24", "dev", "eth0")
    keys = {node: write_keys(lab, f"{node}.keys", FIRST) for node in "ABC"}
    ports = {"eth0": {"spp": 3, "active_key_id": 1}}
    for node in "BC":
        lab.meantimed(node, "eth0", ports=ports,
                      ptp={"unicast_grants": "yes", "multicast": "no", "security_file": keys[node],
                           "priority1": 100})
    a = lab.meantimed("A", "eth0", clock={"clock": "lab"}, ports=ports,
                      ptp={"receiver_only": "yes", "security_file": keys["A"],
                           "unicast_transmitters": address["B"]})

    def table():
        return a.port()["unicast"]["transmitters"]
    a.wait_for(a.states, 60, "answers")
    a.wait_for(lambda: table() == {address["B"]: "followed"}, 60, "the first")
    operator = frames.Sender(lab, "C")
    operator.send(set_table(address["C"], 1, key=bytes(16)), group=address["A"])
    a.wait_for(lambda: a.port()["verdicts"].get("forged", 0) == 1, 60, "refuses a forgery")
    a.wait_for(lambda: table() == {address["B"]: "followed"}, 60, "stays with the first")
    operator.send(set_table(address["C"], 2), group=address["A"])
    a.wait_for(lambda: table() == {address["C"]: "followed"}, 60, "the second")
    a.wait_state("RECEIVER")


CHAIN = "[security_association]\nspp 4\nchain SHA256-128\nchain_interval 400\nchain_delay 2\n" \
        "chain_error 250\nchain_length {length}\nchain_start {start}\n"


def anchor_of(seed, length):
    """By RFC 4082, computed here once more."""
    key = seed
    for _ in range(length):
        key = hmac.new(key, b"\0", hashlib.sha256).digest()
    return key


def write_chain(lab, name, secret, length=3000, start_s=None, more=""):
    path = lab.path(name)
    start = int(time.time()) - 60 if start_s is None else start_s
    with open(path, "w", encoding="ascii") as file:
        file.write(CHAIN.format(length=length, start=start) + secret + more)
    os.chmod(path, 0o600)
    return path


def sender_secret(seed=SEED):
    return f"chain_seed HEX:{seed.hex()}\n"


def receiver_anchor(length=3000, seed=SEED):
    return f"chain_anchor HEX:{anchor_of(seed, length).hex()}\n"


def delayed(daemon):
    return daemon.instance()["security"]["delayed"]


def start_chained_pair(lab, a_keys, b_keys, port=None):
    lab.chain("A", "B")
    ports = {"eth0": port or {"delayed_spp": 4}}
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "security_file": a_keys}, ports=ports)
    b = lab.meantimed("B", "eth0", ptp={"security_file": b_keys}, ports=ports,
                      clock={"clock": "lab", "lab_offset": "0.1 s", "lab_frequency": "20 ppm"})
    return a, b


@pytest.mark.lab(seconds=15)
def test_a_daemon_follows_when_keys_are_disclosed_later(lab):
    start_s = int(time.time()) - 60
    _, b = start_chained_pair(lab, write_chain(lab, "A.keys", sender_secret(), start_s=start_s),
                              write_chain(lab, "B.keys", receiver_anchor(), start_s=start_s))
    b.wait_locked()
    truth.assert_inside(truth.hold(b, seconds=1))
    counts = delayed(b)
    assert counts["verified"] > 20
    assert counts["wrong_keys"] == 0
    assert b.port()["verdicts"].get("forged", 0) <= counts["unsafe"]


@pytest.mark.lab(seconds=10)
def test_nobody_is_followed_who_knows_only_the_anchor(lab):
    start_s = int(time.time()) - 60
    _, b = start_chained_pair(lab, write_chain(lab, "A.keys", sender_secret(bytes(32)),
                                               start_s=start_s),
                              write_chain(lab, "B.keys", receiver_anchor(), start_s=start_s))
    b.wait_for(lambda: b.states(), 60, "answers")
    # each is 150 steps from the anchor, of which there are 256 a second
    assert netlab.wait_until(lambda: delayed(b)["wrong_keys"] > 4, 60)
    assert delayed(b)["verified"] == 0
    assert b.states()["eth0"] in ("LISTENING", "TRANSMITTER")


@pytest.mark.lab(seconds=5)
def test_the_tool_derives_the_anchor_of_a_chain(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", is_started=False)
    keys = write_chain(lab, "A.keys", sender_secret())
    assert anchor_of(SEED, 3000).hex() in a.tool("keys", keys).stdout
    assert SEED.hex() not in a.tool("keys", keys).stdout
    wrong = write_chain(lab, "A.keys", sender_secret(), more=receiver_anchor(length=2999))
    result = a.tool("keys", wrong)
    assert result.returncode != 0
    assert "does not lead to" in result.stdout
