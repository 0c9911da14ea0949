#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: format.py [--check]      lays out all C sources, or says which are not laid out

clang-format decides; lines that head a section, which it leaves alone, are cut to 100 columns.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

import sources

COLUMNS = 100
SECTION = re.compile(r"^(/\* ---- .* ----*)-( \*/)$", re.MULTILINE)


def cut_sections(text):
    def cut(match):
        over = max(0, len(match[0]) - COLUMNS)
        return match[0] if not over else match[1][:len(match[1]) + 1 - over] + match[2]
    return SECTION.sub(cut, text)


def laid_out(path):
    """(text of the file, text as it should be)."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    done = subprocess.run(["clang-format", "--assume-filename=" + path], check=True,
                          input=cut_sections(text), capture_output=True, text=True,
                          encoding="utf-8")
    return text, done.stdout


def mend(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    os.chdir(sources.TOP)
    paths = sources.find(".", (".c", ".h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = zip(paths, pool.map(laid_out, paths))
        wrong = {path: better for path, (text, better) in texts if text != better}
    for path, better in wrong.items():
        if sys.argv[1:]:
            print(f"{path}: not laid out; ./dev format mends it")
        else:
            mend(path, better)
            print(f"laid out {path}")
    sys.exit(1 if wrong and sys.argv[1:] else 0)


if __name__ == "__main__":
    main()
