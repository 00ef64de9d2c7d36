"""The parts of a run. Each returns rows: {case, name, rounds: [...]}; a round is a client's JSON.

Within a round all servers are measured in turn, so that other work of the machine affects them all.
"""

import json
import os
import shutil
import subprocess
import tempfile

from servers import BATCHES, BOTH_CORES, SERVER_CORE, SPARE_CORES

SHAPES = [(1, 1), (16, 1), (64, 1), (1, 32), (16, 32), (64, 32), (1, 64), (1, 512)]
QUICK_SHAPES = [(1, 1), (64, 32), (1, 512)]
# The peers reach only some ten thousand calls per second.
PEERS_HIGHEST_RATE = 10_000


class Plan:
    """Number and duration of measurements; with QUICK too few for reliable times."""

    def __init__(self, quick: bool, rounds: int | None, seconds: float | None):
        self.quick = quick
        self.rounds = rounds or (2 if quick else 5)
        self.few_rounds = min(self.rounds, 3)  # of parts whose rows take longer
        self.seconds = seconds or (0.3 if quick else 0.5)


def _interleaved(rounds, case, entries, progress):
    """entries: (name, a function that measures once). Failures are reported in their rows."""
    rows = {name: {"case": case, "name": name, "rounds": []} for name, _ in entries}
    for number in range(rounds):
        for name, measure in entries:
            progress(f"{case} {name} ({number + 1}/{rounds})")
            try:
                rows[name]["rounds"].append(measure())
            except Exception as error:  # recorded in the report instead of a figure
                rows[name]["rounds"].append({"error": str(error)})
    return list(rows.values())


def closed(bench, plan, progress):
    """Closed loop: every reply is followed by the next call."""
    rows = []
    for connections, depth in QUICK_SHAPES if plan.quick else SHAPES:
        def measure(server, connections=connections, depth=depth):
            with bench.running(server) as (process, address):
                return bench.drive(server, process, address, plan.seconds,
                                   connections=connections, in_flight=depth)
        rows += _interleaved(plan.rounds, f"{connections} x {depth}",
                             [(s.name, lambda s=s: measure(s)) for s in bench.all], progress)
    return rows


def client(bench, plan, progress):
    """Clients on one connection: Rocket's, plain C, and each peer's own library."""
    c, rocket = bench.named("C")[0], bench.named("Rocket sync")[0]
    rows = []
    for depth in (1, 512) if plan.quick else (1, 64, 512):
        def measure(server, own, depth=depth):
            with bench.running(server) as (process, address):
                drive = (lambda *a, **k: bench.drive_rocket(*a, **k)) if own else (
                    lambda *a, **k: bench.drive(server, *a, **k))
                return drive(process, address, plan.seconds, in_flight=depth)

        def measure_batches(depth=depth):
            with bench.running(rocket) as (process, address):
                return bench.drive_rocket(
                    process, address, plan.seconds, in_flight=1, batch=depth)
        batches = [(BATCHES, measure_batches)] if depth > 1 else []
        rows += _interleaved(plan.rounds, f"1 x {depth}", [
            ("C", lambda: measure(c, False)),
            ("Rocket client, C server", lambda: measure(c, True)),
            ("C client, Rocket server", lambda: measure(rocket, False)),
            ("Rocket client and server", lambda: measure(rocket, True)),
        ] + batches + [(s.name, lambda s=s: measure(s, False)) for s in bench.peers], progress)
    return rows


def open_loop(bench, plan, progress):
    """Fixed rates, with latencies from the time at which each call was due. With 1 % slow calls
    (5 ms, async) the latencies are those of the other calls."""
    rows = []
    for rate in (50_000,) if plan.quick else (10_000, 50_000, 200_000):
        def measure(server, slow=0.0, rate=rate):
            with bench.running(server) as (process, address):
                return bench.drive(server, process, address, max(plan.seconds, 1.0), rate=rate,
                                   connections=16, in_flight=64, slow_percent=slow)

        def measure_own(server, rate=rate):
            with bench.running(server) as (process, address):
                return bench.drive_rocket(process, address, max(plan.seconds, 1.0), rate=rate,
                                          connections=16, in_flight=64)
        entries = [(s.name, lambda s=s: measure(s))
                   for s in bench.named("C", "C++", "Rocket sync", "Rocket async")]
        # The same server with and without the slow calls.
        entries.append(("Rocket, 1 % slow", lambda: measure(bench.slow, 1.0)))
        entries.append(("Rocket client and server",
                        lambda: measure_own(bench.named("Rocket async")[0])))
        if rate <= PEERS_HIGHEST_RATE:
            entries += [(s.name, lambda s=s: measure(s)) for s in bench.peers]
        rows += _interleaved(plan.few_rounds, f"{rate // 1000}k calls/s", entries, progress)
    return rows


def payload(bench, plan, progress):
    """Requests and replies of several sizes."""
    rows = []
    for size, label in ((64, "64 B"), (1 << 10, "1 KiB"), (1 << 16, "64 KiB"), (1 << 20, "1 MiB")):
        def measure(server, size=size):
            with bench.running(server, "--payload", str(size)) as (process, address):
                found = bench.drive(server, process, address, plan.seconds, connections=4,
                                    in_flight=1 if size > 1 << 16 else 8, payload=size)
                return found | {"bytes_per_second": found["calls_per_second"] * size * 2}
        rows += _interleaved(plan.few_rounds, label,
                             [(s.name, lambda s=s: measure(s)) for s in bench.all], progress)
    return rows


IDLE = 10_000


def idle(bench, plan, progress):
    """Resident memory of connections without traffic. Calls made after connecting get their replies
    before the second measurement, so the server has accepted all connections by then."""
    def measure(server):
        with bench.running(server) as (process, address):
            bench.drive(server, process, address, 0.2)
            before = bench.anonymous_bytes(process)
            with bench.idle_connections(address, IDLE):
                bench.drive(server, process, address, 0.2)
                after, held = bench.anonymous_bytes(process), bench.descriptors(process)
                if held < IDLE:
                    raise RuntimeError(f"the server has {IDLE - held} connections too few")
        return {"bytes_each": (after - before) / IDLE}
    servers = [s for s in bench.all if s.name != "Rocket sync"]
    return _interleaved(1, f"{IDLE} idle", [(s.name, lambda s=s: measure(s)) for s in servers],
                        progress)


def threads(bench, plan, progress):
    """1, 2 and 4 io_threads on one core and on two, beside the load: the CPU time per call shows
    contention between threads."""
    rocket = bench.named("Rocket sync")[0]
    rows = []
    load = "load beside it" if not SPARE_CORES else f"load on {len(SPARE_CORES)} others"
    for cores, label in ((SERVER_CORE, "one core"), (BOTH_CORES, f"two cores, {load}")):
        def measure(count, cores=cores):
            with bench.running(rocket, "--io-threads", str(count), cores=cores) as (
                    process, address):
                return bench.drive_from_many(rocket, process, address, plan.seconds,
                                             connections=64, in_flight=32)
        rows += _interleaved(plan.rounds, f"64 x 32, server on {label}", [
            (f"{n} io_threads", lambda n=n: measure(n)) for n in (1, 2, 4)], progress)
    return rows


def counts(bench, plan, progress):
    """Instructions, allocations and system calls per call, under callgrind (make check-perf)."""
    progress("counting under callgrind")
    with tempfile.NamedTemporaryFile(suffix=".json") as found:
        root = os.path.join(os.path.dirname(__file__), *[os.pardir] * 3)
        done = subprocess.run([os.path.join(root, "scripts", "check-perf"), "--to", found.name],
                              capture_output=True, text=True)
        if done.returncode != 0:
            return [{"case": "callgrind", "name": "counts",
                     "rounds": [{"error": done.stderr.strip()[-200:]}]}]
        return [{"case": "callgrind", "name": name, "rounds": [row]}
                for name, row in json.load(found).items()]


def start(bench, plan, progress):
    """From the execution of order_server to READY=1, and the bytes of its stripped files."""
    progress("starting order_server")
    here = os.path.dirname(__file__)
    done = subprocess.run(
        ["python3", os.path.join(here, os.pardir, "start", "start.py"), bench.binaries, "--json"],
        capture_output=True, text=True)
    if done.returncode != 0:
        return [{"case": "start", "name": "order_server",
                 "rounds": [{"error": done.stderr.strip()[-200:]}]}]
    stripped = 0
    for name in ("order_server", "librocket.so"):
        with tempfile.NamedTemporaryFile() as copy:
            shutil.copyfile(os.path.join(bench.binaries, name), copy.name)
            subprocess.run([os.path.join(here, *[os.pardir] * 3, "scripts", "strip-program"),
                            copy.name], check=True)
            stripped += os.path.getsize(copy.name)
    rows = json.loads(done.stdout)
    for row in rows["order_server"]:
        row["stripped_bytes"] = stripped
    return [{"case": "start", "name": name, "rounds": rounds} for name, rounds in rows.items()]


ALL = {"closed": closed, "client": client, "open": open_loop, "payload": payload, "idle": idle,
       "threads": threads, "start": start, "counts": counts}
# Skipped by QUICK unless named by PART.
SLOW_PARTS = ("counts",)
