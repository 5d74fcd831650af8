# SPDX-License-Identifier: MIT
"""e2e/examples_test: the examples do what they say, README shows what they hold, the demonstration runs.

POSTRIDER_BUILD names the build directory; the examples are built into its folder `examples`.
"""

import json
import os
import pathlib
import re
import subprocess
import textwrap
import unittest

import support

ROOT = support.TESTS.parent


def example(name):
    path = pathlib.Path(os.environ["POSTRIDER_BUILD"]) / "examples" / name
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} has not been built")
    return path


class SmallWorld(support.Sandbox):
    def launch(self, *command):
        super().launch(*command, "--zone", ROOT / "examples" / "small-world.zone")


class Examples(unittest.TestCase):
    def test_deliver(self):
        with support.Sandbox() as world:
            where = [f"127.0.0.1:{world.ports['dns_port']}", str(world.ports["smtp_port"])]
            run = subprocess.run([example("deliver"), *where], capture_output=True, timeout=60, check=False)
            received = world.received(2)
        self.assertEqual((run.returncode, run.stderr), (0, b""), run.stdout)
        for recipient in ("bob@example.org", "carol@example.net"):
            self.assertIn(f"{recipient}: delivered: ", run.stdout.decode())
        self.assertEqual({one.recipients for one in received}, {("bob@example.org",), ("carol@example.net",)})
        for one in received:
            self.assertTrue(one.content.endswith(b"\r\n\r\nHello, both.\r\n"), one.content)

    def test_small_world(self):
        with SmallWorld() as world:
            where = ["--resolver", f"127.0.0.1:{world.ports['dns_port']}", "--mx-port", world.ports["smtp_port"]]
            recipients = ["bob@shop.example", "carol@bakery.example", "dave@closed.example", "erin@broken.example"]
            to = [word for recipient in recipients for word in ("--to", recipient)]
            run = support.run_postrider("send", *where, "--from", "ann@example.com", *to, "--json", "--subject", "Hi")
            received = world.received(2)
        told = [(one["verdict"], one.get("host")) for one in json.loads(run.stdout)["messages"][0]["recipients"]]
        self.assertEqual(told[:2], [("delivered", "mx2.shop.example"), ("delivered", "bakery.example")])
        self.assertEqual([verdict for verdict, _ in told[2:]], ["refused", "deferred"])
        self.assertEqual({one.recipients for one in received}, {(recipients[0],), (recipients[1],)})

    def test_readme_shows_the_example(self):
        readme = (ROOT / "README.md").read_text()
        shown = re.search(r"<!-- from (\S+) -->\n```cpp\n(.*?)```\n", readme, re.S)
        source = (ROOT / shown[1]).read_text()
        self.assertEqual(shown[2], re.search(r"// README: from here\n(.*?)// README: to here\n", source, re.S)[1])

    def test_later_runs_and_its_page_shows_it(self):
        run = subprocess.run([example("later")], capture_output=True, timeout=60, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, b""), run.stdout)
        said = dict(line.split(": ", 1) for line in run.stdout.decode().splitlines())
        self.assertEqual(
            said,
            {
                "function": "Success",
                "succeed": "localhost",
                "callback": "mx.example.net is 192.0.2.1",
                "errback": "no such host",
                "chain": "fallback.example.net",
                "gather": "one and two",
                "timeout": "too late",
                "fire": "yellow",
                "maybe": "from memory, from afar",
                "cancel": "ended early",
            },
        )
        page = (ROOT / "docs" / "guides" / "results-that-come-later.md").read_text()
        source = (ROOT / "examples" / "later.cpp").read_text()
        parts = dict(re.findall(r"^ *// page: (\w+)\n(.*?)^ *// page: end\n", source, re.S | re.M))
        shown = dict(re.findall(r"<!-- from examples/later.cpp: (\w+) -->\n```cpp\n(.*?)```\n", page, re.S))
        self.assertEqual(shown, {name: textwrap.dedent(part) for name, part in parts.items()})

    def test_what_the_pages_point_to_is_there(self):
        for page in (ROOT / "README.md", *(ROOT / "docs" / "guides").glob("*.md")):
            prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
            links = re.findall(r"\]\(([^)#:]+)\)", prose)
            self.assertGreater(len(links), 0, page)
            self.assertEqual([link for link in links if not (page.parent / link).exists()], [], page)


class Demonstration(unittest.TestCase):
    def test_it_delivers_and_ends_without_a_terminal(self):
        command = [ROOT / "tools" / "demo", support.postrider_path()]
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        shown = run.stdout.decode()
        self.assertEqual((run.returncode, run.stderr), (0, b""), shown)
        for words in ("could not connect to mx1.example.org", "C: MAIL FROM:<ann@example.com>", "by mx2.example.org"):
            self.assertIn(words, shown)
        port = re.search(r"--mx-port (\d+)", shown)[1]
        self.assertFalse(support.accepts_connections(f"127.0.0.2:{port}"), "the sandbox is still there")


if __name__ == "__main__":
    support.main()
