"""Three order servers with one PostgreSQL and its standby, found through etcd, and a client, each in its
own network namespace; faults of all of them while the client makes orders. See run.sh and README.md.

Prints the seed, what was done, and at the end one line `ok:` or `FAILED:` with the figures."""

import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time

import network
import outcome
from network import RATE, WORK, connect, failures, processes, start, wait
from postgres import Postgres
from registry import Registry

SECONDS = int(os.environ.get("ORDERS_SECONDS", "120"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
KILLS = int(os.environ.get("KILLS", "20"))
FAULTS = {"restart": int(os.environ.get("PG_RESTARTS", "5")),
          "failover": int(os.environ.get("FAILOVERS", "2")),
          "cut": int(os.environ.get("CUTS", "5"))}
HOSTS = {"etcd1": 1, "pg1": 21, "pg2": 22, "order1": 11, "order2": 12, "order3": 13, "client": 50,
         "watcher": 51}
ADDRESSES = {name: f"10.77.0.{number}" for name, number in HOSTS.items()}
SERVERS = [name for name in HOSTS if name.startswith("order")]
ETCD = Registry({"etcd1": ADDRESSES["etcd1"]}, "rocket/orders")
DATABASE = Postgres({name: ADDRESSES[name] for name in ("pg1", "pg2")})
# A condition that is not met for so long is a failure: the part hangs.
PATIENCE = 300


class Faults:
    """What is done to the servers and to the database, at the same time, and when.

    The seed decides what, to which server, and for how long. The next fault begins when the last one is
    over; those that have not begun when the time is over are left out."""

    def __init__(self, client):
        self.client = client
        self.begin = time.monotonic()
        # Kind, begin and end as of time.time().
        self.done = []
        self.starts_repeated = 0
        # Of those who start a server.
        self.lock = threading.Lock()
        self.errors = []
        randomness = random.Random(SEED)
        # Of each kind one first: on a slow machine the last ones are left out.
        first = [kind for kind, count in FAULTS.items() if count > 0]
        more = [kind for kind, count in FAULTS.items() for _ in range(count - 1)]
        randomness.shuffle(first)
        randomness.shuffle(more)

        # In turn: a server that is hit again and again gets hardly any calls, since the balancer
        # remembers for long that it was slow.
        servers = list(SERVERS)
        randomness.shuffle(servers)

        def plan(kinds):
            turns = {kind: itertools.cycle(servers) for kind in kinds}
            return [(getattr(self, kind), next(turns[kind]), randomness.uniform(2, 6))
                    for kind in kinds]

        self.kills = plan(["kill"] * KILLS)
        self.others = plan(first + more)

    def run(self):
        """Both lists, each in its order and spread over the time; returns when the time is over."""
        threads = [threading.Thread(target=self.run_list, args=(faults,))
                   for faults in (self.kills, self.others)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(max(0, self.begin + SECONDS - time.monotonic()))
        failures.extend(self.errors)

    def run_list(self, faults):
        try:
            for number, (fault, server, seconds) in enumerate(faults):
                due = self.begin + SECONDS * number / len(faults)
                time.sleep(max(0, due - time.monotonic()))
                if failures or time.monotonic() - self.begin >= SECONDS:
                    return
                begin = time.time()
                text = fault(server, seconds)
                end = time.time()
                self.done.append((fault.__name__, begin, end))
                print(f"{time.monotonic() - self.begin:6.1f} s: {text}, {end - begin:.1f} s; "
                      f"{self.client.last['succeeded']} calls, {self.client.last['failed']} failed",
                      flush=True)
        except Exception as error:
            self.errors.append(f"{fault.__name__}: {error!r}")

    def kill(self, name, _):
        with self.lock:
            processes[name].kill()
            processes[name].wait()
            start_server(name)
        self.wait_until_called(name)
        return f"{name} killed and started"

    def restart(self, *_):
        is_immediate = [kind for kind, _, _ in self.done].count("restart") % 2 == 1
        DATABASE.restart(is_immediate)
        self.wait_for_orders()
        how = "immediate" if is_immediate else "fast"
        return f"{DATABASE.primary} restarted ({how})"

    def failover(self, *_):
        DATABASE.failover()
        self.wait_for_orders()
        how = DATABASE.rejoin()
        return f"failed over to {DATABASE.primary}; {DATABASE.standby} is its standby ({how})"

    def cut(self, name, seconds):
        for host in DATABASE.addresses:
            connect(name, host, HOSTS, is_cut=True)
        time.sleep(seconds)
        for host in DATABASE.addresses:
            connect(name, host, HOSTS)
        self.wait_until_called(name)
        return f"{name} cut off from PostgreSQL for {seconds:.1f} s"

    def wait_until_called(self, name):
        """Waits for new successful calls of a server, and starts it again if it ends: without its
        database it does not start, and a service manager would try again."""
        address = ADDRESSES[name]
        self.client.refresh()
        before = self.client.calls(address)

        def is_called():
            with self.lock:
                if processes[name].poll() is not None:
                    self.starts_repeated += 1
                    start_server(name)
            return self.client.calls(address) > before

        wait(f"{name} is called", PATIENCE, is_called)

    def wait_for_orders(self):
        """Waits for orders that are made from now on."""
        self.client.refresh()
        before = self.client.last["succeeded"]
        wait("orders are made", PATIENCE, lambda: self.client.last["succeeded"] > before)


def start_server(name):
    url = DATABASE.url.replace("&", "&amp;")
    network.start_server(name, f"{ADDRESSES[name]}:12345", ETCD.registration(ADDRESSES[name]),
                         f"<url>{url}</url>")


def start_watch():
    output = open(WORK / "watched", "wb")
    return start("watcher", str(network.BIN / "order_client"), "watch", "--to", ETCD.target,
                 "--after", "0", "--wait", "--json", stdout=output)


def lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def left_out():
    """Orders that the watch says that it has left out."""
    with open(WORK / "watcher.log") as log:
        return sum(int(line.split()[1]) for line in log if "orders are missing here" in line)


def rows():
    """The orders of the database, in their order."""
    found = DATABASE.query("SELECT o.sequence, o.price, o.goods, k.key FROM orders o "
                           "LEFT JOIN idempotency_keys k USING (sequence) ORDER BY sequence")
    return [outcome.Row(int(number), *rest) for number, *rest in
            (line.split("\t") for line in found)]


def check_list(stored):
    """The list of the first server, page by page."""
    command = [str(network.BIN / "order_client"), "list", "--all", "--json", "--timeout", "30s",
               "--page-size", "1000", "--to", f"{ADDRESSES['order1']}:12345"]
    listed = subprocess.run(["ip", "netns", "exec", "client", *command], stdout=subprocess.PIPE)
    if listed.returncode != 0:
        return [f"order_client list ended with {listed.returncode}"]
    return outcome.check_sequence("the list", json.loads(listed.stdout)["orders"], stored)


def check_watch(stored):
    wait("the watch has all orders", PATIENCE,
         lambda: lines(WORK / "watched") + left_out() >= len(stored))
    if processes["watcher"].poll() is not None:
        return [f"order_client watch ended with {processes['watcher'].returncode}"]
    with open(WORK / "watched") as watched:
        orders = [json.loads(line) for line in watched]
    return outcome.check_sequence("the watch", orders, stored, left_out())


def print_gaps(calls, done):
    """How long no call at all was acknowledged, for each kind of fault."""
    times = sorted(call.ended_ms / 1000 for call in calls if call.is_acknowledged)
    database = [(begin, end) for kind, begin, end in done if kind in ("restart", "failover")]
    for kind in ["kill", *FAULTS]:
        mine = [(begin, end) for other, begin, end in done if other == kind]
        alone = [(begin, end) for begin, end in mine if kind in ("restart", "failover")
                 or not any(first < end and begin < last for first, last in database)]
        gaps = [outcome.longest_gap(times, begin, end) for begin, end in alone]
        wanted = KILLS if kind == "kill" else FAULTS[kind]
        print(f"{kind}: {len(mine)} of {wanted}; longest time without an order "
              f"{max(gaps, default=0):.1f} s of {len(gaps)}")


def main():
    print(f"seed {SEED}", flush=True)
    network.make_network(HOSTS)
    connect("pg1", "pg2", HOSTS)
    for name in SERVERS:
        for host in DATABASE.addresses:
            connect(name, host, HOSTS)
    ETCD.start("etcd1")
    DATABASE.create()
    wait("etcd answers", PATIENCE, lambda: ETCD.entries() is not None)
    for name in SERVERS:
        start_server(name)
    wait("all servers are announced", PATIENCE, lambda: len(ETCD.entries() or []) == len(SERVERS))
    start_watch()
    client = network.Client(ETCD.target, str(WORK / "record"))
    faults = Faults(client)
    faults.run()
    total = client.stop()
    calls = outcome.read_record(WORK / "record")
    stored = rows()
    acknowledged = [call for call in calls if call.is_acknowledged]
    if len(calls) != total["begun"]:
        failures.append(f"{len(calls)} calls in the record, {total['begun']} begun")
    failures.extend(outcome.check_orders(calls, stored))
    failures.extend(outcome.check_failures(calls))
    failures.extend(check_list(stored))
    failures.extend(check_watch(stored))
    addresses = [f"{ADDRESSES[name]}:12345" for name in SERVERS]
    shares, reasons = outcome.check_balance(calls, addresses)
    failures.extend(reasons)
    print_gaps(calls, faults.done)
    print("orders by server: "
          + ", ".join(f"{name} {share:.0%}" for name, share in zip(SERVERS, shares.values())))
    took = sorted(call.took_ms for call in acknowledged)
    kinds = [kind for kind, _, _ in faults.done]
    return network.finish(
        f"seed {SEED}: {len(acknowledged)} of {len(calls)} orders at {RATE}/s, "
        f"{len(calls) - len(acknowledged)} not made in time, {len(stored)} in the database, "
        f"{kinds.count('kill')} kills ({faults.starts_repeated} starts repeated), "
        f"{kinds.count('restart')} restarts and {kinds.count('failover')} failovers of PostgreSQL, "
        f"{kinds.count('cut')} cuts; p50 {outcome.percentile(took, 0.5):.1f} ms, "
        f"p99 {outcome.percentile(took, 0.99):.0f} ms, slowest {took[-1] if took else 0:.0f} ms; "
        f"retries {total['retries']}")


sys.exit(network.main(main))
