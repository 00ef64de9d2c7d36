"""Measures all parts, or those named by PART, and prints tables and aims; see run.sh.

Within a round all servers are measured in turn, so that other work of the machine affects them all.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from statistics import median

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, "bench"))
from servers import LOAD_CORE, Bench, Server  # noqa: E402

binaries, out = sys.argv[1:3]
QUICK = os.environ.get("QUICK", "") not in ("", "0")
ROUNDS = int(os.environ.get("ROUNDS") or (1 if QUICK else 5))
SECONDS = float(os.environ.get("SECONDS_EACH") or (0.3 if QUICK else 1))
IDLE = 500 if QUICK else 2_000
STORM = 1_000


def certificate(name):
    folder = os.path.join(out, "ca", name)
    return (os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem"))


CA = os.path.join(out, "ca", "ca.pem")
KEYS = ("--tls-cert", certificate("server")[0], "--tls-key", certificate("server")[1])
CLIENT = {"tls_ca": CA}
MUTUAL = CLIENT | {"tls_cert": certificate("client")[0], "tls_key": certificate("client")[1]}
bench = Bench(binaries, os.path.join(out, "programs"))
ROCKET = (os.path.join(binaries, "rocket_bench_server"),)
GRPC = (bench.path("grpc_server"),)
BARE = (bench.path("tls_handshakes"), "--serve", "--certificate", certificate("server")[0], "--key",
        certificate("server")[1])
plain = Server("Rocket", ROCKET, "tinypb_load")
tls = Server("Rocket TLS", (*ROCKET, *KEYS), "tinypb_load")
mutual = Server("Rocket mutual TLS", (*ROCKET, *KEYS, "--tls-client-ca", CA), "tinypb_load")
grpc = Server("gRPC", GRPC, "grpc_load")
grpc_tls = Server("gRPC TLS", (*GRPC, *KEYS), "grpc_load")
bare = Server("OpenSSL alone", BARE, "tinypb_connects")
bare_mutual = Server("OpenSSL alone", (*BARE, "--client-ca", CA), "tinypb_connects")
HAS_GRPC = os.path.exists(GRPC[0]) and os.path.exists(bench.path("grpc_load"))
begin = time.monotonic()


def progress(text):
    print(f"\r\033[K[{time.monotonic() - begin:4.0f} s] {text}", end="", file=sys.stderr, flush=True)


def once(server, options, seconds=SECONDS, load=None):
    """The report of a load client, with the options of its TLS."""
    with bench.running(server) as (process, address):
        return bench.drive(Server(server.name, server.command, load or server.load), process, address,
                           seconds, **options)


def measured(part, entries):
    """entries: (case, name, function). Returns {(case, name): medians of its figures}."""
    rounds = {}
    for number in range(ROUNDS):
        for case, name, measure in entries:
            progress(f"{part}: {case} {name} ({number + 1}/{ROUNDS})")
            found = measure()
            found.pop("histogram_ns", None)
            rounds.setdefault((case, name), []).append(found)
    progress("")
    return {key: {figure: median(r[figure] for r in found) for figure in found[0]}
            for key, found in rounds.items()}


def show(title, head, rows):
    width = max(len(row[0]) for row in rows) + 2
    print(f"\r\033[K{title}\n{'':<{width}}" + "".join(f"{text:>15}" for text in head))
    for name, *cells in rows:
        print(f"{name:<{width}}" + "".join(f"{cell:>15}" for cell in cells))
    print(flush=True)


def openssl_alone():
    """What tls_handshakes measures in memory, by kind."""
    lines = subprocess.run(
        ["taskset", "-c", LOAD_CORE, BARE[0], *BARE[2:], "--ca", CA, "--client-certificate",
         certificate("client")[0], "--client-key", certificate("client")[1], "--seconds",
         str(SECONDS)], capture_output=True, text=True, check=True).stdout.splitlines()
    return {row["kind"]: row for row in map(json.loads, lines)}


def calls():
    entries = []
    for connections, depth in ((1, 1), (1, 32), (64, 32)):
        shape = {"connections": connections, "in_flight": depth}
        servers = [(plain, {}), (tls, CLIENT)] + ([(grpc, {}), (grpc_tls, CLIENT)] if HAS_GRPC else [])
        for server, options in servers:
            entries.append((f"{connections} x {depth}", server.name,
                            lambda s=server, o=shape | options: once(s, o)))
    found = measured("calls", entries)
    rows = []
    for (case, name), row in found.items():
        base = found[case, name.removesuffix(" TLS")]["server_cpu_us"]
        rows.append((f"{case}  {name}", f"{row['server_cpu_us']:.2f}",
                     f"{row['server_cpu_us'] / base:.2f}" if name.endswith("TLS") else "",
                     f"{row['calls_per_second']:,.0f}", f"{row['p50_us']:.0f}", f"{row['p99_us']:.0f}"))
    show("Calls: connections x calls in flight",
         ("server CPU us", "of plain", "calls/s", "p50 us", "p99 us"), rows)
    base = found["64 x 32", "Rocket"]["server_cpu_us"]
    records = openssl_alone()["records"]["server_us"] / 32
    print(f"OpenSSL alone needs {records:.3f} us per call to decrypt a record of 32 requests and to encrypt"
          f" one of 32 replies:\nat 64 x 32 at least {1 + records / base:.2f}x of plain\n")
    ratio = found["64 x 32", "Rocket TLS"]["server_cpu_us"] / base
    aim("64 x 32 with TLS: at most 1.25x the server CPU of plain", f"{ratio:.2f}x", ratio <= 1.25)
    if HAS_GRPC:
        ratio = (found["64 x 32", "gRPC TLS"]["server_cpu_us"]
                 / found["64 x 32", "Rocket TLS"]["server_cpu_us"])
        aim("64 x 32 with TLS: less server CPU than gRPC C++", f"{ratio:.1f}x less", ratio > 1)
    return found


def connections():
    entries = [("plain", "Rocket", lambda: once(plain, {"connections": 8}, load="tinypb_connects"))]
    for case, own, other, options in (
            ("full", tls, bare, CLIENT | {"kind": "full"}),
            ("resumed", tls, bare, CLIENT | {"kind": "resumed"}),
            ("mutual", mutual, bare_mutual, MUTUAL | {"kind": "full"}),
            ("mutual resumed", mutual, bare_mutual, MUTUAL | {"kind": "resumed"})):
        for server in (own, other):
            entries.append((case, "Rocket" if server is own else "OpenSSL alone",
                            lambda s=server, o=options | {"connections": 8}: once(
                                s, o, load="tinypb_connects")))
    found = measured("connections", entries)
    rows = []
    for (case, name), row in found.items():
        other = found.get((case, "OpenSSL alone"))
        rows.append((f"{case}  {name}", f"{row['server_cpu_us']:.0f}",
                     f"{1e6 / row['server_cpu_us']:,.0f}",
                     f"{other['server_cpu_us'] / row['server_cpu_us']:.2f}"
                     if other and name == "Rocket" else "",
                     f"{row['calls_per_second']:,.0f}", f"{row['p99_us'] / 1000:.1f}"))
    show("Connections: connect, handshake, one call, close; 8 at a time",
         ("server CPU us", "per CPU second", "of OpenSSL's", "per second", "p99 ms"), rows)
    alone = openssl_alone()
    show("Handshakes of OpenSSL alone, in memory", ("server CPU us", "per CPU second", "heap KiB"),
         [(kind, f"{row['server_us']:.0f}", f"{row['per_second']:,.0f}",
           f"{row['heap_bytes'] / 1024:.1f}") for kind, row in alone.items() if kind != "records"])
    for case in ("full", "resumed", "mutual"):
        ratio = (found[case, "OpenSSL alone"]["server_cpu_us"]
                 / found[case, "Rocket"]["server_cpu_us"])
        aim(f"{case} handshakes per second: at least 0.9x of OpenSSL alone", f"{ratio:.2f}x", ratio >= 0.9)
    return found


@contextmanager
def held(address, count, options):
    """Keeps `count` connections open, each of which has made one call."""
    process = subprocess.Popen(load_command("tinypb_connects", address, options | {
        "connections": count, "kind": "hold", "seconds": 120}),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{count} connections could not be made")
        yield
    finally:
        process.stdin.close()
        process.wait(60)


def load_command(program, address, options):
    command = ["taskset", "-c", LOAD_CORE, bench.path(program), "--to", address]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    return command


def heap_bytes(process, path):
    """What malloc has given out in the process."""
    known = os.path.getsize(path)
    process.send_signal(signal.SIGUSR2)
    end = time.monotonic() + 20
    while os.path.getsize(path) == known:
        if time.monotonic() > end or process.poll() is not None:
            raise RuntimeError("the server does not report its heap")
        time.sleep(0.01)
    with open(path) as file:
        return int(file.read().split()[-1])


@contextmanager
def reporting_heaps():
    """Programs that are started inside report their heap to the file that this yields."""
    path = os.path.join(out, "heap")
    open(path, "w").close()
    os.environ |= {"LD_PRELOAD": bench.path("heap_in_use"), "COUNT_FILE": path}
    try:
        yield path
    finally:
        del os.environ["LD_PRELOAD"]


def memory():
    def each(server, options):
        with reporting_heaps() as path, bench.running(server) as (process, address):
            # What the first connections cost once is not counted.
            with held(address, 50, options):
                heap, resident = heap_bytes(process, path), bench.anonymous_bytes(process)
                with held(address, IDLE, options):
                    return {"heap": (heap_bytes(process, path) - heap) / IDLE,
                            "resident": (bench.anonymous_bytes(process) - resident) / IDLE}
    entries = [("", server.name, lambda s=server, o=options: each(s, o))
               for server, options in ((plain, {}), (tls, CLIENT), (mutual, MUTUAL))]
    found = measured("memory", entries)
    rows = [(name, f"{row['heap'] / 1024:.1f}", f"{row['resident'] / 1024:.1f}")
            for (_, name), row in found.items()]
    show(f"Memory of an idle connection, of {IDLE:,}", ("heap KiB", "resident KiB"), rows)
    for name, most in (("Rocket TLS", 16), ("Rocket mutual TLS", 26)):
        kib = found["", name]["heap"] / 1024
        aim(f"{name}: at most {most} KiB of heap an idle connection", f"{kib:.1f} KiB", kib <= most)
    return found


# A process that takes the core as the storm does, and asks nothing of the server.
SPIN = ["taskset", "-c", LOAD_CORE, "nice", "-n", "19", sys.executable, "-c", "while True: pass"]


def storm():
    """The client at depth 1 goes before the others on the core of the loads, where that is allowed;
    the first case shows what the rest of their work costs it."""
    def beside(others):
        with bench.running(tls) as (process, address):
            command = SPIN if others is None else ["nice", "-n", "19", *load_command(
                "tinypb_connects", address, CLIENT | {"connections": STORM, "seconds": 60} | others)]
            other = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                time.sleep(0.5)  # until all have begun
                found = bench.drive(tls, process, address, max(SECONDS, 1), **CLIENT)
                if other.poll() is not None:
                    raise RuntimeError(f"the storm has ended: {other.stderr.read().decode()}")
                return found
            finally:
                other.kill()
                other.wait()
                other.stderr.close()
    entries = [("depth 1", "beside a busy process", lambda: beside(None)),
               ("depth 1", f"{STORM:,} reconnect, full", lambda: beside({"kind": "full"})),
               ("depth 1", f"{STORM:,} reconnect, resumed", lambda: beside({"kind": "resumed"}))]
    found = measured("storm", entries)
    rows = [(name, *(f"{row[key]:,.0f}" for key in ("p50_us", "p99_us", "p999_us", "calls_per_second")))
            for (_, name), row in found.items()]
    show("One client at depth 1 with TLS", ("p50 us", "p99 us", "p99.9 us", "calls/s"), rows)
    calm = found["depth 1", "beside a busy process"]["p99_us"]
    for kind in ("full", "resumed"):
        ratio = found["depth 1", f"{STORM:,} reconnect, {kind}"]["p99_us"] / calm
        aim(f"p99 while {STORM:,} clients reconnect ({kind}): at most 2x", f"{ratio:.1f}x", ratio <= 2)
    return found


aims = []


def aim(text, figure, reached):
    aims.append((text, figure, "reached" if reached else "NOT REACHED"))


PARTS = {"calls": calls, "connections": connections, "memory": memory, "storm": storm}


def main():
    named = [p for p in os.environ.get("PART", "").split(",") if p] or list(PARTS)
    for part in named:
        if part not in PARTS:
            sys.exit(f"bench-tls: unknown part {part}; the parts are {', '.join(PARTS)}")
    if not HAS_GRPC:
        print("gRPC is not measured: apt-get install libgrpc++-dev protobuf-compiler-grpc\n")
    results = {}
    for part in named:
        results[part] = {" ".join(key): row for key, row in PARTS[part]().items()}
    for text, figure, word in aims:
        print(f"{word:<12} {figure:>9}  {text}")
    with open(os.path.join(out, "results.json"), "w") as file:
        json.dump({"parts": results, "aims": aims, "rounds": ROUNDS, "seconds": SECONDS}, file)
    print(f"\n{os.path.join(out, 'results.json')}, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
