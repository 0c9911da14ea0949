# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed and the ntpds of Debian, ntpsec and OpenNTPD, each as client and as server.

They cannot steer the machine's clock here (labkit/ntpd.py), so as clients they only measure.
"""
import contextlib
import os
import re
import time

import pytest

import ntpd
import truth
from certificates import certify
from patience import wait_settled, wait_until
from test_nts import wait_listening

SERVER, CLIENT = "10.77.1.1", "10.77.1.2"
NS = 1_000_000_000
# less than what an ntpd would step by, and end itself when it may not
AHEAD = {"clock": "lab", "lab_offset": "0.05 s", "lab_frequency": "3 ppm"}
BEHIND = {"clock": "lab", "lab_offset": "-0.9 s", "lab_frequency": "20 ppm"}
PLAUSIBLE_NS = 2_000_000  # two programs and a path through a busy machine
SLOW_S = 120  # they take their time
FAST = {"min_poll": -1, "max_poll": 0}
# alone it serves the machine's clock at stratum 3
ALONE = ("tos orphan 3 orphanwait 1",)
FASTEST = "iburst minpoll 0 maxpoll 0"
SECRET = "000102030405060708090a0b0c0d0e0f"
KINDS = {"AES-128": "AES128", "SHA-1": "SHA1", "SHA-256": "SHA256"}  # theirs and ours
SOME = ["AES-128", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("SHA-1", "SHA-256"))]


@contextlib.contextmanager
def untouched():
    """The machine's clock runs as before, unless somebody outside steers it."""
    before = ntpd.machine_clock()
    yield
    assert ntpd.machine_clock() == before or ntpd.is_steered(before)


def network(lab):
    lab.chain("S", "C")


def client(lab, name=SERVER, **keys):
    return lab.meantimed("C", clock=BEHIND, more_sections={f"ntp {name}": {**FAST, **keys}})


def server(lab, **keys):
    daemon = lab.meantimed("S", clock=AHEAD, more_sections={"server": {"local_stratum": 3, **keys}})
    daemon.wait_answer()
    return daemon


def told(daemon):
    return daemon.status()["ntp"][0]


def assert_follows(daemon):
    """meantimed takes the server's time, which is the machine's."""
    assert wait_settled(lambda: daemon.page() is not None and daemon.page().state == "locked" and
                        told(daemon)["state"] == "selected", 1), told(daemon)
    truth.assert_comes_near(daemon, PLAUSIBLE_NS)
    daemon.wait_until(lambda: told(daemon)["answers"]["used"] >= 3, "answers used")
    answers = told(daemon)["answers"]
    assert {name: answers[name] for name in ("bogus", "forged", "impossible", "malformed")
            if answers.get(name)} == {}


def assert_measures(ntpsec, daemon):
    """ntpd takes the server's time, and what it measures is true."""
    ntpsec.wait_for(ntpsec.is_following, SLOW_S, "synchronised")
    errors = []

    def is_true():
        errors.append(ntpsec.offset_s() * NS - truth.read(daemon).offset_ns)
        return abs(errors[-1]) < PLAUSIBLE_NS
    assert wait_until(is_true, step_s=0.5), errors
    ntpsec.wait_until(lambda: ntpsec.server().get("stratum") == "3" and
                      ntpsec.variables().get("stratum") == "4", "strata")


def write_keys(lab, kind):
    """One key in files of both forms."""
    theirs, ours = lab.path("theirs.keys"), lab.path("ours.keys")
    for path, line in ((theirs, f"7 {kind} {SECRET}"), (ours, f"7 {KINDS[kind]} HEX:{SECRET}")):
        with open(path, "w", encoding="ascii") as file:
            file.write(line + "\n")
        os.chmod(path, 0o600)
    return theirs, ours


# ---- ntpsec ------------------------------------------------------------------------------------


@pytest.mark.lab(seconds=25)
@pytest.mark.parametrize("version", [4, 3])
def test_meantimed_follows_ntpsec(lab, version):
    network(lab)
    with untouched():
        lab.ntpsec("S", *ALONE)
        c = client(lab, version=version)
        assert_follows(c)
    assert told(c)["stratum"] == 3


@pytest.mark.lab(seconds=40)
def test_ntpsec_follows_meantimed(lab):
    network(lab)
    with untouched():
        s = server(lab)
        assert_measures(lab.ntpsec("C", f"server {SERVER} {FASTEST}"), s)


@pytest.mark.lab(seconds=25)
@pytest.mark.parametrize("kind", KINDS)
def test_meantimed_follows_ntpsec_with_a_key(lab, kind):
    network(lab)
    theirs, ours = write_keys(lab, kind)
    with untouched():
        lab.ntpsec("S", *ALONE, f"keys {theirs}", "trustedkey 7")
        c = client(lab, key_file=ours, key=7)
        assert_follows(c)
    assert told(c)["authenticated"]


@pytest.mark.lab(seconds=40)
@pytest.mark.parametrize("kind", SOME)
def test_ntpsec_follows_meantimed_with_a_key(lab, kind):
    network(lab)
    theirs, ours = write_keys(lab, kind)
    with untouched():
        s = server(lab, key_file=ours, require_key="yes")
        c = lab.ntpsec("C", f"keys {theirs}", "trustedkey 7", f"server {SERVER} {FASTEST} key 7")
        assert_measures(c, s)


@pytest.mark.lab(seconds=20)
def test_ntpsec_is_not_answered_when_its_key_is_another(lab):
    network(lab)
    theirs, ours = write_keys(lab, "AES-128")
    with open(ours, "w", encoding="ascii") as file:
        file.write(f"7 AES128 HEX:{SECRET[::-1]}\n")
    with untouched():
        server(lab, key_file=ours, require_key="yes")
        c = lab.ntpsec("C", f"keys {theirs}", "trustedkey 7", f"server {SERVER} {FASTEST} key 7")
        c.wait_until(lambda: c.server(), "asks")
        time.sleep(6)
        assert not c.is_following()
        assert c.server()["reach"] in ("0", "0x0"), c.server()


def name_server(lab):
    """ntpsec looks for names in a certificate, not for addresses."""
    ntpd.bind(f"127.0.0.1 localhost\n{SERVER} S.example\n", lab.path("hosts"), "/etc/hosts")


@pytest.mark.lab(seconds=30)
def test_meantimed_follows_ntpsec_when_both_speak_nts(lab):
    network(lab)
    ca, certificate, key = certify(lab, "S", address=SERVER)
    with untouched():
        lab.ntpsec("S", *ALONE, "nts enable", f"nts cert {certificate}", f"nts key {key}",
                   f"nts cookie {lab.path('cookies')}")
        wait_listening(lab)
        c = client(lab, nts="yes", nts_ca=ca)
        assert_follows(c)
    assert told(c)["authenticated"]


@pytest.mark.lab(seconds=45)
def test_ntpsec_follows_meantimed_when_both_speak_nts(lab):
    network(lab)
    name_server(lab)
    ca, certificate, key = certify(lab, "S", address=SERVER)
    with untouched():
        s = server(lab, nts_certificate=certificate, nts_key=key, require_nts="yes")
        wait_listening(lab)
        c = lab.ntpsec("C", f"nts ca {ca}", f"server S.example nts {FASTEST}")
        assert_measures(c, s)
    assert re.search(r"NTSc: .*8 cookies", c.log()), c.log()


# ---- OpenNTPD ----------------------------------------------------------------------------------


def offsets(daemon):
    return [float(text) for text in re.findall(r"reply from .*: offset (\S+) delay", daemon.log())]


@pytest.mark.lab(seconds=40)
def test_openntpd_follows_meantimed(lab):
    network(lab)
    with untouched():
        s = server(lab)
        c = lab.openntpd("C", f"server {SERVER}")
        # no peer is marked as followed, for the clock cannot be set
        c.wait_for(lambda: len(offsets(c)) >= 3 and "now valid" in c.log(), SLOW_S, "a valid peer")
        assert wait_until(lambda: re.search(rf"^{SERVER}.*\n *1 +\d+ +3 ", c.told(),
                                            re.MULTILINE)), c.told()
        assert min(abs(offset * NS - truth.read(s).offset_ns) for offset in offsets(c)) < \
            PLAUSIBLE_NS
    assert "Operation not permitted" in c.log()
