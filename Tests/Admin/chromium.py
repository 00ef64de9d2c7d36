"""Headless Chromium, driven by its DevTools protocol over two pipes: no port, no package."""

import base64
import json
import os
import shutil
import subprocess
import tempfile

# Computes the contrast of every text that is seen, by WCAG, and what is wider than the window.
INSPECT = r"""
(() => {
  const parse = text => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return parts.length < 4 ? [...parts, 1] : parts;
  };
  const blend = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const background = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => blend(top, below), [255, 255, 255, 1]);
  };
  const luminance = color => {
    const [r, g, b] = color.map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script,style,svg"))
      continue;
    const back = background(element);
    const front = blend(parse(getComputedStyle(element).color), back);
    const [a, b] = [luminance(front), luminance(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([walker.currentNode.data.trim().slice(0, 40), Math.round(ratio * 100) / 100]);
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return {low, wide, title: document.title,
          background: getComputedStyle(document.body).backgroundColor};
})()
"""


class Chromium:
    """One page. `errors` has what the console would show in red."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        assert program, "chromium is not installed: scripts/deps --admin"

        def place():
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        # Descriptors 3 and 4 are taken by the pipes in the child: move those that are in the way.
        pipes = [to_read, to_write]
        for index, pipe in enumerate(pipes):
            if pipe in (3, 4):
                pipes[index] = os.dup(os.dup(os.dup(pipe)))
        to_read, to_write = pipes
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu",
             "--hide-scrollbars", "--no-first-run", "--disable-extensions", "--disable-sync",
             "--disable-background-networking", "--disable-component-update",
             f"--user-data-dir={self.folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=place,
            pass_fds=(3, 4, to_read, to_write))
        os.close(to_read)
        os.close(to_write)
        self.rest = b""
        self.number = 0
        self.session = None
        self.events = []
        self.errors = []
        target = next(t for t in self.send("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.send(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self):
        os.close(self.write_end)
        os.close(self.read_end)
        self.process.terminate()
        self.process.wait(20)
        self.folder.cleanup()

    def message(self):
        while b"\0" not in self.rest:
            part = os.read(self.read_end, 1 << 16)
            assert part, "chromium has ended"
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def send(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self.write_end, data):]
        while True:
            message = self.message()
            if message.get("id") == self.number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self.event(message)

    def event(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        self.events.append(method)
        if method == "Runtime.exceptionThrown":
            self.errors.append(parameters["exceptionDetails"].get("text", "exception"))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(parameters["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.errors.append(str(parameters["args"]))

    def wait_for(self, name):
        while name not in self.events:
            self.event(self.message())

    def look(self, width, height, scheme):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.events.clear()
        self.send("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def evaluate(self, script, waits=False):
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=waits)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def inspect(self):
        return self.evaluate(INSPECT)

    def click_and_load(self, script):
        """Runs a script that leads to another page, and waits for that."""
        self.events.clear()
        self.evaluate(script)
        self.wait_for("Page.loadEventFired")

    def screenshot(self, path, full=True):
        data = self.send("Page.captureScreenshot", captureBeyondViewport=full)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
