# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Talks to a daemon's control socket (meantime-control(7))."""

import json
import socket


def request(path, message, timeout_s=1.0):
    """The reply as an object, or None if nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(path)
            connection.sendall(json.dumps(message).encode() + b"\n")
            reply = b""
            while not reply.endswith(b"\n"):
                part = connection.recv(65536)
                if not part:
                    return None
                reply += part
            return json.loads(reply)
    except OSError:
        return None
