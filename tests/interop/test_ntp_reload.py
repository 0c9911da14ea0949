# SPDX-License-Identifier: Apache-2.0 OR MIT
"""NTP servers that come and go while meantimed runs, and rules of its own server that change:
`meantime add`, `remove` and `reload`, and SIGHUP, with Debian's chronyd beside it."""
import os
import re
import subprocess
import time

import pytest

import isolate
from certificates import certify
from meantimed import TOOL
from patience import wait_until
from test_ntp_client import CLIENT, FAST, SERVER, assert_set, client, server_of, wait_followed
from test_ntp_server import REQUEST, address_both, ask, serve
from test_nts import ADDRESS, chrony_server, client_of

OTHER = "10.79.0.3"
KEY_FILE_MODE = 0o600


def two_servers(lab, *lines):
    lab.star("S", "T", "C")
    for node, address in (("S", SERVER), ("T", OTHER), ("C", CLIENT)):
        lab.ip(node, "address", "add", f"{address}/24", "dev", "eth0")
    lab.chronyd("S", "local stratum 2", "allow", *lines)
    lab.chronyd("T", "local stratum 2", "allow", *lines)


def run(daemon, *words):
    """The tool's answer: exit status and all that it says."""
    done = daemon.tool(*words, "--socket", daemon.socket)
    return done.returncode, done.stdout + done.stderr


def names(daemon):
    return {server["name"] for server in daemon.status()["ntp"]}


@pytest.mark.lab(seconds=30)
def test_servers_are_added_and_removed_at_run_time(lab):
    """The second comes, the first goes, the clock goes on; and all of it is replayed."""
    two_servers(lab)
    log = lab.path("C.inputs")
    c = client(lab, {SERVER: FAST}, more_arguments=["--record", log])
    wait_followed(c)
    c.wait_locked()
    steps = c.page().steps
    assert run(c, "add", "ntp", OTHER, "min_poll=-1", "max_poll", "0") == \
        (0, f"ntp {OTHER} is new\n")
    assert names(c) == {SERVER, OTHER}
    c.wait_until(lambda: server_of(c, OTHER)["reach"] == 255, "the other answers")
    assert run(c, "remove", "ntp", SERVER) == (0, f"ntp {SERVER} is gone\n")
    assert names(c) == {OTHER}
    wait_followed(c, OTHER)
    assert {source["name"] for source in c.status()["sources"]} == {OTHER}
    time.sleep(2)
    page = c.page()
    assert page.steps == steps and page.state in ("locked", "holdover", "acquiring")
    assert_set(c)
    c.wait_log(f"changed by the control socket: ntp {SERVER} is gone")
    c.reload()  # what the file says
    c.wait_log(f"the configuration was reloaded: ntp {OTHER} is gone, ntp {SERVER} is new")
    assert names(c) == {SERVER}
    c.wait_until(lambda: server_of(c)["reach"] > 0, "the first answers")
    assert c.stop() == 0
    done = subprocess.run([TOOL, "replay", log], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "all as recorded" in done.stdout, done.stdout[-500:]


@pytest.mark.lab(seconds=25)
def test_nothing_changes_when_anything_is_wrong(lab):
    two_servers(lab)
    c = client(lab, {SERVER: FAST})
    wait_followed(c)
    sections = dict(c.more_sections)
    c.more_sections = {f"ntp {OTHER}": {"min_poll": "often"}}
    c.write_config()
    status, said = run(c, "reload")
    assert status == 1 and re.search(r"C\.conf:\d+: .*min_poll.*nothing has changed", said), said
    c.wait_log("the configuration was not reloaded: the file has 1 problem; nothing has changed")
    assert names(c) == {SERVER}
    # nor when keys are missing
    c.more_sections = {f"ntp {OTHER}": {"key": 3, "key_file": "/nowhere/ntp.keys"}}
    c.write_config()
    status, said = run(c, "reload")
    assert status == 1 and "/nowhere/ntp.keys: cannot be read" in said, said
    assert names(c) == {SERVER}
    wait_followed(c)
    for words, answer in (
            (("add", "ntp", SERVER), f"there is an [ntp {SERVER}] already"),
            (("add", "ntp", "x", "min_pol=3"), "min_poll"),
            (("add", "ntp", "x", "clock=other"), "there is no section [clock other]"),
            (("remove", "ntp", OTHER), f"there is no [ntp {OTHER}]")):
        status, said = run(c, *words)
        assert status == 1 and answer in said, said
    c.more_sections = sections
    c.write_config()
    assert run(c, "reload") == (0, "nothing has changed\n")
    # what cannot be changed is named, the rest is taken over
    c.daemon["record"] = lab.path("later")
    c.more_sections[f"ntp {OTHER}"] = FAST
    c.write_config()
    status, said = run(c, "reload")
    assert status == 1 and "needs a restart" in said and f"ntp {OTHER} is new" in said, said
    assert names(c) == {SERVER, OTHER}


@pytest.mark.lab(seconds=20)
def test_no_more_servers_are_asked_than_there_is_room_for(lab):
    lab.nodes("C")
    lab.ip("C", "link", "set", "lo", "up")
    c = client(lab, {"127.0.1.1": {}})
    many = {f"ntp 127.0.2.{number}": {} for number in range(70)}
    c.more_sections = {"ntp 127.0.1.1": {}, **many}
    c.write_config()
    status, said = run(c, "reload")
    assert status == 1 and "and 22 more" in said, said
    assert len(names(c)) == 64
    c.wait_log("ntp 127.0.2.63 cannot be asked: cannot ask so many NTP servers: the limit is 64")
    status, said = run(c, "add", "ntp", "127.0.3.1")
    assert status == 1 and "the limit is 64" in said, said
    c.more_sections = {"ntp 127.0.2.1": {}}
    c.write_config()
    assert run(c, "reload")[0] == 0 and names(c) == {"127.0.2.1"}
    c.more_sections = many
    c.write_config()
    assert run(c, "reload")[0] == 1 and len(names(c)) == 64


@pytest.mark.lab(seconds=30)
def test_keys_are_exchanged_for_servers_that_come_and_go(lab):
    lab.chain("S", "C")
    ca, certificate, key = certify(lab, "S")
    s = chrony_server(lab, certificate, key)
    c = client_of(lab, ca)
    c.wait_log("keys were exchanged, with 8 cookies")
    wait_followed(c, ADDRESS)
    nts = ("nts=yes", f"nts_ca={ca}", "min_poll=-1", "max_poll=0")
    assert run(c, "add", "ntp", "again", f"address={ADDRESS}", *nts) == (0, "ntp again is new\n")
    c.wait_until(lambda: server_of(c, "again")["answers"]["used"] > 3, "the other's answers")
    assert run(c, "remove", "ntp", ADDRESS)[0] == 0
    assert run(c, "add", "ntp", ADDRESS, *nts)[0] == 0
    c.wait_until(lambda: server_of(c, ADDRESS)["answers"]["used"] > 3, "answers with new keys")
    assert len(re.findall("keys were exchanged, with 8 cookies", c.log())) == 3
    assert int(s.fields("serverstats")["NTS-KE connections accepted"]) == 4  # with the first look


@pytest.mark.lab(seconds=20)
def test_servers_come_and_go_when_privileges_were_given_up(lab):
    if not isolate.has_users():
        pytest.skip("there is no other user in a user namespace")
    two_servers(lab)
    c = client(lab, {SERVER: FAST}, daemon={"user": "nobody", "sandbox": "yes"})
    os.chmod(c.config, 0o644)
    wait_followed(c)
    c.more_sections = {f"ntp {OTHER}": {"interface": "eth0", **FAST}}
    c.reload()
    c.wait_log(f"the configuration was reloaded: ntp {SERVER} is gone, ntp {OTHER} is new")
    wait_followed(c, OTHER)
    assert_set(c)


def write_key(path, key):
    with open(path, "w", encoding="ascii") as file:
        file.write(f"7 SHA256 ASCII:{key}\n")
    os.chmod(path, KEY_FILE_MODE)


@pytest.mark.lab(seconds=30)
def test_a_new_key_is_in_force_after_a_reload(lab):
    keys = {name: lab.path(f"{name}.keys") for name in ("S", "C")}
    for path in keys.values():
        write_key(path, "the_old_one")
    two_servers(lab, f"keyfile {keys['S']}")
    c = client(lab, {SERVER: {"key": 7, "key_file": keys["C"], **FAST}})
    wait_followed(c)
    write_key(keys["C"], "a_new_one")
    assert run(c, "reload") == (0, f"key 7 of {keys['C']} (ntp {SERVER})\n")
    used = server_of(c)["answers"]["used"]
    time.sleep(3)
    assert server_of(c)["answers"]["used"] <= used + 1
    write_key(keys["S"], "a_new_one")
    lab.daemons["S"].ask("rekey")
    c.wait_until(lambda: server_of(c)["answers"]["used"] > used + 2, "answers with the new key")
    assert_set(c)


@pytest.mark.lab(seconds=20)
def test_rules_of_the_server_change_without_a_restart(lab):
    lab.chain("A", "B")
    address_both(lab)
    a = serve(lab, server={"local_stratum": 5, "workers": 2})

    def stratum(patience_s=1):
        answer = ask(REQUEST, patience_s=patience_s)
        return answer[1] if answer else None

    def is_silent():
        return all(stratum(0.1) is None for _ in range(5))

    with lab.inside("B"):
        assert wait_until(lambda: stratum() == 5)
        a.more_sections["server"] = {"local_stratum": 6, "workers": 2, "deny": "10.88.0.0/16"}
        a.write_config()
        assert run(a, "reload") == (0, "deny = 10.88.0.0/16 (server)\nlocal_stratum = 6 (server)\n")
        assert wait_until(lambda: stratum() == 6)
        a.more_sections["server"]["deny"] = "10.77.0.2"
        a.reload()
        a.wait_log(r"the configuration was reloaded: deny = 10\.77\.0\.2 \(server\)")
        assert wait_until(is_silent)
        a.more_sections["server"].update(deny="none", rate_limit=3, rate_burst=2)
        a.reload()
        assert wait_until(lambda: stratum() == 6)
        assert wait_until(lambda: stratum(0.1) in (None, 0), step_s=0)  # too often
        a.more_sections["server"].update(rate_limit="none", workers=1)
        a.write_config()
        status, said = run(a, "reload")
        assert status == 1 and "rate_limit = none (server)" in said, said
        assert "workers = 1 (server) needs a restart; until then it is 2" in said, said
        assert wait_until(lambda: all(stratum() == 6 for _ in range(20)))
    assert a.stop() == 0
