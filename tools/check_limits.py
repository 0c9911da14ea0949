#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Checks the limits that keep the sources readable.

usage: check_limits.py [FOLDER]

C: functions of at most 80 lines and files of at most 600; no `default:` in a switch over one of
our enums (a new value must make the compiler speak up); an SPDX line first.  All sources: lines
of at most 100 columns; no TODO, FIXME or XXX without the number of an issue.  Functions are
recognised by the layout that clang-format enforces: the body's braces stand alone in the first
column.
"""
import re

import sources

FUNCTION_LINES = 80
FILE_LINES = 600
COLUMNS = 100
SPDX = "SPDX-License-Identifier: Apache-2.0 OR MIT"
LATER = re.compile(r"\b(TODO|FIXME|XXX)\b(?!.*#\d)")
C_FILES = (".c", ".h")
SCRIPTS = (".py", ".sh", "meson.build")


def long_functions(lines):
    """(name, line, length) of functions over the limit; length counts from { to }."""
    opened = name = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            opened = number
            name = function_name(lines, number)
        elif line.startswith("}") and opened:
            if number - opened + 1 > FUNCTION_LINES:
                yield name, opened, number - opened + 1
            opened = None


def function_name(lines, brace):
    """The identifier before the first parenthesis of the head that ends above line `brace`."""
    head = brace - 1
    while head > 0 and lines[head - 1].startswith((" ", "\t")):
        head -= 1
    found = re.search(r"(\w+)\s*\(", lines[head - 1]) if head else None
    return found[1] if found else "?"


def defaults_on_our_enums(lines):
    """Lines of `default:` in a switch whose labels are MT_ constants."""
    switches = []  # (indent of the switch, it has an MT_ label, line of its default)
    for number, line in enumerate(lines, 1):
        indent = len(line) - len(line.lstrip())
        stripped = line.strip()
        while switches and stripped.startswith("}") and indent <= switches[-1][0]:
            _, is_ours, default = switches.pop()
            if is_ours and default:
                yield default
        if re.match(r"switch\s*\(", stripped):
            switches.append([indent, False, None])
        elif switches and re.match(r"case\s+MT_[A-Z]", stripped):
            switches[-1][1] = True
        elif switches and stripped.startswith("default:"):
            switches[-1][2] = number


def c_problems(path, lines):
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines, the limit is {FILE_LINES}"
    if not lines or SPDX not in lines[0]:
        yield f"{path}:1: the first line must be: /* {SPDX}"
    for name, line, length in long_functions(lines):
        yield f"{path}:{line}: {name} has {length} lines, the limit is {FUNCTION_LINES}"
    for line in defaults_on_our_enums(lines):
        yield f"{path}:{line}: default: hides values of our own enum from the compiler"


def script_problems(path, lines):
    if SPDX not in "".join(lines[:2]):
        yield f"{path}:1: SPDX line missing: # {SPDX}"


def common_problems(path, lines):
    for number, line in enumerate(lines, 1):
        later = LATER.search(line)
        if later:
            yield f"{path}:{number}: {later[1]} without the number of an issue"
        if len(line) > COLUMNS:
            yield f"{path}:{number}: {len(line)} columns, the limit is {COLUMNS}"


def check(root):
    problems = []
    for path in sources.find(root, C_FILES + SCRIPTS):
        lines = sources.read(root, path).splitlines()
        rules = c_problems if path.endswith(C_FILES) else script_problems
        problems += rules(path, lines)
        if not path.startswith("tools/check_limits") and not path.startswith("tools/test_"):
            problems += common_problems(path, lines)
    return problems


if __name__ == "__main__":
    sources.main(check, "limits")
