# SPDX-License-Identifier: MIT
"""e2e/sandbox: `postrider sandbox` as its users run it: scripts, and people with a zone file."""

import json
import os
import pathlib
import signal
import smtplib
import socket
import subprocess
import tempfile
import unittest

import support

ZONE = """\
example.org       MX  10 mx1.example.org
example.org       MX  20 mx2.example.org
mx1.example.org   A   127.0.0.12
mx1.example.org   DOWN
mx2.example.org   A   127.0.0.13
"""


class SandboxTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="postrider-e2e-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def file(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def start(self, *arguments):
        """Runs a sandbox until it listens; gives the process and what its ready file says."""
        ready = self.directory / "ready.json"
        process = subprocess.Popen(
            [support.postrider_path(), "sandbox", "--ready-file", str(ready), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        support.poll_for(support.START_SECONDS, lambda: ready.exists() or process.poll() is not None)
        if process.poll() is not None:
            self.fail(f"the sandbox ended with {process.returncode}: {process.stderr.read()}")
        return process, json.loads(ready.read_text())

    def end(self, process, with_signal=signal.SIGTERM):
        """Stops it; gives its status and what it printed on standard output and standard error."""
        process.send_signal(with_signal)
        out, err = process.communicate(timeout=support.STOP_SECONDS)
        return process.returncode, out, err

    def assert_fails(self, status, words, *arguments):
        ended = support.run_postrider("sandbox", *arguments, timeout=20)
        self.assertEqual(ended.returncode, status, ended.stderr)
        self.assertIn(words, ended.stderr.decode())
        self.assertEqual(ended.stdout, b"")

    def test_plays_the_world_of_a_zone_file(self):
        process, ready = self.start("--zone", self.file("zone", ZONE))
        hosts = {host["name"]: host for host in ready["exchangers"]}
        self.assertEqual(hosts["mx1.example.org"]["listens"], False)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.12", ready["smtp_port"]))
        with smtplib.SMTP("127.0.0.13", ready["smtp_port"]) as client:
            client.sendmail("you@example.com", ["bob@example.org"], b"Subject: hi\r\n\r\nhello\r\n")
        self.assertEqual(self.end(process)[0], 0)

    def test_prints_commands_that_deliver_as_they_stand(self):
        process, ready = self.start("--zone", self.file("zone", ZONE))
        self.assertEqual(len(ready["try"]), 2)
        for command in ready["try"]:
            self.assertTrue(command.startswith("postrider "), command)
            sent = subprocess.run(
                ["/bin/sh", "-c", '"$POSTRIDER" ' + command.removeprefix("postrider ")],
                capture_output=True,
                timeout=60,
                text=True,
            )
            self.assertEqual(sent.returncode, 0, f"{command}\n{sent.stdout}{sent.stderr}")
        status, out, err = self.end(process)
        self.assertFalse((self.directory / "ready.json").exists(), "it outlived its sandbox")
        for command in ready["try"]:
            self.assertIn(command, out)
        self.assertIn(ready["page"], out)
        self.assertEqual((status, err), (0, ""))

    def test_ends_cleanly_when_interrupted_with_a_session_open(self):
        for one in (signal.SIGINT, signal.SIGTERM):
            process, ready = self.start()
            port = ready["smtp_port"]
            address = next(host["address"] for host in ready["exchangers"] if host["listens"])
            with socket.create_connection((address, port)) as client:
                client.recv(100)
                status, _, err = self.end(process, one)
            self.assertEqual((status, err), (0, ""))

    def test_prints_one_line_of_json_and_nothing_else(self):
        process, ready = self.start("--json")
        _, out, _ = self.end(process)
        self.assertEqual(out.count("\n"), 1)
        self.assertEqual(json.loads(out), ready)

    def test_shows_conversations_and_questions_when_verbose(self):
        process, ready = self.start("--verbose", "--zone", self.file("zone", ZONE))
        with smtplib.SMTP("127.0.0.13", ready["smtp_port"]) as client:
            client.docmd("NOOP \x1b[31mred")
        _, _, err = self.end(process)
        self.assertIn("mx2.example.org", err)
        self.assertIn("S: 220 mx2.example.org ESMTP", err)
        self.assertIn(r"C: NOOP \x1b[31mred", err)
        self.assertNotIn("\x1b", err)

    def test_takes_the_ports_that_are_given_and_names_those_that_are_taken(self):
        _, ready = self.start("--zone", self.file("zone", ZONE))
        second = self.file("second", ZONE)
        for option, port in (("--smtp-port", "smtp_port"), ("--dns-port", "dns_port"), ("--http-port", "http_port")):
            self.assert_fails(71, f":{ready[port]}", "--zone", second, option, ready[port])

    def test_runs_as_a_daemon(self):
        ready = self.directory / "ready.json"
        options = ["--daemon", "--rundir", self.directory, "--pidfile", self.directory / "pid", "--ready-file", ready]
        log = self.directory / "log"
        started = support.run_postrider("sandbox", *options, "--logfile", log, "--log-level", "info", timeout=20)
        self.assertEqual((started.returncode, started.stdout, started.stderr), (0, b"", b""))
        pid = int((self.directory / "pid").read_text())
        self.addCleanup(lambda: support.poll_for(support.STOP_SECONDS, lambda: not pathlib.Path(f"/proc/{pid}").exists()))
        ports = json.loads(ready.read_text())
        address = next(host["address"] for host in ports["exchangers"] if host["listens"])
        self.assertTrue(support.accepts_connections(f"{address}:{ports['smtp_port']}"))
        os.kill(pid, signal.SIGTERM)
        for file in (self.directory / "pid", ready):
            self.assertTrue(support.poll_for(support.STOP_SECONDS, lambda: not file.exists()), f"{file} outlived it")
        self.assertIn(ports["page"], log.read_text())

    def test_removes_the_ready_file_of_an_earlier_run_before_it_listens(self):
        stale = self.file("ready.json", "stale")
        self.assert_fails(65, "line 1", "--zone", self.file("zone", "nonsense\n"), "--ready-file", stale)
        self.assertFalse(stale.exists())

    def test_says_what_is_wrong(self):
        zone = self.file("zone", ZONE + "\nmx3.example.org DOWN\n")
        self.assert_fails(65, "line 7: mx3.example.org is DOWN but has no address", "--zone", zone)
        self.assert_fails(66, "No such file", "--zone", self.directory / "none")
        self.assert_fails(66, "Is a directory", "--zone", self.directory)
        self.assert_fails(64, "--smtp-port", "--smtp-port", "65536")
        self.assert_fails(64, "--frobnicate", "--frobnicate")
        ended = support.run_postrider("sandbox", "--ready-file", self.directory / "no" / "file", timeout=20)
        self.assertEqual(ended.returncode, 73, ended.stderr)
        with open("/dev/full", "wb") as full:
            ended = subprocess.run(
                [support.postrider_path(), "sandbox"], stdout=full, stderr=subprocess.PIPE, timeout=20
            )
        self.assertEqual(ended.returncode, 74, ended.stderr)


if __name__ == "__main__":
    support.main()
