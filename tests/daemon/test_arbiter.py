# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Several sources of one clock: who lies is named and not followed, and the tool explains it."""
import json

import pytest

import netlab
import truth

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
    b.wait_for(lambda: verdicts(b).get("main") == "falseticker", 60, "the liar is found out")
    b.wait_log("source main is not believed: the others agree that it is ahead, by at least 0.0",
               60)
    b.wait_locked()
    b.wait_for(lambda: all(verdicts(b)[name] in ("selected", "combined", "distant")
                           for name in SERVERS), 60, "believes the servers")

    def is_right():
        clock = b.status()["clocks"][0]
        return clock["state"] == "locked" and abs(clock["offset_ns"]) < 2e6 \
            and clock["bound_ns"] < 10e6
    b.wait_for(is_right, 60, "is near to the servers, and nearer than to the liar")
    truth.assert_inside(truth.hold(b, seconds=1))
    assert b.instance()["ports"][0]["state"] == "UNCALIBRATED"

    table = tell(b, "sources")
    assert table.returncode == 0 and table.stdout.count("\n") == 2 + 4, table.stdout
    told = []

    def is_explained():  # an answer that is late makes a server uncertain for a while
        told.append(tell(b, "why"))
        assert told[-1].returncode == 0, told[-1].stderr
        return "clock main: 3 of 4 sources that could be asked agree" in told[-1].stdout \
            and "it is ahead by at least" in told[-1].stdout
    assert netlab.wait_until(is_explained, 60), told[-1].stdout
    objects = json.loads(tell(b, "why", "--json").stdout)
    assert {source["name"] for source in objects["sources"]} == {"main", *SERVERS}
    b.wait_for(lambda: b.status()["clocks"][0]["arbiter"]["voters"] == 4, 60, "all are asked")
    assert tell(b, "why", "nobody").returncode == 1
