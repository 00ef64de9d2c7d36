"""curl as a client of order_server: calls as JSON, with TLS and a table of authorization, and without."""

import json
import os
import shutil
import subprocess
import unittest

from peers import BIN, LIMIT, Server, files, tls_elements

RULES = ("<authorization><rule>allow Order.queryOrder to *</rule>"
         "<rule>allow Order.* to uri:spiffe://test/client</rule></authorization>")


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class JSON(unittest.TestCase):
    elements = ""
    version, flag = "2", "--http2-prior-knowledge"

    def port(self, server):
        return server.port

    def curl(self, server, method, request, *arguments, scheme="http"):
        """The status, and the body as JSON."""
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", str(LIMIT),
             *([self.flag] if scheme == "http" else ["--cacert", files.authority.file]),
             "-H", "content-type: application/json", "-d", json.dumps(request), *arguments,
             "-w", "\n%{http_version} %{http_code}",
             f"{scheme}://127.0.0.1:{self.port(server)}/Order/{method}"],
            stdout=subprocess.PIPE, timeout=LIMIT, check=True)
        body, _, last = done.stdout.decode().rpartition("\n")
        version, status = last.split()
        self.assertEqual(version, self.version)
        return int(status), json.loads(body)

    def test_orders(self):
        with Server(self.elements) as server:
            status, made = self.curl(server, "makeOrder", {"price": 100, "goods": "apple"})
            self.assertEqual((status, made["resInfo"]), (200, "OK"))
            status, found = self.curl(server, "queryOrder", {"order_id": made["orderId"]})
            self.assertEqual((status, found["order"]["goods"]), (200, "apple"))
            # A 64-bit integer is a string in JSON.
            self.assertRegex(found["order"]["createdUnixMs"], r"^\d{13}$")
            # A refusal is a response.
            status, refused = self.curl(server, "makeOrder", {"price": 1, "goods": "apple"})
            self.assertEqual((status, refused["retCode"]), (200, -1))

    def test_metadata_reaches_the_handler(self):
        with Server(self.elements) as server:
            request = {"price": 100, "goods": "apple"}
            made = [
                self.curl(server, "makeOrder", request, "-H", f"idempotency-key: {key}")[1]["orderId"]
                for key in ("one", "one", "two")]
            self.assertEqual(made[0], made[1])
            self.assertNotEqual(made[0], made[2])

    def test_errors(self):
        with Server(self.elements) as server:
            for method, request, arguments, status, code, text in (
                    ("makeOrder", {"price": "much"}, (), 400, "invalid_argument", "the field 'price'"),
                    ("makeOrder", {}, ("-H", "connect-timeout-ms: 0"), 504, "deadline_exceeded", "deadline"),
                    ("cancelOrder", {}, (), 501, "unimplemented", "cancelOrder"),
                    ("watchOrders", {}, (), 415, "unimplemented", "gRPC")):
                found, error = self.curl(server, method, request, *arguments)
                self.assertEqual((found, error["code"]), (status, code), error)
                self.assertIn(text, error["message"])

    def test_authorization(self):
        tls = tls_elements([files.server], client_ca=files.authority.file, client_auth="optional")
        with Server(self.elements + tls + RULES) as server:
            status, error = self.curl(server, "makeOrder", {}, scheme="https")
            self.assertEqual((status, error["code"]), (401, "unauthenticated"))
            status, answer = self.curl(server, "queryOrder", {"orderId": "1"}, scheme="https")
            self.assertEqual((status, answer["retCode"]), (200, -3))
            certificate = ("--cert", files.client[0], "--key", files.client[1])
            status, made = self.curl(
                server, "makeOrder", {"price": 10, "goods": "a"}, *certificate, scheme="https")
            self.assertEqual((status, made["resInfo"]), (200, "OK"))

    def test_switched_off(self):
        with Server("<json>false</json>") as server:
            done = subprocess.run(
                ["curl", "--silent", "--http2-prior-knowledge", "--max-time", str(LIMIT), "-i", "-d", "{}",
                 "-H", "content-type: application/json", f"http://127.0.0.1:{server.port}/Order/makeOrder"],
                stdout=subprocess.PIPE, timeout=LIMIT, check=True)
            self.assertTrue(done.stdout.startswith(b"HTTP/2 415"), done.stdout)
            self.assertIn(b"accept-post: application/grpc\r\n", done.stdout)


class JSONOverHTTP1(JSON):
    """The same on a listener for HTTP/1.1."""

    elements = "<http><listen>127.0.0.1:0</listen></http>"
    version, flag = "1.1", "--http1.1"

    def port(self, server):
        return int(server.logged(r"serving JSON over HTTP/1.1 .*:(\d+)"))

    def test_tls_of_its_own(self):
        tls = tls_elements([files.server], client_ca=files.authority.file)
        with Server(self.elements.replace("</http>", tls + "</http>") + RULES) as server:
            certificate = ("--cert", files.client[0], "--key", files.client[1])
            order = {"price": 10, "goods": "a"}
            status, made = self.curl(server, "makeOrder", order, *certificate, scheme="https")
            self.assertEqual((status, made["resInfo"]), (200, "OK"))
            for refused in ((), ("--cert", files.strange_client[0], "--key", files.strange_client[1]),
                            ("--cert", files.expired_client[0], "--key", files.expired_client[1])):
                with self.assertRaises(subprocess.CalledProcessError):
                    self.curl(server, "makeOrder", order, *refused, scheme="https")
            with self.assertRaises(subprocess.CalledProcessError):
                self.curl(server, "makeOrder", order)

    def test_switched_off(self):
        done = subprocess.run(
            [os.path.join(BIN, "order_server"), "--check-config", "/dev/stdin"],
            input="<root><server><json>false</json>" + self.elements + "</server></root>",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("server/json", done.stdout)


if __name__ == "__main__":
    unittest.main()
