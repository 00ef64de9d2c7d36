"""What the page says of peers: one that says nothing, and one that does not read."""

import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

from test_admin import BIN, TIMEOUT, Server, until

PROTO = pathlib.Path(__file__).resolve().parents[2] / "Apps/Protos/order.proto"
SCHEMA = ("--proto", str(PROTO), "--import-path", str(PROTO.parent))


class PeerTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = Server(pathlib.Path(folder.name))
        self.addCleanup(self.server.end)

    def rows(self, table, query=""):
        return self.server.json(f"/{table}.json{query}")[table]

    def load(self, *arguments):
        return [BIN / "rocket", "load", self.server.address, *arguments, *SCHEMA, "--json"]

    def test_a_silent_connection_is_in_the_table(self):
        host, port = self.server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as peer:
            own = "%s:%d" % peer.getsockname()
            row = until(lambda: [r for r in self.rows("connections") if r["peer"] == own])[0]
            self.assertEqual((row["state"], row["wire"]), ("has sent nothing", None))
        until(lambda: not self.rows("connections"))

    def test_a_peer_that_does_not_read_is_named_and_no_handler_is_blamed(self):
        done = subprocess.run(
            self.load("Order.makeOrder", '{"price":100,"goods":"{{letters 1000}}"}', "-n", "500"),
            capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        # Half a MiB each; the kernels of both sides take some MiB.
        client = subprocess.Popen(
            self.load("Order.listOrders", '{"pageSize":500}', "-c", "64", "-d", "1m"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: [r for r in self.rows("methods") if "listOrders" in r["method"]])
            client.send_signal(signal.SIGSTOP)
            row = until(lambda: [
                r for r in self.rows("connections") if r["unread_seconds"] >= 5])[0]
            self.assertGreater(row["kernel_bytes"], 100_000)
            self.assertGreater(row["unsent_bytes"], 0)
            named = until(lambda: [
                a["text"] for a in self.server.json("/overview.json")["attention"]
                if a["page"] == "connections"])
            self.assertIn(row["peer"], named[0])
            client.send_signal(signal.SIGCONT)
            slow = until(lambda: [
                r for r in self.rows("calls", "?method=Order.listOrders&min_ms=4000")
                if r["handler_seconds"] is not None])
        finally:
            client.kill()
            client.wait()
        for row in slow:
            waited = (row["output_wait_seconds"] or 0) + (row["flush_seconds"] or 0)
            self.assertGreater(waited, row["handler_seconds"], row)

    def test_results_are_counted(self):
        self.server.call("make", "--price", "1", "--goods", "apple")
        line = 'order_server_results_total{method="makeOrder",ret_code="-1"} 1\n'
        until(lambda: line in self.server.get("/metrics")[1])
        row = until(lambda: [r for r in self.rows("methods") if r["calls"] == 1])[0]
        self.assertEqual((row["errors"], row["last_error"]), (0, None))

    def test_traced_calls_are_found_by_their_trace(self):
        trace = "0af7651916cd43dd8448eb211c80319c"
        done = subprocess.run(
            [BIN / "rocket", "call", self.server.address, "Order.queryOrder", '{"orderId":"x"}',
             *SCHEMA, "-H", f"traceparent=00-{trace}-b7ad6b7169203331-01"],
            capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = until(lambda: self.rows("calls", f"?trace={trace[:8]}"))
        self.assertEqual([r["trace_id"] for r in rows], [trace])
        self.assertIsNotNone(rows[0]["handler_seconds"])
        self.assertEqual(self.rows("calls", "?trace=ffff"), [])


if __name__ == "__main__":
    unittest.main()
