"""What the tests share: runs of `rocket`, and servers for it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
BIN = os.environ.get("ROCKET_BIN") or os.path.join(ROOT, "bin")
PROTOS = os.path.join(HERE, "protos")
LIMIT = 300  # seconds after which anything that is waited for has failed


class Result:
    """The outcome of a run."""

    def __init__(self, process):
        self.status = process.returncode
        self.output = process.stdout
        self.errors = process.stderr

    @property
    def lines(self):
        """The lines of standard output as JSON."""
        return [json.loads(line) for line in self.output.splitlines()]

    def __repr__(self):
        return f"status {self.status}\n{self.output}\n{self.errors}"


def rocket(*arguments, stdin="", environment=None):
    """Runs `rocket` to its end."""
    return Result(subprocess.run(
        [os.path.join(BIN, "rocket"), *arguments], input=stdin, capture_output=True, text=True,
        timeout=LIMIT, env=os.environ | (environment or {})))


def call(*arguments, **options):
    return rocket("call", *arguments, **options)


def start(*arguments):
    """Starts `rocket` with pipes."""
    return subprocess.Popen(
        [os.path.join(BIN, "rocket"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)


class GRPCIOServer:
    """tool.test.Points on grpcio."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "grpcio_server.py"), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server does not listen: {line}")
        self.address = f"127.0.0.1:{line.split()[-1]}"

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class OrderServer:
    """order_server on a port that the kernel chooses, and on a Unix socket; its page on another."""

    def __init__(self, reflection=True, elements="", admin=""):
        self.folder = tempfile.TemporaryDirectory(prefix="rocket-tool-")
        self.admin = "unix:" + os.path.join(self.folder.name, "admin.sock")
        self.socket = os.path.join(self.folder.name, "order.sock")
        self.configuration = os.path.join(self.folder.name, "order_server.xml")
        with open(self.configuration, "w") as file:
            file.write(
                "<root><log><log_level>INFO</log_level><log_sinks>file</log_sinks>"
                "<log_file_name>log</log_file_name><log_file_path>log</log_file_path></log><server>"
                f"<listen>127.0.0.1:0,unix:{self.socket}</listen><io_threads>1</io_threads>"
                f"<reflection>{'true' if reflection else 'false'}</reflection>{elements}</server>"
                f"<admin><listen>{self.admin}</listen>{admin}</admin>"
                "<order_store><path>orders.sqlite</path></order_store></root>")
        self.start()

    def start(self):
        """Starts it, also again after `kill`."""
        self.process = subprocess.Popen(
            [os.path.join(BIN, "order_server"), self.configuration], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            # Swift's own handler of crashes goes on after a signal that was sent by kill(2).
            env=os.environ | {"SWIFT_BACKTRACE": "enable=no"})
        line = self.process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if not found:
            self.process.kill()
            raise AssertionError(
                f"order_server did not start: {line} {self.process.communicate()[1]}")
        self.address = f"127.0.0.1:{found[1]}"

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.communicate(timeout=LIMIT)

    def stop(self):
        """Lets it drain."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=LIMIT)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.folder.cleanup()


class Certificates:
    """Those of scripts/dev-ca: an authority, a server, a client."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rocket-tool-ca-")
        self.path = os.path.join(self.folder.name, "ca")
        for arguments in (["init"], ["issue", "server", "--dns", "localhost", "--ip", "127.0.0.1"],
                          ["issue", "client", "--client", "--uri", "spiffe://test/client"]):
            subprocess.run([os.path.join(ROOT, "scripts", "dev-ca"), self.path, *arguments],
                           check=True, capture_output=True, timeout=LIMIT)
        self.ca = os.path.join(self.path, "ca.pem")

    def pair(self, name):
        return [os.path.join(self.path, name, file) for file in ("certificate.pem", "key.pem")]


class Terminal:
    """A terminal of tmux in which `rocket` runs, and then its status is printed."""

    def __init__(self, *arguments, columns=80, term="screen", command=None):
        self.folder = tempfile.TemporaryDirectory(prefix="rocket-tmux-")
        if command is None:
            program = " ".join("'" + part.replace("'", "'\\''") + "'"
                               for part in (os.path.join(BIN, "rocket"), *arguments))
            # The shell outlives Ctrl-C, and the program's status is seen.
            command = f"trap : INT; TERM={term} {program}; echo status=$?; read line"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", "24", command)

    def tmux(self, *arguments):
        return subprocess.run(
            ["tmux", "-u", "-S", os.path.join(self.folder.name, "socket"), *arguments],
            check=True, capture_output=True, text=True, timeout=LIMIT).stdout

    def lines(self):
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").splitlines()]

    def wait_for(self, *texts):
        """Returns the lines of the first screen that has all of the texts."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            lines = self.lines()
            if all(any(text in line for line in lines) for text in texts):
                return lines
        raise AssertionError(f"no {texts}: {lines}")

    def close(self):
        self.tmux("kill-server")
        self.folder.cleanup()
