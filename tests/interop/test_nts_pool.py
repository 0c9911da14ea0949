# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A pool of servers that speak NTS: one name, several addresses, keys exchanged with each."""
import pytest

import ntpd
from certificates import certify

ADDRESSES = {"S": "10.79.0.1", "T": "10.79.0.2", "U": "10.79.0.3"}
CLIENT = "10.79.0.9"
PATIENCE_S = 120  # a member is given up after some questions
LAB = {"clock": "lab", "lab_offset": "0.3 s", "lab_frequency": "20 ppm"}


def network(lab, *servers):
    """One name has all their addresses; and one certificate is for it."""
    lab.star(*servers, "C")
    for node in servers:
        lab.ip(node, "address", "add", f"{ADDRESSES[node]}/24", "dev", "eth0")
    lab.ip("C", "address", "add", f"{CLIENT}/24", "dev", "eth0")
    names = "".join(f"{ADDRESSES[node]} pool.example\n" for node in servers)
    ntpd.bind(f"127.0.0.1 localhost\n{names}", lab.path("hosts"), "/etc/hosts")
    return certify(lab, "pool")


def serve(lab, node, certificate, key, **keys):
    daemon = lab.meantimed(node, clock={"clock": "overlay"}, more_sections={"server": {
        "nts_certificate": certificate, "nts_key": key, "local_stratum": 3, **keys}})
    daemon.wait_answer()
    return daemon


def serve_chrony(lab, node, certificate, key):
    return lab.chronyd(node, "local stratum 3", "allow", f"ntsservercert {certificate}",
                       f"ntsserverkey {key}")


def client_of(lab, ca, count):
    daemon = lab.meantimed("C", clock=LAB, more_sections={"ntp pool.example": {
        "nts": "yes", "nts_ca": ca, "count": count, "min_poll": -1, "max_poll": 0}})
    daemon.wait_answer()
    return daemon


def answering(daemon):
    """Addresses of those members that have answered one of the last two questions."""
    return sorted(server["address"].split(":")[0] for server in daemon.status()["ntp"]
                  if server["reach"] & 3)


def wait_answering(daemon, *nodes):
    wanted = sorted(ADDRESSES[node] for node in nodes)
    daemon.wait_for(lambda: answering(daemon) == wanted, PATIENCE_S, f"answers of {wanted}")


@pytest.mark.lab(seconds=30)
def test_each_member_exchanges_keys_with_a_server_of_its_own(lab):
    ca, certificate, key = network(lab, "S", "T", "U")
    serve(lab, "S", certificate, key, require_nts="yes")
    serve_chrony(lab, "T", certificate, key)
    serve(lab, "U", certificate, key, require_nts="yes")
    c = client_of(lab, ca, 4)
    wait_answering(c, "S", "T", "U")
    assert sum(server["authenticated"] for server in c.status()["ntp"]) == 3
    c.wait_log("no keys could be exchanged: all servers of pool.example are asked already")
    c.wait_locked()


@pytest.mark.lab(seconds=45)
def test_a_member_is_replaced_when_it_does_not_answer_any_more(lab):
    ca, certificate, key = network(lab, "S", "T", "U")
    daemons = {"S": serve(lab, "S", certificate, key),
               "T": serve_chrony(lab, "T", certificate, key),
               "U": serve(lab, "U", certificate, key)}
    c = client_of(lab, ca, 2)
    seen = []

    def two_answer():
        seen[:] = answering(c)
        return len(seen) == 2
    c.wait_until(two_answer, "two answer")
    there = [node for node in daemons if ADDRESSES[node] in seen]
    assert daemons[there[0]].stop() == 0
    other = next(node for node in daemons if node not in there)
    wait_answering(c, there[1], other)


@pytest.mark.lab(seconds=30)
def test_a_member_is_replaced_when_its_certificate_is_no_good(lab):
    ca, certificate, key = network(lab, "S", "T")
    _, wrong, wrong_key = certify(lab, "other")
    serve(lab, "S", wrong, wrong_key)
    serve(lab, "T", certificate, key)
    c = client_of(lab, ca, 1)
    wait_answering(c, "T")
    c.wait_locked()
