#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Checks that each loop of the core ends, whatever it is given.

usage: check_loops.py [FOLDER]

A `for` has a condition.  A `while` takes from something that becomes less (PATTERNS), or stands in
tools/loops.txt with what bounds it; a line there that no loop has any more is a problem as well.
"""
import re

import sources

LIST = "tools/loops.txt"
LOOP = re.compile(r"^[ \t]*(?:\} )?(while|for) \((.*)$", re.MULTILINE)
# conditions that bound themselves
PATTERNS = [
    (r"mt_(tlv|ntp_extension|nts_record|gnss_stream)_next\(", "each call takes octets away"),
    (r"\w+-- (>|!=) 0", "counts down"),
    (r"^[\w>\-]+ < [\w>.\-\s]+( &&|$)", "an index or an address that rises to a limit"),
    (r"(&& |^)(shift|length|i|s|count) (<|>) ", "counts"),
]


def condition_of(text, start):
    """What stands between the parentheses that open before `start`, on one line."""
    depth, end = 1, start
    while depth > 0 and end < len(text):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return " ".join(text[start:end - 1].split())


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match[0]), text,
                  flags=re.DOTALL)


def loops_of(text):
    """(line, kind, condition) of each loop."""
    text = without_comments(text)
    for match in LOOP.finditer(text):
        yield (text.count("\n", 0, match.start(1)) + 1, match[1],
               condition_of(text, match.start(2)))


def is_bounded_by_itself(kind, condition):
    if kind == "for":
        parts = condition.split(";")
        return len(parts) == 3 and parts[1].strip() != ""
    return any(re.search(pattern, condition) for pattern, _ in PATTERNS)


def listed(text):
    """(file, condition) -> reason, from "file: condition :: reason"."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            where, _, reason = line.partition(" :: ")
            path, _, condition = where.partition(": ")
            found[path, condition] = reason.strip()
    return found


def check(root):
    known = listed(sources.read(root, LIST))
    left = set(known)
    problems = [f"{LIST}: {path}: {condition}: without a reason"
                for (path, condition), reason in known.items() if not reason]
    for path in sources.find(root, (".c", ".h")):
        if not path.startswith("core/"):
            continue
        for line, kind, condition in loops_of(sources.read(root, path)):
            left.discard((path, condition))
            if not is_bounded_by_itself(kind, condition) and (path, condition) not in known:
                problems.append(f"{path}:{line}: what ends this loop? {condition}")
    return problems + [f"{LIST}: no such loop: {path}: {condition}"
                       for path, condition in sorted(left)]


if __name__ == "__main__":
    sources.main(check, "loops")
