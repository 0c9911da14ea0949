# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Loops that check_loops.py lets pass, and those that it asks about."""
import pytest

import check_loops


def problems(tmp_path, body, listed=""):
    (tmp_path / "core").mkdir()
    (tmp_path / "tools").mkdir()
    (tmp_path / "core" / "a.c").write_text("void f(int n)\n{\n" + body + "\n}\n")
    (tmp_path / "tools" / "loops.txt").write_text(listed)
    return check_loops.check(str(tmp_path))


@pytest.mark.parametrize("body", [
    "    for (int i = 0; i < n; i++) {\n    }",
    "    while (n-- > 0) {\n    }",
    "    while (mt_tlv_next(&tlvs, &length, &tlv)) {\n    }",
    "    /* while (true) */",
])
def test_loops_pass_when_they_show_what_ends_them(tmp_path, body):
    assert problems(tmp_path, body) == []


@pytest.mark.parametrize("body", [
    "    for (;;) {\n    }",
    "    while (true) {\n    }",
    "    while (link !=\n           index) {\n    }",
    "    do {\n    } while (is_odd(n));",
])
def test_loops_are_asked_about_when_they_do_not(tmp_path, body):
    assert len(problems(tmp_path, body)) == 1


def test_loops_pass_when_the_list_says_what_ends_them(tmp_path):
    assert problems(tmp_path, "    while (link != index) {\n    }",
                    "core/a.c: link != index :: a chain that ends\n") == []


def test_loops_list_is_wrong_when_there_is_no_such_loop_or_no_reason(tmp_path):
    assert problems(tmp_path, "    n++;", "core/a.c: n > 0 :: gone\n") == [
        "tools/loops.txt: no such loop: core/a.c: n > 0"]


def test_loops_list_is_wrong_when_there_is_no_reason(tmp_path):
    found = problems(tmp_path, "    while (a(n)) {\n    }", "core/a.c: a(n) ::\n")
    assert any("without a reason" in line for line in found) or len(found) == 2
