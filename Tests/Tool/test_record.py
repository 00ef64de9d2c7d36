"""`rocket record` and `rocket replay` with order_server, by TinyPB and gRPC; the files are read with
what grpcio-tools makes of gRPC's own binarylog.proto."""

import json
import os
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from tool import LIMIT, OrderServer, call, rocket, start

sys.path.insert(0, os.environ.get("TOOL_GENERATED", ""))

import binarylog_pb2

Entry = binarylog_pb2.GrpcLogEntry
MAKE = ("Order.makeOrder", '{"price":100,"goods":"apple"}')
ALLOWED = "<record>true</record>"
IGNORE = ("--ignore", "order_id")


def entries(path):
    """The entries of a log, each of which stands behind its size."""
    with open(path, "rb") as file:
        log = file.read()
    found, at = [], 0
    while at < len(log):
        (size,) = struct.unpack(">I", log[at:at + 4])
        found.append(Entry.FromString(log[at + 4:at + 4 + size]))
        at += 4 + size
    return found


class Recording:
    """A recording that has begun."""

    def __init__(self, server, path, *options):
        self.path = path
        self.process = start("record", server.admin, "-o", path, *options)
        end = time.monotonic() + LIMIT
        # The file is made once the server records.
        while not os.path.exists(path):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(self.end())

    def end(self):
        """Waits for it: its status and what it has printed."""
        try:
            _, errors = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, errors

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.end()


class Records(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = OrderServer(admin=ALLOWED)
        cls.folder = tempfile.TemporaryDirectory(prefix="rocket-record-")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.folder.cleanup()

    def path(self):
        return os.path.join(self.folder.name, self.id() + ".binlog")

    def made(self):
        """How many orders the server was asked for."""
        shown = json.loads(rocket("top", self.server.admin, "--json").output)
        return next(row["calls"] for row in shown["methods"] if row["method"] == MAKE[0])

    def record(self, *options):
        return Recording(self.server, self.path(), *options)

    def orders(self, recording, count=3):
        """Makes so many orders while it records, then ends it."""
        for _ in range(count):
            made = call(self.server.address, *MAKE)
            self.assertEqual(made.status, 0, made)
        self.assertEqual(recording.interrupt()[0], -signal.SIGINT)
        return recording.path

    def test_calls_of_a_load_by_both_wires_are_recorded_masked_and_replayed(self):
        recording = self.record("--calls", "40", "--mask", "goods")
        for wire in ([], ["--grpc"]):
            loaded = rocket("load", self.server.address, *MAKE, "-n", "20", "-c", "4",
                            "-H", "authorization: Bearer hidden", "-H", "x-tenant: blue", *wire)
            self.assertEqual(loaded.status, 0, loaded)
        status, errors = recording.end()
        self.assertEqual(status, 0, errors)
        self.assertIn("40 calls", errors)
        self.assertEqual(stat.S_IMODE(os.stat(recording.path).st_mode), 0o600)
        with open(recording.path, "rb") as file:
            log = file.read()
        self.assertNotIn(b"apple", log)
        self.assertNotIn(b"hidden", log)
        found = entries(recording.path)
        self.assertEqual(len({entry.call_id for entry in found}), 40)
        first = [entry for entry in found if entry.call_id == found[0].call_id]
        self.assertEqual([Entry.EventType.Name(entry.type) for entry in first], [
            "EVENT_TYPE_CLIENT_HEADER", "EVENT_TYPE_CLIENT_MESSAGE",
            "EVENT_TYPE_CLIENT_HALF_CLOSE", "EVENT_TYPE_SERVER_HEADER",
            "EVENT_TYPE_SERVER_MESSAGE", "EVENT_TYPE_SERVER_TRAILER"])
        self.assertEqual([entry.sequence_id_within_call for entry in first], [1, 2, 3, 4, 5, 6])
        header = first[0].client_header
        self.assertEqual(header.method_name, "/Order/makeOrder")
        self.assertEqual(first[0].peer.address, "127.0.0.1")
        self.assertEqual(first[0].logger, Entry.LOGGER_SERVER)
        self.assertTrue(0 < header.timeout.seconds <= 10)
        metadata = {entry.key: entry.value for entry in header.metadata.entry}
        self.assertEqual(metadata, {"x-tenant": b"blue", "rocket-masked": b"goods"})
        self.assertIn(b"***", first[1].message.data)
        self.assertEqual(len(first[1].message.data), first[1].message.length)

        for wire in ([], ["--grpc"]):
            replayed = rocket("replay", recording.path, self.server.address, *IGNORE, *wire)
            self.assertEqual((replayed.status, replayed.errors), (0, ""), replayed)
            self.assertRegex(replayed.output, r"Order\.makeOrder +40 +40 +0 +0 ")
        replayed = rocket("replay", recording.path, self.server.address, "--grpc", "-c", "8")
        self.assertEqual(replayed.status, 1, replayed)
        self.assertRegex(
            replayed.output, r'Order\.makeOrder #\d+: order_id: "\d+" -> "\d+"\n')
        self.assertIn("and 30 more", replayed.output)

    def test_a_changed_answer_is_a_difference(self):
        made = call(self.server.address, *MAKE).lines[0]["order_id"]
        recording = self.record("--method", "Order.queryOrder", "--calls", "1")
        asked = call(self.server.address, "Order.queryOrder", json.dumps({"order_id": made}))
        self.assertEqual(asked.status, 0, asked)
        self.assertEqual(recording.end()[0], 0)
        same = rocket("replay", recording.path, self.server.address)
        self.assertEqual(same.status, 0, same)
        other = OrderServer()
        self.addCleanup(other.close)
        changed = rocket("replay", recording.path, other.address)
        self.assertEqual(changed.status, 1, changed)
        self.assertRegex(changed.output, r"Order\.queryOrder #1: ret_code: 0 -> -\d")
        changed = rocket("replay", recording.path, other.address, "--json")
        report = changed.lines[0]
        self.assertEqual((report["calls"], report["different"], report["failed"]), (1, 1, 0))
        self.assertEqual(report["methods"][0]["method"], "Order.queryOrder")
        paths = {difference["path"] for difference in report["differences"]}
        self.assertIn("ret_code", paths)
        ignored = [option for path in paths for option in ("--ignore", path)]
        self.assertEqual(rocket("replay", recording.path, other.address, *ignored).status, 0)
        # Without reflection, the .proto file says what the fields are.
        protos = os.path.join(os.path.dirname(__file__), "..", "..", "Apps", "Protos")
        silent = OrderServer(reflection=False)
        self.addCleanup(silent.close)
        changed = rocket("replay", recording.path, silent.address, "--proto",
                         os.path.join(protos, "order.proto"))
        self.assertIn("ret_code: 0 ->", changed.output)

    def test_metadata_and_pace_are_those_of_the_recording(self):
        recording = self.record()
        made = call(self.server.address, *MAKE, "--idempotency-key", self.id())
        self.assertEqual(made.status, 0, made)
        path = self.orders(recording, 2)
        # By its key the server answers with the order of the first time.
        replayed = rocket("replay", path, self.server.address, "--json", "--speed", "2x")
        numbers = {difference["call"] for difference in replayed.lines[0]["differences"]}
        self.assertEqual(numbers, {2, 3}, replayed)
        replayed = rocket("replay", path, self.server.address, *IGNORE, "--rate", "100")
        self.assertEqual(replayed.status, 0, replayed)
        # Ctrl-C does not wait for the pace.
        before = self.made()
        slow = start("replay", path, self.server.address, *IGNORE, "--rate", "0.001")
        self.addCleanup(slow.communicate)
        end = time.monotonic() + LIMIT
        while self.made() == before:
            self.assertLess(time.monotonic(), end)
        slow.send_signal(signal.SIGINT)
        self.assertEqual(slow.wait(LIMIT), -signal.SIGINT)
        # The token is not in the file: it is given again, beside what was recorded.
        replayed = rocket("replay", path, self.server.address, *IGNORE, "--method", "Order.*",
                          "-H", "authorization: Bearer x")
        self.assertEqual(replayed.status, 0, replayed)
        none = rocket("replay", path, self.server.address, "--method", "Other.*")
        self.assertEqual(none.status, 65, none)
        self.assertIn("left out: 3 calls of other methods", none.errors)

    def test_damaged_files(self):
        path = self.orders(self.record())
        with open(path, "rb") as file:
            log = file.read()
        with open(path, "wb") as file:
            file.write(log[:-5])
        cut = rocket("replay", path, self.server.address, *IGNORE)
        self.assertEqual(cut.status, 0, cut)
        self.assertRegex(cut.errors, r"ends within an entry, which begins at byte \d+")
        self.assertRegex(cut.output, r"Order\.makeOrder +2 +2 ")
        with open(path, "wb") as file:
            file.write(log + b"GET / HTTP/1.1\r\n\r\n")
        damaged = rocket("replay", path, self.server.address)
        self.assertEqual((damaged.status, damaged.output), (65, ""))
        self.assertIn(f"no binary log of gRPC at byte {len(log)}", damaged.errors)
        with open(path, "wb"):
            pass
        self.assertEqual(rocket("replay", path, self.server.address).status, 65)
        self.assertEqual(rocket("replay", path + "x", self.server.address).status, 66)

    def test_limits(self):
        recording = self.record("--size", "1k")
        for _ in range(8):
            self.assertEqual(call(self.server.address, *MAKE).status, 0)
            if recording.process.poll() is not None:
                break
        status, errors = recording.end()
        self.assertEqual(status, 0, errors)
        self.assertIn("--size is reached", errors)
        self.assertLessEqual(os.path.getsize(recording.path), 1024)
        self.assertGreater(len(entries(recording.path)), 5)
        # An existing file is replaced, and larger messages are left out.
        path = self.path()
        os.remove(path)
        recording = self.record("--max-message", "10")
        path = self.orders(recording, 1)
        sizes = [entry.message for entry in entries(path)
                 if entry.type in (Entry.EVENT_TYPE_CLIENT_MESSAGE,
                                   Entry.EVENT_TYPE_SERVER_MESSAGE)]
        self.assertEqual([len(each.data) for each in sizes if each.length > 10], [0])
        replayed = rocket("replay", path, self.server.address)
        self.assertEqual(replayed.status, 0, replayed)
        os.remove(path)
        # Nothing comes: the time ends it.
        self.assertEqual(rocket("record", self.server.admin, "-o", path, "--duration",
                                "100ms").status, 0)
        self.assertEqual(os.path.getsize(path), 0)

    def test_what_is_refused(self):
        path = self.path()
        refused = rocket("record", self.server.admin, "-o", path, "--mask", "no_such_field")
        self.assertEqual(refused.status, 64, refused)
        self.assertIn("has a field no_such_field", refused.errors)
        refused = rocket("record", self.server.admin, "-o", path, "--method", "Order.nothing")
        self.assertEqual(refused.status, 64, refused)
        self.assertFalse(os.path.exists(path))
        running = self.record()
        refused = rocket("record", self.server.admin, "-o", path + "2")
        self.assertEqual(refused.status, 75, refused)
        self.orders(running, 1)
        refused = rocket("record", self.server.admin, "-o", "/nothing/here")
        self.assertEqual(refused.status, 73, refused)
        # That one did not leave a recording behind.
        os.remove(path)
        self.orders(self.record(), 1)
        refused = rocket("record", "unix:/nothing", "-o", path + "3")
        self.assertEqual(refused.status, 69, refused)
        away = rocket("replay", path, "127.0.0.1:1")
        self.assertEqual(away.status, 69, away)


class Configuration(unittest.TestCase):
    def test_a_server_that_ends_leaves_the_calls_before(self):
        server = OrderServer(admin=ALLOWED)
        self.addCleanup(server.close)
        recording = Recording(server, server.folder.name + "/x.binlog")
        self.assertEqual(call(server.address, *MAKE).status, 0)
        end = time.monotonic() + LIMIT
        while os.path.getsize(recording.path) == 0:
            self.assertLess(time.monotonic(), end)
        server.stop()
        status, errors = recording.end()
        self.assertEqual(status, 69, errors)
        self.assertIn("the file has the 1 calls before", errors)
        self.assertEqual(len(entries(recording.path)), 6)

    def test_recording_is_off_by_default(self):
        server = OrderServer()
        self.addCleanup(server.close)
        refused = rocket("record", server.admin, "-o", server.folder.name + "/x.binlog")
        self.assertEqual(refused.status, 77, refused)
        self.assertIn("admin/record", refused.errors)

    def test_fields_that_the_configuration_masks(self):
        server = OrderServer(admin=ALLOWED + "<record_mask>goods, order_id</record_mask>")
        self.addCleanup(server.close)
        recording = Recording(server, server.folder.name + "/x.binlog", "--calls", "1")
        self.assertEqual(call(server.address, *MAKE).status, 0)
        self.assertEqual(recording.end()[0], 0)
        with open(recording.path, "rb") as file:
            self.assertNotIn(b"apple", file.read())
        # What was masked is not compared.
        replayed = rocket("replay", recording.path, server.address)
        self.assertEqual(replayed.status, 0, replayed)

    def test_a_mask_without_a_field_forbids_recordings(self):
        server = OrderServer(admin=ALLOWED + "<record_mask>gods</record_mask>")
        self.addCleanup(server.close)
        refused = rocket("record", server.admin, "-o", server.folder.name + "/x.binlog")
        self.assertEqual(refused.status, 64, refused)
        self.assertIn("admin/record_mask", refused.errors)


if __name__ == "__main__":
    unittest.main()
