"""The servers and clients that are measured, and how each pair is driven."""

import os
import subprocess
import sys
from contextlib import contextmanager

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "bench"))
from servers import LOAD_CORE, Bench, Server  # noqa: E402

TINYPB, GRPC = "Rocket TinyPB", "Rocket gRPC"
ASYNC, CALLBACK, PYTHON = "gRPC C++ async", "gRPC C++ callback", "grpcio"


class Peers:
    """What can be measured on this machine; `missing` names the rest."""

    def __init__(self, binaries, out, python):
        self.bench = Bench(binaries, os.path.join(out, "programs"))
        self.rocket_client = os.path.join(binaries, "rocket_bench_client")
        rocket = os.path.join(binaries, "rocket_bench_server")
        path = self.bench.path
        self.servers = {server.name: server for server in (
            Server(TINYPB, (rocket, "--handler", "async"), "tinypb_load"),
            Server(GRPC, (rocket, "--handler", "async"), "http2_load"),
            Server(f"{GRPC}, sync handler", (rocket, "--handler", "sync"), "http2_load"),
            Server(ASYNC, (path("grpc_server"),), "http2_load"),
            Server(CALLBACK, (path("grpc_callback_server"),), "http2_load"),
            Server(PYTHON, (python, os.path.join(HERE, "grpcio_server.py"), out), "http2_load"))}
        needed = {name: [server.command[0], path(server.load)] for name, server in self.servers.items()}
        needed[PYTHON] += [os.path.join(out, "order_pb2.py")]
        self.missing = [name for name, files in needed.items() if not all(map(os.path.exists, files))]
        for name in self.missing:
            del self.servers[name]

    def named(self, *names):
        """Those of the servers that there are, in the order of their names."""
        return [self.servers[name] for name in names if name in self.servers]

    def drive(self, server, process, address, seconds, client, **options):
        """The report of a client; `client`: its program, and options without values of its own."""
        found = self.bench._found(self.bench._start(
            client, process, address, seconds, LOAD_CORE, options))
        found.pop("histogram_ns", None)
        return found

    @contextmanager
    def held(self, program, address, **options):
        """Keeps connections or streams open; the program prints "ready", and ends with its input."""
        command = ["taskset", "-c", LOAD_CORE, program, "--to", address]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        try:
            if process.stdout.readline().strip() != "ready":
                process.kill()
                raise RuntimeError(f"they could not be opened: {process.stderr.read().strip()[-200:]}")
            yield
        finally:
            process.stdin.close()
            process.wait(60)
