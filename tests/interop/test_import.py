# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantime import: the file with which ptp4l runs at one end makes the configuration of the other.
Only the clock is another one, which the laboratory knows."""
import configparser
import subprocess

import pytest

import linuxptp
import meantimed
import truth
from test_profiles import G8275_1, GPTP, LAB_CLOCK

FILES = {
    "default": {},
    "ethernet": {"network_transport": "L2", "delay_mechanism": "P2P", "domainNumber": 7,
                 "logMinPdelayReqInterval": -3},
    "udp6": {"network_transport": "UDPv6", "udp6_scope": "0x05", "logAnnounceInterval": -1},
    "gptp": {**GPTP, "logMinPdelayReqInterval": -2, "neighborPropDelayThresh": 20000000},
    "g8275.1": {**G8275_1, "clockClass": 6},
    "hybrid": {"hybrid_e2e": 1},
}


def imported(node, peer, *more):
    """Keyword arguments of lab.meantimed, made of the file of a ptp4l."""
    command = ["ptp4l", "-f", peer.config, f"--uds_address=/run/{node}.imported", *more]
    done = subprocess.run([meantimed.TOOL, "import", *command], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    config = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    config.read_string(done.stdout)
    assert dict(config["clock"]) == {"clock": "overlay", "estimates_only": "yes"}  # free_running
    return {"clock": LAB_CLOCK, "ptp": dict(config["ptp"]),
            "ports": {"eth0": dict(config["ptp eth0"])}, "is_fast": False}


@pytest.mark.lab(seconds=15)
@pytest.mark.parametrize("name", FILES)
def test_meantimed_follows_ptp4l_with_its_file_imported(lab, name):
    lab.chain("A", "B")
    a = lab.ptp4l("A", "eth0", **FILES[name])
    b = lab.meantimed("B", "eth0", **imported("B", a, "--priority1", "254", "--clockClass=248"))
    b.wait_state("RECEIVER")
    truth.assert_inside(truth.hold(b, seconds=3))


@pytest.mark.lab(seconds=15)
@pytest.mark.parametrize("name", ["default", "ethernet", "g8275.1"])
def test_ptp4l_follows_meantimed_with_its_file_imported(lab, name):
    lab.chain("A", "B")
    a = lab.ptp4l("A", "eth0", **{**FILES[name], "clockClass": 248})
    b = lab.meantimed("B", "eth0", **imported("B", a, "--priority1=1", "--priority2=1",
                                              "--clockAccuracy=0x20"))
    a.wait_state(*linuxptp.FOLLOWS)
    truth.assert_measured(a, b)
