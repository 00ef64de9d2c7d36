"""Servers that announce themselves in a real etcd, seen from outside: by etcd's JSON gateway."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

SERVER = pathlib.Path(os.environ["ROCKET_BIN"]) / "order_server"
PREFIX = "rocket/orders/"
# Seconds after which something hangs.
TIMEOUT = 120
LEASE = 10


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Etcd:
    """An etcd on a port that was free a moment ago (its JSON gateway does not know a port that the kernel
    chooses), or on one that another etcd had."""

    def __init__(self, folder, port=None):
        self.port = None
        # Another process may have taken the port since.
        for _ in range(5):
            self.start(folder, port or free_port())
            if self.port:
                break
        assert self.port, "etcd does not start"
        # A pipe that nobody reads would stop etcd.
        self.reader = threading.Thread(target=lambda: [None for _ in self.process.stderr])
        self.reader.start()

    def start(self, folder, port):
        """Starts it and waits until it serves; `port` stays None where it does not."""
        peer = "http://127.0.0.1:0"
        client = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", f"{folder}/data", "--logger", "zap", "--log-outputs", "stderr",
             "--name", "one", "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", f"one={peer}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder)
        for line in self.process.stderr:
            found = re.search(r'serving client [^\n]*?"address":\s*"127\.0\.0\.1:(\d+)"', line)
            if found:
                self.port = int(found[1])
                return
        self.process.wait()
        self.process.stderr.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()

    def watch(self):
        """Yields (key, value) for each change below PREFIX from the first one on; no value: removed."""
        with contextlib.closing(
                http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)) as connection:
            yield from self.changes(connection)

    @staticmethod
    def changes(connection):
        body = {"create_request": {"key": encoded(PREFIX), "range_end": encoded("rocket/orders0"),
                                   "start_revision": 1}}
        connection.request("POST", "/v3/watch", json.dumps(body))
        response = connection.getresponse()
        while line := response.readline():
            answer = json.loads(line)
            assert "result" in answer, answer
            for event in answer["result"].get("events", []):
                key = base64.b64decode(event["kv"]["key"]).decode().removeprefix(PREFIX)
                value = base64.b64decode(event["kv"].get("value", "")).decode()
                yield key, json.loads(value) if value else None


class Server:
    """An order_server on a port that the kernel chooses."""

    def __init__(self, folder, name, etcd):
        path = pathlib.Path(folder) / name
        path.mkdir()
        (path / "rocket.xml").write_text(
            "<root><order_store><path>orders.sqlite</path></order_store></root>")
        environment = dict(
            os.environ, ROCKET_SERVER_PORT="0", ROCKET_SERVER_IP="127.0.0.1",
            ROCKET_SERVER_REGISTRATION_TARGET=f"etcd://127.0.0.1:{etcd.port}/rocket/orders",
            ROCKET_SERVER_REGISTRATION_ZONE=name,
            ROCKET_SERVER_REGISTRATION_PROPAGATION_MS="5000")
        self.process = subprocess.Popen(
            [SERVER, path / "rocket.xml"], stdout=subprocess.PIPE, text=True, env=environment,
            cwd=path)
        ready = self.process.stdout.readline()
        self.address = ready.split()[-1]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Registration(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.etcd = Etcd(self.folder)
        self.addCleanup(lambda: self.etcd.kill())

    def start(self, name):
        server = Server(self.folder, name, self.etcd)
        self.addCleanup(server.end)
        return server

    def test_ends(self):
        changes = self.etcd.watch()
        first = self.start("a")
        self.assertEqual(
            next(changes),
            (first.address, {"Addr": first.address, "Metadata": {"zone": "a"}}))
        second = self.start("b")
        self.assertEqual(next(changes)[0], second.address)

        second.process.send_signal(signal.SIGTERM)
        self.assertEqual(next(changes), (second.address, None))
        # It serves on while its clients find out.
        self.assertIsNone(second.process.poll())
        self.assertEqual(second.process.wait(TIMEOUT), 0)

        start = time.monotonic()
        first.process.kill()
        self.assertEqual(next(changes), (first.address, None))
        print(f"gone {time.monotonic() - start:.1f} s after kill -9 (lease: {LEASE} s)")

    def test_etcd_killed(self):
        first = self.start("a")
        changes = self.etcd.watch()
        self.assertEqual(next(changes)[0], first.address)
        self.etcd.kill()
        self.etcd = Etcd(self.folder, self.etcd.port)
        # One that has been announced before, and one that is new.
        second = self.start("b")
        changes = self.etcd.watch()
        found = set()
        while found != {first.address, second.address}:
            key, value = next(changes)
            self.assertIsNotNone(value)
            found.add(key)
        for server in [first, second]:
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(TIMEOUT), 0)


if __name__ == "__main__":
    unittest.main()
