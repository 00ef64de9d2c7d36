"""Three order_servers, found through etcd, with one PostgreSQL and its standby; and clients."""

import json
import subprocess
import threading
import time

from engines import Etcd, Postgres
from machines import CLIENT, SERVERS, Failed, program, rocket

ENGINES = ("etcd", "postgres", "initdb", "psql", "pg_basebackup")
PROGRAMS = ("order_server", "order_client")
CALLERS = 4
# Here a machine that is busy with all of this must not make calls fail: longer than the defaults.
SERVER_LIMITS = {"ROCKET_ORDER_STORE_OUTAGE_TIMEOUT_MS": "60000",
                 "ROCKET_ORDER_STORE_STATEMENT_TIMEOUT_MS": "60000"}
CALL_LIMIT = "100s"


class Servers:
    """The order_servers."""

    def __init__(self, machines, etcd):
        self.machines, self.etcd = machines, etcd
        machines.issue("orders", "--server", "--client", "--uri", "spiffe://example/orders",
                       machines=SERVERS)
        self.credentials = machines.credentials("orders")
        for number in SERVERS:
            self.start(number)
        self.wait_until_announced()

    def configuration(self, number):
        folder = self.machines.folder / f"order{number}"
        folder.mkdir(exist_ok=True)
        return self.machines.example(
            "orders-cluster/order_server.xml", number, folder,
            [("<log_sinks>journal<", "<log_sinks>file<"), ("/var/log/order_server", "log"),
             ("/run/credentials/order_server.service", str(self.credentials)),
             ("unix:/run/", f"unix:{folder}/")])

    def start(self, number):
        self.machines.start(
            f"order{number}", rocket("order_server"), self.configuration(number),
            environment={"CREDENTIALS_DIRECTORY": str(self.credentials), **SERVER_LIMITS})

    def wait_until_announced(self):
        wanted = {f"{self.machines.address(number)}:{self.machines.ports[12345]}"
                  for number in SERVERS}
        for number in SERVERS:
            self.machines.wait(f"order{number} is announced",
                               lambda: wanted <= (self.etcd.entries() or set()), f"order{number}")


class Load:
    """Callers, each of which makes one order after the other by order_client. Each has its key, so that
    order_client may send it again to another server."""

    def __init__(self, machines):
        machines.issue("till", "--client", "--uri", "spiffe://example/till")
        folder = machines.folder / "till"
        folder.mkdir()
        (folder / "tls").symlink_to(machines.ca)
        self.file = machines.example("orders-cluster/order_client.xml", CLIENT, folder)
        # Started by threads, which must not run code between fork and exec.
        self.command = [program("setpriv", "apt-get install util-linux"), "--pdeathsig=KILL",
                        rocket("order_client")]
        self.condition = threading.Condition()
        self.is_over = False
        self.acknowledged = {}
        self.failures = []
        self.slowest = 0.0
        self.last = self.gap = 0.0
        self.threads = [threading.Thread(target=self.call, args=[index], daemon=True)
                        for index in range(CALLERS)]

    def start(self):
        self.last = time.monotonic()
        for thread in self.threads:
            thread.start()

    def call(self, caller):
        number = 0
        while not self.is_over:
            number += 1
            goods = f"goods-{caller}-{number}"
            begin = time.monotonic()
            # In a session of its own: Ctrl-C is for the demo.
            done = subprocess.run(
                [*self.command, "make", "--price", "100", "--goods", goods, "--json", "--timeout",
                 CALL_LIMIT, "--config", str(self.file)], capture_output=True, text=True, start_new_session=True,
                stdin=subprocess.DEVNULL)
            end = time.monotonic()
            with self.condition:
                self.slowest = max(self.slowest, end - begin)
                self.gap = max(self.gap, end - self.last)
                if done.returncode == 0:
                    self.last = end
                    self.acknowledged[goods] = json.loads(done.stdout)["order_id"]
                else:
                    self.failures.append(
                        (goods, f"status {done.returncode}: {done.stderr.strip()}"))
                self.condition.notify_all()

    def phase(self, name, event, orders, seconds):
        """One phase: what happens at its begin, then so many orders and seconds. Returns its row."""
        with self.condition:
            self.slowest, self.gap = 0.0, 0.0
            before, failed = len(self.acknowledged), len(self.failures)
        begin = time.monotonic()
        event()
        with self.condition:
            # Behind the event, and also behind all calls that were on their way then.
            wanted = len(self.acknowledged) + orders + CALLERS
            if not self.condition.wait_for(lambda: len(self.acknowledged) >= wanted, 120):
                raise Failed(f"{name}: no orders are stored; {self.failures[-1:]}")
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
        with self.condition:
            return {
                "phase": name, "orders": len(self.acknowledged) - before,
                "failed": len(self.failures) - failed,
                "slowest call s": round(self.slowest, 2),
                "longest gap s": round(max(self.gap, time.monotonic() - self.last), 2)}

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def run(machines, report, is_short):
    """The part of the demo. is_short: phases have a number of orders only."""
    orders, seconds = 10, 0 if is_short else 5
    report.step("etcd: three members, TLS between them")
    etcd = Etcd(machines)
    report.step("PostgreSQL: a primary and its synchronous standby, with certificates")
    postgres = Postgres(machines)
    report.step("three order_servers, which announce themselves in etcd")
    servers = Servers(machines, etcd)
    load = Load(machines)
    report.step(f"{CALLERS} callers make orders by order_client, which finds servers in etcd")
    load.start()
    rows = []
    crashed = SERVERS[1]

    def phase(name, event):
        report.step(name)
        rows.append(load.phase(name, event, orders, seconds))

    phase("three servers", lambda: None)
    phase("order2 is killed -9", lambda: machines.kill(f"order{crashed}"))
    phase("order2 is started again", lambda: (servers.start(crashed),
                                              servers.wait_until_announced()))
    phase("an etcd is killed -9", lambda: machines.kill(f"etcd{SERVERS[0]}"))
    lost = postgres.primary

    def fail_over():
        postgres.crash()
        postgres.fail_over()

    phase("the primary crashes, the standby is promoted", fail_over)
    phase("the old primary is the standby now", lambda: postgres.join(lost))
    load.end()
    report.step("comparing what was acknowledged with the database, and with its standby")
    report.part("orders", rows, compare(load, postgres))


def compare(load, postgres):
    """Every acknowledged order exists once, with its id, and nothing else does."""
    rows = "SELECT goods || ' ' || sequence || ' ' || created_ms FROM orders ORDER BY sequence"
    lines = postgres.sql(rows).splitlines()
    stored = {}
    for line in lines:
        goods, sequence, _ = line.split()
        stored.setdefault(goods, []).append(int(sequence))
    acknowledged = {goods: int(order) % 10**10 for goods, order in load.acknowledged.items()}
    unknown = {goods for goods, _ in load.failures}
    # The standby has what was confirmed, maybe not yet for its readers.
    is_replayed = postgres.machines.wait(
        "the standby has all orders",
        lambda: postgres.sql(rows, postgres.standby).splitlines() == lines)
    failed = len(load.failures)
    return [
        (f"{len(acknowledged)} orders acknowledged, each is stored once",
         all(stored.get(goods) == [order] for goods, order in acknowledged.items())),
        (f"{len(lines)} orders stored, none twice, and none that was not ordered",
         len(lines) == len(stored) and set(stored) <= set(acknowledged) | unknown),
        (f"{failed} calls failed" + "".join(f"; {text}" for _, text in load.failures[:3]),
         failed == 0),
        ("the standby has the same orders", is_replayed),
    ]
