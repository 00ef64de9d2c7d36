"""Connect's unary protocol: JSON and Protobuf over HTTP/2 and HTTP/1.1, by PyPI's connectrpc and curl."""

import gzip
import http.client
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import generated  # noqa: F401  (finds the generated modules)
import peers
from connectrpc.client import ConnectClientSync, ResponseMetadata
from connectrpc.code import Code
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.compression.gzip import GzipCompression
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from grpc.testing import empty_pb2, messages_pb2
from pyqwest import HTTPVersion, SyncClient, SyncHTTPTransport

SERVICE = "grpc.testing.TestService"


def method(name, request, response, kind=StreamType.UNARY, service=SERVICE):
    return MethodInfo(
        name=name, service_name=service, input=request, output=response,
        idempotency_level=IdempotencyLevel.UNKNOWN, stream_type=kind)


EMPTY = method("EmptyCall", empty_pb2.Empty, empty_pb2.Empty)
UNARY = method("UnaryCall", messages_pb2.SimpleRequest, messages_pb2.SimpleResponse)
STREAM = method(
    "StreamingOutputCall", messages_pb2.StreamingOutputCallRequest,
    messages_pb2.StreamingOutputCallResponse, StreamType.SERVER_STREAM)


class Connect:
    """The calls of both versions of HTTP."""

    version = curl_version = too_large = None

    @classmethod
    def setUpClass(cls):
        cls.server = peers.Server("Rocket")
        cls.address = f"http://127.0.0.1:{cls.port()}"
        cls.http = SyncClient(SyncHTTPTransport(http_version=cls.version))

    @classmethod
    def port(cls):
        return cls.server.port

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def client(self, codec=google_protobuf_json_codec, **options):
        return ConnectClientSync(self.address, codec=codec(), http_client=self.http, **options)

    def curl(self, path, *arguments, body="{}", binary=False):
        """Status, header fields and body of a response."""
        with tempfile.NamedTemporaryFile() as fields:
            done = subprocess.run(
                ["curl", "--silent", "--show-error", self.curl_version, "--max-time", "60",
                 "--dump-header", fields.name, "--data-binary", "@-", *arguments,
                 f"{self.address}/{path}"],
                input=body if isinstance(body, bytes) else body.encode(), stdout=subprocess.PIPE,
                timeout=peers.TIMEOUT, check=True)
            # Behind that of 100 Continue.
            lines = fields.read().decode().strip().split("\r\n\r\n")[-1].splitlines()
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        output = done.stdout if binary else done.stdout.decode()
        return int(lines[0].split()[1]), headers, output

    JSON = ("-H", "content-type: application/json")

    # PyPI's client.

    def test_codecs_and_sizes(self):
        for codec in (google_protobuf_json_codec, google_protobuf_binary_codec):
            for compression in (None, GzipCompression()):
                client = self.client(codec, send_compression=compression)
                self.assertEqual(
                    client.execute_unary(request=empty_pb2.Empty(), method=EMPTY),
                    empty_pb2.Empty())
                for size in (1, 255, 314159):
                    request = messages_pb2.SimpleRequest(
                        response_size=size,
                        payload=messages_pb2.Payload(body=bytes(range(256)) * 1000))
                    response = client.execute_unary(request=request, method=UNARY)
                    self.assertEqual(response.payload.body, bytes(size))

    def test_compressed_responses(self):
        request = messages_pb2.SimpleRequest(response_size=100000)
        for encodings, expected in (((GzipCompression(),), "gzip"), ((), None)):
            client = self.client(accept_compression=encodings)
            with ResponseMetadata() as metadata:
                client.execute_unary(request=request, method=UNARY)
            # The HTTP client below has decompressed it: only the length shows it.
            length = metadata.headers.get("content-length")
            self.assertEqual(length is None or int(length) < 1000, expected is not None, length)

    def test_metadata(self):
        headers = {
            "x-grpc-test-echo-initial": "initial", "x-grpc-test-echo-trailing-bin": "q6ur"}
        with ResponseMetadata() as metadata:
            self.client().execute_unary(
                request=messages_pb2.SimpleRequest(), method=UNARY, headers=headers)
        self.assertEqual(metadata.headers.get("x-grpc-test-echo-initial"), "initial")
        self.assertEqual(metadata.trailers.get("x-grpc-test-echo-trailing-bin"), "q6ur")

    def error(self, method=UNARY, request=None, **options):
        if request is None:
            request = method.input()
        with self.assertRaises(ConnectError) as caught:
            self.client().execute_unary(request=request, method=method, **options)
        return caught.exception

    def test_errors(self):
        for number, code in ((2, Code.UNKNOWN), (3, Code.INVALID_ARGUMENT), (5, Code.NOT_FOUND),
                             (8, Code.RESOURCE_EXHAUSTED), (16, Code.UNAUTHENTICATED)):
            text = f"\t{number} ümlaut \"quoted\" \U0001f680\n"
            request = messages_pb2.SimpleRequest(
                response_status=messages_pb2.EchoStatus(code=number, message=text))
            error = self.error(request=request)
            self.assertEqual((error.code, error.message), (code, text))

    def test_unknown(self):
        for service, name in ((SERVICE, "Nothing"), ("grpc.testing.Nothing", "Call")):
            error = self.error(method(name, empty_pb2.Empty, empty_pb2.Empty, service=service))
            self.assertEqual(error.code, Code.UNIMPLEMENTED)

    def test_streams_are_refused_with_the_reason(self):
        with self.assertRaises(ConnectError) as caught:
            list(self.client().execute_server_stream(
                request=messages_pb2.StreamingOutputCallRequest(), method=STREAM))
        self.assertEqual(caught.exception.code, Code.UNIMPLEMENTED)
        self.assertIn("gRPC", caught.exception.message)
        # The same method as a unary one.
        error = self.error(method(STREAM.name, STREAM.input, STREAM.output))
        self.assertEqual(error.code, Code.UNIMPLEMENTED)
        self.assertIn("gRPC", error.message)

    # curl.

    def test_plain_curl(self):
        status, headers, body = self.curl(SERVICE + "/EmptyCall", *self.JSON)
        self.assertEqual((status, body), (200, "{}"))
        self.assertEqual(headers["content-type"], "application/json")
        status, _, body = self.curl(
            SERVICE + "/UnaryCall", *self.JSON, body='{"responseSize": 3, "later": [1]}')
        self.assertEqual((status, json.loads(body)), (200, {"payload": {"body": "AAAA"}}))

    def test_error_body(self):
        status, headers, body = self.curl(
            SERVICE + "/UnaryCall", *self.JSON,
            body='{"responseStatus": {"code": 9, "message": "not now"}}')
        self.assertEqual(status, 400)
        self.assertEqual(headers["content-type"], "application/json")
        self.assertEqual(
            json.loads(body), {"code": "failed_precondition", "message": "not now"})

    def test_invalid_json_names_the_field(self):
        status, _, body = self.curl(
            SERVICE + "/UnaryCall", *self.JSON, body='{"payload": {"body": 7}}')
        self.assertEqual(status, 400)
        error = json.loads(body)
        self.assertEqual(error["code"], "invalid_argument")
        self.assertIn("the field 'payload.body'", error["message"])

    def test_statuses(self):
        path = SERVICE + "/EmptyCall"
        for status, arguments, body in (
                (405, (*self.JSON, "-X", "PUT"), "{}"),
                (405, (*self.JSON, "-X", "OPTIONS", "-H", "origin: http://x",
                       "-H", "access-control-request-method: POST"), ""),
                (415, ("-H", "content-type: text/plain"), "{}"), (415, (), "{}"),
                (400, (*self.JSON, "-H", "connect-protocol-version: 2"), "{}"),
                (400, self.JSON, ""), (400, self.JSON, "{"),
                (400, (*self.JSON, "-H", "content-encoding: gzip"), "{}"),
                (501, (*self.JSON, "-H", "content-encoding: br"), "{}"),
                (504, (*self.JSON, "-H", "connect-timeout-ms: 0"), "{}"),
                (self.too_large, self.JSON, " " * (5 << 20)),
                (200, (*self.JSON, "-H", "connect-timeout-ms: 60000"), "{}")):
            found, headers, _ = self.curl(path, *arguments, body=body)
            self.assertEqual(found, status, arguments)
            self.assertFalse([name for name in headers if name.startswith("access-control")])

    def test_gzip(self):
        body = gzip.compress(b'{"responseSize": 3000}')
        status, headers, body = self.curl(
            SERVICE + "/UnaryCall", *self.JSON, "-H", "content-encoding: gzip",
            "-H", "accept-encoding: gzip", body=body, binary=True)
        self.assertEqual((status, headers["content-encoding"]), (200, "gzip"))
        self.assertEqual(len(body), int(headers["content-length"]))
        response = json.loads(gzip.decompress(body))
        self.assertEqual(len(response["payload"]["body"]), 4000)


class HTTP2(Connect, unittest.TestCase):
    version, curl_version, too_large = HTTPVersion.HTTP2, "--http2-prior-knowledge", 429

    def test_http1_is_refused_and_said_so(self):
        done = subprocess.run(
            ["curl", "--silent", "--http1.1", "--max-time", "60", *self.JSON, "-d", "{}",
             f"{self.address}/{SERVICE}/EmptyCall"],
            stdout=subprocess.PIPE, timeout=peers.TIMEOUT)
        self.assertNotEqual(done.returncode, 0)


class HTTP1(Connect, unittest.TestCase):
    version, curl_version, too_large = HTTPVersion.HTTP1, "--http1.1", 413

    @classmethod
    def port(cls):
        return cls.server.http_port()

    def test_connections_are_kept(self):
        done = subprocess.run(
            ["curl", "--silent", "--http1.1", "--max-time", "60", *self.JSON, "-d", "{}",
             "--write-out", "%{num_connects}", *([f"{self.address}/{SERVICE}/EmptyCall"] * 3)],
            stdout=subprocess.PIPE, timeout=peers.TIMEOUT, check=True)
        self.assertEqual(done.stdout, b"{}1{}0{}0")

    def test_a_large_body_waits_for_100_continue(self):
        for size, status in ((3 << 20, 200), (5 << 20, 413), (40 << 20, 413)):
            body = json.dumps({"payload": {"body": "A" * size}})
            found, headers, _ = self.curl(
                SERVICE + "/UnaryCall", *self.JSON, "-H", "expect: 100-continue", body=body)
            self.assertEqual(found, status)
            self.assertEqual(headers.get("connection"), None if status == 200 else "close")

    def test_chunks(self):
        status, _, body = self.curl(
            SERVICE + "/UnaryCall", *self.JSON, "-H", "transfer-encoding: chunked",
            body=json.dumps({"responseSize": 3, "payload": {"body": "A" * 200000}}))
        self.assertEqual((status, json.loads(body)["payload"]), (200, {"body": "AAAA"}))

    def exchange(self, request, port=None):
        """Sends bytes, and returns what comes until the server closes."""
        port = port or int(self.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=peers.TIMEOUT) as connection:
            connection.sendall(request)
            received = b""
            while part := connection.recv(65536):
                received += part
        return received.decode()

    def test_http_client_of_python(self):
        connection = http.client.HTTPConnection(
            "127.0.0.1", int(self.address.rpartition(":")[2]), timeout=peers.TIMEOUT)
        self.addCleanup(connection.close)
        path = f"/{SERVICE}/EmptyCall"
        fields = {"Content-Type": "application/json"}
        for method, status, body in (
                ("POST", 200, b"{}"), ("GET", 405, b""), ("HEAD", 405, b""), ("DELETE", 405, b""),
                ("POST", 200, b"{}")):
            connection.request(method, path, body=b"{}" if method == "POST" else None, headers=fields)
            response = connection.getresponse()
            self.assertEqual((response.status, response.read()), (status, body))
            self.assertEqual(response.getheader("allow"), None if status == 200 else "POST")

    def test_what_is_no_request_is_answered_and_ends_the_connection(self):
        host = b"Host: localhost\r\n"
        for request, status in (
                (b"\x16\x03\x01\x02\x00\x01", 400), (b"\x02\x00\x00\x00\x20", 400),
                (b"PRI * HTTP/2.0\r\n\r\n", 505), (b"POST / HTTP/1.1\r\n\r\n", 400),
                (b"POST /" + b"a" * 17000, 414),
                (b"POST / HTTP/1.1\r\n" + host + b"a: " + b"b" * 17000, 431),
                (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\n", 400),
                (b"POST / HTTP/1.1\nHost: localhost\n\n", 400)):
            response = self.exchange(request)
            self.assertTrue(response.startswith(f"HTTP/1.1 {status} "), (request[:50], response))
            self.assertIn("\r\nconnection: close\r\n", response)
            self.assertIn("code", json.loads(response.partition("\r\n\r\n")[2]))

    def test_a_name_that_resolves_to_loopback_is_refused(self):
        status, _, body = self.curl(
            SERVICE + "/EmptyCall", *self.JSON, "-H", "host: evil.example")
        self.assertEqual((status, json.loads(body)["code"]), (421, "permission_denied"))

    def test_a_slow_client_is_timed_out(self):
        with peers.Server("Rocket", "0", "200") as server:
            response = self.exchange(b"POST / HTTP/1.1\r\nHost: localhost\r\n", server.http_port())
        self.assertTrue(response.startswith("HTTP/1.1 408 "), response)

    def test_pipelined_requests_are_answered_in_order(self):
        def request(size):
            body = json.dumps({"responseSize": size}).encode()
            return (f"POST /{SERVICE}/UnaryCall HTTP/1.1\r\nHost: localhost\r\n"
                    "Content-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        last = request(3).replace(b"Host", b"Connection: close\r\nHost", 1)
        bodies = [line for line in self.exchange(request(1) + request(2) + last).split("\r\n")
                  if line.startswith("{")]
        sizes = [json.loads(body.partition("}}")[0] + "}}")["payload"]["body"] for body in bodies]
        self.assertEqual(sizes, ["AA==", "AAA=", "AAAA"])

    def test_a_drain_ends_connections_that_are_kept(self):
        server = peers.Server("Rocket")
        connection = http.client.HTTPConnection(
            "127.0.0.1", server.http_port(), timeout=peers.TIMEOUT)
        self.addCleanup(connection.close)
        connection.request(
            "POST", f"/{SERVICE}/EmptyCall", body=b"{}",
            headers={"Content-Type": "application/json"})
        self.assertEqual(connection.getresponse().read(), b"{}")
        self.assertEqual(server.close(), 0)
        self.assertEqual(connection.sock.recv(1), b"")


if __name__ == "__main__":
    unittest.main()
