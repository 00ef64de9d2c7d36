"""The parts of a run. Each returns rows: {case, name, rounds: [...]}; a round is a client's JSON.

Within a round all servers are measured in turn, so that other work of the machine affects them all.
"""

import os

import parts as bench_parts
from peers import ASYNC, CALLBACK, GRPC, PYTHON, TINYPB

SHAPES = ((1, 1), (1, 32), (64, 32))
SMALL, LARGE = 100, 1 << 16
KINDS = (("send", "to the server"), ("receive", "to the client"), ("echo", "echoed"))
# With one load that is not gRPC's, the cost of the servers is compared.
RAW_GRPC, RAW_ASYNC = f"{GRPC} server, plain C load", f"{ASYNC} server, plain C load"
OWN_CLIENT = ", C++ client"
# gRPC's buffer hint: a message may wait for those after it. Only for messages in one direction.
HINT = ", buffer hint"
IDLE, STREAMS = 10_000, 1_000


class Plan:
    """Number and duration of measurements; with QUICK too few for reliable times."""

    def __init__(self, quick, rounds=0, seconds=0.0):
        self.quick = quick
        self.rounds = rounds or (1 if quick else 3)
        self.seconds = seconds or (0.3 if quick else 1)


def interleaved(rounds, case, entries, progress):
    return bench_parts._interleaved(rounds, case, entries, progress)


def calls(peers, plan, progress):
    """Closed loop of unary calls: every reply is followed by the next call."""
    rows = []
    for connections, depth in SHAPES:
        def measure(server, load=None, connections=connections, depth=depth):
            with peers.bench.running(server) as (process, address):
                return peers.drive(
                    server, process, address, plan.seconds, [peers.bench.path(load or server.load)],
                    connections=connections, in_flight=depth)
        entries = [(server.name, lambda s=server: measure(s)) for server in peers.servers.values()]
        if (connections, depth) == (1, 32) and os.path.exists(peers.bench.path("grpc_load")):
            entries += [(server.name + OWN_CLIENT, lambda s=server: measure(s, "grpc_load"))
                        for server in peers.named(GRPC, ASYNC)]
        rows += interleaved(plan.rounds, f"{connections} x {depth}", entries, progress)
    return rows


def stream_pairs(peers, kind):
    """(name, server, client): the client's program with the options that it always has."""
    rocket, path = peers.rocket_client, peers.bench.path
    pairs = [
        (TINYPB, TINYPB, [rocket, "--json"]),
        (GRPC, GRPC, [rocket, "--json", "--wire", "grpc"]),
        (f"{GRPC} server, C++ client", GRPC, [path("grpc_streams")]),
        (f"{GRPC} client, C++ server", ASYNC, [rocket, "--json", "--wire", "grpc"]),
        (ASYNC, ASYNC, [path("grpc_streams")]),
        (CALLBACK, CALLBACK, [path("grpc_streams"), "--api", "callback"]),
        (ASYNC + HINT, ASYNC, [path("grpc_streams"), "--buffer-hint", "1"]),
        (CALLBACK + HINT, CALLBACK,
         [path("grpc_streams"), "--api", "callback", "--buffer-hint", "1"]),
        (RAW_GRPC, GRPC, [path("http2_load")]),
        (RAW_ASYNC, ASYNC, [path("http2_load")]),
    ]
    return [(name, peers.servers[server], client) for name, server, client in pairs
            if server in peers.servers and os.path.exists(client[0])
            and not (name.endswith(HINT) and kind == "echo")]


def streams(peers, plan, progress):
    """Messages on one stream, and on 32 streams of one connection. An echo is on its way alone."""
    rows = []
    cases = [(f"{text} {label}", kind, size, 1) for size, label in ((SMALL, "100 B"), (LARGE, "64 KiB"))
             for kind, text in KINDS]
    cases.append(("echoed 100 B, 32 streams", "echo", SMALL, 32))
    for case, kind, size, count in cases:
        def measure(server, client, kind=kind, size=size, count=count):
            hint = ("--buffer-hint", "1") if "--buffer-hint" in client else ()
            with peers.bench.running(server, *hint) as (process, address):
                found = peers.drive(server, process, address, plan.seconds, client, kind=kind,
                                    payload=size, in_flight=count)
                return found | {"bytes_per_second": found["calls_per_second"] * size}
        rows += interleaved(plan.rounds, case, [
            (name, lambda s=server, c=client: measure(s, c))
            for name, server, client in stream_pairs(peers, kind)], progress)
    return rows


def idle(peers, plan, progress):
    """Anonymous resident memory of connections that have made one call, and of streams of one
    connection after one message in each direction. What the first ones cost once is not counted."""
    def measure(server, count, few, holder):
        with peers.bench.running(server) as (process, address):
            with holder(server, address, few):
                before = peers.bench.anonymous_bytes(process)
                with holder(server, address, count):
                    return {"bytes_each": (peers.bench.anonymous_bytes(process) - before) / count}

    def connections(server, address, count):
        if server.name == TINYPB:
            return peers.held(peers.bench.path("tinypb_connects"), address, kind="hold",
                              connections=count, seconds=600)
        return peers.held(peers.bench.path("http2_load"), address, kind="idle", connections=count)

    def open_streams(server, address, count):
        program = peers.rocket_client if server.name == TINYPB else peers.bench.path("http2_load")
        return peers.held(program, address, kind="hold", in_flight=count)

    number = IDLE // 10 if plan.quick else IDLE
    return interleaved(1, f"{number:,} connections", [
        (s.name, lambda s=s: measure(s, number, 50, connections))
        for s in peers.named(TINYPB, GRPC, ASYNC, CALLBACK, PYTHON)], progress) + interleaved(
        1, f"{STREAMS:,} streams", [
            (s.name, lambda s=s: measure(s, STREAMS, 10, open_streams))
            for s in peers.named(TINYPB, GRPC, ASYNC, CALLBACK)], progress)


def counts(peers, plan, progress):
    """Of Rocket's paths those with gRPC and with messages of streams."""
    return [row for row in bench_parts.counts(peers.bench, plan, progress)
            if "error" in row["rounds"][0] or "gRPC" in row["name"] or "message" in row["name"]]


ALL = {"calls": calls, "streams": streams, "idle": idle, "counts": counts}
# Skipped by QUICK unless named by PART.
SLOW_PARTS = ("counts",)
