"""Health and reflection for gRPC's own clients, and HTTP/2 tools of nghttp2."""

import re
import subprocess
import tempfile
import unittest

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

import peers
import raw

SERVICE = "grpc.testing.TestService"


class Services(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = peers.Server("Rocket")
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.server.port}")

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.server.close()

    # Not served yet: fails once it is, so that this line goes.
    def test_health_check(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        for name in ("", SERVICE):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=300)
            self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)
        with self.assertRaises(grpc.RpcError) as caught:
            health.Check(health_pb2.HealthCheckRequest(service="nothing"), timeout=300)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    # Not served yet: fails once it is, so that this line goes.
    def test_health_watch(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        call = health.Watch(health_pb2.HealthCheckRequest(service=""), timeout=300)
        self.assertEqual(next(call).status, health_pb2.HealthCheckResponse.SERVING)
        call.cancel()

    # Not served yet: fails once it is, so that this line goes.
    def test_reflection(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.assertIn(SERVICE, database.get_services())
        service = DescriptorPool(database).FindServiceByName(SERVICE)
        self.assertEqual(
            service.methods_by_name["UnaryCall"].input_type.full_name, "grpc.testing.SimpleRequest")

    def request_file(self, folder):
        path = folder + "/request"
        with open(path, "wb") as file:
            file.write(raw.message())
        return path

    def arguments(self):
        return ["-H", "content-type: application/grpc", "-H", "te: trailers"]

    def url(self):
        return f"http://127.0.0.1:{self.server.port}/{SERVICE}/EmptyCall"

    def test_nghttp(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                ["nghttp", "-v", "-d", self.request_file(folder), *self.arguments(), self.url()],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=peers.TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        text = re.sub(rb"\x1b\[[0-9;]*m", b"", done.stdout)
        self.assertIn(b":status: 200", text)
        self.assertIn(b"grpc-status: 0", text)

    def test_h2load(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                ["h2load", "-n", "2000", "-c", "10", "-m", "20", "-d", self.request_file(folder),
                 *self.arguments(), self.url()],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=peers.TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("2000 succeeded, 0 failed, 0 errored, 0 timeout", done.stdout)
        self.assertIn("2000 2xx", done.stdout)


class Compression(unittest.TestCase):
    """What grpcio does not show: the flags of messages."""

    @classmethod
    def setUpClass(cls):
        cls.server = peers.Server("Rocket")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def call(self, **changes):
        # SimpleRequest.response_size: 100,000.
        with raw.Connection(self.server.port) as peer:
            stream = peer.call(
                f"/{SERVICE}/UnaryCall", bytes.fromhex("10a08d06"), **changes)
            self.assertEqual(stream.value("grpc-status"), "0", stream.value("grpc-message"))
            self.assertEqual(len(stream.messages), 1)
            return stream

    def test_not_asked_for(self):
        stream = self.call()
        self.assertEqual(stream.messages[0][0], 0)
        self.assertIsNone(stream.value("grpc-encoding"))
        self.assertGreater(len(stream.data), 100000)

    def test_asked_for(self):
        stream = self.call(grpc_accept_encoding="identity,gzip")
        self.assertEqual(stream.messages[0][0], 1)
        self.assertEqual(stream.value("grpc-encoding"), "gzip")
        self.assertLess(len(stream.data), 2000)


if __name__ == "__main__":
    unittest.main()
