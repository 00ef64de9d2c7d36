"""Instructions of one call as gRPC, and by Connect's protocol as Protobuf and as JSON, of one server.

    json_cost.py [SERVER [N [ARGUMENT…]]]     SERVER: default bin/rocket_bench_server

The server runs under callgrind, for N (default 2000) and for 2 N calls of h2load on one connection; the
difference is the cost of N calls, whatever else the machine does. Order.makeOrder with a price and goods.
"""

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
MESSAGE = b"\x08\x64\x12\x05apple"
CASES = {
    "gRPC": ("application/grpc", struct.pack(">BI", 0, len(MESSAGE)) + MESSAGE),
    "Connect, Protobuf": ("application/proto", MESSAGE),
    "Connect, JSON": ("application/json", b'{"price":100,"goods":"apple"}'),
}


def instructions(command, content_type, body, calls, folder):
    """The instructions of a server that is started, serves the calls, and drains."""
    profile = os.path.join(folder, "profile")
    server = subprocess.Popen(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", *command],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=dict(os.environ, LD_PRELOAD=os.path.join(folder, "sigsuspend.so")))
    try:
        port = re.search(r":?(\d+)\s*$", server.stdout.readline())[1]
        request = os.path.join(folder, "request")
        with open(request, "wb") as file:
            file.write(body)
        done = subprocess.run(
            ["h2load", "-n", str(calls), "-c", "1", "-m", "16", "-d", request, "-H",
             f"content-type: {content_type}", "-H", "te: trailers",
             f"http://127.0.0.1:{port}/Order/makeOrder"],
            stdout=subprocess.PIPE, text=True, check=True)
        if f"{calls} 2xx" not in done.stdout:
            raise SystemExit(done.stdout)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
        server.stdout.close()
    with open(profile) as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("totals:"))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "bin", "rocket_bench_server")
    calls = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    with tempfile.TemporaryDirectory() as folder:
        # As in counts/check.py: valgrind 3.19 can't read Swift's debug information, and
        # sigsuspend would crash under it.
        library = os.path.join(os.path.dirname(program), "librocket.so")
        program = shutil.copy(program, folder)
        copies = [program]
        if os.path.exists(library):
            copies.append(shutil.copy(library, folder))
        subprocess.run(["strip", "-g", *copies], check=True)
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", "-o", os.path.join(folder, "sigsuspend.so"),
             os.path.join(ROOT, "Tests", "Benchmarks", "counts", "sigsuspend.c")], check=True)
        for name, (content_type, body) in CASES.items():
            once, twice = (
                instructions([program, *sys.argv[3:]], content_type, body, count, folder)
                for count in (calls, 2 * calls))
            print(f"{name}: {(twice - once) / calls:,.0f} instructions per call", flush=True)


if __name__ == "__main__":
    main()
