# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What others do to the machine's clock is no matter to an overlay."""
import os
import time

import pytest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "set_time.c")


@pytest.mark.lab(seconds=6)
def test_tai_minus_utc_stays_when_the_machine_is_set_to_2010(lab):
    shim = lab.compile(SOURCE, "-shared", "-fPIC")
    lab.chain("A", "B")
    a = lab.meantimed("A", "eth0", environment={
        "LD_PRELOAD": shim,
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"})
    a.wait_state("TRANSMITTER")
    assert a.page().tai_minus_utc_s == 37
    time.sleep(4.5)
    a.wait_log("refuses to say how its clock is slewed", 60)
    assert a.page().tai_minus_utc_s == 37
