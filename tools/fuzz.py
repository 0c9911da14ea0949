#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev fuzz [TARGET] [SECONDS]

Runs one fuzz target, or all in turn, for 60 s each or as told.  Inputs that reach new code are
merged into fuzz/corpus/TARGET, smallest first; an input that breaks the target is made as small
as it gets and put there too, so that the normal tests replay it until the fault is mended.
Exits 1 if anything broke.  build/fuzz-seconds.json adds up how long each target has been searched.
"""
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import sources

BUILD = os.path.join(sources.TOP, "build", "fuzz", "fuzz")
CORPUS = os.path.join(sources.TOP, "fuzz", "corpus")
SECONDS = os.path.join(sources.TOP, "build", "fuzz-seconds.json")
PREFIX = "fuzz_"
DEFAULT_S = 60
MINIMISE_S = 20


def targets():
    """Name -> program."""
    return {os.path.basename(path)[len(PREFIX):]: path
            for path in sorted(glob.glob(os.path.join(BUILD, PREFIX + "*")))
            if os.path.isfile(path) and os.access(path, os.X_OK)}


def libfuzzer(program, *arguments):
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")
    return done.returncode, done.stdout


def last_status(output):
    lines = re.findall(r"^#\d+\s+.*$", output, re.MULTILINE)
    return " ".join(lines[-1].split()) if lines else "did not start"


def files_in(folder):
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def minimise(program, path, kept):
    """Writes the smallest input that still breaks the program into the folder `kept`."""
    smallest = path + ".smallest"
    libfuzzer(program, "-minimize_crash=1", f"-max_total_time={MINIMISE_S}",
              f"-exact_artifact_path={smallest}", path)
    best = smallest if os.path.exists(smallest) else path
    with open(best, "rb") as file:
        name = "broken-" + hashlib.sha1(file.read()).hexdigest()[:16]
    shutil.copy(best, os.path.join(kept, name))
    return name


def add_seconds(path, name, seconds):
    """Adds to the time that a target has been searched; returns the new sum.  Two runs may add
    at the same time."""
    with open(path, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        sums = json.loads(file.read() or "{}")
        sums[name] = round(sums.get(name, 0) + seconds, 1)
        file.truncate(0)
        json.dump(dict(sorted(sums.items())), file, indent=1)
        file.write("\n")
    return sums[name]


def fuzz(name, program, seconds):
    """Returns the names of the inputs that broke the target."""
    kept = os.path.join(CORPUS, name)
    os.makedirs(kept, exist_ok=True)
    before = files_in(kept)
    with tempfile.TemporaryDirectory() as work:
        found, broken = os.path.join(work, "found"), os.path.join(work, "broken")
        os.mkdir(found)
        os.mkdir(broken)
        start_s = time.monotonic()
        status, output = libfuzzer(program, f"-max_total_time={seconds}", "-timeout=60",
                                   f"-artifact_prefix={broken}/", found, kept)
        total_s = add_seconds(SECONDS, name, time.monotonic() - start_s)
        print(f"{name}: {last_status(output)}")
        print(f"{name}: searched for {total_s:.0f} s in all")
        crashes = [minimise(program, os.path.join(broken, crash), kept)
                   for crash in sorted(files_in(broken))]
        if status != 0:
            print("\n".join(output.splitlines()[-40:]))
        else:
            libfuzzer(program, "-merge=1", kept, found)
    new = files_in(kept) - before - set(crashes)
    print(f"{name}: {len(new)} new inputs, {len(crashes)} that break it")
    return crashes or (["?"] if status != 0 else [])


def chosen(arguments):
    """(name -> program, seconds) from the command line."""
    known = targets()
    seconds = int(arguments.pop()) if arguments and arguments[-1].isdigit() else DEFAULT_S
    if len(arguments) > 1 or "--help" in arguments:
        sys.exit(__doc__)
    if arguments and arguments[0] not in known:
        sys.exit(f"fuzz: no target {arguments[0]}; there are: {', '.join(known) or 'none'}")
    return ({arguments[0]: known[arguments[0]]} if arguments else known), seconds


def main():
    programs, seconds = chosen(sys.argv[1:])
    broken = [f"{name}/{crash}" for name, program in programs.items()
              for crash in fuzz(name, program, seconds)]
    for path in broken:
        print(f"broken by fuzz/corpus/{path}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
