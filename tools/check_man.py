#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: check_man.py PAGE...      formats manual pages and passes on what the formatter says"""
import os
import subprocess
import sys


def complaints(page):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""}
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=environment)
    said = done.stderr.splitlines()
    return said or ([f"man ended with status {done.returncode}"] if done.returncode else [])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    found = [f"{page}: {line}" for page in sys.argv[1:] for line in complaints(page)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
