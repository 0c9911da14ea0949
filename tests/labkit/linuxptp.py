# SPDX-License-Identifier: Apache-2.0 OR MIT
"""ptp4l of linuxptp in a node of a laboratory, with software timestamps.

It must never steer the machine's clock: free_running is always on.  So as a receiver it stays
UNCALIBRATED and only measures, and as a boundary clock it relays the protocol, but serves the
kernel's clock.
"""
import os
import re
import subprocess

from patience import PATIENCE_S, wait_until
from peer import Peer

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(TOP, "build", "peers")
STATE = re.compile(r"^ptp4l\[(\d+\.\d+)\]: (?:\[[^]]*\] )?port (\d+)[^:]*: (\w+) to (\w+) on",
                   re.MULTILINE)
FIELD = re.compile(r"^\t\t(\S+)\s+(.*?)\s*$", re.MULTILINE)
ANSWER = re.compile(r"RESPONSE|ACKNOWLEDGE|MANAGEMENT_ERROR_STATUS")
ANSWER_S = 15
FAST = {"logAnnounceInterval": -2, "logSyncInterval": -3, "logMinDelayReqInterval": -3}
OWN = {"free_running": 1, "time_stamping": "software", "tx_timestamp_timeout": 100,
       "logging_level": 6, "use_syslog": 0, "verbose": 1, "summary_interval": -4,
       # an answer to its Pdelay_Req of before a change of state is a fault to it
       "fault_reset_interval": 0}
FOLLOWS = ("UNCALIBRATED", "SLAVE")


def environment():
    with open(os.path.join(PEERS, "lib.path"), encoding="utf-8") as file:
        return {"LD_LIBRARY_PATH": file.read().strip()}


def program(name):
    return os.path.join(PEERS, "usr", "sbin", name)


def ask(node, path, request, domain=0, transport_specific=0):
    """What pmc prints of the answer to one request at a daemon's socket.  It waits for 0.1 s only,
    so it asks again while there is none; empty: there never was."""
    said = [""]

    def is_answered():
        said[0] = subprocess.run(
            ["ip", "netns", "exec", f"t-{node}", program("pmc"), "-u", "-b", "0", "-s", path,
             "-i", f"/run/{node}.pmc", "-d", str(domain), "-t", str(transport_specific), request],
            capture_output=True, text=True, check=False,
            env={**os.environ, **environment()}).stdout
        return ANSWER.search(said[0])
    wait_until(is_answered, ANSWER_S)
    return said[0]


class Ptp4l(Peer):
    """unicast_masters among the options: addresses of whom to ask for unicast service."""

    def __init__(self, lab, node, interfaces, options):
        options = dict(options)
        self.unicast_masters = options.pop("unicast_masters", ())
        self.lab = lab
        self.node = node
        self.interfaces = interfaces
        patience = lab.announce_receipt_timeout
        self.options = {**OWN, **FAST, **({"announceReceiptTimeout": patience} if patience else {}),
                        **options}
        self.socket = f"/run/{node}.ptp4l"
        self.config = lab.path(f"{node}.conf")
        self.log_path = lab.path(f"{node}.log")
        self.program = None

    def start(self):
        with open(self.config, "w", encoding="ascii") as file:
            file.write("[global]\n" + f"uds_address {self.socket}\n")
            file.writelines(f"{key} {value}\n" for key, value in self.options.items())
            if self.unicast_masters:
                file.write("[unicast_master_table]\ntable_id 1\nlogQueryInterval 0\n")
                file.writelines(f"{self.options.get('network_transport', 'UDPv4')} {address}\n"
                                for address in self.unicast_masters)
            for interface in self.interfaces:
                file.write(f"[{interface}]\n")
                file.write("unicast_master_table 1\n" if self.unicast_masters else "")
        self.program = self.lab.start(self.node, [program("ptp4l"), "-f", self.config],
                                      self.log_path, environment())

    def states(self):
        """State of each port by number, as the log has it; a grandmaster's is MASTER too."""
        return {int(port): after.replace("GRAND_MASTER", "MASTER")
                for _, port, _, after in STATE.findall(self.log())}

    def wait_state(self, *states, port=1, timeout_s=PATIENCE_S):
        assert wait_until(lambda: self.states().get(port) in states, timeout_s), \
            f"{self.node}: port {port} is {self.states().get(port)} after {timeout_s} s, not " \
            + " or ".join(states)

    def management(self, request):
        """The fields of the answer to one pmc request, as text."""
        output = ask(self.node, self.socket, request, self.options.get("domainNumber", 0),
                     self.options.get("transportSpecific", 0))
        fields = dict(FIELD.findall(output))
        assert fields, f"{self.node}: {request}: {output or 'no answer'}"
        return fields

    def measured(self):
        """(offset of its clock in ns, local time of that Sync in ns), or None: it has none yet."""
        fields = self.management("GET TIME_STATUS_NP")
        offset_ns, at_ns = int(fields["master_offset"]), int(fields["ingress_time"])
        return (offset_ns, at_ns) if offset_ns != 0 and at_ns != 0 else None

    def delay_ns(self):
        """Its mean path delay, by whichever mechanism it has; 0: none yet."""
        return float(self.management("GET CURRENT_DATA_SET")["meanPathDelay"]) or \
            float(self.management("GET PORT_DATA_SET")["peerMeanPathDelay"])

    def set_time_properties(self, **values):
        """GRANDMASTER_SETTINGS_NP: all fields must be given; these are not the defaults."""
        settings = {"clockClass": 248, "clockAccuracy": "0xfe",
                    "offsetScaledLogVariance": "0xffff", "currentUtcOffset": 37, "leap61": 0,
                    "leap59": 0, "currentUtcOffsetValid": 0, "ptpTimescale": 1,
                    "timeTraceable": 0, "frequencyTraceable": 0, "timeSource": "0xa0", **values}
        self.management("SET GRANDMASTER_SETTINGS_NP "
                        + " ".join(f"{key} {value}" for key, value in settings.items()))
