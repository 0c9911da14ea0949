# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Nothing here is about how soon a neighbour is given up: so all bear with one that a busy machine
keeps from announcing itself for 2 s, not only for 0.75 s."""
import pytest


@pytest.fixture
def lab(lab):
    lab.announce_receipt_timeout = 8
    return lab
