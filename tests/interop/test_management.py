# SPDX-License-Identifier: Apache-2.0 OR MIT
"""pmc and phc2sys of linuxptp on meantimed, meantime pmc on ptp4l and on meantimed."""
import json
import os
import re
import subprocess

import pytest

import linuxptp
from patience import PATIENCE_S, wait_until

# what pmc of linuxptp 3.1 knows, with a field of each that must be there
READ = {
    "CLOCK_DESCRIPTION": "clockType", "USER_DESCRIPTION": "userDescription",
    "DEFAULT_DATA_SET": "clockIdentity", "CURRENT_DATA_SET": "offsetFromMaster",
    "PARENT_DATA_SET": "grandmasterIdentity", "TIME_PROPERTIES_DATA_SET": "timeSource",
    "PORT_DATA_SET": "portState", "PRIORITY1": "priority1", "PRIORITY2": "priority2",
    "DOMAIN": "domainNumber", "SLAVE_ONLY": "slaveOnly",
    "LOG_ANNOUNCE_INTERVAL": "logAnnounceInterval",
    "ANNOUNCE_RECEIPT_TIMEOUT": "announceReceiptTimeout",
    "LOG_SYNC_INTERVAL": "logSyncInterval", "VERSION_NUMBER": "versionNumber",
    "CLOCK_ACCURACY": "clockAccuracy", "TRACEABILITY_PROPERTIES": "timeTraceable",
    "TIMESCALE_PROPERTIES": "ptpTimescale", "DELAY_MECHANISM": "delayMechanism",
    "LOG_MIN_PDELAY_REQ_INTERVAL": "logMinPdelayReqInterval", "TIME_STATUS_NP": "gmIdentity",
    "GRANDMASTER_SETTINGS_NP": "clockClass", "SUBSCRIBE_EVENTS_NP": "duration",
    "PORT_DATA_SET_NP": "asCapable", "PORT_PROPERTIES_NP": "interface",
    "PORT_STATS_NP": "rx_Sync", "SYNCHRONIZATION_UNCERTAIN_NP": "uncertain",
}
SETTINGS = ("SET GRANDMASTER_SETTINGS_NP clockClass 6 clockAccuracy 0x21 "
            "offsetScaledLogVariance 0x4e5d currentUtcOffset 36 leap61 0 leap59 0 "
            "currentUtcOffsetValid 1 ptpTimescale 1 timeTraceable 1 frequencyTraceable 1 "
            "timeSource 0x20")

GROUPS = {"udp4": ("UDPv4", "224.0.1.129"), "udp6": ("UDPv6", "ff0e::181"),
          "l2": ("L2", "01:1b:19:00:00:00")}


def run(daemon, *command):
    """A program of linuxptp."""
    environment = [f"{key}={value}" for key, value in linuxptp.environment().items()]
    return subprocess.run(["ip", "netns", "exec", f"t-{daemon.node}", "env", *environment,
                           *command], capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False)


def pmc(daemon, request, socket="ptp-rw", directory=None, domain=0):
    """What linuxptp's pmc prints, and the fields in it."""
    return pmc_at(daemon, os.path.join(directory or daemon.directory, socket), request, domain)


def pmc_at(daemon, path, request, domain=0):
    """The same at the socket of any daemon."""
    text = linuxptp.ask(daemon.node, path, request, domain)
    return text, dict(linuxptp.FIELD.findall(text))


def tool(daemon, *arguments):
    """(exit status, answers) of meantime pmc --json, which waits for them on a network."""
    patient = [] if "--timeout" in arguments else ["--timeout", "3"]
    result = daemon.tool("pmc", "--run-directory", daemon.directory, "--json", *patient,
                         *arguments)
    return result.returncode, json.loads(result.stdout)


@pytest.mark.lab(seconds=15)
def test_pmc_reads_and_sets_meantimed(lab):
    lab.chain("A", "B")
    log = lab.path("input.log")
    a = lab.meantimed("A", "eth0", more_arguments=["--record", log],
                       ptp={"priority1": 100, "user_description": "Rack 7, unit 3"})
    a.wait_state("TRANSMITTER")
    assert pmc(a, "GET USER_DESCRIPTION")[1]["userDescription"] == "Rack 7, unit 3"
    for name, field in READ.items():
        text, fields = pmc(a, f"GET {name}")
        assert field in fields, f"{name}: {text}"
    assert pmc(a, "GET PORT_DATA_SET")[1]["portState"] == "MASTER"
    assert pmc(a, "GET PORT_PROPERTIES_NP")[1]["interface"] == "eth0"
    assert int(pmc(a, "GET PORT_STATS_NP")[1]["tx_Announce"]) > 0
    assert pmc(a, "SET PRIORITY1 55")[1]["priority1"] == "55"
    assert pmc(a, "GET PARENT_DATA_SET")[1]["grandmasterPriority1"] == "55"
    offset = pmc(a, "GET TIME_PROPERTIES_DATA_SET")[1]["currentUtcOffset"]
    assert pmc(a, SETTINGS)[1]["clockClass"] == "6"
    changed = pmc(a, "GET TIME_PROPERTIES_DATA_SET")[1]
    assert changed["timeTraceable"] == "1" and changed["currentUtcOffset"] == "36" != offset
    assert a.instance()["time_properties"]["time_traceable"]
    assert "MANAGEMENT_ERROR_STATUS" in pmc(a, "SET PRIORITY1 7", socket="ptp-ro")[0]
    assert pmc(a, "GET PRIORITY1", socket="ptp-ro")[1]["priority1"] == "55"
    back = a.tool("--run-directory", a.directory, "set", "clock_class=auto", "utc_offset=auto")
    assert back.returncode == 0, back.stderr
    a.wait_log("clock_class is auto now")
    assert pmc(a, "GET DEFAULT_DATA_SET")[1]["clockClass"] == "248"
    a.wait_log("utc_offset is auto now")
    assert pmc(a, "GET TIME_PROPERTIES_DATA_SET")[1]["currentUtcOffset"] == offset
    assert tool(a, "SET", "USER_DESCRIPTION", "cellar")[0] == 0
    assert pmc(a, "GET USER_DESCRIPTION")[1]["userDescription"] == "cellar"
    a.reload()
    a.wait_log("user_description = Rack 7, unit 3")
    assert pmc(a, "GET USER_DESCRIPTION")[1]["userDescription"] == "Rack 7, unit 3"
    a.stop()
    replayed = a.tool("replay", log)  # requests are inputs like any other
    assert replayed.returncode == 0 and "all as recorded" in replayed.stdout, replayed.stdout


ADDRESS = re.compile(r"protocolAddress\s+(\d+) (\S+)")


def addresses_of(lab, node, transport):
    """What `ip` says: the MAC address and that of the transport, of which IPv6 may have two."""
    link, = json.loads(lab.ip(node, "-j", "addr", "show", "eth0"))
    family = {"udp4": "inet", "udp6": "inet6"}.get(transport)
    own = [entry["local"] for entry in link["addr_info"] if entry["family"] == family]
    return link["address"], own or [link["address"]]


@pytest.mark.lab(seconds=12)
@pytest.mark.parametrize("transport", ["udp4", *(pytest.param(name, marks=pytest.mark.long)
                                                 for name in ("udp6", "l2"))])
def test_pmc_reads_the_addresses_of_meantimed_as_those_of_ptp4l(lab, transport):
    lab.chain("A", "B")
    log = lab.path("input.log")
    a = lab.meantimed("A", "eth0", ptp={"transport": transport}, more_arguments=["--record", log])
    b = lab.ptp4l("B", "eth0", network_transport=GROUPS[transport][0])
    a.wait_state("TRANSMITTER")
    told = {"A": pmc(a, "GET CLOCK_DESCRIPTION"),
            "B": pmc_at(b, b.socket, "GET CLOCK_DESCRIPTION")}
    for node, (text, fields) in told.items():
        mac, own = addresses_of(lab, node, transport)
        assert fields["physicalAddress"] == mac, text
        number, address = ADDRESS.search(text).groups()
        assert number == {"udp4": "1", "udp6": "2", "l2": "3"}[transport]
        assert address in own, text
    a.stop()
    replayed = a.tool("replay", log)
    assert replayed.returncode == 0 and "all as recorded" in replayed.stdout, replayed.stdout


@pytest.mark.lab(seconds=15)
@pytest.mark.long
def test_phc2sys_is_refused_politely_where_there_is_no_hardware_clock(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", daemon={"linuxptp_socket": "/run/t-ptp4l"})
    a.wait_state("TRANSMITTER")
    result = run(a, "timeout", "5", linuxptp.program("phc2sys"), "-a", "-m", "-z",
                 "/run/t-ptp4l")
    assert result.returncode not in (0, 124)
    assert "no suitable ports available" in result.stdout + result.stderr
    assert a.is_running()


@pytest.mark.lab(seconds=15)
@pytest.mark.long
def test_meantime_pmc_speaks_with_ptp4l_over_socket_and_network(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.ptp4l("B", "eth0", slaveOnly=1)
    b.wait_state(*linuxptp.FOLLOWS)
    status, answers = tool(a, "--local", b.socket, "GET TIME_STATUS_NP", "GET DEFAULT_DATA_SET")
    assert status == 0 and answers[1]["data"]["slaveOnly"] == 1
    identity = answers[1]["data"]["clockIdentity"]
    # from a third program on B's machine's link, and past B with --hops from A's daemon
    status, answers = tool(a, "--interface", "eth0", "GET PORT_DATA_SET")
    assert [answer["port_identity"] for answer in answers] == [f"{identity}-1"]
    assert answers[0]["data"]["portState"] in linuxptp.FOLLOWS
    status, answers = tool(a, "--hops", "1", "GET PRIORITY1")
    assert {answer["port_identity"] for answer in answers} >= {f"{identity}-1"}
    assert len(answers) == 2


@pytest.mark.lab(seconds=20)
@pytest.mark.parametrize("transport", [pytest.param("udp4", marks=pytest.mark.long), "udp6", "l2"])
def test_meantime_pmc_asks_both_over_a_transport(lab, transport):
    theirs, group = GROUPS[transport]
    lab.star("A", "B", "C")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100, "transport": transport})
    b = lab.ptp4l("B", "eth0", priority1=110, network_transport=theirs)
    a.wait_state("TRANSMITTER")
    b.wait_state(*linuxptp.FOLLOWS)
    # C has no daemon, A's machine has one: both hear the others
    c = lab.meantimed("C", "eth0", is_started=False)
    asked = ["--interface", "eth0", "--transport", transport]
    status, answers = tool(c, *asked, "GET PRIORITY1")
    assert status == 0 and sorted(answer["data"]["priority1"] for answer in answers) == [100, 110]
    _, answers = tool(c, *asked, "--address", group, "GET PRIORITY2")
    assert len(answers) == 2
    status, answers = tool(a, *asked, "GET PRIORITY1")
    assert [answer["data"]["priority1"] for answer in answers] == [110]
    status, answers = tool(c, *asked, "--hops", "0", "SET PRIORITY1 1")
    assert status == 1 and any("error" in answer for answer in answers)


@pytest.mark.lab(seconds=15)
@pytest.mark.long
def test_meantimed_tells_ptp4ls_programs_through_a_boundary_clock(lab):
    lab.chain("A", "B", "C")
    lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.meantimed("B", "eth0", "eth1")
    c = lab.meantimed("C", "eth0")
    b.wait_state("RECEIVER")
    c.wait_state("RECEIVER")
    _, answers = tool(c, "--hops", "1", "GET DEFAULT_DATA_SET")
    assert len(answers) == 2  # C and B
    _, answers = tool(c, "--hops", "2", "GET DEFAULT_DATA_SET")
    assert sorted(answer["data"]["priority1"] for answer in answers) == [100, 128, 128]


@pytest.mark.lab(seconds=15)
@pytest.mark.parametrize("transport", ["udp4", pytest.param("udp6", marks=pytest.mark.long), "l2"])
def test_answers_of_both_pass_a_transparent_clock(lab, transport):
    """Even of those that answer the requester alone, whose address they have never seen."""
    lab.chain("A", "TC", "B")
    lab.meantimed("A", "eth0", ptp={"priority1": 100, "transport": transport})
    lab.meantimed("TC", "eth0", "eth1", ptp={"clock_type": "e2e_transparent", "priority1": 99,
                                             "transport": transport})
    b = lab.meantimed("B", "eth0", ptp={"transport": transport})
    b.wait_state("RECEIVER")
    _, answers = tool(b, "--interface", "eth0", "--transport", transport, "GET PRIORITY1")
    assert sorted(answer["data"]["priority1"] for answer in answers) == [99, 100]


@pytest.mark.lab(seconds=12)
@pytest.mark.long
def test_meantimed_does_not_change_when_the_network_asks(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={"priority1": 100})
    b = lab.meantimed("B", "eth0")
    a.wait_state("TRANSMITTER")
    for request in ("SET PRIORITY1 1", "COMMAND DISABLE_PORT", "SET LOG_SYNC_INTERVAL 4",
                    "SET DOMAIN 9"):
        status, answers = tool(b, "--interface", "eth0", "--timeout", "0.3", *request.split())
        assert status == 1 and all("error" in answer for answer in answers)
    assert pmc(a, "GET PRIORITY1")[1]["priority1"] == "100"
    assert pmc(a, "GET PORT_DATA_SET")[1]["portState"] == "MASTER"
    assert wait_until(lambda: b.instance()["ports"][0]["state"] == "RECEIVER")


@pytest.mark.lab(seconds=15)
def test_a_profile_tells_its_identity_and_binds_what_may_be_set(lab):
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", ptp={
        "profile": "G.8275.1", "clock_class": 6, "log_announce_interval": -3,
        "log_sync_interval": -4, "log_min_delay_req_interval": -4})
    a.wait_state("TRANSMITTER")
    assert "00:19:a7:01:02:00" in pmc(a, "GET CLOCK_DESCRIPTION", domain=24)[0]
    text, _ = pmc(a, "SET PRIORITY1 1", domain=24)
    assert "NOT_SETABLE" in text or "MANAGEMENT_ERROR" in text, text
    assert pmc(a, "GET PRIORITY1", domain=24)[1]["priority1"] == "128"
    assert pmc(a, "SET PRIORITY2 7", domain=24)[1]["priority2"] == "7"
    refused = a.tool("--run-directory", a.directory, "set", "priority1", "100")
    assert refused.returncode == 1
    assert "priority1 = 100: profile g8275.1 allows 128 only" in refused.stderr
    refused = a.tool("pmc", "--run-directory", a.directory, "SET", "PRIORITY1", "1")
    assert refused.returncode == 1 and "cannot be set (error 0x0005)" in refused.stdout
    done = a.tool("--run-directory", a.directory, "set", "priority2", "9")
    assert done.returncode == 0 and a.instance()["priority2"] == 9


@pytest.mark.lab(seconds=15)
def test_the_acceptable_table_is_set_by_meantime_pmc(lab):
    lab.star("A", "B", "C")
    first = lab.meantimed("A", "eth0", ptp={"priority1": 100, "log_announce_interval": -2})
    second = lab.meantimed("B", "eth0", ptp={"priority1": 110, "log_announce_interval": -2},
                           ports={"eth0": {"acceptable_transmitters": "000000.0000.000001"}})
    first.wait_state("TRANSMITTER")
    second.wait_state("TRANSMITTER")
    identity = [daemon.instance()["clock_identity"] for daemon in (first, second)]
    c = lab.meantimed("C", "eth0", clock={"clock": "lab"},
                      ptp={"receiver_only": "yes", "log_announce_interval": -2},
                      ports={"eth0": {"acceptable_transmitters": identity[0]}})
    c.wait_state("RECEIVER")
    assert c.instance()["parent"]["clock_identity"] == identity[0]
    done = c.tool("pmc", "--run-directory", c.directory, "SET", "ACCEPTABLE_MASTER_TABLE",
                  "acceptable", f"{identity[1]}-1")
    assert done.returncode == 0 and f"{identity[1]}-1" in done.stdout, done.stdout + done.stderr
    c.wait_until(lambda: c.instance()["parent"]["clock_identity"] == identity[1], "the second")
