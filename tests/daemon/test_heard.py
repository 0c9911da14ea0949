# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What stands between two daemons that do not find together is told, in the log and in status: a
way that lets only one direction through, other keys, another domain, a grantor that denies."""
import re

import pytest

from test_security import FIRST, write_keys

DENIES = "port eth0: 192.0.2.1 denies unicast service"
OTHER = FIRST.replace("00112233", "00112234")


def shown(daemon):
    """Its status for people, blanks made single."""
    text = daemon.tool("status", "--run-directory", daemon.directory).stdout
    return re.sub(r"\s+", " ", text)


@pytest.mark.lab(seconds=20)
def test_a_way_that_passes_no_requests_is_told_and_when_it_passes_them_again(lab):
    lab.star("A", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.meantimed("B", "eth0", ptp={"receiver_only": "yes"})
    b.wait_locked()
    assert "Delay_Req" not in shown(b)
    lab.ip("SW", "link", "set", "p0", "type", "bridge_slave", "mcast_flood", "off")
    b.wait_log(r"port eth0: nobody answers its Delay_Req, 8 in a row")
    b.wait_until(lambda: b.port()["delay_req"]["unanswered_in_a_row"] > 8, "more are counted")
    assert b.states()["eth0"] == "RECEIVER"
    assert "delay: not measured, nobody answers:" in shown(b)
    lab.ip("SW", "link", "set", "p0", "type", "bridge_slave", "mcast_flood", "on")
    b.wait_log(r"port eth0: its Delay_Req are answered now")
    assert not b.port()["delay_req"]["unanswered"]
    assert "Delay_Req" not in shown(b)
    assert b.log().count("nobody answers its Delay_Req") == 1


@pytest.mark.lab(seconds=15)
def test_keys_that_differ_are_told_and_can_be_compared(lab):
    lab.chain("A", "B")
    a_keys, b_keys = write_keys(lab, "A.keys", FIRST), write_keys(lab, "B.keys", OTHER)
    ports = {"eth0": {"spp": 3, "active_key_id": 1}}
    a = lab.meantimed("A", "eth0", ptp={"security_file": a_keys}, ports=ports)
    b = lab.meantimed("B", "eth0", ptp={"receiver_only": "yes", "security_file": b_keys},
                      ports=ports)
    b.wait_log(r"port eth0: refused \d+ messages? with a wrong authentication code, the last one "
               r"by " + a.instance()["clock_identity"])
    b.wait_until(lambda: b.port()["verdicts"]["forged"] > 10, "more are refused")
    assert b.log().count("with a wrong authentication code") == 1
    assert "grandmaster none: all that is heard is refused, see below" in shown(b)
    keys = [b.tool("keys", path).stdout for path in (a_keys, b_keys)]
    found = [re.fullmatch(r"spp 3\n  key 1, SHA256-128 of 16 octets, fingerprint ([0-9a-f]{8})\n",
                          text) for text in keys]
    assert found[0] and found[1], keys
    assert found[0][1] != found[1][1]


@pytest.mark.lab(seconds=10)
def test_another_domain_is_named(lab):
    lab.chain("A", "B")
    lab.meantimed("A", "eth0", ptp={"domain": 24})
    b = lab.meantimed("B", "eth0", ptp={"receiver_only": "yes", "sdo_id": "0x100"})
    b.wait_log(r"port eth0: hears \S+ in domain 24, sdoId 0x000, but is in domain 0, sdoId 0x100 ")
    b.wait_until(lambda: b.port()["verdicts"]["domain"] > 10, "more are heard")
    assert b.log().count("port eth0: hears") == 1
    assert ("of another domain or sdoId (domain 24, sdoId 0x000; here it is domain 0, sdoId 0x100)"
            in shown(b))


@pytest.mark.lab(seconds=20)
def test_a_receiver_follows_nobody_when_its_transmitter_is_gone(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.meantimed("B", "eth0", ptp={"receiver_only": "yes"})
    b.wait_state("RECEIVER")
    grandmaster = a.instance()["clock_identity"]
    a.stop()
    b.wait_log(r"instance main: follows nobody now: no transmitter is heard any more")
    b.wait_state("LISTENING")
    assert f"grandmaster none is heard any more, followed last: {grandmaster}" in shown(b)
    lab.ip("B", "link", "set", "eth0", "down")
    b.wait_state("FAULTY")
    assert "best one in its domain" not in b.log()


@pytest.mark.lab(seconds=20)
def test_a_grantor_that_denies_is_told_on_both_sides(lab):
    lab.chain("A", "B")
    lab.ip("A", "addr", "add", "192.0.2.1/24", "dev", "eth0")
    lab.ip("B", "addr", "add", "192.0.2.2/24", "dev", "eth0")
    a = lab.meantimed("A", "eth0", ptp={"unicast_grants": "yes", "priority1": 100})
    b = lab.meantimed("B", "eth0", ptp={"unicast_transmitters": "192.0.2.1",
                                        "receiver_only": "yes"})
    b.wait_state("RECEIVER")
    b.wait_until(lambda: "192.0.2.1 followed" in shown(b), "all is granted")
    denials = b.log().count(DENIES)  # at the start the other one may have no time yet
    a.stop()
    b.wait_log(r"follows nobody now")
    a.ptp["unicast_allow"] = "192.0.2.77"
    a.start()
    b.wait_until(lambda: b.log().count(DENIES) > denials, "a denial is told")
    assert "192.0.2.1 not heard: it denies service" in shown(b)
    assert re.search(r"unicast: \d+ requests? for service denied", shown(a))


@pytest.mark.lab(seconds=15)
def test_why_says_who_is_followed_and_by_what_another_one_is_worse(lab):
    lab.star("A", "B", "C")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100})
    c = lab.meantimed("C", "eth0", ptp={"priority1": 100, "priority2": 129,
                                        "transmitter_only": "yes"})
    b = lab.meantimed("B", "eth0", ptp={"receiver_only": "yes"})
    b.wait_state("RECEIVER")
    best, other = (f"{daemon.instance()['clock_identity']}-1" for daemon in (a, c))
    expected = {best: "followed", other: "worse by priority2 (129, not 128)"}
    b.wait_until(lambda: b.port()["heard"] == expected, f"hears {expected}")
    text = b.tool("--run-directory", b.directory, "why").stdout
    assert f"instance main follows {best} on port eth0" in text
    assert f"heard on port eth0: {other}, worse by priority2 (129, not 128)" in \
        re.sub(r"\s+", " ", text)
