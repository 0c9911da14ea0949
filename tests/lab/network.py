# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The laboratory's network: GM - BC - OC, each with its own clocks, and what is measured there.

The wires' delays are below what 802.1AS takes for a single hop.  Each guest has a card more, whose
clock is the host's: all clocks of all guests are read against that, so their true differences are
known to some hundred nanoseconds a reading."""
import bisect
import glob
import json
import math
import os
import re
import shutil
import time

import guest
import image

WIRES = {"upper": 500, "lower": 700}  # ns
OSCILLATORS = {("gm", 0): 5000, ("bc", 0): -17000, ("bc", 1): 9000, ("oc", 0): 23000}  # ppb
ADDRESSES = {("gm", 0): "10.0.1.1", ("bc", 0): "10.0.1.2",
             ("bc", 1): "10.0.2.1", ("oc", 0): "10.0.2.2"}
PATIENT = 10  # announce intervals: on a busy host guests stand still for a second
PTP_DEFAULTS = {"log_announce_interval": -1, "announce_receipt_timeout": PATIENT,
                "log_sync_interval": -3, "log_min_delay_req_interval": -3,
                "log_min_pdelay_req_interval": -2}
PTP4L_DEFAULTS = {"logAnnounceInterval": -1, "announceReceiptTimeout": PATIENT,
                  "logSyncInterval": -3, "logMinDelayReqInterval": -3,
                  "logMinPdelayReqInterval": -2, "tx_timestamp_timeout": 400,
                  "summary_interval": 0, "step_threshold": 0.00002, "clock_servo": "pi"}
SERVO_REPORT = re.compile(r"(?:rms|master offset) +(-?[0-9]+)")
TRUTH_EVERY_MS = 100
TIGHT_SHARE = 0.5  # of the readings of truth, the tightest


def mac(number, card):
    return f"52:54:00:00:{number:02x}:{card:02x}"


def cards_of(number, name, wires):
    cards = [guest.Card(mac(number, at + 1), wire, end, OSCILLATORS[name, at], WIRES[wire])
             for at, (wire, end) in enumerate(wires)]
    return cards + [guest.Card(mac(number, 0xFF), is_reference=True)]


def sections_text(sections):
    return "".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
                   for name, keys in sections.items())


class Network:
    """Three guests, booted once."""

    def __init__(self):
        os.makedirs(image.lab("share", "run"), exist_ok=True)
        folder = guest.fresh_folder(image.lab("wires"))
        wires = {"gm": [("upper", "a")], "bc": [("upper", "b"), ("lower", "a")],
                 "oc": [("lower", "b")]}
        self.guests = {name: guest.Guest(name, cards_of(number + 1, name, wires[name]), folder)
                       for number, name in enumerate(wires)}

    def __getitem__(self, name):
        return self.guests[name]

    def __enter__(self):
        try:
            tsc_khz = image.tsc_khz()
            for node in self.guests.values():
                node.boot(tsc_khz)
            for node in self.guests.values():
                node.wait_ready()
            for name in self.guests:
                self._prepare(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in self.guests.values():
            node.power_off()

    def _prepare(self, name):
        """Takes the driver off the reference card, brings up the others, begins to tell truth."""
        node = self.guests[name]
        count = len(node.cards) - 1
        reference = node.run(
            "for i in /sys/class/net/*; do case $(cat $i/address) in *:ff) basename "
            "$(readlink -f $i/device);; esac; done").strip()
        node.reference = reference
        node.run(f"echo {reference} > /sys/bus/pci/drivers/igb/unbind")
        for card in range(count):
            node.run(f"ip link set eth{card} up\n"
                     f"ip addr add {ADDRESSES[name, card]}/24 dev eth{card}")
        self.begin_truth(name)
        for card in range(count):
            node.run("for i in 1 2 3 4 5 6 7 8 9; do "
                     f"[ $(cat /sys/class/net/eth{card}/carrier) = 1 ] && break; sleep 1; done",
                     60)

    def begin_truth(self, name):
        node = self.guests[name]
        devices = " ".join(f"/dev/ptp{card}" for card in range(len(node.cards) - 1))
        shown = node.run(f"/lab/bin/truth {node.reference} {TRUTH_EVERY_MS} {devices} "
                         f">/lab/run/{name}.truth 2>/lab/run/{name}.truth.err & echo $!")
        node.truth = shown.strip()

    def tell_truth(self, name, devices):
        """Of more clocks, until the next reset: "more" and "more1"."""
        node = self.guests[name]
        node.start("truth", node.reference, str(TRUTH_EVERY_MS), *devices)

    @staticmethod
    def keep_logs(name):
        """In build/lab/logs/CASE."""
        folder = guest.fresh_folder(image.lab("logs", name))
        for log in glob.glob(image.lab("share", "run", "*.log")):
            shutil.move(log, folder)

    def reset(self):
        """After a case: no programs, no VLAN."""
        for node in self.guests.values():
            node.stop_all()
            node.run("ip link del eth0.18 2>/dev/null; rm -rf /run/*; true")

    # ---- programs ----

    def meantimed(self, name, interfaces=("eth0",), clock=None, ptp=None, ports=None, more=None,
                  is_profile=False):
        """is_profile: with the intervals of the profile that `ptp` names."""
        sections = {"daemon": {"state_directory": "/tmp/state", "log_level": "debug",
                               "linuxptp_socket": "/run/ptp4l"},
                    "clock": {"clock": "phc", "keep_drift": "no", **(clock or {})},
                    "ptp": {**({} if is_profile else PTP_DEFAULTS), "timestamping": "hardware",
                            **(ptp or {})}}
        for interface in interfaces:
            sections[f"ptp {interface}"] = dict((ports or {}).get(interface, {}))
        self.guests[name].write("/run/meantime.conf", sections_text({**sections, **(more or {})}))
        self.guests[name].start("meantimed", "-c", "/run/meantime.conf")

    def ptp4l(self, name, interfaces=("eth0",), options=None, file=None, arguments=()):
        values = {**PTP4L_DEFAULTS, **(options or {})}
        text = "[global]\n" + "".join(f"{key} {value}\n" for key, value in values.items())
        self.guests[name].write("/run/ptp4l.conf", text if file is None else file)
        named = [word for interface in interfaces for word in ("-i", interface)]
        self.guests[name].start("ptp4l", "-f", "/run/ptp4l.conf", "-H", "-m", "-l", "6", *named,
                                *arguments)

    def status(self, name):
        text = self.guests[name].run("/lab/bin/meantime status --json 2>/dev/null", check=False)
        try:
            return json.loads(text)
        except ValueError:
            return None

    # ---- what comes of it ----

    def wait(self, what, is_true, timeout_s):
        deadline = time.monotonic() + timeout_s
        while not is_true():
            if time.monotonic() > deadline:
                raise guest.GuestError(f"not within {timeout_s} s: {what}")
            time.sleep(0.5)

    def wait_locked(self, name, timeout_s=90, clock=0):
        def is_locked():
            self.guests[name].check_running("meantimed")
            status = self.status(name)
            return status is not None and status["clocks"][clock]["state"] == "locked"
        self.wait(f"meantimed at {name} locks", is_locked, timeout_s)

    def wait_ptp4l(self, name, timeout_s=90):
        """Its servo has settled: three reports in a row below 200 ns."""
        def is_settled():
            self.guests[name].check_running("ptp4l")
            log = self.guests[name].log("ptp4l")
            errors = [abs(int(found)) for found in SERVO_REPORT.findall(log)]
            return len(errors) >= 4 and max(errors[-3:]) < 200
        self.wait(f"ptp4l at {name} settles", is_settled, timeout_s)


# ---- truth ---------------------------------------------------------------------------------------

class Truth:
    """What a clock of a guest has read more than the host's, by the host's time."""

    def __init__(self, name, kind, since_ns):
        file, column = COLUMNS[kind]
        rows = []
        with open(image.lab("share", "run", f"{name}.{file}"), encoding="utf-8") as file:
            for line in file:
                words = line.split()
                if len(words) > 2 * column + 2 and line.endswith("\n") and int(words[0]) > since_ns:
                    rows.append((int(words[0]), int(words[2 * column + 1]),
                                 int(words[2 * column + 2])))
        widths = sorted(row[2] for row in rows)
        limit = widths[int(len(widths) * TIGHT_SHARE)] if widths else 0
        self.rows = [row for row in rows if row[2] <= limit]

    def at(self, host_ns):
        """Between the readings before and after; null if there is none."""
        times = [row[0] for row in self.rows]
        index = bisect.bisect(times, host_ns)
        if index in (0, len(times)):
            return None
        (a_ns, a, _), (b_ns, b, _) = self.rows[index - 1], self.rows[index]
        return a + (b - a) * (host_ns - a_ns) // (b_ns - a_ns)


# the file, and the column in it; "more": what a case has asked for
COLUMNS = {"system": ("truth", 0), "phc": ("truth", 1), "phc1": ("truth", 2),
           "more": ("truth.log", 1), "more1": ("truth.log", 2)}


def errors_between(reference, clock, since_ns):
    """(host ns, error, doubt) of a clock against another, both (node, kind)."""
    truth = Truth(*reference, since_ns)
    pairs = []
    for host_ns, ahead, width in Truth(*clock, since_ns).rows:
        other = truth.at(host_ns)
        if other is not None:
            pairs.append((host_ns, ahead - other, width))
    return pairs


class Figures:
    def __init__(self, errors, offset_ns=0):
        values = [error - offset_ns for _, error, _ in errors]
        if len(values) < 20:
            raise guest.GuestError(f"only {len(values)} readings of truth")
        self.count = len(values)
        self.mean_ns = sum(values) / len(values)
        self.rms_ns = math.sqrt(sum(value * value for value in values) / len(values))
        self.max_ns = max(abs(value) for value in values)

    def __str__(self):
        return (f"mean {self.mean_ns:.0f} rms {self.rms_ns:.0f} max {self.max_ns:.0f} ns, "
                f"n {self.count}")
