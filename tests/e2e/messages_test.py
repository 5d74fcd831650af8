# SPDX-License-Identifier: MIT
"""e2e/messages_test: what `postrider send` is given is what a server receives.

Each real message of tests/data/eml, and some that were made to be hard, goes to servers that others
wrote and to our own, several files over one connection, and is compared octet for octet with its
source, after the one change that SMTP itself asks for: CRLF line ends.
"""

import pathlib
import random
import tempfile
import unittest

import support

FROM = "a@example.org"
TO = "b@example.net"


def send(server, files, *options):
    return support.run_postrider("send", "--server", server.address, "--from", FROM, "--to", TO, *options, *files)


def made_messages():
    """Messages that look for the borders of buffers, and for what ends a message early."""
    header = b"From: a@example.org\r\nTo: b@example.net\r\nSubject: made\r\n\r\n"
    made = {
        "no-final-line-end": header + b"the end",
        "final-cr": header + b"the end\r",
        "only-header": header[:-2],
        "lone-dots": header + b".\r\n..\r\n.\n.\r.\r\n" * 50,
        "dot-last": header + b"text\r\n.",
        "mixed-line-ends": header + b"one\ntwo\rthree\r\nfour\n\rfive\r\r\nsix\n\n\r\r",
        "eight-bit": header + bytes(octet for octet in range(1, 256)) * 40 + b"\r\n",
    }
    ends = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n"}
    command = b"MAIL FROM:<x@example.org>\r\nRCPT TO:<y@example.net>\r\nDATA\r\nsmuggled\r\n.\r\n"
    for before in ("cr", "lf", "crlf"):
        for after in ("cr", "lf", "crlf"):
            made[f"smuggling-{before}-dot-{after}"] = header + b"text" + ends[before] + b"." + ends[after] + command
    # A dot at the start of the line that begins at, before and behind each border.
    for border in (1024, 4096, 16384, 32768, 65536, 262144):
        for line_end in (b"\n", b"\r\n"):
            for at in (border - 1, border, border + 1):
                lines = (b"x" * 70 + line_end) * (at // 70)
                text = lines[: at - len(line_end)] + line_end
                made[f"border-{at}-{len(line_end)}"] = text + b".dot" + line_end + b"text" + line_end
    for name, line_end in (("large-lf", b"\n"), ("large-crlf", b"\r\n")):
        made[name] = header + (b"Q" * 76 + line_end + b"." + line_end) * 40_000
    chance = random.Random(20260805)
    for number in range(40):
        pieces = [b"\r\n", b"\n", b".", b"\r\n.", b"text", b" ", b"\xc3\xa4", b"word " * 20]
        made[f"random-{number}"] = header + b"".join(chance.choices(pieces, k=chance.randrange(2000)))
    return made


class Messages(unittest.TestCase):
    """Every message, to one server after the other."""

    maxDiff = None

    def send_and_compare(self, server, files, *options):
        sent = send(server, files, *options)
        self.assertEqual(sent.returncode, 0, f"{sent.stdout.decode()}\n{sent.stderr.decode()}\n{server.log()}")
        received = server.received(len(files))
        support.assert_same_messages(self, {str(file): file.read_bytes() for file in files}, received)
        self.assertEqual({message.sender for message in received}, {FROM})
        self.assertEqual({message.recipients for message in received}, {(TO,)})
        return received

    def send_made(self, server):
        with tempfile.TemporaryDirectory() as directory:
            files = []
            for name, octets in made_messages().items():
                files.append(pathlib.Path(directory) / f"{name}.eml")
                files[-1].write_bytes(octets)
            return self.send_and_compare(server, files)

    def test_there_are_messages(self):
        self.assertGreater(len(support.message_files()), 150)

    def test_real_messages_to_smtp_sink(self):
        with support.SmtpSink() as server:
            self.send_and_compare(server, support.message_files())

    def test_real_messages_to_smtp_sink_without_pipelining(self):
        with support.SmtpSink("-p") as server:
            self.send_and_compare(server, support.message_files())

    def test_real_messages_to_aiosmtpd_over_one_connection(self):
        with support.Aiosmtpd() as server:
            received = self.send_and_compare(server, support.message_files())
            self.assertEqual(len({message.connection for message in received}), 1)

    def test_real_messages_to_the_sandbox(self):
        with support.Sandbox() as server:
            self.send_and_compare(server, support.message_files())

    def test_real_messages_to_the_sandbox_without_pipelining(self):
        with support.Sandbox() as server:
            self.send_and_compare(server, support.message_files(), "--no-pipelining")

    def test_made_messages_to_smtp_sink(self):
        with support.SmtpSink() as server:
            self.send_made(server)

    def test_made_messages_to_aiosmtpd(self):
        with support.Aiosmtpd() as server:
            self.send_made(server)

    def test_made_messages_to_the_sandbox(self):
        with support.Sandbox() as server:
            self.send_made(server)


if __name__ == "__main__":
    support.main()
