"""etcd, PostgreSQL and NATS, as the examples configure them."""

import base64
import json
import os
import shutil
import signal
import urllib.request

from machines import DATABASES, ROOT, SERVERS, Failed, database_user, program, run

NAME = "rocket/orders"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class Etcd:
    """Three members."""

    def __init__(self, machines):
        self.machines = machines
        machines.issue("etcd", "--server", "--client", machines=SERVERS)
        self.etcd = program("etcd")
        for number in SERVERS:
            self.start(number)
        for number in SERVERS:
            machines.wait("etcd answers", lambda: self.entries(number) is not None, f"etcd{number}")

    def start(self, number):
        folder = self.machines.folder / f"etcd{number}"
        folder.mkdir(exist_ok=True)
        file = self.machines.example("orders-cluster/etcd.default", number, folder)
        lines = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
        environment = dict(line.split("=", 1) for line in lines)
        self.machines.start(
            f"etcd{number}", self.etcd,
            environment={**environment, "ETCD_DATA_DIR": str(folder / "data")})

    def entries(self, number=None):
        """The addresses that a member has; None: it does not answer."""
        body = json.dumps({"key": encoded(NAME + "/"), "range_end": encoded(NAME + "0")}).encode()
        for one in [number] if number else SERVERS:
            address = f"{self.machines.address(one)}:{self.machines.ports[2379]}"
            try:
                with urllib.request.urlopen(f"http://{address}/v3/kv/range", body, 5) as answer:
                    found = json.load(answer).get("kvs", [])
            except OSError:
                continue
            return {json.loads(base64.b64decode(entry["value"]))["Addr"] for entry in found}
        return None


class Postgres:
    """A primary and its synchronous standby."""

    def __init__(self, machines):
        self.machines = machines
        self.user, self.prefix = database_user()
        self.initdb, self.postgres = program("initdb"), program("postgres")
        self.psql, self.backup = program("psql"), program("pg_basebackup")
        machines.issue("db", "--server", "--client", machines=DATABASES)
        # PostgreSQL wants its key to be its own.
        self.tls = machines.folder / "postgresql-tls"
        (self.tls / "db").mkdir(parents=True)
        for file in ("ca.pem", "db/certificate.pem", "db/key.pem"):
            shutil.copy(machines.ca / file, self.tls / file)
            self.give(self.tls / file)
        self.folders = {number: self.prepare(number) for number in DATABASES}
        self.primary, self.standby = DATABASES
        data = self.folders[self.primary] / "data"
        self.run(self.initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")
        self.start(self.primary)
        # Without a standby a commit would wait.
        for statement in ("CREATE ROLE db LOGIN REPLICATION", "CREATE ROLE orders LOGIN",
                          "CREATE DATABASE orders OWNER orders ENCODING 'UTF8' TEMPLATE template0"):
            self.sql(statement, database="postgres", options="-c synchronous_commit=local")
        self.join(self.standby)

    def give(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def run(self, *command, environment=None):
        return run(*self.prefix, *command, environment=environment)

    def prepare(self, number):
        """The configuration of a machine, outside of its data folder, as Debian has it."""
        folder = self.machines.folder / f"db{number}"
        folder.mkdir()
        self.give(folder)
        tls = ("/etc/postgresql/tls", str(self.tls))
        self.machines.example(
            "orders-cluster/postgresql/rocket.conf", number, folder,
            [tls, ("localhost", self.machines.loopback(number))])
        # The user of this system is not always postgres.
        self.machines.example("orders-cluster/postgresql/pg_hba.conf", number, folder,
                              [("peer", "trust")])
        (folder / "postgresql.conf").write_text(
            f"include '{folder}/rocket.conf'\nhba_file = '{folder}/pg_hba.conf'\n"
            f"unix_socket_directories = '{folder}'\n"
            # Processes are killed here, and no machines.
            "fsync = off\n")
        return folder

    def command(self, number):
        folder = self.folders[number]
        return [self.postgres, "-D", folder / "data", "-c", f"config_file={folder}/postgresql.conf"]

    def start(self, number):
        self.machines.start(f"db{number}", *self.prefix, *self.command(number), ending=signal.SIGQUIT)
        self.machines.wait("PostgreSQL answers", lambda: self.answers(number), f"db{number}")

    def answers(self, number):
        try:
            return self.sql("SELECT 1", number, "postgres")
        except Failed:
            return False

    def sql(self, statement, number=None, database="orders", options=""):
        """Executes a statement, and returns its rows as text."""
        number = number or self.primary
        return self.run(
            self.psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folders[number], "-p",
            self.machines.ports[5432], "-U", "postgres", "-d", database, "-c", statement,
            environment={"PGOPTIONS": options}).strip()

    # What the guide has for faults

    def join(self, number):
        """Makes a machine the standby of the primary: a copy of its files."""
        data = self.folders[number] / "data"
        shutil.rmtree(data, ignore_errors=True)
        tls = f"sslmode=verify-full sslrootcert={self.tls}/ca.pem " \
            f"sslcert={self.tls}/db/certificate.pem sslkey={self.tls}/db/key.pem"
        self.run(self.backup, "-D", data, "-c", "fast", "--no-sync", "-d",
                 f"host={self.machines.address(self.primary)} port={self.machines.ports[5432]} "
                 f"user=db {tls}")
        (data / "standby.signal").touch()
        self.give(data / "standby.signal")
        self.standby = number
        self.start(number)
        self.require_standby()

    def require_standby(self):
        """Commits wait for the standby again, and it has all of them."""
        self.sql("ALTER SYSTEM RESET synchronous_standby_names", database="postgres")
        self.sql("SELECT pg_reload_conf()", database="postgres")
        self.machines.wait(
            "the standby is synchronous",
            lambda: self.sql("SELECT sync_state FROM pg_stat_replication "
                             "WHERE application_name = 'orders_standby'") == "sync",
            f"db{self.standby}")

    def crash(self):
        """Ends the primary without a checkpoint, as a loss of its machine does."""
        self.machines.kill(f"db{self.primary}")

    def fail_over(self):
        """The standby takes writes. Returns the machine that was the primary."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''", self.standby, "postgres")
        self.sql("SELECT pg_reload_conf()", self.standby, "postgres")
        self.sql("SELECT pg_promote()", self.standby, "postgres")
        self.primary, lost = self.standby, self.primary
        return lost


class Nats:
    """A cluster of three, and the key of the chat_servers."""

    def __init__(self, machines):
        self.machines = machines
        self.server = program("nats-server")
        machines.issue("nats", "--server", "--client", machines=SERVERS)
        machines.issue("chat", "--server", "--client", machines=SERVERS)
        self.public = run(ROOT / "scripts" / "nkey", machines.ca / "chat" / "nkey").strip()
        for number in SERVERS:
            self.start(number)
        for number in SERVERS:
            machines.wait("the NATS servers are connected", lambda: self.routes(number),
                          f"nats{number}")

    def configuration(self, number):
        folder = self.machines.folder / f"nats{number}"
        folder.mkdir(exist_ok=True)
        return self.machines.example("chat-cluster/nats-server.conf", number, folder,
                                     [("PUBLIC_KEY", self.public)])

    def start(self, number):
        self.machines.start(f"nats{number}", self.server, "-c", self.configuration(number))

    def routes(self, number):
        """Whether a server is connected to the two others."""
        address = f"{self.machines.loopback(number)}:{self.machines.ports[8222]}"
        try:
            with urllib.request.urlopen(f"http://{address}/routez", timeout=5) as answer:
                others = {route["remote_id"] for route in json.load(answer)["routes"] or []}
        except OSError:
            return False
        return len(others) >= 2
