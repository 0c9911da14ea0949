# SPDX-License-Identifier: Apache-2.0 OR MIT
"""check_man.py passes on what the formatter complains of."""
import check_man

GOOD = """.\\" SPDX-License-Identifier: Apache-2.0 OR MIT
.TH MEANTIME 1 2024-01-01 meantime "User Commands"
.SH NAME
meantime \\- ask the clock
.SH SYNOPSIS
.B meantime
.RI [ option ]
"""


def complaints(tmp_path, text):
    page = tmp_path / "meantime.1"
    page.write_text(text)
    return check_man.complaints(str(page))


def test_check_man_is_silent_when_the_page_is_right(tmp_path):
    assert complaints(tmp_path, GOOD) == []


def test_check_man_complains_when_a_macro_does_not_exist(tmp_path):
    assert any("NOSUCH" in line for line in complaints(tmp_path, GOOD + ".NOSUCH\n"))


def test_check_man_complains_when_a_line_cannot_be_broken(tmp_path):
    assert complaints(tmp_path, GOOD + ".SH X\n" + "a" * 200 + "\n") != []
