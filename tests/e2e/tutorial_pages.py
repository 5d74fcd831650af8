# SPDX-License-Identifier: MIT
"""e2e/tutorial_pages: the listings and outputs on the pages of docs/tutorial, made from the programs.

A comment in front of a block says where it comes from:

    <!-- program: 07.cpp -->            that file of examples/tutorial, without its licence line
    <!-- run: ./07 -n until="Sent" -->  what it prints; Ctrl-C once `until` was printed and the server
                                        has seen `seen`; without either it ends by itself
    <!-- alone: ./08 -n -->             the same where there is no sandbox
    <!-- saw -->                        what the sandbox said of the conversations of that run
    <!-- compiler: 05.cpp -->           why the compiler refuses that file
    <!-- shell -->                      the commands behind each "$ ", one after the other

Each run has a sandbox of its own, on the ports that the programs name. Times are those of one moment and
ports of clients are 40000, so that two runs give the same text.

    tutorial_pages.py             writes the pages anew; POSTRIDER and POSTRIDER_BUILD as for the tests
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile

import private_network
import support

ROOT = support.TESTS.parent
PAGES = ROOT / "docs" / "tutorial"
PROGRAMS = ROOT / "examples" / "tutorial"
SMTP_PORT, DNS_PORT = 2525, 5300
RUN_SECONDS = 30

BLOCK = re.compile(r"<!-- (program|run|alone|saw|compiler|shell)(?:: (.*?))? -->\n```(\w+)\n(.*?)```\n", re.S)


def built_programs():
    return pathlib.Path(os.environ["POSTRIDER_BUILD"]) / "examples" / "tutorial"


class World(support.Sandbox):
    """The sandbox that the pages start: `postrider sandbox --smtp-port 2525 --dns-port 5300`."""

    def __init__(self, *more):
        self.more = more

    def start(self):
        ready_file = self.directory / "ready.json"
        options = ["--smtp-port", SMTP_PORT, "--dns-port", DNS_PORT, "--verbose", *self.more]
        self.launch(support.postrider_path(), "sandbox", *options, "--ready-file", ready_file)
        self.wait_started(ready_file.exists)
        self.ports = json.loads(ready_file.read_text())

    def conversations(self):
        said = [line for line in self.log().splitlines() if re.match(r"\S+ 127\.0\.0\.1:\d+ [CS!]: ", line)]
        return "".join(line + "\n" for line in said)


def masked(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", "2026-11-22T10:58:08+0000", text)
    text = re.sub(r"(127\.0\.0\.1):\d{5}\b", r"\1:40000", text)
    return re.sub(r"\bPID \d+", "PID 4711", text)


class Workplace:
    """A folder with the programs in it, as somebody has it who follows the pages."""

    def __init__(self, programs):
        self.programs = programs

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-tutorial-"))
        for program in self.programs.iterdir():
            if os.access(program, os.X_OK) and program.is_file():
                (self.folder / program.name).symlink_to(program)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "TZ": "UTC", "HOME": str(self.folder), **self.sanitizer_options()}

    @staticmethod
    def sanitizer_options():
        return {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}

    def start(self, command, output):
        return subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


class Run:
    """One run of a program: what it printed, how it ended, what the server saw."""

    def __init__(self, workplace, command, until="", seen=""):
        self.command = command
        with World() as world:
            self.at_interrupt = None
            output = workplace.folder / "output"
            with open(output, "wb") as file:
                process = workplace.start(command, file)
            try:
                if until or seen:
                    self.interrupt(process, output, world, until, seen)
                self.status = process.wait(RUN_SECONDS)
            finally:
                process.kill()
                process.wait()
            self.printed = output.read_text()
            world.stop()  # what it has to say is said
            self.seen = world.conversations()

    def interrupt(self, process, output, world, until, seen):
        def there():
            if process.poll() is not None:
                raise AssertionError(f"{self.command} ended before it said {until!r}:\n{output.read_text()}")
            return re.search(until, output.read_text()) and re.search(seen, world.conversations())

        if not support.poll_for(RUN_SECONDS, there):
            raise AssertionError(
                f"{self.command} has not come to {until!r} and {seen!r}:\n{output.read_text()}\n{world.conversations()}"
            )
        self.at_interrupt = len(output.read_text())
        process.send_signal(signal.SIGINT)

    def shown(self):
        text = self.printed
        if self.at_interrupt is not None:
            text = text[: self.at_interrupt] + "^C\n" + text[self.at_interrupt :]
        return masked(f"$ {self.command}\n{text}$ echo $?\n{self.status}\n")


def listing(name):
    lines = (PROGRAMS / name).read_text().splitlines(keepends=True)
    return "".join(line for line in lines if "SPDX-License-Identifier" not in line)


def alone(workplace, command):
    """A program that ends by itself, where nobody listens."""
    with tempfile.TemporaryFile() as output:
        status = workplace.start(command, output).wait(RUN_SECONDS)
        output.seek(0)
        return masked(f"$ {command}\n{output.read().decode()}$ echo $?\n{status}\n")


def run_from(workplace, words):
    parts = shlex.split(words)
    options = dict(part.split("=", 1) for part in parts if re.match(r"(until|seen)=", part))
    command = " ".join(part for part in parts if not re.match(r"(until|seen)=", part))
    return Run(workplace, command, **options)


def refusal(name):
    """The errors of the compiler, without where they stand and what surrounds them."""
    command = ["g++", "-std=c++20", "-fsyntax-only", "-I", str(ROOT / "include"), str(PROGRAMS / name)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode != 0, f"the compiler takes {name}"
    errors = re.findall(r"error: (.*)", run.stderr)
    return f"$ c++ -std=c++20 {name} -o {pathlib.Path(name).stem} $(pkg-config --cflags --libs postrider)\n" + "".join(
        f"error: {error}\n" for error in errors
    )


def shell(workplace, block):
    """The commands of the block in one shell, each with what it says."""
    commands = re.findall(r"^\$ (.*)$", block, re.M)
    said = "status=$?; printf '%s\\n' {}; (exit $status)\n{}\n"  # the command sees the status of the one before
    script = "exec 2>&1\n" + "".join(said.format(shlex.quote("$ " + one), one) for one in commands)
    with World():
        run = subprocess.run(
            ["bash"],
            input=script,
            text=True,
            cwd=workplace.folder,
            env=workplace.environment(),
            stdout=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    return masked(run.stdout).replace(str(workplace.folder), "/srv/tutorial")


def made_anew(page, workplace):
    """The text of the page with every block as it should be."""
    last_run = None

    def block(found):
        nonlocal last_run
        kind, words, language, now = found.groups()
        if kind == "program":
            text = listing(words)
        elif kind == "run":
            last_run = run_from(workplace, words)
            text = last_run.shown()
        elif kind == "alone":
            text = alone(workplace, words)
        elif kind == "saw":
            text = masked(last_run.seen)
        elif kind == "compiler":
            text = refusal(words)
        else:
            text = shell(workplace, now)
        head = found[0][: found[0].index("```")]
        return f"{head}```{language}\n{text}```\n"

    return BLOCK.sub(block, page.read_text())


def pages():
    return sorted(PAGES.glob("*.md"))


def write():
    with Workplace(built_programs()) as workplace:
        for page in pages():
            text = made_anew(page, workplace)
            if text != page.read_text():
                page.write_text(text)
                print(f"{page.relative_to(ROOT)}: written")


if __name__ == "__main__":
    private_network.enter()
    write()
