# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantime import: what linuxptp's programs are told, in our words."""
import configparser
import re
import shlex
import subprocess

import pytest

from test_import import MEANTIME, TOP, accepted

SAMPLES = TOP / "build" / "peers" / "usr" / "share" / "doc" / "linuxptp" / "configs"

PLAIN = """\
[global]
priority1 100
domainNumber 3
clockClass 6
clockAccuracy 0x21
transportSpecific 0x1
logSyncInterval -3
logAnnounceInterval 0
delay_mechanism P2P
network_transport L2
neighborPropDelayThresh 20000000
egressLatency -40
twoStepFlag 0
first_step_threshold 0.0
step_threshold 0.001
max_frequency 100000
logging_level 7
uds_address /run/ptp4l.socket
dscp_event 46
dscp_general 46
pi_integral_const 0.5
userDescription rack;3
frobnicate 1
tsproc_mode raw
summary_interval 0
G.8275.portDS.localPriority 100

[eth1]
network_transport UDPv6
logSyncInterval -3
serverOnly 1
delayAsymmetry 120
[eth0]
G.8275.portDS.localPriority 128
"""


def run(*arguments):
    done = subprocess.run([MEANTIME, "import", *map(str, arguments)], capture_output=True,
                          text=True, timeout=20, check=False)
    config = configparser.ConfigParser(delimiters=("=",), strict=False)
    config.read_string(done.stdout)
    return done, {name: dict(config[name]) for name in config.sections()}


def sections(folder, *arguments, lost=0):
    """Of an import that must be accepted by `meantime check`."""
    done, config = run(*arguments)
    assert done.returncode == (1 if lost else 0), done.stderr
    told = re.findall(r"^meantime: (\d+) settings? could not", done.stderr, re.M)
    assert told == ([str(lost)] if lost else []), done.stderr
    assert accepted(done.stdout, folder)[0], accepted(done.stdout, folder)[1]
    return config, done.stderr


def file(folder, text, name="ptp4l.conf"):
    path = folder / name
    path.write_text(text)
    return path


GPTP = {"priority1": "248", "priority2": "248", "path_trace": "yes", "sdo_id": "0x100",
        "gptp": "yes", "transport": "l2", "delay_mechanism": "p2p",
        "log_sync_interval": "-3", "sync_receipt_timeout": "3",
        "mean_link_delay_thresh": "800ns", "l2_destination": "non_forwardable"}
TC = {"priority1": "254", "syntonise": "ratio", "spanning_tree": "yes", "transport": "l2"}
PTP_OF = {
    "default": None,
    "gPTP": GPTP | {"log_announce_interval": "0"},
    "automotive-master": GPTP | {"as_capable": "always", "role": "transmitter",
                                 "inhibit_announce": "yes"},
    "automotive-slave": GPTP | {"as_capable": "always", "role": "receiver",
                                "inhibit_announce": "yes", "ignore_source_id": "yes",
                                "operational_log_sync_interval": "0",
                                "operational_log_pdelay_interval": "2",
                                "operational_threshold": "30ns"},
    "G.8265.1": {"unicast_grants": "yes", "unicast_duration": "60", "multicast": "no"},
    "G.8275.1": {"bmca": "itu", "transport": "l2", "log_announce_interval": "-3",
                 "log_sync_interval": "-4", "log_min_delay_req_interval": "-4",
                 "l2_destination": "non_forwardable"},
    "G.8275.2": {"bmca": "itu", "log_announce_interval": "0", "unicast_grants": "yes",
                 "unicast_duration": "60", "multicast": "no"},
    "UNICAST-MASTER": {"unicast_grants": "yes", "multicast": "no"},
    "UNICAST-SLAVE": {"unicast_duration": "60"},
    "E2E-TC": TC | {"clock_type": "e2e_transparent"},
    "P2P-TC": TC | {"clock_type": "p2p_transparent", "delay_mechanism": "p2p"},
}


@pytest.mark.parametrize("name", PTP_OF)
def test_import_takes_over_what_debian_comes_with(tmp_path, name):
    if not SAMPLES.exists():
        pytest.skip("linuxptp is not unpacked: ./dev setup")
    config, _ = sections(tmp_path, SAMPLES / f"{name}.cfg")
    assert config.get("ptp") == PTP_OF[name]
    assert config["clock"]["clock"] == "phc"
    assert "ptp eth0" in config


def test_import_takes_over_tables_of_transmitters(tmp_path):
    if not SAMPLES.exists():
        pytest.skip("linuxptp is not unpacked: ./dev setup")
    config, told = sections(tmp_path, SAMPLES / "UNICAST-SLAVE.cfg")
    assert config["ptp eth0"] == {
        "unicast_transmitters": "192.168.1.11, 192.168.2.22, 192.168.3.33"}
    assert config["ptp eth1"] == {"transport": "l2", "unicast_transmitters": "00:11:22:33:44:55"}
    assert "table_id 3: no port uses this table" in told


def test_import_turns_each_option_into_a_key(tmp_path):
    path = file(tmp_path, PLAIN)
    config, told = sections(tmp_path, path, lost=2)
    assert config == {
        "daemon": {"log_level": "debug", "linuxptp_socket": "/run/ptp4l.socket"},
        "clock": {"clock": "phc", "step_at_start": "never", "step_later": "1ms",
                  "max_rate": "100000ppb"},
        "ptp": {"priority1": "100", "domain": "3", "clock_class": "6", "clock_accuracy": "0x21",
                "sdo_id": "0x100", "user_description": "rack;3",
                "log_sync_interval": "-3", "log_announce_interval": "0",
                "delay_mechanism": "p2p", "transport": "l2", "egress_latency": "-40ns",
                "one_step_sync": "yes", "dscp": "46"},
        "ptp eth1": {"transport": "udp6", "transmitter_only": "yes", "delay_asymmetry": "120ns",
                     "local_priority": "100"},
        "ptp eth0": {},
    }
    lines = PLAIN.splitlines()
    for number, line in enumerate(lines, 1):
        name = line.split()[0] if line else ""
        is_told = f"{path}:{number}: {name}" in told
        assert is_told == (name in ("pi_integral_const", "frobnicate", "tsproc_mode")), line


def test_import_lets_the_command_line_go_before_the_file(tmp_path):
    path = file(tmp_path, "[global]\npriority1 100\ntime_stamping hardware\n[eth3]\n"
                          "logSyncInterval -2\n")
    line = f"ptp4l -f {path} -2Psi eth3 --priority1=7 --time_stamping software"
    config, told = sections(tmp_path, line)
    assert config["clock"] == {"clock": "system"}
    assert config["ptp"] == {"priority1": "100", "receiver_only": "yes", "arb_timescale": "utc",
                             "transport": "l2", "delay_mechanism": "p2p",
                             "timestamping": "software"} | {"priority1": "7"}
    assert config["ptp eth3"] == {"log_sync_interval": "-2"}
    assert sections(tmp_path, *line.split())[0] == config
    after = f"ptp4l --priority1 7 -f {path} -i eth3"
    config, told = sections(tmp_path, after)
    assert config["ptp"]["priority1"] == "7"
    assert f"{path}:2: priority1: the command line says 7, and goes before" in told


HARDWARE = "ptp4l -i eth0"


def test_import_follows_the_card_when_phc2sys_did(tmp_path):
    machine = {"clock": "system", "follow": "main"}
    for line in ("phc2sys -w -s eth0", "phc2sys -a -r",
                 "/usr/sbin/phc2sys -w -c CLOCK_REALTIME -s /dev/ptp0",
                 "ExecStart=-/usr/sbin/phc2sys -w -s eth0", "phc2sys -s eth0 -O -37"):
        config, told = sections(tmp_path, HARDWARE, line)
        assert config["clock main"] == {"clock": "phc"}
        assert config["clock machine"] == machine
        assert config["ptp"] == {"arb_timescale": "utc"}
    assert "TAI - UTC is known" in told
    config, _ = sections(tmp_path, HARDWARE, "phc2sys -w -s eth0 -E linreg -F 0 -S 0.5 -R 8 -N 9")
    assert config["clock machine"] == machine | {"servo": "linreg", "step_at_start": "never",
                                                 "step_later": "500ms"}


def test_import_follows_the_machine_when_phc2sys_did(tmp_path):
    config, _ = sections(tmp_path, HARDWARE, "phc2sys -s CLOCK_REALTIME -c eth0 -w")
    assert config["clock main"] == {"clock": "phc", "follow": "machine"}
    assert config["clock machine"] == {"clock": "system", "estimates_only": "yes"}


def test_import_lets_either_clock_lead_when_phc2sys_did(tmp_path):
    config, _ = sections(tmp_path, HARDWARE, "phc2sys -arr")
    assert config["clock main"] == {"clock": "phc", "follow": "machine"}
    assert config["clock machine"] == {"clock": "system", "follow": "main"}


def test_import_says_what_phc2sys_did_that_is_not_there(tmp_path):
    _, told = sections(tmp_path, HARDWARE, "phc2sys -s eth0 -O -18 -P 0.1", lost=2)
    assert "-O -18" in told and "pi_proportional_const 0.1" in told


def test_import_passes_over_what_is_of_ptp4l_when_phc2sys_has_the_same_file(tmp_path):
    path = file(tmp_path, "[global]\ndomainNumber 24\nclockClass 248\nlogSyncInterval -4\n"
                          "network_transport L2\npi_proportional_const 0.0\nfree_running 0\n"
                          "[eth0]\n[eth1]\nmasterOnly 1\n")
    config, told = sections(tmp_path, path, f"phc2sys -a -r -f {path}")
    assert config["clock machine"] == {"clock": "system", "follow": "main"}
    assert config["ptp"]["log_sync_interval"] == "-4"
    assert "passed over" not in told
    config, told = sections(tmp_path, f"phc2sys -s /dev/ptp3 -f {path}")
    assert "ptp" not in config and told.count("settings of ptp4l are passed over") == 1
    path.write_text("[global]\npi_integral_scale 0.5\nfree_running 1\nfrobnicate 1\n")
    _, told = sections(tmp_path, f"phc2sys -s /dev/ptp3 -f {path}", lost=3)
    for name in ("pi_integral_scale", "free_running", "frobnicate"):
        assert f"{name}: not known to this import" in told


def test_import_trusts_ptp_when_chrony_did_beside_servers_that_sign(tmp_path):
    chrony = file(tmp_path, "server a.example nts\nserver b.example\nrefclock SHM 2 refid PTP\n",
                  "chrony.conf")
    config, _ = sections(tmp_path, chrony, HARDWARE, "phc2sys -s eth0 -E ntpshm -M 2")
    for name in ("ptp", "ntp a.example"):
        assert config[name]["trust"] == config[name]["require"] == "yes"
    assert not config["ntp b.example"]


def test_import_takes_no_offset_between_cards_for_right(tmp_path):
    for offset, lost in ((0, 2), (37, 3)):
        _, told = sections(tmp_path, f"phc2sys -s eth0 -c eth1 -O {offset}", lost=lost)
        assert ("-O 37: all hardware clocks count TAI here" in told) == (offset == 37)
        assert told.count("which hardware clock") == 2
    _, told = sections(tmp_path, "phc2sys -s eth0 -O 0", lost=2)
    assert "-O 0: a hardware clock counts TAI here, the machine's clock UTC" in told


def test_import_makes_clocks_of_a_phc2sys_alone(tmp_path):
    config, _ = sections(tmp_path, "phc2sys -s /dev/ptp3 -w")
    assert config == {"clock main": {"clock": "system", "follow": "source"},
                      "clock source": {"clock": "phc", "device": "/dev/ptp3",
                                       "estimates_only": "yes"}}
    config, _ = sections(tmp_path, "phc2sys -s CLOCK_REALTIME -c /dev/ptp1")
    assert config["clock main"] == {"clock": "phc", "device": "/dev/ptp1", "follow": "source"}
    done, _ = run("phc2sys -a -r")
    assert done.returncode == 1 and "name ptp4l's file as well" in done.stderr


def test_import_exports_the_clock_when_another_daemon_was_given_it(tmp_path):
    config, _ = sections(tmp_path, HARDWARE, "phc2sys -s eth0 -E ntpshm -M 2")
    assert config["export ptp1"] == {"driver": "shm", "unit": "2"}
    assert config["clock"] == {"clock": "phc"}
    config, _ = sections(tmp_path, "ptp4l -S -i eth0 --clock_servo ntpshm --ntpshm_segment 3")
    assert config["export ptp1"] == {"driver": "shm", "unit": "3"}
    assert config["clock"] == {"clock": "overlay"}


def test_import_makes_one_clock_of_chronyd_and_linuxptp(tmp_path):
    chrony = file(tmp_path, "server a.example\nrefclock SHM 2 refid PTP prefer\n"
                            "refclock SHM 0 refid GPS\nmakestep 1 3\nrtcsync\n", "chrony.conf")
    config, told = sections(tmp_path, chrony, "phc2sys -s eth0 -E ntpshm -M 2", HARDWARE)
    assert config["clock"]["clock"] == "system"
    assert config["ptp"] == {"arb_timescale": "utc", "prefer": "yes"}
    assert set(config) == {"clock", "ptp", "ptp eth0", "ntp a.example", "refclock GPS"}
    assert f"{chrony}:2: refclock SHM 2: not needed here" in told


def test_import_gives_each_port_an_instance_when_it_only_receives(tmp_path):
    config, _ = sections(tmp_path, "ptp4l -S -s -i eth0 -i eth1 --domainNumber=4")
    assert config["clock"]["arbiter"] == "always"
    for number, name in ((1, "eth0"), (2, "eth1")):
        assert config[f"instance ptp{number}"]["receiver_only"] == "yes"
        assert config[f"instance ptp{number}"]["domain"] == "4"
        assert config[f"port ptp{number}-{name}"] == {"interface": name,
                                                      "instance": f"ptp{number}"}
    config, _ = sections(tmp_path, "ptp4l -i eth0 -i eth1")
    assert "ptp eth0" in config and "ptp eth1" in config and "instance" not in str(config)


def test_import_keeps_clocks_apart_that_are_not_one(tmp_path):
    config, told = sections(tmp_path, "ptp4l -i eth0 --domainNumber 1 --step_threshold 1",
                            "ptp4l -i eth1 --domainNumber 2 --free_running 1")
    assert config["clock main"] == {"clock": "phc", "step_later": "1s"}
    assert config["clock card1"] == {"clock": "phc", "estimates_only": "yes"}
    assert config["instance ptp1"] == {"domain": "1"}
    assert config["instance ptp2"] == {"domain": "2", "clock": "card1"}
    assert "eth0 and eth1 are taken to have a hardware clock each" in told
    config, _ = sections(tmp_path, "ptp4l -i eth0", "ptp4l -S -i eth1 --step_threshold 1")
    assert config["clock main"] == {"clock": "phc"}
    assert config["clock machine"] == {"clock": "system", "step_later": "1s"}
    assert config["instance ptp2"]["clock"] == "machine"
    assert "arb_timescale" not in config["instance ptp1"]
    config, _ = sections(tmp_path, "ptp4l -i eth0 --clock_servo ntpshm",
                         "ptp4l -i eth1 --clock_servo ntpshm --ntpshm_segment 1")
    assert config["export ptp2"] == {"driver": "shm", "unit": "1", "clock": "overlay1"}
    assert config["clock overlay1"] == {"clock": "overlay"}


def test_import_lets_the_arbiter_choose_between_programs_over_one_clock(tmp_path):
    config, told = sections(tmp_path, "ptp4l -i eth0 -p /dev/ptp3", "ptp4l -i eth1 -p /dev/ptp3")
    assert config["clock"] == {"clock": "phc", "device": "/dev/ptp3", "arbiter": "always"}
    assert "eth1: it steers the same clock as eth0: the arbiter chooses" in told


def test_import_lets_cards_follow_where_phc2sys_said(tmp_path):
    both = ["ptp4l -s -i eth0", "ptp4l -i eth1"]
    config, _ = sections(tmp_path, *both, "phc2sys -s eth0 -c eth1 -O 0", "phc2sys -s eth1 -w")
    assert config["clock main"] == {"clock": "phc"}
    assert config["clock card1"] == {"clock": "phc", "follow": "main"}
    assert config["clock machine"] == {"clock": "system", "follow": "main"}  # not in a chain
    config, _ = sections(tmp_path, *both, "phc2sys -s eth1 -w")
    assert config["clock machine"] == {"clock": "system", "follow": "card1"}
    config, _ = sections(tmp_path, *both, "phc2sys -s CLOCK_REALTIME -c eth1")
    assert config["clock card1"] == {"clock": "phc", "follow": "machine"}
    assert config["clock machine"] == {"clock": "system", "estimates_only": "yes"}
    assert config["clock main"] == {"clock": "phc"}
    sockets = [f"{line} --uds_address=/run/{n}" for n, line in enumerate(both)]
    config, _ = sections(tmp_path, *sockets, "phc2sys -ar -z /run/1", lost=1)
    assert config["clock machine"] == {"clock": "system", "follow": "card1"}
    _, told = sections(tmp_path, *both, "phc2sys -s eth7 -w", lost=1)
    assert "eth7: no ptp4l that is imported with it has this clock" in told
    _, told = sections(tmp_path, "ptp4l -i eth0", "ptp4l -S -i eth1", "phc2sys -s eth0", lost=1)
    assert "steers the machine's clock already" in told


def test_import_says_that_ptp4ls_servo_is_not_ours(tmp_path):
    for arguments in (["ptp4l -i eth0 --clock_servo pi"], [HARDWARE, "phc2sys -s eth0 -E pi"]):
        config, told = sections(tmp_path, *arguments)
        assert "clock_servo pi: here the estimator steers" in told and "servo = pi" in told
        assert not any("servo" in section for section in config.values())
    config, told = sections(tmp_path, "ptp4l -i eth0 --clock_servo linreg")
    assert config["clock"]["servo"] == "linreg" and told == ""


BAD = """\
[global]
priority1 300
network_transport UDPv5
domainNumber 3
[eth0]
BMCA noop
serverOnly 1
[eth1]
logSyncInterval -2
"""


def test_import_leaves_out_what_would_be_refused_and_says_where_it_was(tmp_path):
    path = file(tmp_path, BAD)
    config, told = sections(tmp_path, path, lost=3)
    assert config["ptp"] == {"domain": "3"}
    assert config["ptp eth1"] == {"log_sync_interval": "-2"}
    lost = told[told.index("not taken over:\n"):]
    assert f"  {path}:2: priority1 = 300: expected an integer from 0 to 255\n" in lost
    assert f"  {path}:3: network_transport UDPv5: not a value" in lost
    assert lost.count("UDPv5") == 1
    assert f"  {path}:6: [port eth1]: role: all ports of an instance have one, or none has" in lost
    done, _ = run(path)
    assert "# not accepted: priority1 = 300\n" in done.stdout and "import:" not in done.stderr


def test_import_tells_a_line_once_that_goes_to_two_instances(tmp_path):
    path = file(tmp_path, "[global]\nclientOnly 1\npriority2 300\n[eth0]\n[eth1]\n")
    _, told = sections(tmp_path, path, lost=1)
    assert told.count("priority2 = 300") == 1


def test_import_drops_no_keys_of_what_is_signed(tmp_path):
    path = file(tmp_path, "[global]\nspp 1\nactive_key_id 1\n[eth0]\n")
    done, _ = run(path)
    assert done.returncode == 1 and done.stdout == ""
    assert "spp = 1 needs keys" in done.stderr and "so it is not printed" in done.stderr


@pytest.mark.parametrize("option, told", [
    ("domainNumber 300", "2: domain = 300: expected an integer from 0 to 255"),
    ("transportSpecific 0x1\ndomainNumber 250", "3: domain = 250: reserved")])
def test_import_speaks_to_no_others_than_were_meant(tmp_path, option, told):
    path = file(tmp_path, f"[global]\n{option}\n[eth0]\n")
    done, _ = run(path)
    assert done.returncode == 1 and done.stdout == ""
    assert f"{path}:{told}" in done.stderr and "so it is not printed" in done.stderr


def test_import_leaves_no_port_without_its_interface():
    done, _ = run("ptp4l -i eth0", "ptp4l -i eth0")
    assert done.returncode == 1 and done.stdout == ""
    assert "port ptp1-eth0 already uses interface eth0 in domain 0" in done.stderr


def test_import_says_which_files_are_not_good_here(tmp_path):
    keys = file(tmp_path, "", "keys")
    for mode, words in ((0o644, "everybody may read these keys"), (None, "cannot be read")):
        if mode is None:
            keys.unlink()
        else:
            keys.chmod(mode)
        path = file(tmp_path, f"[global]\nsa_file {keys}\n[eth0]\n")
        done, config = run(path)
        assert done.returncode == 1 and f"{path}:2: security_file: {keys}: {words}" in done.stderr
        assert "meantimed refuses this until the files" in done.stderr
        assert config["ptp"] == {"security_file": str(keys)}
        assert "could not be taken over" not in done.stderr


def test_import_lists_what_is_lost_apart_from_what_is_not_needed(tmp_path):
    path = file(tmp_path, "[global]\ndscp_general 8\nsummary_interval 3\nallow_unauth 0\n"
                "[unicast_master_table]\ntable_id 2\nlogQueryInterval 2\nUDPv4 192.0.2.1\n"
                "[eth0]\n")
    _, told = sections(tmp_path, path, lost=1)
    noted, lost = told.split("not taken over:\n")
    assert "summary_interval: not needed here" in noted
    assert "no port uses this table" in noted and "dscp_general 8" in lost


def test_import_tells_what_becomes_of_the_interval_of_a_table(tmp_path):
    path = file(tmp_path, "[global]\nunicast_master_table 2\n[unicast_master_table]\n"
                "table_id 2\nlogQueryInterval 2\nUDPv4 192.0.2.1\n[eth0]\n")
    _, told = sections(tmp_path, path)
    assert f"{path}:5: logQueryInterval: not needed here: whoever does not answer" in told


@pytest.mark.parametrize("text, is_taken", [
    ("Rack 7, unit 3", True), ("rack;3", True), (";Rack", False), ("a #1", False)])
def test_import_takes_over_what_people_call_a_clock(tmp_path, text, is_taken):
    path = file(tmp_path, f"[global]\nuserDescription {text}\n[eth0]\n")
    config, told = sections(tmp_path, path, lost=0 if is_taken else 1)
    assert config.get("ptp", {}).get("user_description") == (text if is_taken else None)
    assert (f"meantime pmc SET USER_DESCRIPTION '{text}'" in told) != is_taken


@pytest.mark.parametrize("name, text", [
    ("ptp4l.conf", ""), ("ptp4l-eth0.conf", "# nothing\n\n")])
def test_import_knows_an_empty_file_by_its_name(tmp_path, name, text):
    config, told = sections(tmp_path, file(tmp_path, text, name))
    assert config == {"clock": {"clock": "phc"}, "ptp eth0": {}}
    assert "it names no interface" in told


def test_import_says_that_a_timemaster_without_sources_has_none(tmp_path):
    path = file(tmp_path, "[timemaster]\nntp_program chronyd\n[chrony.conf]\n"
                "include /nonexistent.conf\n[ptp4l.conf]\n", "timemaster.conf")
    done, _ = run(path)
    assert done.returncode == 1 and done.stdout == ""
    assert f"{path}:4: /nonexistent.conf: there is no such file" in done.stderr
    assert f"{path}: there is no server, no pool, no reference clock and no PTP" in done.stderr
    assert "rtc_sync" not in done.stderr


def test_explain_knows_every_option_that_import_knows():
    definitions = (TOP / "apps" / "meantime" / "import_ptp4l.def").read_text()
    names = re.findall(r'^(?:SET|TOLD|OLD)\("([^"]+)"', definitions, re.M)
    assert len(names) > 100
    for name in names:
        done = subprocess.run([MEANTIME, "explain", name], capture_output=True, text=True,
                              timeout=20, check=False)
        assert done.returncode == 0 and "no such key" not in done.stdout, name
    done = subprocess.run([MEANTIME, "explain", "ts2phc.holdover"], capture_output=True, text=True,
                          timeout=20, check=True)
    assert "ts2phc calls this ts2phc.holdover; not needed here" in done.stdout


TIMEMASTER = """\
[ntp_server 10.1.1.1]
minpoll 3
maxpoll 4
iburst 1
ntp_options key 12

[ptp_domain 0]
interfaces eth0 eth1
ntp_poll 0
phc2sys_poll -2
delay 10e-6
ntp_options prefer
ptp4l_option clock_servo linreg
ptp4l_option delay_mechanism P2P

[ptp_domain 5]
interfaces eth2

[timemaster]
ntp_program chronyd
rundir /var/run/timemaster

[chrony.conf]
makestep 1 3
rtcsync
keyfile /etc/chrony.keys
driftfile /var/lib/chrony/drift

[ntp.conf]
restrict ::1

[phc2sys]
path /usr/sbin/phc2sys
options -l 5

[ptp4l.conf]
logging_level 5
logSyncInterval -3
"""


def test_import_takes_over_timemaster(tmp_path):
    keys = file(tmp_path, "12 MD5 HEX:00112233445566778899aabbccddeeff\n", "keys")
    keys.chmod(0o600)
    path = file(tmp_path, TIMEMASTER.replace("/etc/chrony.keys", str(keys)), "timemaster.conf")
    config, told = sections(tmp_path, path)
    assert config["clock"] == {"step_at_start": "1s", "step_later": "never", "clock": "system",
                               "rtc_sync": "yes"}
    assert config["ntp 10.1.1.1"] == {"min_poll": "3", "max_poll": "4", "key": "12"}
    first = {"receiver_only": "yes", "arb_timescale": "utc", "prefer": "yes",
             "delay_mechanism": "p2p", "log_sync_interval": "-3"}
    assert config["instance ptp1"] == config["instance ptp2"] == first
    assert config["instance ptp3"] == {"domain": "5", "receiver_only": "yes",
                                       "arb_timescale": "utc", "log_sync_interval": "-3"}
    assert config["port ptp3-eth2"] == {"interface": "eth2", "instance": "ptp3"}
    assert f"{path}:11: delay: not needed here" in told


def test_import_reads_units_of_systemd(tmp_path):
    file(tmp_path, "[global]\npriority1 3\n")
    unit = file(tmp_path, "[Unit]\nDescription=x\n[Service]\nExecStart=\n"
                          f"ExecStart=/usr/sbin/ptp4l -f {tmp_path}/ptp4l.conf -i %I\n",
                "ptp4l@eth7.service")
    config, _ = sections(tmp_path, unit)
    assert config["ptp"] == {"priority1": "3"} and "ptp eth7" in config
    unit = file(tmp_path, "[Service]\nExecStart=/usr/sbin/ptp4l $OPTIONS -i eth1\n", "a.service")
    _, told = sections(tmp_path, unit, lost=1)
    assert f"{unit}:2: $OPTIONS: write what it stands for" in told


def test_import_makes_a_receiver_of_ts2phc_with_sentences(tmp_path):
    line = ("ts2phc -s nmea -c eth0 --ts2phc.nmea_serialport /dev/ttyS1 --ts2phc.pin_index=1 "
            "--ts2phc.extts_correction -150 --ts2phc.nmea_baudrate 115200")
    config, _ = sections(tmp_path, HARDWARE, line, "phc2sys -s eth0 -w")
    assert config["gnss receiver"] == {"device": "/dev/ttyS1", "baud": "115200", "pulse": "eth0",
                                       "pulse_pin": "1", "cable_delay": "150ns"}
    assert config["clock main"] == {"clock": "phc"}
    config, _ = sections(tmp_path, line.replace("eth0", "/dev/ptp2"))
    assert config["clock"] == {"clock": "phc", "device": "/dev/ptp2"}


def test_import_takes_over_debians_files_of_ts2phc(tmp_path):
    if not SAMPLES.exists():
        pytest.skip("linuxptp is not unpacked: ./dev setup")
    config, told = sections(tmp_path, SAMPLES / "ts2phc-generic.cfg", lost=2)
    assert config["refclock pulses"] == {"driver": "extts", "device": "eth6", "pin": "0",
                                         "prefer": "yes"}
    assert "add [ntp SERVER]" in told and "ethtool -T eth6" in told
    config, told = sections(tmp_path, SAMPLES / "ts2phc-TC.cfg", lost=3)
    assert config["clock card1"]["follow"] == config["clock card2"]["follow"] == "main"
    assert "the wires are not needed" in told


def test_import_says_that_synce_is_not_there(tmp_path):
    done, _ = run(file(tmp_path, "[global]\n[<synce1>]\ninput_mode line\n", "synce4l.conf"))
    assert done.returncode == 1 and "synce4l is not there yet" in done.stderr


def test_import_says_what_is_wrong_with_a_command_line(tmp_path):
    done, _ = run("frobnicate -x")
    assert done.returncode == 1 and "not a program that is known" in done.stderr
    _, told = sections(tmp_path, "ptp4l -i eth0 -Z extra", lost=2)
    assert "-Z: ptp4l has no such option" in told and "extra: not an option" in told
    _, told = sections(tmp_path, "ptp4l -i eth0 --delay_mechanism E3E --network_transport", lost=2)
    assert "delay_mechanism E3E: not a value" in told and "--network_transport" in told


def test_import_takes_every_line_that_is_too_much_or_too_long(tmp_path):
    text = "[global]\n" + "".join(f"option{i} 1\n" for i in range(600))
    text += "".join(f"[port{i}]\n" for i in range(100)) + "x" * 5000 + "\n"
    done, _ = run(file(tmp_path, text))
    assert done.returncode == 1 and "too many settings" in done.stderr


def test_import_makes_what_the_guide_shows_of_four_processes(tmp_path):
    chrony = file(tmp_path, "server a.example iburst\nserver b.example\nserver c.example\n"
                  "refclock SHM 2 refid PTP prefer\n", "chrony.conf")
    ptp4l = file(tmp_path, "[global]\nlogging_level 6\n")
    guide = (TOP / "docs" / "guide" / "coming-from-linuxptp.md").read_text()
    command = re.search(r"^    meantime import (/etc/chrony/.*)$", guide, re.M)[1]
    command = command.replace("/etc/chrony/chrony.conf", str(chrony))
    command = command.replace("/etc/linuxptp/ptp4l.conf", str(ptp4l))
    shown = configparser.ConfigParser(allow_no_value=True)
    shown.read_string(re.search(r"```ini\n(.*?)```", guide, re.S)[1])
    made, _ = sections(tmp_path, *shlex.split(command))
    made["clock"] = {"clock": made["clock"]["clock"]}  # the rest is chrony's makestep
    assert made == {name: dict(shown[name]) for name in shown.sections()}
