"""A headless Chromium under test, spoken to over a pipe: no port, no
package beyond the browser."""
import base64
import json
import os
import select
import subprocess
import tempfile
import time

from tools import qemu

BROWSER = "chromium"
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu",
         "--no-first-run", "--disable-extensions", "--disable-sync",
         "--disable-background-networking", "--disable-component-update",
         "--disable-dev-shm-usage", "--remote-debugging-pipe",
         "--hide-scrollbars", "--force-device-scale-factor=1"]


class Browser:
    """One page. Use it in a with statement."""

    def __init__(self, width=1600, height=1000):
        self.folder = tempfile.TemporaryDirectory(
            ignore_cleanup_errors=True)
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()

        def child():
            qemu.die_with_parent()
            # The two ends may be at 3 and 4 themselves.
            high = [os.dup(to_read), os.dup(to_write)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [BROWSER, *FLAGS, f"--window-size={width},{height}",
             f"--user-data-dir={self.folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=child)
        os.close(to_read)
        os.close(to_write)
        self.number, self.rest, self.session = 0, b"", None
        self.errors = []

    def __enter__(self):
        page = self.ask("Target.createTarget", url="about:blank")
        self.session = self.ask("Target.attachToTarget", flatten=True,
                                targetId=page["targetId"])["sessionId"]
        self.ask("Runtime.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=1600,
                 height=1000, deviceScaleFactor=1, mobile=False)
        return self

    def __exit__(self, *_):
        # Its children go with it once the pipe is closed.
        os.close(self.to)
        os.close(self.back)
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def next_message(self, seconds=20):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.back], [], [], seconds)
            assert ready, "the browser does not answer"
            data = os.read(self.back, 1 << 20)
            assert data, "the browser has ended"
            self.rest += data
        line, self.rest = self.rest.split(b"\0", 1)
        return json.loads(line)

    def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            reply = self.next_message()
            if reply.get("method") == "Runtime.exceptionThrown":
                self.errors.append(reply["params"]["exceptionDetails"])
            if reply.get("id") == self.number:
                assert "error" not in reply, reply
                return reply["result"]

    def open(self, url):
        self.ask("Page.navigate", url=url)

    def value(self, expression):
        """Of a JavaScript expression; a promise is awaited."""
        reply = self.ask("Runtime.evaluate", expression=expression,
                         returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def wait(self, expression, seconds=10):
        """Until it is true; returns its value."""
        end = time.monotonic() + seconds
        while True:
            # An element is true; the pipe would make it an empty object.
            value = self.value("(() => { try { const v = "
                               f"{expression}; return v instanceof Element "
                               "|| v } catch (e) { return null } })()")
            if value:
                return value
            assert time.monotonic() < end, \
                f"never: {expression}\n{self.errors}\n" + str(self.value(
                    "document.body.innerText"))[:1500]
            time.sleep(0.03)

    def click(self, selector):
        self.value(f"document.querySelector({json.dumps(selector)})"
                   ".dispatchEvent(new MouseEvent('click', "
                   "{bubbles: true}))")

    def picture(self, path):
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
