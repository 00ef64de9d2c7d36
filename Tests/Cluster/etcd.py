"""Three etcd, six order servers and a client, each in its own network namespace; see run.sh.

Prints what was done, and at the end one line `ok:` or `FAILED:` with the figures."""

import base64
import json
import os
import random
import signal
import sys
import urllib.request

import network
from network import RATE, WORK, failures, processes, run, start, wait

RESTARTS = int(os.environ.get("RESTARTS", "100"))
LEASE_SECONDS = 10
HOSTS = {"etcd1": 1, "etcd2": 2, "etcd3": 3, **{f"order{n}": 10 + n for n in range(1, 7)},
         "client": 50}
ETCD = {name: f"10.77.0.{number}" for name, number in HOSTS.items() if name.startswith("etcd")}
SERVERS = {name: f"10.77.0.{number}" for name, number in HOSTS.items() if name.startswith("order")}
ENDPOINTS = ",".join(f"{address}:2379" for address in ETCD.values())
NAME = "rocket/orders"


def start_etcd(name):
    address = ETCD[name]
    cluster = ",".join(f"{member}=http://{ip}:2380" for member, ip in ETCD.items())
    start(
        name, "etcd", "--name", name, "--data-dir", str(WORK / name),
        "--listen-client-urls", f"http://{address}:2379",
        "--advertise-client-urls", f"http://{address}:2379",
        "--listen-peer-urls", f"http://{address}:2380",
        "--initial-advertise-peer-urls", f"http://{address}:2380",
        "--initial-cluster", cluster, "--unsafe-no-fsync")


def start_server(name):
    address = SERVERS[name]
    network.start_server(name, f"{address}:12345", f"""<registration>
      <target>etcd://{ENDPOINTS}/{NAME}</target>
      <address>{address}:12345</address>
    </registration>""")


def entries():
    """The addresses that etcd has, from the first member that answers; None: none does."""
    key = NAME + "/"
    body = json.dumps({"key": encoded(key), "range_end": encoded(key[:-1] + "0")}).encode()
    for address in ETCD.values():
        try:
            url = f"http://{address}:2379/v3/kv/range"
            with urllib.request.urlopen(url, body, timeout=2) as response:
                found = json.load(response).get("kvs", [])
            return {json.loads(base64.b64decode(entry["value"]))["Addr"] for entry in found}
        except OSError:
            continue
    return None


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def restart(name, kill, most):
    """Ends a server by SIGTERM or SIGKILL, checks its entry, and starts it again.

    most: within how many seconds the entry of one that is not killed is to be gone."""
    address = f"{SERVERS[name]}:12345"
    process = processes[name]
    process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
    if kill:
        process.wait()
        gone = wait(f"the entry of {name} after kill -9", 3 * LEASE_SECONDS,
                    lambda: (found := entries()) is not None and address not in found)
    else:
        gone = wait(f"the entry of {name} after SIGTERM", most,
                    lambda: (found := entries()) is not None and address not in found)
        process.wait(timeout=60)
    start_server(name)
    back = wait(f"{name} announces itself again", 60,
                lambda: (found := entries()) is not None and address in found)
    return gone, back


def main():
    network.make_network(HOSTS)
    for name in ETCD:
        start_etcd(name)
    wait("etcd answers", 60, lambda: entries() is not None)
    for name in SERVERS:
        start_server(name)
    wait("all servers are announced", 60, lambda: len(entries() or []) == len(SERVERS))
    client = network.Client(f"etcd://{ENDPOINTS}/{NAME}")
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
            start_etcd("etcd1")
            print("etcd1 is back; etcd2 is cut off", flush=True)
            run("ip", "link", "set", "v-etcd2", "down")
        if number == 2 * RESTARTS // 3:
            run("ip", "link", "set", "v-etcd2", "up")
            print("etcd2 is back", flush=True)
        took, back = restart(name, kill, 3 * LEASE_SECONDS if elects else 2)
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
