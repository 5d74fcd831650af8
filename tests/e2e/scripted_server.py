# SPDX-License-Identifier: MIT
"""e2e/scripted_server: a server that says what its script says, right or wrong.

A script is a function that is given one `Peer` a connection and talks with it; the connection is closed when
it returns. What a script asserts fails the test that runs it.
"""

import pathlib
import shutil
import socket
import tempfile
import threading

HEAR_SECONDS = 30


class Peer:
    """The client, as the script sees it."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(HEAR_SECONDS)
        self.buffer = b""

    def say(self, *lines):
        self.say_octets("".join(f"{line}\r\n" for line in lines).encode())

    def say_octets(self, octets):
        self.connection.sendall(octets)

    def hear(self):
        """The next line without its end; "" at the end of the connection."""
        while b"\r\n" not in self.buffer:
            if not self.hear_more():
                return ""
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("utf-8", "surrogateescape")

    def hear_more(self):
        octets = self.connection.recv(1 << 20)
        self.buffer += octets
        return bool(octets)

    def hear_message(self):
        """Everything up to the lone dot, and the dot."""
        while not (self.buffer == b".\r\n" or b"\r\n.\r\n" in self.buffer[-5:]):
            if not self.hear_more():
                break
        message, self.buffer = self.buffer, b""
        return message

    def discard_message(self):
        """The same for a message that is large: only its end is kept, and its size returned."""
        size, end = 0, b""
        while not end.endswith(b"\r\n.\r\n"):
            octets = self.connection.recv(1 << 20)
            if not octets:
                break
            size, end = size + len(octets), (end + octets)[-5:]
        self.buffer = b""
        return size

    def wait_closed(self):
        """Says nothing until the client goes."""
        while self.hear_more():
            self.buffer = b""

    # ---- pieces of a usual conversation

    def greet(self, *offers):
        self.say("220 scripted.example ESMTP")
        self.hello = self.hear()
        offered = ["scripted.example", *offers]
        self.say(*[f"250-{word}" for word in offered[:-1]], f"250 {offered[-1]}")

    def take_envelope(self):
        """MAIL and one RCPT, answered with yes; they are kept as `mail` and `rcpt`."""
        self.mail = self.hear()
        self.say("250 2.1.0 yes")
        self.rcpt = self.hear()
        self.say("250 2.1.5 yes")

    def take_message(self, answer="250 2.0.0 taken"):
        self.take_envelope()
        assert self.hear() == "DATA"
        self.say("354 go on")
        message = self.hear_message()
        self.say(answer)
        return message

    def part(self):
        if self.hear() == "QUIT":
            self.say("221 bye")


class Scripted:
    """Listens on loopback, or at a Unix socket's path; plays the script to each connection in turn."""

    def __init__(self, script, family=socket.AF_INET):
        self.script = script
        self.family = family
        self.failure = None
        self.connections = 0

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="postrider-e2e-")
        self.listener = socket.socket(self.family)
        if self.family == socket.AF_UNIX:
            path = str(pathlib.Path(self.directory) / "smtp")
            self.listener.bind(path)
            self.address = f"unix:{path}"
        else:
            host = "127.0.0.1" if self.family == socket.AF_INET else "::1"
            self.listener.bind((host, 0))
            port = self.listener.getsockname()[1]
            self.address = f"{host}:{port}" if self.family == socket.AF_INET else f"[{host}]:{port}"
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                try:
                    self.script(Peer(connection))
                except (ConnectionError, TimeoutError):
                    pass  # the client may go whenever it likes; what it then says is what is tested
                except Exception as wrong:  # pylint: disable=broad-except
                    self.failure = wrong

    def __exit__(self, kind, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(HEAR_SECONDS)
        shutil.rmtree(self.directory, ignore_errors=True)
        if self.failure is not None and kind is None:
            raise self.failure
