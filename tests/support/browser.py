"""A Chromium that tests drive over its remote-debugging pipe, with the standard library alone."""

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
]  # fmt: skip
KEYS = {" ": "Space", "Enter": "Enter", "Escape": "Escape", "Tab": "Tab"}


START = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for end, number in zip(ends, (3, 4)):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class PageLeft(RuntimeError):
    """The browser went to another page while code of the old one ran."""


class Browser:
    """One browser process with one page. Use it in a `with` statement.

    Attributes:
        requests: the address of everything that the page asked for since `open`.
        errors: the messages of errors that no code of the page caught.
    """

    def __enter__(self):
        self._folder = tempfile.mkdtemp()
        (child_in, write), (read, child_out) = os.pipe(), os.pipe()

        # the browser reads from 3 and writes to 4; a Python arranges that, as no thread may be forked
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        start = [sys.executable, "-c", START, str(child_in), str(child_out), *command]
        self._process = subprocess.Popen(
            start, pass_fds=(child_in, child_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(child_in)
        os.close(child_out)
        self._write, self._read = os.fdopen(write, "wb"), os.fdopen(read, "rb")
        self._numbers, self._rest, self._session = itertools.count(1), b"", None
        self.requests, self.errors, self._loaded = [], [], False
        [page] = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        attach = {"targetId": page["targetId"], "flatten": True}
        self._session = self.call("Target.attachToTarget", **attach)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, EOFError):
            self._session = None
            self.call("Browser.close")
        self._write.close()
        self._process.wait(timeout=20)
        self._read.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, method, **params):
        """Send a command of the DevTools protocol, and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    message = answer["error"]["message"]
                    left = "navigated" in message or "context" in message
                    raise (PageLeft if left else RuntimeError)(f"{method}: {message}")
                return answer["result"]

    def _next(self):
        """Read one message; keep what it reports."""
        while b"\0" not in self._rest:
            part = self._read.read1(1 << 20)
            if not part:
                raise EOFError("the browser ended")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        answer = json.loads(message)
        params = answer.get("params", {})
        if answer.get("method") == "Network.requestWillBeSent":
            self.requests += [url] if not (url := params["request"]["url"]).startswith("data:") else []
        elif answer.get("method") == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif answer.get("method") == "Page.loadEventFired":
            self._loaded = True
        return answer

    def open(self, path, at=""):
        """Open a page of the disk, and wait until it is loaded."""
        for url in ("about:blank", path.as_uri() + at):  # from a page to itself, only the hash would change
            self.requests, self.errors, self._loaded = [], [], False
            self.call("Page.navigate", url=url)
            while not self._loaded:
                self._next()

    def window(self, width, height=844, dark=False, still=True):
        """Set the size of the window, the theme of the system, and whether it asks for less motion."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "no-preference",
        }
        features = [{"name": name, "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=features)

    def run(self, expression):
        """Return the value of an expression of JavaScript; a promise is awaited."""
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        result = self.call("Runtime.evaluate", expression=expression, **options)
        if "exceptionDetails" in result:
            raise RuntimeError(result["result"].get("description", "an error in the page"))
        return result["result"].get("value")

    def press(self, *keys):
        """Press keys, one after another."""
        for key in keys:
            text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
            names = {"key": key, "code": KEYS.get(key, key)}
            codes = {"Enter": 13, "Tab": 9, "Escape": 27, " ": 32}
            number = {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", **names, **text, **number)
            self.call("Input.dispatchKeyEvent", type="keyUp", **names, **number)

    def type(self, text):
        """Write a text into the field that has the focus."""
        self.call("Input.insertText", text=text)

    def tap(self, selector):
        """Touch the middle of an element, which must be in view and not covered."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({ block: 'nearest' }); const b = e.getBoundingClientRect();"
            "const at = [b.x + b.width / 2, b.y + b.height / 2], hit = document.elementFromPoint(...at);"
            "if (!e.contains(hit)) throw new Error('covered by ' + hit?.outerHTML); return at; })()"
        )
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        self.run("new Promise(requestAnimationFrame)")

    def picture(self, path):
        """Write what the window shows to a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
