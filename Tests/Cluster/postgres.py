"""PostgreSQL on two hosts of the network, a primary and its synchronous standby."""

import os
import shutil
import signal
import subprocess
import time

from network import WORK, kill_host, processes, run, start, wait

# It does not run as root.
AS_USER = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")


class Postgres:
    """Two servers; `failover` changes their places. What the primary confirms, the standby has.

    Nothing is synced to the disk: processes are killed here, the machine is not."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.primary, self.standby = addresses
        hosts = ",".join(addresses.values())
        self.url = f"postgresql://orders@{hosts}/orders?target_session_attrs=read-write"

    def folder(self, host):
        return WORK / host

    def data(self, host):
        return str(self.folder(host) / "data")

    def run(self, host, program, *arguments):
        """Runs one of PostgreSQL's programs on a host."""
        with open(WORK / f"{host}.log", "ab") as log:
            subprocess.run(
                ["ip", "netns", "exec", host, *AS_USER, program, *arguments],
                check=True, stdout=log, stderr=log, cwd="/")

    def query(self, sql, host=None):
        """Executes SQL, on the primary unless told otherwise; returns rows, columns by tabs."""
        host = host or self.primary
        with open(WORK / f"{host}.log", "ab") as log:
            return subprocess.run(
                ["ip", "netns", "exec", host, *AS_USER, "psql", "-h",
                 str(self.folder(host)), "-d", "orders", "-XAtq", "-F", "\t", "-v",
                 "ON_ERROR_STOP=1", "-c", sql],
                check=True, stdout=subprocess.PIPE, stderr=log, text=True, cwd="/"
            ).stdout.splitlines()

    def answers(self, host):
        """Whether a server can be asked."""
        try:
            return self.query("SELECT 1", host) == ["1"]
        except subprocess.CalledProcessError:
            return False

    def create(self):
        """Starts the primary with an empty database, and then the standby."""
        WORK.chmod(0o755)
        for host in self.addresses:
            self.folder(host).mkdir()
            shutil.chown(self.folder(host), "postgres", "postgres")
        self.run(self.primary, "initdb", "-D", self.data(self.primary), "-A", "trust", "-U",
                 "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.configure(self.primary)
        process = self.launch(self.primary)
        # Until the database exists, `answers` fails.
        wait("PostgreSQL starts", 300, lambda: process.poll() is not None or self.create_database())
        self.copy_primary()
        self.synchronize()

    def create_database(self):
        try:
            self.run(self.primary, "psql", "-h", str(self.folder(self.primary)), "-d", "postgres",
                     "-v", "ON_ERROR_STOP=1", "-c", "CREATE ROLE orders LOGIN", "-c",
                     "CREATE DATABASE orders OWNER orders")
            return True
        except subprocess.CalledProcessError:
            return False

    def configure(self, host, upstream=None, synchronous=False):
        """Writes the settings of a server, and what it is."""
        settings = {
            "listen_addresses": self.addresses[host],
            "unix_socket_directories": self.folder(host),
            "fsync": "off",
            "checkpoint_timeout": "30s",
            # What pg_rewind reads of a server that was killed.
            "wal_keep_size": "512MB",
            "wal_log_hints": "on",
            "wal_retrieve_retry_interval": "200ms",
            "synchronous_standby_names": "*" if synchronous else "",
        }
        signal_file = f"{self.data(host)}/standby.signal"
        if upstream:
            settings["primary_conninfo"] = f"host={self.addresses[upstream]} user=postgres"
            settings["primary_slot_name"] = host
            open(signal_file, "w").close()
        elif os.path.exists(signal_file):
            os.remove(signal_file)
        with open(f"{self.data(host)}/postgresql.auto.conf", "w") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        with open(f"{self.data(host)}/pg_hba.conf", "w") as file:
            file.write("local all all trust\nhost all all 10.77.0.0/24 trust\n"
                       "host replication all 10.77.0.0/24 trust\n")

    def launch(self, host):
        return start(host, *AS_USER, "postgres", "-D", self.data(host), cwd="/")

    def restart(self, is_immediate):
        """Stops the primary, as a service manager does or by a crash, and starts it again."""
        process = processes[self.primary]
        process.send_signal(signal.SIGQUIT if is_immediate else signal.SIGINT)
        process.wait()
        self.launch(self.primary)
        wait("PostgreSQL is back", 300, lambda: self.answers(self.primary))
        self.wait_for_standby()

    def copy_primary(self):
        """Makes the standby: a base backup of the primary."""
        shutil.rmtree(self.data(self.standby), ignore_errors=True)
        self.create_slot()
        self.run(self.standby, "pg_basebackup", "-h", self.addresses[self.primary], "-U", "postgres",
                 "-D", self.data(self.standby), "--checkpoint=fast", "--no-sync",
                 "-S", self.standby)

    def create_slot(self):
        self.query("SELECT pg_create_physical_replication_slot(slot, true) "
                   f"FROM (VALUES ('{self.standby}')) AS s(slot) WHERE NOT EXISTS "
                   "(SELECT FROM pg_replication_slots WHERE slot_name = slot)")

    def synchronize(self):
        """Starts the standby. From now on the primary confirms nothing that it does not have."""
        self.configure(self.standby, upstream=self.primary)
        self.launch(self.standby)
        wait("the standby follows", 300, lambda: self.replication("state") == "streaming")
        self.configure(self.primary, synchronous=True)
        self.query("SELECT pg_reload_conf()")
        self.wait_for_standby()

    def replication(self, column):
        rows = self.query(f"SELECT {column} FROM pg_stat_replication")
        return rows[0] if rows else None

    def wait_for_standby(self):
        wait("the standby is synchronous", 300, lambda: self.replication("sync_state") == "sync")

    def failover(self):
        """The primary is cut off and its power is lost; the standby takes its place."""
        self.wait_for_standby()
        run("ip", "link", "set", f"v-{self.primary}", "down")
        kill_host(self.primary)
        processes[self.primary].wait()
        self.query("SELECT pg_promote()", self.standby)
        self.primary, self.standby = self.standby, self.primary

    def rejoin(self):
        """The old primary comes back as the standby: by pg_rewind, or by a new base backup."""
        run("ip", "link", "set", f"v-{self.standby}", "up")
        self.create_slot()
        # Only then pg_rewind sees that the new primary has a timeline of its own.
        self.query("CHECKPOINT")
        # Of a standby that it has itself become.
        shutil.rmtree(f"{self.data(self.standby)}/pg_replslot")
        os.mkdir(f"{self.data(self.standby)}/pg_replslot", 0o700)
        shutil.chown(f"{self.data(self.standby)}/pg_replslot", "postgres", "postgres")
        begin = time.monotonic()
        try:
            source = f"host={self.addresses[self.primary]} user=postgres dbname=postgres"
            self.run(self.standby, "pg_rewind", "-D", self.data(self.standby), "--no-sync",
                     f"--source-server={source}")
            how = "pg_rewind"
        except subprocess.CalledProcessError:
            self.copy_primary()
            how = "a base backup"
        self.synchronize()
        return f"{how}, {time.monotonic() - begin:.1f} s"
