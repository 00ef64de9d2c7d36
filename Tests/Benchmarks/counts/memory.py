"""Memory of a server that a limit holds: bytes of an idle connection, page faults and copies of a
large call.

Counted by malloc, by memmove and by the kernel, so they do not depend on the load of the machine.
"""

import os
import re
import signal
import socket
import subprocess
import time

# Of malloc, with its own 8 bytes per block and half of a table that has doubled.
MOST_IDLE_BYTES = 600
# Of 256 pages in each direction: 0.3 to 0.5 were measured; malloc's defaults took 100, a threshold
# of 1 MiB 740.
MOST_FAULTS = 2
# In payloads per call, of a request and a reply of that size: the string of the request is a copy.
# The rest is what begins in the loop's buffer.
MOST_COPIES = 1.3
# A server that has not answered by then has died or hangs.
MOST_SECONDS = 60
CONNECTIONS, CALLS, PAYLOAD = 2000, 200, 1 << 20


class Server:
    """rocket_bench_server with a library that writes a count on SIGUSR2: heap_in_use what malloc has
    given out, copied_bytes what memmove has copied."""

    def __init__(self, work, library, handler, *options):
        self.work, self.file = work, os.path.join(work, "count")
        open(self.file, "w").close()
        environment = dict(os.environ, LD_PRELOAD=os.path.join(work, library),
                           COUNT_FILE=self.file)
        self.process = subprocess.Popen(
            [os.path.join(work, "rocket_bench_server"), "--handler", handler, *options],
            env=environment, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"listening on ((\S+):(\d+))", line)
        if not found:
            self.__exit__()
            raise RuntimeError(f"the server does not listen: {line!r}")
        self.address, self.endpoint = found[1], (found[2], int(found[3]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def call(self, *options):
        subprocess.run([os.path.join(self.work, "tinypb_load"), "--to", self.address, *options],
                       check=True, stdout=subprocess.DEVNULL, timeout=MOST_SECONDS)

    def count(self):
        known = os.path.getsize(self.file)
        self.process.send_signal(signal.SIGUSR2)
        end = time.monotonic() + MOST_SECONDS
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server has ended with {self.process.returncode}")
            if time.monotonic() > end:
                raise RuntimeError(f"the server has written no count within {MOST_SECONDS} s")
            with open(self.file) as lines:
                lines.seek(known)
                line = lines.read()
            if line.endswith("\n"):
                return int(line)
            time.sleep(0.01)

    def page_faults(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[7])


def idle_bytes(work):
    """Returns the bytes of the heap of a connection whose peer has said nothing."""
    with Server(work, "heap_in_use", "async") as server:
        peers = []

        def connect():
            peers.extend(socket.create_connection(server.endpoint) for _ in range(CONNECTIONS))
            # Accepted after all of them, so they are connections by now.
            server.call("--calls", "100")
            return server.count()

        first = connect()
        return (connect() - first) / CONNECTIONS


def per_call(work, count, handler):
    """Returns what a call with 1 MiB each way adds to `count` of the server, once its buffers exist."""
    load = ("--connections", "4", "--in-flight", "1", "--payload", str(PAYLOAD))
    with Server(work, "copied_bytes", handler, "--payload", str(PAYLOAD)) as server:
        server.call(*load, "--calls", str(CALLS))
        before = count(server)
        server.call(*load, "--calls", str(CALLS))
        return (count(server) - before) / CALLS


def limits(work):
    """Counts, prints, and returns lines for what is beyond its limit."""
    faults = []
    for what, found, most in (("bytes of the heap per idle connection", idle_bytes(work),
                               MOST_IDLE_BYTES),
                              ("page faults per call of 1 MiB",
                               per_call(work, Server.page_faults, "sync"), MOST_FAULTS),
                              *((f"payloads copied per {handler} call of 1 MiB",
                                 per_call(work, Server.count, handler) / PAYLOAD, MOST_COPIES)
                                for handler in ("sync", "async"))):
        print(f"{found:.2f} {what} (at most {most})")
        if found > most:
            faults.append(f"{found:.2f} {what}; {most} are allowed")
    return faults
