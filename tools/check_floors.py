#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Checks who includes whom (ARCHITECTURE.md, "Floors").

usage: check_floors.py [FOLDER]

A room is a folder that stands on a floor.  A file may include the headers of its own room and
those of rooms on strictly lower floors; rooms on one floor are strangers.  Three rules go
beyond that: *_private.h is seen by its own room and by tests/unit only; meantime/real.h is
reached by nothing below the estimators but themselves; the core includes no hosted header.
Tests, fuzz targets, benches, examples and the demo stand outside and include what they like.
"""
import os
import re

import sources

FLOORS = {
    "core/base": 0,
    "core/wire": 1, "core/servo": 1, "core/crypto": 1,
    "core/ptp": 2, "core/ntp": 2, "core/synce": 2, "core/gnss": 2,
    "core/steer": 3,
    "lib": 4, "hal": 4, "runtime": 4, "config": 4, "status": 4, "crypto": 4, "embed": 4,
    "compose": 5, "nts": 5, "platform/linux": 5, "platform/sim": 5, "platform/bare": 5,
    "platform/mps2": 5, "platform/stm32f7": 5,
    "firmware": 6, "apps/meantimed": 6, "apps/meantime": 6,
}
OUTSIDE = ("tests/", "fuzz/", "bench/", "examples/", "tools/", "demo/")

# The public headers of the core lie in one folder; each belongs to the room of its subject.
PUBLIC = "core/include/meantime/"
PUBLIC_ROOMS = {
    "core/base": {"time", "real", "sample", "clock_page", "verdict", "prng"},
    "core/wire": {"ptp_wire", "ptp_tlv", "ptp_address", "ntp_ptp", "ntp_wire", "synce_wire"},
    "core/servo": {"servo", "servo_kalman", "servo_laws"},
    "core/crypto": {"crypto"},
    "core/ptp": {"ptp", "ptp_objects", "ptp_more", "ptp_small", "ptp_peer", "ptp_transparent",
                 "ptp_unicast",
                 "ptp_stateless", "ptp_management", "ptp_security", "ptp_profile",
                 "ptp_alternate", "ptp_intervals", "ptp_smpte",
                 "ptp_interface_rate",
                 "port_counter", "peer_counter", "stateless_counter", "transparent_counter",
                 "management_id"},
    "core/ntp": {"ntp_client", "ntp_client_verdict", "ntp_key", "ntp_server",
                 "ntp_server_outcome", "nts",
                 "nts_record"},
    "core/synce": {"synce"},
    "core/gnss": {"gnss", "gnss_timing", "gnss_verdict", "gnss_pulse_verdict"},
    "core/steer": {"steer", "steer_arbiter", "steer_arbiter_verdict", "steer_leap", "steer_poll",
                   "steer_follower", "steer_kalman", "steer_oscillator", "steer_servos",
                   "steer_standby"},
}
# The loops are written against the tables of hal, so on their common floor they may look at them.
ON_ONE_FLOOR = {("runtime", "hal"), ("embed", "hal")}
# headers of a C library for lwIP, which is compiled without one: nobody of ours includes them
LENT = "firmware/lwip/include/"
# hosted, but a stranger to everything except the time types and the page that it reads
ONLY_BASE = {"lib"}

REAL = PUBLIC + "real.h"
REAL_ROOMS = {"core/servo", "core/steer"}
REAL_FILES = re.compile(r"core/base/real\w*\.[ch]$")

FREESTANDING = {"float.h", "iso646.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
                "stddef.h", "stdint.h", "stdnoreturn.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)


def room_of(path):
    """The room of a file; None if it stands outside the floors; "" if nobody has placed it."""
    if path.startswith(OUTSIDE):
        return None
    if path.startswith(PUBLIC):
        stem = os.path.splitext(path[len(PUBLIC):])[0]
        return next((room for room, stems in PUBLIC_ROOMS.items() if stem in stems), "")
    return next((room for room in FLOORS if path.startswith(room + "/")), "")


def resolve(name, path, files):
    """The project's file that an include line names, or None (system or generated header)."""
    near = os.path.normpath(os.path.join(os.path.dirname(path), name))
    for candidate in (near, "core/include/" + name, "core/" + name, name):
        if candidate in files:
            return candidate
    by_end = [f for f in files if f.endswith("/" + name) and not f.startswith(LENT)]
    return by_end[0] if len(by_end) == 1 else None


def complaint(path, target):
    """Why `path` may not include `target`; None if it may."""
    room, other = room_of(path), room_of(target)
    if target.endswith("_private.h") and other != room and not path.startswith("tests/unit/"):
        return f"{other or target} keeps *_private.h to itself and to tests/unit"
    if room is None or other == room:
        return None
    if other is None:
        return "nothing on a floor includes what stands outside"
    if not room or not other:
        return None  # said once for the file itself
    if room in ONLY_BASE and other != "core/base":
        return f"{room} includes core/base only"
    if FLOORS[other] == FLOORS[room] and (room, other) not in ON_ONE_FLOOR:
        return f"{room} and {other} are strangers on floor {FLOORS[room]}"
    if FLOORS[other] > FLOORS[room]:
        return f"{other} (floor {FLOORS[other]}) is above {room} (floor {FLOORS[room]})"
    return None


def may_use_real(path):
    room = room_of(path)
    return (not room or room in REAL_ROOMS or FLOORS[room] > 2 or path == REAL
            or bool(REAL_FILES.match(path)))


def reaches_real(path, includes, seen=None):
    """Whether mt_real is visible in a file, through however many headers."""
    seen = {path} if seen is None else seen
    for _, _, target in includes.get(path, ()):
        if target == REAL:
            return True
        if target and target not in seen:
            seen.add(target)
            if reaches_real(target, includes, seen):
                return True
    return False


def includes_of(root, path, files):
    """(line, name, project file or None) of each include line."""
    text = sources.read(root, path)
    return [(text.count("\n", 0, match.start()) + 1, match[1] + match[2],
             resolve(match[2], path, files)) for match in INCLUDE.finditer(text)]


def problems_of(path, lines, includes):
    problems = []
    if room_of(path) == "":
        problems.append(f"{path}: stands on no floor; place it in tools/check_floors.py")
    is_core = path.startswith("core/")
    for line, name, target in lines:
        why = None
        if target:
            why = complaint(path, target)
            if not why and not may_use_real(path) and target != path and (
                    target == REAL or reaches_real(target, includes)):
                why = "mt_real is for core/servo, core/steer and the floors above them"
        elif is_core and name[1:] not in FREESTANDING:
            why = "the core includes its own and the freestanding headers only"
        if why:
            problems.append(f"{path}:{line}: includes {name[1:]}: {why}")
    return problems


def check(root):
    files = sources.find(root, (".c", ".h", ".def"))
    known = set(files)
    includes = {path: includes_of(root, path, known) for path in files}
    return [problem for path in files
            for problem in problems_of(path, includes[path], includes)]


if __name__ == "__main__":
    sources.main(check, "floors")
