"""What the tests share: certificates, order_server, order_client, and calls over any stream."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
BIN = os.environ.get("ROCKET_BIN") or os.path.join(ROOT, "bin")
sys.path.insert(0, os.path.join(ROOT, "Tests", "Attack"))

from wire import Peer, frame, order, varint  # noqa: E402,F401

LIMIT = 300  # seconds after which anything that is waited for has failed


def run(*command, **options):
    """Runs a program to its end; its output as bytes."""
    return subprocess.run(command, capture_output=True, timeout=LIMIT, **options)


class Authority:
    """A folder of scripts/dev-ca, and certificates that it does not make."""

    def __init__(self, folder):
        self.folder = folder
        self._do("init")
        self.file = os.path.join(folder, "ca.pem")

    def _do(self, *arguments):
        done = run(os.path.join(ROOT, "scripts", "dev-ca"), self.folder, *arguments)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        return done.stdout.decode().strip()

    def issue(self, name, *options):
        self._do("issue", name, *options)
        return self.pair(name)

    def pair(self, name):
        return tuple(os.path.join(self.folder, name, file) for file in ("certificate.pem", "key.pem"))

    def renew(self, name):
        self._do("renew", name)

    def fingerprint(self, name):
        return self._do("fingerprint", name)

    def expired(self, name, usage, names):
        """A certificate whose time ended in 2020."""
        folder = os.path.join(self.folder, name)
        os.makedirs(os.path.join(folder, "issued"))
        certificate, key, request = (os.path.join(folder, file) for file in (
            "certificate.pem", "key.pem", "request"))
        configuration = os.path.join(folder, "configuration")
        with open(configuration, "w") as file:
            file.write("[ca]\ndefault_ca=a\n[a]\nnew_certs_dir=issued\ndatabase=index\nserial=serial\n"
                       "default_md=sha256\npolicy=p\nx509_extensions=e\nunique_subject=no\n"
                       "[p]\ncommonName=supplied\n[e]\nbasicConstraints=critical,CA:false\n"
                       f"keyUsage=critical,digitalSignature\nextendedKeyUsage={usage}\n"
                       f"subjectAltName={names}\n[req]\ndistinguished_name=dn\n[dn]\n")
        open(os.path.join(folder, "index"), "w").close()
        with open(os.path.join(folder, "serial"), "w") as file:
            file.write("1000\n")
        for command in (
                ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                ["req", "-new", "-key", key, "-subj", f"/CN={name}", "-config", configuration,
                 "-out", request],
                ["ca", "-batch", "-config", configuration, "-in", request, "-cert", self.file,
                 "-keyfile", os.path.join(self.folder, "ca.key"), "-notext", "-startdate",
                 "200101000000Z", "-enddate", "200201000000Z", "-out", certificate]):
            done = run("openssl", *command, cwd=folder)
            if done.returncode != 0:
                raise AssertionError(done.stderr.decode())
        os.chmod(key, 0o600)
        return certificate, key


class Files:
    """All certificates of a run of the tests, made once."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="rocket-interop-")
        self.path = self._folder.name
        self.authority = Authority(os.path.join(self.path, "ca"))
        self.stranger = Authority(os.path.join(self.path, "stranger"))
        self.server = self.authority.issue(
            "server", "--dns", "localhost", "--ip", "127.0.0.1", "--uri", "spiffe://test/server")
        self.other = self.authority.issue("other", "--dns", "other.example")
        self.client = self.authority.issue("client", "--client", "--uri", "spiffe://test/client")
        self.strange_client = self.stranger.issue("client", "--client")
        self.strange_server = self.stranger.issue("server", "--dns", "localhost", "--ip", "127.0.0.1")
        self.expired_client = self.authority.expired("old-client", "clientAuth", "DNS:client")
        self.expired_server = self.authority.expired(
            "old-server", "serverAuth", "DNS:localhost,IP:127.0.0.1")

    def folder(self):
        return tempfile.mkdtemp(dir=self.path)


files = Files()


def tls_elements(pairs, **others):
    """The elements of a server's tls: certificate and key pairs, and others by name."""
    elements = {"certificate": ",".join(p[0] for p in pairs), "key": ",".join(p[1] for p in pairs)}
    return "<tls>" + "".join(
        f"<{name}>{value}</{name}>" for name, value in (elements | others).items()) + "</tls>"


class Server:
    """order_server on a port that the kernel chooses. `tls`: the element, or empty."""

    def __init__(self, tls, stop_status=0):
        self.folder = files.folder()
        self.configuration = os.path.join(self.folder, "order_server.xml")
        self.configure(tls)
        self.process = subprocess.Popen(
            [os.path.join(BIN, "order_server"), self.configuration], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"listening on \S+:(\d+)", line)
        if not found:
            raise AssertionError(f"order_server did not start: {line} {self.process.stderr.read()}")
        self.port = int(found[1])
        self.address = ("127.0.0.1", self.port)
        self.stop_status = stop_status

    def configure(self, tls):
        with open(self.configuration, "w") as file:
            file.write(
                "<root><log><log_level>INFO</log_level><log_sinks>file</log_sinks>"
                "<log_file_name>log</log_file_name><log_file_path>log</log_file_path></log><server>"
                f"<ip>127.0.0.1</ip><port>0</port><io_threads>1</io_threads>{tls}</server>"
                "<order_store><path>orders.sqlite</path></order_store></root>")

    def reload(self, tls):
        self.configure(tls)
        self.process.send_signal(signal.SIGHUP)

    def log(self):
        """All lines of its log files."""
        folder = os.path.join(self.folder, "log")
        text = ""
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name)) as file:
                text += file.read()
        return text

    def logged(self, pattern):
        """Waits for a line of the log, and returns the pattern's group."""
        found = None

        def is_logged():
            nonlocal found
            found = re.search(pattern, self.log())
            return found
        until(is_logged, f"the log has no {pattern}")
        return found[1]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        if error == (None, None, None) and status != self.stop_status:
            raise AssertionError(f"order_server ended with status {status}: {errors}")


def until(condition, what):
    """Waits until a condition holds, such as one that a reload changes."""
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"after {LIMIT} s: {what}")
        time.sleep(0.02)  # a pause between attempts: the tests wait for the condition


REQUEST = frame(b"99998888", b"Order.makeOrder", order())
REPLY = b"\x12\x02OK\x1a"


class Client:
    """A run of `openssl s_client` that makes a call, and ends with its reply or the connection."""

    def __init__(self, server, *options, talk=((REQUEST, REPLY),), name="localhost"):
        """`talk`: what is sent, and what is waited for behind it; s_client's commands come alone."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile",
                   files.authority.file, "-verify_return_error"]
        if name:
            command += ["-servername", name]
        process = subprocess.Popen([*command, *options], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        killer = threading.Timer(LIMIT, process.kill)
        killer.start()
        self.output = b""
        for send, expect in talk:
            try:
                process.stdin.write(send)
                process.stdin.flush()
            except BrokenPipeError:
                pass  # it has ended: the server has refused it
            while expect not in self.output:
                piece = process.stdout.read1(65536)
                if not piece:
                    break
                self.output += piece
        process.kill()
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass  # of what it has not read
        self.output += process.stdout.read()
        process.stdout.close()
        process.wait()
        killer.cancel()
        self.is_answered = expect in self.output

    @property
    def text(self):
        return self.output.decode(errors="replace")

    def __repr__(self):
        return self.text

    def __contains__(self, text):
        return text in self.text

    @property
    def subject(self):
        found = re.search(r"subject=(.*)", self.text)
        return found[1].replace(" ", "") if found else None


def client_context(ca=None, pair=None, **options):
    """Python's side of a client that demands the server's certificate."""
    context = ssl.create_default_context(cafile=ca or files.authority.file)
    context.set_alpn_protocols(["rocket/1"])
    if pair:
        context.load_cert_chain(*pair)
    for name, value in options.items():
        setattr(context, name, value)
    return context


class TLSPeer(Peer):
    """A connection of Python's ssl to a server."""

    def __init__(self, address, context=None, name="localhost", session=None):
        super().__init__(address)
        self.socket.settimeout(LIMIT)
        self.socket = (context or client_context()).wrap_socket(
            self.socket, server_hostname=name, session=session)

    def call(self, number=1, message=None):
        """Makes an order and returns its reply."""
        self.send(frame(b"%08d" % number, b"Order.makeOrder", message or order()))
        return self.reply()


def is_served(address, context=None, **options):
    """Whether a call over a new connection is answered."""
    try:
        peer = TLSPeer(address, context, **options)
    except (ssl.SSLError, ConnectionError):
        return False
    try:
        reply = peer.call()
        return reply is not None and REPLY in reply[3]
    except (ssl.SSLError, ConnectionError):
        return False
    finally:
        peer.close()


def order_client(*arguments, timeout="60s"):
    """Runs `order_client make`."""
    return run(os.path.join(BIN, "order_client"), "make", "--price", "100", "--goods", "apple",
               "--timeout", timeout, *arguments)


def order_client_to(port, tls, timeout="60s"):
    """Runs `order_client make` with a stub and the elements of its tls; None: plain."""
    path = os.path.join(files.folder(), "client.xml")
    element = "" if tls is None else "<tls>" + "".join(
        f"<{name}>{value}</{name}>" for name, value in tls.items()) + "</tls>"
    with open(path, "w") as file:
        file.write(f"<root><stubs><rpc_server><name>order</name><ip>127.0.0.1</ip><port>{port}</port>"
                   f"<max_attempts>1</max_attempts>{element}</rpc_server></stubs></root>")
    return order_client("--config", path, timeout=timeout)


def answer(request):
    """The reply to a frame of a makeOrder request."""
    count = int.from_bytes(request[5:9], "big")
    identifier = request[9:9 + count]
    length = int.from_bytes(request[9 + count:13 + count], "big")
    method = request[13 + count:13 + count + length]
    return frame(identifier, method, b"\x12\x02OK\x1a\x0820230514")


def first_frame(received):
    """The first whole frame of what a server has received; None: there is none yet."""
    if len(received) < 5 or len(received) < int.from_bytes(received[1:5], "big"):
        return None
    return received[:int.from_bytes(received[1:5], "big")]


class PythonServer:
    """A TinyPB server of Python's ssl for one connection; `context` None: plain."""

    def __init__(self, context):
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        self.error = self.certificate = self.protocol = self.name = None
        if context:
            context.sni_callback = self._named
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _named(self, _socket, name, _context):
        self.name = name

    def _serve(self):
        try:
            connection, _ = self.listener.accept()
            connection.settimeout(LIMIT)
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
                self.certificate, self.protocol = (
                    connection.getpeercert(), connection.selected_alpn_protocol())
            with connection:
                received = b""
                while piece := connection.recv(65536):
                    received += piece
                    while request := first_frame(received):
                        received = received[len(request):]
                        connection.sendall(answer(request))
        except OSError as error:
            self.error = error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(LIMIT)


def server_context(pair, ca=None, alpn=("rocket/1",)):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
