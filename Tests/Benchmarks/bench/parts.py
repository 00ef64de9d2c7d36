"""What is measured. Each part yields rows: {case, name, rounds: [...]}; a round is a client's JSON.

Within a round all servers come in turn, so that what the machine does besides hits all of them.
"""

SHAPES = [(1, 1), (16, 1), (64, 1), (1, 32), (16, 32), (64, 32), (1, 64), (1, 512)]
QUICK_SHAPES = [(1, 1), (64, 32), (1, 512)]


class Plan:
    def __init__(self, quick: bool, rounds: int | None, seconds: float | None):
        self.quick = quick
        self.rounds = rounds or (1 if quick else 3)
        self.seconds = seconds or (0.25 if quick else 0.4)


def _interleaved(plan, case, entries, progress):
    """entries: (name, a function that measures once). A peer that fails is reported, not hidden."""
    rows = {name: {"case": case, "name": name, "rounds": []} for name, _ in entries}
    for number in range(plan.rounds):
        for name, measure in entries:
            progress(f"{case} {name} ({number + 1}/{plan.rounds})")
            try:
                rows[name]["rounds"].append(measure())
            except Exception as error:  # the figure is missing, and why is in the report
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
        rows += _interleaved(plan, f"{connections} x {depth}",
                             [(s.name, lambda s=s: measure(s)) for s in bench.all], progress)
    return rows


def client(bench, plan, progress):
    """Clients on one connection; the peers' own are in `closed`."""
    c, rocket = bench.named("C")[0], bench.named("Rocket sync")[0]
    rows = []
    for depth in (1, 512) if plan.quick else (1, 64, 512):
        def measure(server, own, depth=depth):
            with bench.running(server) as (process, address):
                if own:
                    return bench.drive_rocket(process, address, plan.seconds, in_flight=depth)
                return bench.drive(server, process, address, plan.seconds, in_flight=depth)
        rows += _interleaved(plan, f"1 x {depth}", [
            ("C", lambda: measure(c, False)),
            ("Rocket client, C server", lambda: measure(c, True)),
            ("C client, Rocket server", lambda: measure(rocket, False)),
            ("Rocket client and server", lambda: measure(rocket, True)),
        ], progress)
    return rows


def open_loop(bench, plan, progress):
    """Fixed rates; latency from the time at which each call was due. With 1 % slow calls (5 ms,
    async) the latencies are those of the other calls."""
    rows = []
    for rate in (50_000,) if plan.quick else (10_000, 50_000, 200_000):
        def measure(server, slow=0.0, rate=rate):
            with bench.running(server) as (process, address):
                return bench.drive(server, process, address, max(plan.seconds, 1.0), rate=rate,
                                   connections=16, in_flight=512, slow_percent=slow)
        entries = [(s.name, lambda s=s: measure(s))
                   for s in bench.named("C", "C++", "Rocket async")]
        entries.append(("Rocket, 1 % slow", lambda: measure(bench.slow, 1.0)))
        rows += _interleaved(plan, f"{rate // 1000}k calls/s", entries, progress)
    return rows


def payload(bench, plan, progress):
    """Requests and replies of that size."""
    rows = []
    for size, label in ((64, "64 B"), (1 << 10, "1 KiB"), (1 << 16, "64 KiB"), (1 << 20, "1 MiB")):
        def measure(server, size=size):
            with bench.running(server, "--payload", str(size)) as (process, address):
                found = bench.drive(server, process, address, plan.seconds, connections=4,
                                    in_flight=1 if size > 1 << 16 else 8, payload=size)
                return found | {"bytes_per_second": found["calls_per_second"] * size * 2}
        rows += _interleaved(plan, label,
                             [(s.name, lambda s=s: measure(s)) for s in bench.all], progress)
    return rows


def idle(bench, plan, progress):
    """Resident memory of connections that say nothing."""
    count = 2000 if plan.quick else 10_000
    rows = []
    for server in bench.all:
        if server.name == "Rocket sync":
            continue
        progress(f"{count} idle connections {server.name}")
        row = {"case": f"{count} idle", "name": server.name, "rounds": []}
        try:
            with bench.running(server) as (process, address):
                bench.drive(server, process, address, 0.2)
                before = bench.anonymous_bytes(process)
                with bench.idle_connections(address, count):
                    after = bench.anonymous_bytes(process)
            row["rounds"].append({"bytes_each": (after - before) / count})
        except Exception as error:
            row["rounds"].append({"error": str(error)})
        rows.append(row)
    return rows


def threads(bench, plan, progress):
    """1, 2 and 4 io_threads, with the cores that the load leaves: CPU per call tells whether
    threads share what they need not."""
    rocket = bench.named("Rocket sync")[0]
    rows = []
    for cores in ("0", "0,1"):
        def measure(count, cores=cores):
            with bench.running(rocket, "--io-threads", str(count), cores=cores) as (
                    process, address):
                return bench.drive(rocket, process, address, plan.seconds, connections=64,
                                   in_flight=32)
        label = "64 x 32, server on " + ("one core" if cores == "0" else "both cores")
        rows += _interleaved(plan, label, [
            (f"{n} io_threads", lambda n=n: measure(n)) for n in (1, 2, 4)], progress)
    return rows


ALL = {"closed": closed, "client": client, "open": open_loop, "payload": payload, "idle": idle,
       "threads": threads}
