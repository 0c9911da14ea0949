# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Waiting for what must come.

What comes is judged, not how soon: the machine may have other work to do, and these limits only
say when a test is given up.
"""
import time

import netlab

PATIENCE_S = 60


def wait_until(condition, timeout_s=PATIENCE_S, step_s=0.05):
    """Polls until condition() is true; False if it never was."""
    return netlab.wait_until(condition, timeout_s, step_s)


def wait_settled(condition, seconds, timeout_s=PATIENCE_S):
    """Polls until condition() has been true for so long without a break; False if it never was."""
    since_s = None

    def has_settled():
        nonlocal since_s
        before_s = time.monotonic()
        if not condition():
            since_s = None
            return False
        since_s = before_s if since_s is None else since_s
        return time.monotonic() - since_s >= seconds
    return netlab.wait_until(has_settled, timeout_s)
