"""What clients do wrong: each case of bad_cases against our server."""

import os
import unittest

import bad_cases
import bad_clients
import peers
import raw


class BadClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = peers.Server("Rocket")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()


def add(case):
    def test(self):
        self.assertEqual(bad_clients.run(case, self.server.port), "")
        self.assertIsNone(self.server.process.poll(), "the server has ended")
    test.__doc__ = case.text
    setattr(BadClients, "test_" + case.name, test)


for _case in bad_cases.CASES:
    if os.environ.get("GRPC_ALL") or not _case.is_slow:
        add(_case)


class Frames(unittest.TestCase):
    """The frames that the cases are made of are those of hyperframe, where they are right."""

    def test_frames(self):
        data = (
            raw.frame(raw.SETTINGS, payload=raw.settings((4, 65536)))
            + raw.frame(raw.PING, raw.ACK, payload=bytes(8))
            + raw.frame(raw.HEADERS, raw.END_HEADERS, 1, b"\x82")
            + raw.frame(raw.DATA, raw.END_STREAM, 1, b"abc")
            + raw.frame(raw.WINDOW_UPDATE, 0, 1, b"\0\0\0\x07")
            + raw.frame(raw.RST_STREAM, 0, 1, b"\0\0\0\x08"))
        found = raw.parse(data)
        self.assertEqual(
            [type(frame).__name__ for frame in found],
            ["SettingsFrame", "PingFrame", "HeadersFrame", "DataFrame", "WindowUpdateFrame",
             "RstStreamFrame"])
        self.assertEqual(found[0].settings, {4: 65536})
        self.assertEqual(found[5].error_code, 8)
        self.assertEqual(b"".join(frame.serialize() for frame in found), data)


if __name__ == "__main__":
    unittest.main()
