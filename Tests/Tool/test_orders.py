"""`rocket call` with order_server: TinyPB and gRPC, a Unix socket, TLS; completion; `rocket check`."""

import json
import os
import tempfile
import unittest

from tool import ROOT, Certificates, GRPCIOServer, OrderServer, call, rocket, start


class Orders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = OrderServer()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def make(self, address, *options):
        done = call(address, "Order.makeOrder", '{"price":100,"goods":"apple"}', *options)
        self.assertEqual(done.status, 0, done)
        return done.lines[0]

    def test_both_wires_and_both_sockets(self):
        for address in (self.server.address, f"unix:{self.server.socket}", self.server.socket):
            for wire in ([], ["--grpc"]):
                made = self.make(address, *wire)
                self.assertEqual(made["res_info"], "OK")
                found = call(address, "queryOrder", json.dumps({"order_id": made["order_id"]}),
                             *wire)
                self.assertEqual(found.lines[0]["order"]["goods"], "apple")

    def test_a_refusal_is_a_reply(self):
        done = call(self.server.address, "Order.makeOrder", '{"price":1,"goods":"apple"}')
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.lines[0]["ret_code"], -1)

    def test_a_stream_is_printed_line_by_line(self):
        for wire in ([], ["--grpc"]):
            first = self.make(self.server.address)["order_id"]
            process = start("call", self.server.address, "watchOrders",
                            json.dumps({"after_order_id": first}), *wire)
            made = self.make(self.server.address)["order_id"]
            while True:
                event = json.loads(process.stdout.readline())
                if "order" in event:
                    break
            self.assertEqual(event["order"]["order_id"], made)
            process.terminate()
            process.communicate()
            self.assertEqual(process.returncode, -15)

    def test_lists(self):
        self.assertIn("Order\n", call(self.server.address, "--list").output)
        self.assertIn("Order.watchOrders(watchOrdersRequest) returns (stream OrderEvent)",
                      call(self.server.address, "Order", "--list", "--grpc").output)
        self.assertIn("message makeOrderRequest {",
                      call(self.server.address, "--describe", "Order.makeOrder").output)

    def test_an_idempotency_key_makes_one_order(self):
        made = [self.make(self.server.address, "--idempotency-key", "key-1")["order_id"]
                for _ in range(2)]
        self.assertEqual(made[0], made[1])

    def test_completion_asks_the_server(self):
        words = ["rocket", "call", self.server.address, "Order.ma"]
        done = rocket("---completion", "call", "--", "positional@1", str(len(words) - 1),
                      str(len(words[-1])), *words)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.output.split(), ["Order.makeOrder"])
        words = ["rocket", "call", "127.0.0.1:1", ""]
        done = rocket("---completion", "call", "--", "positional@1", "3", "0", *words)
        self.assertEqual((done.status, done.output.strip()), (0, ""))

    def test_completion_scripts(self):
        for shell in ("bash", "zsh", "fish"):
            done = rocket("--generate-completion-script", shell)
            self.assertEqual(done.status, 0)
            self.assertIn("---completion", done.output)


class WithoutReflection(unittest.TestCase):
    def test_the_error_says_what_to_do(self):
        server = OrderServer(reflection=False)
        try:
            done = call(server.address, "Order.makeOrder")
            self.assertEqual(done.status, 76, done)
            self.assertIn("has no reflection (of Rocket: server/reflection in its configuration): "
                          "name its .proto file: --proto FILE", done.errors)
            done = call(server.address, "Order.makeOrder", '{"price":100,"goods":"apple"}',
                        "--proto", os.path.join(ROOT, "Apps", "Protos", "order.proto"))
            self.assertEqual(done.lines[0]["res_info"], "OK")
        finally:
            server.close()


class TLS(unittest.TestCase):
    def test_order_server(self):
        files = Certificates()
        certificate, key = files.pair("server")
        server = OrderServer(elements=(
            f"<tls><certificate>{certificate}</certificate><key>{key}</key></tls>"))
        try:
            port = server.address.split(":")[1]
            for wire in ([], ["--grpc"]):
                done = call(f"localhost:{port}", "Order.makeOrder", '{"price":100,"goods":"a"}',
                            "--tls-ca", files.ca, *wire)
                self.assertEqual(done.status, 0, done)
            done = call(server.address, "Order.makeOrder", "--tls-ca", files.ca,
                        "--tls-name", "other.example")
            self.assertEqual(done.status, 69, done)
            self.assertIn("other.example", done.errors)
            # Without TLS the server closes the connection.
            self.assertEqual(call(server.address, "Order.makeOrder").status, 69)
        finally:
            server.close()

    def test_grpcio(self):
        files = Certificates()
        folder = tempfile.mkdtemp(dir=files.folder.name)
        server = GRPCIOServer("--reflection", "v1alpha", "--tls", *files.pair("server"))
        local = GRPCIOServer("--reflection", "v1", "--unix", os.path.join(folder, "points"))
        try:
            done = call(server.address, "Points.Echo", '{"x":1}', "--grpc", "--tls-ca", files.ca)
            self.assertEqual(done.lines, [{"x": 1}])
            done = call(os.path.join(folder, "points"), "Points.Echo", '{"x":2}', "--grpc")
            self.assertEqual(done.lines, [{"x": 2}])
        finally:
            server.close()
            local.close()


class Check(unittest.TestCase):
    def check(self, text, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(text)
            file.flush()
            done = rocket("check", file.name, *options)
            done.errors = done.errors.replace(file.name, "FILE")
            done.output = done.output.replace(file.name, "FILE")
            return done

    def test_a_valid_file(self):
        done = self.check("<root><server><port>1234</port></server></root>")
        self.assertEqual((done.status, done.output, done.errors), (0, "FILE is valid\n", ""))
        done = self.check("<root><server><port>1234</port></server></root>", "--report")
        self.assertIn("server/port", done.output)

    def test_problems_have_their_lines(self):
        done = self.check("<root>\n <server>\n  <port>65536</port>\n  <io_threads>x</io_threads>\n"
                          " </server>\n</root>\n")
        self.assertEqual((done.status, done.output), (1, ""))
        lines = done.errors.splitlines()
        self.assertEqual(len(lines), 2, done)
        self.assertRegex(lines[0], r"^FILE:3:\d+: error: root/server/port: found")
        self.assertRegex(lines[1], r"^FILE:4:\d+: error: root/server/io_threads: found")

    def test_warnings(self):
        text = "<root><server><prot>1</prot></server></root>"
        done = self.check(text)
        self.assertEqual(done.status, 0, done)
        self.assertIn("did you mean port?", done.errors)
        self.assertIn("is valid (1 warning)", done.output)
        self.assertEqual(self.check(text, "--strict").status, 1)

    def test_files_that_are_missing(self):
        self.assertEqual(rocket("check", "/no/such/file.xml").status, 1)
        done = self.check("<root><server><tls><certificate>/no/c</certificate><key>/no/k</key>"
                          "</tls></server></root>")
        self.assertEqual(done.status, 1, done)
        self.assertIn("/no/", done.errors)


if __name__ == "__main__":
    unittest.main()
