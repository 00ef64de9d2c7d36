"""The aims of gRPC and of streams, evaluated from the results of a run."""

import peers  # for bench's modules
from aims import Verdict
from figures import ratios
from measurements import HINT
from peers import ASYNC, CALLBACK, GRPC, TINYPB

assert peers
MOST_CPU_US, LESS_CPU, MORE_MESSAGES = 5, 7, 10
# The paths of TinyPB whose messages hold a text of 100 bytes: one allocation, as in any program.
USERS_ALLOCATIONS = {"message up": 1, "message down": 1}
# Of a count per call or message, for what happens once in many of them.
STRAY = 0.05


class Rows:
    def __init__(self, results):
        self.parts = {part: content["rows"] for part, content in results["parts"].items()}

    def row(self, part, case, name):
        return next((row for row in self.parts.get(part, [])
                     if row["case"] == case and row["name"] == name), None)

    def figure(self, part, case, name, key):
        row = self.row(part, case, name)
        return row["figures"][key][0] if row and key in row.get("figures", {}) else None

    def best(self, part, case, key, highest, suffix=""):
        """The name of the best of gRPC C++'s two APIs; None if neither was measured."""
        known = {name: self.figure(part, case, name, key)
                 for name in (ASYNC + suffix, CALLBACK + suffix)}
        known = {name: value for name, value in known.items() if value is not None}
        return (max if highest else min)(known, key=known.get) if known else None


def judge(results):
    """Returns all aims in their order."""
    rows = Rows(results)
    return [_cost(rows), _less(rows), *_messages(rows), _allocations(rows)]


def _cost(rows):
    text = f"unary gRPC at 1 x 32: at most {MOST_CPU_US} us of server CPU per call"
    found = rows.figure("calls", "1 x 32", GRPC, "server_cpu_us")
    if found is None:
        return Verdict("1", text, "", None)
    return Verdict("1", text, f"{found:.2f} us", found <= MOST_CPU_US)


def _less(rows):
    text = f"unary gRPC at 1 x 32: at least {LESS_CPU}x less server CPU per call than gRPC C++"
    best = rows.best("calls", "1 x 32", "server_cpu_us", highest=False)
    ratio = ratios(rows.row("calls", "1 x 32", best), rows.row("calls", "1 x 32", GRPC),
                   "server_cpu_us")
    if ratio is None:
        return Verdict("2", text, "", None)
    return Verdict("2", text, f"{_spread(ratio)} less than {best}", ratio[0] >= LESS_CPU)


def _messages(rows):
    """Of gRPC as it is by default; what its buffer hint makes of it is in the figure."""
    key = "calls_per_second"
    for case in ("to the server 100 B", "to the client 100 B"):
        text = f"messages {case} on TinyPB: at least {MORE_MESSAGES}x the messages/s of gRPC C++"
        own = rows.row("streams", case, TINYPB)
        best, hinted = (rows.best("streams", case, key, True, suffix) for suffix in ("", HINT))
        ratio, more = (ratios(own, rows.row("streams", case, name), key) for name in (best, hinted))
        if ratio is None:
            yield Verdict("3", text, "", None)
            continue
        values = [rows.figure("streams", case, name, key) for name in (TINYPB, best)]
        figure = f"{_spread(ratio)} of {best}; {values[0]:,.0f} and {values[1]:,.0f}"
        if more:
            figure += f"; {_spread(more)} of {hinted}"
        yield Verdict("3", text, figure, ratio[0] >= MORE_MESSAGES)


def _allocations(rows):
    text = ("no allocation per gRPC call and per message of a stream on both wires, but for the text"
            " in a message")
    found = {row["name"]: rows.figure("counts", row["case"], row["name"], "allocations")
             for row in rows.parts.get("counts", [])}
    wires = {"gRPC" in name for name in found if "message" in name}
    if wires != {True, False} or None in found.values():
        return Verdict("4", text, "", None)
    return Verdict("4", text, ", ".join(f"{value:.2f} per {name}" for name, value in found.items()),
                   all(value <= STRAY + USERS_ALLOCATIONS.get(name, 0)
                       for name, value in found.items()))


def _spread(ratio):
    return f"{ratio[0]:.1f}x ({ratio[1]:.1f} to {ratio[2]:.1f})"
