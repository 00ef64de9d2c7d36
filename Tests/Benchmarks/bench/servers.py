"""The servers to be measured: how each is started and loaded."""

import json
import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = str(CORES[0]), str(CORES[1 % len(CORES)])
BOTH_CORES = f"{SERVER_CORE},{LOAD_CORE}"
# On a machine with more cores a server on two of them is loaded from the others.
SPARE_CORES = [str(core) for core in CORES[2:6]]
# On two cores the load shares one of them with a server of two threads.
IS_CROWDED = not SPARE_CORES
# The row of Rocket's client with calls in batches.
BATCHES = "Rocket client in batches"
PEERS = ("gRPC", "Cap'n Proto", "Thrift")


@dataclass(frozen=True)
class Server:
    name: str
    command: tuple[str, ...]
    load: str


class Bench:
    """Starts servers and loads, each on its own core."""

    def __init__(self, binaries: str, programs: str, with_peers: bool = True):
        self.programs = programs
        self.binaries = binaries
        self.rocket_client = os.path.join(binaries, "rocket_bench_client")
        rocket = os.path.join(binaries, "rocket_bench_server")
        candidates = [
            Server("C", (self.path("c_tinypb"),), "tinypb_load"),
            Server("C++", (self.path("cpp_tinypb"),), "tinypb_load"),
            Server("Rocket sync", (rocket, "--handler", "sync"), "tinypb_load"),
            Server("Rocket async", (rocket, "--handler", "async"), "tinypb_load"),
            Server("gRPC", (self.path("grpc_server"),), "grpc_load"),
            Server("Cap'n Proto", (self.path("capnp_server"),), "capnp_load"),
            Server("Thrift", (self.path("thrift_server"),), "thrift_load"),
        ]
        if not with_peers:
            candidates = [s for s in candidates if s.name not in PEERS]
        self.slow = Server("Rocket slow", (rocket, "--handler", "slow"), "tinypb_load")
        self.all = [s for s in candidates if os.path.exists(s.command[0])
                    and os.path.exists(self.path(s.load))]
        self.missing = [s.name for s in candidates if s not in self.all]

    def path(self, program: str) -> str:
        return os.path.join(self.programs, program)

    def named(self, *names: str) -> list[Server]:
        return [s for s in self.all if s.name in names]

    @property
    def peers(self) -> list[Server]:
        return self.named(*PEERS)

    @contextmanager
    def running(self, server: Server, *arguments: str, cores: str = SERVER_CORE):
        """Yields the server's process and address. SIGTERM has to end it with status 0."""
        process = subprocess.Popen(
            ["taskset", "-c", cores, *server.command, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            line = process.stdout.readline()
            found = re.search(r"listening on (\S+)", line)
            if not found:
                raise RuntimeError(f"{server.name} did not start: {line!r}")
            yield process, found.group(1)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.terminate()
        if process.wait(timeout=20) != 0:
            raise RuntimeError(f"{server.name} ended with status {process.returncode}")

    def drive(self, server: Server, process, address: str, seconds: float, **options) -> dict:
        """Returns the report of the server's own load client."""
        client = [self.path(server.load)]
        return self._found(self._start(client, process, address, seconds, LOAD_CORE, options))

    def drive_rocket(self, process, address: str, seconds: float, **options) -> dict:
        """Returns the report of Rocket's client."""
        client = [self.rocket_client, "--json"]
        return self._found(self._start(client, process, address, seconds, LOAD_CORE, options))

    def drive_from_many(self, server, process, address, seconds, **options) -> dict:
        """Returns the combined report of load clients on all spare cores, or of one on its own."""
        client = [self.path(server.load)]
        cores = SPARE_CORES or [LOAD_CORE]
        loads = [self._start(client, process, address, seconds, core, options) for core in cores]
        found = [self._found(load) for load in loads]
        calls = sum(f["calls"] for f in found)
        # Each report has the whole processor time of the server, and the calls of one client.
        spent = sum(f["server_cpu_us"] * f["calls"] for f in found) / len(found)
        return max(found, key=lambda f: f["p99_us"]) | {
            "calls": calls, "server_cpu_us": spent / calls,
            "calls_per_second": sum(f["calls_per_second"] for f in found)}

    def _start(self, client, process, address, seconds, core, options):
        command = ["taskset", "-c", core, client[0], "--to", address, "--seconds", str(seconds),
                   "--server-pid", str(process.pid)]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        return subprocess.Popen(command + client[1:], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def _found(self, load) -> dict:
        try:
            output, errors = load.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            load.kill()
            load.wait()
            raise
        if load.returncode != 0:
            raise RuntimeError(f"{load.args[3]} failed: {errors.strip()}")
        found = json.loads(output)
        # The share of its core that each side used: shows the bottleneck.
        for side in ("server", "client"):
            found[f"{side}_busy"] = found[f"{side}_cpu_us"] * found["calls_per_second"] / 1e6
        return found

    def anonymous_bytes(self, process) -> int:
        """Returns the anonymous resident memory of the process, without mapped files."""
        with open(f"/proc/{process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status
                        if line.startswith("RssAnon"))

    def descriptors(self, process) -> int:
        return len(os.listdir(f"/proc/{process.pid}/fd"))

    @contextmanager
    def idle_connections(self, address: str, count: int):
        """Keeps `count` connections without traffic open."""
        peers = subprocess.Popen(
            ["taskset", "-c", LOAD_CORE, self.path("odd_peers"), address.rsplit(":", 1)[1], "idle",
             str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            if peers.stdout.readline().strip() != "ready":
                raise RuntimeError(f"{count} connections could not be made")
            yield
        finally:
            peers.stdin.close()
            peers.wait(timeout=60)
