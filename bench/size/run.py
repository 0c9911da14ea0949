#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: ./dev bench size [--json FILE] [--update-docs] [--parts BUILD] [--growth]

Size of the core in firmware.  libmeantime-core.a is built by the project's own build for a
Cortex-M7 with its floating-point unit and for a Cortex-M4 without one, then each description in
builds/ is linked with it and libgcc into an image.  Counted is what the core and libgcc add to the
image; the loop around them, mem* and the platform are not.

  text            code and constants, of the core and of libgcc
  data, bss       writable memory of the core itself: it keeps no globals, so 0
  instance_bytes  memory of one clock: instance, one port, discipline, one source with its
                  estimator and, where the build has one, the path trace; receiver-pi and oc:
                  instance, port and follower

Exits 1 when a build misses its limit; with --growth also when text or instance_bytes of a build is
more than 2 % over the committed table.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DOCUMENT = os.path.join(TOP, "docs", "size.md")
TOOL = "arm-none-eabi-"
FLAGS = ["-std=c11", "-Os", "-mthumb", "-ffreestanding", "-ffunction-sections",
         "-fdata-sections", "-fno-move-loop-invariants", "-ffp-contract=off", "-fno-math-errno",
         "-Wall", "-Wextra"]
PROCESSORS = {
    "cortex-m7": ["-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"],
    "cortex-m4": ["-mcpu=cortex-m4", "-mfloat-abi=soft"],
}
MAIN = "cortex-m7"  # that of the images of ./dev firmware

# what each build must stay under; the ordinary clock's figures are the project's promise
LIMITS = {
    "receiver-pi": {"text": 8192, "data": 1, "bss": 1, "instance_bytes": 2304},
    "receiver-e2e": {"text": 16384, "data": 1, "bss": 1, "instance_bytes": 3072},
    "oc-e2e": {"text": 17408, "data": 1, "bss": 1, "instance_bytes": 3072},
    "oc": {"text": 16384, "data": 1, "bss": 1, "instance_bytes": 2816},
    "oc-estimator": {"text": 21504, "data": 1, "bss": 1, "instance_bytes": 3584},
    "oc-full": {"data": 1, "bss": 1},
    "all-ptp": {"text": 45056, "data": 1, "bss": 1},
    "oc-e2e cortex-m4": {"text": 20480, "data": 1, "bss": 1, "instance_bytes": 3072},
}
# what must not be in an image: the linker has to drop what a build does not name
ABSENT = {
    "receiver-pi": {"mt_transmitter", "mt_path_trace", "mt_accuracy", "mt_boundary", "mt_decide",
                    "mt_states_full", "mt_reference", "mt_estimator_update",
                    "mt_ptp_all_features"},
    "receiver-e2e": {"mt_transmitter", "mt_path_trace", "mt_accuracy", "mt_boundary", "mt_decide",
                     "mt_states_full", "mt_ptp_all_features"},
    "oc-e2e": {"mt_extend", "mt_acceptable", "mt_path_trace", "mt_accuracy", "mt_boundary",
               "mt_states_receiver_only", "mt_decide_receiver", "mt_ptp_all_features"},
    "oc": {"mt_acceptable", "mt_path_trace", "mt_accuracy", "mt_boundary", "mt_peer_extension",
           "mt_management_extension", "mt_states_receiver_only", "mt_reference",
           "mt_estimator_update", "mt_discipline_sample", "mt_ptp_all_features"},
    "oc-estimator": {"mt_acceptable", "mt_path_trace", "mt_accuracy", "mt_boundary",
                     "mt_peer_extension", "mt_management_extension", "mt_states_receiver_only",
                     "mt_ptp_all_features"},
    "oc-full": {"mt_boundary", "mt_states_receiver_only"},
    "all-ptp": {"mt_management_extension", "mt_security_extension", "mt_ptp_all_features"},
}
ORDER = list(LIMITS)
COLUMNS = ("text", "data", "bss", "instance_bytes")
GENERATED = "<!-- the table is written by ./dev bench size --update-docs -->"


class Failure(Exception):
    pass


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command[:2])} ... failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def folder_of(processor):
    return os.path.join(TOP, "build", "size-" + processor)


def build_core(processor):
    folder = folder_of(processor)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        run("meson", "setup", folder, TOP, "--cross-file", os.path.join(HERE, processor + ".ini"),
            "-Dcore_only=true", "--buildtype=minsize", "-Db_staticpic=false")
    run("ninja", "-C", folder)


def compile_harness(name, processor, source, *flags):
    made = os.path.join(folder_of(processor), f"harness-{name}.o")
    run(TOOL + "gcc", *FLAGS, *PROCESSORS[processor], *flags, "-I", HERE, "-I",
        os.path.join(TOP, "core", "include"), "-c", "-o", made, os.path.join(HERE, source))
    return made


def link(name, processor, objects):
    folder = folder_of(processor)
    image = os.path.join(folder, name + ".elf")
    run(TOOL + "gcc", *FLAGS, *PROCESSORS[processor], "-nostdlib", "-nostartfiles",
        "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-T", os.path.join(HERE, "image.ld"),
        "-Wl,-Map=" + image + ".map", "-o", image, *objects,
        os.path.join(folder, "core", "libmeantime-core.a"), "-lgcc")
    return image


def section_sizes(image):
    rows = (line.split() for line in run(TOOL + "size", "-A", image).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".")}


def object_sizes(image):
    """Name -> size of the image's functions and objects."""
    rows = (line.split() for line in run(TOOL + "nm", "-S", image).splitlines())
    return {row[3]: int(row[1], 16) for row in rows if len(row) == 4}


def measure(row, shared):
    name, _, processor = row.partition(" ")
    processor = processor or MAIN
    image = link(name, processor, [compile_harness(name, processor, f"builds/{name}.c"),
                                   *shared[processor]])
    sizes = section_sizes(image)
    objects = object_sizes(image)
    core, libgcc = sizes.get(".core", 0), sizes.get(".libgcc", 0)
    return {"name": row, "text": core + libgcc, "data": sizes.get(".data", 0),
            "bss": sizes.get(".bss", 0), "libgcc": libgcc,
            "instance_bytes": sum(size for object, size in objects.items()
                                  if object.startswith("instance_")),
            "unwanted": sorted(ABSENT[name] & set(objects))}


# a row of the linker's map: section, address, size, archive(member)
MAP_ROW = re.compile(r"^ \.(?:text|rodata)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+"
                     r"\S*/(libmeantime-core|libgcc)\.a\((\S+?)\.o\)$", re.MULTILINE)


def parts_of(map_text):
    """(octets, source file or "libgcc") that the image took from each, largest first."""
    parts = {}
    placed = map_text[map_text.index("Linker script and memory map"):]
    for size, archive, member in MAP_ROW.findall(placed):
        part = "libgcc" if archive == "libgcc" else member
        parts[part] = parts.get(part, 0) + int(size, 16)
    return sorted(((size, part) for part, size in parts.items() if size), reverse=True)


def print_parts(name):
    with open(os.path.join(folder_of(MAIN), name + ".elf.map"), encoding="utf-8") as file:
        for size, part in parts_of(file.read()):
            print(f"{size:8} {part}")


def shared_objects(processor):
    return [compile_harness("firmware", processor, "firmware.c"),
            compile_harness("follower", processor, "follower.c"),
            compile_harness("kalman", processor, "kalman.c"),
            compile_harness("memory", processor, "memory.c", "-fno-builtin",
                            "-fno-tree-loop-distribute-patterns")]


def measure_all():
    shared = {}
    for processor in PROCESSORS:
        build_core(processor)
        shared[processor] = shared_objects(processor)
    found = {os.path.basename(path)[:-2] for path in glob.glob(os.path.join(HERE, "builds/*.c"))}
    if found != set(ABSENT):
        raise Failure("builds and limits differ: " + ", ".join(sorted(found ^ set(ABSENT))))
    return [measure(row, shared) for row in ORDER]


def missed_limits(builds):
    return [f"{build['name']}: {what} {build[what]}, must be under {limit}"
            for build in builds for what, limit in LIMITS[build["name"]].items()
            if build[what] >= limit] + [
                f"{build['name']}: contains {name}, a feature that it does not name"
                for build in builds for name in build["unwanted"]]


def table(builds):
    def limit(build, what):
        number = LIMITS[build["name"]].get(what, 0)
        return f" (< {number})" if number > 1 else ""
    heads = ["build", "text", "of it libgcc", "data", "bss", "instance_bytes"]
    rows = [[build["name"], f"{build['text']}{limit(build, 'text')}", str(build["libgcc"]),
             str(build["data"]), str(build["bss"]),
             f"{build['instance_bytes']}{limit(build, 'instance_bytes')}"] for build in builds]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]

    def line(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
    return "\n".join([line(heads), line(["-" * width for width in widths]), *map(line, rows)])


def write_document(builds):
    """Puts the table where the old one stood: the lines with bars after the mark."""
    with open(DOCUMENT, encoding="utf-8") as file:
        before, mark, after = file.read().partition(GENERATED)
    rest = [line for line in after.splitlines() if not line.startswith("|")]
    text = "\n".join(rest).strip("\n")
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(f"{before}{mark}\n\n{table(builds)}\n\n{text}\n")


def documented():
    """Build -> its figures in docs/size.md."""
    figures = {}
    with open(DOCUMENT, encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if cells[0] in LIMITS and len(cells) == 6:
                figures[cells[0]] = {"text": int(cells[1].split(" ")[0]),
                                     "instance_bytes": int(cells[5].split(" ")[0])}
    return figures


def growth(builds):
    table = documented()
    missing = [f"{name}: has no row in docs/size.md" for name in ORDER if name not in table]
    return missing + [
        f"{build['name']}: {what} {build[what]} is more than 2 % over {was} of docs/size.md; "
        "./dev bench size --update-docs, if that is on purpose"
        for build in builds for what, was in table.get(build["name"], {}).items()
        if build[what] > was * 1.02]


def write_json(path, builds):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"builds": [{key: build[key] for key in ("name", *COLUMNS)}
                              for build in builds]}, file, indent=1)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench size")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--update-docs", action="store_true", help="rewrite docs/size.md")
    parser.add_argument("--parts", metavar="BUILD", choices=list(ABSENT),
                        help="text by source file")
    parser.add_argument("--growth", action="store_true", help="judge growth, too")
    arguments = parser.parse_args()
    try:
        builds = measure_all()
    except Failure as failure:
        sys.exit(f"size: {failure}")
    print(table(builds))
    if arguments.parts:
        print_parts(arguments.parts)
    if arguments.json:
        write_json(arguments.json, builds)
    if arguments.update_docs:
        write_document(builds)
    missed = missed_limits(builds) + (growth(builds) if arguments.growth else [])
    for line in missed:
        print(line)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
