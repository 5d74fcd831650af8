# SPDX-License-Identifier: MIT
"""e2e/runner: a program on app::run() as a process: daemon, pidfile, log, signals, privileges.

The program is programs/runner.cpp; POSTRIDER_BUILD names the build directory. What only root can do is
skipped, and said so, where the tests are not root.
"""

import contextlib
import fcntl
import grp
import json
import os
import pathlib
import pty
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import termios
import unittest

import support

PROGRAM = pathlib.Path(os.environ["POSTRIDER_BUILD"]) / "tests" / "e2e" / "runner"
SECONDS = 20

only_root = unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else, or change its root")


def exists(pid):
    """Whether the process runs: one that has ended and waits for its parent does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def status_of(pid):
    """The lines of /proc/PID/status by name, in words."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, rest in (line.split(":", 1) for line in lines)}


def texts(log):
    """What the lines of a log say, without time and prefix."""
    return [re.sub(r"^\S+ \[[^]]*\] ", "", line) for line in log.splitlines()]


class RunnerTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="postrider-e2e-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.directory.chmod(0o777)  # for tests that are somebody else
        self.addCleanup(self.end_daemons)

    # ---- the processes --------------------------------------------------------------------------

    def end_daemons(self):
        for file in self.directory.rglob("*.pid"):
            number = file.read_text().strip() if file.is_file() else ""
            if number.isdigit() and self.is_ours(int(number)):
                os.kill(int(number), signal.SIGKILL)

    @staticmethod
    def is_ours(pid):
        """A number in a pidfile may be anybody's by now."""
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/{pid}/exe") == str(PROGRAM)
        return False

    def environment(self, services, more):
        return {**os.environ, "SERVICES": services, **more}

    def run_to_end(self, *arguments, services="", environment={}, **how):
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=self.directory,
            env=self.environment(services, environment),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=SECONDS,
            **how,
        )

    def start(self, *arguments, services="", environment={}, until="is running.", **how):
        """In the foreground, with the log in the file `out`, until it runs."""
        self.out = self.directory / "out"
        with open(self.out, "ab") as out:
            process = subprocess.Popen(
                [PROGRAM, "-n", *map(str, arguments)],
                cwd=self.directory,
                env=self.environment(services, environment),
                stdin=subprocess.DEVNULL,
                stdout=how.pop("stdout", out),
                stderr=how.pop("stderr", subprocess.PIPE),
                **how,
            )
        self.addCleanup(self.reap, process)
        if until:
            self.wait_for(until, self.out, process)
        return process

    def reap(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def daemon(self, *arguments, services="", environment={}, **how):
        """Starts a daemon and gives its PID."""
        ended = self.run_to_end(*arguments, services=services, environment=environment, **how)
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))
        return int((self.directory / "runner.pid").read_text())

    def wait_for(self, words, file, process=None):
        def said():
            text = file.read_text() if file.exists() else ""
            return words in text or (process is not None and process.poll() is not None)

        support.poll_for(SECONDS, said)
        self.assertIn(words, file.read_text() if file.exists() else "")

    def end_of(self, process):
        return process.wait(SECONDS)

    def stop(self, pid, number=signal.SIGTERM):
        os.kill(pid, number)
        self.assertTrue(support.poll_for(SECONDS, lambda: not exists(pid)), "it has not ended")

    def log(self):
        return (self.directory / "runner.log").read_text()

    # ---- a run ----------------------------------------------------------------------------------

    def test_says_how_it_fares_and_stops_when_it_is_asked_to(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                process = self.start()
                process.send_signal(number)
                self.assertEqual(self.end_of(process), 0)
                lines = self.out.read_text().splitlines()
                for line in lines:
                    self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[-\] Runner|Received")
                self.assertEqual(
                    texts(self.out.read_text()),
                    [
                        "Runner Test is starting.",
                        "Runner Test is running.",
                        f"Received {number.name}, stopping.",
                        "Runner Test has stopped.",
                    ],
                )
                self.assertEqual(process.stderr.read(), b"")
                self.out.unlink()
        self.assertEqual(list(self.directory.iterdir()), [], "something was left behind")

    def test_ends_with_the_status_that_the_program_or_a_failure_gives(self):
        self.assertEqual(self.end_of(self.start(services="ends", until="")), 3)
        process = self.start(services="throws", until="there is no row 17")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end_of(process), 70)
        self.assertIn("has stopped.", self.out.read_text())

    def test_logs_to_a_file_and_as_json(self):
        process = self.start("-l", "here.log", "--log-format", "json", "--log-level", "info", until="")
        self.wait_for("is running", self.directory / "here.log", process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end_of(process), 0)
        lines = [json.loads(line) for line in (self.directory / "here.log").read_text().splitlines()]
        self.assertEqual([line["text"] for line in lines][-1], "Runner Test has stopped.")
        self.assertEqual(self.out.read_text(), "")

    def test_logs_from_a_level_on(self):
        process = self.start("--log-level", "error", services="throws", until="there is no row 17")
        process.send_signal(signal.SIGTERM)
        self.end_of(process)
        self.assertEqual(len(self.out.read_text().splitlines()), 1, self.out.read_text())

    def test_says_at_the_end_what_the_run_cost(self):
        process = self.start("--statistics")
        process.send_signal(signal.SIGTERM)
        self.end_of(process)
        said = texts(self.out.read_text())[4:]
        seconds = r"\d+\.\d{3} s"
        self.assertRegex(said[0], f"^Ran {seconds}; processor {seconds}: {seconds} user, {seconds} system\\.$")
        self.assertRegex(
            said[1],
            r"^Memory at most \d+\.\d MiB, \d+ pages? of it from disk; "
            r"context switches: \d+ voluntary, \d+ not\.$",
        )
        self.assertEqual(len(said), 2)

    # ---- the command line -----------------------------------------------------------------------

    def test_explains_itself(self):
        told = self.run_to_end("--help")
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        self.assertTrue(told.stdout.startswith("Usage: runner [OPTIONS]\n\nRunner Test\n"), told.stdout)
        for option in (
            "-n, --nodaemon",
            "-l, --logfile FILE",
            "--log-format FORMAT",
            "--log-level LEVEL",
            "--syslog",
            "--prefix NAME",
            "--pidfile FILE",
            "-d, --rundir DIR",
            "--chroot DIR",
            "--umask MASK",
            "-u, --uid USER",
            "-g, --gid GROUP",
            "--euid",
            "--statistics",
            "--version",
            "-h, --help",
        ):
            self.assertIn(f"  {option} ", told.stdout)
        self.assertLessEqual(max(map(len, told.stdout.splitlines())), 100)
        self.assertEqual(self.run_to_end("-h").stdout, told.stdout)
        version = self.run_to_end("--version")
        self.assertRegex(version.stdout, r"^Runner Test \(postrider \d+\.\d+\.\d+\)\n$")
        self.assertEqual(version.returncode, 0)

    def test_says_what_is_wrong_with_a_command_line(self):
        for arguments, words in (
            (["--frob"], "there is no option '--frob'"),
            (["word"], "'word' is one word too many"),
            (["--umask", "99"], "'99' is not an octal number from 0 to 777"),
            (["--log-level", "loud"], "'loud' is not debug, info, warning or error"),
            (["--log-format", "xml"], "'xml' is not text or json"),
            (["-l"], "--logfile needs a value"),
            (["--syslog", "-l", "file"], "--syslog"),
        ):
            with self.subTest(arguments):
                ended = self.run_to_end(*arguments)
                self.assertEqual((ended.returncode, ended.stdout), (64, ""))
                self.assertIn(words, ended.stderr)
                self.assertTrue(ended.stderr.startswith("runner: "), ended.stderr)
                self.assertTrue(ended.stderr.endswith("\nTry 'runner --help'.\n"), ended.stderr)
        self.assertEqual(list(self.directory.iterdir()), [])

    def assert_refuses(self, status, words, *arguments, **how):
        ended = self.run_to_end(*arguments, **how)
        self.assertEqual((ended.returncode, ended.stdout), (status, ""), ended.stderr)
        self.assertIn(words, ended.stderr)
        self.assertTrue(ended.stderr.startswith("runner: "), ended.stderr)
        self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
        self.assertEqual(list(self.directory.rglob("*.pid")), [], "a pidfile was left behind")
        return ended

    def test_refuses_in_a_sentence_what_cannot_be_had(self):
        for mode in ([], ["-n"]):
            with self.subTest(mode):
                self.assert_refuses(64, "there is no user 'no-such-user'", *mode, "-u", "no-such-user")
                self.assert_refuses(64, "there is no group 'no-such-group'", *mode, "-g", "no-such-group")
                self.assert_refuses(64, "which one?", *mode, "-u", "4000000000")
                self.assert_refuses(64, "there is no user 'nobody else'", *mode, environment={"RUN_AS": "nobody else"})
                self.assert_refuses(73, "/no/such/log: No such file", *mode, "-l", "/no/such/log")
                self.assert_refuses(73, "/no/such/pidfile: No such file", *mode, "--pidfile", "/no/such/pidfile")
                self.assert_refuses(71, "cannot change to /no/such", *mode, "-d", "/no/such", "-l", "log")
        self.assert_refuses(64, "a daemon has no standard output", "-l", "-")

    # ---- the start that fails -------------------------------------------------------------------

    def test_a_start_that_fails_in_the_foreground_is_explained_and_undone(self):
        for services, status, why in (
            ("witness unable", 70, "there is no row 17"),
            ("witness unprepared", 70, "there is no row 17"),
            ("witness port", 71, "cannot listen on 127.0.0.1:25: Address already in use"),
        ):
            with self.subTest(services):
                process = self.start("--pidfile", "runner.pid", services=services, until="")
                self.assertEqual(self.end_of(process), status)
                said = texts(self.out.read_text())
                self.assertIn(f"error: Runner Test cannot start: unable: {why}", said)
                self.assertEqual(said.count("stopped"), 1, "what had started was not stopped")
                self.assertNotIn("Runner Test is running.", said)
                self.assertEqual(list(self.directory.rglob("*.pid")), [])
                self.out.unlink()

    def test_a_start_that_fails_as_a_daemon_is_told_to_the_caller(self):
        for services, status, words in (
            ("witness unable", 70, "there is no row 17"),
            ("witness port", 71, "already in use"),
        ):
            with self.subTest(services):
                ended = self.assert_refuses(status, "Runner Test cannot start: unable: ", services=services)
                self.assertIn(words, ended.stderr)
                self.assertIn(words, self.log())
                self.assertIn("stopped", texts(self.log()), "what had started was not stopped")
                (self.directory / "runner.log").unlink()

    def test_a_daemon_that_dies_in_its_start_has_failed(self):
        ended = self.run_to_end(services="dies")
        self.assertEqual(ended.returncode, 70)
        self.assertEqual(ended.stderr, "runner: the daemon ended before it had started; its log may say why\n")

    # ---- daemons and pidfiles -------------------------------------------------------------------

    def test_becomes_a_daemon(self):
        pid = self.daemon()
        number, parent, group, session, terminal = (
            pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[i] for i in (0, 1, 2, 3, 4)
        )
        self.assertNotEqual(int(parent), os.getpid())
        self.assertNotEqual(int(session), os.getsid(0), "it is still in our session")
        self.assertNotEqual(int(session), pid, "a leader of a session can get a terminal")
        self.assertEqual((group, terminal), (session, "0"))
        for stream in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{stream}"), "/dev/null")
        self.assertEqual(status_of(pid)["Umask"], ["0077"])
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), str(self.directory))
        self.assertEqual(stat.S_IMODE((self.directory / "runner.log").stat().st_mode), 0o600)
        self.stop(pid)
        self.assertEqual(texts(self.log())[-1], "Runner Test has stopped.")
        self.assertEqual([file.name for file in self.directory.iterdir()], ["runner.log"])

    def test_a_second_one_is_refused_and_the_first_lives_on(self):
        pid = self.daemon()
        for mode in ([], ["-n", "--pidfile", "runner.pid"]):
            second = self.run_to_end(*mode)
            self.assertEqual((second.returncode, second.stdout), (75, ""))
            self.assertIn(f"runner: another one is running, PID {pid} (pidfile ", second.stderr)
        self.assertTrue(exists(pid))
        self.assertEqual(int((self.directory / "runner.pid").read_text()), pid)
        self.assertEqual(self.run_to_end("-n", "--pidfile", "other.pid", services="ends").returncode, 3)
        self.stop(pid)

    def test_of_many_that_start_at_once_one_does(self):
        starts = [
            subprocess.Popen(
                [PROGRAM],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(20)
        ]
        self.assertEqual(sorted(start.wait(SECONDS) for start in starts), [0] + [75] * 19)
        self.assertEqual(self.log().count("is running."), 1)
        self.stop(int((self.directory / "runner.pid").read_text()))

    def test_a_stale_pidfile_is_replaced_with_a_word(self):
        first = self.daemon()
        self.stop(first, signal.SIGKILL)
        second = self.daemon()
        self.assertIn(f"runner.pid was left by PID {first}, which is gone", self.log())
        self.stop(second)
        # The number of somebody who lives, and never heard of this file.
        (self.directory / "runner.pid").write_text(f"{os.getpid()}\n")
        third = self.daemon()
        self.assertNotEqual(third, os.getpid())
        self.stop(third)

    def test_a_file_that_is_no_pidfile_is_left_alone(self):
        letter = self.directory / "letter"
        letter.write_text("Dear Bob,\n")
        link = self.directory / "link"
        link.symlink_to(letter)
        self.assert_refuses(73, "letter is no pidfile", "--pidfile", letter)
        self.assert_refuses(73, "link: Too many levels of symbolic links", "--pidfile", link)
        self.assert_refuses(73, "Is a directory", "--pidfile", self.directory)
        self.assertEqual(letter.read_text(), "Dear Bob,\n")

    def test_needs_no_pidfile(self):
        (self.directory / "runner.pid").mkdir()
        self.assertEqual(self.run_to_end(services="ends").returncode, 73)
        for none in (["--pidfile", ""], ["--pidfile="]):
            ended = self.run_to_end(*none, services="ends")
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    # ---- signals --------------------------------------------------------------------------------

    def test_opens_the_log_anew_after_a_hangup(self):
        pid = self.daemon()
        (self.directory / "runner.log").rename(self.directory / "old.log")
        os.kill(pid, signal.SIGHUP)
        self.wait_for("Received SIGHUP, the log was opened anew.", self.directory / "runner.log")
        self.stop(pid)
        self.assertEqual(len((self.directory / "old.log").read_text().splitlines()), 2)
        self.assertEqual(len(self.log().splitlines()), 3)

    def test_rotates_the_log_under_load_and_loses_no_line(self):
        pid = self.daemon(services="talker")
        for times in range(1, 6):
            self.wait_for("[talker] line ", self.directory / "runner.log")
            os.kill(pid, signal.SIGUSR1)
            rotated = self.directory / f"runner.log.{times}"
            self.assertTrue(support.poll_for(SECONDS, rotated.exists))
        self.stop(pid)
        parts = [*(self.directory / f"runner.log.{n}" for n in range(5, 0, -1)), self.directory / "runner.log"]
        lines = "".join(part.read_text() for part in parts).splitlines()
        said = [int(line.rsplit(" ", 1)[1]) for line in lines if "[talker] line " in line]
        self.assertGreater(len(said), 100)
        self.assertEqual(said, list(range(1, len(said) + 1)))

    def test_a_second_signal_ends_what_will_not_stop(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                process = self.start("--pidfile", "runner.pid", services="endless")
                process.send_signal(number)
                self.wait_for("stopping.", self.out)
                self.assertIsNone(process.poll())
                process.send_signal(number)
                self.assertEqual(self.end_of(process), 70)
                last = texts(self.out.read_text())[-1]
                self.assertEqual(last, f"error: Received {number.name} again, ending at once.")
                self.assertFalse((self.directory / "runner.pid").exists())
                self.out.unlink()

    def test_a_second_signal_ends_what_is_stuck_in_a_callback(self):
        process = self.start(services="stuck")
        process.send_signal(signal.SIGINT)
        support.poll_for(SECONDS, lambda: not int(status_of(process.pid)["ShdPnd"][0], 16))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end_of(process), 70)
        self.assertIn(b"ending at once", process.stderr.read())

    def test_an_ignored_interrupt_stays_ignored(self):
        process = self.start(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        self.wait_for("Received SIGHUP", self.out)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end_of(process), 0)
        self.assertNotIn("SIGINT", self.out.read_text())

    def test_stops_when_its_terminal_goes(self):
        mine, theirs = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        process = self.start(
            "--pidfile",
            "runner.pid",
            services="witness",
            stdout=theirs,
            stderr=theirs,
            preexec_fn=take_terminal,
            until="",
        )
        os.close(theirs)
        said = b""
        while b"is running." not in said:
            said += os.read(mine, 1000)
        os.close(mine)
        self.assertIn(self.end_of(process), (0, 74), "74: nobody read the last lines")
        self.assertFalse((self.directory / "runner.pid").exists(), "it did not end in order")

    # ---- a log that cannot be written -----------------------------------------------------------

    def test_lines_that_are_lost_show_in_the_status(self):
        process = self.start("-l", "/dev/full", "--pidfile", "runner.pid", until="")
        self.assertTrue(support.poll_for(SECONDS, (self.directory / "runner.pid").exists))
        support.poll_for(SECONDS, lambda: int(status_of(process.pid)["SigCgt"][0], 16) & 1 << (signal.SIGTERM - 1))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end_of(process), 74)

    def test_lives_on_when_nobody_reads_its_output(self):
        reader, writer = os.pipe()
        process = self.start("--pidfile", "runner.pid", services="talker", stdout=writer, until="")
        os.close(writer)
        self.assertIn(b"is starting", os.read(reader, 100))
        os.close(reader)
        support.poll_for(SECONDS, lambda: int(status_of(process.pid)["SigCgt"][0], 16) & 1 << (signal.SIGTERM - 1))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end_of(process), 74)

    def test_starts_without_standard_streams(self):
        ended = subprocess.run(
            ["/bin/sh", "-c", 'exec 0<&- 1>&- 2>&-; exec "$0" -n -l own.log --pidfile ""', PROGRAM],
            cwd=self.directory,
            env=self.environment("ends", {}),
            timeout=SECONDS,
        )
        self.assertEqual(ended.returncode, 3)
        self.assertEqual(texts((self.directory / "own.log").read_text())[-1], "Runner Test has stopped.")

    # ---- where it works, and as whom ------------------------------------------------------------

    def test_works_where_and_with_the_umask_that_it_is_told(self):
        work = self.directory / "work"
        work.mkdir()
        pid = self.daemon("-d", "work", "--umask", "027")
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), str(work))
        self.assertEqual(status_of(pid)["Umask"], ["0027"])
        self.assertEqual(stat.S_IMODE((self.directory / "runner.log").stat().st_mode), 0o640)
        self.stop(pid)
        self.assertFalse((self.directory / "runner.pid").exists(), "a path from before the change of directory")

    @only_root
    def test_changes_its_root_and_finds_its_files_there(self):
        jail = self.directory / "jail"
        (jail / "inside").mkdir(parents=True)
        log, pid_file = jail / "runner.log", jail / "runner.pid"
        ended = self.run_to_end("--chroot", "jail", "-d", "inside", "-l", log, "--pidfile", pid_file)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        pid = int(pid_file.read_text())
        self.assertEqual(os.readlink(f"/proc/{pid}/root"), str(jail))
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), str(jail / "inside"))
        log.rename(jail / "old.log")
        os.kill(pid, signal.SIGHUP)
        self.wait_for("opened anew", log)
        self.stop(pid)
        self.assertFalse(pid_file.exists())
        self.assertEqual(sorted(file.name for file in jail.iterdir()), ["inside", "old.log", "runner.log"])

    @only_root
    def test_says_that_a_log_outside_its_root_cannot_be_opened_anew(self):
        (self.directory / "jail").mkdir()
        pid = self.daemon("--chroot", "jail")
        self.assertIn("runner.log lies outside", self.log())
        self.stop(pid)
        self.assertIn("has stopped", self.log())
        self.assertEqual((self.directory / "runner.pid").read_text(), "", "out of reach, and still with a number")
        second = self.daemon("--chroot", "jail")
        self.assertNotIn("was left by", self.log())
        self.stop(second)

    def assert_is(self, pid, user, group, groups=None):
        status = status_of(pid)
        self.assertEqual(status["Uid"], [str(user)] * 4)
        self.assertEqual(status["Gid"], [str(group)] * 4)
        if groups is not None:
            self.assertEqual(sorted(status["Groups"]), sorted(map(str, groups)))
        self.assertEqual(int(status["CapEff"][0], 16) | int(status["CapPrm"][0], 16), 0)

    @only_root
    def test_gives_up_being_root_between_the_two_steps_of_the_start(self):
        nobody = pwd.getpwnam("nobody")
        pid = self.daemon("-u", "nobody", services="witness")
        self.assert_is(pid, nobody.pw_uid, nobody.pw_gid, os.getgrouplist("nobody", nobody.pw_gid))
        said = texts(self.log())
        self.assertLess(said.index("prepared as 0"), said.index(f"started as {nobody.pw_uid}"))
        (self.directory / "runner.log").rename(self.directory / "old.log")
        os.kill(pid, signal.SIGHUP)
        self.wait_for("opened anew", self.directory / "runner.log")
        self.assertEqual((self.directory / "runner.log").stat().st_uid, nobody.pw_uid)
        self.stop(pid)

    @only_root
    def test_takes_the_group_by_name_or_number_and_the_options_win(self):
        nobody, mail = pwd.getpwnam("nobody"), grp.getgrnam("mail").gr_gid
        for arguments, user, group in (
            (["-u", "nobody", "-g", "mail"], nobody.pw_uid, mail),
            (["-u", nobody.pw_uid, "-g", mail], nobody.pw_uid, mail),
            (["-u", "12345", "-g", "54321"], 12345, 54321),
        ):
            with self.subTest(arguments):
                pid = self.daemon(*arguments, environment={"RUN_AS": "daemon"})
                self.assert_is(pid, user, group)
                self.stop(pid)
        account = pwd.getpwnam("daemon")
        pid = self.daemon(environment={"RUN_AS": "daemon"})
        self.assert_is(pid, account.pw_uid, account.pw_gid)
        self.stop(pid)

    @only_root
    def test_can_give_it_up_for_the_time_being(self):
        nobody = pwd.getpwnam("nobody")
        pid = self.daemon("-u", "nobody", "--euid")
        self.assertEqual(status_of(pid)["Uid"], ["0", str(nobody.pw_uid), "0", str(nobody.pw_uid)])
        self.assertEqual(status_of(pid)["Gid"], ["0", str(nobody.pw_gid), "0", str(nobody.pw_gid)])
        self.stop(pid)

    @only_root
    def test_only_root_can_become_somebody_else(self):
        how = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        ended = self.run_to_end("-u", "daemon", services="witness", **how)
        self.assertEqual(ended.returncode, 71)
        self.assertIn("cannot become the user daemon: Operation not permitted", ended.stderr)
        self.assertIn("stopped", texts(self.log()))
        # Whoever it is already is nobody else.
        (self.directory / "runner.log").unlink()
        pid = self.daemon("-u", "nobody", **how)
        self.stop(pid)

    @only_root
    def test_a_pidfile_that_cannot_be_removed_any_more_is_emptied(self):
        self.directory.chmod(0o755)
        pid = self.daemon("-u", "nobody")
        self.stop(pid)
        self.assertEqual((self.directory / "runner.pid").read_text(), "")
        pid = self.daemon("-u", "nobody")
        self.assertNotIn("was left by", self.log())
        self.stop(pid)

    # ---- the service manager --------------------------------------------------------------------

    def manager(self):
        """A socket in its place, and a function that gives the next thing it hears."""
        path = self.directory / "notify"
        mine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(mine.close)
        mine.bind(str(path))
        mine.settimeout(SECONDS)
        return {"NOTIFY_SOCKET": str(path)}, lambda: mine.recv(1000).decode()

    def test_tells_the_service_manager_how_it_fares(self):
        environment, heard = self.manager()
        process = self.start(environment=environment)
        self.assertEqual(heard(), f"READY=1\nMAINPID={process.pid}")
        process.send_signal(signal.SIGHUP)
        self.assertRegex(heard(), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.assertEqual(heard(), f"READY=1\nMAINPID={process.pid}")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(heard(), "STOPPING=1")
        self.assertEqual(self.end_of(process), 0)

    def test_tells_it_also_when_it_ends_by_itself(self):
        environment, heard = self.manager()
        self.start(services="ends", environment=environment)
        self.assertIn("READY=1", heard())
        self.assertEqual(heard(), "STOPPING=1")

    def test_is_not_ready_when_it_cannot_start(self):
        environment, heard = self.manager()
        self.end_of(self.start(services="unable", environment=environment, until=""))
        self.assertEqual(heard(), "STOPPING=1")

    def test_feeds_the_watchdog(self):
        environment, heard = self.manager()
        process = self.start(environment={**environment, "WATCHDOG_USEC": "20000"})
        self.assertIn("READY=1", heard())
        for _ in range(5):
            self.assertEqual(heard(), "WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end_of(process), 0)

    @only_root
    def test_is_heard_from_another_root_and_as_another_user(self):
        environment, heard = self.manager()
        (self.directory / "jail").mkdir()
        process = self.start("--chroot", "jail", "-u", "nobody", environment=environment)
        self.assertEqual(heard(), f"READY=1\nMAINPID={process.pid}")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(heard(), "STOPPING=1")

    def test_serves_a_socket_that_was_opened_before_it_was_started(self):
        for mode in ([], ["-n"]):
            with self.subTest(mode), socket.create_server(("127.0.0.1", 0)) as listening:
                starter = (
                    "import os, sys\n"
                    "os.dup2(int(sys.argv[1]), 3)\n"
                    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='echo')\n"
                    "os.execv(sys.argv[2], sys.argv[2:])\n"
                )
                program = [PROGRAM, "--pidfile", "runner.pid", *mode]
                started = subprocess.Popen(
                    [sys.executable, "-c", starter, str(listening.fileno()), *program],
                    cwd=self.directory,
                    env=self.environment("listener", {}),
                    pass_fds=[listening.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
                self.addCleanup(self.reap, started)
                with socket.create_connection(listening.getsockname(), timeout=SECONDS) as client:
                    client.sendall(b"anybody there?")
                    self.assertEqual(client.recv(100), b"anybody there?")
                self.stop(int((self.directory / "runner.pid").read_text()))
                self.assertEqual(self.end_of(started), 0)

    def test_says_which_socket_is_missing(self):
        self.assert_refuses(70, "was started without sockets (LISTEN_FDS)", services="listener")


if __name__ == "__main__":
    support.main()
