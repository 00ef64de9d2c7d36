"""Spans of order_server's calls, as a collector of OpenTelemetry gets them."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import grpc

from collector import ERROR, SERVER, Collector, attributes
from test_admin import TIMEOUT, Server, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
MAKE, WATCH, QUERY = (f"Order.{name}" for name in ("makeOrder", "watchOrders", "queryOrder"))


def parent(flags="01"):
    return (("traceparent", f"00-{TRACE}-{PARENT}-{flags}"), ("tracestate", "shop=1"))


class TracingTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def serve(self, collector, **settings):
        """An order_server that exports to the collector at an address."""
        key = self.folder / "headers"
        key.write_text("# the key\nX-Key: secret-7\n")
        key.chmod(0o600)
        settings = {"ENDPOINT": collector, "INTERVAL_MS": "10", "HEADERS_FILE": str(key),
                    "ATTRIBUTES": "deployment.environment.name=test"} | settings
        changes = {f"ROCKET_TRACE_OTLP_{name}": value for name, value in settings.items()}
        changes["ROCKET_TRACE_CALLS_PER_TRACE"] = "1"
        before = os.environ.copy()
        os.environ.update(changes)
        try:
            server = Server(self.folder)
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.addCleanup(server.end)
        return server

    def call(self, server, method, request, metadata=()):
        """Calls by gRPC; returns the status."""
        with grpc.insecure_channel(server.address) as channel:
            service, _, name = method.rpartition(".")
            call = channel.unary_unary(f"/{service}/{name}")
            try:
                call(request, metadata=metadata, timeout=TIMEOUT)
                return grpc.StatusCode.OK
            except grpc.RpcError as error:
                return error.code()

    def metric(self, server, name):
        text = server.get("/metrics")[1]
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else None

    def test_spans_have_parents_attributes_and_resource(self):
        collector = Collector()
        self.addCleanup(collector.end)
        server = self.serve(collector.address)
        # Refused by the rules of the service, which its response says.
        self.call(server, MAKE, b"", parent())
        made = server.call("make", "--price", "100", "--goods", "apple")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertNotEqual(server.call("watch", "--after", "no-such-order").returncode, 0)
        collector.wait(lambda: len(collector.spans) >= 3, TIMEOUT)
        spans = {span.name: span for span in collector.spans}
        child = next(span for span in collector.spans if span.trace_id.hex() == TRACE)
        self.assertEqual(child.parent_span_id.hex(), PARENT)
        self.assertEqual(child.trace_state, "shop=1")
        self.assertEqual(len(child.span_id), 8)
        self.assertEqual(child.kind, SERVER)
        self.assertLessEqual(child.start_time_unix_nano, child.end_time_unix_nano)
        self.assertEqual(child.name, MAKE)
        found = attributes(child)
        port = int(server.address.rpartition(":")[2])
        for key, value in {"rpc.system": "grpc", "rpc.service": "Order",
                           "rpc.method": "makeOrder", "rpc.grpc.status_code": 0,
                           "rpc.rocket.code": 0, "server.address": "127.0.0.1",
                           "server.port": port, "network.peer.address": "127.0.0.1",
                           "network.transport": "tcp"}.items():
            self.assertEqual(found.get(key), value, key)
        self.assertNotIn("error.type", found)
        # What a caller did wrong is no failure of the server.
        watch = spans[WATCH]
        self.assertEqual(attributes(watch)["rpc.grpc.status_code"], 5)
        self.assertEqual(attributes(watch)["error.type"], "NOT_FOUND")
        self.assertEqual([event.name for event in watch.events], ["exception"])
        self.assertNotEqual(watch.status.code, ERROR)
        own = next(span for span in collector.spans
                   if span.name == MAKE and span.trace_id.hex() != TRACE)
        self.assertEqual(own.parent_span_id, b"")
        self.assertEqual(attributes(own)["rpc.system"], "rocket")
        self.assertEqual(attributes(own)["rpc.grpc.status_code"], 0)
        resource = attributes(collector.requests[0].resource_spans[0].resource)
        self.assertEqual(resource["service.name"], "order_server")
        self.assertEqual(resource["deployment.environment.name"], "test")
        self.assertEqual(resource["process.pid"], str(server.process.pid))
        self.assertTrue(all(fields["x-key"] == "secret-7" for fields in collector.metadata))
        # Neither the page nor the log has the key.
        self.assertNotIn("secret-7", server.get("/configuration")[1])
        until(lambda: self.metric(
            server, 'rocket_trace_spans_total{result="exported"}') == len(collector.spans))
        channels = server.json("/channels.json")
        self.assertEqual(channels["traces"][0]["state"], "ok")
        server.end()
        self.assertNotIn("secret-7", "".join(server.log))

    def test_calls_that_are_not_sampled_have_no_spans(self):
        collector = Collector()
        self.addCleanup(collector.end)
        server = self.serve(collector.address)
        for _ in range(5):
            self.call(server, QUERY, b"", parent("00"))
        self.call(server, QUERY, b"", parent("01"))
        server.end()
        self.assertEqual([span.parent_span_id.hex() for span in collector.spans], [PARENT])

    def test_spans_are_encrypted_for_a_collector_of_the_authority(self):
        authority = self.folder / "ca"
        tool = pathlib.Path(__file__).parents[2] / "scripts/dev-ca"
        for command in (["init"], ["issue", "collector", "--ip", "127.0.0.1"]):
            subprocess.run([tool, authority, *command], check=True, capture_output=True)
        collector = Collector(certificate=authority / "collector")
        self.addCleanup(collector.end)
        # The system's authorities do not know it.
        for settings, taken in (({"TLS_MIN_VERSION": "1.2"}, 0), ({"TLS_CA": str(authority / "ca.pem")}, 1)):
            server = self.serve(collector.address, DRAIN_TIMEOUT_MS="5000", **settings)
            self.call(server, QUERY, b"")
            if not taken:
                until(lambda: self.metric(
                    server, 'rocket_trace_exports_total{result="failed"}') > 0)
            server.end()
            self.assertEqual(len(collector.spans), taken)

    def test_a_drain_exports_what_is_left(self):
        collector = Collector()
        self.addCleanup(collector.end)
        server = self.serve(collector.address, INTERVAL_MS="3600000")
        for _ in range(20):
            self.call(server, QUERY, b"")
        self.assertEqual(collector.requests, [])
        server.end()
        self.assertEqual(len(collector.spans), 20)
        self.assertEqual(len({span.span_id for span in collector.spans}), 20)
        self.assertEqual(len(collector.requests), 1)

    def test_without_a_collector_the_queue_is_bounded_and_calls_go_on(self):
        # A port that nobody listens on now.
        first = Collector()
        address = first.address
        first.end()
        server = self.serve(address, QUEUE="10", BATCH="5")
        for _ in range(40):
            self.assertEqual(self.call(server, QUERY, b""), grpc.StatusCode.OK)
        dropped = 'rocket_trace_spans_total{result="dropped"}'
        until(lambda: (self.metric(server, dropped) or 0) >= 25)
        self.assertLessEqual(self.metric(server, "rocket_trace_spans_waiting"), 10)
        until(lambda: self.metric(server, 'rocket_trace_exports_total{result="failed"}') > 0)
        until(lambda: "Spans are not exported to" in server.get("/")[1])
        self.assertEqual(server.json("/channels.json")["traces"][0]["state"], "failing")
        collector = Collector(address)
        self.addCleanup(collector.end)
        lost = int(self.metric(server, dropped))
        # Each batch is tried again after a second, then later and later.
        collector.wait(lambda: len(collector.spans) == 40 - lost, TIMEOUT)
        until(lambda: server.json("/channels.json")["traces"][0]["state"] == "ok")
        server.end()
        text = "".join(server.log)
        self.assertEqual(text.count("spans are not exported"), 1)
        self.assertEqual(text.count("spans are exported again"), 1)

    def test_refused_spans_are_counted_and_others_repeated(self):
        collector = Collector()
        self.addCleanup(collector.end)
        collector.answers = [grpc.StatusCode.UNAVAILABLE, 1, grpc.StatusCode.INVALID_ARGUMENT]
        server = self.serve(collector.address)
        for expected in (1, 2):
            self.call(server, QUERY, b"")
            until(lambda: self.metric(
                server, 'rocket_trace_spans_total{result="rejected"}') == expected)
        self.assertEqual(len(collector.metadata), 3)
        self.call(server, QUERY, b"")
        until(lambda: self.metric(
            server, 'rocket_trace_spans_total{result="exported"}') == 1)

    def test_a_configuration_that_cannot_be_used_is_an_error(self):
        file = self.folder / "rocket.xml"
        for element, reason in (
                ("<endpoint>nowhere:///x</endpoint>", "nowhere"),
                ("<batch>1</batch>", "endpoint is missing"),
                ("<endpoint>127.0.0.1:1</endpoint><headers_file>none</headers_file>",
                 "does not exist")):
            file.write_text(f"<root><trace><otlp>{element}</otlp></trace></root>")
            for command in (["order_server", "--check-config"], ["rocket", "check"]):
                checked = subprocess.run(
                    [pathlib.Path(os.environ["ROCKET_BIN"]) / command[0], *command[1:], file],
                    capture_output=True, text=True, timeout=TIMEOUT)
                self.assertNotEqual(checked.returncode, 0, element)
                self.assertIn(reason, checked.stderr)


if __name__ == "__main__":
    unittest.main()
