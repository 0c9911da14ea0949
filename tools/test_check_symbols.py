# SPDX-License-Identifier: Apache-2.0 OR MIT
"""check_symbols.py finds a call out of the core and a writable object, and nothing else."""
import subprocess

import pytest

import check_symbols

CLEAN = """
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t length);
int other(int a);
struct names { const char *first; };
static const struct names names = {"a"};
const struct names *const used = &names;
int one(char *to, const char *from, size_t n, long long a, long long b);
int one(char *to, const char *from, size_t n, long long a, long long b)
{
    memcpy(to, from, n);
    return other((int)(a / b));
}
"""
OTHER = "int other(int a); int other(int a) { return a + 1; }\n"


def library(tmp_path, compiler, *texts, options=()):
    objects = []
    for number, text in enumerate(texts):
        source, made = tmp_path / f"{number}.c", tmp_path / f"{number}.o"
        source.write_text(text)
        subprocess.run([compiler, "-c", "-fPIC", "-ffreestanding", *options, "-o", made,
                        source], check=True)
        objects.append(made)
    subprocess.run(["ar", "rcs", tmp_path / "lib.a", *objects], check=True)
    return str(tmp_path / "lib.a")


@pytest.mark.parametrize("compiler, nm", [("gcc", "nm"),
                                          ("arm-none-eabi-gcc", "arm-none-eabi-nm")])
def test_check_symbols_is_silent_when_members_need_mem_and_each_other(tmp_path, compiler, nm):
    made = library(tmp_path, compiler, CLEAN, OTHER)
    assert check_symbols.check(made, nm) == []
    assert "memcpy" in check_symbols.needed_symbols(made, nm)


@pytest.mark.parametrize("text, name", [
    ("int puts(const char *s); int f(void); int f(void) { return puts(\"\"); }", "puts"),
    ("double sqrt(double); double f(double); double f(double a) { return sqrt(a); }", "sqrt"),
    ("void __memcpy_chk(void); void f(void); void f(void) { __memcpy_chk(); }", "__memcpy_chk"),
    ("int state; int *f(void); int *f(void) { return &state; }", "state"),
    ("static int count = 3; int f(void); int f(void) { return ++count; }", "count"),
    ("int f(void); int f(void) { static int calls; return ++calls; }", "calls"),
])
def test_check_symbols_complains_when_the_core_reaches_out_or_remembers(tmp_path, text, name):
    found = check_symbols.check(library(tmp_path, "gcc", CLEAN, OTHER, text))
    assert len(found) == 1 and found[0].startswith(name), found


FAT = ("-O2", "-fno-math-errno", "-flto", "-ffat-lto-objects")


def test_check_symbols_looks_at_machine_code_when_objects_are_for_whole_programs(tmp_path):
    root = "double f(double); double f(double a) { return __builtin_sqrt(a); }"
    assert not check_symbols.check(library(tmp_path, "gcc", CLEAN, OTHER, root, options=FAT))
    state = "static int count = 3; int f(void); int f(void) { return ++count; }"
    (found,) = check_symbols.check(library(tmp_path, "gcc", CLEAN, OTHER, state, options=FAT))
    assert found == "count: writable object in .data; the core keeps no globals"


def test_check_symbols_complains_when_no_member_defines_what_another_needs(tmp_path):
    found = check_symbols.check(library(tmp_path, "gcc", CLEAN))
    assert found == ["other: needed, but neither mem* nor a compiler helper"]
