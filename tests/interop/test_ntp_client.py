# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantimed as an NTP client of Debian's chronyd, which serves the machine's clock."""
import subprocess
import time

import pytest

import truth
from meantimed import TOOL
from patience import wait_settled

SERVER, CLIENT = "10.79.0.1", "10.79.0.2"
LAB_CLOCK = {"clock": "lab", "lab_offset": "0.9 s", "lab_frequency": "20 ppm"}
# two programs and a path through a busy machine
PLAUSIBLE_NS = 2_000_000
OFF_NS = 900_000_000
FAST = {"min_poll": -1, "max_poll": 0}
KEYS = {"AES128": "HEX:000102030405060708090a0b0c0d0e0f", "SHA1": "HEX:0102030405",
        "SHA256": "ASCII:a_secret_of_two", "MD5": "ASCII:an_old_one"}


def network(lab, has_address=True):
    lab.chain("S", "C")
    lab.ip("C", "address", "add", f"{CLIENT}/24", "dev", "eth0")
    if has_address:
        lab.ip("S", "address", "add", f"{SERVER}/24", "dev", "eth0")


def client(lab, servers, clock=None, **options):
    """`servers`: keys by the name of the section."""
    daemon = lab.meantimed("C", clock=clock or LAB_CLOCK, more_sections={
        f"ntp {name}": keys for name, keys in servers.items()}, **options)
    daemon.wait_answer()
    return daemon


def server_of(daemon, name=SERVER):
    return next(server for server in daemon.status()["ntp"] if server["name"] == name)


def wait_followed(daemon, name=SERVER):
    daemon.wait_until(lambda: server_of(daemon, name)["state"] == "selected", f"{name} followed")


def stays_followed(daemon, name=SERVER, seconds=2):
    return wait_settled(lambda: server_of(daemon, name)["state"] == "selected", seconds)


def assert_set(daemon):
    """The page shows the machine's time, within its bound."""
    truth.assert_comes_near(daemon, PLAUSIBLE_NS)


@pytest.mark.lab(seconds=15)
def test_meantimed_sets_its_clock_within_five_seconds(lab):
    """With nothing but the server's address."""
    network(lab)
    assert lab.chronyd("S", "local stratum 3", "allow").fields("tracking")  # it is there
    c = client(lab, {SERVER: {}})
    c.wait_until(lambda: c.page() is not None and c.page().steps == 1, "clock set")
    server = server_of(c)
    assert server["asked"] <= 5  # one a second
    truth.assert_comes_near(c, OFF_NS / 100)
    assert server["stratum"] == 3 and server["reference_id"] == "127.127.1.1"
    assert server["poll_log2s"] == 6 and server["verdict"] == "used"


@pytest.mark.lab(seconds=20)
def test_meantimed_asks_chronyd_interleaved(lab):
    network(lab)
    lab.chronyd("S", "local stratum 2", "allow")
    c = client(lab, {SERVER: {"interleaved": "yes", **FAST}})
    wait_followed(c)
    c.wait_until(lambda: server_of(c)["answers"]["interleaved"] >= 5, "interleaved answers")
    server = server_of(c)
    assert server["interleaved"] and server["answers"]["bogus"] == 0
    assert server["answers"]["impossible"] == 0
    assert_set(c)


@pytest.mark.lab(seconds=15)
@pytest.mark.parametrize("kind, version", [("AES128", 4), ("SHA1", 4), ("SHA256", 4), ("MD5", 3)])
def test_meantimed_and_chronyd_sign_with_symmetric_keys(lab, kind, version):
    network(lab)
    files = [lab.path("both.keys"), lab.path("other.keys")]
    for path, key in zip(files, (KEYS[kind], "HEX:00")):
        with open(path, "w", encoding="ascii") as file:
            file.write(f"7 {kind} {KEYS[kind]}\n" if path == files[0] else f"7 SHA1 {key}11\n")
    subprocess.run(["chmod", "600", *files], check=True)
    lab.chronyd("S", "local stratum 2", "allow", f"keyfile {files[0]}")
    both = {"key": 7, "version": version, **FAST}
    c = client(lab, {SERVER: {"key_file": files[0], **both},
                     "wrong": {"address": SERVER, "key_file": files[1], **both}})
    wait_followed(c)
    c.wait_until(lambda: server_of(c)["answers"]["used"] >= 3, "answers used")
    assert server_of(c)["authenticated"]
    assert server_of(c)["answers"]["forged"] == 0
    c.wait_until(lambda: server_of(c, "wrong")["asked"] >= 4, "asked with another key")
    wrong = server_of(c, "wrong")
    assert wrong["state"] == "unreachable" and wrong["answers"]["used"] == 0
    assert_set(c)


@pytest.mark.lab(seconds=20)
def test_meantimed_begins_when_the_network_comes_later(lab):
    network(lab, has_address=False)
    lab.ip("C", "address", "delete", f"{CLIENT}/24", "dev", "eth0")
    lab.chronyd("S", "local stratum 2", "allow")
    c = client(lab, {SERVER: {}})
    c.wait_until(lambda: "unreachable" in (server_of(c)["fault_reason"] or ""), "no way")
    time.sleep(3)
    lab.ip("S", "address", "add", f"{SERVER}/24", "dev", "eth0")
    lab.ip("C", "address", "add", f"{CLIENT}/24", "dev", "eth0")
    c.wait_log(f"NTP server {SERVER}: answers", timeout_s=40)  # in less than an interval, 64 s
    c.wait_until(lambda: c.page().steps == 1, "clock set")


@pytest.mark.lab(seconds=30)
def test_meantimed_stays_with_those_that_answer(lab):
    """Two chronyd; one ends, which is told and explained."""
    lab.star("S", "T", "C")
    for node, address in (("S", SERVER), ("T", "10.79.0.3"), ("C", CLIENT)):
        lab.ip(node, "address", "add", f"{address}/24", "dev", "eth0")
    first = lab.chronyd("S", "local stratum 2", "allow")
    lab.chronyd("T", "local stratum 2", "allow")
    c = client(lab, {SERVER: FAST, "10.79.0.3": FAST})
    c.wait_until(lambda: {server["state"] for server in c.status()["ntp"]} <=
                 {"selected", "combined", "agrees", "distant", "another_rate"}, "both answer")
    first.stop()
    c.wait_log(f"NTP server {SERVER}: does not answer any more: nobody answers NTP there")
    wait_followed(c, "10.79.0.3")
    assert_set(c)
    assert "10.79.0.3" in c.tool("status", "--socket", c.socket).stdout


@pytest.mark.lab(seconds=15)
def test_a_recorded_run_with_a_name_is_replayed(lab):
    lab.nodes("C")
    lab.ip("C", "link", "set", "lo", "up")
    log = lab.path("C.inputs")
    lab.chronyd("C", "local stratum 2", "allow")
    chronyd = lab.daemons.pop("C")
    c = client(lab, {"localhost": FAST}, more_arguments=["--record", log])
    assert stays_followed(c, "localhost")
    assert_set(c)
    assert c.stop() == 0
    assert chronyd.stop() == 0
    done = subprocess.run([TOOL, "replay", log], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "all as recorded" in done.stdout, done.stdout[-500:]
    assert "known now: NTP server number 0 is" in done.stdout


@pytest.mark.lab(seconds=40)
def test_a_server_that_follows_another_with_an_address_of_ours_is_followed(lab):
    """As bridges for containers and guests have it: S follows T at 172.17.0.1, which C has, too."""
    lab.star("S", "T", "C")
    for node, address in (("S", SERVER), ("T", "10.79.0.3"), ("C", CLIENT)):
        lab.ip(node, "address", "add", f"{address}/24", "dev", "eth0")
    lab.ip("T", "address", "add", "172.17.0.1/32", "dev", "eth0")
    lab.ip("S", "route", "add", "172.17.0.1/32", "via", "10.79.0.3")
    lab.ip("C", "link", "add", "docker0", "type", "bridge")
    lab.ip("C", "address", "add", "172.17.0.1/16", "dev", "docker0")
    lab.ip("C", "link", "set", "docker0", "up")
    lab.chronyd("T", "local stratum 3", "allow")
    lab.chronyd("S", "server 172.17.0.1 iburst minpoll 0 maxpoll 0", "allow")
    c = lab.meantimed("C", clock=LAB_CLOCK,
                      more_sections={f"ntp {SERVER}": FAST, "server": {}})
    c.wait_answer()
    c.wait_until(lambda: server_of(c, SERVER)["stratum"] == 4, "it follows T")
    assert stays_followed(c, SERVER), server_of(c, SERVER)


@pytest.mark.lab(seconds=40)
@pytest.mark.parametrize("family", ("IPv4", "IPv6"))
def test_a_server_that_follows_us_is_not_followed(lab, family):
    """It is our chronyd S that asks C, which in turn asks S, and T, which serves its own time."""
    own, other, good = {"IPv4": (CLIENT, SERVER, "10.79.0.3"),
                        "IPv6": ("fd00::2", "fd00::1", "fd00::3")}[family]
    bits = 24 if family == "IPv4" else 64
    lab.star("S", "T", "C")
    for node, address in (("S", other), ("T", good), ("C", own)):
        lab.ip(node, "address", "add", f"{address}/{bits}", "dev", "eth0",
               *(["nodad"] if family == "IPv6" else []))
    lab.chronyd("T", "local stratum 3", "allow")
    lab.chronyd("S", f"server {own} iburst minpoll 0 maxpoll 0", "allow")
    log = lab.path("C.inputs")
    c = lab.meantimed("C", clock=LAB_CLOCK, more_arguments=["--record", log], more_sections={
        f"ntp {other}": FAST, f"ntp {good}": FAST, "server": {}})
    c.wait_answer()
    wait_followed(c, good)
    c.wait_until(lambda: server_of(c, other)["state"] == "follows_us", "found out")
    assert wait_settled(lambda: (server_of(c, other)["state"], server_of(c, good)["state"]) ==
                        ("follows_us", "selected"), 3), c.status()["ntp"]
    why = subprocess.run([TOOL, "why", "--socket", c.socket], capture_output=True, text=True,
                         check=True)
    assert "follows_us" in why.stdout and "it follows this clock itself" in why.stdout
    assert c.stop() == 0
    done = subprocess.run([TOOL, "replay", log], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "all as recorded" in done.stdout, done.stdout[-500:]
