# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The instruction bench counts what a call executes, and misses no limit."""
import importlib.util
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


def module(name):
    """By its path: other benches have a run.py, too."""
    spec = importlib.util.spec_from_file_location(f"instructions_{name}",
                                                  os.path.join(HERE, name + ".py"))
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


counting = module("counting")
traffic = module("traffic")

FUNCTIONS = [(0x100, "main"), (0x200, "update"), (0x300, "root"), (0x400, "sample")]


def counted(addresses, *names):
    symbols = counting.Symbols(FUNCTIONS)
    calls = counting.Calls(symbols, names)
    calls.follow(addresses)
    return [[dict(counting.by_function(call, symbols)) for call in calls.calls[name]]
            for name in names]


def test_trace_reads_addresses_when_other_lines_are_between():
    lines = ["Trace 0: 0x7f5e4c000480 [00400000/00000248/00000110/ff000000] root \n",
             "Stopped execution of TB chain before 0x7f [0000024a] root\n",
             "Trace 0: 0x7f5e4c000580 [00400000/0000024a/00000110/ff000000] \n"]
    assert list(counting.program_counters(lines)) == [0x248, 0x24a]


def test_trace_counts_what_was_called_when_a_call_returns():
    addresses = [0x100, 0x200, 0x204, 0x300, 0x302, 0x208, 0x20a, 0x104, 0x106]
    assert counted(addresses, "update") == [[{"update": 4, "root": 2}]]


def test_trace_counts_each_call_when_there_are_several():
    addresses = [0x100, 0x200, 0x104, 0x200, 0x202, 0x108]
    assert counted(addresses, "update") == [[{"update": 1}, {"update": 2}]]


def test_trace_counts_twice_when_one_function_calls_another():
    addresses = [0x100, 0x400, 0x402, 0x200, 0x202, 0x406, 0x104]
    assert counted(addresses, "sample", "update") == [[{"sample": 3, "update": 2}],
                                                      [{"update": 2}]]


def test_traffic_is_the_same_when_made_again():
    first = list(traffic.events(50))
    assert first == list(traffic.events(50)) and len(first) == 100
    noise_ns = [noise / 65536 for _, _, noise, _ in first]
    assert min(noise_ns) >= 0 and 70 < sum(noise_ns) / 100 < 130


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setitem(sys.modules, "counting", counting)
    monkeypatch.setitem(sys.modules, "traffic", traffic)
    return module("run")


@pytest.mark.parametrize("most, count", [(4000, 0), (4001, 1)])
def test_instructions_complain_when_the_limit_is_missed(run, most, count):
    rows = [run.summary((run.JUDGED, run.UPDATE), [1, most]),
            run.summary((run.JUDGED, run.SAMPLE), [9000]),
            run.summary(("double, soft float", run.UPDATE), [20000])]
    assert len(run.judge(rows, [])) == count


def test_instructions_find_doubles_when_an_estimator_wants_them(run):
    undefined = """
servo_track.c.o:
         U __aeabi_l2f
         U __floatdisf
         U mt_real_sqrt
servo_estimator.c.o:
         U __aeabi_dmul
         U __aeabi_f2d
         U __adddf3
ptp_port.c.o:
         U __aeabi_dadd
"""
    assert run.doubles_in(undefined) == [f"servo_estimator.c.o: {symbol}" for symbol in
                                         ("__aeabi_dmul", "__aeabi_f2d", "__adddf3")]
    assert len(run.judge([], run.doubles_in(undefined))) == 3


def test_instructions_complain_when_the_two_clocks_disagree(run):
    assert run.disagreement("update", [1000, 1040], [1010, 970]) == []
    assert len(run.disagreement("update", [1000, 1040], [1010, 900])) == 1
    assert len(run.disagreement("update", [1000], [1010, 1010])) == 1
