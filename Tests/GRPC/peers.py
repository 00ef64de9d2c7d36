"""Servers and clients of the interoperability service, as processes."""

import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).parent
PROGRAMS = pathlib.Path(os.environ.get("GRPC_PROGRAMS", "."))
CPP = os.environ.get("GRPC_CPP")

# How long a peer may take, in seconds.
TIMEOUT = 120

SERVERS = {
    "Rocket": [str(PROGRAMS / "grpc_interop_server")],
    "grpcio": [sys.executable, str(HERE / "grpcio_server.py")],
}
CLIENTS = {
    "Rocket": [str(PROGRAMS / "grpc_interop_client")],
    "Rocket on TinyPB": [str(PROGRAMS / "grpc_interop_client"), "--tinypb"],
    "grpcio": [sys.executable, str(HERE / "grpcio_client.py")],
}
if CPP:
    SERVERS["libgrpc++"] = [CPP + "/interop_server"]
    CLIENTS["libgrpc++"] = [CPP + "/interop_client"]


class Server:
    """A server on a port that the kernel has chosen."""

    def __init__(self, kind, *arguments):
        self.process = subprocess.Popen(
            [*SERVERS[kind], *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        # A pipe that nobody reads would stop the server.
        self.errors = []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr))
        self.reader.start()
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{kind} does not listen: {line} {''.join(self.errors)}")
        self.port = int(line.split()[-1])

    def http_port(self):
        """The port where Rocket's server serves HTTP/1.1. Once."""
        return int(self.process.stdout.readline().removeprefix("HTTP/1.1 on "))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Ends it; returns its exit status."""
        try:
            self.process.stdin.close()
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def run_client(kind, port, names):
    """Runs cases; the result of each by name: `passed`, `not applicable`, or `FAILED: why`."""
    done = subprocess.run(
        CLIENTS[kind] + [str(port), *names], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=TIMEOUT)
    results = {}
    for line in done.stdout.splitlines():
        name, _, result = line.partition(": ")
        if name in names:
            results[name] = result
    for name in names:
        results.setdefault(name, f"FAILED: the client ended before: {done.stdout[-500:]}")
    return results
