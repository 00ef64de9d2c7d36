"""order_server processes on one PostgreSQL database, seen from outside: by order_client and psql."""

import json
import os
import pathlib
import pwd
import signal
import subprocess
import tempfile
import threading
import time
import unittest

BIN = pathlib.Path(os.environ["ROCKET_BIN"])
# Seconds after which something hangs.
TIMEOUT = 300


class Postgres:
    """A server in a folder of its own, with a Unix socket and no port."""

    def __init__(self, folder):
        self.folder = folder
        self.user = None
        if os.geteuid() == 0:
            self.user = "nobody"
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        os.chmod(folder, 0o755)
        self.run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "rocket", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")
        self.start()
        self.sql("CREATE DATABASE orders", "postgres")
        self.url = f"postgresql://rocket@/orders?host={folder}"

    def run(self, *words):
        subprocess.run(words, check=True, user=self.user, cwd="/", stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, timeout=TIMEOUT)

    def start(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-s", "-l", f"{self.folder}/log", "-o",
                 f"-k {self.folder} -c listen_addresses='' -c fsync=off", "start")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-s", "-m", "immediate", "stop")

    def sql(self, text, database="orders"):
        words = ["psql", "-h", str(self.folder), "-U", "rocket", "-d", database, "-XAtq", "-c", text]
        return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True,
                              timeout=TIMEOUT).stdout.strip()


class OrderServer:
    """An order_server on a port that the kernel chooses."""

    def __init__(self, folder, url, store=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.file = self.folder / "order_server.xml"
        self.file.write_text(configuration(url, store))
        self.process = subprocess.Popen(
            [BIN / "order_server", self.file], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, ROCKET_SERVER_PORT="0"))
        ready = self.process.stdout.readline()
        assert "listening on" in ready, ready
        self.address = ready.strip().rsplit(" ", 1)[1]

    def client(self, *words):
        return subprocess.run(
            [BIN / "order_client", *words, "--to", self.address], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=TIMEOUT)

    def make(self, goods, key=None):
        """Makes an order, and returns its id; what was wrong, if it was not made."""
        result = subprocess.run(
            [BIN / "rocket", "call", self.address, "Order.makeOrder", "--timeout", "20s",
             json.dumps({"price": 100, "goods": goods}), *(["-H", f"idempotency-key: {key}"] if key else [])],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT)
        if result.returncode:
            return None, result.stderr
        reply = json.loads(result.stdout)
        return reply.get("order_id"), reply.get("res_info")

    def log(self):
        return "".join(file.read_text() for file in self.folder.glob("log/*"))

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(TIMEOUT)
        self.process.stdout.close()
        return self.process.returncode


def configuration(url, store=""):
    url = url.replace("&", "&amp;")
    return ("<root><log><log_file_path>log</log_file_path></log><server><ip>127.0.0.1</ip>"
            "<reflection>true</reflection></server>"
            f"<order_store><url>{url}</url>{store}</order_store></root>")


class OrdersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="rocket-orders-")
        os.chmod(cls.folder.name, 0o755)
        data = pathlib.Path(cls.folder.name) / "pg"
        data.mkdir()
        cls.postgres = Postgres(data)

    @classmethod
    def tearDownClass(cls):
        cls.postgres.stop()
        cls.folder.cleanup()

    def serve(self, store=""):
        server = OrderServer(self.folder.name, self.postgres.url, store)
        self.addCleanup(lambda: server.process.poll() is None and server.end(signal.SIGKILL))
        return server

    def load(self, servers, isOver):
        """Makes orders with keys, each with the next server if one does not answer, and returns their ids
        by key."""
        made = {}

        def work(name):
            number = 0
            while not isOver.is_set():
                number += 1
                key = f"{self.id()}-{name}-{number}"
                end = time.monotonic() + TIMEOUT
                attempt = name
                while key not in made:
                    id, text = servers[attempt % 2].make("apple", key)
                    attempt += 1
                    if id:
                        made[key] = id
                    elif time.monotonic() > end:
                        raise AssertionError(text)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        return made, lambda: [thread.join() for thread in threads]

    def expectOnce(self, made):
        """Each key has one order, the one that was confirmed."""
        rows = self.postgres.sql(
            "SELECT key, sequence FROM idempotency_keys WHERE key LIKE '%s-%%'" % self.id())
        stored = dict(line.split("|") for line in rows.splitlines())
        # An id is a date and the number.
        self.assertEqual({key: id[8:].lstrip("0") for key, id in made.items()}, stored)
        orders = self.postgres.sql(
            "SELECT count(*), count(DISTINCT sequence) FROM orders JOIN idempotency_keys USING (sequence)"
            " WHERE key LIKE '%s-%%'" % self.id())
        self.assertEqual(f"{len(made)}|{len(made)}", orders)

    def wait(self, condition, text):
        end = time.monotonic() + TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), end, text)
            time.sleep(0.02)

    def test_one_is_killed(self):
        servers = [self.serve(), self.serve()]
        isOver = threading.Event()
        made, join = self.load(servers, isOver)
        for _ in range(3):
            before = len(made)
            self.wait(lambda: len(made) > before + 5, "no orders")
            servers[0].end(signal.SIGKILL)
            servers[0] = self.serve()
        isOver.set()
        join()
        self.expectOnce(made)

    def test_postgres_is_killed(self):
        servers = [self.serve(), self.serve()]
        isOver = threading.Event()
        made, join = self.load(servers, isOver)
        for _ in range(2):
            before = len(made)
            self.wait(lambda: len(made) > before + 5, "no orders")
            self.postgres.stop()
            self.postgres.start()
        before = len(made)
        self.wait(lambda: len(made) > before + 5, "no orders")
        isOver.set()
        join()
        self.expectOnce(made)
        for server in servers:
            self.assertEqual(0, server.end())
            self.assertIn("order store connected again", server.log())

    def test_keys_are_shared(self):
        first, second = self.serve(), self.serve()
        id, text = first.make("pear", "shared")
        self.assertTrue(id, text)
        self.assertEqual(id, second.make("pear", "shared")[0])
        other, text = second.make("plum", "shared")
        self.assertFalse(other)
        self.assertIn(id, text)
        self.assertIn("pear", second.client("get", id).stdout)

    def test_watches_see_orders_of_both(self):
        first, second = self.serve(), self.serve()
        newest = first.make("first")[0]
        watch = subprocess.Popen(
            [BIN / "order_client", "watch", "--after", newest, "--count", "10", "--to",
             second.address], stdout=subprocess.PIPE, text=True)
        ids = [(first, second)[number % 2].make(f"watched{number}")[0]
               for number in range(10)]
        output, _ = watch.communicate(timeout=TIMEOUT)
        self.assertEqual(0, watch.returncode)
        self.assertEqual(ids, [line.split()[0] for line in output.splitlines()])

    def test_a_database_that_is_away(self):
        server = self.serve("<outage_timeout_ms>200</outage_timeout_ms>")
        self.assertTrue(server.make("apple")[0])
        self.postgres.stop()
        try:
            self.wait(lambda: "order store can't write" in server.log(), "no outage")
            id, text = server.make("apple")
            self.assertFalse(id)
            self.assertIn("UNAVAILABLE", text)
            self.assertNotEqual(0, server.client("health", "Order").returncode)
        finally:
            self.postgres.start()
        self.wait(lambda: server.client("health", "Order").returncode == 0, "no recovery")
        self.assertTrue(server.make("apple")[0])
        self.assertEqual(0, server.end())

    def test_checks_of_the_configuration(self):
        file = pathlib.Path(self.folder.name) / "check.xml"
        for url, text in [
                ("postgresql://orders@db1,db2/shop?sslmode=verify-full", None),
                ("orders.sqlite", "begins with postgresql://"),
                ("postgresql://orders:sesame@db/shop", "password"),
                ("postgresql://db/shop?sslmode=full", "verify-full"),
                ("postgresql://db/shop?target_session_attrs=standby", "take no writes"),
                ("postgresql://db/shop?nonsense=1", "nonsense"),
                ("postgresql://db:70000/shop", "65535")]:
            with self.subTest(url):
                file.write_text(configuration(url))
                result = subprocess.run(
                    [BIN / "order_server", "--check-config", "--quiet", file],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT)
                self.assertEqual(78 if text else 0, result.returncode, result.stdout)
                self.assertIn(text or "", result.stdout)
                self.assertNotIn("sesame", result.stdout)

    def test_a_start_without_a_database(self):
        file = pathlib.Path(self.folder.name) / "start.xml"
        file.write_text(configuration("postgresql://rocket@/orders?host=/nowhere"))
        result = subprocess.run(
            [BIN / "order_server", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=TIMEOUT, env=dict(os.environ, ROCKET_SERVER_PORT="0"))
        self.assertNotEqual(0, result.returncode)
        self.assertIn("postgresql://rocket@/nowhere/orders", result.stdout)


if __name__ == "__main__":
    unittest.main()
