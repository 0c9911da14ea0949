# SPDX-License-Identifier: Apache-2.0 OR MIT
"""NTS between meantimed and chronyd, each as client and as server."""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import control
import meantimed
import netlab
from certificates import certify

ADDRESS = "10.77.1.1"  # of S
LAB = {"clock": "lab", "lab_offset": "0.3 s", "lab_frequency": "20 ppm"}


def wait_listening(lab, port=4460):
    """A client that comes too early would wait for 16 s."""
    def is_listening():
        with lab.inside("S"), socket.socket() as probe:
            return probe.connect_ex((ADDRESS, port)) == 0
    assert netlab.wait_until(is_listening, 5), f"nobody listens on port {port}"


def chrony_server(lab, certificate, key, *more):
    daemon = lab.chronyd("S", "local stratum 3", "allow", f"ntsservercert {certificate}",
                         f"ntsserverkey {key}", *more)
    wait_listening(lab)
    return daemon


def client_of(lab, ca, clock=None, daemon=None, **keys):
    return lab.meantimed("C", daemon=daemon, clock=clock or LAB, more_sections={
        f"ntp {ADDRESS}": {"nts": "yes", "nts_ca": ca, "min_poll": -1, "max_poll": 0, **keys}})


def server(lab, certificate, key, daemon=None, **keys):
    daemon = lab.meantimed("S", daemon=daemon, clock={"clock": "overlay"}, more_sections={
        "server": {"nts_certificate": certificate, "nts_key": key, "local_stratum": 3,
                   "require_nts": "yes", **keys}})
    wait_listening(lab, keys.get("nts_port", 4460))
    return daemon


def fields(daemon):
    return {name: int(value) for name, value in
            ((name, text.split()[0]) for name, text in daemon.fields("ntpdata").items()
             if text.split()) if value.lstrip("-").isdigit()}


@pytest.mark.lab(seconds=25)
def test_meantimed_follows_chronyd_when_it_speaks_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = chrony_server(lab, certificate, key)
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged, with 8 cookies")
    c.wait_locked(40)
    time.sleep(5)
    assert c.page().state == "locked"
    stats = s.fields("serverstats")
    answered = int(stats["Authenticated NTP packets"])
    assert answered > 5 and answered == int(stats["NTP packets received"])
    assert int(stats["NTS-KE connections accepted"]) == 2  # one of them ours, to see if it listens
    assert "no keys could be exchanged" not in c.log()


@pytest.mark.lab(seconds=30)
def test_meantimed_exchanges_keys_again_when_chronyd_has_lost_its_own(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = chrony_server(lab, certificate, key)
    c = client_of(lab, ca)
    c.wait_locked(40)
    assert s.stop() == 0
    s.start()
    s.wait_for(lambda: int(s.fields("serverstats").get("NTS-KE connections accepted", 0)) > 0, 10,
               "keys exchanged with the new one")
    s.wait_for(lambda: int(s.fields("serverstats")["Authenticated NTP packets"]) > 3, 10,
               "its answers are taken")
    c.wait_locked(40)


@pytest.mark.lab(seconds=20)
def test_meantimed_asks_nothing_when_the_certificate_is_not_to_be_trusted(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    other, _, _ = certify(lab, "other")
    s = chrony_server(lab, certificate, key)
    c = client_of(lab, other)
    c.wait_log("no keys could be exchanged: .*issuer.*; the next attempt is in 1024 s", 10)
    time.sleep(2)
    assert int(s.fields("serverstats")["NTP packets received"]) == 0


@pytest.mark.lab(seconds=25)
def test_chronyd_follows_meantimed_when_it_speaks_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    server(lab, certificate, key)
    c = lab.chronyd("C", f"server {ADDRESS} nts iburst minpoll -1 maxpoll 0",
                    f"ntstrustedcerts {ca}", "makestep 0 0")
    c.wait_for(lambda: fields(c).get("Total good RX", 0) > 10, 15, "ten answers taken")
    told = fields(c)
    assert told["Total RX"] == told["Total valid RX"]
    line = next(line for line in c.ask("authdata").splitlines() if ADDRESS in line)
    mode, _, kind, bits, _, attempts, naks, cookies = line.split()[1:9]
    assert mode == "NTS" and (kind, bits) == ("15", "256"), line
    assert (attempts, naks, cookies) == ("0", "0", "8"), line


@pytest.mark.lab(seconds=45)
def test_chronyd_needs_no_new_keys_when_meantimed_restarts_or_its_process_dies(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = server(lab, certificate, key)
    c = lab.chronyd("C", f"server {ADDRESS} nts iburst minpoll -1 maxpoll 0",
                    f"ntstrustedcerts {ca}")
    c.wait_for(lambda: fields(c).get("Total good RX", 0) > 4, 15, "answers taken")
    keys = os.path.join(s.directory, "nts.keys")
    assert os.stat(keys).st_mode & 0o777 == 0o600
    assert s.stop() == 0
    s.start()
    before = fields(c)["Total good RX"]
    c.wait_for(lambda: fields(c)["Total good RX"] > before + 4, 15, "answers taken again")
    assert re.search(r"\s0\s+8\s", c.ask("authdata"))

    # a key exchange process that dies is there again
    victim = children_named(s, "meantimed-nts")[-1]
    os.kill(victim, signal.SIGKILL)
    s.wait_log("process for NTS key exchange has died", 5)
    assert c.stop() == 0
    time.sleep(1.5)
    c.start()
    c.wait_for(lambda: fields(c).get("Total good RX", 0) > 4, 15, "keys of the new process")


def children_named(daemon, name):
    """Process ids, parents first."""
    found = []
    wanted = [daemon.program.pid]
    while wanted:
        pid = wanted.pop(0)
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            wanted += [int(child) for child in file.read().split()]
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                found.append(pid)
    return found


@pytest.mark.lab(seconds=30)
def test_meantimed_follows_meantimed_when_both_speak_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = server(lab, certificate, key, port=1123, nts_port=4461)
    c = client_of(lab, ca, nts_port=4461)
    c.wait_locked(40)
    # another certificate, without a restart
    ca, _, _ = certify(lab, "S")
    s.reload()
    s.wait_log("S.pem and its key were read again", 5)
    assert c.stop() == 0
    c.start()
    c.wait_for(lambda: c.log().count("keys were exchanged") == 2, 10, "keys from the new one")
    c.wait_for(lambda: c.log().count("NTP server 10.77.1.1: answers") == 2, 10, "answers")


@pytest.mark.lab(seconds=20)
def test_meantimed_looks_at_dates_only_later_when_it_is_told_so(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S", days=-1)
    server(lab, certificate, key)
    c = client_of(lab, ca)
    c.wait_log("no keys could be exchanged: .*expired", 10)
    assert c.stop() == 0
    c = client_of(lab, ca, nts_time_check="synchronised")
    c.wait_log("NTP server 10.77.1.1: answers", 10)


@pytest.mark.lab(seconds=25)
def test_processes_give_up_privileges_when_the_daemon_has_a_user(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    os.chmod(key, 0o600)
    s = server(lab, certificate, key, daemon={"user": "nobody"})
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged", 10)
    nobody = str(pwd.getpwnam("nobody").pw_uid)
    processes = children_named(s, "meantimed-nts")
    assert len(processes) == 2  # keeper and server
    for pid in processes:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines())
        assert set(status["Uid"].split()) == {nobody}
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
    certify(lab, "S")
    os.chmod(key, 0o600)
    s.reload()
    s.wait_log("S.key cannot be read: Permission denied|S.pem cannot be read: Permission denied", 5)
    assert os.stat(os.path.join(s.directory, "nts.keys")).st_uid == int(nobody)


@pytest.mark.lab(seconds=20)
def test_a_recorded_run_is_replayed_when_it_spoke_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    server(lab, certificate, key)
    log = lab.path("input.log")
    c = lab.meantimed("C", clock=LAB, more_arguments=["--record", log], more_sections={
        f"ntp {ADDRESS}": {"nts": "yes", "nts_ca": ca, "min_poll": -1, "max_poll": 0}})
    c.wait_log("NTP server 10.77.1.1: answers", 10)
    time.sleep(3)
    assert c.stop() == 0
    done = subprocess.run([meantimed.TOOL, "replay", log], capture_output=True, text=True,
                          check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "keys of NTP server number 0, at 10.77.1.1" in done.stdout


def sockets_of(pid):
    """How many of its descriptors are sockets."""
    folder = f"/proc/{pid}/fd"
    return sum(os.readlink(os.path.join(folder, name)).startswith("socket:")
               for name in os.listdir(folder))


@pytest.mark.lab(seconds=20)
def test_processes_share_no_sockets_when_there_are_a_server_and_a_client(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = lab.meantimed("S", clock={"clock": "overlay"}, more_sections={
        "server": {"nts_certificate": certificate, "nts_key": key, "local_stratum": 3,
                   "listen": ADDRESS},
        f"ntp {ADDRESS}": {"nts": "yes", "nts_ca": ca}})
    s.wait_log("keys were exchanged", 10)
    # two keepers, and whom they keep; that which asked ends
    assert netlab.wait_until(lambda: len(children_named(s, "meantimed-nts")) == 4, 5)
    processes = children_named(s, "meantimed-nts")
    # one to the daemon each; and two of them have one to listen on
    assert sorted(sockets_of(pid) for pid in processes) == [1, 1, 2, 2]


@pytest.mark.lab(seconds=25)
def test_keys_are_exchanged_ever_less_often_when_questions_stay_unanswered(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    # the time is to be asked for where nobody is
    chrony_server(lab, certificate, key, "ntsntpserver 10.77.1.9")
    c = client_of(lab, ca, daemon={"log_level": "debug"}, min_poll=-3, max_poll=-3)
    c.wait_log("keys were exchanged", 10)
    time.sleep(8)  # for the cookies of eight exchanges
    assert c.log().count("keys were exchanged") == 1
    c.wait_for(lambda: c.log().count("keys were exchanged") == 2, 12, "another attempt")


def fault(daemon):
    """Why there are no keys, as meantime status, sources and why tell it."""
    reason = daemon.status()["ntp"][0]["fault_reason"]
    for command in ("status", "sources", "why"):
        shown = daemon.tool(command, "--socket", daemon.socket).stdout
        assert (reason or "").split("; the next")[0] in " ".join(shown.split()), shown
    return reason or ""


def wait_fault(daemon, pattern):
    daemon.wait_for(lambda: control.request(daemon.socket, {"command": "status"}), 5, "status")
    daemon.wait_for(lambda: re.search(pattern, daemon.status()["ntp"][0]["fault_reason"] or ""),
                    15, pattern)
    assert re.match(r"no keys could be exchanged: .*; (the next attempt is in \d+ s|it is being)",
                    fault(daemon))


@pytest.mark.lab(seconds=25)
def test_it_is_shown_why_there_are_no_keys(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S", days=-1)
    other, _, _ = certify(lab, "other")
    c = client_of(lab, ca)
    wait_fault(c, "Connection refused")
    assert c.stop() == 0
    server(lab, certificate, key)
    c = client_of(lab, ca)
    wait_fault(c, "expired")
    assert c.stop() == 0
    c = client_of(lab, other)
    wait_fault(c, "issuer")
    assert c.stop() == 0
    c = client_of(lab, ca, nts_time_check="synchronised")
    c.wait_log("NTP server 10.77.1.1: answers", 10)
    c.wait_for(lambda: c.status()["ntp"][0]["stratum"] == 3, 10, "an answer")
    assert "no keys" not in c.tool("status", "--socket", c.socket).stdout


@pytest.mark.lab(seconds=20)
def test_a_reload_asks_again_for_keys_at_once(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    other, _, _ = certify(lab, "other")
    trusted = lab.path("trusted.pem")
    shutil.copy(other, trusted)
    server(lab, certificate, key)
    c = client_of(lab, trusted)
    wait_fault(c, "not in the file that nts_ca names; the next attempt is in 10")
    shutil.copy(ca, trusted)
    c.reload()
    c.wait_log("keys were exchanged", 5)


@pytest.mark.lab(seconds=20)
def test_it_is_shown_when_the_certificate_is_for_another_name(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S", address="10.77.1.9")
    server(lab, certificate, key)
    c = client_of(lab, ca)
    wait_fault(c, "name in the certificate does not match")


def exchanges(daemon):
    return daemon.status()["server"]["key_exchanges"]


@pytest.mark.lab(seconds=25)
def test_keys_are_for_those_who_are_answered_and_for_so_many_in_a_second(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = server(lab, certificate, key, deny="10.77.1.2")
    s.wait_for(lambda: control.request(s.socket, {"command": "status"}), 5, "status")
    c = client_of(lab, ca)
    s.wait_for(lambda: exchanges(s)["denied"] > 0, 10, "nobody let in")
    wait_fault(c, "the server has closed the connection")
    assert exchanges(s)["served"] == 0
    assert "1 from addresses that are not" in s.tool("status", "--socket", s.socket).stdout
    assert c.stop() == 0 and s.stop() == 0

    s = server(lab, certificate, key, nts_rate=1)
    s.wait_for(lambda: control.request(s.socket, {"command": "status"}), 5, "status")
    time.sleep(1.5)
    with lab.inside("C"):
        for _ in range(20):
            with socket.socket() as probe:
                probe.connect((ADDRESS, 4460))
    s.wait_for(lambda: exchanges(s)["limited"] >= 18, 5, "most turned away")
    time.sleep(5)  # until one address is due again
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged", 10)
    s.wait_for(lambda: exchanges(s)["served"] == 1, 5, "one served")
    assert "NTS keys exchanged 1 time; " in s.tool("status", "--socket", s.socket).stdout


def connects(seconds=5):
    """Whether the server keeps a connection that says nothing, for as long as it would."""
    with socket.socket() as probe:
        probe.settimeout(seconds / 2)
        probe.connect((ADDRESS, 4460))
        try:
            return probe.recv(1) != b""
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False


@pytest.mark.lab(seconds=25)
def test_who_may_exchange_keys_changes_by_a_reload(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = server(lab, certificate, key)
    with lab.inside("C"):
        assert connects()
        s.more_sections["server"]["deny"] = "10.77.1.2"
        s.reload()
        assert netlab.wait_until(lambda: not connects(1), 10)
        # a process that begins anew has not the rules of the daemon's start
        os.kill(children_named(s, "meantimed-nts")[-1], signal.SIGKILL)
        s.wait_log("process for NTS key exchange has died", 5)
        time.sleep(1.5)
        assert not connects(1)
        del s.more_sections["server"]["deny"]
        s.reload()
        assert netlab.wait_until(lambda: connects(1), 10)
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged", 10)
