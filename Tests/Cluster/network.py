"""Hosts in network namespaces, and what runs on them: shared by the parts of this test, see run.sh."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BIN = Path(os.environ["ROCKET_BIN"])
CLIENT = os.environ.get("CLUSTER_CLIENT")
RATE = int(os.environ.get("RATE", "1000"))
WORK = Path(tempfile.mkdtemp(prefix="rocket-cluster-"))
processes = {}
failures = []


def run(*command):
    subprocess.run(command, check=True)


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_network(hosts):
    """A bridge, and a host for each name, with the addresses 10.77.0.N and fd77::N."""
    run("ip", "link", "set", "lo", "up")
    # Of this namespace of mounts only.
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("ip", "link", "add", "bridge0", "type", "bridge")
    run("ip", "addr", "add", "10.77.0.254/24", "dev", "bridge0")
    run("ip", "link", "set", "bridge0", "up")
    for name, number in hosts.items():
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", f"v-{name}", "master", "bridge0", "up")
        run("ip", "-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
        run("ip", "-n", name, "addr", "add", f"fd77::{number}/64", "dev", "eth0", "nodad")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")


def start(host, *command, name=None, **options):
    """Starts a program on a host; `name` is that of its log, and in `processes`: default the host's."""
    name = name or host
    with open(WORK / f"{name}.log", "ab") as log:
        process = subprocess.Popen(
            ["ip", "netns", "exec", host, *command], stdout=options.pop("stdout", log), stderr=log,
            **options)
    processes[name] = process
    return process


def kill_host(host):
    """Kills all processes on a host at once, as the loss of its power does."""
    while pids := output("ip", "netns", "pids", host).split():
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        # One that has ended is there until it is waited for.
        processes[host].poll()


def hardware_address(host):
    return json.loads(output("ip", "-j", "-n", host, "link", "show", "eth0"))[0]["address"]


def connect(host, other, numbers, is_cut=False):
    """Fixes the hardware addresses by which two hosts reach each other. Cut off: a wrong one, so that
    packets vanish and nobody hears of it; and so they do if a host's link goes down."""
    for one, peer in ((host, other), (other, host)):
        address = "02:00:00:00:00:ff" if is_cut else hardware_address(peer)
        run("ip", "-n", one, "neigh", "replace", f"10.77.0.{numbers[peer]}", "lladdr", address,
            "dev", "eth0", "nud", "permanent")


def start_server(name, listen, registration="", store="<path>orders.sqlite</path>"):
    """An order_server with these elements of its configuration.

    Calls that wait while a database is failed over must not reach its limits: a client makes them at a
    steady rate, through one connection."""
    folder = WORK / name
    folder.mkdir(exist_ok=True)
    config = folder / "rocket.xml"
    config.write_text(f"""<?xml version="1.0"?>
<root>
  <server>
    <listen>{listen}</listen>
    <io_threads>1</io_threads>
    <drain_timeout_ms>5000</drain_timeout_ms>
    <max_in_flight_per_connection>65536</max_in_flight_per_connection>
    {registration}
  </server>
  <order_store>
    <max_waiting>131072</max_waiting>
    {store}
  </order_store>
</root>
""")
    start(name, str(BIN / "order_server"), str(config), cwd=folder)


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


class Client:
    """A cluster_client on the host `client`. `last` is what it printed last, once a second."""

    def __init__(self, target, *record):
        self.last = {"begun": 0, "succeeded": 0, "failed": 0, "servers": {}}
        self.process = start("client", CLIENT, target, str(RATE), *record,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        wait("the client has calls", 300, lambda: self.last["succeeded"] > RATE)

    def read(self):
        for line in self.process.stdout:
            self.last = json.loads(line)

    def calls(self, address):
        return self.last["servers"].get(f"{address}:12345", 0)

    def refresh(self):
        """Waits for the next line."""
        last = self.last
        wait("the client reports", 60, lambda: self.last is not last)

    def end(self):
        """Ends it, and returns what it has done in all; a call that has failed is a failure."""
        total = self.stop()
        if total["failed"] or total["succeeded"] != total["begun"]:
            failures.append(f"{total['failed']} of {total['begun']} calls failed: {total['errors']}")
        return total

    def stop(self):
        """Ends it when all calls have ended, and returns what it has done in all."""
        self.process.stdin.close()
        self.process.wait(timeout=300)
        self.reader.join()
        print(json.dumps(self.last))
        return self.last


def finish(text):
    """Prints the last line, and returns the exit status."""
    if failures:
        print("FAILED: " + "; ".join(failures))
        return 1
    print(f"ok: {text}")
    return 0


def main(body):
    """Runs a part, ends what it has started, and returns its exit status."""
    print(f"logs in {WORK}", flush=True)
    status = 1
    # As the first process of its namespace it would ignore it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        status = body()
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        if status == 0:
            shutil.rmtree(WORK)
    return status
