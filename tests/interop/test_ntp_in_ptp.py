# SPDX-License-Identifier: Apache-2.0 OR MIT
"""NTP in PTP messages: beside ports of PTP on the same interface, and with Debian's chronyd, which
has an early form of it."""
import pytest

import truth
from test_ntp_client import LAB_CLOCK, assert_set, client, network, server_of, wait_followed
from test_ntp_client import CLIENT, FAST, SERVER
import test_ntp_server as served
from test_ntp_server import FASTEST, address_both, assert_follows, serve

IN_PTP = {"transport": "ptp", "interface": "eth0", "interleaved": "yes", **FAST}


def wait_interleaved(daemon):
    daemon.wait_until(lambda: server_of(daemon)["answers"]["interleaved"] >= 3,
                    "interleaved answers")


@pytest.mark.lab(seconds=20)
def test_meantimed_asks_chronyd_in_ptp_messages(lab):
    network(lab)
    lab.chronyd("S", "local stratum 2", "allow", "ptpport 319")
    c = client(lab, {SERVER: {**IN_PTP, "transport": "ptp_early"}})
    wait_followed(c)
    wait_interleaved(c)
    assert_set(c)
    assert server_of(c)["answers"]["bogus"] == 0


@pytest.mark.lab(seconds=20)
def test_chronyd_asks_meantimed_in_ptp_messages(lab):
    lab.chain("A", "B")
    address_both(lab)
    a = serve(lab, server={"ptp_interface": "eth0"})
    chronyd = lab.chronyd("B", "allow", "ptpport 319",
                          f"server {served.SERVER} {FASTEST} port 319 xleave")
    assert_follows(chronyd, a)
    chronyd.wait_until(lambda: chronyd.fields("ntpdata")["Interleaved"] == "Yes", "interleaved")
    assert chronyd.fields("ntpdata")["Remote port"] == "319"
    a.wait_until(lambda: a.status()["server"]["requests"]["interleaved"] > 0, "interleaved")


@pytest.mark.lab(seconds=30)
def test_ntp_and_ptp_share_an_interface_when_both_ends_are_meantimed(lab):
    """The client is a receiver of PTP besides, from the same neighbour, on the same sockets."""
    lab.chain("S", "C")
    lab.ip("S", "address", "add", f"{SERVER}/24", "dev", "eth0")
    lab.ip("C", "address", "add", f"{CLIENT}/24", "dev", "eth0")
    s = lab.meantimed("S", "eth0", clock=LAB_CLOCK, ptp={"priority1": 100},
                      more_sections={"server": {"ptp_interface": "eth0", "local_stratum": 1}})
    c = lab.meantimed("C", "eth0", clock={"clock": "lab", "lab_offset": "-0.4 s"},
                      more_sections={f"ntp {SERVER}": IN_PTP})
    c.wait_answer()
    wait_interleaved(c)
    c.wait_until(lambda: c.status()["instances"][0]["ports"][0]["state"] == "RECEIVER",
               "a receiver of PTP")
    port = c.status()["instances"][0]["ports"][0]
    assert port["link"]["stamps_ambiguous"] == 0
    server = server_of(c)
    assert server["answers"]["bogus"] == 0 and server["answers"]["impossible"] == 0
    assert server["stratum"] == 1
    truth.assert_comes_near(c, 2_000_000, s)
