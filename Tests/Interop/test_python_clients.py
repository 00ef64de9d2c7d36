"""Python's `ssl` as a client of order_server."""

import re
import socket
import ssl
import unittest

from peers import (LIMIT, Client, Peer, REPLY, Server, TLSPeer, client_context, files, frame, is_served,
                   order, tls_elements, until)

BOTH = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def only(version, **options):
    return client_context(minimum_version=version, maximum_version=version, **options)


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(tls_elements([files.server]))
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def peer(self, context=None, **options):
        peer = TLSPeer(self.server.address, context, **options)
        self.addCleanup(peer.close)
        return peer

    def test_each_version(self):
        for version in BOTH:
            peer = self.peer(only(version))
            self.assertIn(REPLY, peer.call()[3])
            self.assertEqual(peer.socket.version(), version.name.replace("v1_", "v1."))
            self.assertEqual(peer.socket.selected_alpn_protocol(), "rocket/1")
            self.assertIsNone(peer.socket.compression())

    def test_the_address_is_a_name(self):
        self.assertIn(REPLY, self.peer(name="127.0.0.1").call()[3])

    def test_another_name_is_not(self):
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "not valid for"):
            self.peer(name="other.example")

    def test_another_authority_is_not_trusted(self):
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "unable to get local issuer"):
            self.peer(client_context(files.stranger.file))

    def test_many_calls_in_few_records(self):
        for version in BOTH:
            peer = self.peer(only(version))
            peer.send(b"".join(frame(b"%08d" % n, b"Order.makeOrder", order()) for n in range(1000)))
            identifiers = [peer.reply()[0] for _ in range(1000)]
            self.assertEqual(sorted(identifiers), [b"%08d" % n for n in range(1000)])

    def test_a_record_for_each_byte(self):
        for version in BOTH:
            peer = self.peer(only(version))
            for byte in frame(b"1", b"Order.makeOrder", order()):
                peer.send(bytes([byte]))
            self.assertIn(REPLY, peer.reply()[3])

    def test_frames_longer_than_a_record(self):
        goods = b"g" * (100 << 10)
        peer = self.peer()
        reply = peer.call(message=order(goods=goods))
        self.assertEqual(reply[1], 0, reply)

    def test_a_flight_of_the_handshake_in_single_bytes(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with socket.create_connection(self.server.address, LIMIT) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def step(action):
                while True:
                    try:
                        result = action()
                    except ssl.SSLWantReadError:
                        result = None
                    for byte in outgoing.read():
                        plain.sendall(bytes([byte]))
                    if result is not None:
                        return result
                    piece = plain.recv(65536)
                    self.assertTrue(piece, "the server closed the connection")
                    incoming.write(piece)

            step(lambda: client.do_handshake() or True)
            step(lambda: client.write(frame(b"1", b"Order.makeOrder", order())))
            self.assertIn(REPLY, step(lambda: client.read(65536)))

    def test_sessions_are_resumed(self):
        for version in BOTH:
            context = only(version)
            first = self.peer(context)
            first.call()
            second = self.peer(context, session=first.socket.session)
            self.assertIn(REPLY, second.call()[3])
            self.assertTrue(second.socket.session_reused, version)

    def test_an_orderly_end_is_answered_by_one(self):
        for version in BOTH:
            peer = self.peer(only(version))
            peer.call()
            plain = peer.socket.unwrap()  # raises where the server does not say that it ends
            self.assertEqual(plain.recv(1), b"")
            plain.close()

    def test_calls_before_an_orderly_end_are_answered(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with socket.create_connection(self.server.address, LIMIT) as plain:
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))
            client.write(b"".join(frame(b"%d" % n, b"Order.makeOrder", order()) for n in range(9)))
            try:
                client.unwrap()
            except ssl.SSLWantReadError:
                pass
            plain.sendall(outgoing.read())
            received = b""
            while piece := plain.recv(65536):
                received += piece
            # Encrypted: 9 replies of 60 bytes, and the server's own end.
            self.assertGreater(len(received), 9 * 50)

    def test_a_connection_that_is_cut_is_no_end_of_stream(self):
        peer = self.peer()
        peer.call()
        peer.reset()
        self.assertTrue(is_served(self.server.address))


class ClientCertificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(tls_elements([files.server], client_ca=files.authority.file))
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def served(self, version, pair):
        return is_served(self.server.address, only(version, pair=pair))

    def test_which_are_served(self):
        for version in BOTH:
            self.assertTrue(self.served(version, files.client))
            for pair in (None, files.expired_client, files.strange_client, files.server):
                self.assertFalse(self.served(version, pair), pair)


class Mistaken(unittest.TestCase):
    """Peers that speak the other of TLS and plaintext."""

    def ends(self, address, data):
        """What the server sends before it closes the connection."""
        with socket.create_connection(address, LIMIT) as peer:
            peer.sendall(data)
            received = b""
            try:
                while piece := peer.recv(65536):
                    received += piece
            except ConnectionResetError:
                pass
            return received

    def test_plaintext_on_a_port_of_tls(self):
        with Server(tls_elements([files.server])) as server:
            for data in (frame(b"1", b"Order.makeOrder", order()), b"GET / HTTP/1.1\r\n\r\n",
                         b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"a" * 100):
                received = self.ends(server.address, data)
                self.assertNotIn(REPLY, received)
                self.assertIn(received[:1], (b"", b"\x15"), "neither an alert nor nothing")
            self.assertTrue(is_served(server.address))
            until(lambda: re.search("127.0.0.1.*TLS handshake", server.log()),
                  "no line says that a peer does not speak TLS")

    def test_tls_on_a_port_of_plaintext(self):
        with Server("") as server:
            client = Client(server)
            self.assertFalse(client.is_answered, client.text)
            self.assertIn("no peer certificate available", client)
            self.assertFalse(is_served(server.address))
            peer = Peer(server.address)
            peer.send(frame(b"1", b"Order.makeOrder", order()))
            self.assertIn(REPLY, peer.reply()[3])
            peer.close()

    def test_garbage_after_the_handshake(self):
        with Server(tls_elements([files.server])) as server:
            for version in BOTH:
                peer = TLSPeer(server.address, only(version))
                peer.call()
                plain = socket.socket(fileno=peer.socket.detach())
                plain.settimeout(LIMIT)
                plain.sendall(b"\x17\x03\x03\x00\x40" + b"x" * 64)
                received = b""
                try:
                    while piece := plain.recv(65536):
                        received += piece
                except ConnectionResetError:
                    pass
                plain.close()
            self.assertTrue(is_served(server.address))


if __name__ == "__main__":
    unittest.main()
