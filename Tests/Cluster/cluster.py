"""Three etcd, six order servers and a client, each in its own network namespace; see run.sh.

Prints what was done, and at the end one line `ok:` or `FAILED:` with the figures."""

import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

BIN = Path(os.environ["ROCKET_BIN"])
CLIENT = os.environ["CLUSTER_CLIENT"]
RESTARTS = int(os.environ.get("RESTARTS", "100"))
RATE = int(os.environ.get("RATE", "1000"))
LEASE_SECONDS = 10
WORK = Path(tempfile.mkdtemp(prefix="rocket-cluster-"))
ETCD = {f"etcd{n}": f"10.77.0.{n}" for n in (1, 2, 3)}
SERVERS = {f"order{n}": f"10.77.0.{10 + n}" for n in range(1, 7)}
HOSTS = {**ETCD, **SERVERS, "client": "10.77.0.50"}
ENDPOINTS = ",".join(f"{address}:2379" for address in ETCD.values())
NAME = "rocket/orders"
processes = {}
failures = []


def run(*command):
    subprocess.run(command, check=True)


def make_network():
    """A bridge, and a host for each name."""
    run("ip", "link", "set", "lo", "up")
    # Of this namespace of mounts only.
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("ip", "link", "add", "bridge0", "type", "bridge")
    run("ip", "addr", "add", "10.77.0.254/24", "dev", "bridge0")
    run("ip", "link", "set", "bridge0", "up")
    for name, address in HOSTS.items():
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", f"v-{name}", "master", "bridge0", "up")
        run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")


def start(name, *command, **options):
    log = open(WORK / f"{name}.log", "ab")
    process = subprocess.Popen(
        ["ip", "netns", "exec", name, *command], stdout=options.pop("stdout", log), stderr=log,
        **options)
    processes[name] = process
    return process


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
    folder = WORK / name
    folder.mkdir(exist_ok=True)
    config = folder / "rocket.xml"
    config.write_text(f"""<?xml version="1.0"?>
<root>
  <server>
    <ip>{address}</ip>
    <port>12345</port>
    <io_threads>1</io_threads>
    <drain_timeout_ms>5000</drain_timeout_ms>
    <registration>
      <target>etcd://{ENDPOINTS}/{NAME}</target>
      <address>{address}:12345</address>
    </registration>
  </server>
  <order_store><path>orders.sqlite</path></order_store>
</root>
""")
    start(name, str(BIN / "order_server"), str(config), cwd=folder)


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


def wait(what, seconds, condition):
    """Waits for a condition; what takes longer is a failure."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if condition():
            return time.monotonic() - begin
        time.sleep(0.1)
    failures.append(f"{what}: not within {seconds} s")
    print(f"FAILED: {what}: not within {seconds} s", flush=True)
    return seconds


def restart(name, kill):
    """Ends a server by SIGTERM or SIGKILL, checks its entry, and starts it again."""
    address = f"{SERVERS[name]}:12345"
    process = processes[name]
    process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
    if kill:
        process.wait()
        gone = wait(f"the entry of {name} after kill -9", 3 * LEASE_SECONDS,
                    lambda: (found := entries()) is not None and address not in found)
    else:
        gone = wait(f"the entry of {name} after SIGTERM", LEASE_SECONDS,
                    lambda: (found := entries()) is not None and address not in found)
        process.wait(timeout=60)
    start_server(name)
    back = wait(f"{name} announces itself again", 60,
                lambda: (found := entries()) is not None and address in found)
    return gone, back


def main():
    print(f"logs in {WORK}", flush=True)
    make_network()
    for name in ETCD:
        start_etcd(name)
    wait("etcd answers", 60, lambda: entries() is not None)
    for name in SERVERS:
        start_server(name)
    wait("all servers are announced", 60, lambda: len(entries() or []) == len(SERVERS))
    client = start("client", CLIENT, f"etcd://{ENDPOINTS}/{NAME}", str(RATE),
                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lines = []

    def read():
        for line in client.stdout:
            lines.append(json.loads(line))

    reader = threading.Thread(target=read)
    reader.start()
    wait("the client has calls", 60, lambda: lines and lines[-1]["succeeded"] > RATE)
    randomness = random.Random(7)
    gone = {"SIGTERM": [], "SIGKILL": []}
    for number in range(RESTARTS):
        name = list(SERVERS)[number % len(SERVERS)]
        kill = randomness.random() < 0.3
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
        took, back = restart(name, kill)
        gone["SIGKILL" if kill else "SIGTERM"].append(took)
        last = lines[-1]
        print(f"{number + 1}: {name} {'killed' if kill else 'restarted'}, entry gone after {took:.1f} s, "
              f"back after {back:.1f} s; {last['succeeded']} calls, {last['failed']} failed", flush=True)
    client.stdin.close()
    client.wait(timeout=60)
    reader.join()
    total = lines[-1]
    if total["failed"] or total["succeeded"] != total["begun"]:
        failures.append(f"{total['failed']} of {total['begun']} calls failed: {total['errors']}")
    for kind, limit in (("SIGTERM", 2), ("SIGKILL", LEASE_SECONDS + 6)):
        if gone[kind]:
            print(f"entry gone after {kind}: mean {sum(gone[kind]) / len(gone[kind]):.2f} s, "
                  f"most {max(gone[kind]):.2f} s of {len(gone[kind])}")
    print(json.dumps(total))
    if failures:
        print("FAILED: " + "; ".join(failures))
        return 1
    print(f"ok: {total['succeeded']} calls at {RATE}/s, none failed, {RESTARTS} restarts "
          f"({len(gone['SIGKILL'])} of them kill -9), retries {total['retries']}, "
          f"slowest call {total['slowest_ms']} ms")
    return 0


status = 1
try:
    status = main()
finally:
    for process in processes.values():
        if process.poll() is None:
            process.kill()
            process.wait()
    if status == 0:
        shutil.rmtree(WORK)
sys.exit(status)
