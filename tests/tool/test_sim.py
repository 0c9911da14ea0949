# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantime sim as its users run it.  MEANTIME names the program."""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import time

import pytest

MEANTIME = os.path.abspath(os.environ.get("MEANTIME", "build/release/apps/meantime/meantime"))
MANUAL = os.path.join(os.path.dirname(MEANTIME), "../../docs/man/meantime-topology.5")
TOP = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}


def run(*arguments, **more):
    return subprocess.run([MEANTIME, "sim", *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, env=ENVIRONMENT, stdin=subprocess.DEVNULL, **more)


def results(tmp_path, *arguments):
    """The process, and each node's figures by name."""
    path = tmp_path / "results.json"
    done = run(*arguments, "--json", path, "--quiet")
    assert done.stderr == ""
    return done, {node["name"]: node for node in json.loads(path.read_text())["nodes"]}


@pytest.fixture
def network(tmp_path):
    """Writes a topology and returns its path."""
    def write(text):
        path = tmp_path / "net.topology"
        path.write_text(text)
        return path
    return write


# ---- the command line -----------------------------------------------------------------------


def test_sim_lists_what_is_shipped():
    done = run("--list")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == sorted(path.stem for path in (TOP / "examples/topologies").glob("*.topology"))
    assert "mistakes" not in done.stdout


@pytest.mark.parametrize("arguments, said", [
    ([], "sim: expected a topology, such as founding-lab; --list names those that are shipped"),
    (["founding-lab", "star"], "sim: expected one topology, not star as well"),
    (["founding-lab", "--fast"], "sim: unexpected --fast"),
    (["founding-lab", "--seeds", "0"], "--seeds: expected a whole number from 1 to 1000000"),
    (["founding-lab", "--jobs", "x"], "--jobs: expected a whole number from 1 to 1024"),
    (["founding-lab", "--duration"], "--duration: expected a value"),
    (["founding-lab", "--csv"], "--csv: expected a file"),
    (["founding-lab", "--plot", "x.pdf"], "--plot: expected a file that ends in .svg or .png"),
    (["founding-lab", "--plot", "bode=x.svg"],
     "--plot: expected time=FILE, mtie=FILE, tdev=FILE, adev=FILE or histogram=FILE"),
])
def test_sim_says_what_is_wrong_with_the_command_line(arguments, said):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"meantime: {said}; see `meantime help sim`\n"


def test_sim_suggests_a_name_when_there_is_no_such_topology():
    done = run("founding-lob")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean founding-lab?" in done.stderr


def test_sim_tells_all_mistakes_of_a_file(network):
    path = network("[node A]\npriority1 = 1\n[nod B]\n[at 5 s]\nkil A\n")
    done = run(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"{path}:2: priority1: unknown key in [node A]; as a key of meantime.conf it is "
        "ptp.priority1\n"
        f"{path}:3: [nod B]: unknown section; did you mean [node]?\n"
        f"{path}:5: kil: unknown verb; did you mean kill?\n"
        f"{path}: 3 problems\n")


def test_sim_tells_mistakes_of_settings():
    done = run("founding-lab", "--set", "sim.duraton=5 s")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "--set: duraton: unknown key in [sim]; did you mean duration?\n")


def test_sim_reads_a_file_that_is_named_like_a_shipped_one(network, tmp_path):
    network("[chain]\nclocks = 1\n[sim]\ntitle = mine\nduration = 20 s\n")
    (tmp_path / "net.topology").rename(tmp_path / "founding-lab")
    assert run("founding-lab", cwd=tmp_path).stdout.startswith("mine\n")


# ---- the shipped ones -----------------------------------------------------------------------


def test_founding_lab_does_as_on_real_sockets(tmp_path):
    done, nodes = results(tmp_path, "founding-lab", "--duration", 60)
    assert done.returncode == 0
    assert done.stdout.endswith("\nall expectations hold\n")
    assert nodes["BC"]["readings"] == nodes["B"]["readings"] == 300 + 1
    for name in ("BC", "B"):
        assert 5 < nodes[name]["deviation_ns"] < 1000
        assert abs(nodes[name]["mean_ns"]) < 200
        assert nodes[name]["inside_share"] == 1
    assert nodes["BC"]["synchronise_max_s"] < 10
    assert nodes["BC"]["synchronise_max_s"] < nodes["B"]["synchronise_max_s"] + 5


def test_boundary_chain_grows_with_each_hop(tmp_path):
    done, nodes = results(tmp_path, "boundary-chain", "--duration", "15 min",
                          "--set", "sim.discard=5 min")
    assert done.returncode == 0
    assert len(nodes) == 11
    rms = [nodes[f"bc{hop}"]["rms_ns"] for hop in range(1, 11)]
    assert 10 < rms[0] < 60
    assert rms[0] < rms[4] < rms[9] < 20 * rms[0]
    assert nodes["gm1"]["max_ns"] < 1


def test_transparent_chain_leaves_no_queueing(tmp_path):
    done, nodes = results(tmp_path, "transparent-chain", "--duration", "3 min",
                          "--set", "chain.clocks=5")
    assert done.returncode == 0
    assert len(nodes) == 1 + 5 + 1
    assert 1 < nodes["rx1"]["rms_ns"] < 15  # of 100 us of queueing


def test_ntp_clients_follow_a_server_on_their_network(tmp_path):
    done, nodes = results(tmp_path, "ntp-lan", "--duration", "40 min")
    assert done.returncode == 0
    assert len(nodes) == 1 + 8
    assert all(300 < nodes[f"host{i}"]["rms_ns"] < 10000 for i in range(1, 9))
    done = run("ntp-lan", "--set", "node host2.asks=nobody")
    assert done.returncode != 0 and "nobody" in done.stderr


def test_ntp_pool_outvotes_the_server_that_lies(tmp_path):
    done, nodes = results(tmp_path, "ntp-pool", "--duration", "3 h")
    assert done.returncode == 0
    assert all(nodes[name]["max_ns"] < 3e6 and nodes[name]["inside_share"] == 1
               for name in ("own", "host1", "host2"))


def test_data_centre_follows_the_other_grandmaster_when_one_fails(tmp_path):
    done, nodes = results(tmp_path, "data-centre", "--duration", "4 min",
                          "--set", "sim.discard=80 s", "--set", "leaf-spine.leaves=4",
                          "--set", "leaf-spine.servers=12")
    assert done.returncode == 0
    assert len(nodes) == 2 + 4 + 4 + 12
    judged = [node for name, node in nodes.items() if not name.startswith("gm")]
    assert all(0.5 < node["rms_ns"] < 100 and node["inside_share"] == 1 for node in judged)
    assert re.search(r"  0 s +start\n +20 of 20 follow gm1", done.stdout)
    assert re.search(r"  2 min +kill gm1\n +20 of 20 follow gm2, the last change \d+ s after; "
                     r"failed: gm1\n", done.stdout)
    assert "lost synchronisation" not in done.stdout  # nobody came near the limit
    assert all(node["losses"] == 0 for node in judged)
    assert nodes["gm1"]["readings"] < nodes["gm2"]["readings"]


# ---- determinism ----------------------------------------------------------------------------


def outputs(tmp_path, *arguments):
    """Everything that must be the same: standard output and files."""
    files = [tmp_path / name for name in ("out.csv", "out.json", "out.series")]
    done = run(*arguments, "--csv", files[0], "--json", files[1], "--series", files[2])
    assert done.returncode == 0
    return [done.stdout, *(file.read_text() for file in files)]


def test_sim_gives_the_same_when_it_runs_again(tmp_path):
    first = outputs(tmp_path, "founding-lab", "--duration", 40, "--seed", 5)
    assert first == outputs(tmp_path, "founding-lab", "--duration", 40, "--seed", 5)
    assert first != outputs(tmp_path, "founding-lab", "--duration", 40, "--seed", 6)


def test_sim_gives_the_same_on_any_number_of_cores(tmp_path):
    options = ["founding-lab", "--duration", 40, "--seeds", 5, "--clocks"]
    alone = outputs(tmp_path, *options, "--jobs", 1)
    assert "seeds 1 to 5" in alone[0]
    assert alone == outputs(tmp_path, *options, "--jobs", 4)


def test_sim_pools_what_each_seed_gives_alone(tmp_path):
    _, pooled = results(tmp_path, "founding-lab", "--duration", 40, "--seeds", 3)
    alone = [results(tmp_path, "founding-lab", "--duration", 40, "--seed", seed)[1]
             for seed in (1, 2, 3)]
    assert pooled["B"]["readings"] == sum(nodes["B"]["readings"] for nodes in alone)
    assert pooled["B"]["max_ns"] == max(nodes["B"]["max_ns"] for nodes in alone)
    mean_square = sum(nodes["B"]["rms_ns"] ** 2 for nodes in alone) / 3
    assert pooled["B"]["rms_ns"] == pytest.approx(mean_square ** 0.5, rel=1e-6)


# ---- what happens ---------------------------------------------------------------------------

STAR = """[sim]
duration = 400 s
discard = 60 s
reading_interval = 250 ms
[ptp]
log_sync_interval = -2
log_min_delay_req_interval = -2
[star]
receivers = 2
centre = sw
link = cable
[switch sw]
[link cable]
delay = 1 us
jitter = normal 20 ns
[kind receiver]
frequency = +-10 ppm
offset = +-100 ms
wander = 0.1 ppb
"""


def happenings(network, tmp_path, text, *arguments):
    done, nodes = results(tmp_path, network(STAR + text), *arguments)
    assert done.returncode == 0
    return done.stdout, nodes


def phase(stdout, sentence):
    """What is said of the time after a sentence of the timeline."""
    found = re.search(re.escape(sentence) + r"\n((?: {16}.*\n)+)", stdout)
    assert found, stdout
    return " ".join(found[1].split())


def largest_ns(said):
    number, unit = re.search(r"largest error ([\d.]+) (ns|us|ms|s)", said).groups()
    return float(number) * {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[unit]


def test_sim_shows_that_a_grandmaster_lies(network, tmp_path):
    stdout, nodes = happenings(network, tmp_path, "[at 200 s]\nlie gm1 5 us for 100 s\n")
    assert largest_ns(phase(stdout, "start")) < 300
    assert 4700 < largest_ns(phase(stdout, "lie gm1 5 us for 100 s")) < 5300
    assert nodes["rx1"]["max_ns"] > 4700


def test_sim_judges_no_node_while_it_is_down(network, tmp_path):
    stdout, nodes = happenings(network, tmp_path, "[at 200 s]\nkill rx1 for 50 s\n")
    assert phase(stdout, "kill rx1 for 50 s").startswith("1 of 2 follow gm1")
    assert phase(stdout, "start rx1").startswith("2 of 2 follow gm1")
    missing = nodes["rx2"]["readings"] - nodes["rx1"]["readings"]
    assert 200 <= missing <= 4 * 65
    assert nodes["rx1"]["max_ns"] < 10000
    assert (nodes["rx1"]["losses"], nodes["rx2"]["losses"]) == (1, 0)


def test_sim_says_who_follows_whom_when_a_grandmaster_is_dead(network, tmp_path):
    stdout, nodes = happenings(network, tmp_path, "[at 200 s]\nkill gm1\n[at 300 s]\nkill rx1\n"
                                                  "[at 350 s]\nstop rx2 for 20 s\n")
    assert phase(stdout, "start").startswith("2 of 2 follow gm1, ")
    assert phase(stdout, "kill gm1").startswith(
        "0 of 2 follow a grandmaster, 2 in holdover; failed: gm1 ")
    assert phase(stdout, "kill rx1").startswith(
        "0 of 2 follow a grandmaster, 1 in holdover, 1 not running; failed: gm1, rx1 ")
    assert "2 not running; failed: gm1, rx1; stopped: rx2" in stdout
    assert phase(stdout, "start rx2").endswith("1 on their own, 1 not running; failed: gm1, rx1")
    # holdover kept the error small: not lost; but who does not run has lost it
    assert "rx1 lost synchronisation 1 time, for 100 s at most.\n" in stdout
    assert (nodes["rx1"]["losses"], nodes["rx2"]["losses"]) == (1, 1)


def test_sim_says_how_many_readings_were_judged(network, tmp_path):
    stdout, nodes = happenings(network, tmp_path, "")
    assert nodes["rx1"]["instants"] == 4 * 340 + 1
    assert "\nJudged by their bounds: all 2722 readings.\n" in stdout
    stdout, nodes = happenings(network, tmp_path, "[at 300 s]\nkill rx1\n")
    assert nodes["rx1"]["inside_share"] == 1 and nodes["rx1"]["instants"] == 1361
    judged = nodes["rx1"]["with_bound"]
    assert 950 < judged < 965
    assert f"\nJudged by their bounds: {judged + 1361} of 2722 readings.\n" in stdout
    assert (f"\nrx1: {judged} of 1361 readings judged; in the others no time, or no bound against "
            "true time.\n") in stdout


@pytest.mark.parametrize("fault", ["down sw - rx1 for 60 s", "down sw for 60 s",
                                   "unplug rx1.eth0 for 60 s", "unplug rx1 for 60 s",
                                   "set sw - rx1 loss 100 %"])
def test_sim_lets_the_bound_grow_while_nothing_arrives(network, tmp_path, fault):
    _, undisturbed = happenings(network, tmp_path, "")
    _, nodes = happenings(network, tmp_path, f"[at 200 s]\n{fault}\n")
    assert nodes["rx1"]["bound_max_ns"] > 5 * undisturbed["rx1"]["bound_max_ns"]
    assert nodes["rx1"]["inside_share"] == 1
    hits_both = fault.startswith("down sw for")
    assert (nodes["rx2"]["bound_max_ns"] > 5 * undisturbed["rx2"]["bound_max_ns"]) == hits_both


@pytest.mark.parametrize("fault, factor", [
    ("load sw - rx1 100 us", 10), ("set sw - rx1 jitter = normal 5 us", 10),
    ("temperature rx1 20 K within 10 s", 2)])
def test_sim_shows_what_disturbs_one_node_and_not_the_other(network, tmp_path, fault, factor):
    coefficient = "[node rx1]\ntemperature_coefficient = 100 ppb\n"
    _, undisturbed = happenings(network, tmp_path, coefficient)
    _, nodes = happenings(network, tmp_path, f"{coefficient}[at 200 s]\n{fault}\n")
    assert nodes["rx1"]["max_ns"] > factor * undisturbed["rx1"]["max_ns"]
    assert nodes["rx2"]["max_ns"] < 2 * undisturbed["rx2"]["max_ns"]


def test_sim_shows_asymmetry_when_the_delay_of_one_way_changes(network, tmp_path):
    _, nodes = happenings(network, tmp_path, "[link sw - rx1]\nasymmetry = 2 us\n")
    assert nodes["rx1"]["mean_ns"] == pytest.approx(-1000, abs=30)
    assert abs(nodes["rx2"]["mean_ns"]) < 30


def test_sim_shows_what_a_switch_does_to_a_sync_behind_an_announce(network, tmp_path):
    """The Announce is 20 octets longer, so it leaves the switch while the Sync has to wait."""
    announce_behind_each = "[kind grandmaster]\nptp.log_announce_interval = -2\n"
    rate = "[switch sw]\nrate = 1 Gbit/s\n"
    _, nodes = happenings(network, tmp_path, rate + announce_behind_each)
    assert nodes["rx1"]["mean_ns"] == pytest.approx(-20 * 8 / 2, abs=15)
    _, nodes = happenings(network, tmp_path, announce_behind_each)  # a rate without limit
    assert abs(nodes["rx1"]["mean_ns"]) < 15


def test_sim_takes_delays_from_a_recording(network, tmp_path):
    (tmp_path / "delays.txt").write_text("0\n100\n250.5\n" * 50)
    trace = "[link sw - rx1]\njitter = trace\ntrace = delays.txt\njitter_back = 0\n"
    _, nodes = happenings(network, tmp_path, trace)
    assert -80 < nodes["rx1"]["mean_ns"] < -30  # half of the mean delay
    assert abs(nodes["rx2"]["mean_ns"]) < 30
    (tmp_path / "delays.txt").write_text("0\n1 apple\n")
    assert "trace = delays.txt: expected delays in ns" in run(network(STAR + trace)).stderr


def test_sim_gives_a_node_a_configuration_of_its_own(network, tmp_path):
    """The file names no port; rx1 is alone in its domain."""
    (tmp_path / "own.conf").write_text("[ptp]\ndomain = 9\n")
    stdout, nodes = happenings(network, tmp_path, "[node rx1]\nconfig = own.conf\n[at 200 s]\n"
                                                  "temperature rx2 0 K\n")
    assert phase(stdout, "start").startswith("1 of 2 follow gm1")
    assert nodes["rx1"]["max_ns"] > 1e6
    (tmp_path / "own.conf").write_text("[ptp]\ndomian = 9\n")
    assert "own.conf:2: domian: unknown key in [ptp]; did you mean domain?" in run(
        tmp_path / "net.topology").stderr


def test_sim_carries_on_over_a_leap_second(network, tmp_path):
    stdout, nodes = happenings(network, tmp_path, "[at 200 s]\nleap +1\n")
    assert phase(stdout, "leap +1").startswith("2 of 2 follow gm1")
    assert nodes["rx1"]["max_ns"] < 1000


def test_sim_tells_nodes_of_a_leap_second_when_their_clocks_show_utc(network, tmp_path):
    """They would be off by a second after it."""
    _, nodes = happenings(network, tmp_path,
                          "[kind receiver]\nclock.clock = system\n[at 200 s]\nleap +1\n")
    assert nodes["rx1"]["max_ns"] < 1000


def test_sim_starts_a_node_when_it_says(network, tmp_path):
    _, nodes = happenings(network, tmp_path, "[node rx1]\nstart = 100 s\n")
    assert 40 * 4 < nodes["rx2"]["readings"] - nodes["rx1"]["readings"] < 60 * 4
    assert nodes["rx1"]["synchronise_max_s"] < 60  # since it has started


def test_sim_shows_a_step_of_a_clock(network, tmp_path):
    _, nodes = happenings(network, tmp_path, "[at 200 s]\nstep rx1 1 ms\n", "--clocks")
    assert nodes["rx1 clock"]["max_ns"] > 0.9e6
    assert nodes["rx2 clock"]["max_ns"] < 1000
    assert nodes["rx1"]["with_bound"] > 0
    assert nodes["rx1 clock"]["with_bound"] == 0  # the published bound is not of the clock


def test_sim_names_what_was_not_reached(network, tmp_path):
    stdout, _ = happenings(network, tmp_path, "[at 300 s]\nkill rx1\n", "--duration", "100 s")
    assert "  5 min         kill rx1: not reached\n" in stdout


def test_sim_stops_and_starts_nodes(network, tmp_path):
    stdout, nodes = happenings(network, tmp_path, "[at 150 s]\nstop gm1\n[at 250 s]\nstart gm1\n")
    assert phase(stdout, "start gm1").startswith("2 of 2 follow gm1")
    assert nodes["rx1"]["inside_share"] == 1


# ---- expectations ---------------------------------------------------------------------------


def test_sim_ends_with_one_when_an_expectation_does_not_hold(network):
    path = network(STAR + "[expect]\nmax_error = 1 ns\nsynchronised_within = 1 s\n"
                          "[expect rx2]\ninside_bound = 1\nrms = 1 s\n")
    done = run(path, "--quiet")
    assert (done.returncode, done.stderr) == (1, "")
    missed = [line for line in done.stdout.splitlines() if line.startswith("MISSED")]
    assert [line.split(":")[0] for line in missed] == ["MISSED rx1"] * 2 + ["MISSED rx2"] * 2
    assert "hold" not in done.stdout
    assert re.fullmatch(r"MISSED rx1: largest error [\d.]+ ns, expected 1.00 ns", missed[0])


def test_sim_says_so_in_one_line_when_the_duration_is_too_short(network):
    done = run("data-centre", "--duration", "10 s", "--quiet")
    assert done.returncode == 1
    assert done.stdout.endswith(
        "\n\n10 s may be too short: 228 of 228 judged nodes never synchronised; see --duration\n")
    missed = [line for line in done.stdout.splitlines() if line.startswith("MISSED")]
    assert "MISSED 203 more: readings" in missed and len(missed) <= 20
    path = network(STAR + "[at 300 s]\nkill rx1\n[expect]\nmax_error = 1 us\n")
    done = run(path, "--duration", "200 s", "--quiet")
    assert done.returncode == 0
    assert ("\n3 min 20 s may be too short: 1 of 1 entries of the timeline not reached; see "
            "--duration\n") in done.stdout
    done = run(path, "--duration", "50 s")
    assert done.returncode == 2
    assert "duration is 50 s and discard 60 s: nothing would be left to judge" in done.stderr


# ---- files and pictures ---------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("gnuplot"), reason="gnuplot is not installed")
def test_sim_draws_pictures(tmp_path):
    pictures = [tmp_path / "time.svg", tmp_path / "time.png", tmp_path / "mtie.svg",
                tmp_path / "histogram.png"]
    done = run("founding-lab", "--duration", 90, "--plot", pictures[0], "--plot", pictures[1],
               "--plot", f"mtie={pictures[2]}", "--plot", f"histogram={pictures[3]}")
    assert done.returncode == 0
    assert "<svg" in pictures[0].read_text()[:1000] and "BC" in pictures[0].read_text()
    assert "<svg" in pictures[2].read_text()[:1000]
    for png in (pictures[1], pictures[3]):
        assert png.read_bytes().startswith(b"\x89PNG") and png.stat().st_size > 5000


def test_sim_says_so_when_a_file_cannot_be_written():
    done = run("founding-lab", "--duration", 40, "--csv", "/no/such/folder/x.csv", "--quiet")
    assert done.returncode == 1
    assert done.stderr == ("meantime: /no/such/folder/x.csv: cannot be written: "
                           "No such file or directory\n")


def replayed(path, *arguments):
    done = subprocess.run([MEANTIME, "replay", path, "--json", *arguments], capture_output=True,
                          text=True, timeout=60, env=ENVIRONMENT)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("seeds", [1, 2])
def test_sim_records_what_replay_reads(network, tmp_path, seeds):
    path = network(STAR + "[at 100 s]\nleap +1\n[at 200 s]\nkill gm1 for 50 s\n"
                          "[at 300 s]\nkill rx2\n[at 350 s]\nstop gm1\n")
    records = [tmp_path / name for name in ("rx1.log", "rx2.log", "gm1.log")]
    options = ["--quiet", "--seeds", seeds]
    for record in records:
        options += ["--record", f"{record.stem}:{record}"]
    recorded = run(path, *options)
    assert recorded.returncode == 0, recorded.stderr
    assert recorded.stdout == run(path, *options[:3]).stdout  # the recorder changes nothing
    for record, end_s in zip(records, (400, 300, 200)):
        done, objects = replayed(record)
        assert done.returncode == 0, done.stderr
        assert objects[0]["recorder"].startswith("meantime sim ")
        assert objects[-1]["same"] and abs(objects[-1]["t_s"] - end_s) < 2
        assert objects[-1]["complete"] == (record.stem == "rx1")  # the others were killed
    rx1 = replayed(records[0])[1]
    assert "clock main: is synchronised (locked, was acquiring)" in [
        found.get("text") for found in rx1]
    assert [found["t_s"] for found in rx1 if found.get("event") == "clock_phase"][-1] > 200


@pytest.mark.parametrize("record, status, said", [
    ("rx1", 2, "--record: expected NODE:FILE"),
    ("rx9:x.log", 2, "--record rx9:x.log: expected another node of the topology"),
    ("rx1:/no/such/x.log", 1, "/no/such/x.log: cannot be written: No such file or directory"),
])
def test_sim_says_why_it_cannot_record(network, record, status, said):
    done = run(network(STAR), "--record", record)
    assert (done.returncode, done.stdout) == (status, "") and said in done.stderr


# ---- progress and interruption --------------------------------------------------------------


def start_on_terminal(*arguments):
    """The process, with a terminal as its standard error."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen([MEANTIME, "sim", *map(str, arguments)], stdout=subprocess.PIPE,
                               stderr=theirs, text=True, env={**ENVIRONMENT, "TERM": "xterm"})
    os.close(theirs)
    return program, ours


def read_terminal(ours):
    shown = b""
    while True:
        try:
            some = os.read(ours, 4096)
        except OSError:
            return shown.decode()
        if not some:
            return shown.decode()
        shown += some


@pytest.mark.parametrize("arguments", [
    ["--duration", "1000 h"], ["--duration", "1000 h", "--seeds", "3"]])
def test_sim_ends_with_what_there_is_when_it_is_interrupted(arguments):
    program, ours = start_on_terminal("founding-lab", *arguments)
    time.sleep(3)
    program.send_signal(signal.SIGINT)
    stdout, _ = program.communicate(timeout=60)
    shown = read_terminal(ours)
    assert program.returncode == 1
    assert re.search(r"meantime: interrupted after \d+ of 3600000 s", shown)
    assert "founding lab\n" in stdout and "\nBC " in stdout
    assert re.search(r"\r  0 % \[-+\] .* msg/s  .* left\x1b\[K", shown)
    assert "simulated in" in shown


def test_sim_is_silent_on_standard_error_when_asked():
    assert run("founding-lab", "--duration", 40, "--quiet").stderr == ""
    assert re.fullmatch(r"\n40 s simulated in [\d.]+ s, \d+ x real time; .* a second\n",
                        run("founding-lab", "--duration", 40).stderr)


# ---- the manual -----------------------------------------------------------------------------


def test_manual_and_keys_name_every_verb_and_the_manual_every_key():
    keys = run("--keys").stdout
    manual = pathlib.Path(MANUAL).read_text()
    names = re.findall(r"^    (\w+)", keys, re.MULTILINE)
    verbs = re.findall(r'^    \{"(\w+)", MT_TOPOLOGY',
                       (TOP / "apps/meantime/sim/timeline.c").read_text(), re.MULTILINE)
    assert len(verbs) == 13 and names[-13:] == verbs
    assert len(names) > 70
    for name in names:
        assert re.search(rf"^\.It Ic {name}\b", manual, re.MULTILINE), name
    assert max(map(len, keys.splitlines())) <= 80
