# SPDX-License-Identifier: MIT
"""e2e/tutorial_test: the programs of the tutorial do what its pages show, and real servers agree.

POSTRIDER_BUILD names the build directory; the programs are in its folder examples/tutorial.
"""

import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

import private_network
import support
import tutorial_pages

MAIL_DATA = (
    b"Date: Fri, 6 Feb 2004 10:14:39 -0800\r\n"
    b"From: Tutorial Guy <tutorial_sender@example.com>\r\n"
    b"To: Tutorial Gal <tutorial_recipient@example.net>\r\n"
    b"Subject: Tutorate!\r\n"
    b"\r\n"
    b"Hello, how are you, goodbye.\r\n"
)


# Names for the programs that ask DNS: smtp-sink takes the place of an exchanger that does not listen.
ZONE = """\
example.net      MX 10 mx.example.net
example.org      MX 10 mx.example.net
mx.example.net   A  127.0.0.4
mx.example.net   DOWN
down.example     MX 10 mx.down.example
mx.down.example  A  127.0.0.6
mx.down.example  DOWN
null.example     MX 0 .
"""


class TutorialSink(support.SmtpSink):
    """smtp-sink where the programs expect their server."""

    def __init__(self, host):
        super().__init__()
        self.host = host

    def choose_address(self):
        return f"{self.host}:{tutorial_pages.SMTP_PORT}"


class Pages(unittest.TestCase):
    maxDiff = None

    def test_every_page_shows_what_happens(self):
        with tutorial_pages.Workplace(tutorial_pages.built_programs()) as workplace:
            for page in tutorial_pages.pages():
                with self.subTest(page.name):
                    self.assertEqual(page.read_text(), tutorial_pages.made_anew(page, workplace))

    def test_every_program_is_on_a_page(self):
        shown = "".join(page.read_text() for page in tutorial_pages.pages())
        for program in tutorial_pages.PROGRAMS.glob("*.*"):
            self.assertIn(f"<!-- program: {program.name} -->", shown)

    def test_what_the_pages_point_to_is_there(self):
        for page in tutorial_pages.pages():
            prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
            links = re.findall(r"\]\(([^)#:]+)\)", prose)
            self.assertEqual([link for link in links if not (page.parent / link).exists()], [], page)


class UnderSystemd(unittest.TestCase):
    def test_the_unit_starts_a_program_that_tells_when_it_is_ready(self):
        unit = (tutorial_pages.PROGRAMS / "hourly-letter.service").read_text()
        arguments = re.search(r"^ExecStart=\S+/hourly-letter (.*)$", unit, re.M)[1]
        with (
            tutorial_pages.Workplace(tutorial_pages.built_programs()) as workplace,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
            tutorial_pages.World() as world,
        ):
            manager.bind(str(workplace.folder / "notify"))
            manager.settimeout(support.START_SECONDS)
            environment = {**workplace.environment(), "NOTIFY_SOCKET": str(workplace.folder / "notify")}
            command = [workplace.folder / "14", *arguments.split()]
            process = subprocess.Popen(command, env=environment, cwd=workplace.folder, stdout=subprocess.PIPE)
            try:
                self.assertIn(b"READY=1", manager.recv(4096).split(b"\n"))
                self.assertEqual(len(world.received(1)), 1)
                process.terminate()
                self.assertIn(b"STOPPING=1", manager.recv(4096).split(b"\n"))
                said = process.communicate(timeout=support.STOP_SECONDS)[0]
            finally:
                process.kill()
                process.wait()
        self.assertEqual(process.returncode, 0, said)
        self.assertIn(b"[Hourly Letter] tutorial_recipient@example.net: delivered", said)


class AgainstSmtpSink(unittest.TestCase):
    def run_program(self, number, until=None, host="127.0.0.1", count=1):
        with tutorial_pages.Workplace(tutorial_pages.built_programs()) as workplace, TutorialSink(host) as sink:
            output = workplace.folder / "output"
            with open(output, "wb") as file:
                process = workplace.start(f"./{number} -n", file)
            try:
                if until is not None:
                    self.assertTrue(support.poll_for(30, lambda: re.search(until, output.read_text())), output.read_text())
                    process.terminate()
                status = process.wait(30)
            finally:
                process.kill()
                process.wait()
            said = output.read_text()
            received = sink.received(count)
        return status, said, received

    def assert_delivered(self, status, said, received):
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count("[smtp_tutorial_client,client] Sent 1 messages"), 1, said)
        self.assertEqual([one.content for one in received], [MAIL_DATA])
        self.assertEqual(received[0].hello, "example.com")
        self.assertEqual(received[0].sender, "tutorial_sender@example.com")
        self.assertEqual(received[0].recipients, ("tutorial_recipient@example.net",))

    def test_clients_without_a_message(self):
        for number, until in (("02", "has no address"), ("03", "has no protocol"), ("04", "is running"), ("06", "override get_mail_from")):
            with self.subTest(number):
                status, said, received = self.run_program(number, until, count=0)
                self.assertEqual(received, [])
                self.assertIn("has stopped", said)

    def test_clients_with_a_message(self):
        for number in ("07", "08", "09", "10"):
            with self.subTest(number):
                self.assert_delivered(*self.run_program(number, "Sent" if number == "07" else None))

    def run_with_names(self, number, count, until=None):
        with tempfile.TemporaryDirectory() as folder:
            zone = pathlib.Path(folder) / "zone"
            zone.write_text(ZONE)
            with tutorial_pages.World("--zone", zone):
                return self.run_program(number, until, host="127.0.0.4", count=count)

    def test_clients_that_ask_for_the_exchanger(self):
        status, said, received = self.run_with_names("11", 1)
        self.assert_delivered(status, said, received)
        status, said, received = self.run_with_names("12", 1)
        self.assert_delivered(status, said.replace("[SMTP Client Tutorial]", "[smtp_tutorial_client,client]"), received)

    def test_a_daemon_that_sends_every_hour(self):
        status, said, received = self.run_with_names("14", 1, until=": delivered")
        self.assertEqual(status, 0, said)
        self.assertEqual([(one.hello, one.recipients) for one in received], [("example.com", ("tutorial_recipient@example.net",))])

    def test_a_client_with_several_messages(self):
        status, said, received = self.run_with_names("13", 2)
        self.assertEqual(status, 69, said)
        self.assertEqual(
            sorted(one.recipients for one in received),
            [("ann@example.org",), ("bob@example.net", "eve@example.net")],
        )
        for one in received:
            self.assertTrue(one.content.endswith(b"Subject: Party\r\n\r\nOn Friday, at eight.\r\n"), one.content)
        for words in ("eve@example.net: delivered", "orders@down.example: deferred", "orders@null.example: refused"):
            self.assertIn(words, said)

    def test_nobody_listens(self):
        with tutorial_pages.Workplace(tutorial_pages.built_programs()) as workplace:
            for number in ("08", "09", "10"):
                run = subprocess.run(
                    [f"./{number}", "-n"], cwd=workplace.folder, capture_output=True, timeout=60, check=False
                )
                said = (run.stdout + run.stderr).decode()
                self.assertEqual(run.returncode, 69, said)
                self.assertRegex(said, r"error: .*localhost.*2525.*refused")


if __name__ == "__main__":
    private_network.enter()
    support.main()
