"""Tests the evaluation of the aims and the tables, and that an aim without measurements is never
reported as reached. Run by `make check`; prints nothing on success."""

import peers
import figures
import tables
import verdicts

assert peers


def row(case, name, *values, key="calls_per_second", **more):
    """Returns a row of rounds with this figure and all others that a table needs."""
    rest = {"server_cpu_us": 1.0, "client_cpu_us": 1.0, "p50_us": 0, "p99_us": 0,
            "calls_per_second": 100.0, "bytes_per_second": 1e4, "server_busy": 0.9, "client_busy": 0.5}
    return {"case": case, "name": name, "rounds": [
        {"error": "gone"} if value is None else rest | more | {key: value} for value in values]}


def results(**parts):
    machine = {"cpu": "", "cores": 2, "date": "today", "rocket": "abc"}
    return {"parts": {name: {"rows": figures.summarize(rows), "machine": machine, "missing": []}
                      for name, rows in parts.items()}}


def words(found, aim):
    return [verdict.word for verdict in verdicts.judge(found) if verdict.aim == aim]


nothing = verdicts.judge(results())
assert [v.aim for v in nothing] == list("12334")
assert {v.word for v in nothing} == {"not measured"}


def cost(own, asynchronous, callback):
    key = "server_cpu_us"
    return results(calls=[row("1 x 32", "Rocket gRPC", *own, key=key),
                          row("1 x 32", "gRPC C++ async", *asynchronous, key=key),
                          row("1 x 32", "gRPC C++ callback", *callback, key=key)])


# The limit of the processor time, and the ratio to the cheaper of gRPC's two APIs.
reached = cost([2, 5, 5], [14, 35, 36], [20, 50, 50])
assert words(reached, "1") == ["reached"] and words(reached, "2") == ["reached"]
assert "7.0x (7.0 to 7.2) less than gRPC C++ async" in verdicts.judge(reached)[1].figure
missed = cost([5.1], [50], [35])
assert words(missed, "1") == ["not reached"] and words(missed, "2") == ["not reached"]
# A peer that failed in all rounds is not compared with; nor is one that was not measured.
assert words(cost([5], [None], [36]), "2") == ["reached"]
assert words(cost([5], [None], [None]), "2") == ["not measured"]
assert words(cost([None], [35], [35]), "1") == ["not measured"]


def messages(own, asynchronous, callback):
    case = "to the server 100 B"
    return results(streams=[row(case, "Rocket TinyPB", own), row(case, "gRPC C++ async", asynchronous),
                            row(case, "gRPC C++ callback", callback)])


assert words(messages(1000, 99, 100), "3") == ["reached", "not measured"]
assert words(messages(1000, 101, 50), "3") == ["not reached", "not measured"]

# The aim is that of gRPC without its buffer hint; the ratio to it with the hint is in the figure.
hinted = results(streams=[row("to the client 100 B", "Rocket TinyPB", 1000),
                          row("to the client 100 B", "gRPC C++ async", 100),
                          row("to the client 100 B", "gRPC C++ async, buffer hint", 200)])
assert words(hinted, "3")[1] == "reached"
assert "5.0x (5.0 to 5.0) of gRPC C++ async, buffer hint" in verdicts.judge(hinted)[3].figure


def counted(**allocations):
    return results(counts=[
        row("callgrind", name.replace("_", " "), 1000, key="instructions", allocations=value)
        for name, value in allocations.items()])


assert words(counted(gRPC_call=0, gRPC_message=0.04, stream_message=0), "4") == ["reached"]
assert words(counted(gRPC_call=0.06, gRPC_message=0, stream_message=0), "4") == ["not reached"]
# One allocation is the text of the message.
assert words(counted(gRPC_call=0, gRPC_message=0, message_up=1), "4") == ["reached"]
assert words(counted(gRPC_call=0, gRPC_message=1, message_up=1), "4") == ["not reached"]
assert words(counted(gRPC_call=0, gRPC_message=0, message_up=1.1), "4") == ["not reached"]
# Both wires must have been counted.
assert words(counted(gRPC_call=0, gRPC_message=0), "4") == ["not measured"]
failed = results(counts=[{"case": "callgrind", "name": "counts", "rounds": [{"error": "no valgrind"}]}])
assert words(failed, "4") == ["not measured"]

# Tables: messages in one direction have no latency; a saturated load and failures are noted.
found = messages(1_000_000, None, 100)
text = tables.terminal("streams", found["parts"]["streams"]["rows"])
assert "1,000,000" in text and "1 rounds failed: gone" in text
rows = figures.summarize([row("1 x 32", "grpcio", 10, p50_us=5, p99_us=7, client_busy=1.0)])
assert "bound by its load client (server busy 90%)" in tables.terminal("calls", rows)
assert tables.cells("calls", rows[0])[-2:] == ["5", "7"]
memory = figures.summarize([row("1,000 streams", "Rocket gRPC", 2048, key="bytes_each")])
assert tables.cells("idle", memory[0]) == ["2.0"]
for line in tables.markdown(found, verdicts.judge(found)).splitlines():
    assert not line.startswith("| to the server") or line.count("|") == len(tables.MESSAGES) + 4
