"""Three chat_servers of one room, over a cluster of NATS, and a chat_client at each."""

import re
import subprocess
import threading
import time

from engines import Nats
from machines import SERVERS, Failed, rocket

ENGINES = ("nats-server",)
PROGRAMS = ("chat_server", "chat_client")
MISSING = re.compile(r"(\d+) messages missing \(of server (.+)\)")
SAID = re.compile(r"from: client\d+@(\S+): (\d+)")


class Client:
    """A chat_client, which sends numbers, and the lines that it prints."""

    def __init__(self, machines, number):
        self.server = f"chat{number % 10}"
        self.lines, self.sent = [], 0
        self.condition = threading.Condition()
        tls = machines.ca / "till"
        self.process = machines.start(
            f"client-{self.server}", rocket("chat_client"), machines.address(number),
            machines.ports[9999], "--tls-ca", machines.ca / "ca.pem", "--tls-cert",
            tls / "certificate.pem", "--tls-key", tls / "key.pem", stdin=subprocess.PIPE, log=False,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        for line in self.process.stdout:
            with self.condition:
                self.lines.append(line.rstrip("\n"))
                self.condition.notify_all()

    def send(self):
        try:
            print(self.sent, file=self.process.stdin, flush=True)
        except OSError as error:
            raise Failed(f"the chat_client at {self.server} has ended") from error
        self.sent += 1

    def messages(self, server):
        """The numbers of a server's client, in their order of arrival."""
        with self.condition:
            found = [SAID.fullmatch(line) for line in self.lines]
        return [int(match[2]) for match in found if match and match[1] == server]

    def missing(self, server):
        """How many messages of a server's client were declared missing."""
        with self.condition:
            found = [MISSING.fullmatch(line) for line in self.lines]
        return sum(int(match[1]) for match in found if match and match[2] == server)


class Room:
    """The chat_servers and their clients."""

    def __init__(self, machines):
        self.machines = machines
        machines.issue("till", "--client", "--uri", "spiffe://example/till")
        self.credentials = machines.credentials("chat", "chat/nkey")
        for number in SERVERS:
            self.start(number)
        for number in SERVERS:
            machines.wait("the chat_servers know each other",
                          lambda: self.log(number).count("another chat server was heard of") >= 2,
                          f"chat{number}")
        self.clients = [Client(machines, number) for number in SERVERS]
        for number in SERVERS:
            machines.wait("the chat_client has joined",
                          lambda: "client joined" in self.log(number), f"chat{number}")

    def configuration(self, number):
        folder = self.machines.folder / f"chat{number}"
        folder.mkdir(exist_ok=True)
        return self.machines.example(
            "chat-cluster/chat_server.xml", number, folder,
            [("<log_sinks>journal<", "<log_sinks>file<"), ("/var/log/chat_server", "log"),
             ("unix:/run/", f"unix:{folder}/")])

    def start(self, number):
        self.machines.start(
            f"chat{number}", rocket("chat_server"), self.configuration(number),
            environment={"CREDENTIALS_DIRECTORY": str(self.credentials)})

    def log(self, number):
        files = (self.machines.folder / f"chat{number}" / "log").glob("*")
        return "".join(file.read_text(errors="replace") for file in files)

    def is_complete(self):
        """Whether each client has, or knows the lack of, what the others have sent so far."""
        return all(
            len(client.messages(other.server)) + client.missing(other.server) >= other.sent
            for client in self.clients for other in self.clients if other is not client)

    def wait_for_new(self):
        """Waits until each client has heard of both others, behind what they have sent so far."""
        sent = {client.server: client.sent for client in self.clients}

        def have():
            self.send()
            return all(
                any(number >= sent[other.server] for number in client.messages(other.server))
                for client in self.clients for other in self.clients if other is not client)

        self.machines.wait("messages reach all servers", have)

    def send(self):
        for client in self.clients:
            client.send()

    def counts(self):
        pairs = [(client, other) for client in self.clients for other in self.clients
                 if other is not client]
        return (sum(client.sent for client in self.clients),
                sum(len(client.messages(other.server)) for client, other in pairs),
                sum(client.missing(other.server) for client, other in pairs))

    def phase(self, name, event, messages, seconds, is_connected=True):
        """What happens at the begin, then so many messages of each client. Returns a row."""
        before = self.counts()
        event()
        end = time.monotonic() + seconds
        left = messages
        while left > 0 or time.monotonic() < end:
            self.send()
            left -= 1
            time.sleep(0.01)
        if is_connected:
            self.wait_for_new()
            self.machines.wait("all messages are received or declared missing", self.is_complete)
        after = self.counts()
        sent, received, missing = (new - old for new, old in zip(after, before))
        return {"phase": name, "sent": sent, "to receive": 2 * sent, "received": received,
                "declared missing": missing}


def run(machines, report, is_short):
    """The part of the demo. is_short: phases have a number of messages only."""
    messages, seconds = (50, 0) if is_short else (200, 3)
    report.step("NATS: a cluster of three, TLS between them")
    nats = Nats(machines)
    report.step("three chat_servers, and a chat_client at each")
    room = Room(machines)
    rows = []

    def phase(name, event, is_connected=True):
        report.step(name)
        rows.append(room.phase(name, event, messages, seconds, is_connected))

    def kill(numbers):
        for number in numbers:
            machines.kill(f"nats{number}")

    def start(numbers):
        for number in numbers:
            nats.start(number)
        for number in SERVERS:
            machines.wait("the NATS servers are connected", lambda: nats.routes(number),
                          f"nats{number}")

    phase("three NATS servers", lambda: None)
    phase("one NATS server is killed -9", lambda: kill(SERVERS[:1]))
    phase("it is started again", lambda: start(SERVERS[:1]))
    phase("all NATS servers are killed -9", lambda: kill(SERVERS), is_connected=False)
    phase("they are started again", lambda: start(SERVERS))
    report.part("chat", rows, compare(room))


def compare(room):
    """Nothing twice, all in order, and what was not received was declared missing."""
    clients, checks = room.clients, []
    sent, received, missing = room.counts()
    pairs = [(client.messages(other.server), client.missing(other.server), other.sent)
             for client in clients for other in clients if other is not client]
    checks.append(("each receiver has the messages of each sender in their order, none twice",
                   all(found == sorted(set(found)) for found, _, _ in pairs)))
    checks.append((f"{2 * sent} to receive = {received} received + {missing} declared missing",
                   all(len(found) + declared == total for found, declared, total in pairs)))
    checks.append(("no message has come back to its sender",
                   not any(client.messages(client.server) for client in clients)))
    return checks
