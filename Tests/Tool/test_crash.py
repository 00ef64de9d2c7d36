"""`rocket crash`: the flight recorder of an order_server that was killed under load."""

import json
import os
import signal
import threading
import unittest

from tool import OrderServer, call, rocket, start

FLIGHT = "<flight_recorder><path>flight</path></flight_recorder>"


class Crash(unittest.TestCase):
    def setUp(self):
        self.server = OrderServer(elements=FLIGHT)
        self.addCleanup(self.server.close)
        self.file = os.path.join(self.server.folder.name, "flight")

    def crash(self, file=None, *options):
        done = rocket("crash", file or self.file, "--json", *options)
        self.assertEqual(done.status, 0, done)
        return json.loads(done.output)

    def make(self):
        return call(self.server.address, "Order.makeOrder", '{"price":100,"goods":"apple"}')

    def watch(self):
        """A call that stays in flight."""
        first = self.make().lines[0]["order_id"]
        watcher = start("call", self.server.address, "Order.watchOrders",
                        json.dumps({"after_order_id": first}))
        self.addCleanup(watcher.communicate)
        self.addCleanup(watcher.kill)
        self.make()
        self.assertTrue(watcher.stdout.readline())  # so the call has begun

    def test_killed_under_load(self):
        self.watch()
        answered = threading.Semaphore(0)
        ends = threading.Event()

        def load():
            while not ends.is_set() and self.make().status == 0:
                answered.release()

        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                self.assertTrue(answered.acquire(timeout=20))
            self.server.kill()
        finally:
            ends.set()
            for thread in threads:
                thread.join()

        report = self.crash(None, "--last", "500")
        self.assertEqual(report["program"], "order_server")
        self.assertEqual(report["pid"], self.server.process.pid)
        self.assertFalse(report["running"] or report["orderly"])
        self.assertEqual((report["signal"], report["missing_bytes"]), (0, 0))
        oldest = report["in_flight"][0]
        self.assertEqual((oldest["method"], oldest["wire"]), ("Order.watchOrders", "TinyPB"))
        self.assertTrue(oldest["peer"].startswith("127.0.0.1:"))
        self.assertGreater(oldest["duration_ns"], 0)
        made = [one for one in report["last"] if one["kind"] == "call"
                and one["method"] == "Order.makeOrder"]
        self.assertGreaterEqual(len(made), 10)
        self.assertEqual({one["code"] for one in made}, {0})
        self.assertTrue([one for one in report["last"] if one["kind"] == "line"])
        times = [one.get("time_ns") or one["began_ns"] + one["duration_ns"]
                 for one in report["last"]]
        self.assertEqual(times, sorted(times))

        text = rocket("crash", self.file)
        self.assertEqual(text.status, 0, text)
        self.assertIn("ended     killed, without a trace of why", text.output)
        self.assertIn(" Order.watchOrders from 127.0.0.1:", text.output)

        # The next process keeps the file and says so.
        self.server.start()
        self.assertEqual(self.crash(self.file + ".1")["in_flight"], report["in_flight"])
        report = self.crash()
        self.assertTrue(report["running"])
        lines = [one["text"] for one in report["last"] if one["kind"] == "line"]
        self.assertTrue([line for line in lines if line.startswith(
            "the process before has crashed") and self.file + ".1" in line], lines)

    def test_an_orderly_end_leaves_nothing_to_keep(self):
        self.server.stop()
        self.assertTrue(self.crash()["orderly"])
        self.server.start()
        self.assertFalse(os.path.exists(self.file + ".1"))

    def test_a_crash_says_its_signal(self):
        self.watch()
        self.server.kill(signal.SIGSEGV)
        report = self.crash()
        self.assertEqual(report["signal"], signal.SIGSEGV)
        self.assertEqual([one["method"] for one in report["in_flight"]], ["Order.watchOrders"])
        self.assertIn("by SIGSEGV in thread", rocket("crash", self.file).output)
        self.server.start()

    def test_other_files(self):
        missing = rocket("crash", "/no/such/file")
        self.assertEqual(missing.status, 66, missing)
        foreign = rocket("crash", self.server.configuration)
        self.assertEqual(foreign.status, 65, foreign)
        self.assertIn("is no file of a flight recorder", foreign.errors)
        with open(self.file, "rb") as file:
            part = file.read(100_000)
        cut = os.path.join(self.server.folder.name, "cut")
        with open(cut, "wb") as file:
            file.write(part)
        done = rocket("crash", cut)
        self.assertEqual(done.status, 65, done)
        self.assertIn("program   order_server", done.output)
        self.assertIn("is cut: ", done.errors)

    def test_a_file_that_can_not_be_made_is_an_error_at_the_start(self):
        with open(self.file + "-other", "w") as file:
            file.write("something else")
        with open(self.server.configuration) as file:
            text = file.read()
        other = os.path.join(self.server.folder.name, "other.xml")
        for path, part in (("flight-other", "which is no file of a flight recorder"),
                           ("missing/flight", "No such file"),
                           ("flight", "which another process has")):
            with open(other, "w") as file:
                file.write(text.replace("<path>flight</path>", f"<path>{path}</path>"))
            with self.assertRaisesRegex(AssertionError, part):
                server = OrderServer.__new__(OrderServer)
                server.configuration = other
                server.start()
