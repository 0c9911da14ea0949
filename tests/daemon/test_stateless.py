# SPDX-License-Identifier: Apache-2.0 OR MIT
"""SPTP and CSPTP: meantimed asks meantimed."""

import subprocess

import pytest

import truth
from test_defects import LAB_CLOCK, wait_listening


def serve_and_ask(lab, form, **keys):
    """A serves B, by unicast alone."""
    lab.chain("A", "B")
    family = "-6" if keys.get("transport") == "udp6" else "-4"
    address = lab.ip("A", family, "-o", "address", "show", "eth0").split()[3].split("/")[0]
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, form: "server", **keys})
    keys = {key: value for key, value in keys.items() if "workers" not in key}
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK,
                      ptp={form: "client", "stateless_servers": address,
                           "stateless_log_interval": -2, **keys})
    b.wait_state("RECEIVER")
    return a, b


@pytest.mark.lab(seconds=10)
@pytest.mark.parametrize("form, keys", [
    ("sptp", {}),
    ("csptp", {}),
    ("csptp", {"stateless_workers": 2}),
    ("sptp", {"stateless_workers": 2}),
    ("sptp", {"stateless_workers": 1, "transport": "udp6"}),
    pytest.param("csptp", {"stateless_workers": 1, "transport": "udp6"}, marks=pytest.mark.long),
    pytest.param("csptp", {"stateless_workers": 1, "csptp_one_step": "no"},
                 marks=pytest.mark.long),
    pytest.param("sptp", {"sptp_padded": "yes"}, marks=pytest.mark.long),
    pytest.param("csptp", {"csptp_layout": "prefixed"}, marks=pytest.mark.long),
    pytest.param("csptp", {"csptp_layout": "full"}, marks=pytest.mark.long),
])
def test_client_follows_server(lab, form, keys):
    a, b = serve_and_ask(lab, form, **keys)
    truth.assert_inside(truth.hold(b, seconds=4))
    b.wait_for(lambda: b.port()["stateless"]["exchanges"]["measured"] >= 10, 60, "goes on asking")
    requests = a.instance()["stateless"]["requests"]
    exchanges = b.port()["stateless"]["exchanges"]
    assert requests["answered"] >= 10
    assert requests["stamp_lost"] == 0
    if "stateless_workers" in keys:  # it was they, not the loop
        assert a.port()["link"]["received"] < 5
    assert exchanges["bogus"] <= 2 * exchanges["timeouts"]  # of an answer that came too late


@pytest.mark.lab(seconds=12)
def test_client_finds_its_server_by_name(lab):
    """A name that is not known at first; the sandbox is on."""
    hosts = "/run/hosts"
    with open(hosts, "w", encoding="ascii") as file:
        file.write("127.0.0.1 localhost\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    lab.chain("A", "B")
    address = lab.ip("A", "-4", "-o", "address", "show", "eth0").split()[3].split("/")[0]
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "sptp": "server", "domain": 3})
    b = lab.meantimed("B", "eth0", clock=LAB_CLOCK,
                      ptp={"sptp": "client", "stateless_servers": "time.test", "domain": 3,
                           "stateless_log_interval": -2})
    wait_listening(b)
    assert b.port()["stateless"]["servers"] == {"time.test": 0}
    with open(hosts, "a", encoding="ascii") as file:
        file.write(f"{address} time.test\n")
    b.wait_state("RECEIVER")
    assert b.port()["stateless"]["asks"] == "sptp"
    b.wait_for(lambda: b.port()["stateless"]["servers"].get(address, 0) >= 4, 60,
               "asks it")
    assert b.port()["stateless"]["followed"] == address
    assert a.instance()["stateless"]["serves"] == "sptp"
    assert b.instance()["stateless"]["serves"] == "off"
