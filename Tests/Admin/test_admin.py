"""The page of order_server, as Prometheus, curl and a browser see it."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from chromium import Chromium

BIN = pathlib.Path(os.environ["ROCKET_BIN"])
SCREENSHOTS = pathlib.Path(os.environ["SCREENSHOTS"])
PAGES = ["/", "/methods", "/connections", "/channels", "/calls", "/loops", "/limits",
         "/configuration", "/log"]
# Seconds after which something hangs.
TIMEOUT = 300


def until(condition):
    """Waits until the condition holds, and returns what it has returned: numbers of a page are up to
    250 ms old."""
    limit = time.monotonic() + TIMEOUT
    while not (found := condition()):
        assert time.monotonic() < limit, "the condition does not come true"
        time.sleep(0.05)  # a pause between two questions: nothing depends on its length
    return found


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)


class Server:
    """An order_server with a page, on ports that the kernel chooses."""

    def __init__(self, folder, listen="127.0.0.1:0", elements=""):
        self.file = folder / "rocket.xml"
        self.configure(elements)
        environment = dict(
            os.environ, ROCKET_SERVER_PORT="0", ROCKET_SERVER_IO_THREADS="2",
            ROCKET_LOG_SINKS="console", ROCKET_ADMIN_LISTEN=listen, ROCKET_ADMIN_WRITABLE="true")
        self.process = subprocess.Popen(
            [BIN / "order_server", self.file], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment, cwd=folder)
        self.admin = None
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"admin page.*?address=\"?([^\s\"\]]+)", line)
            if found:
                self.admin = found[1]
                break
        assert self.admin, "".join(self.log)
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr))
        self.reader.start()
        self.address = self.process.stdout.readline().split()[-1]

    def configure(self, elements):
        self.file.write_text(
            f"<root>{elements}<order_store><path>orders.sqlite</path></order_store></root>")

    def connection(self):
        if self.admin.startswith("unix:"):
            return UnixConnection(self.admin.removeprefix("unix:"))
        return http.client.HTTPConnection(self.admin, timeout=TIMEOUT)

    def get(self, path, method="GET", body=None, **headers):
        connection = self.connection()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def json(self, path):
        status, text = self.get(path)
        assert status == 200, text
        return json.loads(text)

    def call(self, *arguments):
        return subprocess.run(
            [BIN / "order_client", *arguments, "--to", self.address], capture_output=True,
            text=True, timeout=TIMEOUT)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(TIMEOUT)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class AdminTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.server = Server(pathlib.Path(cls.folder.name))
        for price in range(3):
            made = cls.server.call("make", "--price", str(100 + price), "--goods", "apple")
            assert made.returncode == 0, made.stderr
        cls.server.call("query", "no-such-order")

    @classmethod
    def tearDownClass(cls):
        cls.server.end()
        cls.folder.cleanup()

    def test_metrics_are_content(self):
        until(lambda: re.search(
            r'handled_total\{service="[^"]*Order",method="makeOrder",code="OK"\} 3\n',
            self.server.get("/metrics")[1]))
        text = self.server.get("/metrics")[1]
        check = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, "", ""), text)

    def test_tables_are_json(self):
        for page in PAGES:
            table = self.server.json("/overview.json" if page == "/" else f"{page}.json")
            self.assertTrue(table, page)
        methods = until(lambda: [
            row for row in self.server.json("/methods.json")["methods"]
            if row["calls"] == 3 and row["method"].endswith("makeOrder")])
        self.assertEqual(methods[0]["errors"], 0)
        settings = {row["setting"]: row for row in
                    self.server.json("/configuration.json")["configuration"]}
        self.assertEqual(settings["admin/writable"]["origin"], "$ROCKET_ADMIN_WRITABLE")

    def test_foreign_pages_are_kept_out(self):
        self.assertEqual(self.server.get("/", Host="evil.example")[0], 421)
        body = "stream=app&level=ERROR"
        self.assertEqual(self.server.get("/log", "POST", body)[0], 403)
        self.assertEqual(
            self.server.get("/log", "POST", body, Origin="http://evil.example")[0], 403)

    def test_pages_in_chromium(self):
        browser = Chromium()
        self.addCleanup(browser.close)
        url = f"http://{self.server.admin}"
        for width, height in ((1280, 900), (390, 844)):
            for scheme in ("light", "dark"):
                browser.look(width, height, scheme)
                for page in PAGES:
                    with self.subTest(page=page, width=width, scheme=scheme):
                        browser.open(url + page)
                        found = browser.inspect()
                        name = page.strip("/") or "overview"
                        browser.screenshot(SCREENSHOTS / f"{name}-{width}-{scheme}.png")
                        self.assertEqual(browser.errors, [])
                        self.assertEqual(found["low"], [], "contrast below 4.5")
                        self.assertLessEqual(found["wide"], 0, "the document is too wide")
                        self.assertIn("order_server", found["title"])
        self.use(browser, url)

    def use(self, browser, url):
        """Live numbers, a filter, an order, the log's level, the keyboard."""
        browser.look(1280, 900, "light")
        browser.open(url + "/methods?all=1&filter=order")
        before = browser.evaluate("document.querySelector('#time').textContent")
        until(lambda: browser.evaluate("document.querySelector('#time').textContent") != before)
        rows = "document.querySelectorAll('tbody tr').length"
        self.assertGreaterEqual(browser.evaluate(rows), 2)
        browser.click_and_load("document.querySelector('th a').click()")
        self.assertIn("sort=", browser.evaluate("location.search"))
        self.assertIn("filter=order", browser.evaluate("location.search"))
        self.assertIn("all=1", browser.evaluate("location.search"))
        browser.open(url + "/methods")
        browser.click_and_load(
            "document.querySelector('[name=filter]').value = 'make';"
            "document.querySelector('form').requestSubmit()")
        self.assertEqual(browser.evaluate(rows), 1)
        browser.open(url + "/log")
        browser.click_and_load(
            "(() => { const form = document.querySelectorAll('form')[1];"
            "form.level.value = 'DEBUG'; form.requestSubmit(); })()")
        self.assertEqual(browser.evaluate("location.pathname"), "/log")
        self.assertEqual(
            {row["stream"]: row["level"] for row in self.server.json("/log.json")["log"]}["app"],
            "DEBUG")
        # The first thing that the keyboard reaches leads past the navigation.
        browser.open(url)
        for kind in ("keyDown", "keyUp"):
            browser.send("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)
        self.assertEqual(browser.evaluate("document.activeElement.className"), "skip")
        self.assertEqual(browser.errors, [])


class UnixSocketTests(unittest.TestCase):
    def test_unix_socket_answers_its_user_until_the_server_has_drained(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/admin.sock"
            server = Server(pathlib.Path(folder), f"unix:{path}")
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
            self.assertEqual(server.get("/readyz"), (200, "ready\n"))
            server.end()
            self.assertEqual(server.process.returncode, 0)
            self.assertFalse(os.path.exists(path))

    def test_a_program_whose_page_can_not_listen_is_never_ready(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "taken").write_text("of somebody else")
            (folder / "rocket.xml").write_text(
                "<root><order_store><path>orders.sqlite</path></order_store></root>")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(f"{folder}/notify")
                ended = subprocess.run(
                    [BIN / "order_server", folder / "rocket.xml"], capture_output=True, text=True,
                    timeout=TIMEOUT, cwd=folder,
                    env=dict(os.environ, ROCKET_SERVER_PORT="0", ROCKET_LOG_SINKS="console",
                             ROCKET_ADMIN_LISTEN=f"unix:{folder}/taken",
                             NOTIFY_SOCKET=f"{folder}/notify"))
                manager.setblocking(False)
                notifications = []
                try:
                    while True:
                        notifications.append(manager.recv(4096))
                except BlockingIOError:
                    pass
            self.assertEqual(ended.returncode, 73, ended.stderr)
            self.assertNotIn("ready", ended.stdout)
            self.assertFalse([text for text in notifications if b"READY=1" in text])
            self.assertEqual((folder / "taken").read_text(), "of somebody else")


if __name__ == "__main__":
    unittest.main()
