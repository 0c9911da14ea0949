# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The unit of systemd allows what the daemon does, and udev what its user does."""
import json
import os
import re

BUILD = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(
    os.environ.get("MEANTIME", "build/release/apps/meantime/meantime")))))
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


# ---- user = meantime --------------------------------------------------------------------------


def lines_of(*path):
    """Without comments."""
    return [line for line in text_of(*path).splitlines() if not line.startswith("#")]


def system_user():
    (kind, name, uid, home), = [
        re.fullmatch(r'(\S+) (\S+) (\S+) "[^"]+" (\S+) -', line).groups()
        for line in lines_of("packaging", "meantime.sysusers")]
    assert (kind, uid) == ("u", "-")  # with a group of the same name, and a number that is free
    return name, home


def test_user_of_the_package_may_open_again_what_comes_back():
    name, home = system_user()
    rules = [re.fullmatch(r'SUBSYSTEM=="(\w+)", GROUP="(\w+)", MODE="(\d+)"', line).groups()
             for line in lines_of("packaging", "60-meantime.rules")]
    assert rules == [("ptp", name, "0660"), ("pps", name, "0660")]
    assert home == "/var/lib/" + settings()["StateDirectory"]
    assert f"Ql user = {name}" in text_of("docs", "man", "meantimed.8")


def test_user_and_rules_are_installed_where_systemd_and_udev_look():
    with open(os.path.join(BUILD, "meson-info", "intro-installed.json"), encoding="utf-8") as file:
        installed = {os.path.relpath(source, TOP): path for source, path in json.load(file).items()
                     if not os.path.relpath(source, TOP).startswith("..")}
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json"),
              encoding="utf-8") as file:
        prefix, = [option["value"] for option in json.load(file) if option["name"] == "prefix"]
    assert installed["packaging/60-meantime.rules"] == \
        f"{prefix}/lib/udev/rules.d/60-meantime.rules"
    assert installed["packaging/meantime.sysusers"] == f"{prefix}/lib/sysusers.d/meantime.conf"
