"""The aims of the call path and of the programs, evaluated from the results of a run."""

from dataclasses import dataclass

from figures import ratios
from servers import BATCHES, IS_CROWDED, PEERS

# What an idle connection may take, in bytes.
IDLE = 600


@dataclass(frozen=True)
class Verdict:
    aim: str
    text: str
    figure: str
    reached: bool | None  # None: not measured
    distance: str = ""  # what it consists of where the aim is not reached

    @property
    def word(self) -> str:
        return {None: "not measured", True: "reached", False: "not reached"}[self.reached]

    @property
    def rest(self) -> str:
        return self.distance if self.reached is False else ""


def judge(results) -> list[Verdict]:
    """Returns all aims in their order, evaluated from the measured parts."""
    parts = _Parts(results)
    return [*_cost(parts), *_client(parts), *_counts(parts), _slow(parts), _threads(parts),
            _large(parts, "64 KiB"), _large(parts, "1 MiB"), _idle(parts), *_start(parts)]


class _Parts:
    def __init__(self, results):
        self.rows = {part: content["rows"] for part, content in results["parts"].items()}

    def row(self, part, case, name):
        return next((row for row in self.rows.get(part, [])
                     if row["case"].startswith(case) and row["name"] == name), None)

    def ratio(self, part, case, name, other, key):
        return ratios(self.row(part, case, name), self.row(part, case, other), key)

    def figure(self, part, case, name, key):
        row = self.row(part, case, name)
        return row["figures"][key][0] if row and key in row.get("figures", {}) else None


def _at_most(aim, text, ratio, limit, extra="", distance=""):
    if ratio is None:
        return Verdict(aim, text, "", None)
    return Verdict(aim, text, _text(ratio) + extra, ratio[0] <= limit, distance)


def _at_least(aim, text, ratio, limit, extra="", distance=""):
    if ratio is None:
        return Verdict(aim, text, "", None)
    return Verdict(aim, text, _text(ratio) + extra, ratio[0] >= limit, distance)


def _text(ratio):
    return f"{ratio[0]:.2f}x ({ratio[1]:.2f} to {ratio[2]:.2f})"


def _beside(parts, part, case, name, other, key):
    """Returns the two figures of a ratio as text."""
    one, two = (parts.figure(part, case, n, key) for n in (name, other))
    if one is None or two is None:
        return ""
    digits = 0 if max(one, two) >= 1000 else 1 if max(one, two) >= 100 else 3
    return f"; {one:,.{digits}f} and {two:,.{digits}f}"


def _cost(parts):
    def cost(text, case, name, other, limit, distance):
        arguments = ("closed", case, name, other, "server_cpu_us")
        return _at_most("1", text, parts.ratio(*arguments), limit,
                        _beside(parts, *arguments) + " us", distance)
    yield cost("server CPU per call at 64 x 32, sync: at most 1.0x of C++ with libprotobuf",
               "64 x 32", "Rocket sync", "C++", 1.0,
               "2,270 instructions beside 1,240: 580 are framing, limits, deadline and the begin of a"
               " call, which C++ here has none of, 870 protobuf (decision 0039)")
    yield cost("server CPU per call at depth 1, sync: at most 1.05x of plain C",
               "1 x 1", "Rocket sync", "C", 1.05,
               "the instructions of a batch of one call (C: 222); system calls and wake-ups are most of both")
    yield cost("async that does not suspend, CPU per call at 64 x 32: at most 1.15x of sync",
               "64 x 32", "Rocket async", "Rocket sync", 1.15,
               "1,220 instructions: a change of executor behind the handler (330), frames of async"
               " functions, a second lock and a second access to the input (decision 0039)")


def _client(parts):
    own, case = "Rocket client and server", "1 x 512"
    text = "own client and server, 1 x 512: at least 8x the calls/s of the best peer"
    best = max((p for p in PEERS if parts.row("client", case, p)), default=None,
               key=lambda p: parts.figure("client", case, p, "calls_per_second") or 0)
    arguments = ("client", case, own, best, "calls_per_second")
    yield _at_least("2", text, parts.ratio(*arguments) if best else None, 8,
                    f", of {best}{_beside(parts, *arguments)} calls/s" if best else "",
                    "the client's: see the processor time of its calls")
    for name, depth, limit in ((own, 512, 0.5), (own, 64, 0.8), (BATCHES, 512, 0.5), (BATCHES, 64, 0.8)):
        kind = "calls in batches" if name == BATCHES else "single calls"
        text = f"own client, {kind}, 1 x {depth}: at most {limit} us of CPU per call"
        found = parts.figure("client", f"1 x {depth}", name, "client_cpu_us")
        yield Verdict("2", text, f"{found:.3f} us" if found is not None else "",
                      None if found is None else found <= limit,
                      "of 4,040 instructions 900 are protobuf, 830 the core, connection and calls, 710"
                      " references, 570 frames (decision 0038); system calls"
                      if name == BATCHES else
                      "of 7,370 instructions 2,180 are Swift's for one suspension (locks on the"
                      " task's status, jobs, thread-local look-ups), 850 protobuf, 1,050 values and"
                      " references (decision 0038); system calls")
    arguments = ("client", "1 x 1", own, "C", "calls_per_second")
    yield _at_least("2", "own client and server at depth 1: at least 0.95x the calls/s of plain C",
                    parts.ratio(*arguments), 0.95, _beside(parts, *arguments) + " calls/s",
                    "the load runs on the channel's loop: one wake-up of a core per direction, as"
                    " C's; the client's and the server's instructions (decisions 0038, 0039)")
    arguments = ("client", "1 x 1", own, "C", "p99_us")
    yield _at_most("2", "own client and server at depth 1: p99 at most 1.2x of plain C",
                   parts.ratio(*arguments), 1.2, _beside(parts, *arguments) + " us",
                   "wake-ups of a virtual core that other work delays; 0.5 s are few calls")


# Under callgrind a batch is the 32 calls in flight.
BATCH = 32
# The tolerance for batches that arrive in two parts, and for work done once a second.
STRAY = 0.2


def _counts(parts):
    """Counts of callgrind; not measured in a run without that part."""
    def found(name, key):
        return parts.figure("counts", "callgrind", name, key)
    names = ("sync call", "async call", "client call")
    values = {name: found(name, "allocations") for name in names}
    text = "no heap allocation per call on either side, except for the user's messages"
    if any(value is None for value in values.values()):
        yield Verdict("3", text, "", None)
    else:
        yield Verdict("3", text, ", ".join(f"{v:.2f} per {n}" for n, v in values.items()),
                      all(round(value, 2) == 0 for value in values.values()),
                      "two allocations for each read of a batch, none for each of its calls")
    text = "one read, at most one write, no epoll_ctl per batch"
    if any(found(name, "epoll_ctl") is None for name in names):
        yield Verdict("3", text, "", None)
        return
    texts, is_good = [], True
    for name in names:
        reads, writes, changes = (found(name, key) * BATCH for key in
                                  ("reads", "writes", "epoll_ctl"))
        texts.append(f"{name}: {reads:.2f}, {writes:.2f}, {changes:.2f}")
        is_good &= reads <= 1 + STRAY and writes <= 1 + STRAY and changes <= STRAY
    yield Verdict("3", text, "; ".join(texts), is_good)


def _slow(parts):
    text = "1 % calls of 5 ms at 50k calls/s: p99 of the others at most 1.3x of the run without"
    arguments = ("open", "50k", "Rocket, 1 % slow", "Rocket async", "p99_us")
    return _at_most("4", text, parts.ratio(*arguments), 1.3, _beside(parts, *arguments) + " us")


def _threads(parts):
    case, names = "64 x 32, server on two", ("2 io_threads", "1 io_threads")
    calls = parts.ratio("threads", case, *names, "calls_per_second")
    cost = parts.ratio("threads", case, *names, "server_cpu_us")
    if calls is None or cost is None:
        return Verdict("5", "two io_threads: at least 1.8x of one", "", None)
    figure = f"calls/s {_text(calls)}, CPU per call {_text(cost)}"
    if IS_CROWDED:
        # The load needs one of the two cores, so only the cost of a call can be compared.
        return Verdict("5", "two io_threads beside the load on two cores: CPU per call at most 1.1x"
                       " of one's (1.8x the calls/s needs more cores than this machine has)",
                       figure, cost[0] <= 1.1)
    return Verdict("5", "two io_threads on two cores: at least 1.8x the calls/s of one", figure,
                   calls[0] >= 1.8)


def _large(parts, size):
    text = f"{size} payloads, sync and async: at least 0.9x of plain C's bytes/s"
    found = [parts.ratio("payload", size, f"Rocket {name}", "C", "bytes_per_second")
             for name in ("sync", "async")]
    if None in found:
        return Verdict("6", text, "", None)
    rates = [parts.figure("payload", size, name, "bytes_per_second") / 1e6
             for name in ("Rocket sync", "Rocket async", "C")]
    figure = (f"sync {_text(found[0])}, async {_text(found[1])}; {rates[0]:,.0f}, {rates[1]:,.0f}"
              f" and {rates[2]:,.0f} MB/s")
    return Verdict("6", text, figure, min(ratio[0] for ratio in found) >= 0.9,
                   "the request's text is copied and validated, which C does not do (3 us at 64 KiB,"
                   " 58 at 1 MiB), and more sends per call (decision 0040)")


def _idle(parts):
    text = f"10,000 idle connections: at most {IDLE} bytes resident each"
    found = parts.figure("idle", "10000", "Rocket async", "bytes_each")
    if found is None:
        return Verdict("7", text, "", None)
    return Verdict("7", text, f"{found:,.0f} bytes each", found <= IDLE)


def _start(parts):
    ready = parts.figure("start", "start", "order_server", "ready_ms")
    yield Verdict("8", "order_server is ready in 20 ms", f"{ready:.1f} ms" if ready else "",
                  None if ready is None else ready <= 20,
                  "a quarter is the dynamic loader's, for 40 libraries, 13 % the search for types and"
                  " conformances by Swift's runtime (decision 0043)")
    size = parts.figure("start", "start", "order_server", "stripped_bytes")
    yield Verdict("8", "order_server and librocket.so, stripped: less than 20 MB",
                  f"{size / 1e6:.1f} MB" if size else "", None if size is None else size < 20e6,
                  "tables for unwinding 3.4 MB, FoundationEssentials 4.3 MB, AsyncAlgorithms of"
                  " ServiceLifecycle 1.3 MB, regular expressions 1.2 MB (decision 0043)")


def lines(verdicts):
    """Returns the lines for the terminal."""
    return ["\naims"] + [f"{v.aim}  {v.word:<13} {v.text}" + (f"\n{'':<17}{v.figure}" if v.figure
                                                              else "") for v in verdicts]
