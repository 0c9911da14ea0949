# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Network laboratories on one machine: namespaces joined by veth pairs, with programs in them.

enter() runs the calling program again inside private mount, PID and network namespaces (and a
user namespace for an ordinary user).  Whatever happens to it, the kernel takes everything away
with it: interfaces, namespaces, processes.  Only addresses inside these namespaces are used.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

ENTERED = "MEANTIME_NETLAB"


def enter():
    """Continues in private namespaces; returns at once when already there."""
    if os.environ.get(ENTERED) == "1":
        return
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    inside = "mount -t tmpfs tmpfs /run && mkdir -p /run/netns && ip link set lo up && exec \"$@\""
    os.environ[ENTERED] = "1"
    try:
        os.execvp("unshare", command + ["sh", "-c", inside, "sh", sys.executable, *sys.argv])
    except OSError as error:
        sys.exit(f"cannot make network namespaces: unshare: {error}")


def run(*command):
    """Runs a command that must succeed."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


class Program:
    """A program running in a namespace; its output goes to a file."""

    def __init__(self, namespace, command, log_path, environment=None):
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *command], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout_s=5.0):
        """Ends the program and returns its exit status."""
        if self.is_running():
            self.send_signal(number)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Lab:
    """Namespaces and links between them; `with Lab("x") as lab:` cleans up at the end."""

    def __init__(self, name):
        self.name = name
        self.namespaces = []
        self.programs = []
        self.links = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.stop(signal.SIGKILL)
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)

    def _namespace(self, node):
        return f"{self.name}-{node}"

    def node(self, node):
        """Adds a node: an empty network namespace."""
        namespace = self._namespace(node)
        run("ip", "netns", "add", namespace)
        self.namespaces.append(namespace)
        run("ip", "-n", namespace, "link", "set", "lo", "up")

    def link(self, node_a, interface_a, node_b, interface_b):
        """Joins two nodes by a veth pair with addresses of its own."""
        self.links += 1
        ends = ((node_a, interface_a, 1), (node_b, interface_b, 2))
        run("ip", "link", "add", interface_a, "netns", self._namespace(node_a), "type", "veth",
            "peer", "name", interface_b, "netns", self._namespace(node_b))
        for node, interface, host in ends:
            namespace = self._namespace(node)
            run("ip", "-n", namespace, "address", "add", f"10.77.{self.links}.{host}/24", "dev",
                interface)
            run("ip", "-n", namespace, "link", "set", interface, "up")

    def ip(self, node, *arguments):
        """The ip command inside a node."""
        return run("ip", "-n", self._namespace(node), *arguments)

    def start(self, node, command, log_path, environment=None):
        """Starts a program in a node."""
        program = Program(self._namespace(node), command, log_path, environment)
        self.programs.append(program)
        return program

    def execute(self, node, *command):
        """Runs a command in a node to its end and returns its output."""
        return run("ip", "netns", "exec", self._namespace(node), *command)

    @contextlib.contextmanager
    def inside(self, node):
        """The calling thread is in the node: sockets made here are the node's."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _enter_network(f"/run/netns/{self._namespace(node)}")
            yield
        finally:
            _set_network(home)
            os.close(home)

    def wait_for_links(self, timeout_s=5.0):
        """A new interface takes up to a second until it is running."""
        for namespace in self.namespaces:
            if not wait_until(lambda name=namespace: _all_running(name), timeout_s, 0.02):
                raise RuntimeError(f"interfaces of {namespace} do not come up")


def _set_network(descriptor):
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _enter_network(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _set_network(descriptor)
    finally:
        os.close(descriptor)


def _all_running(namespace):
    links = run("ip", "-n", namespace, "-o", "link", "show").splitlines()
    return all("state UP" in link or "LOOPBACK" in link for link in links)


def wait_until(condition, timeout_s, step_s=0.05):
    """Polls until condition() is true; False if it never was."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(step_s)
    return bool(condition())
