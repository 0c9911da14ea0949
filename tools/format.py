#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: format.py [--check]      lays out all C sources, or says which are not laid out"""
import os
import subprocess
import sys

import sources


def is_formatted(path):
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", path], capture_output=True)
    return done.returncode == 0


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    os.chdir(sources.TOP)
    wrong = [path for path in sources.find(".", (".c", ".h")) if not is_formatted(path)]
    for path in wrong:
        print(f"{path}: not laid out" if sys.argv[1:] else f"laid out {path}")
    if sys.argv[1:]:
        print(f"format: {len(wrong) or 'no'} files; ./dev format mends them")
        sys.exit(1 if wrong else 0)
    if wrong:
        subprocess.run(["clang-format", "-i", *wrong], check=True)


if __name__ == "__main__":
    main()
