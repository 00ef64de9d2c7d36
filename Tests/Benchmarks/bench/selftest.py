"""Tests the computation of figures and aims, and that an aim without measurements is never reported
as reached. Run by `make check`; prints nothing on success."""

import os
import tempfile

import aims
import figures
import summary


def row(case, name, *values, key="calls_per_second", **more):
    """Returns a row of rounds with this figure and all others that a table needs."""
    rest = {"server_cpu_us": 1.0, "client_cpu_us": 1.0, "p50_us": 1, "p99_us": 1, "p999_us": 1,
            "calls_per_second": 100.0, "server_busy": 0.9, "client_busy": 0.5}
    return {"case": case, "name": name, "rounds": [
        {"error": "gone"} if value is None else rest | more | {key: value} for value in values]}


def results(**parts):
    machine = {"cpu": "", "cores": 2, "kernel": "", "swift": "", "gcc": "", "packages": {},
               "date": "today", "rocket": "abc"}
    return {"parts": {name: {"rows": figures.summarize(rows), "machine": machine, "missing": []}
                      for name, rows in parts.items()}}


def words(found, aim):
    return [verdict.word for verdict in aims.judge(found) if verdict.aim == aim]


# Without measurements no aim is reached.
nothing = aims.judge(results())
assert [v.aim for v in nothing] == list("1112222222334566788")
assert {v.word for v in nothing} == {"not measured"}

# Ratios are computed within a round, so a machine that is slow in one round does not change them.
one, two = row("1 x 1", "C", 100, 10, 100), row("1 x 1", "Rocket sync", 50, 5, 60)
figures.summarize([one, two])
assert two["of_c"]["calls_per_second"] == [0.5, 0.5, 0.6]
assert one["noisy"] == [2] and "noisy rounds: 2" in figures.notes(two)

# A failed round is excluded from the figures, and reported.
failed = row("1 x 1", "Rocket sync", 50, None)
figures.summarize([row("1 x 1", "C", 100, 100), failed])
assert failed["of_c"]["calls_per_second"][0] == 0.5 and "1 rounds failed: gone" in figures.notes(failed)

# A saturated client beside a server that is not.
bound = row("64 x 32", "gRPC", 10, client_busy=1.0, server_busy=0.7)
figures.summarize([bound])
assert "bound by its load client (server busy 70%)" in figures.notes(bound)
at_rate = row("10k calls/s", "C", 10, client_busy=1.0, server_busy=0.1)  # polls
figures.summarize([at_rate])
assert figures.notes(at_rate) == []


# Each aim on both sides of its limit.
def cost(sync, plus, alone, c, asynchronous):
    key = "server_cpu_us"
    return results(closed=[
        row("64 x 32", "Rocket sync", sync, key=key), row("64 x 32", "C++", plus, key=key),
        row("64 x 32", "Rocket async", asynchronous, key=key), row("1 x 1", "C", c, key=key),
        row("1 x 1", "Rocket sync", alone, key=key)])


assert words(cost(1.0, 1.0, 10.5, 10, 1.15), "1") == ["reached"] * 3
assert words(cost(1.01, 1.0, 10.6, 10, 1.17), "1") == ["not reached"] * 3


def clients(own, best, alone, c, cpu=0.5):
    return results(client=[
        row("1 x 512", "Rocket client and server", own, client_cpu_us=cpu),
        row("1 x 512", aims.BATCHES, own, client_cpu_us=0.4),
        row("1 x 64", "Rocket client and server", own, client_cpu_us=cpu + 0.3),
        row("1 x 512", "gRPC", 1),
        row("1 x 512", "Thrift", best), row("1 x 1", "C", c, p99_us=10),
        row("1 x 1", "Rocket client and server", alone, p99_us=12)])


assert words(clients(80, 10, 95, 100), "2") == [
    "reached", "reached", "reached", "reached", "not measured", "reached", "reached"]
assert words(clients(79, 10, 94, 100, cpu=0.51), "2") == [
    "not reached", "not reached", "not reached", "reached", "not measured", "not reached",
    "reached"]


def counted(allocations, writes):
    names = ("sync call", "async call", "client call")
    return results(counts=[
        row("callgrind", name, 1000, key="instructions", allocations=allocations, retains=0,
            system_calls=0.1, reads=1 / 32, writes=writes, epoll_ctl=0) for name in names])


assert words(counted(0.004, 1 / 32), "3") == ["reached"] * 2
assert words(counted(0.06, 2 / 32), "3") == ["not reached"] * 2


def slow(p99):
    return results(open=[row("50k calls/s", "Rocket async", 100, key="p99_us"),
                         row("50k calls/s", "Rocket, 1 % slow", p99, key="p99_us")])


assert words(slow(130), "4") == ["reached"] and words(slow(131), "4") == ["not reached"]


def threads(rate, cost):
    case = "64 x 32, server on two cores"
    return results(threads=[row(case, "1 io_threads", 100, server_cpu_us=1.0),
                            row(case, "2 io_threads", rate, server_cpu_us=cost)])


# If the load needs one of the two cores, the cost of a call is compared.
aims.IS_CROWDED = True
assert words(threads(120, 1.1), "5") == ["reached"]
assert words(threads(190, 1.2), "5") == ["not reached"]
aims.IS_CROWDED = False
assert words(threads(180, 1.2), "5") == ["reached"]
assert words(threads(179, 1.0), "5") == ["not reached"]


def large(asynchronous):
    key = "bytes_per_second"
    return results(payload=[row("1 MiB", "C", 10e6, key=key), row("1 MiB", "Rocket sync", 9e6, key=key),
                            row("1 MiB", "Rocket async", asynchronous, key=key)])


assert words(large(9e6), "6") == ["not measured", "reached"]
assert words(large(8.9e6), "6") == ["not measured", "not reached"]


def idle(count, size):
    return results(idle=[row(f"{count} idle", "Rocket async", size, key="bytes_each")])


assert words(idle(10_000, 600), "7") == ["reached"]
assert words(idle(10_000, 601), "7") == ["not reached"]
assert words(idle(2_000, 100), "7") == ["not measured"]

def start(milliseconds, size):
    return results(start=[row("start", "order_server", milliseconds, key="ready_ms",
                              stripped_bytes=size)])


assert words(start(20, 20e6 - 1), "8") == ["reached", "reached"]
assert words(start(20.1, 20e6), "8") == ["not reached", "not reached"]
assert [bool(v.rest) for v in aims.judge(start(20.1, 1)) if v.aim == "8"] == [True, False]

# Only the text between the marks of the document is replaced.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "performance.md")
    with open(path, "w") as file:
        file.write(f"head\n{summary.BEGIN}\nold\n{summary.END}\ntail\n")
    found = clients(80, 10, 95, 100)
    for _ in range(2):
        summary.publish(summary.markdown(found, aims.judge(found)), path)
    with open(path) as file:
        text = file.read()
    assert text.startswith("head\n") and text.endswith("\ntail\n") and "old" not in text
    assert text.count("## Aims") == 1 and "| 2 | " in text
