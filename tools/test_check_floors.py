# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Each rule of check_floors.py catches its violation, and lets pass what is right."""
import pytest

import check_floors

HEADERS = ["core/include/meantime/time.h", "core/include/meantime/real.h",
           "core/include/meantime/servo.h", "core/include/meantime/ptp.h",
           "core/include/meantime/ptp_wire.h", "core/include/meantime/steer.h",
           "core/base/cursor.h", "core/ptp/port_private.h", "hal/clock.h", "runtime/loop.h",
           "config/config.h", "status/status.h", "lib/meantime.h", "compose/node.h",
           "platform/linux/socket.h", "platform/sim/network.h", "apps/meantimed/options.h",
           "apps/meantime/command.h", "tests/unit/helper.h"]


def problems(tmp_path, path, *lines):
    for header in HEADERS:
        (tmp_path / header).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / header).write_text("")
    (tmp_path / "core/include/meantime/servo.h").write_text('#include "meantime/real.h"\n')
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("".join(f"#include {line}\n" for line in lines))
    return check_floors.check(str(tmp_path))


REFUSED = [
    ("a higher floor", "core/wire/a.c", '"meantime/ptp.h"'),
    ("a higher floor, in angle brackets", "core/wire/a.c", "<meantime/ptp.h>"),
    ("the core and the hal", "core/wire/a.c", '"hal/clock.h"'),
    ("the core reaches up", "core/steer/a.c", '"runtime/loop.h"'),
    ("strangers on floor 1", "core/wire/a.c", '"meantime/servo.h"'),
    ("strangers on floor 4", "config/a.c", '"runtime/loop.h"'),
    ("the tables and the loop", "hal/a.c", '"runtime/loop.h"'),
    ("strangers on floor 5", "platform/sim/a.c", '"../linux/socket.h"'),
    ("compose and a platform", "compose/a.c", '"platform/linux/socket.h"'),
    ("a platform and compose", "platform/linux/a.c", '"compose/node.h"'),
    ("two programs", "apps/meantime/a.c", '"apps/meantimed/options.h"'),
    ("lib and a protocol", "lib/a.c", '"meantime/ptp_wire.h"'),
    ("hal and the library", "hal/a.c", '"lib/meantime.h"'),
    ("another room's private header", "core/steer/a.c", '"ptp/port_private.h"'),
    ("a private header in a scenario", "tests/scenarios/a.c", '"ptp/port_private.h"'),
    ("mt_real in base", "core/base/time.c", '"meantime/real.h"'),
    ("mt_real in ptp", "core/ptp/a.c", '"meantime/real.h"'),
    ("mt_real in ptp through a header", "core/ptp/a.c", '"meantime/servo.h"'),
    ("a hosted header in the core", "core/base/a.c", "<stdio.h>"),
    ("string.h in the core", "core/base/a.c", "<string.h>"),
    ("a test's header in the product", "hal/a.c", '"tests/unit/helper.h"'),
    ("a folder without a floor", "attic/a.c", "<stdio.h>"),
    ("a public header without a room", "core/include/meantime/other.h", "<stdint.h>"),
]

ALLOWED = [
    ("core/wire/a.c", '"meantime/ptp_wire.h"'),
    ("core/wire/a.c", '"base/cursor.h"'),
    ("core/ptp/a.c", '"port_private.h"'),
    ("core/ptp/a.c", '"meantime/ptp_wire.h"'),
    ("core/base/real_functions.c", '"meantime/real.h"'),
    ("core/servo/a.c", '"meantime/real.h"'),
    ("core/steer/a.c", '"meantime/servo.h"'),
    ("core/base/a.c", "<stdint.h>"),
    ("hal/a.c", "<stdio.h>"),
    ("runtime/a.c", '"hal/clock.h"'),
    ("lib/a.c", '"meantime/time.h"'),
    ("compose/a.c", '"runtime/loop.h"'),
    ("compose/a.c", '"config/config.h"'),
    ("platform/linux/a.c", '"hal/clock.h"'),
    ("apps/meantimed/a.c", '"platform/linux/socket.h"'),
    ("apps/meantimed/a.c", '"compose/node.h"'),
    ("apps/meantime/a.c", '"lib/meantime.h"'),
    ("tests/unit/test_port.c", '"ptp/port_private.h"'),
    ("tests/scenarios/a.c", '"compose/node.h"'),
    ("config/a.c", '"config_generated.h"'),
]


@pytest.mark.parametrize("what, path, line", REFUSED, ids=[row[0] for row in REFUSED])
def test_check_floors_complains_when_a_rule_is_broken(tmp_path, what, path, line):
    found = problems(tmp_path, path, line)
    assert len(found) == 1 and found[0].startswith(path), found


@pytest.mark.parametrize("path, line", ALLOWED)
def test_check_floors_is_silent_when_the_rules_are_kept(tmp_path, path, line):
    assert problems(tmp_path, path, line) == []


def test_check_floors_names_the_line_when_it_complains(tmp_path):
    found = problems(tmp_path, "config/a.c", "<stdio.h>", '"config.h"', '"runtime/loop.h"')
    assert found == ["config/a.c:3: includes runtime/loop.h: config and runtime are strangers on "
                     "floor 4"]
