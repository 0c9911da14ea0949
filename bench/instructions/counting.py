# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Counts instructions by function from QEMU's trace of a program that is run one instruction at
a time (-singlestep -d nochain,exec), one line for each:

    Trace 0: 0x7f5e4c000480 [00400000/00000248/00000110/ff000000] mt_real_sqrt
"""
import bisect
from collections import Counter


def program_counters(lines):
    """The address of each instruction executed."""
    for line in lines:
        if line.startswith("Trace"):
            yield int(line.split("/", 2)[1], 16)


class Symbols:
    """Names for addresses, from (address, name) of the functions."""

    def __init__(self, functions):
        self.functions = sorted(functions)
        self.starts = [address for address, _ in self.functions]
        self.addresses = {name: address for address, name in self.functions}

    def name_of(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        return self.functions[at][1] if at >= 0 else "?"


class Calls:
    """What is executed from the entry into a function until its return, by function.  A call is
    over when the instruction after the one that called comes up; functions that are followed do
    not call themselves."""

    def __init__(self, symbols, names):
        self.entries = {symbols.addresses[name]: name for name in names}
        self.calls = {name: [] for name in names}  # Counter of addresses for each call
        self.open = []                              # (address of return, Counter)

    def follow(self, counters):
        before = 0
        for address in counters:
            while self.open and address in self.open[-1][0]:
                self.open.pop()
            name = self.entries.get(address)
            if name is not None:
                counted = Counter()
                self.calls[name].append(counted)
                self.open.append(((before + 4, before + 2), counted))  # bl, blx
            for _, counted in self.open:
                counted[address] += 1
            before = address


def by_function(counted, symbols):
    """Counter of function names, from one of addresses."""
    totals = Counter()
    for address, count in counted.items():
        totals[symbols.name_of(address)] += count
    return totals
