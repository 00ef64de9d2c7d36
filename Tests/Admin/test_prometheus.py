"""What a Prometheus makes of /metrics: the rates of calls, and each expression of the Grafana dashboard."""

import json
import os
import pathlib
import re
import tempfile
import threading
import time
import unittest

import grpc
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as plain

from prometheus import Prometheus
from test_admin import TIMEOUT, Server, until

ROOT = pathlib.Path(__file__).parents[2]
DASHBOARD = ROOT / "conf/grafana-rocket.json"
# How long calls are made. `PROMETHEUS_SECONDS=60` for a minute.
SECONDS = int(os.environ.get("PROMETHEUS_SECONDS", "8"))
# Calls of each method in a second.
RATE = 4
MAKE = 'rocket_server_handled_total{method="makeOrder",code="OK"}'
FAILED = 'rocket_server_handled_total{method="watchOrders",code="NOT_FOUND"}'
METRIC = r"\b(?:rocket|process)_[a-z_]+"
# Families that a server which calls no others has no samples of.
OF_CHANNELS = "rocket_client_"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class PrometheusTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        folder = pathlib.Path(cls.folder.name)
        cls.server = Server(folder)
        cls.addClassCleanup(cls.server.end)
        # The series of a code begins with its first call.
        cls.call(cls.server)
        cls.prometheus = Prometheus(folder, cls.server.admin)
        cls.addClassCleanup(cls.prometheus.end)
        until(cls.prometheus.is_ready)
        until(lambda: all(cls.prometheus.samples(series) for series in (MAKE, FAILED)))
        cls.made = cls.traffic(cls.server)
        # Numbers are up to 250 ms old, samples up to a second.
        until(lambda: all(
            cls.prometheus.samples(series)[-1][1] == 1 + cls.made for series in (MAKE, FAILED)))

    @staticmethod
    def call(server):
        """One call of each method: one that succeeds, one that fails."""
        made = server.call("make", "--price", "100", "--goods", "apple")
        assert made.returncode == 0, made.stderr
        assert server.call("watch", "--after", "no-such-order").returncode != 0

    @classmethod
    def traffic(cls, server):
        """Calls at a steady rate; returns how many of each method."""
        began = time.monotonic()
        for number in range(SECONDS * RATE):
            # A machine that is slow makes as many calls, in a longer time.
            threading.Event().wait(max(0, began + number / RATE - time.monotonic()))
            cls.call(server)
        return SECONDS * RATE

    def test_rates_are_those_of_the_calls(self):
        for series in (MAKE, FAILED):
            samples = self.prometheus.samples(series)
            values = [value for _, value in samples]
            self.assertEqual(values, sorted(values))
            self.assertEqual(values[-1] - 1, self.made)
            # From the last sample before the calls to the first after them.
            start = next(at for (at, _), (_, value) in zip(samples, samples[1:]) if value > 1)
            end = next(at for at, value in samples if value == values[-1])
            length = end - start
            window = f"[{round(length * 1000) + 1}ms]"
            rate = self.prometheus.query(f"rate({series}{window})", time=end)
            self.assertEqual(len(rate), 1, series)
            expected = self.made / length
            self.assertAlmostEqual(float(rate[0]["value"][1]), expected, delta=expected / 50)
            # At most: a slow machine takes longer, and numbers are a moment old.
            self.assertLess(expected, RATE * 1.25)

    def traced(self):
        """A call with a trace."""
        with grpc.insecure_channel(self.server.address) as channel:
            channel.unary_unary("/Order/queryOrder")(
                b"", metadata=[("traceparent", f"00-{TRACE}-{SPAN}-01")], timeout=TIMEOUT)

    def test_traces_are_exemplars_of_latencies(self):
        began = time.time()
        self.traced()
        series = 'rocket_server_handling_seconds_bucket{method="queryOrder"}'

        def exemplars():
            return self.prometheus.get(
                "query_exemplars", query=series, start=began - 60, end=time.time() + 60)

        until(exemplars)
        # One, or two with that of the test before, if their latencies are in different buckets.
        found = [exemplar for row in exemplars() for exemplar in row["exemplars"]]
        self.assertIn(len(found), (1, 2), found)
        for exemplar in found:
            self.assertEqual(exemplar["labels"], {"trace_id": TRACE, "span_id": SPAN})
            self.assertLess(0, float(exemplar["value"]))
        self.assertLess(abs(max(e["timestamp"] for e in found) - began), TIMEOUT)
        for row in exemplars():
            self.assertEqual(row["seriesLabels"]["service"], "Order")

    def test_openmetrics_by_its_parser(self):
        self.traced()
        until(lambda: TRACE in self.server.get("/metrics", Accept=OPENMETRICS)[1])
        status, text = self.server.get("/metrics", Accept=OPENMETRICS)
        self.assertEqual(status, 200)
        families = {family.name: family for family in openmetrics.text_string_to_metric_families(text)}
        before = {family.name: family for family in plain.text_string_to_metric_families(
            self.server.get("/metrics")[1])}
        # The same families, whose counters the parser names alike, and the same series.
        self.assertEqual(families.keys(), before.keys())
        for name, family in families.items():
            self.assertEqual(family.type, before[name].type, name)
            self.assertEqual(len(family.samples), len(before[name].samples), name)
            self.assertEqual(family.documentation, before[name].documentation)
        self.assertEqual(families["rocket_server_handling_seconds"].unit, "seconds")
        exemplars = [sample.exemplar for sample in families["rocket_server_handling_seconds"].samples
                     if sample.exemplar]
        self.assertEqual({exemplar.labels["trace_id"] for exemplar in exemplars}, {TRACE})
        for sample in families["rocket_server_handling_seconds"].samples:
            if sample.exemplar:
                self.assertLessEqual(sample.exemplar.value, float(sample.labels["le"]))

    def test_samples_are_taken_as_they_are(self):
        scraped = self.prometheus.samples("scrape_samples_scraped")
        self.assertGreater(max(value for _, value in scraped), 100)
        # None was dropped, as one that is there twice would be.
        self.assertEqual(
            scraped, self.prometheus.samples("scrape_samples_post_metric_relabeling"))
        # The program has a back end for its own metrics.
        self.assertTrue(self.prometheus.query("rocket_metrics_series"))

    def test_expressions_of_the_dashboard(self):
        dashboard = json.loads(DASHBOARD.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"]
                with self.subTest(panel=panel["title"], expression=expression):
                    for variable in ("instance", "service", "method"):
                        expression = expression.replace(f"${variable}", ".*")
                    expression = expression.replace("$__rate_interval", "10m")
                    self.assertNotIn("$", expression)
                    found = self.prometheus.query(expression)
                    self.assertTrue(found or OF_CHANNELS in expression, "no samples")
                    # What a legend names is a label.
                    labels = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                    for row in found:
                        self.assertLessEqual(labels, row["metric"].keys())

    def test_values_of_the_dashboards_variables(self):
        variables = json.loads(DASHBOARD.read_text())["templating"]["list"]
        self.assertEqual([variable["name"] for variable in variables],
                         ["datasource", "instance", "service", "method"])
        values = {}
        for variable in variables[1:]:
            series, label = re.fullmatch(
                r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            self.assertEqual(label, variable["name"])
            series = re.sub(r"\$\w+", ".*", series)
            values[label] = self.prometheus.get(f"label/{label}/values", **{"match[]": series})
        self.assertEqual(values["instance"], [self.server.admin])
        self.assertIn("makeOrder", values["method"])

    def test_metrics_of_the_dashboard_are_documented_and_there(self):
        documented = set(re.findall(
            rf"^\| `({METRIC})`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
        there = set(re.findall(rf"^# TYPE ({METRIC}) ", self.server.get("/metrics")[1], re.MULTILINE))
        used = {re.sub("_bucket$", "", name) for name in re.findall(METRIC, DASHBOARD.read_text())}
        self.assertGreater(len(used), 20)
        self.assertEqual(used - documented, set())
        self.assertEqual({name for name in used - there if not name.startswith(OF_CHANNELS)}, set())
        self.assertEqual(there - documented, set())


if __name__ == "__main__":
    unittest.main()
