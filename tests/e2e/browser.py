# SPDX-License-Identifier: MIT
"""e2e/browser: a headless Chromium, driven by chromedriver over plain HTTP (W3C WebDriver).

The browser is a part of what is tested, as a reader's would be, so a machine without it fails these
tests, with a sentence; it does not skip them. Everything that is waited for has a limit.
"""

import base64
import json
import re
import shutil
import urllib.error
import urllib.request

import support

APPEAR_SECONDS = 20
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that WebDriver gives element references
KEYS = {"Escape": "\ue00c", "ArrowDown": "\ue015", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "Enter": "\ue007"}
CHROMIUM_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
)


def required(name, package):
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} is missing, and the page is tested in a real browser: install Debian's {package}")
    return path


class Browser(support.Server):
    """One window of a browser that has never been used before."""

    session = None

    def start(self):
        chromium = required("chromium", "chromium")
        self.launch(required("chromedriver", "chromium-driver"), "--port=0")
        started = self.wait_started(lambda: re.search(r"started successfully on port (\d+)", self.log()))
        self.address = f"127.0.0.1:{started[1]}"
        options = {"binary": chromium, "args": [*CHROMIUM_OPTIONS, f"--user-data-dir={self.directory}/profile"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def stop(self):
        if self.session is not None:
            session, self.session = self.session, None
            self.ask("DELETE", f"/session/{session}")
        return super().stop()

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as refused:
            told = json.load(refused)["value"]
            raise RuntimeError(f"{method} {path}: {told['error']}: {told['message']}") from None

    def command(self, name, body=None, method="POST"):
        return self.ask(method, f"/session/{self.session}/{name}", body if method == "GET" else body or {})

    def devtools(self, name, **parameters):
        return self.command("goog/cdp/execute", {"cmd": name, "params": parameters})

    # ---- looking

    def open(self, address):
        self.command("url", {"url": address})

    def run(self, script, *arguments):
        """The value of a function body in the page; `arguments` is what it is given."""
        return self.command("execute/sync", {"script": script, "args": list(arguments)})

    def title(self):
        return self.command("title", method="GET")

    def texts(self, selector):
        """What is to be read in each element that the selector finds and that is shown."""
        script = """return [...document.querySelectorAll(arguments[0])]
            .filter((found) => found.checkVisibility()).map((found) => found.innerText)"""
        return self.run(script, selector)

    def text(self, selector):
        return "\n".join(self.texts(selector))

    def wait(self, what, poll):
        """Polls until `poll` gives something true; fails with a picture of nothing but words."""
        found = support.poll_for(APPEAR_SECONDS, poll)
        if not found:
            raise AssertionError(f"the page never showed {what}; it shows:\n{self.text('body')}")
        return found

    def wait_text(self, selector, words):
        """Waits until these words are shown in an element that the selector finds."""
        return self.wait(f"{words!r} in {selector}", lambda: words in self.text(selector))

    def complaints(self):
        """What the page's console said that is no mere information."""
        entries = self.command("se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    # ---- doing

    def find(self, selector):
        return self.command("element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.command(f"element/{self.find(selector)}/click")

    def write(self, selector, text):
        self.command(f"element/{self.find(selector)}/value", {"text": text})

    def press(self, key):
        """A key for whatever has the focus."""
        value = KEYS.get(key, key)
        strokes = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.command("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def look(self, width, height, scheme="light"):
        """A window of this size, for a reader who prefers this colour scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def save_screenshot(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.command("screenshot", method="GET")))
