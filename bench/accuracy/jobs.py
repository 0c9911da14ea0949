# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Runs bench-accuracy many times, on all cores, and says how far it has come."""
import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time

PROGRAM = ("bench", "accuracy", "bench-accuracy")


class Failure(Exception):
    pass


def run_one(program, kind, keys):
    """One measurement with one seed; what it printed."""
    words = [f"{name}={value}" for name, value in keys.items() if value is not None]
    try:
        done = subprocess.run([program, kind, *words], capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"{program}: {error.strerror}; ./dev bench accuracy makes it") from error
    if done.returncode != 0:
        raise Failure(f"{kind} {' '.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


class Progress:
    """One line on a terminal, now and then one elsewhere."""

    def __init__(self, total_cost):
        self.total_cost = total_cost
        self.done = 0
        self.begun = self.told = time.monotonic()
        self.lock = threading.Lock()

    def step(self, cost):
        with self.lock:
            self.done += cost
            now = time.monotonic()
            share = self.done / self.total_cost
            text = (f"accuracy: {100 * share:3.0f} % after {now - self.begun:.0f} s, "
                    f"{(now - self.begun) * (1 / max(share, 1e-3) - 1):.0f} s left")
            if sys.stderr.isatty():
                print(f"\r{text}   ", end="\n" if share > 0.9999 else "", file=sys.stderr)
            elif now - self.told > 20:
                self.told = now
                print(text, file=sys.stderr, flush=True)


def run_all(program, jobs):
    """jobs: (key, kind, keys, cost); all results by key, in lists."""
    results = {}
    progress = Progress(sum(cost for *_, cost in jobs))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # the dearest first, so that the cores are done at about the same time
        futures = {pool.submit(run_one, program, kind, keys): (key, cost)
                   for key, kind, keys, cost in sorted(jobs, key=lambda job: -job[3])}
        try:
            for future in concurrent.futures.as_completed(futures):
                key, cost = futures[future]
                results.setdefault(key, []).append(future.result())
                progress.step(cost)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results
