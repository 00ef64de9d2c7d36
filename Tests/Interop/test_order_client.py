"""order_client against servers of Python's `ssl` and `openssl s_server`."""

import os
import re
import ssl
import subprocess
import threading
import unittest

from peers import (LIMIT, PythonServer, Server, answer, files, first_frame, order_client_to,
                   server_context, tls_elements)


class Case(unittest.TestCase):
    def made(self, done, id="20230514"):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(id, done.stdout.decode())

    def failed(self, done, *reasons, status=69):
        """`status`: 69 where the server can't be reached, as what it is supposed to be."""
        self.assertEqual(done.returncode, status, done)
        for reason in reasons:
            self.assertRegex(done.stderr.decode(), reason)
        self.assertEqual(done.stderr.decode().count("\n"), 1, done.stderr)


TRUST = {"ca": files.authority.file}
CLIENT = TRUST | {"certificate": files.client[0], "key": files.client[1]}


class PythonServers(Case):
    def test_each_version(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = server_context(files.server)
            context.minimum_version = context.maximum_version = version
            with PythonServer(context) as server:
                self.made(order_client_to(server.port, TRUST))
                self.assertEqual(server.protocol, "rocket/1")
                self.assertIsNone(server.name)  # no SNI for an address (RFC 6066)

    def test_a_name_is_sent_and_checked(self):
        with PythonServer(server_context(files.server)) as server:
            self.made(order_client_to(server.port, TRUST | {"name": "localhost"}))
            self.assertEqual(server.name, "localhost")

    def test_a_uri_is_checked(self):
        with PythonServer(server_context(files.server)) as server:
            self.made(order_client_to(server.port, TRUST | {"name": "spiffe://test/server"}))
        with PythonServer(server_context(files.server)) as server:
            self.failed(order_client_to(server.port, TRUST | {"name": "spiffe://test/other"}),
                        "certificate", "spiffe://test/other")

    def test_wrong_names_are_refused(self):
        for name, pair in (("other.example", files.server), (None, files.other)):
            with PythonServer(server_context(pair)) as server:
                self.failed(order_client_to(server.port, TRUST | ({"name": name} if name else {})),
                            "certificate", "mismatch")

    def test_another_authority_is_refused(self):
        with PythonServer(server_context(files.strange_server)) as server:
            self.failed(order_client_to(server.port, TRUST), "certificate", "issuer")

    def test_an_expired_certificate_is_refused(self):
        with PythonServer(server_context(files.expired_server)) as server:
            self.failed(order_client_to(server.port, TRUST), "certificate", "expired")

    def test_a_certificate_for_clients_is_refused(self):
        with PythonServer(server_context(files.client)) as server:
            self.failed(order_client_to(server.port, TRUST | {"name": "client"}), "certificate")

    def test_the_system_trusts_other_authorities(self):
        with PythonServer(server_context(files.server)) as server:
            self.failed(order_client_to(server.port, {}), "certificate", "issuer")

    def test_a_fingerprint_is_enough(self):
        pinned = {"fingerprint": files.stranger.fingerprint("server")}
        with PythonServer(server_context(files.strange_server)) as server:
            self.made(order_client_to(server.port, pinned))
        with PythonServer(server_context(files.server)) as server:
            self.failed(order_client_to(server.port, pinned), "fingerprint")

    def test_it_proves_itself(self):
        with PythonServer(server_context(files.server, files.authority.file)) as server:
            self.made(order_client_to(server.port, CLIENT))
            names = dict(server.certificate["subjectAltName"])
            self.assertEqual(names["URI"], "spiffe://test/client")

    def test_a_refusal_of_its_certificate_is_reported(self):
        for tls in (TRUST, CLIENT):
            ca = files.stranger.file if tls is CLIENT else files.authority.file
            with PythonServer(server_context(files.server, ca)) as server:
                self.failed(order_client_to(server.port, tls, timeout="2s"))

    def test_a_server_without_protocols_is_called(self):
        with PythonServer(server_context(files.server, alpn=())) as server:
            self.made(order_client_to(server.port, TRUST))

    def test_a_server_of_old_versions_is_refused(self):
        context = server_context(files.server)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with PythonServer(context) as server:
            self.failed(order_client_to(server.port, TRUST))

    def test_a_server_of_12_is_refused_where_13_is_demanded(self):
        context = server_context(files.server)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with PythonServer(context) as server:
            self.failed(order_client_to(server.port, TRUST | {"min_version": "1.3"}))

    def test_a_server_of_plaintext_gets_no_request(self):
        with PythonServer(None) as server:
            self.failed(order_client_to(server.port, TRUST, timeout="1s"))

    def test_a_plain_client_gets_no_reply_from_tls(self):
        with PythonServer(server_context(files.server)) as server:
            self.failed(order_client_to(server.port, None, timeout="2s"))
            self.assertIsInstance(server.error, ssl.SSLError)


class OpenSSLServers(Case):
    """`openssl s_server`: its standard output is what it receives, its input what it sends."""

    def serve(self, *options):
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert",
             files.server[0], "-key", files.server[1], "-alpn", "rocket/1", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        killer = threading.Timer(LIMIT, process.kill)
        killer.start()
        output = b""
        while not (found := re.search(rb"ACCEPT 127\.0\.0\.1:(\d+)\n", output)):
            piece = process.stdout.read1(65536)
            self.assertTrue(piece, output)
            output += piece

        def answer_one():
            received = b""
            while piece := process.stdout.read1(65536):
                received += piece
                start = received.find(b"\x02\0\0")
                request = first_frame(received[start:]) if start >= 0 else None
                if request:
                    process.stdin.write(answer(request))
                    process.stdin.flush()
                    break
            while piece := process.stdout.read1(65536):
                received += piece
            self.received = received

        thread = threading.Thread(target=answer_one)
        thread.start()

        def end():
            process.kill()
            thread.join()
            process.stdin.close()
            process.stdout.close()
            process.wait()
            killer.cancel()

        self.addCleanup(end)
        return int(found[1])

    def test_versions_and_ciphers(self):
        for options in (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
                        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
                        ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
                        ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]):
            with self.subTest(options):
                self.made(order_client_to(self.serve(*options), TRUST))
                self.doCleanups()

    def test_a_hello_retry(self):
        self.made(order_client_to(self.serve("-tls1_3", "-groups", "P-521:P-384"), TRUST))

    def test_weak_ciphers_are_refused(self):
        for cipher in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
            with self.subTest(cipher):
                port = self.serve("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
                self.failed(order_client_to(port, TRUST, timeout="2s"))
                self.doCleanups()

    def test_it_proves_itself(self):
        port = self.serve("-CAfile", files.authority.file, "-Verify", "2", "-verify_return_error")
        self.made(order_client_to(port, CLIENT))
        self.doCleanups()
        self.assertIn(b"CN = client", self.received)


class OwnServer(Case):
    """order_client and order_server, by their configuration alone."""

    def test_mutual(self):
        with Server(tls_elements([files.server], client_ca=files.authority.file)) as server:
            done = order_client_to(server.port, CLIENT)
            self.assertEqual(done.returncode, 0, done.stderr)
            for tls in (TRUST, None, CLIENT | {"certificate": files.strange_client[0],
                                               "key": files.strange_client[1]}):
                self.failed(order_client_to(server.port, tls, timeout="2s"))

    def test_a_key_that_others_can_read_is_refused(self):
        for who in ("server", "client"):
            path = os.path.join(files.folder(), "key.pem")
            with open(getattr(files, who)[1]) as source, open(path, "w") as copy:
                copy.write(source.read())
            os.chmod(path, 0o644)
            if who == "client":
                self.failed(order_client_to(1, CLIENT | {"key": path}), re.escape(path),
                            "0644, .* expected is 0600", status=78)
            else:
                with self.assertRaisesRegex(AssertionError, "0644, .* expected is 0600"):
                    Server(tls_elements([(files.server[0], path)]))


if __name__ == "__main__":
    unittest.main()
