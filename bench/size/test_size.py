# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The size bench misses no limit, and rewrites its table in place."""
import json

import pytest

import run as size


def build(name="oc-e2e", text=17407, data=0, bss=0, instance_bytes=3071, unwanted=()):
    return {"name": name, "text": text, "data": data, "bss": bss, "libgcc": 900,
            "instance_bytes": instance_bytes, "unwanted": list(unwanted)}


def test_size_is_content_when_all_limits_are_kept():
    assert size.missed_limits([build()]) == []


@pytest.mark.parametrize("change, said", [
    ({"text": 17408}, "oc-e2e: text 17408, must be under 17408"),
    ({"instance_bytes": 3072}, "oc-e2e: instance_bytes 3072, must be under 3072"),
    ({"bss": 4}, "oc-e2e: bss 4, must be under 1"),
    ({"unwanted": ["mt_path_trace"]}, "oc-e2e: contains mt_path_trace"),
])
def test_size_complains_when_a_limit_is_missed(change, said):
    missed = size.missed_limits([build(**change)])
    assert len(missed) == 1 and missed[0].startswith(said)


@pytest.mark.parametrize("text, said", [(1020, []), (1021, ["oc-e2e: text 1021 is more than 2 %"])])
def test_size_complains_of_growth_when_it_is_over_two_per_cent(tmp_path, monkeypatch, text, said):
    document = tmp_path / "size.md"
    monkeypatch.setattr(size, "DOCUMENT", str(document))
    document.write_text(f"{size.GENERATED}\n")
    builds = [build(name=name, text=1000, instance_bytes=100) for name in size.ORDER]
    size.write_document(builds)
    next(build for build in builds if build["name"] == "oc-e2e")["text"] = text
    assert [line[:len(said[0])] if said else line for line in size.growth(builds)] == said


def test_size_complains_when_a_build_is_not_in_the_table(tmp_path, monkeypatch):
    document = tmp_path / "size.md"
    monkeypatch.setattr(size, "DOCUMENT", str(document))
    document.write_text(f"{size.GENERATED}\n")
    size.write_document([build(name=name) for name in size.ORDER if name != "oc-e2e"])
    assert size.growth([build()]) == ["oc-e2e: has no row in docs/size.md"]


def test_size_leaves_the_rest_when_it_rewrites_the_table(tmp_path, monkeypatch):
    document = tmp_path / "size.md"
    monkeypatch.setattr(size, "DOCUMENT", str(document))
    document.write_text(f"# Size\n\n{size.GENERATED}\n\nAfter.\n")
    size.write_document([build(text=1111)])
    first = document.read_text()
    size.write_document([build(text=2222)])
    second = document.read_text()
    assert "1111" in first and first.endswith("|\n\nAfter.\n") and first.startswith("# Size\n\n")
    assert second == first.replace("1111", "2222")


def test_size_writes_what_machines_read_when_asked_for_json(tmp_path):
    size.write_json(str(tmp_path / "out.json"), [build()])
    assert json.loads((tmp_path / "out.json").read_text()) == {"builds": [
        {"name": "oc-e2e", "text": 17407, "data": 0, "bss": 0, "instance_bytes": 3071}]}


def test_size_adds_up_parts_when_a_file_has_several_sections():
    assert size.parts_of("""
 .text.mt_gone  0x00000000       0x10 a/libmeantime-core.a(base_time.c.o)
Linker script and memory map
 .text.mt_a     0x00101000       0x10 a/libmeantime-core.a(base_time.c.o)
 .text.mt_long_name
                0x00101010        0x8 a/libmeantime-core.a(base_time.c.o)
 .rodata        0x00101020        0x4 a/libmeantime-core.a(ptp_port.c.o)
 .text          0x00101020       0x20 /usr/lib/libgcc.a(_arm_muldivdf3.o)
 .text          0x00101020        0x0 /usr/lib/libgcc.a(_divdi3.o)
""") == [(32, "libgcc"), (24, "base_time.c"), (4, "ptp_port.c")]
