"""Three etcd, six order servers and a client, each in its own network namespace; see run.sh.

Prints what was done, and at the end one line `ok:` or `FAILED:` with the figures."""

import os
import random
import signal
import sys

import network
from network import RATE, processes, run, wait
from registry import Registry

RESTARTS = int(os.environ.get("RESTARTS", "6"))
LEASE_SECONDS = 10
HOSTS = {"etcd1": 1, "etcd2": 2, "etcd3": 3, **{f"order{n}": 10 + n for n in range(1, 7)},
         "client": 50}
ETCD = Registry(
    {name: f"10.77.0.{number}" for name, number in HOSTS.items() if name.startswith("etcd")},
    "rocket/orders")
SERVERS = {name: f"10.77.0.{number}" for name, number in HOSTS.items() if name.startswith("order")}


def start_server(name):
    address = SERVERS[name]
    network.start_server(name, f"{address}:12345", ETCD.registration(address))


def restart(name, kill, most):
    """Ends a server by SIGTERM or SIGKILL, checks its entry, and starts it again.

    most: within how many seconds the entry of one that is not killed is to be gone."""
    address = f"{SERVERS[name]}:12345"
    process = processes[name]
    process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
    if kill:
        process.wait()
        gone = wait(f"the entry of {name} after kill -9", 3 * LEASE_SECONDS,
                    lambda: (found := ETCD.entries()) is not None and address not in found)
    else:
        gone = wait(f"the entry of {name} after SIGTERM", most,
                    lambda: (found := ETCD.entries()) is not None and address not in found)
        process.wait(timeout=60)
    start_server(name)
    back = wait(f"{name} announces itself again", 60,
                lambda: (found := ETCD.entries()) is not None and address in found)
    return gone, back


def main():
    network.make_network(HOSTS)
    for name in ETCD.members:
        ETCD.start(name)
    wait("etcd answers", 60, lambda: ETCD.entries() is not None)
    for name in SERVERS:
        start_server(name)
    wait("all servers are announced", 60, lambda: len(ETCD.entries() or []) == len(SERVERS))
    client = network.Client(ETCD.target)
    randomness = random.Random(7)
    gone = {"SIGTERM": [], "SIGKILL": []}
    for number in range(RESTARTS):
        name = list(SERVERS)[number % len(SERVERS)]
        kill = randomness.random() < 0.3
        # While etcd elects a leader it may not take the withdrawal: the lease ends then.
        elects = number in (RESTARTS // 3, RESTARTS // 2, 2 * RESTARTS // 3)
        if number == RESTARTS // 3:
            print("etcd1 is killed", flush=True)
            processes["etcd1"].kill()
            processes["etcd1"].wait()
        if number == RESTARTS // 2:
            ETCD.start("etcd1")
            print("etcd1 is back; etcd2 is cut off", flush=True)
            run("ip", "link", "set", "v-etcd2", "down")
        if number == 2 * RESTARTS // 3:
            run("ip", "link", "set", "v-etcd2", "up")
            print("etcd2 is back", flush=True)
        took, back = restart(name, kill, 3 * LEASE_SECONDS if elects else 8)
        gone["SIGKILL" if kill else "SIGTERM"].append(took)
        print(f"{number + 1}: {name} {'killed' if kill else 'restarted'}, entry gone after {took:.1f} s, "
              f"back after {back:.1f} s; {client.last['succeeded']} calls, "
              f"{client.last['failed']} failed", flush=True)
    total = client.end()
    for kind in gone:
        if gone[kind]:
            print(f"entry gone after {kind}: mean {sum(gone[kind]) / len(gone[kind]):.2f} s, "
                  f"most {max(gone[kind]):.2f} s of {len(gone[kind])}")
    return network.finish(
        f"{total['succeeded']} calls at {RATE}/s, none failed, {RESTARTS} restarts "
        f"({len(gone['SIGKILL'])} of them kill -9), retries {total['retries']}, "
        f"slowest call {total['slowest_ms']} ms")


sys.exit(network.main(main))
