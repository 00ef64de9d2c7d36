"""chat_server processes that share a room over a real nats-server, seen from outside: by their clients."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

SERVER = pathlib.Path(os.environ["ROCKET_BIN"]) / "chat_server"
NATS = shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin")
# Seconds after which something hangs.
TIMEOUT = 300
LOST = "other servers can't be reached: messages stay on this server until they can"
BACK = "other servers are reached again"
# The seed and the public key of an NKEY.
SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


class Nats:
    """A nats-server on a port that the kernel chooses, or on the one that it had before."""

    def __init__(self, folder, configuration=""):
        self.folder = pathlib.Path(folder)
        self.port = -1
        self.file = self.folder / "nats.conf"
        self.file.write_text(configuration)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [NATS, "-a", "127.0.0.1", "-p", str(self.port), "--ports_file_dir", self.folder,
             "-c", self.file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ports = self.folder / f"nats-server_{self.process.pid}.ports"
        while self.port < 0:
            assert self.process.poll() is None, "nats-server does not start"
            try:
                self.port = int(json.loads(ports.read_text())["nats"][0].rsplit(":", 1)[1])
            except (OSError, ValueError):
                time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Chat:
    """A chat_server on a port that the kernel chooses."""

    def __init__(self, folder, name, nats, chat="", scheme="nats", queue=10**9):
        path = pathlib.Path(folder) / f"chat-{len(list(pathlib.Path(folder).iterdir()))}"
        path.mkdir()
        (path / "chat.xml").write_text(
            "<root><log><log_level>DEBUG</log_level><log_file_path>log</log_file_path></log>"
            "<server><ip>127.0.0.1</ip><io_threads>2</io_threads></server>"
            f"<chat><backplane>{scheme}://127.0.0.1:{nats.port}</backplane>"
            f"<server_name>{name}</server_name><messages_per_second>0</messages_per_second>"
            f"<queue_bytes>{queue}</queue_bytes>{chat}</chat></root>")
        self.name = name
        self.path = path
        self.process = subprocess.Popen(
            [SERVER, path / "chat.xml"], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, ROCKET_SERVER_PORT="0"), cwd=path)
        ready = self.process.stdout.readline()
        self.port = int(re.search(r":(\d+)\s*$", ready)[1])

    def log(self):
        return "".join(file.read_text() for file in self.path.glob("log/*"))

    def logs(self, text, count=1):
        """Waits until the log has the text so often."""
        end = time.monotonic() + TIMEOUT
        while self.log().count(text) < count:
            assert time.monotonic() < end, f"{text!r} is not in the log of {self.name}: {self.log()}"
            time.sleep(0.02)

    def end(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(TIMEOUT)
        self.process.stdout.close()


class Client:
    """A client, whose messages a thread collects."""

    def __init__(self, chat):
        self.socket = socket.create_connection(("127.0.0.1", chat.port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.texts = []
        self.condition = threading.Condition()
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def collect(self):
        try:
            while True:
                text = self.exactly(struct.unpack(">I", self.exactly(4))[0]).decode()
                with self.condition:
                    self.texts.append(text)
                    self.condition.notify_all()
        except (OSError, EOFError):
            pass

    def send(self, *texts):
        self.socket.sendall(
            b"".join(struct.pack(">I", len(text.encode())) + text.encode() for text in texts))

    def wait(self, condition):
        with self.condition:
            assert self.condition.wait_for(lambda: condition(self.texts), TIMEOUT), self.texts[-20:]
            return list(self.texts)

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def missing(texts):
    """How many messages are declared missing, by server."""
    found = {}
    for text in texts:
        if match := re.fullmatch(r"(\d+) messages missing \(of server (.+)\)", text):
            found[match[2]] = found.get(match[2], 0) + int(match[1])
    return found


class Backplane(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def nats(self, configuration=""):
        nats = Nats(self.folder, configuration)
        self.addCleanup(nats.kill)
        return nats

    def chat(self, name, nats, *arguments, **others):
        chat = Chat(self.folder, name, nats, *arguments, **others)
        self.addCleanup(chat.end)
        return chat

    def client(self, chat):
        client = Client(chat)
        self.addCleanup(client.end)
        return client

    def room(self, nats, names=("a", "b", "c")):
        """Servers that know each other, with one client each, all joined."""
        chats = [self.chat(name, nats) for name in names]
        for chat in chats:
            chat.logs("another chat server was heard of", len(names) - 1)
        clients = [self.client(chat) for chat in chats]
        for chat in chats:
            chat.logs("client joined")
        return chats, clients

    def test_killed(self):
        """NATS is killed and started again five times while all clients write."""
        nats = self.nats()
        chats, clients = self.room(nats)
        ends = threading.Event()
        counts = [0] * len(clients)

        def write(index):
            while not ends.is_set():
                clients[index].send(*(f"{counts[index] + i}" for i in range(10)))
                counts[index] += 10
                ends.wait(0.002)

        writers = [threading.Thread(target=write, args=[index]) for index in range(len(clients))]
        for writer in writers:
            writer.start()
        for _ in range(5):
            ends.wait(0.3)
            nats.kill()
            ends.wait(0.3)
            nats.start()
            for client in clients:
                seen = len(client.texts)
                client.wait(lambda texts: any(
                    text.startswith("from: ") for text in texts[seen:]))
        ends.set()
        for writer in writers:
            writer.join()
        lost = 0
        for index, client in enumerate(clients):
            for other, chat in enumerate(chats):
                if other == index:
                    continue
                prefix = f"from: client1@{chat.name}: "

                def numbers(texts):
                    return [int(text.removeprefix(prefix)) for text in texts
                            if text.startswith(prefix)]

                # The whole, minus the holes that were declared: at the latest by an announcement.
                texts = client.wait(lambda texts: len(numbers(texts)) + missing(texts).get(
                    chat.name, 0) >= counts[other])
                found = numbers(texts)
                self.assertEqual(found, sorted(set(found)), "in order, nothing twice")
                self.assertEqual(len(found) + missing(texts).get(chat.name, 0), counts[other])
                lost += counts[other] - len(found)
            self.assertFalse(any(f"@{chats[index].name}:" in text for text in client.texts))
        print(f"{sum(counts)} messages sent, {lost} of {2 * sum(counts)} deliveries declared missing")

    def test_stopped(self):
        """NATS is stopped: local messages go on at once, and nothing waits for it."""
        nats = self.nats()
        chats, clients = self.room(nats, ("a", "b"))
        near = self.client(chats[0])
        chats[0].logs("client joined", 2)
        nats.process.send_signal(signal.SIGSTOP)
        self.addCleanup(nats.process.send_signal, signal.SIGCONT)
        # More than the kernel and the client of NATS take.
        text = "x" * 60_000
        count = 400
        slowest = 0
        for number in range(count):
            start = time.monotonic()
            clients[0].send(f"{number} {text}")
            near.wait(lambda texts: len(texts) > number)
            slowest = max(slowest, time.monotonic() - start)
        print(f"slowest local delivery with a stopped NATS: {slowest * 1000:.0f} ms")
        nats.process.send_signal(signal.SIGCONT)
        texts = clients[1].wait(
            lambda texts: sum(text.startswith("from: ") for text in texts)
            + missing(texts).get("a", 0) >= count)
        self.assertGreater(missing(texts).get("a", 0), 0)
        numbers = [int(text.split()[2]) for text in texts if text.startswith("from: ")]
        self.assertEqual(numbers, sorted(set(numbers)))

    def exact(self, client, server, count):
        """Waits until the client has the messages of the server, or a notice instead, for all that was
        said."""
        def numbers(texts):
            return [int(text.split()[2]) for text in texts
                    if text.startswith(f"from: client1@{server}: ")]

        def known(texts):
            dropped = sum(int(text.split()[0]) for text in texts if text.endswith(" messages dropped"))
            return len(numbers(texts)) + missing(texts).get(server, 0) + dropped

        texts = client.wait(lambda texts: known(texts) >= count)
        found = numbers(texts)
        self.assertEqual(found, sorted(set(found)), "in order, nothing twice")
        self.assertEqual(known(texts), count)

    def test_slow_consumer(self):
        """NATS disconnects a server that does not read: what it loses is declared missing."""
        log = pathlib.Path(self.folder) / "nats.log"
        # NATS slows the publisher down before so many bytes wait, so the time limit comes first.
        nats = self.nats(f'max_pending: 4MB\nwrite_deadline: "500ms"\nlogfile: "{log}"\n')
        chats, clients = self.room(nats, ("a", "b"))
        near = self.client(chats[0])
        chats[0].logs("client joined", 2)
        chats[1].process.send_signal(signal.SIGSTOP)
        self.addCleanup(chats[1].process.send_signal, signal.SIGCONT)
        text = "x" * 60_000
        count = 0
        while "Slow Consumer" not in log.read_text():
            clients[0].send(f"{count} {text}")
            count += 1
            near.wait(lambda texts: len(texts) == count)
        chats[1].process.send_signal(signal.SIGCONT)
        chats[1].logs("NATS is connected", 2)
        clients[0].send(*(f"{count + number} again" for number in range(10)))
        self.exact(clients[1], "a", count + 10)
        self.assertGreater(missing(clients[1].texts).get("a", 0), 0)

    def test_flood(self):
        """More arrives from NATS than members read: what the server keeps for them has a limit."""
        nats = self.nats()
        chats = [self.chat(name, nats, queue=queue) for name, queue in (("a", 10**9), ("b", 10**6))]
        for chat in chats:
            chat.logs("another chat server was heard of")
        clients = [self.client(chat) for chat in chats]
        count, idle = 2000, 20
        for _ in range(idle):
            member = socket.create_connection(("127.0.0.1", chats[1].port), timeout=TIMEOUT)
            self.addCleanup(member.close)
        chats[0].logs("client joined")
        chats[1].logs("client joined", 1 + idle)
        text = "x" * 60_000
        for number in range(count):
            clients[0].send(f"{number} {text}")
        self.exact(clients[1], "a", count)
        status = pathlib.Path(f"/proc/{chats[1].process.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024
        print(f"{count * len(text) >> 20} MiB for each of {idle} members that do not read, "
              f"at most {peak} MiB of memory")
        self.assertLess(peak, 200)

    def test_lost_server(self):
        """A server that ends by SIGTERM leaves no hole, and one that comes gets no old messages."""
        nats = self.nats()
        chats, clients = self.room(nats, ("a", "b"))
        clients[1].send(*(str(number) for number in range(1000)))
        clients[0].wait(lambda texts: len(texts) > 0)
        chats[1].end(signal.SIGTERM)
        texts = clients[0].wait(lambda texts: len(texts) >= 1000)
        self.assertEqual(texts, [f"from: client1@b: {number}" for number in range(1000)])
        again = self.chat("b", nats)
        again.logs("another chat server was heard of")
        client = self.client(again)
        again.logs("client joined")
        client.send("again")
        self.assertEqual(
            clients[0].wait(lambda texts: len(texts) > 1000)[1000:], ["from: client1@b: again"])
        self.assertEqual(client.texts, [])

    def test_names(self):
        """Three servers with one name have three after a moment."""
        nats = self.nats()
        chats, clients = self.room(nats, ("same", "same", "same"))
        for chat in chats[1:]:
            chat.logs("which changes its own")
        for client in clients:
            client.send("x")
        names = set()
        for client in clients:
            texts = client.wait(lambda texts: len(texts) == 2)
            names |= {text.split(":")[1].strip() for text in texts}
        self.assertEqual(len(names), 3, names)
        self.assertIn("client1@same", names)

    def test_credentials(self):
        """An NKEY that may use the room's subject only."""
        nats = self.nats(
            'authorization { users: [ { nkey: "%s", permissions: { publish: "rocket.chat.x", '
            'subscribe: "rocket.chat.x" } } ] }' % PUBLIC)
        key = pathlib.Path(self.folder) / "nats.nk"
        key.touch(0o600)
        key.write_text(SEED)
        chat = f"<backplane_credentials>{key}</backplane_credentials><room>x</room>"
        chats = [self.chat(name, nats, chat) for name in "ab"]
        for one in chats:
            one.logs("another chat server was heard of")
        clients = [self.client(one) for one in chats]
        for one in chats:
            one.logs("client joined")
        clients[0].send("hi")
        self.assertEqual(
            clients[1].wait(lambda texts: texts), ["from: client1@a: hi"])
        other = self.chat("c", nats, "<room>x</room>")
        other.logs("Authorization Violation")
        self.assertNotIn(SEED, "".join(one.log() for one in chats))

    def test_tls(self):
        """NATS with TLS, whose certificate is checked; a reload of the configuration changes nothing."""
        folder = pathlib.Path(self.folder)
        certificate, key = folder / "nats.pem", folder / "nats.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=nats", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
             key, "-out", certificate], check=True, capture_output=True)
        nats = self.nats(f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}')
        chat = f"<backplane_ca>{certificate}</backplane_ca>"
        chats = [self.chat(name, nats, chat, scheme="tls") for name in "ab"]
        for one in chats:
            one.logs("another chat server was heard of")
        clients = [self.client(one) for one in chats]
        for one in chats:
            one.logs("client joined")
        clients[0].send("hi")
        clients[1].wait(lambda texts: texts == ["from: client1@a: hi"])
        chats[0].process.send_signal(signal.SIGHUP)
        chats[0].logs("configuration")
        clients[0].send("again")
        clients[1].wait(lambda texts: texts[1:] == ["from: client1@a: again"])
        nats.kill()
        nats.start()
        chats[0].logs("NATS is connected", 2)
        chats[1].logs("NATS is connected", 2)
        clients[0].send("last")
        clients[1].wait(lambda texts: texts[-1:] == ["from: client1@a: last"])
        self.chat("c", nats, scheme="tls").logs("NATS can't be reached")
        plain = self.chat("d", nats)
        plain.logs("the NATS server requires TLS")
        self.assertIsNone(plain.process.poll())

    def test_other_rooms(self):
        """Servers of other rooms hear nothing."""
        nats = self.nats()
        chats, clients = self.room(nats, ("a", "b"))
        other = self.chat("c", nats, "<room>other</room>")
        other.logs("NATS is connected")
        client = self.client(other)
        other.logs("client joined")
        clients[0].send("x")
        clients[1].wait(lambda texts: texts)
        client.send("y")
        clients[0].send("z")
        self.assertEqual(
            clients[1].wait(lambda texts: len(texts) == 2),
            ["from: client1@a: x", "from: client1@a: z"])
        self.assertEqual(client.texts, [])


if __name__ == "__main__":
    unittest.main()
