# SPDX-License-Identifier: Apache-2.0 OR MIT
"""format.py leaves to clang-format what is code and mends what it leaves alone."""
import format as layout

SHORT = "/* ---- clocks ------- */\n"


def section(columns):
    return "/* ---- clocks " + "-" * (columns - 18) + " */\n"


def test_format_cuts_a_section_line_when_it_is_too_wide():
    assert layout.cut_sections("int a;\n" + section(107) + "int b;\n") == (
        "int a;\n" + section(100) + "int b;\n")


def test_format_leaves_a_section_line_when_it_fits():
    assert layout.cut_sections(section(100) + SHORT) == section(100) + SHORT


def test_format_finds_a_file_when_it_is_not_laid_out(tmp_path):
    source = tmp_path / "a.c"
    source.write_text("int  a ;\n")
    text, better = layout.laid_out(str(source))
    assert text == "int  a ;\n" and better == "int a;\n"
