"""Machines that are addresses of loopback: the files of conf/examples for them, their certificates, and
what runs on them."""

import ctypes
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "conf" / "examples"
BIN = pathlib.Path(os.environ.get("ROCKET_BIN") or ROOT / "bin")
# Where Debian has programs that are not in every PATH.
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/postgresql/15/bin"])
SERVERS, DATABASES, CLIENT = (11, 12, 13), (21, 22), 31
PORTS = (12345, 9100, 2379, 2380, 5432, 9999, 4222, 6222, 8222)
# After so many seconds something hangs. Not a limit of the test.
PATIENCE = 60


class Failed(Exception):
    """What is wrong, in one line."""


def program(name, install="make deps-cluster"):
    """Returns the path of a program of an engine."""
    found = shutil.which(name, path=SEARCH)
    if not found:
        raise Failed(f"{name} is not installed: {install}")
    return found


def rocket(name):
    """Returns the path of a program of this project."""
    path = BIN / name
    if not path.exists():
        raise Failed(f"{path} does not exist: make all, or set ROCKET_BIN")
    return str(path)


def ends_with_parent():
    """Ends a child when this process ends, however that is."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Machines:
    """Addresses 127.A.B.N for the machines 10.0.0.N of the examples, with free ports, and a temporary
    folder. Use it in a `with`, which ends all processes and removes the folder."""

    def __init__(self, keep=False):
        self.keep = keep
        self.processes = {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rocket-demo-"))
        # Of two users: that of the databases has to get in.
        self.folder.chmod(0o755)
        self.first, self.second = random.randrange(64, 250), 2 * random.randrange(128)
        self.ports = {port: self.free_port(port) for port in PORTS}
        self.ca = self.folder / "ca"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A second Ctrl-C does not interrupt this.
        before = [(end, signal.signal(end, signal.SIG_IGN))
                  for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        for name in reversed(list(self.processes)):
            self.kill(name)
        if self.keep:
            print(f"files and logs are in {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        for end, handler in before:
            signal.signal(end, handler)

    # Addresses

    def address(self, number):
        return f"127.{self.first}.{self.second}.{number}"

    def loopback(self, number):
        """What 127.0.0.1 is on a machine."""
        return f"127.{self.first}.{self.second + 1}.{number}"

    def free_port(self, wanted):
        """Returns the first port of wanted, wanted + 1, … that is free at all addresses."""
        addresses = [address(number) for number in SERVERS + DATABASES
                     for address in (self.address, self.loopback)]
        for port in range(wanted, wanted + 50):
            try:
                for address in addresses:
                    with socket.socket() as probe:
                        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                        probe.bind((address, port))
                return port
            except OSError:
                continue
        raise Failed(f"no port from {wanted} on is free on {addresses[0]}")

    # Files

    def example(self, file, number, folder, replacements=()):
        """Writes an example's file for a machine into a folder, and returns its path."""
        text = (EXAMPLES / file).read_text()
        for old, new in replacements:
            if old not in text:
                raise Failed(f"conf/examples/{file} has no {old!r}")
            text = text.replace(old, new)
        path = pathlib.Path(folder) / pathlib.Path(file).name
        path.write_text(self.adapted(text, number))
        return path

    def adapted(self, text, number):
        """The text with the addresses, ports and folders of this run. A line with one address or name
        of a machine is about the machine itself; one with several lists them."""
        own, lines = number % 10, []
        for line in text.splitlines():
            if not re.search(r"10\.0\.0\.[12][23]", line):
                line = re.sub(r"10\.0\.0\.([12])1\b", rf"10.0.0.\g<1>{own}", line)
                line = re.sub(r"\b(order|chat)1\b", rf"\g<1>{own}", line)
            lines.append(line)
        text = "\n".join(lines) + "\n"
        # Loopback has one source address.
        text = text.replace("10.0.0.0/24", "127.0.0.0/8").replace("10.0.0.", self.address(""))
        text = text.replace("127.0.0.1", self.loopback(number))
        text = re.sub(r"\b(%s)\b" % "|".join(map(str, PORTS)),
                      lambda port: str(self.ports[int(port[1])]), text)
        for engine in ("etcd", "nats"):
            text = text.replace(f"/etc/{engine}/tls", str(self.ca))
        return text

    # Certificates

    def make_authority(self):
        self.dev_ca("init")

    def issue(self, name, *options, machines=()):
        """Makes the certificate of a role, valid at machines (and at 127.0.0.1, from where connections
        come here)."""
        addresses = [self.address(number) for number in machines]
        addresses += ["127.0.0.1"] if addresses else []
        self.dev_ca("issue", name, *options, *(["--ip", ",".join(addresses)] if addresses else []))

    def dev_ca(self, *arguments):
        run(ROOT / "scripts" / "dev-ca", self.ca, *arguments)

    def credentials(self, name, *others):
        """A folder as systemd makes it of LoadCredential=tls:/etc/rocket/tls."""
        folder = self.folder / f"credentials-{name}"
        folder.mkdir(mode=0o700)
        for file in ("ca.pem", f"{name}/certificate.pem", f"{name}/key.pem", *others):
            shutil.copy(self.ca / file, folder / ("tls_" + file.replace("/", "_")))
        return folder

    # Processes

    def start(self, name, *command, environment=None, stdin=subprocess.DEVNULL, log=True,
              ending=signal.SIGKILL, **options):
        """Starts a process, with its output in NAME.log unless `log` is false.

        ending: the signal that ends it at once."""
        if log:
            options["stdout"] = options["stderr"] = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen(
            list(map(str, command)), stdin=stdin, start_new_session=True, preexec_fn=ends_with_parent,
            env={**os.environ, **(environment or {})}, **options)
        if log:
            options["stdout"].close()
        process.ending = ending
        self.processes[name] = process
        return process

    def kill(self, name, how=None):
        """Ends a process, and waits for it."""
        process = self.processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(how or process.ending)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self, name):
        """The end of what a process has written."""
        try:
            return (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
        except OSError:
            return ""

    def wait(self, what, condition, of=None):
        """Waits until a condition is true. `of`: the process that must not end meanwhile.

        Returns what the condition has returned."""
        end = time.monotonic() + PATIENCE
        while True:
            found = condition()
            if found:
                return found
            process = self.processes.get(of)
            if process is not None and process.poll() is not None:
                raise Failed(f"{of} has ended with status {process.returncode}: {self.log(of)}")
            if time.monotonic() > end:
                raise Failed(f"{what}: not within {PATIENCE} s {self.log(of) if of else ''}")
            time.sleep(0.02)


def run(*command, environment=None):
    """Runs a program to its end, and returns its output."""
    done = subprocess.run(
        list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        start_new_session=True, env={**os.environ, **(environment or {})})
    if done.returncode:
        name = pathlib.Path(command[0]).name
        raise Failed(f"{name} has failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def database_user():
    """How to run PostgreSQL, which refuses root: a user, and what to put before a command."""
    if os.geteuid() != 0:
        return None, []
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user, [program("setpriv", "apt-get install util-linux"), f"--reuid={user.pw_uid}",
                      f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=QUIT"]
    raise Failed("PostgreSQL does not run as root, and there is no user postgres or nobody")
