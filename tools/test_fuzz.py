# SPDX-License-Identifier: Apache-2.0 OR MIT
"""./dev fuzz remembers how long it has searched, and keeps what breaks a target."""
import json
import os

import pytest

import fuzz

# Stands in for a libFuzzer target: the search finds an input that breaks it if told to.
TARGET = """#!/bin/sh
case "$*" in *-merge=1* | *-minimize_crash=1*) exit 0 ;; esac
for word; do case $word in -artifact_prefix=*) broken=${word#*=} ;; esac; done
echo '#2 INITED cov: 3 ft: 4'
if [ -n "$BREAKS" ]; then printf x >"${broken}crash-1"; exit 77; fi
"""


@pytest.fixture(name="target")
def fixture_target(tmp_path, monkeypatch):
    path = tmp_path / "fuzz_some"
    path.write_text(TARGET)
    path.chmod(0o755)
    monkeypatch.setattr(fuzz, "CORPUS", str(tmp_path / "corpus"))
    monkeypatch.setattr(fuzz, "SECONDS", str(tmp_path / "seconds.json"))
    monkeypatch.setenv("BREAKS", "")
    return str(path)


def test_fuzz_adds_up_seconds_for_each_target(tmp_path):
    path = str(tmp_path / "seconds.json")
    assert fuzz.add_seconds(path, "wire", 60.04) == 60.0
    assert fuzz.add_seconds(path, "config", 5) == 5
    assert fuzz.add_seconds(path, "wire", 40.5) == 100.5
    with open(path, encoding="utf-8") as file:
        assert json.load(file) == {"config": 5, "wire": 100.5}


def test_fuzz_tells_the_sum_of_all_runs(target, capsys):
    fuzz.add_seconds(fuzz.SECONDS, "some", 3600)
    assert fuzz.fuzz("some", target, 1) == []
    assert "some: searched for 3600 s in all" in capsys.readouterr().out


def test_fuzz_keeps_what_breaks_a_target(target, monkeypatch, capsys):
    monkeypatch.setenv("BREAKS", "1")
    (name,) = fuzz.fuzz("some", target, 1)
    with open(os.path.join(fuzz.CORPUS, "some", name), encoding="ascii") as file:
        assert name.startswith("broken-") and file.read() == "x"
    assert "1 that break it" in capsys.readouterr().out
    with open(fuzz.SECONDS, encoding="utf-8") as file:
        assert list(json.load(file)) == ["some"]
