"""order_server --migrate with a real PostgreSQL, killed and restarted in between: what is in the database
then is what is in the file, row by row."""

import glob
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["ROCKET_BIN"])
SERVER = BIN / "order_server"
CLIENT = BIN / "order_client"
ORDERS = int(os.environ.get("ORDERS", "60000"))
# Seconds after which something hangs.
TIMEOUT = 300
PATH = os.pathsep.join([os.environ["PATH"], *glob.glob("/usr/lib/postgresql/*/bin")])
NOW = int(time.time() * 1000)
ENVIRONMENT = {**os.environ, "PATH": PATH}


class Postgres:
    """A server in a folder of its own, with a Unix socket and no port."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="rocket-migration-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        if os.getuid() == 0:
            shutil.chown(self.folder, "nobody")
        self.databases = 0
        self.run("initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "rocket", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")
        self.control("start")

    def run(self, *command):
        """PostgreSQL does not run as root."""
        user = ["runuser", "-u", "nobody", "--"] if os.getuid() == 0 else []
        subprocess.run([*user, *command], check=True, cwd="/", env=ENVIRONMENT, timeout=TIMEOUT,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def control(self, action, *more):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-s", "-l", f"{self.folder}/log", "-o",
                 f"-k {self.folder} -c listen_addresses='' -c fsync=off", *more, action)

    def restart(self):
        """As a crash, with recovery."""
        self.control("restart", "-m", "immediate")

    def stop(self):
        self.control("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, database, sql):
        """Rows, columns by tabs; None while the server can't be reached."""
        result = subprocess.run(
            ["psql", "-h", self.folder, "-U", "rocket", "-d", database, "-XAtqF", "\t", "-v",
             "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True, env=ENVIRONMENT,
            timeout=TIMEOUT)
        return result.stdout.rstrip("\n") if result.returncode == 0 else None

    def database(self):
        """An empty database, and its URL."""
        self.databases += 1
        name = f"orders_{self.databases}"
        assert self.sql("postgres", f"CREATE DATABASE {name}") is not None
        return name, f"postgresql://rocket@/{name}?host={self.folder}"


class Migration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.stop)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rocket-migration-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "orders.sqlite"
        self.name, self.url = self.postgres.database()

    # The programs.

    def configure(self, store):
        path = self.folder / "rocket.xml"
        path.write_text(
            "<root>"
            f"<server><listen>unix:{self.folder}/socket</listen></server>"
            f"<order_store>{store}</order_store></root>")
        return path

    def in_file(self):
        return self.configure(f"<path>{self.file}</path>")

    def in_database(self):
        return self.configure(f"<url>{self.url}</url>")

    def serve(self, configuration, body=lambda address: None):
        """Starts a server, runs `body`, and stops the server."""
        server = subprocess.Popen([SERVER, configuration], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("listening", server.stdout.readline())
            return body(f"unix:{self.folder}/socket")
        finally:
            server.terminate()
            server.communicate(timeout=TIMEOUT)

    def fail_to_serve(self, configuration):
        return subprocess.run([SERVER, configuration], capture_output=True, text=True, timeout=TIMEOUT)

    def client(self, *arguments):
        return json.loads(subprocess.run(
            [CLIENT, *arguments, "--json", "--timeout", "60s"], capture_output=True, text=True,
            check=True, timeout=TIMEOUT).stdout)

    def migrate(self, *more):
        return subprocess.run([SERVER, "--migrate", self.file, self.url, *more], capture_output=True,
                              text=True, timeout=TIMEOUT)

    def store(self, orders=ORDERS):
        """A store with gaps, orders of all lengths, and keys for a part of the orders."""
        self.serve(self.in_file())
        with sqlite3.connect(self.file) as db:
            db.executemany(
                "INSERT INTO orders(price, goods, created_ms) VALUES (?, ?, ?)",
                ((10 + n, f"goods {n} " + "äx" * (n % 90), NOW + n) for n in range(orders)))
            db.execute("DELETE FROM orders WHERE sequence % 97 = 0 OR sequence BETWEEN 2000 AND 3500")
            db.execute(
                "INSERT INTO idempotency_keys(sequence, created_ms, key)"
                " SELECT sequence, created_ms, 'key ' || sequence FROM orders WHERE sequence % 3 = 1")
        db.close()

    def assert_equal_stores(self):
        with sqlite3.connect(self.file) as db:
            orders = "SELECT sequence, price, goods, created_ms FROM orders ORDER BY sequence"
            keys = "SELECT sequence, created_ms, key FROM idempotency_keys ORDER BY sequence"
            for sql in orders, keys:
                expected = ["\t".join(map(str, row)) for row in db.execute(sql)]
                actual = self.postgres.sql(self.name, sql).splitlines()
                self.assertEqual(len(actual), len(expected))
                self.assertTrue(actual == expected, "the rows differ")
        db.close()

    def position(self):
        return int(self.postgres.sql(self.name, "SELECT position FROM order_migration") or 0)

    # The tests.

    def test_killed_and_restarted(self):
        """Killed again and again, and without its PostgreSQL, it goes on where it was."""
        self.store()
        ends = []
        while True:
            before = self.position()
            process = subprocess.Popen(
                [SERVER, "--migrate", self.file, self.url, "--json"], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            # Each run but the last ones is ended when it has copied something.
            while len(ends) < 5 and process.poll() is None and self.position() == before:
                pass
            if len(ends) < 5 and process.poll() is None:
                if len(ends) == 2:
                    self.postgres.restart()
                else:
                    process.kill()
            output, errors = process.communicate(timeout=TIMEOUT)
            if process.returncode == 0:
                break
            ends.append(process.returncode)
            if process.returncode != -9:
                self.assertEqual(process.returncode, 75, errors)
                self.assertIn("repeat the command, it goes on where it was", errors)
                continue
            # In between no server can use the database, and the old one can be used.
            refused = self.fail_to_serve(self.in_database())
            self.assertEqual(refused.returncode, 75, refused)
            self.assertIn(f"order_server --migrate {self.file} URL", refused.stderr)
        self.assertEqual(len(ends), 5, ends)
        result = json.loads(output)
        with sqlite3.connect(self.file) as db:
            orders, = db.execute("SELECT count(*) FROM orders").fetchone()
            keys, = db.execute("SELECT count(*) FROM idempotency_keys").fetchone()
            last, = db.execute("SELECT seq FROM sqlite_sequence").fetchone()
        db.close()
        self.assertEqual((result["orders"], result["idempotency_keys"]), (orders, keys))
        self.assertLess(result["copied"], orders)
        self.assert_equal_stores()

        # Again: nothing is done, whatever the servers have stored since.
        def use(address):
            page = self.client("list", "--to", address)
            self.assertEqual(page["orders"][0]["goods"], "goods 0 ")
            order = self.client("make", "--price", "100", "--goods", "pear", "--to", address)
            self.assertEqual(int(order["order_id"][8:]), last + 1)
        self.serve(self.in_database(), use)
        again = self.migrate("--json")
        self.assertEqual(again.returncode, 0, again)
        self.assertIn("ended_before", json.loads(again.stdout))
        self.assertEqual(self.postgres.sql(self.name, "SELECT count(*) FROM orders"), str(orders + 1))

        # Orders that were made in the file meanwhile would be missing.
        self.serve(self.in_file(), lambda address: self.client(
            "make", "--price", "100", "--goods", "pear", "--to", address))
        late = self.migrate()
        self.assertEqual(late.returncode, 73, late)
        self.assertIn("orders were made in", late.stderr)

    def test_store_used_in_between(self):
        """Orders and keys that the old store gets, and loses, between two runs are copied."""
        self.store()
        process = subprocess.Popen([SERVER, "--migrate", self.file, self.url],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.position() == 0:
            self.assertIsNone(process.poll())
        # No server opens the old store meanwhile.
        process.send_signal(19)
        refused = self.fail_to_serve(self.in_file())
        self.assertEqual(refused.returncode, 75, refused)
        self.assertIn("replaced or migrated", refused.stderr)
        process.kill()
        process.wait()
        with sqlite3.connect(self.file) as db:
            db.execute("DELETE FROM idempotency_keys WHERE sequence < 50")
            db.execute("DELETE FROM orders WHERE sequence < 40")
            db.execute("INSERT INTO orders(price, goods, created_ms) VALUES (10, 'late', ?)", (NOW,))
            # Its first order was copied with this key, which has expired.
            db.execute("INSERT INTO idempotency_keys VALUES (last_insert_rowid(), ?, 'key 1')", (NOW,))
        db.close()
        result = self.migrate()
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("equal in both", result.stdout)
        self.assert_equal_stores()

    def test_refusals(self):
        """What can't be migrated is refused, and changes nothing."""
        self.store(100)
        self.assertEqual(self.migrate("rocket.xml").returncode, 64)
        server = self.serve(self.in_file(), lambda _: self.migrate())
        self.assertEqual(server.returncode, 75, server)
        self.assertIn("stop it", server.stderr)
        missing = subprocess.run([SERVER, "--migrate", self.folder / "none", self.url],
                                 capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(missing.returncode, 66, missing)
        unreachable = subprocess.run(
            [SERVER, "--migrate", self.file, "postgresql:///orders?host=/nowhere"],
            capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(unreachable.returncode, 74, unreachable)
        self.assertEqual(len(unreachable.stderr.splitlines()), 1)
        # A database with orders.
        self.serve(self.in_database(), lambda address: self.client(
            "make", "--price", "100", "--goods", "pear", "--to", address))
        other = self.migrate()
        self.assertEqual(other.returncode, 73, other)
        self.assertIn("use an empty database", other.stderr)
        self.assertEqual(self.postgres.sql(self.name, "SELECT goods FROM orders"), "pear")
        self.serve(self.in_database())


if __name__ == "__main__":
    unittest.main()
