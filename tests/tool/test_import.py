# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantime import: what chrony.conf says, in our words."""
import configparser
import os
import pathlib
import subprocess

import pytest

MEANTIME = os.environ.get("MEANTIME", "build/release/apps/meantime/meantime")
TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DEBIAN = TOP / "build" / "peers" / "usr" / "share" / "chrony" / "chrony.conf"

LONG = """\
! comments of every kind
# comments
server ntp1.example.net iburst minpoll 4 maxpoll 6 xleave prefer
server 192.0.2.9 version 3 port 1123
SERVER ntp2.example.net noselect asymmetry 0.1
pool pool.example.org iburst maxsources 6
peer 192.0.2.77
makestep 0.25 -1
maxslewrate 1000
maxclockerror 3
maxdistance 0.5
driftfile /var/lib/chrony/drift
bindacqdevice eth1
allow 192.0.2.0/24
allow 10.1
deny 192.0.2.128/25
local stratum 7 orphan
ratelimit interval 1 burst 16 leak 2
bindaddress 192.0.2.1
port 1123
keyfile /etc/chrony/chrony.keys
hwtimestamp *
refclock SHM 2:perm=0644 refid GPS offset -0.125 delay 1e-3 precision 1e-7 dpoll -2 poll 4 prefer
refclock SOCK /run/chrony.ttyS0.sock tai
refclock SHM 3 refid WCH noselect
refclock PHC /dev/ptp0 poll 0
refclock PPS /dev/pps0 lock GPS
smoothtime 400 0.001
frobnicate 3
leapsectz right/UTC
minsources 2
maxchange 1000 1 2
"""

# what distributions come with: written from their manuals, comments left out
DEFAULTS = {
    "debian": """confdir /etc/chrony/conf.d
pool 2.debian.pool.ntp.org iburst
sourcedir /run/chrony-dhcp
sourcedir /etc/chrony/sources.d
keyfile /etc/chrony/chrony.keys
driftfile /var/lib/chrony/chrony.drift
ntsdumpdir /var/lib/chrony
#log tracking measurements statistics
logdir /var/log/chrony
maxupdateskew 100.0
rtcsync
makestep 1 3
leapsectz right/UTC
""",
    "ubuntu": """confdir /etc/chrony/conf.d
pool ntp.ubuntu.com        iburst maxsources 4
pool 0.ubuntu.pool.ntp.org iburst maxsources 1
pool 1.ubuntu.pool.ntp.org iburst maxsources 1
pool 2.ubuntu.pool.ntp.org iburst maxsources 2
sourcedir /run/chrony-dhcp
sourcedir /etc/chrony/sources.d
keyfile /etc/chrony/chrony.keys
driftfile /var/lib/chrony/chrony.drift
ntsdumpdir /var/lib/chrony
logdir /var/log/chrony
maxupdateskew 100.0
rtcsync
makestep 1 3
leapsectz right/UTC
""",
    "fedora": """pool 2.fedora.pool.ntp.org iburst
sourcedir /run/chrony-dhcp
driftfile /var/lib/chrony/drift
makestep 1.0 3
rtcsync
#hwtimestamp *
#minsources 2
#allow 192.168.0.0/16
#local stratum 10
#authselectmode require
keyfile /etc/chrony.keys
ntsdumpdir /var/lib/chrony
leapseclist /usr/share/zoneinfo/leap-seconds.list
logdir /var/log/chrony
#log measurements statistics tracking
""",
    "cloud": """server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4
server metadata.google.internal prefer iburst
driftfile /var/lib/chrony/drift
makestep 1.0 3
rtcsync
leapsectz right/UTC
logdir /var/log/chrony
""",
}


def run(text, folder, name="chrony.conf"):
    path = folder / name
    path.write_text(text)
    done = subprocess.run([MEANTIME, "import", str(path)], capture_output=True, text=True,
                          timeout=20, check=False)
    config = configparser.ConfigParser(delimiters=("=",), strict=False)
    config.read_string(done.stdout)
    return done, config, path


def accepted(text, folder):
    path = folder / "meantime.conf"
    path.write_text(text)
    done = subprocess.run([MEANTIME, "check", str(path)], capture_output=True, text=True,
                          timeout=20, check=False)
    return done.returncode == 0, done.stdout


def test_import_takes_over_debians_own_file(tmp_path):
    if not DEBIAN.exists():
        pytest.skip("chrony is not unpacked: ./dev setup")
    done, config, _ = run(DEBIAN.read_text(), tmp_path)
    assert done.returncode == 0, done.stderr
    assert dict(config["clock"]) == {"clock": "system", "step_at_start": "1s",
                                     "step_later": "never", "rtc_sync": "yes"}
    assert dict(config["ntp 2.debian.pool.ntp.org"]) == {"pool": "yes"}
    assert len(config.sections()) == 2
    assert all(" here: " in line or "sourcedir" in line
               for line in done.stderr.splitlines())
    assert accepted(done.stdout, tmp_path) == (True, accepted(done.stdout, tmp_path)[1])


@pytest.mark.parametrize("name", DEFAULTS)
def test_import_takes_over_what_distributions_come_with(tmp_path, name):
    done, config, _ = run(DEFAULTS[name], tmp_path)
    assert done.returncode == 0, done.stderr
    assert dict(config["clock"]) == {"clock": "system", "step_at_start": "1s",
                                     "step_later": "never", "rtc_sync": "yes"}
    wanted = [line.split()[1] for line in DEFAULTS[name].splitlines()
              if line.startswith(("pool", "server"))]
    assert [section for section in config.sections() if section != "clock"] == \
        [f"ntp {server}" for server in wanted]
    told = [line.split(": ", 2)[1:] for line in done.stderr.splitlines()]
    for directive in ("driftfile", "logdir"):
        assert any(word == directive and " here: " in why for word, why in told), directive
    assert accepted(done.stdout, tmp_path)[0]


def test_import_names_what_each_directive_becomes_or_why_not(tmp_path):
    """Of each that a file may well have: keys, or a sentence; never silence."""
    for line, expected in {
            "hwtimestamp *": "write interface = NAME in [ntp]",
            "leapsectz right/UTC": "not needed here: leap-seconds.list",
            "logdir /var/log/chrony": "not needed here: it logs",
            "maxupdateskew 100.0": "not needed here: the estimator",
            "maxntsconnections 100": "fixed limits",
            "maxchange 1000 1 2": "a larger offset is told"}.items():
        done, _, path = run(f"server a.example\n{line}\n", tmp_path)
        assert f"{path}:2: {line.split()[0]}: " in done.stderr, line
        assert expected in done.stderr, line


def test_import_turns_each_directive_into_keys(tmp_path):
    keys = tmp_path / "chrony.keys"
    keys.write_text("1 SHA256 x\n")
    keys.chmod(0o640)
    text = LONG.replace("/etc/chrony/chrony.keys", str(keys))
    done, config, path = run(text, tmp_path)
    is_good, told = accepted(done.stdout, tmp_path)
    assert is_good, told
    assert dict(config["clock"]) == {"clock": "system", "step_at_start": "250ms",
                                     "step_later": "250ms", "max_slew": "1000ppm",
                                     "max_drift": "3ppm", "min_sources": "2",
                                     "panic": "1000s", "rtc_sync": "no"}
    assert dict(config["ntp"])["max_distance"] == "500ms"
    assert dict(config["ntp"])["interface"] == "eth1"
    first = config["ntp ntp1.example.net"]
    assert (first["min_poll"], first["max_poll"], first["interleaved"]) == ("4", "6", "yes")
    assert dict(config["ntp 192.0.2.9"]) == {"version": "3", "port": "1123"}
    assert config["ntp pool.example.org"]["count"] == "6"
    assert config["server"]["deny"] == "192.0.2.128/25"
    assert "allow = 192.0.2.0/24\nallow = 10.1.0.0/16\n" in done.stdout
    assert config["server"]["local_stratum"] == "7" and config["server"]["orphan"] == "yes"
    assert (config["server"]["rate_limit"], config["server"]["rate_burst"]) == ("1", "16")
    assert config["server"]["listen"] == "192.0.2.1" and config["server"]["port"] == "1123"
    assert config["server"]["key_file"] == str(keys)
    assert dict(config["refclock GPS"]) == {
        "driver": "shm", "unit": "2", "reference_id": "GPS", "poll": "250ms",
        "offset": "-125ms", "delay": "1ms", "precision": "100ns", "prefer": "yes"}
    assert dict(config["refclock sock-2"]) == {"driver": "sock", "scale": "tai",
                                               "path": "/run/chrony.ttyS0.sock"}
    assert "asymmetry" in done.stderr and "max_asymmetry in [clock]" in done.stderr
    lines = LONG.splitlines()
    assert dict(config["ntp ntp2.example.net"]) == {"select": "no"}
    assert dict(config["refclock WCH"])["select"] == "no"
    for word in ("peer", "hwtimestamp", "refclock PHC", "refclock PPS",
                 "smoothtime", "frobnicate"):
        number = 1 + next(n for n, line in enumerate(lines) if word.split()[-1] in line
                          and word.split()[0] in line)
        assert f"{path}:{number}: {word}" in done.stderr, word
    assert done.returncode == 1 and "could not be taken over" in done.stderr


def test_import_takes_over_keys_and_nts(tmp_path):
    done, config, _ = run("""server a.example nts ntsport 4461 prefer trust require
server b.example key 5
keyfile /etc/chrony.keys
ntstrustedcerts 1 /etc/ca.pem
nocerttimecheck 1
nosystemcert
allow
ntsservercert /etc/c.pem
ntsserverkey /etc/k.pem
ntsport 4461
ntsrotate 86400
""", tmp_path)
    assert done.returncode == 1 and "could not be taken over" not in done.stderr, done.stderr
    assert "chrony.conf:3: key_file: /etc/chrony.keys: cannot be read" in done.stderr
    assert "meantimed refuses this until the files" in done.stderr
    assert "here these alone are trusted" in done.stderr
    assert dict(config["ntp"]) == {"nts_ca": "/etc/ca.pem", "nts_time_check": "synchronised",
                                   "key_file": "/etc/chrony.keys"}
    assert dict(config["ntp a.example"]) == {"nts": "yes", "nts_port": "4461", "prefer": "yes",
                                             "trust": "yes", "require": "yes"}
    assert dict(config["ntp b.example"]) == {"key": "5"}
    assert dict(config["server"]) == {
        "key_file": "/etc/chrony.keys", "allow": "0.0.0.0/0, ::/0", "local_stratum": "0",
        "nts_certificate": "/etc/c.pem", "nts_key": "/etc/k.pem", "nts_port": "4461",
        "nts_rotate": "24"}


SIGNED_AND_NOT = """server a.example nts
server b.example key 3
pool c.example iburst
server d.example noselect
server e.example nts trust
refclock SHM 0 refid GPS
keyfile /etc/chrony.keys
"""


@pytest.mark.parametrize("mode, trusted, unsigned", [
    ("", True, {}), ("authselectmode mix", True, {}),
    ("authselectmode prefer", False, {"select": "no"}),
    ("authselectmode REQUIRE", False, {"select": "no"}), ("authselectmode ignore", False, {}),
])
def test_import_believes_who_signs_before_others_as_chrony_does(tmp_path, mode, trusted, unsigned):
    done, config, _ = run(f"{mode}\n{SIGNED_AND_NOT}", tmp_path)
    trust = {"trust": "yes", "require": "yes"} if trusted else {}
    assert dict(config["ntp a.example"]) == {"nts": "yes"} | trust
    assert dict(config["ntp b.example"]) == {"key": "3"} | trust
    assert dict(config["ntp c.example"]) == {"pool": "yes"} | unsigned
    assert dict(config["ntp d.example"]) == {"select": "no"}
    assert dict(config["ntp e.example"]) == {"nts": "yes", "trust": "yes"} | trust
    assert {"trust", "require"} & set(config["refclock GPS"]) == set(trust)
    assert ("get trust and require" in done.stderr) == trusted
    assert ("get select = no" in done.stderr) == bool(unsigned)


def test_import_leaves_sources_alone_that_are_all_signed_or_none(tmp_path):
    for text in ("server a.example nts\nserver d.example noselect\nrefclock SHM 0 refid GPS\n",
                 "server a.example\nrefclock SHM 0 refid GPS\n",
                 "server a.example\nauthselectmode prefer\n"):
        _, config, _ = run(text, tmp_path)
        for name in config.sections():
            assert not {"trust", "require"} & set(config[name])
        assert "select" not in config["ntp a.example"]
    _, config, _ = run("server a.example\nauthselectmode require\n", tmp_path)
    assert config["ntp a.example"]["select"] == "no"
    done, _, _ = run("server a\nauthselectmode maybe\n", tmp_path)
    assert done.returncode == 1 and "authselectmode maybe: expected" in done.stderr


def test_import_says_that_there_is_nothing_to_import(tmp_path):
    done, _, path = run("# nothing\nrtcsync\n", tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert f"{path}: there is no server, no pool" in done.stderr
    assert "rtc_sync" not in done.stderr


def test_import_takes_names_that_are_long_or_look_like_options(tmp_path):
    host = "a-very-long-name-of-a-server.department.example.org"
    done, config, _ = run(f"server {host} iburst\nrefclock SHM 1 refid PPS prefer\n", tmp_path)
    assert done.returncode == 0 and "pps" not in done.stderr, done.stderr
    assert config[f"ntp {host[:26]}-1"]["address"] == host
    assert config["refclock PPS"]["prefer"] == "yes"


def test_import_follows_included_files(tmp_path):
    folder = tmp_path / "sources.d"
    folder.mkdir()
    (folder / "a.sources").write_text("server a.example iburst\n")
    (folder / "b.txt").write_text("server b.example iburst\n")
    (tmp_path / "more.conf").write_text("frobnicate\n")
    done, config, path = run(f"sourcedir {folder}\ninclude {tmp_path}/more.conf\n"
                             f"include {path_of_nothing(tmp_path)}\nserver c.example\n", tmp_path)
    assert config.sections() == ["clock", "ntp a.example", "ntp c.example"]
    assert f"{tmp_path}/more.conf:1: frobnicate" in done.stderr
    assert f"{path}:3: {path_of_nothing(tmp_path)}: there is no such file" in done.stderr


def path_of_nothing(folder):
    return folder / "nothing.conf"


def test_import_never_steps_and_never_serves_when_chrony_would_not(tmp_path):
    done, config, _ = run("server a.example\n", tmp_path)
    assert done.returncode == 0
    assert config["clock"]["step_at_start"] == config["clock"]["step_later"] == "never"
    assert "server" not in config
    done, config, _ = run("server a.example\nallow\nport 0\n", tmp_path)
    assert "server" not in config
    done, config, _ = run("server a.example\nallow\n", tmp_path)
    assert dict(config["server"]) == {"allow": "0.0.0.0/0, ::/0", "local_stratum": "0"}


def test_import_says_what_is_wrong_when_it_cannot_read(tmp_path):
    done = subprocess.run([MEANTIME, "import", str(path_of_nothing(tmp_path))],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "No such file" in done.stderr and done.stdout == ""
    done, _, _ = run("frobnicate\n", tmp_path)
    assert done.returncode == 1 and done.stdout == ""
