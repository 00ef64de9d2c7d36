"""What it costs a server under full load that its page is looked at ten times a second, and that
its metrics are scraped each second.

    cost.py [ROUNDS [SECONDS]]     default: 3 rounds of 10 s; `make all` builds the programs

rocket_bench_server runs on one core, its load and whoever looks on another. Each round measures,
one after the other: a server without metrics, one whose page nobody looks at, one whose page is
looked at; the last two also without calls, where their processor time is that of the page. Prints
each figure, and the means of the rounds.
"""

import http.client
import os
import pathlib
import socket
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests" / "Benchmarks" / "bench"))

import servers  # noqa: E402

CASES = ("without", "unseen", "seen")
# Requests of each second: ten of the page, one of the metrics.
PATHS = ["/"] * 10 + ["/metrics"]


class Looker:
    """Requests the page at 10 Hz, and the metrics at 1 Hz, until it is ended."""

    def __init__(self, address):
        self.address = address
        self.requests = 0
        self.error = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        try:
            connection = http.client.HTTPConnection(self.address, timeout=60)
            while not self.ended.wait(1 / len(PATHS)):
                connection.request("GET", PATHS[self.requests % len(PATHS)])
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"status {answer.status}")
                self.requests += 1
            connection.close()
        except Exception as error:  # Reported by `end`, on the main thread.
            self.error = error

    def end(self):
        self.ended.set()
        self.thread.join()
        if self.error:
            raise self.error
        return self.requests


def unused_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def processor_seconds(process):
    """What the process has used up to now."""
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_idle(bench, server, case, seconds):
    """The share of a core that a server without calls uses."""
    admin = unused_address()
    with bench.running(server, "--admin", admin) as (process, _):
        looker = Looker(admin) if case == "seen" else None
        before, start = processor_seconds(process), time.monotonic()
        time.sleep(seconds)
        used, took = processor_seconds(process) - before, time.monotonic() - start
        requests = looker.end() if looker else 0
    return used / took, requests


def measure(bench, server, case, seconds):
    admin = unused_address()
    arguments = [] if case == "without" else ["--admin", admin]
    with bench.running(server, *arguments) as (process, address):
        looker = Looker(admin) if case == "seen" else None
        try:
            found = bench.drive_rocket(
                process, address, seconds, connections=4, in_flight=32)
        finally:
            requests = looker.end() if looker else 0
    return found["calls_per_second"], found["server_cpu_us"], requests


def main():
    rounds = max(1, int(sys.argv[1])) if len(sys.argv) > 1 else 3
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    binaries = str(ROOT / "bin")
    bench = servers.Bench(binaries, binaries)
    for handler in ("sync", "async"):
        server = servers.Server(
            handler, (f"{binaries}/rocket_bench_server", "--handler", handler), "")
        for case in CASES[1:]:
            share, requests = measure_idle(bench, server, case, seconds)
            print(f"{server.name}, no calls, {case}: {100 * share:.2f} % of a core, "
                  f"{requests} requests", flush=True)
        results = {case: [] for case in CASES}
        for number in range(rounds):
            for case in CASES:
                rate, cpu, requests = measure(bench, server, case, seconds)
                results[case].append((rate, cpu))
                print(f"{server.name}, round {number + 1}, {case}: {rate:,.0f} calls/s, "
                      f"server {cpu:.3f} us per call, {requests} requests", flush=True)
        means = {case: [statistics.mean(column) for column in zip(*rows)]
                 for case, rows in results.items()}
        for case, (rate, cpu) in means.items():
            change = 100 * (cpu / means["unseen"][1] - 1)
            print(f"{server.name}, mean, {case}: {rate:,.0f} calls/s, server {cpu:.3f} us per "
                  f"call ({change:+.1f} % of unseen)", flush=True)


if __name__ == "__main__":
    main()
