#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Checks that the core needs nothing but mem* and the compiler's own helpers, and keeps no
state: what it calls, it was built with, and no object of it can be written to.

usage: check_symbols.py LIBRARY [NM]      (NM: of the library's architecture, default nm)
"""
import os
import subprocess
import sys

GRANTED = {"memcpy", "memset", "memmove", "memcmp"}
# made by the linker for position-independent code
LINKER = {"_GLOBAL_OFFSET_TABLE_"}
# names that look like the compiler's own and are the C library's
HOSTED = {"__errno_location", "__assert_fail", "__assert_func"}
UNDEFINED = {"U", "w", "v"}


def is_granted(name):
    return name in GRANTED | LINKER or (
        name.startswith("__") and name not in HOSTED and not name.endswith("_chk"))


def list_symbols(nm, *arguments):
    """Of the machine code.  Objects that can also be optimised as a whole hold a second table of
    symbols, before optimisation and without sections; nm's plugin would prefer that one."""
    return subprocess.run([nm, "--plugin", os.devnull, *arguments], check=True,
                          capture_output=True, text=True).stdout


def needed_symbols(library, nm):
    """Undefined symbols of all members that no member defines."""
    undefined, defined = set(), set()
    for line in list_symbols(nm, library).splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in UNDEFINED:
            undefined.add(words[1])
        elif len(words) == 3:
            defined.add(words[2])
    return undefined - defined


def writable_objects(library, nm):
    """(name, section) of the objects in sections that can be written at run time."""
    found = []
    for line in list_symbols(nm, "--format=sysv", library).splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[3] == "OBJECT":
            section = fields[6]
            if section == "*COM*" or (section.startswith((".data", ".bss", ".tdata", ".tbss"))
                                      and not section.startswith(".data.rel.ro")):
                found.append((fields[0], section))
    return found


def check(library, nm="nm"):
    problems = [f"{name}: needed, but neither mem* nor a compiler helper"
                for name in sorted(needed_symbols(library, nm))
                if not is_granted(name)]
    problems += [f"{name}: writable object in {section}; the core keeps no globals"
                 for name, section in writable_objects(library, nm)]
    return problems


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    library, nm = sys.argv[1], (sys.argv + ["nm"])[2]
    problems = check(library, nm)
    for problem in problems:
        print(problem)
    print("symbols: needed from outside:", *sorted(needed_symbols(library, nm)))
    print(f"symbols: {len(problems) or 'no'} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
