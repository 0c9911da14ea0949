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

import meantimed
from certificates import certify
from patience import wait_until

ADDRESS = "10.77.1.1"  # of S
LAB = {"clock": "lab", "lab_offset": "0.3 s", "lab_frequency": "20 ppm"}


def wait_listening(lab, port=4460):
    """A client that comes too early would wait for 16 s."""
    def is_listening():
        with lab.inside("S"), socket.socket() as probe:
            return probe.connect_ex((ADDRESS, port)) == 0
    assert wait_until(is_listening), f"nobody listens on port {port}"


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


def count_of(chronyd, name):
    """One of its server's counters."""
    return int(chronyd.fields("serverstats").get(name, 0))


@pytest.mark.lab(seconds=25)
def test_meantimed_follows_chronyd_when_it_speaks_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = chrony_server(lab, certificate, key)
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged, with 8 cookies")
    c.wait_locked()
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
    c.wait_locked()
    assert s.stop() == 0
    s.start()
    s.wait_until(lambda: count_of(s, "NTS-KE connections accepted") > 0,
                 "keys exchanged with the new one")
    s.wait_until(lambda: count_of(s, "Authenticated NTP packets") > 3, "its answers are taken")
    c.wait_locked()


@pytest.mark.lab(seconds=20)
def test_meantimed_asks_nothing_when_the_certificate_is_not_to_be_trusted(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    other, _, _ = certify(lab, "other")
    s = chrony_server(lab, certificate, key)
    c = client_of(lab, other)
    c.wait_log("no keys could be exchanged: .*issuer.*; the next attempt is in 1024 s")
    time.sleep(2)
    assert int(s.fields("serverstats")["NTP packets received"]) == 0


@pytest.mark.lab(seconds=25)
def test_chronyd_follows_meantimed_when_it_speaks_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    server(lab, certificate, key)
    c = lab.chronyd("C", f"server {ADDRESS} nts iburst minpoll -1 maxpoll 0",
                    f"ntstrustedcerts {ca}", "makestep 0 0")
    c.wait_until(lambda: fields(c).get("Total good RX", 0) > 10, "ten answers taken")
    told = fields(c)
    assert told["Total RX"] == told["Total valid RX"]
    mode, _, kind, bits, _, attempts, naks, _ = authentication(c)
    assert mode == "NTS" and (kind, bits) == ("15", "256")
    assert (attempts, naks) == ("0", "0")
    # one less until the next answer comes
    c.wait_until(lambda: authentication(c)[-1] == "8", "all cookies")


def authentication(chronyd):
    """What chronyc says of the keys of the only server."""
    line = next(line for line in chronyd.ask("authdata").splitlines() if ADDRESS in line)
    return line.split()[1:9]


@pytest.mark.lab(seconds=45)
def test_chronyd_needs_no_new_keys_when_meantimed_restarts_or_its_process_dies(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = server(lab, certificate, key)
    c = lab.chronyd("C", f"server {ADDRESS} nts iburst minpoll -1 maxpoll 0",
                    f"ntstrustedcerts {ca}")
    c.wait_until(lambda: fields(c).get("Total good RX", 0) > 4, "answers taken")
    keys = os.path.join(s.directory, "nts.keys")
    assert os.stat(keys).st_mode & 0o777 == 0o600
    assert s.stop() == 0
    s.start()
    before = fields(c)["Total good RX"]
    c.wait_until(lambda: fields(c)["Total good RX"] > before + 4, "answers taken again")
    c.wait_until(lambda: authentication(c)[-2:] == ["0", "8"], "no NAK, all cookies")

    # a key exchange process that dies is there again
    kill_exchange(s)
    assert c.stop() == 0
    c.start()
    c.wait_until(lambda: fields(c).get("Total good RX", 0) > 4, "keys of the new process")


def children_named(daemon, name):
    """Process ids, parents first."""
    found = []
    wanted = [daemon.program.pid]
    while wanted:
        pid = wanted.pop(0)
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                wanted += [int(child) for child in file.read().split()]
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read().strip() == name:
                    found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile
    return found


def kill_exchange(daemon):
    """Kills the process that exchanges keys, and waits for the next."""
    *keepers, victim = children_named(daemon, "meantimed-nts")
    os.kill(victim, signal.SIGKILL)
    daemon.wait_log("process for NTS key exchange has died")

    def is_there():
        now = children_named(daemon, "meantimed-nts")
        return len(now) == len(keepers) + 1 and now[-1] != victim
    daemon.wait_until(is_there, "another process")


@pytest.mark.lab(seconds=30)
def test_meantimed_follows_meantimed_when_both_speak_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = server(lab, certificate, key, port=1123, nts_port=4461)
    c = client_of(lab, ca, nts_port=4461)
    c.wait_locked()
    # another certificate, without a restart
    ca, _, _ = certify(lab, "S")
    s.reload()
    s.wait_log("S.pem and its key were read again")
    assert c.stop() == 0
    c.start()
    c.wait_until(lambda: c.log().count("keys were exchanged") == 2, "keys from the new one")
    c.wait_until(lambda: c.log().count("NTP server 10.77.1.1: answers") == 2, "answers")


@pytest.mark.lab(seconds=20)
def test_meantimed_looks_at_dates_only_later_when_it_is_told_so(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S", days=-1)
    server(lab, certificate, key)
    c = client_of(lab, ca)
    c.wait_log("no keys could be exchanged: .*expired")
    assert c.stop() == 0
    c = client_of(lab, ca, nts_time_check="synchronised")
    c.wait_log("NTP server 10.77.1.1: answers")


@pytest.mark.lab(seconds=25)
def test_processes_give_up_privileges_when_the_daemon_has_a_user(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    os.chmod(key, 0o600)
    s = server(lab, certificate, key, daemon={"user": "nobody"})
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged")
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
    s.wait_log("S.key cannot be read: Permission denied|S.pem cannot be read: Permission denied")
    assert os.stat(os.path.join(s.directory, "nts.keys")).st_uid == int(nobody)


@pytest.mark.lab(seconds=20)
def test_a_recorded_run_is_replayed_when_it_spoke_nts(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    server(lab, certificate, key)
    log = lab.path("input.log")
    c = lab.meantimed("C", clock=LAB, more_arguments=["--record", log], more_sections={
        f"ntp {ADDRESS}": {"nts": "yes", "nts_ca": ca, "min_poll": -1, "max_poll": 0}})
    c.wait_log("NTP server 10.77.1.1: answers")
    time.sleep(3)
    assert c.stop() == 0
    done = subprocess.run([meantimed.TOOL, "replay", log], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "keys of NTP server number 0, at 10.77.1.1" in done.stdout


def sockets_of(pid):
    """How many of its descriptors are sockets; -1: it has ended, or closed one meanwhile."""
    folder = f"/proc/{pid}/fd"
    try:
        return sum(os.readlink(os.path.join(folder, name)).startswith("socket:")
                   for name in os.listdir(folder))
    except (FileNotFoundError, ProcessLookupError):
        return -1


@pytest.mark.lab(seconds=20)
def test_processes_share_no_sockets_when_there_are_a_server_and_a_client(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = lab.meantimed("S", clock={"clock": "overlay"}, more_sections={
        "server": {"nts_certificate": certificate, "nts_key": key, "local_stratum": 3,
                   "listen": ADDRESS},
        f"ntp {ADDRESS}": {"nts": "yes", "nts_ca": ca}})
    s.wait_log("keys were exchanged")

    def sockets():
        return sorted(sockets_of(pid) for pid in children_named(s, "meantimed-nts"))
    # two keepers, and whom they keep; that which asked ends.  One to the daemon each; and two of
    # them have one to listen on
    assert wait_until(lambda: sockets() == [1, 1, 2, 2]), sockets()


@pytest.mark.lab(seconds=25)
def test_keys_are_exchanged_ever_less_often_when_questions_stay_unanswered(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    # the time is to be asked for where nobody is
    chrony_server(lab, certificate, key, "ntsntpserver 10.77.1.9")
    c = client_of(lab, ca, daemon={"log_level": "debug"}, min_poll=-3, max_poll=-3)
    c.wait_until(lambda: c.log().count("keys were exchanged") == 2, "another attempt")
    first, second = times_of(c, "keys were exchanged")
    assert second - first > 8  # in which the cookies of eight exchanges would have been used


def times_of(daemon, words):
    """When its log says so: seconds since a midnight."""
    found = re.findall(rf"^(\d\d):(\d\d):(\d\d\.\d\d\d) .*{words}", daemon.log(), re.MULTILINE)
    times = [3600 * int(hour) + 60 * int(minute) + float(second) for hour, minute, second in found]
    return [time_s if time_s >= times[0] else time_s + 86400 for time_s in times]


def fault(daemon):
    """Why there are no keys, as meantime status, sources and why tell it."""
    reason = daemon.status()["ntp"][0]["fault_reason"]
    lasting = (reason or "").rsplit("; ", 1)[0]  # not when it is tried again
    for command in ("status", "sources", "why"):
        shown = daemon.tool(command, "--socket", daemon.socket).stdout
        assert lasting in " ".join(shown.split()), shown
    return reason or ""


def wait_fault(daemon, pattern):
    daemon.wait_answer()
    daemon.wait_until(lambda: re.search(pattern, daemon.status()["ntp"][0]["fault_reason"] or ""),
                      pattern)
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
    c.wait_log("NTP server 10.77.1.1: answers")
    c.wait_until(lambda: c.status()["ntp"][0]["stratum"] == 3, "an answer")
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
    wait_fault(c, "not in the file that nts_ca names; the next attempt is in (10|9)\\d\\d s")
    shutil.copy(ca, trusted)
    c.reload()
    c.wait_log("keys were exchanged")


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
    s.wait_answer()
    c = client_of(lab, ca)
    s.wait_until(lambda: exchanges(s)["denied"] > 0, "nobody let in")
    wait_fault(c, "the server has closed the connection")
    assert exchanges(s)["served"] == 0
    shown = s.tool("status", "--socket", s.socket).stdout
    assert re.search(r"\b[1-9]\d* from addresses that are not", shown), shown
    assert c.stop() == 0 and s.stop() == 0

    s = server(lab, certificate, key, nts_rate=1)
    s.wait_answer()
    time.sleep(1.5)
    began_s = time.monotonic()
    with lab.inside("C"):
        for _ in range(20):
            with socket.socket() as probe:
                probe.connect((ADDRESS, 4460))
    let_in = 2 + int(time.monotonic() - began_s)  # at most, at one in a second
    s.wait_until(lambda: exchanges(s)["limited"] >= 20 - let_in, "most turned away")
    time.sleep(5)  # until one address is due again
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged")
    s.wait_until(lambda: exchanges(s)["served"] == 1, "one served")
    assert "NTS keys exchanged 1 time; " in s.tool("status", "--socket", s.socket).stdout


def connects(seconds=5):
    """Whether the server keeps a connection that says nothing: for 5 s it would."""
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
        assert wait_until(lambda: not connects(1))
        # a process that begins anew has not the rules of the daemon's start
        kill_exchange(s)
        assert not connects(9)
        del s.more_sections["server"]["deny"]
        s.reload()
        assert wait_until(lambda: connects(1))
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged")
