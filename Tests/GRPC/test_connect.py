"""Connect's unary protocol: JSON and Protobuf over HTTP/2, by PyPI's connectrpc and by curl."""

import gzip
import json
import pathlib
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


class Connect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = peers.Server("Rocket")
        cls.address = f"http://127.0.0.1:{cls.server.port}"
        cls.http = SyncClient(SyncHTTPTransport(http_version=HTTPVersion.HTTP2))

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def client(self, codec=google_protobuf_json_codec, **options):
        return ConnectClientSync(self.address, codec=codec(), http_client=self.http, **options)

    def curl(self, path, *arguments, body="{}", binary=False):
        """Status, header fields and body of a response."""
        with tempfile.NamedTemporaryFile() as fields:
            done = subprocess.run(
                ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--max-time", "60",
                 "--dump-header", fields.name, "--data-binary", "@-", *arguments,
                 f"{self.address}/{path}"],
                input=body if isinstance(body, bytes) else body.encode(), stdout=subprocess.PIPE,
                timeout=peers.TIMEOUT, check=True)
            lines = fields.read().decode().splitlines()
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
                (429, self.JSON, " " * (5 << 20)),
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

    def test_http1_is_refused_and_said_so(self):
        done = subprocess.run(
            ["curl", "--silent", "--http1.1", "--max-time", "60", *self.JSON, "-d", "{}",
             f"{self.address}/{SERVICE}/EmptyCall"],
            stdout=subprocess.PIPE, timeout=peers.TIMEOUT)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
