"""The page of order_server with TLS, for other machines: who may look at it, and who may change it."""

import http.client
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "Interop"))

from peers import files, tls_elements, until  # noqa: E402
from test_admin import BIN, TIMEOUT, Server  # noqa: E402

READER = files.authority.issue("reader", "--client", "--uri", "spiffe://test/reader")
GUEST = files.authority.issue("guest", "--client", "--uri", "spiffe://test/guest")
RULES = ("allow admin.* to uri:spiffe://test/client", "allow admin.read to uri:spiffe://test/reader")


def elements(rules=RULES, **tls):
    settings = {"client_ca": files.authority.file} | tls
    return ("<admin>" + tls_elements([files.server], **settings) + "<authorization>"
            + "".join(f"<rule>{rule}</rule>" for rule in rules) + "</authorization></admin>")


class SecurePage(unittest.TestCase):
    def serve(self, text=None, listen="0.0.0.0:0"):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = Server(pathlib.Path(folder.name), listen, text or elements())
        self.addCleanup(server.end)
        self.port = int(server.admin.rpartition(":")[2])
        return server

    def connection(self, certificate=None):
        context = ssl.create_default_context(cafile=files.authority.file)
        if certificate:
            context.load_cert_chain(*certificate)
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT, context=context)

    def get(self, path, certificate=None, method="GET", body=None, **headers):
        connection = self.connection(certificate)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def top(self, *arguments):
        return subprocess.run(
            [BIN / "rocket", "top", *arguments, "--once", "--tls-ca", files.authority.file],
            capture_output=True, text=True, timeout=TIMEOUT)

    def test_rules_decide_who_may_look_and_who_may_change(self):
        server = self.serve()
        for certificate in (files.client, READER):
            for path in ("/", "/methods.json", "/metrics", "/healthz", "/readyz"):
                self.assertEqual(self.get(path, certificate)[0], 200, path)
        for path in ("/", "/metrics", "/healthz", "/nothing"):
            status, text = self.get(path, GUEST)
            self.assertEqual(status, 403)
            self.assertIn("admin/authorization", text)
        origin = f"https://127.0.0.1:{self.port}"
        for certificate, headers, status in (
                (READER, {"Origin": origin}, 403), (GUEST, {"X-Rocket-Admin": "1"}, 403),
                (files.client, {"Origin": "https://evil.example"}, 403), (files.client, {}, 403),
                (files.client, {"Origin": origin}, 303), (files.client, {"X-Rocket-Admin": "1"}, 303)):
            found, _ = self.get("/log", certificate, "POST", "stream=app&level=DEBUG", **headers)
            self.assertEqual(found, status, headers)
        self.assertTrue(any("admin page refused" in line for line in server.log))

    def test_other_certificates_and_none_end_in_the_handshake(self):
        self.serve()
        for certificate in (None, files.strange_client, files.expired_client):
            with self.assertRaises(OSError, msg=certificate):
                self.get("/", certificate)
        with self.assertRaises((http.client.HTTPException, OSError)):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
            self.addCleanup(connection.close)
            connection.request("GET", "/")
            connection.getresponse()
        self.assertEqual(self.get("/", READER)[0], 200)

    def test_where_a_certificate_is_optional_rules_decide_for_those_without(self):
        self.serve(elements(
            ("allow admin.* to uri:spiffe://test/client",), client_auth="optional"))
        self.assertEqual(self.get("/")[0], 401)
        self.assertEqual(self.get("/", files.client)[0], 200)

    def test_connections_are_kept_and_many_requests_answered(self):
        self.serve()
        connection = self.connection(READER)
        self.addCleanup(connection.close)
        for _ in range(50):
            connection.request("GET", "/configuration")
            self.assertEqual(connection.getresponse().read()[:15], b"<!doctype html>")
        connection.request("GET", "/" + "a" * 9000)
        self.assertIn(connection.getresponse().status, (414, 431))

    def test_a_peer_has_a_share_of_the_connections(self):
        self.serve(elements().replace("<admin>", "<admin><max_connections>4</max_connections>"))
        connections = [self.connection(READER) for _ in range(3)]
        for connection in connections:
            self.addCleanup(connection.close)
        for connection in connections[:2]:
            connection.connect()
        with self.assertRaises(OSError):
            connections[2].connect()
        connections[0].close()

        def connects():
            try:
                return self.get("/healthz", READER)[0] == 200
            except OSError:
                return False
        until(connects, "the place of a closed connection is free")

    def test_rules_and_certificates_are_reloaded(self):
        server = self.serve()
        self.assertEqual(self.get("/", GUEST)[0], 403)
        before = ssl.get_server_certificate(("127.0.0.1", self.port))
        files.authority.renew("server")
        server.configure(elements((*RULES, "allow admin.read to uri:spiffe://test/guest")))
        server.process.send_signal(signal.SIGHUP)
        until(lambda: self.get("/", GUEST)[0] == 200, "the new rules hold")
        until(lambda: ssl.get_server_certificate(("127.0.0.1", self.port)) != before,
              "the new certificate is shown")

    def test_the_server_drains_while_somebody_looks(self):
        server = self.serve()
        connection = self.connection(READER)
        self.addCleanup(connection.close)
        connection.request("GET", "/readyz")
        self.assertEqual(connection.getresponse().read(), b"ready\n")
        server.end()
        self.assertEqual(server.process.returncode, 0)

    def test_top(self):
        self.serve()
        address = f"https://127.0.0.1:{self.port}"
        key = ("--tls-cert", READER[0], "--tls-key", READER[1])
        done = self.top(address, *key)
        self.assertEqual(done.returncode, 0, done.stderr)
        # No method has been called.
        self.assertIn("No methods.", done.stdout)
        named = self.top(address, *key, "--tls-name", "localhost")
        self.assertEqual(named.returncode, 0, named.stderr)
        for arguments, text in (
                ((address, *key, "--tls-name", "other.example"), "other.example"),
                ((address, "--tls-cert", GUEST[0], "--tls-key", GUEST[1]), "admin.read"),
                ((address,), "certificate"), ((address.replace("https", "http"), *key), "https")):
            done = self.top(*arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(text, done.stderr)

    def test_configurations_that_would_let_anybody_in_are_refused(self):
        for text, found in (
                ("", "admin/tls"), (elements(()), "authorization"),
                (elements().replace("client_ca", "min_version").replace(files.authority.file, "1.3"),
                 "client_ca")):
            done = subprocess.run(
                [BIN / "order_server", "--check-config", "/dev/stdin"],
                input=f"<root>{text or '<admin/>'}</root>".replace(
                    "<admin>", "<admin><listen>0.0.0.0:0</listen>").replace(
                    "<admin/>", "<admin><listen>0.0.0.0:0</listen></admin>"),
                capture_output=True, text=True, timeout=TIMEOUT,
                env={name: value for name, value in os.environ.items() if "ROCKET_ADMIN" not in name})
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(found, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
