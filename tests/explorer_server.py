"""A running explorer for tests: the command in a process of its own, and questions to it."""

import http.client
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from spintherm import Protocol, Samples
from spintherm.workers import environment

PAPER = {
    "moment": 3**0.5,
    "gyromagnetic_ratio": 1.0,
    "damping": 0.5,
    "temperature": 1.0,
}
TILTED = {"moment": 1.3, "gyromagnetic_ratio": 1.7, "damping": 0.35, "temperature": 0.8}
POINT = {"magnet": TILTED, "field": 2.4, "spin_torque": 0.9, "angle": 55.0}
DRIVEN = {"moment": 1.5, "gyromagnetic_ratio": 1.2, "damping": 0.6, "temperature": 1.2}
DRIVE = {
    "magnet": DRIVEN,
    "duration": 1.1,
    "field": [[0.0, 0.0, 0.2, 1.1], [1.1, 0.3, -0.1, -1.0]],
    "spin_torque": [[0.0, 0.0, 0.0, 0.0], [0.5, 0.2, 1.1, 0.8], [1.1, 0.0, 0.0, 0.0]],
}


def protocol_of(drive):
    """Return the protocol of a drive without jumps, with the public API alone."""
    knots = (np.array(drive[name]) for name in ("field", "spin_torque"))
    return Protocol(drive["duration"], *(Samples(rows[:, 0], rows[:, 1:]) for rows in knots))


@dataclass(frozen=True)
class Server:
    """Where the explorer listens."""

    port: int
    process: subprocess.Popen

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def connection(self, timeout=120.0):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        """Status, headers and body of an answer."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def post(self, kind, question, page="test"):
        """Status and content of an answer to a question."""
        body = json.dumps({"page": page, "question": question})
        headers = {"content-type": "application/json"}
        status, _, text = self.request("POST", f"/api/{kind}", body, headers)
        return status, json.loads(text)

    def lines(self, kind, question, page="test"):
        """All lines of an answer that takes long."""
        body = json.dumps({"page": page, "question": question})
        headers = {"content-type": "application/json"}
        status, _, text = self.request("POST", f"/api/{kind}", body, headers)
        assert status == 200, text
        return [json.loads(line) for line in text.splitlines()]


@contextmanager
def running(*flags, stderr=None):
    """Run `spintherm explore --no-browser` and yield where it listens."""
    command = [sys.executable, "-c", "from spintherm.cli import main; raise SystemExit(main())"]
    process = subprocess.Popen(
        [*command, "explore", "--no-browser", *flags],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    try:
        address = process.stdout.readline().split()[0]
        yield Server(int(address.rstrip("/").rsplit(":", 1)[1]), process)
    finally:
        process.terminate()
        process.wait(timeout=20)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


STEADY_STATE_MILLISECONDS = 6.0
"""Of one steady state, in a process of its own on a machine with nothing else to do."""
MOST_SLOWNESS = 3.0
_YARDSTICK = """
import sys, time
from spintherm import Magnet, steady_state
magnet = Magnet(**TILTED)
for _ in sys.stdin:
    times = []
    for k in range(7):
        began = time.perf_counter()
        steady_state(magnet, (0, 0, 2.4 + 0.01 * k), (0.7, 0, 0.5)).uncertainty_ratio
        times.append(time.perf_counter() - began)
    print(sorted(times)[3], flush=True)
"""


class Yardstick:
    """How many times slower than with nothing else to do this machine is now, from 1 to `most`.

    It does the work that an answer to a slider consists of, in a process of its own with one
    thread of linear algebra, as the explorer's are; nothing of the explorer takes part in it.
    """

    def __init__(self):
        code = _YARDSTICK.replace("TILTED", repr(TILTED))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, "-c", code]
        self.process = subprocess.Popen(command, env=environment(), **pipes)
        self.slowness()

    def slowness(self, most=MOST_SLOWNESS):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        milliseconds = 1e3 * float(self.process.stdout.readline())
        return min(max(1.0, milliseconds / STEADY_STATE_MILLISECONDS), most)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()
