"""`openssl s_client` against order_server."""

import os
import unittest

from peers import Client, REPLY, REQUEST, Server, files, run, tls_elements, until


class Plain(unittest.TestCase):
    """A server with one certificate, which does not ask for those of clients."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(tls_elements([files.server]))
        cls.addClassCleanup(cls.server.__exit__, None, None, None)


class Versions(Plain):
    def test_13_is_preferred(self):
        client = Client(self.server)
        self.assertTrue(client.is_answered, client.text)
        self.assertIn("New, TLSv1.3, Cipher is", client)
        self.assertIn("Verify return code: 0 (ok)", client)
        self.assertIn("Compression: NONE", client)
        # Early data could be sent again by an attacker. It would say so before or behind the reply.
        self.assertNotRegex(client.text, "Max Early Data: [1-9]")

    def test_12_is_spoken(self):
        client = Client(self.server, "-tls1_2")
        self.assertTrue(client.is_answered, client.text)
        self.assertIn("Protocol  : TLSv1.2", client)
        self.assertIn("Secure Renegotiation IS supported", client)
        self.assertIn("Extended master secret: yes", client)

    def test_older_ones_are_refused(self):
        for version in ("-tls1", "-tls1_1"):
            client = Client(self.server, version, "-cipher", "ALL:@SECLEVEL=0")
            self.assertFalse(client.is_answered, client.text)
            self.assertIn("alert protocol version", client)

    def test_a_server_of_13_only_refuses_12(self):
        with Server(tls_elements([files.server], min_version="1.3")) as server:
            self.assertTrue(Client(server, "-tls1_3").is_answered)
            client = Client(server, "-tls1_2")
            self.assertFalse(client.is_answered, client.text)
            self.assertIn("alert protocol version", client)


class Ciphers(Plain):
    def test_each_good_one_of_12(self):
        for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                       "ECDHE-ECDSA-CHACHA20-POLY1305"):
            client = Client(self.server, "-tls1_2", "-cipher", cipher)
            self.assertTrue(client.is_answered, client.text)
            self.assertIn(f"Cipher is {cipher}", client)

    def test_each_one_of_13(self):
        for cipher in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                       "TLS_CHACHA20_POLY1305_SHA256"):
            client = Client(self.server, "-ciphersuites", cipher)
            self.assertTrue(client.is_answered, client.text)
            self.assertIn(f"Cipher is {cipher}", client)

    def test_without_forward_secrecy_or_authenticated_encryption_refused(self):
        for ciphers in ("kRSA:@SECLEVEL=0", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA",
                        "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384",
                        "aNULL:eNULL:@SECLEVEL=0", "PSK:@SECLEVEL=0"):
            client = Client(self.server, "-tls1_2", "-cipher", ciphers)
            self.assertFalse(client.is_answered, f"{ciphers}: {client.text}")
            self.assertRegex(client.text, "alert handshake failure|no ciphers available")

    def test_each_curve(self):
        for curve in ("X25519", "P-256", "P-384"):
            self.assertTrue(Client(self.server, "-curves", curve).is_answered, curve)


class Protocols(Plain):
    def test_the_protocol_is_chosen(self):
        client = Client(self.server, "-alpn", "h3,rocket/1")
        self.assertTrue(client.is_answered, client.text)
        self.assertIn("ALPN protocol: rocket/1", client)

    def test_a_client_without_protocols_is_served(self):
        client = Client(self.server)
        self.assertTrue(client.is_answered, client.text)
        self.assertIn("No ALPN negotiated", client)

    def test_a_client_of_other_protocols_is_refused(self):
        for version in ("-tls1_2", "-tls1_3"):
            client = Client(self.server, version, "-alpn", "http/1.1")
            self.assertFalse(client.is_answered, client.text)
            self.assertIn("alert no application protocol", client)


class Renegotiation(Plain):
    def test_it_is_refused(self):
        client = Client(self.server, "-tls1_2", talk=((b"R\n", b"no renegotiation"),))
        self.assertIn("RENEGOTIATING", client)
        self.assertTrue(client.is_answered, client.text)
        self.assertTrue(Client(self.server).is_answered)

    def test_key_updates_of_13_are_served(self):
        client = Client(self.server, "-tls1_3", talk=((b"K\n", b"KEYUPDATE"), (REQUEST, REPLY)))
        self.assertTrue(client.is_answered, client.text)


class Names(unittest.TestCase):
    """A server with two certificates."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(tls_elements([files.server, files.other]))
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def test_the_name_chooses_the_certificate(self):
        for name, subject in (("localhost", "CN=server"), ("other.example", "CN=other"),
                              ("OTHER.example", "CN=other"), ("unknown.example", "CN=server"),
                              (None, "CN=server")):
            for version in ("-tls1_2", "-tls1_3"):
                client = Client(self.server, version, *([] if name else ["-noservername"]), name=name)
                self.assertTrue(client.is_answered, client.text)
                self.assertEqual(client.subject, subject, name)

    def test_the_client_checks_the_name(self):
        good = Client(self.server, "-verify_hostname", "other.example", name="other.example")
        self.assertTrue(good.is_answered, good.text)
        bad = Client(self.server, "-verify_hostname", "unknown.example", name="unknown.example")
        self.assertFalse(bad.is_answered, bad.text)
        address = Client(self.server, "-verify_ip", "127.0.0.1", "-noservername", name=None)
        self.assertTrue(address.is_answered, address.text)


def certificate(pair):
    return ("-cert", pair[0], "-key", pair[1])


class ClientCertificates(unittest.TestCase):
    """A server that demands certificates. With TLS 1.3 a client learns after its handshake that its
    certificate was refused, so what counts is whether its call is answered."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(tls_elements([files.server], client_ca=files.authority.file))
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def refused(self, reason, *options):
        for version in ("-tls1_2", "-tls1_3"):
            client = Client(self.server, version, *options)
            self.assertFalse(client.is_answered, client.text)
            self.assertRegex(client.text, reason)

    def test_good(self):
        for version in ("-tls1_2", "-tls1_3"):
            client = Client(self.server, version, *certificate(files.client))
            self.assertTrue(client.is_answered, client.text)
            self.assertIn("dev-ca", client)  # the authority is announced

    def test_none(self):
        self.refused("alert (handshake failure|certificate required)")

    def test_expired(self):
        self.refused("alert certificate expired", *certificate(files.expired_client))

    def test_of_another_authority(self):
        self.refused("alert unknown ca", *certificate(files.strange_client))

    def test_of_a_server(self):
        self.refused("alert unsupported certificate|alert bad certificate",
                     *certificate(files.server))

    def test_optional(self):
        tls = tls_elements([files.server], client_ca=files.authority.file, client_auth="optional")
        with Server(tls) as server:
            self.assertTrue(Client(server).is_answered)
            self.assertTrue(Client(server, *certificate(files.client)).is_answered)
            self.assertFalse(Client(server, *certificate(files.strange_client)).is_answered)


class Reloads(unittest.TestCase):
    def test_a_client_whose_authority_is_removed_is_refused_also_with_its_ticket(self):
        both = os.path.join(files.folder(), "both.pem")
        with open(both, "w") as bundle:
            for authority in (files.authority, files.stranger):
                with open(authority.file) as file:
                    bundle.write(file.read())
        for version in ("-tls1_2", "-tls1_3"):
            session = os.path.join(files.folder(), "session")
            strange = certificate(files.strange_client)
            with Server(tls_elements([files.server], client_ca=both)) as server:
                first = Client(server, version, *strange, "-sess_out", session)
                self.assertTrue(first.is_answered, first.text)
                resumed = Client(server, version, *strange, "-sess_in", session)
                self.assertTrue(resumed.is_answered, resumed.text)
                self.assertIn("Reused, TLSv1", resumed)
                server.reload(tls_elements([files.server], client_ca=files.authority.file))
                until(lambda: not Client(server, version, *strange).is_answered,
                      "a client of an authority that was removed is served")
                late = Client(server, version, *strange, "-sess_in", session)
                self.assertFalse(late.is_answered, late.text)
                self.assertTrue(Client(server, version, *certificate(files.client)).is_answered)

    def test_a_ticket_allows_no_early_data(self):
        session = os.path.join(files.folder(), "session")
        with Server(tls_elements([files.server])) as server:
            self.assertTrue(Client(server, "-tls1_3", "-sess_out", session).is_answered)
        text = run("openssl", "sess_id", "-in", session, "-noout", "-text").stdout.decode()
        self.assertIn("Max Early Data: 0", text)

    def test_a_new_certificate_is_used_and_old_sessions_are_resumed(self):
        folder = files.folder()
        session = os.path.join(folder, "session")
        with Server(tls_elements([files.server])) as server:
            self.assertTrue(Client(server, "-sess_out", session).is_answered)
            server.reload(tls_elements([files.other]))
            until(lambda: Client(server).subject == "CN=other", "the old certificate is used")
            resumed = Client(server, "-sess_in", session)
            self.assertTrue(resumed.is_answered, resumed.text)
            self.assertIn("Reused, TLSv1.3", resumed)

    def test_a_renewal_is_noticed_without_a_signal(self):
        files.authority.issue("watched", "--dns", "localhost")
        with Server(tls_elements([files.authority.pair("watched")])) as server:
            before = Client(server, "-showcerts")
            self.assertTrue(before.is_answered, before.text)
            files.authority.renew("watched")
            until(lambda: pem(Client(server, "-showcerts")) != pem(before),
                  "the old certificate is used")
            with open(files.authority.pair("watched")[0]) as file:
                self.assertIn(pem(Client(server, "-showcerts")), file.read())

    def test_an_expired_certificate_is_not_taken_over(self):
        with Server(tls_elements([files.server])) as server:
            server.reload(tls_elements([files.expired_server]))
            until(lambda: "expired" in server.log(), "no line says that the certificate has expired")
            self.assertEqual(Client(server).subject, "CN=server")


def pem(client):
    """The server's certificate."""
    begin = client.text.find("-----BEGIN CERTIFICATE-----")
    end = "-----END CERTIFICATE-----"
    return client.text[begin:client.text.find(end) + len(end)]


if __name__ == "__main__":
    unittest.main()
