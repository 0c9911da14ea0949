# SPDX-License-Identifier: Apache-2.0 OR MIT
"""meantime import: files that are too long, no text, or somebody else's."""
import pytest

from test_import_linuxptp import run


def imported(folder, text, name="some.conf"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return run(path)


def test_import_reads_a_line_of_a_unit_that_goes_on_in_the_next_one(tmp_path):
    done, sections = imported(tmp_path, "[Unit]\n[Service]\nExecStart=/usr/sbin/ptp4l \\\n"
                              "  -2 -i eth1 \\\n  -i eth2\nRestart=always\n", "ptp.service")
    assert done.returncode == 0, done.stderr
    assert sections["ptp"] == {"transport": "l2"}
    assert "ptp eth1" in sections and "ptp eth2" in sections


def test_import_tells_of_sections_for_which_there_is_no_room(tmp_path):
    ports = "".join(f"[eth{i}]\nlogSyncInterval -{i % 3}\n" for i in range(80))
    done, sections = imported(tmp_path, "[global]\n" + ports)
    assert done.returncode == 1
    assert "it has more than 63 sections; those behind [eth61] are left out" in done.stderr
    assert sections["ptp eth61"] == {"log_sync_interval": "-1"}
    assert "ptp eth62" not in sections


def test_import_writes_a_long_list_in_several_lines(tmp_path):
    table = "".join(f"UDPv4 192.0.2.{i}\n" for i in range(1, 201))
    done, _ = imported(tmp_path, "[global]\nunicast_master_table 1\n[unicast_master_table]\n"
                       "table_id 1\n" + table + "[eth0]\n")
    assert done.returncode == 0, done.stderr
    lists = [line.partition(" = ")[2].split(", ") for line in done.stdout.splitlines()
             if line.startswith("unicast_transmitters = ")]
    assert sum(lists, []) == [f"192.0.2.{i}" for i in range(1, 201)]


def test_import_leaves_out_what_is_no_line_of_text(tmp_path):
    done, sections = imported(tmp_path, "[global]\nuserDescription " + "x" * 3000 +
                              "\npriority1 9\0\npriority2 7\n[eth0]\n")
    assert done.returncode == 1
    assert "some.conf:2: the line is longer than 1023 characters" in done.stderr
    assert "some.conf:3: the line is no text" in done.stderr
    assert sections["ptp"] == {"priority2": "7"}


def test_import_shows_no_control_characters_of_a_file(tmp_path):
    done, _ = imported(tmp_path, "[global]\nuserDescription \033[31mred\007\n[eth0]\n")
    assert "?[31mred?: the value holds control" in done.stderr
    assert "\033" not in done.stderr + done.stdout


@pytest.mark.parametrize("argument, reason", [
    ("/etc", "meantime: /etc: Is a directory\n"),
    ("frob -x", "not taken over:\n  command line: frob -x: not a program that is known to this "
     "import\n"),
    ("phc2sys" + " -w" * 100,
     "not taken over:\n  command line: the command line is longer than 63 words or 1023 "
     "characters\n"),
])
def test_import_says_what_is_wrong_with_an_argument(argument, reason):
    done, _ = run(argument)
    assert done.returncode == 1 and done.stderr.startswith(reason)


def test_import_knows_its_own_configurations(tmp_path):
    done, _ = imported(tmp_path, "# ours\n[clock]\nclock = phc\n[ptp eth0]\n")
    assert done.returncode == 1 and done.stdout == ""
    assert "is a configuration of meantime already" in done.stderr
