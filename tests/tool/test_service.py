# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The unit of systemd allows what the daemon does."""
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def text_of(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def settings():
    """name -> value, of those of [Service]."""
    return dict(re.findall(r"^(\w+)=(.*)$", text_of("packaging", "meantime.service.in"),
                           re.MULTILINE))


def test_service_lets_the_daemon_have_each_capability_that_it_keeps():
    source = text_of("platform", "linux", "linux_privilege.c")
    kept = set(re.findall(r"\{(CAP_\w+), options->keeps_", source))
    to_get_there = {"CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_SETPCAP"}
    assert "CAP_NET_ADMIN" in kept  # cards are told to stamp
    assert set(settings()["CapabilityBoundingSet"].split()) == kept | to_get_there


def test_service_opens_each_family_of_sockets_that_the_daemon_opens():
    source = text_of("platform", "linux", "linux_privilege.c")
    families = re.search(r"families\[\] = \{(.*?)\}", source)[1]
    assert set(settings()["RestrictAddressFamilies"].split()) == set(families.split(", "))


def test_service_shows_the_daemon_devices_and_other_programs():
    assert settings().get("PrivateDevices", "no") == "no"  # receivers, pulses, hardware clocks
    assert settings().get("ProtectProc", "default") == "default"  # who else steers a clock
    assert settings().get("ProtectClock", "no") == "no"
