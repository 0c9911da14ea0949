#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev firmware [--program FILE] [--json FILE] [--update-docs] [--real single] [STEP ...]

Images for microcontrollers, from one application (firmware/) and the core as it is everywhere.

  build   compiles all images into build/firmware
  sizes   what each takes of flash and memory (without stack), and whether that has grown by more
          than 2 % over docs/size.md
  pil     processor in the loop: an hour of simulated time with faults, in which one node's loop
          runs on an emulated Cortex-M7: frames and corrections must be those of this machine's
          build, to the last bit
  pair    two emulated boards on a cable: one transmits, the other, whose oscillator is 50 ppm
          off, must follow and learn that

Without a step: all, in this order.  --real single: the images count fractions in single precision,
for processors whose floating-point unit knows no other, in build/firmware-single.  --program: the
simulator's part of pil, from a build folder (default: that of build/release, which is made).  Ends
with 1 if a step fails.
"""
import argparse
import fcntl
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build", "firmware")
CROSS = {"double": "cortex-m7.ini", "single": "cortex-m7-single.ini"}
LWIP = os.path.join(TOP, "build", "lwip", "src")
IMAGES = ("mps2-802.3", "mps2-udp-ipv4", "stm32f7-802.3", "stm32f7-udp-ipv4")
EMULATED = tuple(name for name in IMAGES if name.startswith("mps2"))
DOCUMENT = os.path.join(TOP, "docs", "size.md")
GROWTH = 1.02
PAIR_S = 90
ERROR_PPB = 50000


class Failure(Exception):
    pass


def run(*command, timeout_s=600):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command[:3])} ... failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def folder(real="double"):
    return BUILD if real == "double" else f"{BUILD}-{real}"


def image(name, real="double"):
    return os.path.join(folder(real), "firmware", name + ".elf")


def build(arguments=None):
    """Tests may want it at the same time as others."""
    os.makedirs(os.path.dirname(BUILD), exist_ok=True)
    with open(BUILD + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compile_images(arguments.real if arguments else "double")


def compile_images(real):
    run("sh", os.path.join(TOP, "tools", "unpack_source.sh"), "lwip")
    if not os.path.exists(os.path.join(folder(real), "build.ninja")):
        cross = os.path.join(TOP, "platform", "mps2", CROSS[real])
        run("meson", "setup", folder(real), TOP, "--cross-file", cross, "-Dcore_only=true",
            "-Dfirmware=true", "-Dreal=" + real, "-Dlwip=" + LWIP, "--buildtype=minsize",
            "-Db_staticpic=false")
    run("ninja", "-C", folder(real))
    for name in IMAGES:
        if name.startswith("stm32f7"):
            write_flash(image(name, real))
        if real == "single":
            refuse_doubles(image(name, real))


def refuse_doubles(path):
    """The compiler calls these for arithmetic in double that the processor cannot do."""
    called = re.findall(r"__aeabi_(?:d\w+|f2d|u?[il]2d)\b", run("arm-none-eabi-nm", path))
    if called:
        raise Failure(f"{path} counts in double: {', '.join(sorted(set(called)))}")


def write_flash(path):
    """FILE.bin beside FILE.elf, to be written to 0x08000000: a processor that starts there finds a
    stack in DTCM and an entry in the flash as the ITCM bus shows it."""
    flash = path[:-len("elf")] + "bin"
    run("arm-none-eabi-objcopy", "-O", "binary", path, flash)
    with open(flash, "rb") as file:
        stack, entry = struct.unpack("<II", file.read(8))
    if not (0x20000400 <= stack <= 0x20020000 and stack % 8 == 0 and entry % 2 == 1
            and 0x200000 < entry < 0x200000 + os.path.getsize(flash)):
        raise Failure(f"{path} would not start: stack {stack:#x}, entry {entry:#x}")


def size_of(name, real):
    told = run("arm-none-eabi-size", "-A", image(name, real))
    size = {section: int(octets) for section, octets in
            re.findall(r"^(\.\w+) +(\d+)", told, re.MULTILINE)}
    data = size.get(".data", 0)
    return {"name": name, "flash": size[".text"] + data,
            "memory": data + size[".bss"] + size.get(".shared", 0)}


def row_of(found):
    return f"| {found['name']} | {found['flash']} | {found['memory']} |"


def documented():
    """Image -> (flash, memory) of the table in docs/size.md."""
    with open(DOCUMENT, encoding="utf-8") as file:
        rows = [line.strip().strip("|").split("|") for line in file if line.startswith("|")]
    return {cells[0].strip(): (int(cells[1]), int(cells[2])) for cells in rows
            if cells[0].strip() in IMAGES}


def write_document(found):
    rows = {row["name"]: row_of(row) for row in found}
    with open(DOCUMENT, encoding="utf-8") as file:
        lines = [rows.get(line.split("|")[1].strip(), line.rstrip("\n"))
                 if line.startswith("|") else line.rstrip("\n") for line in file]
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def judge_growth(found):
    table = documented()
    grown = [f"{row['name']}: {row['flash']} of flash, {row['memory']} of memory: more than "
             f"{GROWTH - 1:.0%} over docs/size.md (./dev firmware --update-docs, if that is on "
             "purpose)" for row in found
             if row["name"] not in table or row["flash"] > table[row["name"]][0] * GROWTH
             or row["memory"] > table[row["name"]][1] * GROWTH]
    if grown:
        raise Failure("\n".join(grown))


def sizes(arguments):
    found = [size_of(name, arguments.real) for name in IMAGES]
    print(f"{'image':<20}{'flash':>8}{'memory':>8}")
    for row in found:
        print(f"{row['name']:<20}{row['flash']:>8}{row['memory']:>8}")
    if arguments.real == "double":
        if arguments.update_docs:
            write_document(found)
        judge_growth(found)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)


def pil(arguments):
    program = arguments.program
    if program is None:
        run("sh", os.path.join(TOP, "tools", "build.sh"), "release", "tests/pil/pil",
            "tests/precision/single-loop", timeout_s=1200)
        program = os.path.join(TOP, "build", "release", "tests", "pil", "pil")
    tests = os.path.dirname(os.path.dirname(program))
    here = [os.path.join(tests, "precision", "single-loop")] if arguments.real == "single" else []
    there = os.path.join(folder(arguments.real), "tests", "pil", "pil.elf")
    print(run(program, there, *here), end="")


# ---- two boards --------------------------------------------------------------------------------


def emulator(path, *words, network):
    """The command that runs an image with these words as its command line."""
    line = "".join(f",arg={word}" for word in ("fw", *words))
    return ["qemu-system-arm", "-M", "mps2-an500", "-kernel", path, "-display", "none",
            "-monitor", "none", "-serial", "stdio", "-semihosting-config",
            "enable=on,target=native" + line, *network]


def cable(path, number):
    """One end of a cable: number 0 is there first."""
    server = "on" if number == 0 else "off"
    return ["-netdev", f"stream,id=n0,server={server},addr.type=unix,addr.path={path}",
            "-net", f"nic,netdev=n0,macaddr=02:00:00:00:00:0{number + 1}"]


def wait_for(path):
    end_s = time.monotonic() + 30
    while not os.path.exists(path):
        if time.monotonic() > end_s:
            raise Failure("the first board does not start")
        time.sleep(0.05)


RATES = ("announce=-2", "sync=-3", "delay=-3")


def run_pair(name, path):
    first = ["role=transmitter", "answers=1000000", f"seconds={4 * PAIR_S}", *RATES,
             "address=10.9.0.1"]
    second = ["role=receiver", f"ppb={ERROR_PPB}", f"seconds={PAIR_S}", *RATES, "address=10.9.0.2"]
    with subprocess.Popen(emulator(name, *first, network=cable(path, 0)), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as transmitter:
        try:
            wait_for(path)
            done = subprocess.run(emulator(name, *second, network=cable(path, 1)), text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=4 * PAIR_S, check=False)
        finally:
            transmitter.kill()
            said = transmitter.communicate()[0]
    if done.returncode != 0:
        raise Failure(f"{name}: the receiver ended with {done.returncode}:\n{done.stdout}"
                      f"{done.stderr}the transmitter:\n{said}")
    print(f"{os.path.basename(name)}: {done.stdout.splitlines()[-1]}")


def pair(arguments):
    for name in EMULATED:
        with tempfile.TemporaryDirectory() as cables:
            run_pair(image(name, arguments.real), os.path.join(cables, "cable"))


STEPS = {"build": build, "sizes": sizes, "pil": pil, "pair": pair}


def main():
    parser = argparse.ArgumentParser(prog="./dev firmware", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", metavar="FILE")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--update-docs", action="store_true", help="rewrite docs/size.md")
    parser.add_argument("--real", choices=CROSS, default="double")
    parser.add_argument("steps", nargs="*", choices=[*STEPS, []], default=[])
    arguments = parser.parse_args()
    try:
        for name, step in STEPS.items():
            if name in arguments.steps or not arguments.steps:
                step(arguments)
    except (Failure, OSError, subprocess.TimeoutExpired) as failure:
        sys.exit(f"firmware: {failure}")


if __name__ == "__main__":
    main()
