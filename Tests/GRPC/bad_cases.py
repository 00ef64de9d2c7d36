"""What a client may do wrong, and what the server must answer: HTTP/2 (RFC 9113) and gRPC.

Each case is a function of a connection and what it expects, as a set of alternatives:
    goaway CODE     the connection ends with this GOAWAY
    reset CODE      the stream is reset with this code, and the connection goes on
    status N        the call ends with this grpc-status, and the connection goes on
    http N          the call ends with this :status, and the connection goes on
    closed          the connection ends, with or without a GOAWAY
    ignored         the connection goes on
The case's own stream is 1, unless it says another one.
"""

import gzip
import struct
import zlib

from raw import (
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE,
    PRIORITIZED, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, message,
    settings)

SERVICE = "/grpc.testing.TestService/"
EMPTY = SERVICE + "EmptyCall"
UNARY = SERVICE + "UnaryCall"
INPUT = SERVICE + "StreamingInputCall"
DUPLEX = SERVICE + "FullDuplexCall"
CALM = "goaway ENHANCE_YOUR_CALM"

CASES = []


class Case:
    def __init__(self, function, expected, options):
        self.name = function.__name__
        self.text = function.__doc__
        self.function = function
        self.expected = expected
        self.stream = options.pop("stream", 1)
        self.is_slow = options.pop("is_slow", False)
        # Of Connection.
        self.options = options


def case(*expected, **options):
    def register(function):
        CASES.append(Case(function, expected, options))
        return function
    return register


def u32(value):
    return struct.pack(">I", value)


# The beginning of a connection


@case("closed", begins=False)
def http1_request(peer):
    """A request of HTTP/1.1."""
    peer.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + bytes(64))


@case("closed", begins=False)
def broken_preface(peer):
    """A preface whose end is wrong."""
    peer.send(b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n" + frame(SETTINGS))


@case("goaway PROTOCOL_ERROR", "closed", begins=False)
def no_settings_first(peer):
    """A PING where SETTINGS must be first."""
    peer.send(PREFACE + frame(PING, payload=bytes(8)))


@case("goaway PROTOCOL_ERROR", "closed", begins=False)
def acknowledgement_first(peer):
    """An acknowledgement where SETTINGS must be first."""
    peer.send(PREFACE + frame(SETTINGS, ACK))


# Sizes of frames


@case("goaway FRAME_SIZE_ERROR")
def data_too_long(peer):
    """DATA of 16,385 bytes."""
    peer.headers(1, peer.request())
    peer.frame(DATA, END_STREAM, 1, bytes(16385))


@case("goaway FRAME_SIZE_ERROR")
def headers_too_long(peer):
    """HEADERS of 16,385 bytes."""
    peer.frame(HEADERS, END_HEADERS | END_STREAM, 1, bytes(16385))


@case("goaway FRAME_SIZE_ERROR")
def greatest_length(peer):
    """A frame that says 16 MiB."""
    peer.frame(DATA, 0, 1, bytes(100), length=0xFFFFFF)


@case("goaway FRAME_SIZE_ERROR")
def settings_of_five_bytes(peer):
    """SETTINGS whose length is no multiple of six."""
    peer.frame(SETTINGS, payload=bytes(5))


@case("goaway FRAME_SIZE_ERROR")
def acknowledgement_with_payload(peer):
    """An acknowledgement of SETTINGS with settings."""
    peer.frame(SETTINGS, ACK, payload=settings((1, 4096)))


@case("goaway FRAME_SIZE_ERROR")
def ping_of_seven_bytes(peer):
    """PING of 7 bytes."""
    peer.frame(PING, payload=bytes(7))


@case("goaway FRAME_SIZE_ERROR")
def ping_of_nine_bytes(peer):
    """PING of 9 bytes."""
    peer.frame(PING, payload=bytes(9))


@case("goaway FRAME_SIZE_ERROR")
def window_update_of_three_bytes(peer):
    """WINDOW_UPDATE of 3 bytes."""
    peer.frame(WINDOW_UPDATE, payload=bytes(3))


@case("goaway FRAME_SIZE_ERROR")
def reset_of_three_bytes(peer):
    """RST_STREAM of 3 bytes."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(RST_STREAM, 0, 1, bytes(3))


@case("goaway FRAME_SIZE_ERROR", "reset FRAME_SIZE_ERROR")
def priority_of_four_bytes(peer):
    """PRIORITY of 4 bytes."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(PRIORITY, 0, 1, bytes(4))


@case("goaway FRAME_SIZE_ERROR")
def goaway_of_seven_bytes(peer):
    """GOAWAY of 7 bytes."""
    peer.frame(GOAWAY, payload=bytes(7))


@case("goaway FRAME_SIZE_ERROR", "goaway PROTOCOL_ERROR")
def headers_shorter_than_priority(peer):
    """HEADERS with the flag PRIORITY and 4 bytes."""
    peer.frame(HEADERS, END_HEADERS | PRIORITIZED, 1, bytes(4))


# Streams of frames


@case("goaway PROTOCOL_ERROR")
def settings_on_stream(peer):
    """SETTINGS on stream 1."""
    peer.frame(SETTINGS, 0, 1)


@case("goaway PROTOCOL_ERROR")
def ping_on_stream(peer):
    """PING on stream 1."""
    peer.frame(PING, 0, 1, bytes(8))


@case("goaway PROTOCOL_ERROR")
def goaway_on_stream(peer):
    """GOAWAY on stream 1."""
    peer.frame(GOAWAY, 0, 1, bytes(8))


@case("goaway PROTOCOL_ERROR")
def data_on_connection(peer):
    """DATA on stream 0."""
    peer.frame(DATA, 0, 0, b"x")


@case("goaway PROTOCOL_ERROR")
def headers_on_connection(peer):
    """HEADERS on stream 0."""
    peer.headers(0, peer.request())


@case("goaway PROTOCOL_ERROR")
def reset_on_connection(peer):
    """RST_STREAM on stream 0."""
    peer.frame(RST_STREAM, 0, 0, bytes(4))


# RocketHTTP2 lets nghttp2 ignore PRIORITY, which RFC 9113 deprecates.
@case("goaway PROTOCOL_ERROR", "ignored")
def priority_on_connection(peer):
    """PRIORITY on stream 0."""
    peer.frame(PRIORITY, 0, 0, bytes(5))


@case("goaway PROTOCOL_ERROR")
def continuation_on_connection(peer):
    """CONTINUATION on stream 0."""
    peer.frame(CONTINUATION, END_HEADERS, 0, b"")


@case("goaway PROTOCOL_ERROR")
def continuation_of_nothing(peer):
    """CONTINUATION behind whole HEADERS."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(CONTINUATION, END_HEADERS, 1, b"")


@case("goaway PROTOCOL_ERROR", stream=2)
def even_stream(peer):
    """HEADERS on stream 2, which is the server's to open."""
    peer.headers(2, peer.request(), end_stream=True)


# nghttp2 reads the headers and ignores the stream, as one that is closed; RFC 9113 has an error there.
@case("goaway PROTOCOL_ERROR", "goaway STREAM_CLOSED", "ignored", stream=3)
def stream_goes_back(peer):
    """HEADERS on stream 3 after stream 5 was opened."""
    peer.headers(5, peer.request(INPUT))
    peer.headers(3, peer.request(INPUT))


@case("goaway PROTOCOL_ERROR")
def data_on_idle_stream(peer):
    """DATA on a stream that was not opened."""
    peer.frame(DATA, 0, 1, b"x")


@case("goaway PROTOCOL_ERROR")
def reset_of_idle_stream(peer):
    """RST_STREAM of a stream that was not opened."""
    peer.frame(RST_STREAM, 0, 1, u32(8))


@case("goaway PROTOCOL_ERROR")
def window_of_idle_stream(peer):
    """WINDOW_UPDATE of a stream that was not opened."""
    peer.frame(WINDOW_UPDATE, 0, 1, u32(1))


@case("goaway PROTOCOL_ERROR")
def push_promise(peer):
    """PUSH_PROMISE of a client."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(PUSH_PROMISE, END_HEADERS, 1, u32(2) + peer.encoder.encode(peer.request()))


@case("goaway STREAM_CLOSED", "reset STREAM_CLOSED", "ignored")
def data_after_end(peer):
    """DATA behind END_STREAM."""
    peer.headers(1, peer.request(DUPLEX))
    peer.data(1, b"", end_stream=True)
    peer.data(1, b"x")


@case("goaway STREAM_CLOSED", "reset STREAM_CLOSED")
def headers_after_end(peer):
    """HEADERS behind END_STREAM, while the call is served."""
    peer.headers(1, peer.request(DUPLEX))
    # Asks for a response that takes a second: the stream is half-closed meanwhile.
    peer.data(1, message(bytes.fromhex("1206080110c0843d")), end_stream=True)
    peer.headers(1, [("x-more", "1")], end_stream=True)


@case("goaway STREAM_CLOSED", "reset STREAM_CLOSED", "ignored")
def data_after_reset(peer):
    """DATA on a stream that the client has reset."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(RST_STREAM, 0, 1, u32(8))
    peer.data(1, message(), end_stream=True)


@case("goaway PROTOCOL_ERROR", "reset PROTOCOL_ERROR")
def depends_on_itself(peer):
    """HEADERS of stream 1 that depends on stream 1."""
    block = peer.encoder.encode(peer.request(INPUT), huffman=False)
    peer.frame(HEADERS, END_HEADERS | PRIORITIZED, 1, u32(1) + b"\x10" + block)


# Settings


@case("goaway PROTOCOL_ERROR")
def push_of_two(peer):
    """SETTINGS_ENABLE_PUSH of 2."""
    peer.frame(SETTINGS, payload=settings((2, 2)))


@case("goaway FLOW_CONTROL_ERROR")
def initial_window_too_large(peer):
    """SETTINGS_INITIAL_WINDOW_SIZE of 2^31."""
    peer.frame(SETTINGS, payload=settings((4, 1 << 31)))


@case("goaway PROTOCOL_ERROR")
def frame_size_too_small(peer):
    """SETTINGS_MAX_FRAME_SIZE of 16,383."""
    peer.frame(SETTINGS, payload=settings((5, 16383)))


@case("goaway PROTOCOL_ERROR")
def frame_size_too_large(peer):
    """SETTINGS_MAX_FRAME_SIZE of 2^24."""
    peer.frame(SETTINGS, payload=settings((5, 1 << 24)))


@case("goaway FLOW_CONTROL_ERROR", "reset FLOW_CONTROL_ERROR")
def initial_window_overflows_stream(peer):
    """SETTINGS_INITIAL_WINDOW_SIZE that makes the window of a stream larger than 2^31-1."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(WINDOW_UPDATE, 0, 1, u32(0x7FFFFFFF - 65535))
    peer.frame(SETTINGS, payload=settings((4, 0x7FFFFFFF)))


@case("ignored")
def unknown_setting(peer):
    """A setting that nobody knows."""
    peer.frame(SETTINGS, payload=settings((0xF0F0, 7)))


@case("ignored")
def unknown_frame(peer):
    """A frame of a type that nobody knows."""
    peer.frame(0xF0, 0xFF, 0, b"x" * 100)


@case("ignored")
def reserved_bit(peer):
    """A frame whose reserved bit is set."""
    peer.frame(PING, 0, 1 << 31, b"reserved")


@case("ignored")
def unknown_flags(peer):
    """Flags that the frame does not have."""
    peer.frame(PING, 0xFE, 0, b"allflags")


# Flow control


@case("goaway PROTOCOL_ERROR")
def empty_update_of_connection(peer):
    """WINDOW_UPDATE of 0 bytes of the connection."""
    peer.frame(WINDOW_UPDATE, payload=u32(0))


@case("reset PROTOCOL_ERROR", "goaway PROTOCOL_ERROR")
def empty_update_of_stream(peer):
    """WINDOW_UPDATE of 0 bytes of a stream."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(WINDOW_UPDATE, 0, 1, u32(0))


@case("goaway FLOW_CONTROL_ERROR")
def window_of_connection_overflows(peer):
    """WINDOW_UPDATE that makes the window of the connection larger than 2^31-1."""
    peer.frame(WINDOW_UPDATE, payload=u32(0x7FFFFFFF))


@case("reset FLOW_CONTROL_ERROR")
def window_of_stream_overflows(peer):
    """WINDOW_UPDATE that makes the window of a stream larger than 2^31-1."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(WINDOW_UPDATE, 0, 1, u32(0x7FFFFFFF))


@case("goaway FLOW_CONTROL_ERROR", "reset FLOW_CONTROL_ERROR")
def more_than_the_window(peer):
    """DATA of 2 MiB, more than any window, in one go."""
    peer.headers(1, peer.request(UNARY))
    peer.send(
        frame(DATA, 0, 1, message(length=4000000)) + frame(DATA, 0, 1, bytes(16384)) * 128)


# HPACK


def block(data):
    def send(peer):
        peer.frame(HEADERS, END_HEADERS | END_STREAM, 1, data)
    return send


for _name, _text, _data in (
    ("index_of_zero", "A header whose index is 0.", b"\x80"),
    ("index_of_nothing", "A header whose index nothing has.", b"\xff\x80\x01"),
    ("name_of_nothing", "A header whose name has an index that nothing has.", b"\x7f\x80\x01\x01x"),
    ("integer_overflows", "An index of more than 32 bits.", b"\xff" + b"\xff" * 9 + b"\x7f"),
    ("table_too_large", "A table of 1 GiB.", b"\x3f\xe1\xff\xff\xff\x03"),
    ("table_change_at_end", "A change of the table behind a header.", b"\x82\x20"),
    ("cut_string", "A string that is longer than the block.", b"\x00\x7f\x10abc"),
    ("cut_integer", "A block that ends within an integer.", b"\xff\x80"),
    ("huffman_end", "A string with Huffman's end of string.", b"\x00\x84\xff\xff\xff\xff\x01x"),
    ("huffman_padding", "A string whose Huffman padding is zeros.", b"\x00\x81\x00\x01x"),
):
    _function = block(_data)
    _function.__name__ = "hpack_" + _name
    _function.__doc__ = _text
    case("goaway COMPRESSION_ERROR")(_function)


# Blocks of headers in parts


@case("goaway PROTOCOL_ERROR")
def data_within_headers(peer):
    """DATA where CONTINUATION must follow."""
    peer.frame(HEADERS, 0, 1, peer.encoder.encode(peer.request()))
    peer.frame(DATA, 0, 1, b"x")


@case("goaway PROTOCOL_ERROR")
def ping_within_headers(peer):
    """PING where CONTINUATION must follow."""
    peer.frame(HEADERS, 0, 1, peer.encoder.encode(peer.request()))
    peer.frame(PING, payload=bytes(8))


@case("goaway PROTOCOL_ERROR")
def continuation_of_other_stream(peer):
    """CONTINUATION of another stream."""
    peer.frame(HEADERS, 0, 1, peer.encoder.encode(peer.request()))
    peer.frame(CONTINUATION, END_HEADERS, 3, b"")


@case("goaway PROTOCOL_ERROR")
def data_padding_too_long(peer):
    """DATA whose padding is as long as the frame."""
    peer.headers(1, peer.request(INPUT))
    peer.frame(DATA, PADDED, 1, b"\x05abcd")


@case("goaway PROTOCOL_ERROR")
def headers_padding_too_long(peer):
    """HEADERS whose padding is longer than the frame."""
    peer.frame(HEADERS, PADDED | END_HEADERS, 1, b"\xff" + bytes(10))


# Requests that are malformed: errors of their stream


def request(name, text, headers, *expected):
    def send(peer):
        peer.headers(1, headers(peer.request()), end_stream=False)
        peer.data(1, message(), end_stream=True)
    send.__name__ = name
    send.__doc__ = text
    case(*(expected or ("reset PROTOCOL_ERROR",)))(send)


def without(name):
    return lambda headers: [pair for pair in headers if pair[0] != name]


def more(*pairs):
    return lambda headers: headers + list(pairs)


request("upper_case", "A header whose name has capital letters.", more(("X-Upper", "1")))
request("no_method", "No :method.", without(":method"))
request("no_path", "No :path.", without(":path"))
request("no_scheme", "No :scheme.", without(":scheme"))
request(
    "pseudo_header_late", "A pseudo-header behind a header.",
    lambda headers: [("x-first", "1")] + headers)
request("pseudo_header_unknown", "A pseudo-header that nobody knows.",
        lambda headers: [(":unknown", "1")] + headers)
request("status_in_request", "The pseudo-header of a response.",
        lambda headers: [(":status", "200")] + headers)
request("path_twice", "Two of :path.", lambda headers: [(":path", EMPTY)] + headers)
request("method_twice", "Two of :method.", lambda headers: [(":method", "POST")] + headers)
request("path_empty", "An empty :path.", lambda headers: [
    (key, "" if key == ":path" else value) for key, value in headers])
request("header_of_connection", "A header that is of a connection.",
        more(("connection", "keep-alive")))
request("transfer_encoding", "transfer-encoding, which HTTP/2 does not have.",
        more(("transfer-encoding", "chunked")))
request("upgrade", "upgrade, which HTTP/2 does not have.", more(("upgrade", "h2c")))
request("te_of_gzip", "te with another value than trailers.", lambda headers: [
    (key, "gzip" if key == "te" else value) for key, value in headers])
request("line_feed_in_value", "A value with a line feed.", more(("x-value", "a\nb")))
request("zero_in_value", "A value with a zero byte.", more(("x-value", "a\0b")))
request("name_empty", "A header without a name.", more(("", "x")))
request("content_length_wrong", "content-length that is not that of the body.",
        more(("content-length", "99")))
request("content_length_no_number", "content-length that is no number.",
        more(("content-length", "five")))


@case("reset PROTOCOL_ERROR")
def pseudo_header_in_trailers(peer):
    """Trailers with a pseudo-header."""
    peer.headers(1, peer.request(INPUT))
    peer.data(1, message())
    peer.headers(1, [(":path", EMPTY)], end_stream=True)


@case("reset PROTOCOL_ERROR")
def headers_twice(peer):
    """HEADERS behind DATA that do not end the stream."""
    peer.headers(1, peer.request(INPUT))
    peer.data(1, message())
    peer.headers(1, [("x-more", "1")])


@case("reset PROTOCOL_ERROR", "reset REFUSED_STREAM", "http 431", "status 8", "reset INTERNAL_ERROR",
      CALM)
def headers_too_large(peer):
    """A header of 60,000 bytes, in CONTINUATION frames."""
    data = peer.encoder.encode(peer.request(x_large="x" * 60000), huffman=False)
    peer.frame(HEADERS, END_STREAM, 1, data[:16384])
    for offset in range(16384, len(data), 16384):
        part = data[offset:offset + 16384]
        is_last = offset + 16384 >= len(data)
        peer.frame(CONTINUATION, END_HEADERS if is_last else 0, 1, part)


@case("reset PROTOCOL_ERROR", "reset REFUSED_STREAM", "http 431", "status 8", "reset INTERNAL_ERROR",
      "goaway COMPRESSION_ERROR", CALM)
def header_bomb(peer):
    """A header of 3 KiB that an index of one byte repeats 10,000 times."""
    data = peer.encoder.encode(peer.request(), huffman=False)
    data += b"\x40\x01x\x7f\xb9\x16" + b"y" * 3000 + b"\xbe" * 10000
    peer.frame(HEADERS, END_STREAM | END_HEADERS, 1, data)


# gRPC


@case("http 405", "http 415", "status 12", "status 13", "reset PROTOCOL_ERROR")
def method_get(peer):
    """GET."""
    peer.call(EMPTY, method="GET")


@case("http 415")
def content_type_of_text(peer):
    """A content-type that is not gRPC's."""
    peer.call(EMPTY, content_type="text/html")


@case("http 415")
def no_content_type(peer):
    """No content-type."""
    peer.call(EMPTY, content_type=None)


@case("http 415")
def content_type_of_grpc_web(peer):
    """grpc-web, which is another protocol."""
    peer.call(EMPTY, content_type="application/grpc-web")


@case("status 12")
def unknown_service(peer):
    """A service that is not registered."""
    peer.call("/nothing.Service/Call")


@case("status 12")
def unknown_method(peer):
    """A method that its service does not have."""
    peer.call(SERVICE + "Nothing")


@case("status 12", "status 13")
def path_without_method(peer):
    """A path of one part."""
    peer.call("/nothing")


@case("status 12", "status 13", "reset PROTOCOL_ERROR")
def path_without_slash(peer):
    """A path that begins with no slash."""
    peer.call("grpc.testing.TestService/EmptyCall")


@case("status 12")
def path_with_three_parts(peer):
    """A path of three parts."""
    peer.call("/grpc.testing.TestService/EmptyCall/more")


for _name, _value in (
    ("without_unit", "100"), ("of_unknown_unit", "1X"), ("of_nothing", "S"), ("negative", "-1S"),
    ("of_nine_digits", "123456789S"), ("empty", ""),
):
    def _send(peer, value=_value):
        peer.call(EMPTY, grpc_timeout=value)
    _send.__name__ = "timeout_" + _name
    _send.__doc__ = f"grpc-timeout `{_value}`."
    case("status 13", "status 3", "http 400", "reset PROTOCOL_ERROR")(_send)


@case("status 4")
def timeout_over(peer):
    """A deadline of one nanosecond."""
    peer.headers(1, peer.request(DUPLEX, grpc_timeout="1n"))


@case("status 13", "status 12")
def compressed_without_encoding(peer):
    """A compressed message and no grpc-encoding."""
    peer.call(EMPTY, data=message(gzip.compress(b""), flag=1))


@case("status 12")
def unknown_encoding(peer):
    """A compressed message in an encoding that the server does not have."""
    peer.call(EMPTY, data=message(b"x", flag=1), grpc_encoding="br")


@case("status 13")
def unknown_flag(peer):
    """A message whose flag is 2."""
    peer.call(EMPTY, data=message(flag=2))


@case("status 13")
def cut_message(peer):
    """An end of stream within a message."""
    peer.call(UNARY, data=message(b"abc", length=100))


@case("status 13")
def cut_prefix(peer):
    """An end of stream within the prefix of a message."""
    peer.call(EMPTY, data=b"\0\0\0")


@case("status 8")
def message_too_long(peer):
    """A message that says 512 MiB."""
    peer.headers(1, peer.request(UNARY))
    peer.data(1, message(bytes(100), length=512 << 20))


@case("status 8")
def message_of_four_gib(peer):
    """A message that says 4 GiB."""
    peer.headers(1, peer.request(UNARY))
    peer.data(1, message(bytes(100), length=0xFFFFFFFF))


@case("status 12", "status 13")
def two_messages(peer):
    """Two messages of a unary call."""
    peer.call(EMPTY, data=message() + message())


@case("status 12", "status 13")
def no_message(peer):
    """No message of a unary call."""
    peer.call(EMPTY, data=b"")


@case("status 12", "status 13")
def no_body(peer):
    """Headers that end a unary call."""
    peer.headers(1, peer.request(), end_stream=True)


@case("status 13", "status 3")
def message_of_garbage(peer):
    """A message that is no protobuf."""
    peer.call(UNARY, data=message(b"\xff" * 20))


@case("status 8")
def gzip_bomb(peer):
    """A message of 58 KiB, within the first window, that is 58 MiB long."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    part = bytes(1 << 20)
    bomb = b"".join(compressor.compress(part) for _ in range(58)) + compressor.flush()
    assert len(bomb) < 65535
    peer.call(UNARY, data=message(bomb, flag=1), grpc_encoding="gzip")


@case("status 13")
def gzip_corrupt(peer):
    """A compressed message that is corrupt."""
    peer.call(EMPTY, data=message(b"\x1f\x8bgarbage", flag=1), grpc_encoding="gzip")


@case("status 13", "status 3", "status 0", "reset PROTOCOL_ERROR")
def metadata_no_base64(peer):
    """Binary metadata that is no Base64."""
    peer.call(EMPTY, x_data_bin="***")


@case("ignored")
def reset_of_call(peer):
    """A call that its client resets."""
    peer.headers(1, peer.request(DUPLEX))
    peer.data(1, message())
    peer.frame(RST_STREAM, 0, 1, u32(8))


# Abuse


@case(CALM, is_slow=True)
def rapid_reset(peer):
    """20,000 calls, each reset at once (CVE-2023-44487)."""
    for first in range(1, 40000, 200):
        peer.send(b"".join(
            frame(HEADERS, END_HEADERS, number, peer.encoder.encode(peer.request(INPUT)))
            + frame(RST_STREAM, 0, number, u32(8)) for number in range(first, first + 200, 2)))
        if peer.goaways or peer.is_closed or not poll(peer):
            return


@case(CALM, is_slow=True)
def provoked_resets(peer):
    """20,000 calls whose own fault makes the server reset them (CVE-2025-8671)."""
    for first in range(1, 40000, 200):
        peer.send(b"".join(
            frame(HEADERS, END_HEADERS, number, peer.encoder.encode(peer.request(INPUT)))
            + frame(WINDOW_UPDATE, 0, number, u32(0x7FFFFFFF)) for number in range(first, first + 200, 2)))
        if peer.goaways or peer.is_closed or not poll(peer):
            return


@case(CALM, "closed", is_slow=True)
def ping_flood(peer):
    """100,000 PINGs."""
    flood(peer, frame(PING, payload=bytes(8)), 100000)


@case(CALM, "closed", is_slow=True)
def settings_flood(peer):
    """100,000 SETTINGS."""
    flood(peer, frame(SETTINGS), 100000)


@case(CALM, is_slow=True)
def empty_data_flood(peer):
    """100,000 DATA frames without data."""
    peer.headers(1, peer.request(INPUT))
    flood(peer, frame(DATA, 0, 1), 100000)


@case(CALM, "goaway PROTOCOL_ERROR", "reset INTERNAL_ERROR", is_slow=True)
def continuation_flood(peer):
    """100,000 CONTINUATION frames without headers (CVE-2024-28182)."""
    peer.frame(HEADERS, 0, 1, peer.encoder.encode(peer.request()))
    flood(peer, frame(CONTINUATION, 0, 1), 100000)


@case(CALM, is_slow=True)
def priority_flood(peer):
    """100,000 PRIORITY frames."""
    flood(peer, frame(PRIORITY, 0, 1, bytes.fromhex("0000000310")), 100000)


@case(CALM, is_slow=True)
def unknown_frame_flood(peer):
    """100,000 frames of a type that nobody knows."""
    flood(peer, frame(0xF0, 0, 0), 100000)


@case("reset REFUSED_STREAM", CALM, "goaway PROTOCOL_ERROR", stream=2401)
def too_many_streams(peer):
    """1,201 calls at a time."""
    for number in range(1, 2403, 2):
        peer.headers(number, peer.request(INPUT))


def poll(peer):
    """Reads what is there; False at the end."""
    while peer.read(0.001):
        pass
    return not peer.is_closed


def flood(peer, data, count):
    for _ in range(count // 1000):
        peer.send(data * 1000)
        if peer.goaways or not poll(peer):
            return


assert len(CASES) >= 60, len(CASES)
assert len({found.name for found in CASES}) == len(CASES)
