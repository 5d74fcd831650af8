# SPDX-License-Identifier: MIT
"""e2e/page: the sandbox's mailbox page, read by a real browser while mail comes in.

Pictures of the page are left in the build directory (POSTRIDER_BUILD), under page/.
"""

import email.message
import email.policy
import os
import pathlib
import smtplib
import unittest
import urllib.error
import urllib.request

import browser
import support

HOSTILE = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"


def letter(subject, text, sender="ann@example.com"):
    message = email.message.EmailMessage()
    message["From"] = f"Ann Example <{sender}>"
    message["To"] = "bob@example.org"
    message["Subject"] = subject
    message["X-Colour"] = "blue"
    message.set_content(text)
    return message.as_bytes(policy=email.policy.SMTP)


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(browser.Browser())

    def setUp(self):
        self.sandbox = self.enterContext(support.Sandbox())
        self.address = f"http://127.0.0.1:{self.sandbox.ports['http_port']}/"
        self.page = self.browser
        self.page.look(1400, 880)
        self.page.open(self.address)
        self.page.wait_text("#live", "live")

    def send(self, content, sender="ann@example.com", recipients=("bob@example.org",)):
        listening = [host for host in self.sandbox.ports["exchangers"] if host["listens"]]
        with smtplib.SMTP(listening[0]["address"], listening[0]["port"], "laptop.example.com", 20) as smtp:
            smtp.sendmail(sender, recipients, content, ["BODY=8BITMIME"])
        return listening[0]["name"]

    def choose(self, subject):
        """Sends nothing; clicks the message with that subject, which must be in the list."""
        self.page.wait_text("#messages", subject)
        position = next(i for i, row in enumerate(self.page.texts("#messages a"), 1) if subject in row)
        self.page.click(f"#messages li:nth-child({position}) a")
        self.page.wait_text("#detail h2", subject)

    def tab(self, name):
        self.page.click(f"#tab-{name}")
        return self.page.text("#panel")

    def picture(self, name):
        directory = pathlib.Path(os.environ.get("POSTRIDER_BUILD", self.sandbox.directory))
        self.page.save_screenshot(directory / "page" / f"{name}.png")

    def test_an_empty_mailbox_says_what_to_type(self):
        self.page.wait_text("#welcome", "No mail yet")
        for host in self.sandbox.ports["exchangers"]:
            self.page.wait_text("#welcome", host["name"])
        self.page.wait_text("#welcome pre", "postrider send")
        self.assertEqual(self.page.title(), "Postrider sandbox")
        self.picture("empty")

    def test_mail_appears_while_the_page_is_open(self):
        self.page.wait_text("#welcome", "No mail yet")
        exchanger = self.send(letter("Hello, Bob", "The first line.\n.a line with a dot\nKäse\n"))
        self.page.wait_text("#messages", "Hello, Bob")
        self.assertEqual(self.page.title(), "(1) Postrider sandbox")
        row = self.page.text("#messages")
        self.assertIn("Ann Example <ann@example.com>", row)
        self.assertIn(exchanger, row)

        self.choose("Hello, Bob")
        self.page.wait_text("#panel", "The first line.\n.a line with a dot\nKäse")
        headers = self.tab("Headers")
        self.assertIn("X-Colour", headers)
        self.assertIn("blue", headers)
        envelope = self.tab("Envelope")
        for fact in ("ann@example.com", "bob@example.org", "laptop.example.com", "BODY=8BITMIME", exchanger):
            self.assertIn(fact, envelope)
        conversation = self.tab("Conversation")
        for line in ("ehlo laptop.example.com", "rcpt to:<bob@example.org>", "354"):
            self.assertIn(line, conversation.lower())
        self.picture("conversation")
        self.tab("Source")
        self.page.wait_text("#panel", "Subject: Hello, Bob")

        self.send(letter("A second letter", "text\n"))
        self.page.wait_text("#messages li:first-child", "A second letter")
        self.assertEqual(self.page.title(), "(2) Postrider sandbox")
        self.assertIn("Hello, Bob", self.page.text("#detail h2"), "new mail must not displace what is being read")

    def test_search_narrows_the_list(self):
        for subject in ("Red wine", "White wine", "Cheese"):
            self.send(letter(subject, f"about {subject}\n"))
        self.page.wait_text("#messages", "Cheese")
        self.page.press("/")
        self.page.write("#search", "WINE red")
        self.page.wait("one message", lambda: len(self.page.texts("#messages a")) == 1)
        self.assertIn("Red wine", self.page.text("#messages"))
        self.assertIn("1 of 3 messages", self.page.text("#summary"))
        self.page.write("#search", "xyz")
        self.page.wait_text("#nothing-found", "Nothing holds")
        self.page.press("Escape")
        self.page.wait("all messages", lambda: len(self.page.texts("#messages a")) == 3)

    def test_keys_walk_through_the_list(self):
        for subject in ("first", "second", "third"):
            self.send(letter(subject, "text\n"))
        self.page.wait("all messages", lambda: len(self.page.texts("#messages a")) == 3)
        for key, subject in (("j", "third"), ("ArrowDown", "second"), ("j", "first"), ("k", "second")):
            self.page.press(key)
            self.page.wait_text("#detail h2", subject)
        self.page.click("#tab-Text")
        self.page.press("ArrowRight")
        self.page.wait_text("#panel", "X-Colour")

    def test_hostile_mail_is_shown_as_text(self):
        content = (
            f"From: {HOSTILE}\r\nSubject: {HOSTILE}\r\nX-Turn: \u202egpj.exe\r\n"
            f"Content-Type: text/html\r\n\r\n{HOSTILE}\r\n"
        )
        self.send(content.encode(), sender="m@example.com")
        self.choose("<script>")
        self.page.wait_text("#panel", HOSTILE)
        self.assertIn("\u27e8U+202E\u27e9gpj.exe", self.tab("Headers"))
        for name in ("Envelope", "Conversation", "Source"):
            self.tab(name)
        self.page.wait_text("#panel", HOSTILE)
        self.assertEqual(self.page.title(), "(1) Postrider sandbox")
        inserted = self.page.run("return document.querySelectorAll('main script, #list img, #detail img').length")
        self.assertEqual(inserted, 0)

    def test_one_message_is_deleted_and_then_all(self):
        for subject in ("first", "second", "third"):
            self.send(letter(subject, "text\n"))
        self.choose("second")
        self.page.click("#detail .delete")
        self.page.wait("two messages", lambda: len(self.page.texts("#messages a")) == 2)
        self.page.wait_text("#detail h2", "first")

        self.page.click("#empty")
        self.page.wait_text("#confirm", "2 messages will be gone for good")
        self.picture("confirm")
        self.page.click("#confirm [value=no]")
        self.assertEqual(len(self.page.texts("#messages a")), 2)
        self.page.click("#empty")
        self.page.click("#confirm [value=yes]")
        self.page.wait_text("#welcome", "No mail yet")
        self.assertEqual(self.page.title(), "Postrider sandbox")
        self.assertEqual(self.sandbox.received(0), [])

    def test_it_fits_narrow_and_wide_windows_light_and_dark(self):
        self.send(letter("A subject without end " * 30 + "Unbreakable" * 100, "x" * 3000 + "\n"))
        self.send(letter("שלום, a greeting", "שלום\n"))
        for width, height in ((400, 800), (1400, 880)):
            for scheme in ("light", "dark"):
                self.page.look(width, height, scheme)
                self.page.open(f"{self.address}?{width}-{scheme}")
                self.page.wait_text("#messages", "greeting")
                self.picture(f"list-{width}-{scheme}")
                self.choose("A subject without end")
                self.page.wait_text("#panel", "xxx")
                self.picture(f"message-{width}-{scheme}")
                overflow = self.page.run("return document.documentElement.scrollWidth - innerWidth")
                self.assertLessEqual(overflow, 0, f"the page is wider than {width} pixels")
        self.page.look(400, 800)
        self.page.click("#detail .back")
        self.page.wait_text("#messages", "greeting")

    def test_the_page_lives_again_when_the_sandbox_comes_back(self):
        self.sandbox.stop()
        self.page.wait_text("#live", "reconnecting")
        port = self.sandbox.ports["http_port"]
        self.sandbox.launch(
            support.postrider_path(), "sandbox", "--dns-port", 0, "--smtp-port", 0, "--http-port", port
        )
        self.page.wait_text("#live", "live")

    def test_other_sites_are_refused(self):
        self.send(letter("kept", "text\n"))
        for header, value, status in (
            ("Host", "mail.evil.example", 421),
            ("Origin", "https://evil.example", 403),
            ("Sec-Fetch-Site", "cross-site", 403),
        ):
            request = urllib.request.Request(f"{self.address}api/messages", headers={header: value}, method="DELETE")
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            self.assertEqual(refused.exception.code, status)
        self.page.wait_text("#messages", "kept")

    def tearDown(self):
        complaints = [words for words in self.page.complaints() if "net::ERR_" not in words]
        self.assertEqual(complaints, [], "the page's console complained")


if __name__ == "__main__":
    support.main()
