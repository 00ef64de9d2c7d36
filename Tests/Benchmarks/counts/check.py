"""Counts the cost of one call on each path under callgrind, and compares it with counts.json.

Each path runs with N and with 2 N calls; the difference is the cost of N calls without start and
end of the program. Counts do not depend on the load of the machine, but on the version of Swift.

    check.py BINARIES WORK_FOLDER COUNTS_JSON [--update | --to FILE]

With --to the counts are written to FILE and not compared.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter

import memory

# How much a count may differ from the committed one: relatively, and absolutely.
TOLERANCE = {"instructions": (0.04, 15), "allocations": (0.1, 0.2), "retains": (0.04, 0.5),
             "system_calls": (0.04, 0.02)}
READS, WRITES = {"recv", "recvmsg", "read", "readv"}, {"send", "sendmsg", "write", "writev"}
FUNCTIONS = {
    "allocations": {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign"},
    "retains": {"swift_retain", "swift_bridgeObjectRetain"},
    "system_calls": READS | WRITES | {"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl",
                                      "eventfd_read", "eventfd_write"},
    # Subsets of system_calls: shown, not compared.
    "reads": READS, "writes": WRITES, "epoll_ctl": {"epoll_ctl"},
}
# What choosing among 100 servers may cost more than where there is one (issue 20).
MOST_FOR_PICKING = 150
PROGRAMS = ("rocket_bench_paths", "rocket_bench_server", "rocket_bench_client", "order_server")
HERE = os.path.dirname(os.path.abspath(__file__))


def counts_of(profile: str) -> Counter:
    """Returns the totals of a callgrind file: instructions, and calls of each kind of function."""
    kinds = {}
    for key, functions in FUNCTIONS.items():
        for name in functions:
            kinds.setdefault(name, []).append(key)
    names, totals, called = {}, Counter(), None
    with open(profile) as lines:
        for line in lines:
            found = re.match(r"(c?fn)=\((\d+)\)(?: (.*))?", line)
            if found:
                if found[3]:
                    names[found[2]] = found[3].split("'")[0].split("@")[0]
                if found[1] == "cfn":
                    called = names.get(found[2])
            elif line.startswith("calls=") and called in kinds:
                for key in kinds[called]:
                    totals[key] += int(line[6:].split()[0])
            elif line.startswith("totals:"):
                totals["instructions"] += int(line.split()[1])
    return totals


class Counting:
    def __init__(self, binaries, work):
        self.work = work
        # valgrind 3.19 can't read Swift's debug information.
        for name in (*PROGRAMS, "librocket.so"):
            shutil.copy(os.path.join(binaries, name), work)
            subprocess.run(["strip", "-g", os.path.join(work, name)], check=True)
        self.environment = dict(os.environ, SWIFT_DETERMINISTIC_HASHING="1",
                                LD_PRELOAD=os.path.join(work, "sigsuspend.so"))
        self.profile = os.path.join(work, "callgrind.out")

    def valgrind(self, program, *arguments, **environment):
        command = ["valgrind", "--tool=callgrind", "--quiet",
                   f"--callgrind-out-file={self.profile}", os.path.join(self.work, program),
                   *arguments]
        return subprocess.Popen(command, env=self.environment | environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, process, what):
        output, errors = process.communicate(timeout=120)
        if process.returncode != 0:
            sys.exit(f"check-perf: {what} failed: {output}{errors[-2000:]}")
        return counts_of(self.profile)

    def piece(self, name, times, *options):
        return self.finish(
            self.valgrind("rocket_bench_paths", name, "--times", str(times), *options), name)

    def address(self, process, what):
        line = process.stdout.readline()
        found = re.search(r"listening on (\S+)", line)
        if not found:
            sys.exit(f"check-perf: {what} did not start: {line}{process.stderr.read()[-2000:]}")
        return found[1]

    def server(self, handler, calls, in_flight=32, load=("tinypb_load",), options=()):
        return self.served(
            "rocket_bench_server", calls, in_flight, load, "--handler", handler, *options)

    def served(self, program, calls, in_flight, load, *options):
        process = self.valgrind(program, *options)
        address = self.address(process, program)
        subprocess.run([os.path.join(self.work, load[0]), *load[1:], "--to", address, "--in-flight",
                        str(in_flight), "--calls", str(calls)], check=True, stdout=subprocess.DEVNULL)
        process.terminate()
        return self.finish(process, f"{program} {' '.join(options)}")

    def orders(self, method, calls):
        store = os.path.join(self.work, "store")
        shutil.rmtree(store, ignore_errors=True)
        os.mkdir(store)
        process = self.valgrind(
            "order_server", os.path.join(HERE, "../../../conf/rocket.xml"), ROCKET_SERVER_PORT="0",
            ROCKET_LOG_FILE_PATH=os.path.join(store, "log"),
            ROCKET_ORDER_STORE_PATH=os.path.join(store, "orders.sqlite"))
        address = self.address(process, "order_server")
        subprocess.run([sys.executable, os.path.join(HERE, "orders_load.py"), method, address,
                        str(calls)], check=True)
        process.terminate()
        return self.finish(process, method)

    def client(self, calls, *options):
        server = subprocess.Popen([os.path.join(self.work, "c_tinypb")], stdout=subprocess.PIPE,
                                  text=True)
        try:
            address = self.address(server, "c_tinypb")
            return self.finish(self.valgrind(
                "rocket_bench_client", "--to", address, "--calls", str(calls), *options),
                "client call")
        finally:
            server.terminate()
            server.wait()


def main():
    binaries, work, path = sys.argv[1:4]
    counting = Counting(binaries, work)
    paths = {
        "decode": (lambda n: counting.piece("decode", n), 2000),
        "encode": (lambda n: counting.piece("encode", n), 2000),
        "dispatch": (lambda n: counting.piece("dispatch", n), 1000),
        # Of the allocations one is the text of the received message.
        "message up": (lambda n: counting.piece("upload", n), 20000),
        "message down": (lambda n: counting.piece("download", n), 20000),
        "log line off": (lambda n: counting.piece("log", n), 5000),
        "sync call": (lambda n: counting.server("sync", n), 1600),
        "async call": (lambda n: counting.server("async", n), 1600),
        # What one suspension and its resumption on the loop cost is its difference to an async call.
        "suspended call": (lambda n: counting.server("suspend", n), 1600),
        # With the numbers that a server under systemd, or with metrics, records of each call.
        "sync call, recorded": (lambda n: counting.server("sync", n, options=("--metrics",)), 1600),
        "async call, recorded": (
            lambda n: counting.server("async", n, options=("--metrics",)), 1600),
        "gRPC call": (lambda n: counting.server("async", n, load=("http2_load",)), 1600),
        # An echo: a message in each direction, short enough to be decoded without an allocation.
        "gRPC message": (lambda n: counting.server(
            "async", n, load=("http2_load", "--kind", "echo", "--payload", "14")), 1600),
        # All but one call a second are refused.
        "refused call": (lambda n: counting.server(
            "async", n, load=("tinypb_load", "--refusals", "yes"),
            options=("--calls-per-second", "1")), 8000),
        "refused gRPC call": (lambda n: counting.server(
            "async", n, load=("http2_load", "--refusals", "yes"),
            options=("--calls-per-second", "1")), 2000),
        # A call's way through the balancer of its channel, which a channel of one server has not.
        "pick, 1 server": (lambda n: counting.piece("balance", n, "--servers", "1"), 10000),
        "pick, 100 servers": (lambda n: counting.piece("balance", n, "--servers", "100"), 10000),
        # How its 32 tasks share a turn of the pool varies from run to run: 5 % over 1,600 calls.
        "client call": (lambda n: counting.client(n, "--in-flight", "32"), 8000),
        "client batch": (lambda n: counting.client(n, "--batch", "512"), 16384),
    }
    if "--to" in sys.argv:  # shown, not committed
        # Client and server in one process. The difference is what a choice among many costs.
        paths["in-process call"] = (lambda n: counting.piece("pick", n, "--servers", "1"), 10000)
        paths["call to one of 100"] = (
            lambda n: counting.piece("pick", n, "--servers", "100"), 10000)
        # With SQLite, on disk: what a real call takes, for comparison with a refused one.
        paths["order_server, makeOrder"] = (lambda n: counting.orders("makeOrder", n), 1000)
        paths["order_server, queryOrder"] = (lambda n: counting.orders("queryOrder", n), 1000)
        # The references of the aims: the same wire by plain C, and by C++ with libprotobuf.
        for name, program in (("C call", "c_tinypb"), ("C++ call", "cpp_tinypb")):
            if os.path.exists(os.path.join(work, program)):
                paths[name] = (
                    lambda n, program=program: counting.served(program, n, 32, ("tinypb_load",)),
                    1600)
        paths["sync call, 1 in flight"] = (lambda n: counting.server("sync", n, 1), 400)
        paths["sync call, queue delay"] = (lambda n: counting.server(
            "sync", n, options=("--queue-delay-us", "60000000")), 1600)
        paths["async call, queue delay"] = (lambda n: counting.server(
            "async", n, options=("--queue-delay-us", "60000000")), 1600)
        paths["async call, 1 in flight"] = (lambda n: counting.server("async", n, 1), 400)
    begin, found = time.monotonic(), {}
    for name, (count, calls) in paths.items():
        less, more = count(calls), count(2 * calls)
        found[name] = {key: round((more[key] - less[key]) / calls, 3)
                       for key in ("instructions", *FUNCTIONS)}
    print(f"{'per call':<24}" + "".join(f"{key.replace('_', ' '):>15}" for key in TOLERANCE))
    for name, counts in found.items():
        print(f"{name:<24}" + "".join(f"{counts[key]:>15.2f}" for key in TOLERANCE))
    if sys.argv[4:5] == ["--to"]:
        with open(sys.argv[5], "w") as file:
            json.dump(found, file)
        return
    if "--update" in sys.argv:
        with open(path, "w") as file:
            json.dump(found, file, indent=4)
            file.write("\n")
        print(f"wrote {path}: explain each rise in the commit message")
        return
    with open(path) as file:
        committed = json.load(file)
    faults, falls = compare(found, committed)
    faults += picking_faults(found) + memory.limits(work)
    for line in faults + falls:
        print(f"check-perf: {line}", file=sys.stderr)
    if faults:
        print("check-perf: for a justified rise, update the counts (make check-perf UPDATE=1) and"
              " explain it in the commit message", file=sys.stderr)
        sys.exit(1)
    print(f"check-perf: {len(found)} paths within their counts ({time.monotonic() - begin:.0f} s)")


def picking_faults(found):
    """Returns lines for what a pick among many servers costs too much."""
    one, many = found["pick, 1 server"], found["pick, 100 servers"]
    more = many["instructions"] - one["instructions"]
    faults = []
    if more > MOST_FOR_PICKING:
        faults.append(f"a pick among 100 servers takes {more:.0f} instructions more than where there"
                      f" is one; {MOST_FOR_PICKING} are allowed")
    if many["allocations"] > TOLERANCE["allocations"][0]:
        faults.append(f"a pick among 100 servers allocates {many['allocations']} times")
    return faults


def compare(found, committed):
    """Returns lines for all faults, and lines for all counts that fell."""
    faults = [f"'{name}' has no committed counts" for name in found if name not in committed]
    faults += [f"'{name}' is committed but not counted" for name in committed if name not in found]
    falls = []
    for name in (n for n in found if n in committed):
        for key, (part, least) in TOLERANCE.items():
            now, before = found[name][key], committed[name].get(key, 0)
            room = max(before * part, least)
            if now > before + room:
                faults.append(f"{name}: {key.replace('_', ' ')} rose from {before} to {now}")
            elif now < before - room:
                falls.append(f"{name}: {key.replace('_', ' ')} fell from {before} to {now}:"
                             " record that with make check-perf UPDATE=1")
    return faults, falls


if __name__ == "__main__":
    main()
