"""Attacks a running order_server, and checks that nothing but the attacker is harmed.

    attack.py PROGRAM [--seed N] [--scale FACTOR] [--only NAME] [--json]

After each attack: the server runs, a client beside it was answered each time, memory stayed within
the bound, the attacker's connections and descriptors are gone, and the log grew by a bounded number
of lines. At the end the server is killed and started again, and every order that it acknowledged
is there. What was tried and what happened is recorded in docs/adversarial.md.

`--scale 0.1` makes each attack a tenth of its size. The seed decides all random choices.
"""

import argparse
import json
import os
import random
import socket
import struct
import sys
import tempfile
import time

from server import Neighbour, Server, finds
from wire import METHODS, Peer, frame, number, order

BUDGET = 128 << 20
# Beside the budget: code, the store's cache, one read buffer per loop, the allocator's slack.
MEMORY_BOUND = BUDGET * 6 // 5 + (64 << 20)
LOG_LINES = 200
DESCRIPTORS = 8

ATTACKS = []


def attack(times, what):
    def register(function):
        ATTACKS.append((function.__name__.replace("_", " "), times, what, function))
        return function
    return register


def corpus(rng):
    method = rng.choice(METHODS)
    message = rng.choice((order(), number(1, rng.randrange(1 << 40)), b"", rng.randbytes(20)))
    info = rng.choice((b"", b"", b"rkm1\ntimeout-ms=5\n", b"rkm1\nx-a=%41\n", rng.randbytes(9)))
    return bytearray(frame(b"%08d" % rng.randrange(1 << 26), method, message, info))


def mutated(rng):
    data = corpus(rng)
    for _ in range(rng.randrange(1, 4)):
        kind, at = rng.randrange(5), rng.randrange(len(data))
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:  # a length
            at = rng.choice((1, 5, 17))
            data[at:at + 4] = struct.pack(
                ">i", rng.choice((-1, 0, 25, 26, 1 << 20, (1 << 31) - 1, rng.randrange(200))))
        elif kind == 3 and len(data) > 1:
            del data[at:at + rng.randrange(1, 9)]
        else:
            data[at:at] = rng.randbytes(rng.randrange(1, 9))
        if not data:
            break
    return bytes(data)


def exchange(address, data, end):
    """Sends the bytes on a connection of their own, and reads until the server closes it."""
    peer = Peer(address)
    try:
        peer.send(data)
        if end == "reset":
            return peer.reset()
        peer.socket.shutdown(socket.SHUT_WR)
        while peer.socket.recv(1 << 16):
            pass
    except OSError:  # the server has closed the connection, which is its right here
        pass
    peer.close()


@attack(120_000, "frames with changed bits, bytes and lengths, 8 in each connection")
def changed_frames(server, rng, times, hold):
    for _ in range(times // 8):
        exchange(server.address, b"".join(mutated(rng) for _ in range(8)),
                 rng.choice(("finish", "reset")))


@attack(200_000, "well-formed frames with random contents, 40 in each connection")
def random_contents(server, rng, times, hold):
    for _ in range(times // 40):
        exchange(server.address, b"".join(
            frame(rng.randbytes(rng.randrange(40)), rng.choice(METHODS),
                  rng.randbytes(rng.randrange(60)), rng.randbytes(rng.randrange(30)),
                  rng.choice((0, 0, rng.randrange(1 << 31)))) for _ in range(40)), "finish")


@attack(40_000, "connections that send nothing, one byte or half a frame, and end or reset")
def connections(server, rng, times, hold):
    for _ in range(times):
        peer = Peer(server.address)
        data = rng.choice((b"", b"\x02", bytes(corpus(rng))[:20], b"GET / HTTP/1.1\r\n\r\n"))
        if data:
            peer.send(data)
        (peer.reset if rng.randrange(2) else peer.close)()


@attack(20_000, "connections with one invalid frame each: a line of the log for each")
def invalid_frames(server, rng, times, hold):
    for _ in range(times):
        exchange(server.address, b"\x02\xff\xff\xff\xff" + rng.randbytes(20), "finish")


@attack(70_000, "calls of rocket.Health.watch on one connection, none of which can return")
def waiting_calls(server, rng, times, hold):
    peer = Peer(server.address)
    watch = b"".join(
        frame(b"%08d" % call, b"rocket.Health.watch", number(2, 1)) for call in range(times))
    peer.socket.settimeout(0.2)
    sent = idle = 0
    while sent < len(watch) and idle < 5:
        try:
            sent += peer.socket.send(watch[sent:sent + (1 << 20)])
            idle = 0
            peer.socket.recv(1 << 20)
        except TimeoutError:
            idle += 1
    hold()
    peer.close()


@attack(16, "connections that ask for 1,000 pages of 500 orders each, and read nothing")
def replies_nobody_reads(server, rng, times, hold):
    peer = Peer(server.address)
    for _ in range(15):
        peer.send(b"".join(
            frame(b"%d" % call, b"Order.makeOrder", order(goods=b"z" * 1000)) for call in range(100)))
        for _ in range(100):
            peer.reply()
    peer.close()
    pages = b"".join(
        frame(b"%d" % page, b"Order.listOrders", number(1, 500)) for page in range(1000))
    peers = [Peer(server.address, receive_bytes=4096) for _ in range(times)]
    for peer in peers:
        peer.socket.setblocking(False)
        try:
            peer.socket.send(pages)
        except BlockingIOError:
            pass
    hold(300)
    for peer in peers:
        peer.close()


@attack(256, "connections that each send 4 MiB less one byte of a frame")
def unfinished_frames(server, rng, times, hold):
    head = frame(b"abcdefgh", b"Order.makeOrder", length=4 << 20)[:44]
    chunk, peers = b"a" * (64 << 10), []
    for _ in range(times):
        peer = Peer(server.address)
        peer.socket.settimeout(0.5)
        peers.append(peer)
        try:
            peer.send(head)
            for _ in range(63):
                peer.send(chunk)
        except OSError:  # closed, or not read any more
            pass
    hold()
    for peer in peers:
        peer.close()


@attack(500, "connections that send one byte of a frame at a time, all at once")
def slow_senders(server, rng, times, hold):
    peers = [Peer(server.address) for _ in range(times)]
    data = frame(b"12345678", b"Order.makeOrder", order())
    for byte in range(12):
        for peer in peers:
            peer.send(data[byte:byte + 1])
        hold(5)
    hold()
    for peer in peers:
        peer.reset()


def settle(server, descriptors, hold):
    """Waits until the attacker's connections are gone; for 2,000 calls of the client beside it."""
    for _ in range(200):
        if server.descriptors() <= descriptors + DESCRIPTORS:
            return
        hold(10)


def run(server, neighbour, seed, scale, name, times, function):
    rng = random.Random(f"{seed} {name}")
    descriptors, lines = server.descriptors(), server.log_lines()
    neighbour.mark()
    calls_before = neighbour.calls
    server.reset_peak()
    begin = time.monotonic()
    times = max(1, int(times * scale))
    function(server, rng, times, neighbour.hold)
    neighbour.hold()
    seconds = time.monotonic() - begin
    faults = []
    if not server.runs:
        raise SystemExit(f"attack: {name}: the server ended with status {server.process.returncode}")
    settle(server, descriptors, neighbour.hold)
    peak = server.memory("VmHWM")
    failures, latencies = neighbour.mark()
    calls = neighbour.calls - calls_before
    log = server.log_lines() - lines
    left = server.descriptors() - descriptors
    if not calls:
        faults.append("the client beside it was never answered")
    if failures:
        faults.append(f"{len(failures)} calls of the client beside it failed: {failures[0]}")
    if peak > MEMORY_BOUND:
        faults.append(f"memory reached {peak >> 20} MiB; {MEMORY_BOUND >> 20} are allowed")
    if log > LOG_LINES:
        faults.append(f"the log grew by {log} lines; {LOG_LINES} are allowed")
    if left > DESCRIPTORS:
        faults.append(f"{left} descriptors are left")
    return {"attack": name, "times": times, "seconds": round(seconds, 1), "neighbour_calls": calls,
            "neighbour_failures": len(failures),
            "neighbour_p99_ms": round(latencies[len(latencies) * 99 // 100] * 1e3, 1)
            if latencies else None,
            "peak_mib": peak >> 20, "log_lines": log, "faults": faults}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="rocket-attack-") as folder:
        server = Server(os.path.abspath(options.program), folder, BUDGET)
        server.start()
        neighbour = Neighbour(server.address)
        for name, times, what, function in ATTACKS:
            if options.only and options.only != name:
                continue
            if not options.json:
                print(f"{name}: {what}", flush=True)
            result = run(server, neighbour, options.seed, options.scale, name, times, function)
            results.append(result)
            if not options.json:
                print("  {times} in {seconds} s; beside it {neighbour_calls} calls, "
                      "{neighbour_failures} failed, p99 {neighbour_p99_ms} ms; peak {peak_mib} MiB; "
                      "{log_lines} lines of log".format(**result), flush=True)
                for fault in result["faults"]:
                    print(f"  FAULT: {fault}", flush=True)
        neighbour.stop()
        server.kill()
        server.start()
        lost = finds(server.address, neighbour.orders)
        status = server.stop()
    faults = sum(len(result["faults"]) for result in results)
    summary = {"seed": options.seed, "attacks": results, "orders": len(neighbour.orders),
               "orders_lost_after_kill": lost, "status_after_sigterm": status}
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        print(f"{len(neighbour.orders)} acknowledged orders, {lost} lost after kill -9; "
              f"status {status} after SIGTERM; {faults} faults (seed {options.seed})")
    if faults or lost or status:
        sys.exit(1)


if __name__ == "__main__":
    main()
