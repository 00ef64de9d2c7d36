"""A peer that asks for many large replies at once and reads them slowly.

    slow_reader.py SERVER [--calls N] [--rate BYTES_PER_SECOND] [--json]

For each kind of handler it starts SERVER (rocket_bench_server) with replies of 1 MiB, sends all
calls on one connection in one write, and reads the replies at the given rate. Meanwhile another
connection makes calls one after another. It fails unless every call is answered once, whole and
without error, and the server's resident memory stays within the bound of docs/architecture.md:
the high water mark, one reply, and the responses of the calls in flight. The other connection's
p99 beside the slow peer and alone is printed, and compared with 1.5x where --judge is given.
"""

import argparse
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time

PAYLOAD = 1 << 20
# Handlers that sleep begin all calls at once, so all of their responses may wait.
IN_FLIGHT = {"sync": 1, "async": 1, "slow": None}


def frame(message_id: bytes, price: int) -> bytes:
    method, message = b"Order.makeOrder", bytes([8, price, 18, 5]) + b"apple"
    body = (struct.pack(">i", len(message_id)) + message_id + struct.pack(">i", len(method)) + method
            + struct.pack(">ii", 0, 0) + message + struct.pack(">I", 1))
    return b"\x02" + struct.pack(">i", len(body) + 6) + body + b"\x03"


def replies(receive):
    """Yields (message id, error code, length of the frame) of each reply."""
    buffer = bytearray()
    while True:
        while len(buffer) >= 5 and len(buffer) >= (size := struct.unpack(">i", buffer[1:5])[0]):
            if buffer[0] != 2 or buffer[size - 1] != 3:
                raise ValueError("the bytes are not a frame")
            length = struct.unpack(">i", buffer[5:9])[0]
            message_id = bytes(buffer[9:9 + length])
            name = struct.unpack(">i", buffer[9 + length:13 + length])[0]
            code = struct.unpack(">i", buffer[13 + length + name:17 + length + name])[0]
            yield message_id, code, size
            del buffer[:size]
        piece = receive()
        if not piece:
            return
        buffer += piece


class Server:
    def __init__(self, program, handler):
        self.process = subprocess.Popen(
            [program, "--handler", handler, "--payload", str(PAYLOAD)], stdout=subprocess.PIPE,
            text=True)
        host, port = re.search(r"listening on (\S+):(\d+)", self.process.stdout.readline()).groups()
        self.address = (host, int(port))

    def resident(self, key):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(key + r":\s+(\d+) kB", status.read())[1]) * 1024

    def stop(self):
        self.process.terminate()
        if self.process.wait(30) != 0:
            sys.exit(f"backpressure: the server ended with status {self.process.returncode}")


def others(address, stop):
    """Makes calls one after another until `stop` is set; returns their times in seconds."""
    times = []
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = replies(lambda: connection.recv(1 << 20))
        while not stop.is_set() or len(times) < 3000:
            begin = time.perf_counter()
            connection.sendall(frame(b"other", 1))
            message_id, code, _ = next(answers)
            if (message_id, code) != (b"other", 0):
                sys.exit("backpressure: another connection's call failed")
            times.append(time.perf_counter() - begin)
            time.sleep(0.002)
    return sorted(times)


def slow(address, calls, rate):
    """Returns what was wrong with the replies; None: all arrived whole, once each."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 << 10)
    connection.connect(address)
    connection.sendall(b"".join(frame(b"%d" % number, 5) for number in range(calls)))
    begin, received = time.perf_counter(), 0

    def receive():
        nonlocal received
        ahead = received / rate - (time.perf_counter() - begin)
        if ahead > 0:
            time.sleep(ahead)
        try:
            piece = connection.recv(64 << 10)
        except ConnectionError as error:
            raise SystemExit(f"backpressure: the connection ended: {error}")
        received += len(piece)
        return piece

    seen = set()
    for message_id, code, size in replies(receive):
        if code != 0 or size < PAYLOAD or message_id in seen:
            return f"reply {message_id!r} has code {code} and {size} bytes"
        seen.add(message_id)
        if len(seen) == calls:
            connection.close()
            return None
    return f"the connection ended after {len(seen)} of {calls} replies"


def measure(program, handler, calls, rate):
    server = Server(program, handler)
    stop = threading.Event()
    stop.set()
    alone = others(server.address, stop)
    before = server.resident("VmRSS")
    stop.clear()
    beside = []
    other = threading.Thread(target=lambda: beside.extend(others(server.address, stop)))
    other.start()
    begin = time.perf_counter()
    wrong = slow(server.address, calls, rate)
    seconds = time.perf_counter() - begin
    stop.set()
    other.join()
    held = server.resident("VmHWM") - before
    server.stop()
    p99 = [sorted_times[len(sorted_times) * 99 // 100] * 1e3 for sorted_times in (alone, sorted(beside))]
    bound = ((IN_FLIGHT[handler] or calls) + 2) * PAYLOAD * 5 // 4 + (16 << 20)
    return {"handler": handler, "calls": calls, "seconds": round(seconds, 1), "wrong": wrong,
            "held_bytes": held, "bound_bytes": bound, "p99_alone_ms": round(p99[0], 2),
            "p99_beside_ms": round(p99[1], 2), "ratio": round(p99[1] / p99[0], 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("server")
    parser.add_argument("--calls", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=10e6)
    parser.add_argument("--judge", action="store_true", help="fail above 1.5x of the p99 alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = [measure(options.server, handler, options.calls, options.rate)
               for handler in IN_FLIGHT]
    faults = [f"{r['handler']}: {r['wrong']}" for r in results if r["wrong"]]
    faults += [f"{r['handler']}: holds {r['held_bytes'] >> 20} MiB, the bound is "
               f"{r['bound_bytes'] >> 20} MiB" for r in results if r["held_bytes"] > r["bound_bytes"]]
    if options.judge:
        faults += [f"{r['handler']}: p99 beside the slow peer is {r['ratio']}x" for r in results
                   if r["ratio"] > 1.5]
    if options.json:
        print(json.dumps(results))
    else:
        for r in results:
            print(f"{r['handler']:<6} {r['calls']} replies of 1 MiB in {r['seconds']} s, "
                  f"{r['held_bytes'] >> 20} MiB held (bound {r['bound_bytes'] >> 20}), others' p99 "
                  f"{r['p99_alone_ms']} ms alone, {r['p99_beside_ms']} ms beside ({r['ratio']}x)")
    for fault in faults:
        print(f"backpressure: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
