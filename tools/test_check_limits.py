# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Each limit of check_limits.py is enforced at its edge."""
import pytest

import check_limits

SPDX = "/* SPDX-License-Identifier: Apache-2.0 OR MIT */\n"


def function(lines, head="static int wait_for(struct clock *clock,\n                    int a)"):
    return head + "\n{\n" + "    a++;\n" * (lines - 2) + "}\n"


def switch(*labels):
    return ("static void f(int a)\n{\n    switch (a) {\n"
            + "".join(f"    {label}\n        break;\n" for label in labels) + "    }\n}\n")


def problems(tmp_path, text, name="core/a.c"):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    return check_limits.check(str(tmp_path))


REFUSED = [
    ("a long function", SPDX + function(81), "core/a.c:4: wait_for has 81 lines"),
    ("a long function after others", SPDX + function(80) + function(90), "has 90 lines"),
    ("a long file", SPDX + "int a;\n" * 600, "core/a.c: 601 lines"),
    ("no SPDX line", "int a;\n", "core/a.c:1: the first line"),
    ("default on our enum", SPDX + switch("case MT_PTP_SYNC:", "default:"), "core/a.c:7"),
    ("default first", SPDX + switch("default:", "case MT_PTP_SYNC:"), "core/a.c:5"),
    ("a bare note", SPDX + "/* TODO later */\n", "TODO without"),
    ("a wide line", SPDX + "int " + "a" * 97 + ";\n", "core/a.c:2: 102 columns"),
]
ALLOWED = [
    ("a function at the limit", SPDX + function(80)),
    ("two short functions", SPDX + function(60) + function(60)),
    ("a long table", SPDX + "static const int table[] = {\n" + "    1,\n" * 200 + "};\n"),
    ("a file at the limit", SPDX + "int a;\n" * 599),
    ("default on numbers", SPDX + switch("case 1:", "default:")),
    ("our enum without default", SPDX + switch("case MT_PTP_SYNC:", "case MT_PTP_ANNOUNCE:")),
    ("a note with its issue", SPDX + "/* TODO(#12): the VLAN tag */\n"),
]


@pytest.mark.parametrize("what, text, said", REFUSED, ids=[row[0] for row in REFUSED])
def test_check_limits_complains_when_a_limit_is_passed(tmp_path, what, text, said):
    found = problems(tmp_path, text)
    assert len(found) == 1 and said in found[0], found


@pytest.mark.parametrize("what, text", ALLOWED, ids=[row[0] for row in ALLOWED])
def test_check_limits_is_silent_when_limits_are_kept(tmp_path, what, text):
    assert problems(tmp_path, text) == []


def test_check_limits_complains_when_a_script_has_no_licence(tmp_path):
    assert len(problems(tmp_path, "#!/bin/sh\ntrue\n", "tools/a.sh")) == 1
