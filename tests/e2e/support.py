# SPDX-License-Identifier: MIT
"""e2e/support: what the tests with real programs share.

Servers are context managers: they listen on loopback, on ports that were free, with their files in
a directory that goes when they go, and they are stopped by process id, with patience that ends. A
server's received(count) waits a bounded time for that many messages and gives what has arrived:
fewer is for the test to judge.

The command under test is named by the environment variable POSTRIDER. Needs Debian's python3 and
python3-aiosmtpd, and Postfix's smtp-sink; what is missing fails the tests that need it.
"""

import collections
import dataclasses
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parent.parent
START_SECONDS = 20
STOP_SECONDS = 10
ARRIVE_SECONDS = 20


# ---- the command --------------------------------------------------------------------------------


def postrider_path():
    path = os.environ.get("POSTRIDER", "")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"the environment variable POSTRIDER must name the command to test, not {path!r}")
    return path


def run_postrider(*arguments, timeout=120, stdin=b""):
    """Runs the command to its end; a run over `timeout` seconds is killed and fails the test."""
    return subprocess.run(
        [postrider_path(), *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout, check=False
    )


# ---- messages -----------------------------------------------------------------------------------


def message_files():
    """The real messages of tests/data/eml."""
    return sorted((TESTS / "data" / "eml").rglob("*.eml"))


def normalised(octets):
    """As SMTP carries a message: CRLF for each line end, a lone CR or LF too, and one at the end."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    return lines if not lines or lines.endswith(b"\r\n") else lines + b"\r\n"


@dataclasses.dataclass
class Received:
    """A message as a server received it; `content` with the line ends that it came with."""

    content: bytes
    sender: str = ""
    recipients: tuple = ()
    parameters: tuple = ()
    hello: str = ""  # the client's name in EHLO; empty: the server does not tell
    connection: int = 0  # the same number for messages of one connection; 0: the server does not tell


def describe_difference(expected, others):
    """Where the message that is most like `expected` begins to differ from it."""
    if not others:
        return "no other message arrived"
    nearest = max(others, key=lambda other: len(os.path.commonprefix([expected, other])))
    at = len(os.path.commonprefix([expected, nearest]))
    around = slice(max(0, at - 30), at + 30)
    return f"at octet {at}: {expected[around]!r} became {nearest[around]!r}"


def assert_same_messages(test, sources, received):
    """Each source arrived once, whole, unchanged but for its line ends, and nothing else did.

    `sources` is octets by name. Servers do not all keep the order of arrival, so none is asked for.
    """
    arrived = collections.Counter(message.content for message in received)
    wrong = []
    for name, octets in sources.items():
        expected = normalised(octets)
        if arrived[expected] > 0:
            arrived[expected] -= 1
        else:
            wrong.append((name, expected))
    left = list(arrived.elements())
    if wrong:
        differences = [f"{name}: {describe_difference(expected, left)}" for name, expected in wrong[:10]]
        test.fail("\n".join([f"{len(wrong)} messages arrived changed or not at all:", *differences]))
    if left:
        test.fail(f"{len(left)} messages arrived that nobody sent: {[one[:80] for one in left[:3]]}")


# ---- servers ------------------------------------------------------------------------------------


def free_port(address="127.0.0.1"):
    """A port that was free a moment ago. Prefer servers that choose their own and tell it."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def poll_for(seconds, poll):
    """Polls until `poll` gives something true, or the time is over; returns what it gave last."""
    end = time.monotonic() + seconds
    while True:
        found = poll()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.02)


class Server:
    """One server process. A subclass says in start() how it is run, and sets `address` there."""

    address = ""  # host:port

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postrider-e2e-"))
        self.process = None
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        raise NotImplementedError

    def launch(self, *command):
        """Starts the process; all that it says goes to one file, shown when it fails to start."""
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def wait_started(self, poll):
        """Polls until `poll` gives something true; a process that ended before has failed."""

        def started():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args[0]} ended with {self.process.returncode}:\n{self.log()}")
            return poll()

        found = poll_for(START_SECONDS, started)
        if not found:
            raise TimeoutError(f"{self.process.args[0]} has not started in {START_SECONDS} seconds:\n{self.log()}")
        return found

    def stop(self):
        """Asks the process to end and returns its status; after STOP_SECONDS it is killed, and its
        status says so."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(STOP_SECONDS)


def accepts_connections(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


class SmtpSink(Server):
    """Postfix's smtp-sink, with each message in a file of its own.

    It writes LF for CRLF, so that its files cannot tell whether a lone LF was sent; Aiosmtpd can.
    """

    # What it puts in front of a message: fields of its own, the last of them Received with a date.
    added = re.compile(rb"\A((?:X-[A-Za-z-]+: [^\n]*\n)+)Received: [^\n]*\n(?:\t[^\n]*\n)+?\t\w{3}, [^\n]*\n")

    def __init__(self, *options):
        self.options = options

    @staticmethod
    def path():
        path = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if path is None:
            raise AssertionError("smtp-sink is missing: Debian's package is postfix")
        return path

    def start(self):
        self.dumps = self.directory / "dumps"
        self.dumps.mkdir()
        as_user = []
        if os.geteuid() == 0:  # smtp-sink refuses to run as root
            as_user = ["-u", "nobody"]
            os.chmod(self.directory, 0o711)
            os.chown(self.dumps, pwd.getpwnam("nobody").pw_uid, -1)
        self.address = self.choose_address()
        self.launch(self.path(), *as_user, "-d", f"{self.dumps}/", *self.options, self.address, "64")
        self.wait_started(lambda: accepts_connections(self.address))

    def choose_address(self):
        return f"127.0.0.1:{free_port()}"

    def received(self, count):
        """Waits for `count` files whose end has been written: smtp-sink adds an empty line there."""

        def whole():
            dumps = [path.read_bytes() for path in sorted(self.dumps.iterdir())]
            return len(dumps) >= count and all(dump.endswith(b"\n\n") for dump in dumps)

        poll_for(ARRIVE_SECONDS, whole)
        # Stopped, it can write no more: a message too many or the rest of one would show now.
        self.stop()
        return [self.parse(path.read_bytes()) for path in sorted(self.dumps.iterdir())]

    @classmethod
    def parse(cls, dump):
        added = cls.added.match(dump)
        if added is None:
            raise ValueError(f"not a dump of smtp-sink: {dump[:200]!r}")
        fields = [line.split(": ", 1) for line in added[1].decode().splitlines()]
        arguments = [value for name, value in fields if name == "X-Mail-Args"][0].split()
        content = dump[added.end() : -1]  # without the empty line
        return Received(
            content=content.replace(b"\n", b"\r\n"),
            sender=arguments[0].strip("<>"),
            recipients=tuple(value.split()[0].strip("<>") for name, value in fields if name == "X-Rcpt-Args"),
            parameters=tuple(arguments[1:]),
            hello=next(value for name, value in fields if name == "X-Helo-Args"),
        )


class Aiosmtpd(Server):
    """aiosmtpd_server.py: the octets of the wire."""

    def start(self):
        try:
            import aiosmtpd  # noqa: F401
        except ImportError:
            raise AssertionError("aiosmtpd is missing: Debian's package is python3-aiosmtpd") from None
        self.launch(sys.executable, pathlib.Path(__file__).with_name("aiosmtpd_server.py"), self.directory)
        ready = self.wait_started(lambda: re.match(r"ready (\d+)\n", self.log()))
        self.address = f"127.0.0.1:{ready[1]}"

    def received(self, count):
        poll_for(ARRIVE_SECONDS, lambda: len(list(self.directory.glob("*.eml"))) >= count)
        self.stop()
        return [self.read(path) for path in sorted(self.directory.glob("*.eml"))]

    @staticmethod
    def read(path):
        about = json.loads(path.with_suffix(".json").read_text())
        return Received(
            content=path.read_bytes(),
            sender=about["sender"],
            recipients=tuple(about["recipients"]),
            parameters=tuple(about["parameters"]),
            connection=about["connection"],
        )


class Sandbox(Server):
    """`postrider sandbox`, with the world that it has when it is given none."""

    def start(self):
        ready_file = self.directory / "ready.json"
        self.launch(
            postrider_path(), "sandbox", "--dns-port", 0, "--smtp-port", 0, "--http-port", 0, "--ready-file", ready_file
        )
        self.wait_started(ready_file.exists)  # it gets its name when it is whole
        self.ports = json.loads(ready_file.read_text())
        exchanger = next(e for e in self.ports["exchangers"] if e["listens"])
        self.address = f"{exchanger['address']}:{exchanger['port']}"

    def get(self, target):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['http_port']}{target}", timeout=10) as answer:
            return answer.read()

    def received(self, count):
        def listed():
            return json.loads(self.get("/api/messages?limit=100000"))["messages"]

        poll_for(ARRIVE_SECONDS, lambda: len(listed()) >= count)
        return [
            Received(
                content=self.get(f"/api/messages/{one['id']}/source"),
                sender=one["reverse_path"],
                recipients=tuple(one["forward_paths"]),
            )
            for one in listed()
        ]


# ---- running ------------------------------------------------------------------------------------


def main():
    """Runs the tests of the file that was started, for CTest."""
    outcome = unittest.main(module="__main__", verbosity=2, exit=False).result
    if not outcome.wasSuccessful() or outcome.testsRun == 0:
        sys.exit(1)
