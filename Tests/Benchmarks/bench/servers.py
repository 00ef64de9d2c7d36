"""Which servers are measured, and how each is started and driven."""

import json
import os
import re
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass

SERVER_CORE, LOAD_CORE = "0", "1"


@dataclass(frozen=True)
class Server:
    name: str
    command: tuple[str, ...]
    load: str

    @property
    def speaks_tinypb(self) -> bool:
        return self.load == "tinypb_load"


class Bench:
    """The programs, and what runs them: each on a core of its own."""

    def __init__(self, binaries: str, programs: str):
        self.programs = programs
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
        self.slow = Server("Rocket slow", (rocket, "--handler", "slow"), "tinypb_load")
        self.all = [s for s in candidates if os.path.exists(s.command[0])]
        self.missing = [s.name for s in candidates if s not in self.all]

    def path(self, program: str) -> str:
        return os.path.join(self.programs, program)

    def named(self, *names: str) -> list[Server]:
        return [s for s in self.all if s.name in names]

    @contextmanager
    def running(self, server: Server, *arguments: str, cores: str = SERVER_CORE):
        """The server's process and its address."""
        process = subprocess.Popen(
            ["taskset", "-c", cores, *server.command, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            line = process.stdout.readline()
            found = re.search(r"listening on (\S+)", line)
            if not found:
                raise RuntimeError(f"{server.name} did not start: {line!r}")
            yield process, found.group(1)
        finally:
            process.terminate()
            process.wait(timeout=20)

    def drive(self, server: Server, process, address: str, seconds: float, **options) -> dict:
        """What the server's own load client finds."""
        return self._drive([self.path(server.load)], process, address, seconds, options)

    def drive_rocket(self, process, address: str, seconds: float, **options) -> dict:
        """What Rocket's client finds."""
        return self._drive([self.rocket_client, "--json"], process, address, seconds, options)

    def _drive(self, client, process, address, seconds, options) -> dict:
        command = ["taskset", "-c", LOAD_CORE, client[0], "--to", address, "--seconds",
                   str(seconds), "--server-pid", str(process.pid)]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        done = subprocess.run(command + client[1:], capture_output=True, text=True,
                              timeout=seconds * 5 + 60)
        if done.returncode != 0:
            raise RuntimeError(f"{client[0]} failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def anonymous_bytes(self, process) -> int:
        """Resident memory of the process's own, the kernel's and mapped files aside."""
        with open(f"/proc/{process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status
                        if line.startswith("RssAnon"))

    @contextmanager
    def idle_connections(self, address: str, count: int):
        """So many connections that say nothing."""
        peers = subprocess.Popen(
            [self.path("odd_peers"), address.rsplit(":", 1)[1], "idle", str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            if peers.stdout.readline().strip() != "ready":
                raise RuntimeError(f"{count} connections could not be made")
            time.sleep(0.5)
            yield
        finally:
            peers.stdin.close()
            peers.wait(timeout=60)
