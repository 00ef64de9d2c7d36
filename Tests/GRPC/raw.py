"""An HTTP/2 client that sends what it is told, right or wrong: frames over a socket, headers by hpack."""

import socket
import struct
import time

import hpack
from hyperframe.frame import Frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = range(6)
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(6, 10)
ACK = END_STREAM = 1
END_HEADERS = 4
PADDED = 8
PRIORITIZED = 0x20

NAMES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
    "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
    "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED")

TIMEOUT = 60


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """The bytes of a frame; `length` says another length than the payload has."""
    count = len(payload) if length is None else length
    return struct.pack(">BHBBI", count >> 16, count & 0xFFFF, kind, flags, stream) + payload


def settings(*pairs):
    return b"".join(struct.pack(">HI", key, value) for key, value in pairs)


def message(body=b"", flag=0, length=None):
    """A message of gRPC with its prefix."""
    return struct.pack(">BI", flag, len(body) if length is None else length) + body


def code_name(code):
    return NAMES[code] if code < len(NAMES) else hex(code)


class Stream:
    """What has arrived on one stream."""

    def __init__(self):
        self.headers = []  # One list per HEADERS: (name, value), as text.
        self.data = b""
        self.is_over = False
        self.reset = None

    def value(self, name):
        """The last value of a header or trailer."""
        found = [value for block in self.headers for key, value in block if key == name]
        return found[-1] if found else None

    @property
    def messages(self):
        """(flag, bytes) of each whole message."""
        found, rest = [], self.data
        while len(rest) >= 5:
            flag, count = struct.unpack(">BI", rest[:5])
            if len(rest) < 5 + count:
                break
            found.append((flag, rest[5:5 + count]))
            rest = rest[5 + count:]
        return found


class Connection:
    """One connection. Answers SETTINGS; everything else is up to its user."""

    def __init__(self, port, begins=True, initial=(), acknowledges=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = port
        self.input = b""
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.streams = {}
        self.settings = {}
        self.settings_acknowledged = 0
        self.pings = []
        self.goaways = []  # (last stream, code, text)
        self.is_closed = False
        self.block = b""
        self.acknowledges = acknowledges
        if begins:
            self.send(PREFACE + frame(SETTINGS, payload=settings(*initial)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    # Output

    def send(self, data):
        """Sends bytes; a peer that has closed already is seen when reading."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except socket.timeout:
            pass

    def frame(self, *arguments, **named):
        self.send(frame(*arguments, **named))

    def headers(self, stream, headers, end_stream=False):
        flags = END_HEADERS | (END_STREAM if end_stream else 0)
        self.frame(HEADERS, flags, stream, self.encoder.encode(headers, huffman=False))

    def data(self, stream, data, end_stream=False):
        while len(data) > 16384:
            self.frame(DATA, 0, stream, data[:16384])
            data = data[16384:]
        self.frame(DATA, END_STREAM if end_stream else 0, stream, data)

    # Input

    def stream(self, number):
        return self.streams.setdefault(number, Stream())

    def read(self, timeout=TIMEOUT):
        """Reads and handles what is there; False after the time or at the end."""
        self.socket.settimeout(max(timeout, 0.001))
        try:
            data = self.socket.recv(1 << 16)
        except socket.timeout:
            return False
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            self.is_closed = True
            return False
        self.input += data
        while len(self.input) >= 9:
            high, low, kind, flags, stream = struct.unpack(">BHBBI", self.input[:9])
            count = high << 16 | low
            if len(self.input) < 9 + count:
                break
            payload = self.input[9:9 + count]
            self.input = self.input[9 + count:]
            self.handle(kind, flags, stream & 0x7FFFFFFF, payload)
        return True

    def handle(self, kind, flags, stream, payload):
        if kind == SETTINGS:
            if flags & ACK:
                self.settings_acknowledged += 1
            else:
                for offset in range(0, len(payload), 6):
                    key, value = struct.unpack(">HI", payload[offset:offset + 6])
                    self.settings[key] = value
                if self.acknowledges:
                    self.frame(SETTINGS, ACK)
        elif kind in (HEADERS, CONTINUATION):
            self.block = payload if kind == HEADERS else self.block + payload
            if kind == HEADERS:
                self.ends = flags & END_STREAM
            if flags & END_HEADERS:
                self.stream(stream).headers.append(
                    [(str(name), str(value)) for name, value in self.decoder.decode(self.block)])
                self.stream(stream).is_over |= bool(self.ends)
        elif kind == DATA:
            self.stream(stream).data += payload
            self.stream(stream).is_over |= bool(flags & END_STREAM)
            if payload:
                credit = struct.pack(">I", len(payload))
                self.send(frame(WINDOW_UPDATE, 0, 0, credit) + (
                    b"" if self.stream(stream).is_over
                    else frame(WINDOW_UPDATE, 0, stream, credit)))
        elif kind == RST_STREAM:
            self.stream(stream).reset = struct.unpack(">I", payload)[0]
        elif kind == GOAWAY:
            last, code = struct.unpack(">II", payload[:8])
            self.goaways.append((last, code, payload[8:].decode("utf-8", "replace")))
        elif kind == PING and flags & ACK:
            self.pings.append(payload)

    def wait(self, condition, timeout=TIMEOUT):
        """Reads until `condition()`; whether it holds."""
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            if left <= 0 or self.is_closed:
                return condition()
            self.read(left)
        return True

    def ping(self, payload=b"12345678"):
        """Whether the peer answers a PING: then it has handled all that was sent before."""
        self.frame(PING, payload=payload)
        return self.wait(lambda: payload in self.pings or self.goaways) and payload in self.pings

    # gRPC

    def request(self, path="/grpc.testing.TestService/EmptyCall", **changes):
        """The headers of a call; None leaves one out, underscores stand for hyphens."""
        headers = {
            ":method": "POST", ":scheme": "http", ":path": path,
            ":authority": f"127.0.0.1:{self.port}", "content-type": "application/grpc",
            "te": "trailers"}
        for key, value in changes.items():
            key = key.replace("_", "-")
            headers[":" + key if ":" + key in headers else key] = value
        return [(key, value) for key, value in headers.items() if value is not None]

    def call(self, path, body=b"", stream=1, data=None, **changes):
        """Makes a unary call and returns its stream when it is over."""
        self.headers(stream, self.request(path, **changes))
        self.data(stream, message(body) if data is None else data, end_stream=True)
        return self.outcome(stream)

    def outcome(self, number):
        """Waits until a stream is over."""
        stream = self.stream(number)
        self.wait(lambda: stream.is_over or stream.reset is not None or self.goaways)
        return stream


def parse(data):
    """The frames of bytes, for tests of this module: hyperframe agrees."""
    found = []
    while data:
        header, length = Frame.parse_frame_header(memoryview(data[:9]))
        header.parse_body(memoryview(data[9:9 + length]))
        found.append(header)
        data = data[9 + length:]
    return found
