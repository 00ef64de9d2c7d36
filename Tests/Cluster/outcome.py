"""What became of the orders: the client's record, the database, the list and the watch, compared.

Functions of values, which start nothing; each returns the reasons for which the part has failed."""

from bisect import bisect
from collections import Counter
from typing import NamedTuple

# Each call has so long (programs/Sources/cluster_client), and the last wait before another attempt.
DEADLINE_MS = 30_000
BACK_OFF_MS = 1_000


class Call(NamedTuple):
    """A call that has ended: see programs/Sources/cluster_client/Record.swift."""

    is_acknowledged: bool
    ended_ms: int
    took_ms: float
    key: str
    # Of one that was acknowledged: its server, id, price and goods; else its code and text.
    values: list


class Row(NamedTuple):
    """An order of the database, with its key."""

    sequence: int
    price: str
    goods: str
    key: str


def read_record(path):
    calls = []
    with open(path) as file:
        for line in file:
            result, ended, took, key, *values = line.rstrip("\n").split("\t")
            calls.append(Call(result == "ok", int(ended), int(took) / 1000, key, values))
    return calls


def sequence(order_id):
    """The number of an order in the list: what its id has behind the day."""
    return int(order_id[8:])


def check_orders(calls, rows):
    """Each acknowledged order is there once, with its content; no key has two; none is of nobody."""
    reasons = []
    by_sequence = {row.sequence: row for row in rows}
    missing, different = [], []
    for call in calls:
        if not call.is_acknowledged:
            continue
        _, order_id, price, goods = call.values
        row = by_sequence.get(sequence(order_id))
        if row is None:
            missing.append(order_id)
        elif (row.price, row.goods, row.key) != (price, goods, call.key):
            different.append(order_id)
    if missing:
        reasons.append(f"{len(missing)} acknowledged orders are missing: {some(missing)}")
    if different:
        reasons.append(f"{len(different)} orders have another content: {some(different)}")
    # The goods have the number of the key, so that an order without a key is found, too.
    twice = [goods for goods, count in Counter(row.goods for row in rows).items() if count > 1]
    if twice:
        reasons.append(f"{len(twice)} keys have several orders: {some(twice)}")
    known = {call.key for call in calls}
    others = [row.sequence for row in rows if row.key not in known]
    if others:
        reasons.append(f"{len(others)} orders are of no call: {some(others)}")
    return reasons


def check_failures(calls):
    """None but those that were refused, or not answered, until their deadline; few of these."""
    failed = [call for call in calls if not call.is_acknowledged]
    late = [call for call in failed if is_late(call)]
    reasons = []
    if len(late) != len(failed):
        texts = Counter(" ".join(call.values) for call in failed if not is_late(call))
        reasons.append(f"{len(failed) - len(late)} calls failed: {some(texts.most_common())}")
    if len(late) * 200 >= len(calls):
        reasons.append(f"{len(late)} of {len(calls)} calls were not made in time: 0.5 % or more")
    return reasons


def is_late(call):
    codes = ("UNAVAILABLE", "ERROR_RPC_CALL_TIMEOUT", "DEADLINE_EXCEEDED")
    return call.values[0] in codes and call.took_ms >= DEADLINE_MS - BACK_OFF_MS


def check_sequence(what, orders, rows, left_out=0):
    """The orders are those of the database in their order, each once.

    orders: as order_client prints them; left_out: how many it says that it has left out."""
    found = [(sequence(order["order_id"]), str(order["price"]), order["goods"]) for order in orders]
    expected = [(row.sequence, row.price, row.goods) for row in rows]
    numbers = [number for number, _, _ in found]
    missing = sorted(set(expected) - set(found))
    unknown = sorted(set(found) - set(expected))
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    if numbers == sorted(numbers) and len(missing) == left_out and not unknown and not twice:
        return []
    return [f"{what}: {len(found)} orders, {len(expected)} in the database, {left_out} left out; "
            f"in order: {numbers == sorted(numbers)}; missing: {len(missing)} {some(missing)}; "
            f"unknown: {len(unknown)} {some(unknown)}; twice: {len(twice)} {some(twice)}"]


def check_balance(calls, servers):
    """No server has made less than a tenth of its share of the orders, whatever was done to it.

    One that could not reach its database for seconds gets few calls for up to a minute: the balancer
    remembers."""
    counts = Counter(call.values[0] for call in calls if call.is_acknowledged)
    shares = {server: counts[server] / max(1, sum(counts.values())) for server in servers}
    if min(shares.values()) < 1 / 10 / len(servers):
        return shares, [f"calls are not balanced: {shares}"]
    return shares, []


def longest_gap(times, begin, end):
    """The longest time without an acknowledgement that has a part in begin...end.

    times: of acknowledgements, sorted."""
    first = max(0, bisect(times, begin) - 1)
    last = min(len(times) - 1, bisect(times, end))
    return max((times[i + 1] - times[i] for i in range(first, last)), default=0)


def percentile(values, share):
    """Of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0


def some(values):
    """The first of many."""
    return ", ".join(str(value) for value in values[:3]) + (" …" if len(values) > 3 else "")
