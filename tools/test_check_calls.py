# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Graphs of calls that check_calls.py judges."""
import pytest

import check_calls

SOURCES = {"/core/ptp/a.c": """
static const struct mt_extension mt_x_extension = {
    .rx = x_rx,
    .settle = settle,
};
static void f(void)
{
    (*extension)->rx(self);
    mystery->rx(self);
}
"""}


def test_calls_find_a_circle_when_there_is_one():
    assert check_calls.find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert check_calls.find_cycle({"a": {"a"}}) == ["a", "a"]
    assert check_calls.find_cycle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_calls_resolve_a_pointer_when_its_table_is_known(monkeypatch):
    monkeypatch.setattr(check_calls, "BUILD", "/build")
    tables = check_calls.tables_of(SOURCES)
    found = check_calls.targets_of(SOURCES, tables, {}, "../core/ptp/a.c:8:5")
    assert found == {("/core/ptp/a.c", "x_rx")}


def test_calls_complain_when_a_pointer_comes_from_nowhere(monkeypatch):
    monkeypatch.setattr(check_calls, "BUILD", "/build")
    with pytest.raises(check_calls.Failure):
        check_calls.targets_of(SOURCES, {}, {}, "../core/ptp/a.c:9:5")


def test_calls_read_frames_when_the_compiler_tells_them(tmp_path):
    path = tmp_path / "a.ci"
    path.write_text('node: { title: "a.c:f.constprop.0" label: "f\\na.c:1:1\\n24 bytes (static)" }\n'
                    'node: { title: "g" label: "g\\na.c:2:1\\n8 bytes (dynamic,bounded)" }\n'
                    'edge: { sourcename: "g" targetname: "a.c:f.constprop.0" label: "a.c:3:1" }\n'
                    'edge: { sourcename: "g" targetname: "__indirect_call" label: "a.c:4:1" }\n')
    frames, calls, pointers = check_calls.read_graphs([str(path)])
    assert frames == {"a.c:f": (24, "static"), "g": (8, "dynamic")}
    assert calls == {"g": {"a.c:f"}} and pointers == [("g", "a.c:4:1")]


def test_calls_add_up_the_deepest_chain(monkeypatch):
    monkeypatch.setattr(check_calls, "functions_of", lambda image: {("a.c", "f"), ("a.c", "g")})
    frames = {"f": (100, "static"), "g": (20, "static"), "absent": (5000, "static")}
    calls = {"f": {"g", "absent"}, "g": {"memcpy"}}
    octets, chain = check_calls.deepest(frames, calls, "image")
    assert octets == 120 + check_calls.OTHERS_STACK and chain == ["f", "g", "memcpy"]
