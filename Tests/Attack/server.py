"""The server under attack, and a client that behaves well beside the attacker."""

import glob
import os
import re
import signal
import subprocess
import threading
import time

from wire import Peer, frame, order, order_id, text

CONFIGURATION = """<?xml version="1.0" encoding="UTF-8" ?>
<root>
  <log>
    <log_level>INFO</log_level>
    <log_file_name>order_server</log_file_name>
    <log_file_path>log</log_file_path>
  </log>
  <server>
    <ip>127.0.0.1</ip>
    <port>{port}</port>
    <io_threads>2</io_threads>
    <memory_budget_bytes>{budget}</memory_budget_bytes>
    <max_connections>4096</max_connections>
    <max_connections_per_peer>4096</max_connections_per_peer>
  </server>
  <order_store><path>orders.sqlite</path></order_store>
</root>
"""


class Server:
    """Runs order_server with a memory budget of `budget` bytes, in `folder`."""

    def __init__(self, program, folder, budget):
        self.program, self.folder, self.budget = program, folder, budget
        self.process = None

    def start(self, port=0):
        path = os.path.join(self.folder, "order_server.xml")
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(port=port, budget=self.budget))
        self.process = subprocess.Popen([self.program, path], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"listening on (\S+):(\d+)", line)
        if not found:
            raise SystemExit(f"attack: order_server did not start: {line!r}")
        self.address = (found[1], int(found[2]))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait()

    @property
    def runs(self):
        return self.process.poll() is None

    def memory(self, key="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(key + r":\s+(\d+) kB", status.read())[1]) * 1024

    def reset_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def log_lines(self):
        count = 0
        for path in glob.glob(os.path.join(self.folder, "log", "*")):
            with open(path, "rb") as file:
                count += file.read().count(b"\n")
        return count


class Neighbour:
    """Makes orders one after another on a connection of its own, and counts what fails."""

    def __init__(self, address):
        self.address, self.calls, self.failures, self.times = address, 0, [], []
        self.orders = []
        self._ends = threading.Event()
        self._called = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        peer = None
        while not self._ends.is_set():
            begin = time.monotonic()
            try:
                peer = peer or Peer(self.address)
                peer.send(frame(b"%016d" % self.calls, b"Order.makeOrder", order()))
                reply = peer.reply()
                if reply is None:
                    raise ConnectionError("the connection was closed")
                if reply[0] != b"%016d" % self.calls or reply[1] != 0:
                    raise ConnectionError(f"answered {reply[:3]}")
                self.orders.append(order_id(reply[3]))
            except OSError as error:
                self.failures.append(str(error))
                peer = None
            self.times.append(time.monotonic() - begin)
            with self._called:
                self.calls += 1
                self._called.notify_all()
            self._ends.wait(0.005)

    def mark(self):
        """Returns the failures and sorted times since the last call, and begins anew."""
        before = (self.failures, sorted(self.times))
        self.failures, self.times = [], []
        return before

    def hold(self, calls=50):
        """Waits until so many more calls have ended; at most 20 s."""
        with self._called:
            wanted = self.calls + calls
            self._called.wait_for(lambda: self.calls >= wanted, 20)

    def stop(self):
        self._ends.set()
        self._thread.join()


def finds(address, ids):
    """Returns how many of the orders the server does not find."""
    peer, lost = Peer(address), 0
    for identifier in ids:
        peer.send(frame(b"q", b"Order.queryOrder", text(1, identifier)))
        reply = peer.reply()
        if reply is None or reply[1] != 0 or identifier not in reply[3]:
            lost += 1
    peer.close()
    return lost
