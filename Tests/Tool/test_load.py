"""`rocket load` with order_server, with grpcio's server and with Python's double of an original."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

from tool import BIN, LIMIT, ROOT, GRPCIOServer, OrderServer, rocket, start

sys.path.insert(0, os.path.join(ROOT, "Tests", "Interop"))
from peers import PythonServer  # noqa: E402

MAKE = ("Order.makeOrder", '{"price":100,"goods":"{{pick apple pear}}-{{sequence}}"}')


def load(address, *arguments):
    return rocket("load", address, *arguments)


class Orders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = OrderServer()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def test_a_table_and_JSON(self):
        done = load(self.server.address, *MAKE, "-n", "200")
        self.assertEqual((done.status, done.errors), (0, ""), done)
        self.assertRegex(done.output, r"closed loop, 16 callers, 1 connection, .* s\n")
        self.assertRegex(done.output, r"Order\.makeOrder +200 +[0-9.]+ +0 ")
        for wire in ([], ["--grpc"]):
            done = load(self.server.address, *MAKE, "-n", "200", "--json", "--connections", "4",
                        "--threads", "2", *wire)
            self.assertEqual((done.status, done.errors), (0, ""), done)
            report = done.lines[0]
            self.assertEqual(report["total"]["calls"], 200)
            self.assertEqual(sum(count for _, count in report["total"]["histogram_ns"]), 200)
            self.assertEqual(sum(point["calls"] for point in report["course"]["points"]), 200)
            latency = report["total"]["latency_ms"]
            self.assertTrue(0 < latency["min"] <= latency["p50"] <= latency["p99.9"]
                            <= latency["max"], latency)

    def test_an_open_loop_makes_the_calls_of_its_rates(self):
        done = load(self.server.address, *MAKE, "--rate", "100", "-d", "1s", "--json")
        self.assertEqual(done.status, 0, done)
        total = done.lines[0]["total"]
        self.assertEqual((total["calls"], total["errors"]), (100, []))
        done = load(self.server.address, *MAKE, "--stage", "500ms:200", "--stage", "500ms:0",
                    "--json")
        total = done.lines[0]["total"]
        self.assertEqual((total["calls"], total["errors"]), (100, []))
        report = done.lines[0]
        self.assertEqual(report["setup"]["loop"], "open loop, 0 to 200 to 0 calls/s")
        self.assertEqual([(s["from"], s["to"], s["calls"]["calls"]) for s in report["stages"]],
                         [(0, 200, 50), (200, 0, 50)])
        for point in report["course"]["points"]:
            # The last call, due at 0.93 s, may end behind the schedule.
            late = point["second"] > 1.2
            self.assertTrue(late or 0 < point["target_per_second"] <= 200, point)
            self.assertTrue(late or point["p99_ms"] > 0, point)

    def test_the_callers_of_a_closed_loop_change(self):
        done = load(self.server.address, *MAKE, "--caller-stage", "300ms:8", "--caller-stage",
                    "300ms:1", "--label", "up and down")
        self.assertEqual((done.status, done.errors), (0, ""), done)
        self.assertIn("up and down: 127.0.0.1:", done.output)
        self.assertIn("closed loop of 1 to 8 to 1, 8 callers", done.output)
        self.assertIn("\n1 to 8 callers in 0.30 s ", done.output)

    def test_a_server_that_is_too_slow_shows_in_the_latencies_of_an_open_loop(self):
        # One caller, so calls wait for the one before them; they count from when they were due.
        done = load(self.server.address, *MAKE, "--rate", "1000000", "-n", "200", "-c", "1",
                    "--json")
        report = done.lines[0]
        self.assertEqual(report["total"]["calls"], 200)
        # The times of calls that follow each other add up to that of the run at most, if a call
        # counts from when it begins. Waits of all calls are far more, whenever the machine stalls.
        self.assertGreater(report["total"]["latency_ms"]["mean"] * 200,
                           report["seconds"] * 1000 * 2)

    def test_calls_that_never_begin_are_errors(self):
        done = load(self.server.address, *MAKE, "--rate", "1000000", "-d", "100ms", "-c", "1",
                    "--json", "--limit", "errors=1%")
        self.assertEqual(done.status, 1, done)
        total = done.lines[0]["total"]
        self.assertEqual(total["errors"][0]["code"], "NOT_BEGUN")
        self.assertEqual(total["calls"] + total["errors"][0]["count"], 100_000)
        self.assertIn("rocket: limit missed: errors=1%: ", done.errors)

    def test_a_search_for_the_highest_rate(self):
        find = ("--find-rate", "-d", "200ms", "--json")
        done = load(self.server.address, *MAKE, *find, "--limit", "p99=20s", "--rate", "50",
                    "--max-rate", "100", "--limit", "rate=60")
        self.assertEqual(done.status, 0, done)
        report = done.lines[0]
        self.assertEqual([(step["rate"], step["calls"], step["verdict"])
                          for step in report["steps"]], [(50, 8, "held"), (100, 16, "held")])
        self.assertEqual((report["rate"], report["bound"]), (100, "highest_rate"))
        self.assertEqual(report["step_limits"], ["p99=20s", "errors=1%"])
        self.assertEqual(report["limits"], [
            {"limit": "rate=60", "value": "100 calls/s", "is_met": True}])
        self.assertIn("50 to at most 100 calls/s, at most 16 steps of 0.2 s", done.errors)
        # No call is as quick as that; at lower rates a step would have too few calls.
        done = load(self.server.address, *MAKE, *find, "--limit", "p99=0.001ms", "--rate", "20")
        self.assertEqual(done.status, 1, done)
        report = done.lines[0]
        self.assertNotIn("rate", report)
        self.assertEqual([step["rate"] for step in report["steps"]], [20, 20])
        self.assertEqual(load(self.server.address, *MAKE, "--find-rate").status, 64)

    def test_methods_by_weight_and_deadlines(self):
        with tempfile.TemporaryDirectory() as folder:
            mix = os.path.join(folder, "orders.mix")
            ids = os.path.join(folder, "ids.jsonl")
            with open(ids, "w") as file:
                file.write('{"order_id":"1"}\n{"order_id":"{{random 2 9}}"}\n')
            with open(mix, "w") as file:
                file.write("# made by a test\n"
                           '3 Order.makeOrder {"price":{{random 1 100}},"goods":"{{letters 5}}"}\n'
                           f"1 queryOrder timeout=5s @{ids}\n"
                           "1 watchOrders timeout=1ms\n")
            done = load(self.server.address, "--mix", mix, "-n", "50", "--json",
                        "--limit", "queryOrder:errors=0", "--limit", "watchOrders:errors=9")
            self.assertEqual(done.status, 1, done)
            report = done.lines[0]
            self.assertEqual([(m["method"], m["calls"]) for m in report["methods"]],
                             [("Order.makeOrder", 30), ("Order.queryOrder", 10),
                              ("Order.watchOrders", 10)])
            self.assertEqual(report["methods"][2]["errors"][0]["code"], "ERROR_RPC_CALL_TIMEOUT")
            self.assertEqual([limit["is_met"] for limit in report["limits"]], [True, False])

    def test_limits(self):
        kept = ("--limit", "p99.9=20s", "--limit", "errors=0%", "--limit", "rate=0.1")
        done = load(self.server.address, *MAKE, "-n", "20", *kept)
        self.assertEqual((done.status, done.errors), (0, ""), done)
        self.assertEqual(done.output.count("  met\n"), 3)
        done = load(self.server.address, *MAKE, "-n", "20", "--limit", "max=0.001ms")
        self.assertEqual(done.status, 1, done)
        self.assertRegex(done.errors, r"^rocket: limit missed: max=0.001ms: [0-9.]+ ms\n$")

    def test_the_processor_time_of_the_server(self):
        # The kernel counts it in steps of 10 ms.
        done = load(self.server.address, "Order.makeOrder",
                    '{"price":100,"goods":"{{fill 500}}"}', "-n", "5000", "--json", "--pid",
                    str(self.server.process.pid))
        self.assertEqual(done.status, 0, done)
        report = done.lines[0]
        self.assertEqual(report["server"]["pids"], [self.server.process.pid])
        self.assertGreater(report["server"]["processor_us"], 0)
        self.assertGreater(report["client"]["processor_us"], 0)

    def test_completion_asks_the_server(self):
        words = ["rocket", "load", self.server.address, "Order.ma"]
        done = rocket("---completion", "load", "--", "positional@1", str(len(words) - 1),
                      str(len(words[-1])), *words)
        self.assertEqual((done.status, done.output.split()), (0, ["Order.makeOrder"]), done)

    def test_output_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.json")
            done = load(self.server.address, *MAKE, "-n", "5", "-o", path)
            self.assertEqual(done.status, 0, done)
            with open(path) as file:
                self.assertEqual(json.load(file)["total"]["calls"], 5)
            # Found before the load: it would never end.
            for wrong, status in (("/no/such/folder/a.json", 73), (folder, 73),
                                  (path + "/b.json", 73)):
                done = load(self.server.address, *MAKE, "-d", "60m", "-o", wrong)
                self.assertEqual((done.status, done.output), (status, ""), done)
                self.assertIn(f"{wrong} can't be written: ", done.errors)
            self.assertEqual(os.listdir(folder), ["a.json"])

    def test_a_limit_of_a_method_that_is_not_called_is_refused_before_the_load(self):
        done = load(self.server.address, *MAKE, "-d", "60m", "--limit", "Foo.bar:p99=1ms")
        self.assertEqual((done.status, done.output), (64, ""), done)
        self.assertIn("the load does not call Foo.bar, but Order.makeOrder", done.errors)

    def test_a_full_disk_leaves_the_former_report(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.json")
            with open(path, "w") as file:
                file.write("former")
            os.chmod(path, 0o640)

            def limit():
                resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

            # Python ignores SIGXFSZ; with it the program gets EFBIG, as ENOSPC of a full disk.
            process = subprocess.run(
                [os.path.join(BIN, "rocket"), "load", self.server.address, *MAKE, "-n", "5", "-o",
                 path], capture_output=True, text=True, timeout=LIMIT, preexec_fn=limit,
                restore_signals=False)
            self.assertEqual(process.returncode, 74, process)
            self.assertIn("a.json can't be written: EFBIG", process.stderr)
            with open(path) as file:
                self.assertEqual(file.read(), "former")
            self.assertEqual(os.listdir(folder), ["a.json"])
            # Without the limit it is replaced, and keeps its mode; a link stays one.
            link = os.path.join(folder, "link.json")
            os.symlink("a.json", link)
            self.assertEqual(load(self.server.address, *MAKE, "-n", "5", "-o", path).status, 0)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
            self.assertEqual(load(self.server.address, *MAKE, "-n", "6", "-o", link).status, 0)
            self.assertTrue(os.path.islink(link))
            with open(path) as file:
                self.assertEqual(json.load(file)["total"]["calls"], 6)
            done = load(self.server.address, *MAKE, "-n", "5", "-o", "/dev/full")
            self.assertEqual(done.status, 74, done)


class Fresh(unittest.TestCase):
    """With a server that has no orders yet."""

    def setUp(self):
        self.server = OrderServer()
        self.addCleanup(self.server.close)

    def goods(self):
        found = rocket("call", self.server.address, "Order.listOrders", '{"page_size":100}')
        return [order["goods"] for order in found.lines[0].get("orders", [])]

    def test_every_call_is_made_once(self):
        done = load(self.server.address, *MAKE, "-n", "50", "-c", "7")
        self.assertEqual(done.status, 0, done)
        made = sorted(name.split("-")[1] for name in self.goods())
        self.assertEqual(made, sorted(str(number) for number in range(50)))

    def test_an_interrupt_ends_with_the_report_so_far(self):
        process = start("load", self.server.address, *MAKE, "-d", "60m", "--limit", "rate=0")
        try:
            while not self.goods():
                self.assertIsNone(process.poll())
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
        self.assertEqual((process.returncode, errors), (-signal.SIGINT, ""))
        self.assertIn("s, interrupted\n", output)
        self.assertIn("rate=0", output)


class Errors(unittest.TestCase):
    def test_what_is_wrong_before_the_load(self):
        proto = ("--proto", os.path.join(ROOT, "Apps", "Protos", "order.proto"))
        done = load("127.0.0.1:1", *MAKE, *proto)
        self.assertEqual((done.status, done.errors),
                         (69, "rocket: 127.0.0.1:1 can't be reached\n"), done)
        done = load("127.0.0.1:1", "Order.makeOrder", '{"price":"{{uuid}}"}', *proto)
        self.assertEqual(done.status, 65, done)
        self.assertIn("price: expected int32", done.errors)
        done = load("127.0.0.1:1", "--mix", "/no/such/mix", *proto)
        self.assertEqual(done.status, 66, done)
        self.assertEqual(load("127.0.0.1:1").status, 64)


class GRPCIO(unittest.TestCase):
    def test_calls_and_streams_of_grpcio(self):
        server = GRPCIOServer("--reflection", "v1")
        try:
            with tempfile.NamedTemporaryFile("w", suffix=".mix") as mix:
                mix.write('2 Points.Echo {"x":{{sequence}}}\n1 Points.Many {"count":3}\n'
                          '1 Points.Fail {"x":5}\n')
                mix.flush()
                done = load(server.address, "--mix", mix.name, "--grpc", "-n", "40", "--json")
            self.assertEqual(done.status, 0, done)
            methods = done.lines[0]["methods"]
            self.assertEqual([m["calls"] for m in methods], [20, 10, 10])
            self.assertEqual([sum(e["count"] for e in m["errors"]) for m in methods], [0, 0, 10])
            self.assertEqual(methods[2]["errors"][0]["code"], "NOT_FOUND")
            done = load(server.address, "Points.Fail", '{"x":5}', "--grpc", "-n", "5")
            self.assertEqual(done.status, 1, done)
            self.assertIn("all calls failed: NOT_FOUND", done.errors)
            done = load(server.address, "Points.Sum", '[{"x":1},{"x":2}]', "--grpc", "-n", "6",
                        "--messages", "9", "--json")
            self.assertEqual(done.status, 0, done)
            messages = done.lines[0]["methods"][0]["messages"]
            self.assertEqual((messages["sent"], messages["received"]), (54, 6))
            self.assertNotIn("round_trip_ms", messages)
            # Each returns what it gets, and fails at the second message of the other stream.
            with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as requests:
                requests.write('[{"x":1},{"x":2},{"x":3}]\n[{"x":1},{"name":"stop"}]\n')
                requests.flush()
                done = load(server.address, "Points.Each", f"@{requests.name}", "--grpc", "-n", "8",
                            "--json")
            self.assertEqual(done.status, 0, done)
            each = done.lines[0]["methods"][0]
            self.assertEqual((each["calls"], each["errors"][0]["code"], each["errors"][0]["count"]),
                             (8, "FAILED_PRECONDITION", 4))
            self.assertGreater(each["messages"]["round_trip_ms"]["p50"], 0)
            done = load(server.address, "Points.Each", '[{"x":1}]', "--grpc", "-n", "8")
            self.assertRegex(done.output, r"(?m)^tool\.test\.Points\.Each +8 +[0-9.]+ +8 ")
        finally:
            server.close()


class Originals(unittest.TestCase):
    def test_servers_that_know_neither_metadata_nor_reflection(self):
        for peer in ("rocket", "tinyrpc"):
            with PythonServer(None) as server:
                done = load(f"127.0.0.1:{server.port}", *MAKE, "--peer", peer, "-n", "100",
                            "--json", "--proto", os.path.join(ROOT, "Apps", "Protos", "order.proto"))
            self.assertEqual((done.status, done.errors), (0, ""), done)
            total = done.lines[0]["total"]
            self.assertEqual((total["calls"], total["errors"]), (100, []))


if __name__ == "__main__":
    unittest.main()
