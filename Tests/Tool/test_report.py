"""What a load shows: the live view in a terminal (tmux), the pages in headless Chromium."""

import json
import os
import sys
import tempfile
import unittest

from tool import ROOT, OrderServer, Terminal, rocket

sys.path.insert(0, os.path.join(ROOT, "Tests", "Admin"))
from chromium import Chromium  # noqa: E402

MAKE = ("Order.makeOrder", '{"price":100,"goods":"apple"}')
SCREENSHOTS = os.environ.get("SCREENSHOTS")


class Shown(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = OrderServer()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()


class LiveView(Shown):
    def terminal(self, *arguments, **options):
        terminal = Terminal("load", self.server.address, *MAKE, *arguments, **options)
        self.addCleanup(terminal.close)
        return terminal

    def test_it_shows_rates_and_latencies_and_is_removed_at_the_end(self):
        terminal = self.terminal("-d", "60m")
        lines = terminal.wait_for(" calls/s", " p50 ", "s of 3600.0 s")
        self.assertEqual(len([line for line in lines if line]), 5, lines)
        # The same lines are drawn again.
        calls = lines[2].split(" ")[0]
        while terminal.wait_for(" errors")[2].split(" ")[0] == calls:
            pass
        self.assertEqual(len([line for line in terminal.lines() if line]), 5, lines)
        terminal.tmux("send-keys", "C-c")
        lines = terminal.wait_for("status=130")
        self.assertIn("s, interrupted", "".join(lines))
        self.assertFalse([line for line in lines if "\u2588" in line or " of 3600" in line], lines)

    def test_a_narrow_terminal(self):
        terminal = self.terminal("-d", "60m", columns=40)
        lines = terminal.wait_for("errors", "calls/s")
        self.assertEqual(len([line for line in lines if line]), 5, lines)
        terminal.tmux("send-keys", "C-c")
        terminal.wait_for("status=130")

    def test_the_end_leaves_the_table(self):
        # Longer than an interval, so that the view is there before.
        terminal = self.terminal("-d", "1200ms")
        lines = [line for line in terminal.wait_for("status=0") if line]
        self.assertIn("closed loop, 16 callers", lines[0])
        self.assertEqual(len(lines), 4, lines)

    def test_a_terminal_that_can_not_move_its_cursor(self):
        terminal = self.terminal("-d", "1200ms", term="dumb")
        while not any("status=0" in line for line in terminal.lines()):
            self.assertFalse(any("\u2588" in line for line in terminal.lines()))


class Pages(Shown):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix="rocket-pages-")
        cls.browser = Chromium()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()
        super().tearDownClass()

    def load(self, name, *arguments):
        path = os.path.join(self.folder.name, name)
        mix = os.path.join(self.folder.name, "mix")
        with open(mix, "w") as file:
            file.write('8 Order.makeOrder {"price":100,"goods":"apple"}\n'
                       '1 Order.queryOrder {"order_id":"1"}\n1 watchOrders timeout=1ms\n')
        done = rocket("load", self.server.address, "--mix", mix, "-o", path, *arguments)
        self.assertNotIn(done.status, (64, 65, 69, 73), done)
        return path

    def look(self, path, title):
        for width in (390, 1200):
            backgrounds = set()
            for scheme in ("light", "dark"):
                self.browser.look(width, 900, scheme)
                self.browser.open(f"file://{path}")
                found = self.browser.inspect()
                self.assertEqual((found["low"], found["wide"]), ([], 0), found)
                self.assertEqual(found["title"], title)
                backgrounds.add(found["background"])
                if SCREENSHOTS:
                    name = os.path.basename(path).removesuffix(".html")
                    self.browser.screenshot(
                        os.path.join(SCREENSHOTS, f"load-{name}-{width}-{scheme}.png"))
            self.assertEqual(len(backgrounds), 2)
        self.assertEqual(self.browser.errors, [])

    def test_a_report(self):
        path = self.load("report.html", "-d", "1200ms", "--limit", "p99=20s",
                         "--limit", "errors=0.1%")
        self.look(path, f"Load of {self.server.address}")
        found = self.browser.evaluate("""(() => {
          const rows = [...document.querySelectorAll("tbody tr th")].map(cell => cell.innerText);
          const lines = [...document.querySelectorAll("polyline")];
          const inside = lines.every(line => [...line.points].every(
            point => point.x >= 0 && point.x <= 720 && point.y >= 0 && point.y <= 300));
          return {rows, inside, charts: document.querySelectorAll("svg").length,
                  curves: document.querySelector("svg").querySelectorAll("polyline").length,
                  drawn: lines.every(line => getComputedStyle(line).stroke !== "none"),
                  marks: document.querySelectorAll("circle title").length,
                  scripts: document.scripts.length};
        })()""")
        self.assertEqual(found["rows"][:4], ["total", "Order.makeOrder", "Order.queryOrder",
                                             "Order.watchOrders"])
        self.assertIn("ERROR_RPC_CALL_TIMEOUT", found["rows"])
        self.assertEqual((found["charts"], found["curves"], found["scripts"]), (3, 4, 0))
        self.assertTrue(found["inside"] and found["drawn"] and found["marks"] > 8, found)

    def test_ramps(self):
        for name, *stages in (("rate.html", "--stage", "600ms:100", "--stage", "600ms:100"),
                              ("callers.html", "--caller-stage", "600ms:5", "--caller-stage",
                               "600ms:5")):
            path = self.load(name, *stages, "--label", "a ramp")
            self.look(path, f"Load of a ramp: {self.server.address}")
            rows = self.browser.evaluate(
                '[...document.querySelectorAll("tbody th")].map(cell => cell.innerText)')
            self.assertTrue(any(row.endswith(" in 0.60 s") for row in rows), rows)

    def test_a_search(self):
        path = self.load("search.html", "--find-rate", "-d", "100ms", "--rate", "50", "--max-rate",
                         "200", "--limit", "p99=20s", "--limit", "errors=50%")
        self.look(path, f"Highest rate of {self.server.address}")

    def test_a_report_of_one_call(self):
        path = self.load("short.html", "-n", "1", "-c", "1")
        self.look(path, f"Load of {self.server.address}")

    def test_a_comparison(self):
        before = self.load("a.json", "-n", "200")
        after = self.load("b.json", "-n", "200", "--label", "new <version>")
        path = os.path.join(self.folder.name, "changes.html")
        done = rocket("compare", before, after, "-o", path, "--limit", "p99=100000%")
        self.assertEqual((done.status, done.errors), (0, ""), done)
        self.assertRegex(done.output, r"(?m)^total +p99 ms +[0-9.]+ +[0-9.]+ +[-+]?[0-9.]+ %$")
        self.assertRegex(done.output, r"^ +before +new <version> +change\n")
        self.look(path, f"Loads of {self.server.address}")
        with open(after) as file:
            report = json.load(file)
        report["total"]["histogram_ns"] = [[10**10, 200]]
        with open(after, "w") as file:
            json.dump(report, file)
        done = rocket("compare", before, after, "--limit", "p99=10%", "--limit", "rate=100%")
        self.assertEqual(done.status, 1, done)
        self.assertRegex(done.errors, r"^rocket: limit missed: p99=10%: p99 is [0-9.]+ ms before, "
                                      r"10000\.000 ms after\n$")
        self.assertEqual(rocket("compare", before, "/no/such/report").status, 66)
        self.assertEqual(rocket("compare", before, __file__).status, 65)


if __name__ == "__main__":
    unittest.main()
