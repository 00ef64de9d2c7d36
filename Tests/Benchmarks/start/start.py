"""Measures the start of order_server: from its execution to READY=1, which systemd waits for.

    start.py BINARIES [--starts N] [--json]

Prints medians of N starts (20) with a store that exists, and of as many of /bin/true in between; or
all of them as JSON, in milliseconds. Times depend on the machine and are only printed. Page faults
hardly do: fails if order_server has more than FAULTS.
"""

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

FAULTS = 1700  # 1,490 to 1,552 with Swift 6.3.1 on Debian 12
CONFIGURATION = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "../../../conf/rocket.xml")


def start_server(program, environment, notifications):
    """Returns milliseconds to READY=1, milliseconds of processor time, and page faults till then."""
    began = time.perf_counter()
    process = subprocess.Popen([program, CONFIGURATION], env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while b"READY=1" not in notifications.recv(4096):
            pass
        elapsed = time.perf_counter() - began
        cpu = 0
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/schedstat") as file:
                cpu += int(file.read().split()[0])
        with open(f"/proc/{process.pid}/stat") as file:
            faults = int(file.read().rsplit(")", 1)[1].split()[7])
    except TimeoutError:
        process.kill()
        sys.exit(f"start: order_server is not ready: {process.communicate()[1].decode()[-2000:]}")
    process.terminate()
    process.communicate(timeout=60)
    return elapsed * 1e3, cpu / 1e6, faults


def start_true():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(["/bin/true"], check=True)
    elapsed = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return elapsed * 1e3, cpu * 1e3, after.ru_minflt - before.ru_minflt


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    program = os.path.join(options.binaries, "order_server")
    folder = tempfile.mkdtemp()
    servers, references = [], []
    try:
        notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notifications.settimeout(60)
        notifications.bind(os.path.join(folder, "notify"))
        environment = dict(os.environ, NOTIFY_SOCKET=os.path.join(folder, "notify"),
                           ROCKET_SERVER_PORT="0", ROCKET_LOG_FILE_PATH=os.path.join(folder, "log"),
                           ROCKET_ORDER_STORE_PATH=os.path.join(folder, "orders.sqlite"))
        start_server(program, environment, notifications)  # makes the store
        for _ in range(options.starts):
            servers.append(start_server(program, environment, notifications))
            references.append(start_true())
    finally:
        shutil.rmtree(folder)
    if options.json:
        keys = ("ready_ms", "cpu_ms", "page_faults")
        print(json.dumps({name: [dict(zip(keys, row)) for row in rows] for name, rows in
                          (("order_server", servers), ("/bin/true", references))}))
        return
    print(f"{'start':<14}{'ms':>8}{'ms of CPU':>12}{'page faults':>13}")
    for name, rows in (("order_server", servers), ("/bin/true", references)):
        elapsed, cpu, faults = map(statistics.median, zip(*rows))
        print(f"{name:<14}{elapsed:>8.1f}{cpu:>12.1f}{faults:>13,.0f}")
    faults = statistics.median(row[2] for row in servers)
    if faults > FAULTS:
        sys.exit(f"start: {faults:,.0f} page faults until READY=1, allowed: {FAULTS:,}")


main()
