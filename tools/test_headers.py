# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Public headers go together: an application may need any of them in one file."""
import glob
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def test_all_public_headers_go_into_one_file():
    headers = [os.path.relpath(path, os.path.join(ROOT, root))
               for root, place in ((".", "embed"), (".", "hal"), ("core/include", "meantime"))
               for path in sorted(glob.glob(os.path.join(ROOT, root, place, "*.h")))]
    assert len(headers) > 50
    source = "".join(f'#include "{header}"\n' for header in headers)
    result = subprocess.run(
        ["cc", "-fsyntax-only", "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", ROOT,
         "-I", os.path.join(ROOT, "core", "include"), "-x", "c", "-"],
        input=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
