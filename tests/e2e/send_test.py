# SPDX-License-Identifier: MIT
"""e2e/send_test: `postrider send` as somebody types it: what it says, and the status it ends with.

Command lines that are wrong in every way, messages from every place they can come from, and servers
that are silent, lie, break off or say what would hurt a terminal.
"""

import email
import email.policy
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import support
from scripted_server import Scripted

FROM, TO = "ann@example.com", "bob@example.org"
ENVELOPE = ("--from", FROM, "--to", TO)
LETTER = b"From: ann@example.com\r\nSubject: hi\r\n\r\nHello.\r\n"
OK, USAGE, DATA, NO_INPUT, NO_HOST, UNAVAILABLE = 0, 64, 65, 66, 68, 69
CANNOT_CREATE, IO, TEMPORARY, PROTOCOL = 73, 74, 75, 76
MIB = 1 << 20


def send(*arguments, stdin=LETTER, timeout=120):
    return support.run_postrider("send", *arguments, stdin=stdin, timeout=timeout)


def said(run):
    return f"{run.stdout.decode()}{run.stderr.decode()}"


def friendly(peer):
    """A server that takes one message."""
    peer.greet()
    peer.take_message()
    peer.part()


class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def file(self, name="letter.eml", octets=LETTER):
        path = self.directory / name
        path.write_bytes(octets)
        return path

    def assert_ends(self, run, status, *words):
        self.assertEqual(run.returncode, status, said(run))
        for word in words:
            self.assertIn(word, said(run))


class CommandLine(Files):
    """Nobody is asked anything before the whole command line is usable."""

    def wrong(self, status, words, *arguments):
        with self.subTest(arguments=arguments):
            run = send(*arguments)
            self.assertEqual((run.returncode, run.stdout), (status, b""), said(run))
            first = run.stderr.decode().splitlines()[0]
            self.assertTrue(first.startswith("postrider send: "), first)
            self.assertIn(words, first)

    def test_options(self):
        self.wrong(USAGE, "there is no option '--nonsense'", "--nonsense")
        self.wrong(USAGE, r"there is no option '--\x1b[31mred'", "--\x1b[31mred")
        self.wrong(USAGE, "--to needs a value: --to ADDRESS", *ENVELOPE, "--to")
        self.wrong(USAGE, "--from can be given only once", *ENVELOPE, "--from", FROM)
        self.wrong(USAGE, "no recipient", "--from", FROM)
        self.wrong(USAGE, "no sender", "--to", TO)
        self.wrong(USAGE, "--timeout: '0' is not a number of seconds from 1 to 86400", *ENVELOPE, "--timeout", "0")
        self.wrong(USAGE, "--timeout: '-1' is not", *ENVELOPE, "--timeout=-1")
        self.wrong(USAGE, "--timeout: '1.5' is not", *ENVELOPE, "--timeout", "1.5")
        self.wrong(USAGE, "--timeout: '99999999999999999999' is not", *ENVELOPE, "--timeout", "99999999999999999999")
        self.wrong(USAGE, "--mx-port: '65536' is not a port", *ENVELOPE, "--mx-port", "65536")

    def test_names(self):
        self.wrong(USAGE, "--helo 'x y' is no name: a space", *ENVELOPE, "--helo", "x y")
        self.wrong(USAGE, r"--helo 'x\r\nRSET' is no name", *ENVELOPE, "--helo", "x\r\nRSET")
        self.wrong(USAGE, "--helo '' is no name", *ENVELOPE, "--helo", "")
        self.wrong(USAGE, "--server '': ", *ENVELOPE, "--server", "")
        self.wrong(USAGE, "--server 'no such': a space", *ENVELOPE, "--server", "no such")
        self.wrong(USAGE, "'99999' is no port", *ENVELOPE, "--server", "127.0.0.1:99999")
        self.wrong(USAGE, "the path must begin with a slash", *ENVELOPE, "--server", "unix:smtp")
        self.wrong(USAGE, "--resolver 'ns.example.org' is no DNS server", *ENVELOPE, "--resolver", "ns.example.org")
        self.wrong(USAGE, "--resolver '' is no DNS server", *ENVELOPE, "--resolver", "")
        self.wrong(USAGE, "--resolver 'unix:/dns' is no DNS server", *ENVELOPE, "--resolver", "unix:/dns")

    def test_addresses(self):
        for address, why in (
            ("a b@example.org", "a space at octet 1"),
            ("a@b@example.org", "an @ at octet 3"),
            ("<bob@example.org>", "without a name and angle brackets"),
            ("bob", "there is no @"),
            ("", "nothing stands where an address should"),
            ("--json", "there is no @"),
            ("bob@example.org\r\nRCPT TO:<eve@example.org>", "a carriage return"),
            ("bob@example.org\nDATA", "a line feed"),
            ("bob@-oQ/tmp", "is no address"),
            ("x" * 65 + "@example.org", "is no address"),
            ("bob@" + "x" * 64 + ".example", "is no address"),
        ):
            self.wrong(DATA, why, "--from", FROM, "--to", address)
            if address:  # an empty --from is the null reverse-path
                self.wrong(DATA, why, "--from", address, "--to", TO)

    def test_input(self):
        nowhere = ("--server", "127.0.0.1:1")
        self.wrong(NO_INPUT, "cannot read /nonexistent/letter: No such file", *ENVELOPE, *nowhere, "/nonexistent/letter")
        self.wrong(NO_INPUT, f"cannot read {self.directory}: Is a directory", *ENVELOPE, *nowhere, self.directory)
        self.wrong(NO_INPUT, "cannot read /nonexistent/letter", *ENVELOPE, *nowhere, "--dry-run", "/nonexistent/letter")
        self.wrong(USAGE, "standard input ('-') can be only one", *ENVELOPE, *nowhere, "-", "-")
        self.wrong(USAGE, "either message files, or --subject", *ENVELOPE, *nowhere, "--subject", "hi", self.file())
        for line_end in ("\r", "\n", "\r\n"):
            self.wrong(DATA, "--subject holds a line end", *ENVELOPE, *nowhere, "--subject", f"hi{line_end}Bcc: eve@example.org")
        self.wrong(DATA, "--subject is not UTF-8", *ENVELOPE, *nowhere, "--subject", "\udcff")
        self.wrong(DATA, "--body is not UTF-8", *ENVELOPE, *nowhere, "--body", "\udcff")

    def test_a_file_that_may_not_be_read(self):
        if os.geteuid() == 0:
            self.skipTest("root may read every file")
        path = self.file()
        path.chmod(0)
        self.wrong(NO_INPUT, "Permission denied", *ENVELOPE, path)

    def test_help_can_be_typed(self):
        help_text = send("--help").stdout.decode()
        self.assertTrue(help_text.startswith("Usage: postrider send [OPTIONS] [FILE...]\n"), help_text)
        self.assertNotRegex(help_text, r"UINT|\[files|TEXT \.\.\.")
        for run, words in ((("--help",), "COMMAND"), (("sandbox", "--help"), "postrider sandbox [OPTIONS]")):
            self.assertIn(words, support.run_postrider(*run).stdout.decode().splitlines()[0])

    def test_commands(self):
        for arguments, words in (((), "a command is needed: send, sandbox"), (("sned",), "there is no command 'sned'")):
            run = support.run_postrider(*arguments)
            self.assertEqual(run.returncode, USAGE)
            self.assertIn(words, run.stderr.decode())


class Nowhere(Files):
    """Servers that cannot be reached."""

    def test_a_port_that_refuses(self):
        self.assert_ends(send(*ENVELOPE, "--server", "127.0.0.1:1"), TEMPORARY, "deferred", "127.0.0.1:1 refused the connection")

    def test_a_socket_that_is_not_there(self):
        self.assert_ends(send(*ENVELOPE, "--server", "unix:/nonexistent"), TEMPORARY, "deferred", "unix:/nonexistent")

    def test_names(self):
        with support.Sandbox() as world:
            resolver = ("--resolver", f"127.0.0.1:{world.ports['dns_port']}", "--mx-port", world.ports["smtp_port"])
            run = send(*ENVELOPE, *resolver, "--server", "nosuch.example")
            self.assert_ends(run, NO_HOST, "refused", "nosuch.example")
            ends = {
                "down.example": (TEMPORARY, "deferred", "refused the connection"),
                "null.example": (NO_HOST, "refused", "takes no mail"),
                "nosuch.example": (NO_HOST, "refused", "there is no such domain"),
                "broken.example": (TEMPORARY, "deferred", "SERVFAIL"),
            }
            for domain, (status, verdict, why) in ends.items():
                with self.subTest(domain=domain):
                    run = send("--from", FROM, "--to", f"bob@{domain}", *resolver, "--timeout", 5)
                    self.assert_ends(run, status, verdict, why)
            run = send("--from", FROM, "--to", "bob@silent.example", *resolver, "--timeout", 1)
            self.assert_ends(run, TEMPORARY, "deferred", "no answer came in time")

    def test_a_resolver_that_is_not_there(self):
        run = send(*ENVELOPE, "--resolver", "127.0.0.1:1", "--timeout", 1)
        self.assert_ends(run, TEMPORARY, "deferred", "127.0.0.1:1")


class Deliveries(Files):
    def send_to_scripted(self, *arguments, family=socket.AF_INET, stdin=LETTER, offers=()):
        """What a server that says yes received: the peer with its envelope, and the message."""
        got = {}

        def script(peer):
            peer.greet(*offers)
            got["message"] = peer.take_message()
            got["peer"] = peer
            peer.part()

        with Scripted(script, family) as server:
            run = send("--server", server.address, *arguments, stdin=stdin)
        self.assert_ends(run, OK, "delivered")
        return got["peer"], got["message"]

    def test_a_pipe(self):
        _, message = self.send_to_scripted(*ENVELOPE)
        self.assertEqual(message, LETTER + b".\r\n")

    def test_a_file_on_standard_input(self):
        def script(peer):
            peer.greet()
            assert peer.take_message() == LETTER + b".\r\n"
            peer.part()

        with Scripted(script) as server, open(self.file(), "rb") as letter:
            command = [support.postrider_path(), "send", "--server", server.address, *ENVELOPE]
            run = subprocess.run(command, stdin=letter, capture_output=True, timeout=60, check=False)
        self.assert_ends(run, OK, "delivered")

    def test_a_terminal(self):
        keyboard, terminal = pty.openpty()
        got = []

        def script(peer):
            peer.greet()
            got.append(peer.take_message())
            peer.part()

        with Scripted(script) as server, open(terminal, "rb") as stdin:
            command = [support.postrider_path(), "send", "--server", server.address, *ENVELOPE]
            child = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            os.write(keyboard, b"Subject: typed\n\nHello.\n\x04")
            output, errors = child.communicate(timeout=60)
        os.close(keyboard)
        self.assertEqual(child.returncode, OK, output + errors)
        self.assertIn(b"control-D", errors)
        self.assertEqual(got, [b"Subject: typed\r\n\r\nHello.\r\n.\r\n"])

    def test_several_files_over_one_connection(self):
        files = [self.file(f"{number}.eml", b"Subject: %d\r\n\r\n" % number) for number in range(5)]
        with support.Aiosmtpd() as server:
            run = send("--server", server.address, *ENVELOPE, *files)
            received = server.received(5)
        self.assert_ends(run, OK, *map(str, files))
        self.assertEqual(said(run).count("delivered"), 5)
        self.assertEqual(len({message.connection for message in received}), 1)
        self.assertEqual(sorted(m.content for m in received), [f.read_bytes() for f in files])

    def test_files_and_standard_input(self):
        with support.Aiosmtpd() as server:
            run = send("--server", server.address, *ENVELOPE, self.file(), "-", stdin=b"Subject: piped\r\n\r\n")
            received = server.received(2)
        self.assert_ends(run, OK, "(standard input):")
        self.assertEqual({m.content for m in received}, {LETTER, b"Subject: piped\r\n\r\n"})

    def test_a_short_text(self):
        _, octets = self.send_to_scripted(*ENVELOPE, "--subject", "Hello", "--body", ".one\ntwo")
        octets = octets.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        message = email.message_from_bytes(octets, policy=email.policy.default)
        self.assertEqual(message.defects, [])
        self.assertEqual(
            (message["from"], message["to"], message["subject"], message.get_content()), (FROM, TO, "Hello", ".one\r\ntwo\r\n")
        )
        self.assertRegex(message["message-id"], r"^<[^@ ]+@example\.com>$")
        self.assertLess(abs(message["date"].datetime.timestamp() - time.time()), 120)

    def test_a_short_text_that_is_not_ascii(self):
        subject = "Grüße – " + "日本語の長い件名" * 8
        _, octets = self.send_to_scripted(*ENVELOPE, "--subject", subject, "--body", "Schöne Grüße")
        self.assertTrue(octets.isascii())
        self.assertLessEqual(max(map(len, octets.split(b"\r\n"))), 76)
        message = email.message_from_bytes(octets.removesuffix(b".\r\n"), policy=email.policy.default)
        self.assertEqual((message["subject"], message.get_content()), (subject, "Schöne Grüße\r\n"))

    def test_null_reverse_path(self):
        for null in ("", "<>"):
            peer, _ = self.send_to_scripted("--from", null, "--to", TO)
            self.assertEqual(peer.mail, "MAIL FROM:<>")

    def test_smtputf8(self):
        peer, _ = self.send_to_scripted("--from", FROM, "--to", "bücher@bücher.example", offers=["8BITMIME", "SMTPUTF8"])
        self.assertIn("SMTPUTF8", peer.mail.split())
        self.assertTrue(peer.rcpt.startswith("RCPT TO:<bücher@"), peer.rcpt)

    def test_smtputf8_that_is_not_offered(self):
        def script(peer):
            peer.greet("8BITMIME")
            peer.wait_closed()

        with Scripted(script) as server:
            run = send("--server", server.address, "--from", FROM, "--to", "bücher@example.org")
        self.assert_ends(run, UNAVAILABLE, "refused", "SMTPUTF8")

    def test_domains_in_a_labels(self):
        peer, _ = self.send_to_scripted("--from", FROM, "--to", "bob@bücher.example")
        self.assertEqual(peer.rcpt, "RCPT TO:<bob@xn--bcher-kva.example>")

    def test_a_unix_socket(self):
        self.send_to_scripted(*ENVELOPE, family=socket.AF_UNIX)

    def test_ipv6(self):
        self.send_to_scripted(*ENVELOPE, family=socket.AF_INET6)

    def test_helo(self):
        peer, _ = self.send_to_scripted(*ENVELOPE, "--helo", "client.example")
        self.assertEqual(peer.hello, "EHLO client.example")

    def test_a_large_pipe_takes_no_memory(self):
        def script(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            sizes.append(peer.discard_message())
            peer.say("250 taken")
            peer.part()

        def peak(server, mebibytes):
            """The most memory that a run ever held, in KiB."""
            command = [support.postrider_path(), "send", "--server", server.address, *ENVELOPE]
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            for _ in range(mebibytes):
                child.stdin.write(b"x" * 62 + b"\r\n" + (b"x" * 62 + b"\r\n") * (MIB // 64 - 1))
            child.stdin.close()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(child.returncode, OK)
            return used.ru_maxrss

        sizes = []
        with Scripted(script) as server:
            small, large = peak(server, 1), peak(server, 200)
        self.assertEqual(sizes, [MIB + 3, 200 * MIB + 3])
        self.assertLess(large - small, 24 * 1024)


class Output(Files):
    def test_json(self):
        with support.Sandbox() as world:
            given = ("--resolver", f"127.0.0.1:{world.ports['dns_port']}", "--mx-port", world.ports["smtp_port"], "--json")
            run = send(*ENVELOPE, "--to", "eve@nosuch.example", *given)
            told = json.loads(run.stdout)
            self.assertEqual((run.returncode, told["exit_status"]), (NO_HOST, NO_HOST))
            first, second = told["messages"][0]["recipients"]
            self.assertEqual((first["recipient"], first["verdict"], first["reply"]["code"]), (TO, "delivered", 250))
            self.assertEqual(first["host"], "mx2.example.org")
            self.assertEqual((second["recipient"], second["verdict"]), ("eve@nosuch.example", "refused"))
            plan = json.loads(send(*ENVELOPE, *given, "--dry-run").stdout)
            hosts = [host["host"] for host in plan["domains"][0]["hosts"]]
            self.assertEqual(hosts, ["mx1.example.org", "mx2.example.org"])
            self.assertEqual(len(world.received(1)), 1)  # the dry run sent nothing

    def test_dry_run(self):
        with support.Sandbox() as world:
            given = ("--resolver", f"127.0.0.1:{world.ports['dns_port']}", "--mx-port", world.ports["smtp_port"], "--dry-run")
            self.assert_ends(send(*ENVELOPE, *given), OK, "10  mx1.example.org  127.0.0.3", "20  mx2.example.org  127.0.0.2")
            self.assert_ends(send("--from", FROM, "--to", "b@null.example", *given), NO_HOST, "refused")
        run = send(*ENVELOPE, "--server", 'unix:/a"b', "--dry-run", "--json")
        self.assertEqual((run.returncode, json.loads(run.stdout)), (OK, {"server": 'unix:/a"b'}))

    def test_verbose(self):
        with Scripted(friendly) as server:
            run = send("--server", server.address, *ENVELOPE, "--verbose")
        self.assert_ends(run, OK, "delivered")
        lines = run.stderr.decode().splitlines()
        for line in lines:
            self.assertRegex(line, r"^ *\d+\.\d{3} (C:|S:|!:|--) ")
        talk = [line.split(" ", 1)[1] for line in (one.strip() for one in lines)]
        for wanted in ("S: 220 scripted.example ESMTP", f"C: MAIL FROM:<{FROM}>", "S: 354 go on", "C: QUIT"):
            self.assertIn(wanted, talk)

    def test_what_a_server_says_cannot_reach_the_terminal(self):
        evil = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe \x9b2J"

        def script(peer):
            peer.say(f"220 scripted.example {evil}")
            peer.hear()
            peer.say("250 scripted.example")
            peer.hear()
            peer.say("250 yes")
            peer.hear()
            peer.say(f"550 5.1.1 {evil}")
            peer.part()

        for options in ((), ("--verbose",), ("--json",)):
            with self.subTest(options=options), Scripted(script) as server:
                run = send("--server", server.address, *ENVELOPE, *options)
                self.assertEqual(run.returncode, UNAVAILABLE, said(run))
                for hostile in ("\x1b", "\x07", "\u202e", "\x9b"):
                    if options != ("--json",) or hostile < " ":  # JSON escapes controls, and is for programs
                        self.assertNotIn(hostile, said(run))
                self.assertIn("red", said(run))

    def test_output_that_cannot_be_written(self):
        for redirection in (">/dev/full", ">&-"):
            for options in ((), ("--json",), ("--verbose",)):
                with self.subTest(redirection=redirection, options=options), Scripted(friendly) as server:
                    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", support.postrider_path(), "send"]
                    command += ["--server", server.address, *ENVELOPE, *options]
                    run = subprocess.run(command, input=LETTER, stderr=subprocess.PIPE, timeout=60, check=False)
                    self.assertEqual(run.returncode, IO, run.stderr)
        run = subprocess.run(["sh", "-c", 'exec "$0" --help >/dev/full', support.postrider_path()], timeout=60, check=False)
        self.assertEqual(run.returncode, IO)

    def test_a_pipe_that_cannot_be_put_aside(self):
        # Two domains need the message twice, and a pipe can be read once; nobody is connected to.
        command = ["sh", "-c", 'cat | "$@"', "sh", support.postrider_path(), "send", "--from", "a@example.org"]
        command += ["--to", "b@one.example", "--to", "c@two.example"]
        limited = ["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh", *command]
        for name, line, extra, words in (
            ("no place", command, {"TMPDIR": "/proc"}, b"temporary file in /proc"),
            ("no room", limited, {}, b"putting standard input aside"),
        ):
            with self.subTest(name):
                run = subprocess.run(line, input=LETTER + b"x\r\n" * 100_000, env={**os.environ, **extra},
                                     capture_output=True, timeout=60, check=False)
                self.assertEqual(run.returncode, CANNOT_CREATE, run.stderr)
                self.assertIn(words, run.stderr)
                self.assertEqual(run.stdout, b"")

    def test_closed_standard_streams_are_not_the_connection(self):
        def script(peer):
            peer.greet()
            heard.append(peer.take_message())
            peer.part()

        for closed in (">&-", ">&- 2>&-", "<&- >&- 2>&-"):
            heard = []
            with self.subTest(closed=closed), Scripted(script) as server:
                command = ["sh", "-c", f'exec "$@" {closed}', "sh", support.postrider_path(), "send"]
                command += ["--server", server.address, *ENVELOPE, "--verbose", self.file()]
                run = subprocess.run(command, stderr=subprocess.DEVNULL, timeout=60, check=False)
                self.assertEqual(run.returncode, IO)
                self.assertEqual(heard, [LETTER + b".\r\n"])
        run = subprocess.run(
            ["sh", "-c", 'exec "$@" <&-', "sh", support.postrider_path(), "send", "--server", "127.0.0.1:1", *ENVELOPE],
            timeout=60, check=False, stderr=subprocess.DEVNULL,
        )
        self.assertEqual(run.returncode, NO_INPUT)


class Terminal(Files):
    def on_terminal(self, script, *arguments, environment=None):
        """Runs on a terminal of its own: the status, and all that was written to it."""
        screen, terminal = pty.openpty()
        written = bytearray()

        def read():
            try:
                while octets := os.read(screen, 65536):
                    written.extend(octets)
            except OSError:
                pass  # the last one has closed it

        with Scripted(script) as server:
            command = [support.postrider_path(), "send", "--server", server.address, *ENVELOPE, *map(str, arguments)]
            settings = {**os.environ, "TERM": "xterm", "NO_COLOR": "", **(environment or {})}
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=settings)
            os.close(terminal)
            reader = threading.Thread(target=read)
            reader.start()
            status = child.wait(120)
            reader.join(30)
        os.close(screen)
        return status, bytes(written)

    def test_colour(self):
        for environment, wanted in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            with self.subTest(environment=environment):
                status, screen = self.on_terminal(friendly, self.file(), environment=environment)
                self.assertEqual(status, OK)
                self.assertEqual(b"\x1b[32mdelivered\x1b[0m" in screen, wanted, screen)
                self.assertEqual(b"\x1b" in screen, wanted, screen)

    def test_no_colour_without_a_terminal(self):
        with Scripted(friendly) as server:
            self.assertNotIn("\x1b", said(send("--server", server.address, *ENVELOPE, "--verbose")))

    def test_progress(self):
        def slow(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            left, end = time.monotonic() + 1.0, b""
            while not end.endswith(b"\r\n.\r\n"):
                end = (end + peer.connection.recv(65536))[-5:]
                if time.monotonic() < left:
                    time.sleep(0.02)
            peer.say("250 taken")
            peer.part()

        large = self.file("large.eml", (b"x" * 62 + b"\r\n") * (24 * MIB // 64))
        status, screen = self.on_terminal(slow, large)
        self.assertEqual(status, OK, screen)
        self.assertRegex(screen, rb"\r\[=* *\] [\d.]+ MiB of 24\.0 MiB, [\d.]+ [KM]iB/s, [\d:]+ (s|min) left")
        self.assertRegex(screen, rb"\r\x1b\[K" + TO.encode())  # it is gone before the report
        status, screen = self.on_terminal(friendly, self.file())
        self.assertNotIn(b"MiB", screen)


class HardServers(Files):
    """Servers that are silent, refuse, lie or break off, and what is told about the message."""

    def ends(self, script, status, *words, options=(), stdin=LETTER):
        with Scripted(script) as server:
            started = time.monotonic()
            run = send("--server", server.address, *ENVELOPE, *options, stdin=stdin)
            passed = time.monotonic() - started
        self.assert_ends(run, status, *words)
        return passed

    def test_silence_at_every_phase(self):
        def silent_after(steps):
            def script(peer):
                for step in steps:
                    if isinstance(step, str):
                        peer.say(step)
                    else:
                        step(peer)
                peer.wait_closed()

            return script

        def hear(peer):
            peer.hear()

        def hear_message(peer):
            peer.hear_message()

        steps = ["220 scripted.example", hear, "250 scripted.example", hear, "250 yes", hear, "250 yes", hear, "354 go on",
                 hear_message]
        silences = {0: "deferred", 2: "deferred", 4: "deferred", 6: "deferred", 8: "deferred", 10: "in doubt"}
        for count, verdict in silences.items():
            with self.subTest(steps=count):
                passed = self.ends(silent_after(steps[:count]), TEMPORARY, verdict, "after 1 s", options=("--timeout", "1"))
                self.assertLess(passed, 15)
        with self.subTest("QUIT"):
            passed = self.ends(silent_after([*steps, "250 taken"]), OK, "delivered", options=("--timeout", "1"))
            self.assertLess(passed, 15)

    def test_a_server_that_takes_nothing(self):
        def script(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            stop.wait(60)

        stop = threading.Event()
        self.addCleanup(stop.set)
        with Scripted(script) as server:
            run = send("--server", server.address, *ENVELOPE, "--timeout", 1, stdin=b"x\r\n" * 10 * MIB)
            stop.set()
        self.assert_ends(run, TEMPORARY, "deferred", "after 1 s")

    def test_greetings_that_refuse(self):
        self.ends(lambda peer: (peer.say("554 5.7.1 not you"), peer.part()), UNAVAILABLE, "refused", "554 5.7.1 not you")
        self.ends(lambda peer: (peer.say("421 4.3.2 busy"), peer.part()), TEMPORARY, "deferred", "421 4.3.2 busy")

    def test_another_protocol(self):
        self.ends(lambda peer: peer.say("SSH-2.0-OpenSSH_9.2"), PROTOCOL, "SSH-2.0-OpenSSH_9.2")
        self.ends(lambda peer: peer.say_octets(bytes(range(256)) * 64), PROTOCOL)

    def test_a_reply_without_end(self):
        def endless_line(peer):
            while True:
                peer.say_octets(b"220-" + b"x" * 65536)

        def endless_reply(peer):
            while True:
                peer.say_octets(b"220-more\r\n" * 4096)

        self.ends(endless_line, PROTOCOL)
        self.ends(endless_reply, PROTOCOL)

    def test_a_refusal_in_the_middle_of_the_message(self):
        def script(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            peer.hear_more()
            peer.say("552 5.3.4 too large")
            peer.wait_closed()

        self.ends(script, UNAVAILABLE, "refused", "552 5.3.4 too large", stdin=b"x" * 70 + b"\r\n" * 8 * MIB)

    def test_yes_in_the_middle_of_the_message_is_no_yes(self):
        def script(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            peer.hear_more()
            peer.say("250 taken already")
            peer.wait_closed()

        with Scripted(script) as server:
            run = send("--server", server.address, *ENVELOPE, stdin=b"x" * 70 + b"\r\n" * 8 * MIB)
        self.assertNotIn("delivered", said(run))
        self.assertIn(run.returncode, (TEMPORARY, PROTOCOL))

    def after_the_message(self, end):
        def script(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            peer.hear_message()
            end(peer)

        return script

    def test_broken_off_after_the_message(self):
        self.ends(self.after_the_message(lambda peer: None), TEMPORARY, "in doubt")
        unfinished = self.after_the_message(lambda peer: peer.say_octets(b"250 2.0.0 tak"))
        self.ends(unfinished, TEMPORARY, "in doubt")

    def test_answers_to_the_message(self):
        for answer, status, verdict in (
            ("550 5.7.1 spam", UNAVAILABLE, "refused"),
            ("451 4.3.0 later", TEMPORARY, "deferred"),
        ):
            end = self.after_the_message(lambda peer, answer=answer: (peer.say(answer), peer.part()))
            self.ends(end, status, verdict, answer)

    def test_garbage_for_an_answer_to_the_message(self):
        for garbage in (b"OK\r\n", b"250\xff\r\n", b"\r\n", b"999 taken\r\n", b"250_taken\r\n"):
            with self.subTest(garbage=garbage):
                with Scripted(self.after_the_message(lambda peer: peer.say_octets(garbage))) as server:
                    run = send("--server", server.address, *ENVELOPE)
                self.assertIn("in doubt", said(run))
                self.assertEqual(run.returncode, PROTOCOL, said(run))

    def test_broken_off_before_the_end_of_the_message(self):
        def script(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            peer.hear_more()

        self.ends(script, TEMPORARY, "deferred", stdin=b"x" * 70 + b"\r\n" * 8 * MIB)

    def test_one_refused_of_two(self):
        def script(peer):
            peer.greet()
            peer.hear()
            peer.say("250 yes")
            peer.hear()
            peer.say("250 yes")
            peer.hear()
            peer.say("550 5.1.1 no such user")
            peer.hear()
            peer.say("354 go on")
            peer.hear_message()
            peer.say("250 taken")
            peer.part()

        with Scripted(script) as server:
            run = send("--server", server.address, *ENVELOPE, "--to", "eve@example.org")
        self.assert_ends(run, UNAVAILABLE, "no such user")
        self.assertRegex(run.stdout.decode(), re.compile(r"^bob@example\.org +delivered", re.M))
        self.assertRegex(run.stdout.decode(), re.compile(r"^eve@example\.org +refused", re.M))


class Interrupts(Files):
    """Ctrl-C and SIGTERM: an end at once, and still one verdict for each recipient."""

    def interrupted(self, script, reached, number):
        with Scripted(script) as server:
            command = [support.postrider_path(), "send", "--server", server.address, *ENVELOPE, str(self.file())]
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertTrue(reached.wait(30))
            child.send_signal(number)
            output, errors = child.communicate(timeout=20)
        self.assertEqual(child.returncode, TEMPORARY, output + errors)
        return output.decode()

    def test_before_the_message(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            reached = threading.Event()

            def script(peer):
                peer.greet()
                peer.hear()
                reached.set()
                peer.wait_closed()

            with self.subTest(number=number):
                self.assertRegex(self.interrupted(script, reached, number), rf"^{TO} +(untried|deferred)\b")

    def test_after_the_message(self):
        reached = threading.Event()

        def script(peer):
            peer.greet()
            peer.take_envelope()
            peer.hear()
            peer.say("354 go on")
            peer.hear_message()
            reached.set()
            peer.wait_closed()

        self.assertRegex(self.interrupted(script, reached, signal.SIGINT), rf"^{TO} +in doubt\b")

    def test_while_connecting(self):
        reached = threading.Event()

        def script(peer):
            reached.set()
            peer.wait_closed()

        self.assertRegex(self.interrupted(script, reached, signal.SIGINT), rf"^{TO} +(untried|deferred)\b")


if __name__ == "__main__":
    support.main()
