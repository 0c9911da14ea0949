# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Several sources of one clock: who lies is named and not followed, and the tool explains it."""
import json

import pytest

ADDRESS = "10.77.1.1"  # of A
SERVERS = ("one", "two", "three")


def serve(lab):
    """A serves the machine's time by NTP, and by PTP a time that is 20 ms ahead."""
    return lab.meantimed("A", clock={"clock": "overlay"}, more_sections={
        "clock wrong": {"clock": "lab", "lab_offset": "20ms"},
        "instance liar": {"clock": "wrong", "clock_class": 6, "clock_accuracy": "1us",
                          "priority1": 1},
        "port eth0": {"instance": "liar"},
        "server": {"local_stratum": 5}})


def ask(lab, **clock):
    servers = {f"ntp {name}": {"address": ADDRESS} for name in SERVERS}
    return lab.meantimed("B", "eth0", clock={"clock": "overlay", **clock},
                         ptp={"receiver_only": "yes"},
                         more_sections={"ntp": {"min_poll": -1, "max_poll": 0}, **servers})


def tell(daemon, *arguments):
    return daemon.tool("--run-directory", daemon.directory, *arguments)


def verdicts(daemon):
    return {source["name"]: source["verdict"] for source in daemon.status()["sources"]}


@pytest.mark.lab(seconds=30)
def test_a_ptp_transmitter_that_lies_is_outvoted_by_ntp_servers_and_named(lab):
    lab.chain("A", "B")
    serve(lab).wait_state("TRANSMITTER")
    b = ask(lab)
    b.wait_state("UNCALIBRATED")
    b.wait_for(lambda: verdicts(b).get("main") == "falseticker", 25, "the liar is found out")
    b.wait_log("source main is not believed: the others agree that it is ahead, by at least 0.0", 5)
    b.wait_locked(20)
    assert all(verdicts(b)[name] in ("selected", "combined", "distant") for name in SERVERS)
    clock = b.status()["clocks"][0]
    assert abs(clock["offset_ns"]) < 2e6 and clock["bound_ns"] < 10e6
    page = b.page()
    assert page.state == "locked"
    assert b.instance()["ports"][0]["state"] == "UNCALIBRATED"

    table = tell(b, "sources")
    assert table.returncode == 0 and table.stdout.count("\n") == 2 + 4, table.stdout
    why = tell(b, "why")
    assert why.returncode == 0, why.stderr
    assert "clock main: 3 of 4 sources that could be asked agree" in why.stdout
    assert "it is ahead by at least" in why.stdout
    objects = json.loads(tell(b, "why", "--json").stdout)
    assert {source["name"] for source in objects["sources"]} == {"main", *SERVERS}
    assert objects["clocks"][0]["arbiter"]["voters"] == 4
    assert tell(b, "why", "nobody").returncode == 1
