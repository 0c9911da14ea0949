# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Finds the project's own source files, for the checks in this folder."""
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SKIPPED = {"build", "__pycache__", "subprojects", "node_modules"}


def find(root, suffixes):
    """Paths relative to `root`, sorted, of the files that end in one of `suffixes`."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in _SKIPPED and not f.startswith(".")]
        for name in files:
            if name.endswith(tuple(suffixes)):
                found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def main(check, what):
    """Runs a check over the tree named on the command line (default: this project), prints what
    it found and exits 1 if that is anything."""
    problems = check(sys.argv[1] if len(sys.argv) > 1 else TOP)
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}")
    sys.exit(1 if problems else 0)
