#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: check_calls.py [--json FILE]

Who calls whom in the core, as the compiler for firmware sees it (gcc -fcallgraph-info=su,
Cortex-M7, -Os).  Calls through the tables of functions are resolved by what the tables are filled
with.

  recursion   no function reaches itself
  stack       no function takes an amount that depends on its input; in the images of bench/size
              that have a limit, the longest chain of calls, from any function that an application
              calls, takes less than that

Exits 1 if something of this does not hold, or a call through a pointer cannot be resolved.
"""
import argparse
import collections
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SIZE = os.path.join(TOP, "bench", "size")
sys.path.insert(0, SIZE)
import run as size  # noqa: E402

BUILD = os.path.join(TOP, "build", "calls")
STACK_LIMITS = {"oc": 1024, "oc-e2e": 1024, "receiver-e2e": 1024, "receiver-pi": 1024}
# of the compiler's own routines and mem*, by -fstack-usage of libgcc's sources: none calls another
OTHERS_STACK = 64
INDIRECT = "__indirect_call"

# the object before a member that is called -> the type of the table
TABLES = {
    "extension": "mt_extension", "extend": "mt_extend_part", "transmitter": "mt_transmitter_part",
    "delay": "mt_delay_part", "boundary": "mt_boundary_part", "accuracy": "mt_accuracy_part",
    "path_trace": "mt_path_part", "features": "mt_ptp_features", "servo": "mt_steer_servo",
    "mt_delay_e2e": "mt_delay_part", "mt_boundary": "mt_boundary_part",
    "mt_grantor_extension": "mt_extension", "skewness->ops": "mt_skew_ops",
    "nts->ops": "mt_nts_*_ops",
}
# calls through something else: where they are, and what they reach
OTHERS = {
    ("bmca.c", "compare"): ["mt_dataset_compare", "mt_dataset_compare_itu",
                            "mt_dataset_compare_quality"],
    ("servos.c", "update"): ["update_pi", "update_linreg"],
    ("management.c", "set"): r"set_\w+|mt_management_set_\w+",
    ("management.c", "get"): r"get_\w+|mt_management_get_\w+",
    ("management_get.c", "get"): r"mt_get_nothing|mt_get_\w+_data_set|put_port",
    ("requester_table.c", "at"): r"at_\w+|configured_at|listed_at|take_listed",
    ("gnss_nmea.c", "parse"): r"parse_(rmc|zda|gga|gsa)",
    ("features.c", "is_used"): r"is_used\w*",
}
# functions of the application's own: cryptography
OUTSIDE = {"mac", "seal", "open", "digest", "random"}

NODE = re.compile(r'^node: { title: "([^"]*)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: { sourcename: "([^"]*)" targetname: "([^"]*)"(?: label: "([^"]*)")?')
FRAME = re.compile(r"\\n(\d+) bytes \((\w+)[^)]*\)")
CALL = re.compile(r"([\w>.\-]*?)(\w+)[\])]*(?:->|\.)(\w+)\(")
TABLE = re.compile(r"^(?:static )?const struct (mt_\w+) (\w+)(?:\[\])? = \{(.*?)^\};",
                   re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r"\.(\w+) = &?(\w+)")


class Failure(Exception):
    pass


# ---- the tables --------------------------------------------------------------------------------


def tables_of(sources):
    """(type, member) -> (file, name) of functions; the file counts if the name is its own."""
    found = collections.defaultdict(set)
    for path, text in sources.items():
        for kind, _, body in TABLE.findall(text):
            for member, function in MEMBER.findall(body):
                found[kind, member].add((path, function))
    return found


def table_type(objects, name):
    for words in (objects + name, name):
        for known, kind in TABLES.items():
            if words.endswith(known):
                return kind
    return None


def members_called(sources, location):
    """(object, member) of calls in the statement at file:line."""
    path, line = location.split(":")[:2]
    path = os.path.normpath(os.path.join(BUILD, path))
    lines = sources[path].splitlines()[int(line) - 1:int(line) + 4]
    statement = " ".join(text.strip() for text in lines)
    statement = re.sub(r"\[\w+\]", "", statement)
    statement = statement[:statement.index(";") + 1 if ";" in statement else None]
    found = [(before + name, member) for before, name, member in CALL.findall(statement)]
    return path, statement, found


def targets_of(sources, tables, functions, location):
    """(file, name) of the functions that an indirect call may reach."""
    path, statement, calls = members_called(sources, location)
    reached, is_known = set(), False
    for (file, name), names in OTHERS.items():
        if path.endswith("/" + file) and re.search(r"\b" + name + r"\(", statement):
            is_known = True
            reached |= {(path, f) for f in functions
                        if f in names and isinstance(names, list) or
                        isinstance(names, str) and re.fullmatch(names, f)}
    for objects, member in calls:
        kind = table_type(objects, "")
        if kind:
            is_known = True
            for (known, entry), names in tables.items():
                if entry == member and re.fullmatch(kind.replace("*", r"\w+"), known):
                    reached |= names
        elif member in OUTSIDE:
            is_known = True
    if not is_known:
        raise Failure(f"{os.path.relpath(path, TOP)}: a call through an unknown pointer: "
                      f"{statement}")
    return reached


# ---- the graph ---------------------------------------------------------------------------------


def is_older(made, sources):
    return not os.path.exists(made) or os.path.getmtime(made) < max(map(os.path.getmtime, sources))


def compile_one(source, headers):
    name = os.path.relpath(source, os.path.join(TOP, "core")).replace("/", "_")
    made = os.path.join(BUILD, name[:-2] + ".ci")
    if is_older(made, [source, *headers]):
        call_compiler(source, name)
    return made


def call_compiler(source, name):
    size.run(size.TOOL + "gcc", *size.FLAGS, *size.PROCESSORS[size.MAIN], "-DNDEBUG",
             "-fcallgraph-info=su", "-I", os.path.join(TOP, "core", "include"), "-I",
             os.path.join(TOP, "core"), "-c", "-o",
             os.path.join(BUILD, name[:-2] + ".o"), os.path.relpath(source, BUILD))


def compile_all(sources):
    os.makedirs(BUILD, exist_ok=True)
    os.chdir(BUILD)
    headers = [path for path in sources if not path.endswith(".c")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda path: compile_one(path, headers),
                             [path for path in sources if path.endswith(".c")]))


def bare(name):
    """Without file and the compiler's additions for parts and copies."""
    return re.sub(r"\.(?:constprop|isra|part|cold)\.\d+", "", name)


def read_graphs(files):
    """frames: name -> (octets, kind); calls: name -> names; pointers: (name, location)."""
    frames, calls, pointers = {}, collections.defaultdict(set), []
    for path in files:
        with open(path, encoding="ascii") as file:
            for line in file:
                node, edge = NODE.match(line), EDGE.match(line)
                frame = node and FRAME.search(node[2])
                if frame:
                    name = bare(node[1])
                    octets = max(int(frame[1]), frames.get(name, (0, ""))[0])
                    frames[name] = octets, frame[2]
                elif edge and edge[2] == INDIRECT:
                    pointers.append((bare(edge[1]), edge[3]))
                elif edge:
                    calls[bare(edge[1])].add(bare(edge[2]))
    return frames, calls, pointers


def add_pointers(sources, frames, calls, pointers):
    by_name = collections.defaultdict(list)
    for title in frames:
        by_name[title.rpartition(":")[2]].append(title)
    tables = tables_of(sources)
    for caller, location in pointers:
        for path, target in targets_of(sources, tables, by_name, location):
            own = os.path.relpath(path, BUILD) + ":" + target
            calls[caller].update([own] if own in frames else by_name[target])


def find_cycle(calls):
    """Names that call each other in a circle; empty: there is none."""
    state, path = {}, []

    def visit(name):
        state[name] = 1
        path.append(name)
        for target in sorted(calls.get(name, ())):
            if state.get(target) == 1:
                return path[path.index(target):] + [target]
            if target not in state:
                found = visit(target)
                if found:
                    return found
        path.pop()
        state[name] = 2
        return []

    sys.setrecursionlimit(10000)
    return next((cycle for name in sorted(calls) if name not in state
                 for cycle in [visit(name)] if cycle), [])


def deepest(frames, calls, image):
    """(octets, names) of the chain that takes most in an image."""
    placed = functions_of(image)
    present = {title for title in frames if is_in(title, placed)}
    known = {}

    def depth(name):
        if name not in known:
            below = [depth(target) for target in calls.get(name, ())
                     if target in present or target not in frames]
            most = max(below, default=(0, []), key=lambda found: found[0])
            own = frames.get(name, (OTHERS_STACK, ""))[0]
            known[name] = own + most[0], [name, *most[1]]
        return known[name]

    chains = [depth(name) for name in present]
    return max(chains, key=lambda found: found[0])


# ---- what must hold ----------------------------------------------------------------------------


PLACED = re.compile(r"^ \.text\.(\S+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+"
                    r"\S*/libmeantime-core\.a\((\w+?)_(\w+)\.c\.o\)$", re.MULTILINE)


def functions_of(image):
    """(file, name) of the functions that the linker has put into an image; small ones may have been
    made part of others."""
    with open(image + ".map", encoding="utf-8") as file:
        text = file.read()
    placed = text[text.index("Linker script and memory map"):]
    return {(f"core/{folder}/{stem}.c", bare(name))
            for name, folder, stem in PLACED.findall(placed)}


def is_in(title, present):
    """A global function's title is its name alone."""
    path, _, name = title.rpartition(":")
    if path:
        return (os.path.relpath(os.path.join(BUILD, path), TOP), name) in present
    return any(function == name for _, function in present)


def check(arguments):
    sources = {}
    for path in glob.glob(os.path.join(TOP, "core", "**", "*.[ch]"), recursive=True):
        with open(path, encoding="utf-8") as file:
            sources[path] = file.read()
    frames, calls, pointers = read_graphs(compile_all(sources))
    add_pointers(sources, frames, calls, pointers)
    problems = [f"{name}: a frame of {octets} octets that is {kind}"
                for name, (octets, kind) in sorted(frames.items()) if kind != "static"]
    cycle = find_cycle(calls)
    if cycle:
        problems.append("recursion: " + " -> ".join(cycle))
        return problems
    results = {}
    for build in size.measure_all():
        if " " in build["name"]:  # on another processor
            continue
        image = os.path.join(size.folder_of(size.MAIN), build["name"] + ".elf")
        octets, chain = deepest(frames, calls, image)
        limit = STACK_LIMITS.get(build["name"])
        results[build["name"]] = octets
        print(f"{build['name']:<14}{octets:>6}  {' '.join(n.rpartition(':')[2] for n in chain)}")
        if limit and octets >= limit:
            problems.append(f"{build['name']}: a stack of {octets} octets, must be under {limit}")
    print(f"{len(frames)} functions, {len(pointers)} calls through pointers")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    try:
        problems = check(parser.parse_args())
    except (Failure, size.Failure) as failure:
        problems = [str(failure)]
    for problem in problems:
        print(problem)
    print(f"calls: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
