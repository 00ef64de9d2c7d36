"""What `rocket top` shows of a server: in a terminal (tmux), as text and as JSON."""

import json
import time
import unittest

from tool import LIMIT, OrderServer, Terminal, call, rocket

MAKE = ("Order.makeOrder", '{"price":100,"goods":"apple"}')


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = OrderServer()
        for _ in range(3):
            made = call(cls.server.address, *MAKE)
            assert made.status == 0, made

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def test_tables_as_text(self):
        shown = rocket("top", self.server.admin)
        self.assertEqual((shown.status, shown.errors), (0, ""))
        self.assertIn("running for", shown.output.splitlines()[0])
        row = next(line for line in shown.output.splitlines() if line.startswith("Order.makeOrder"))
        self.assertEqual(row.split()[-4:], ["3", "0", "0", "-"])
        for table in ("connections", "calls", "channels", "loops", "limits"):
            shown = rocket("top", self.server.admin, "--table", table, "--once")
            self.assertEqual(shown.status, 0, shown)
        shown = rocket("top", self.server.admin, "--filter", "makeOrder")
        self.assertNotIn("Order.queryOrder", shown.output)

    def test_a_table_as_json(self):
        shown = rocket("top", self.server.admin, "--json")
        self.assertEqual(shown.status, 0, shown)
        found = json.loads(shown.output)
        self.assertEqual(found["overview"]["state"], "running")
        self.assertIn("Order.makeOrder", [row["method"] for row in found["methods"]])

    def test_addresses_that_are_wrong(self):
        shown = rocket("top", "unix:" + self.server.folder.name + "/none.sock")
        self.assertEqual((shown.status, shown.output), (69, ""))
        self.assertIn("is it the address in admin/listen?", shown.errors)
        self.assertEqual(rocket("top", "nothing").status, 64)
        # The services' own port speaks no HTTP/1.1.
        shown = rocket("top", self.server.address)
        self.assertEqual((shown.status, shown.output), (69, ""))

    def test_in_a_terminal(self):
        terminal = Terminal("top", self.server.admin, columns=110)
        self.addCleanup(terminal.close)
        terminal.wait_for("running for", "METHOD", "Order.makeOrder", "[1 methods]")
        terminal.tmux("send-keys", "5")
        terminal.wait_for("rocket-io-0", "[5 loops]")
        terminal.tmux("send-keys", "Left")
        terminal.wait_for("No channels.", "[4 channels]")
        # It is renewed without a key.
        terminal.tmux("send-keys", "1")
        before = terminal.wait_for("[1 methods]")[0]
        end = time.monotonic() + LIMIT
        while terminal.lines()[0] == before:
            self.assertLess(time.monotonic(), end)
        terminal.tmux("send-keys", "q")
        lines = terminal.wait_for("status=0")
        self.assertFalse(any("METHOD" in line for line in lines), lines)

    def test_ctrl_c_and_ctrl_d_restore_the_terminal(self):
        for keys in ("C-c", "C-d"):
            terminal = Terminal("top", self.server.admin)
            self.addCleanup(terminal.close)
            terminal.wait_for("[1 methods]")
            terminal.tmux("send-keys", keys)
            self.assertFalse(any("METHOD" in line for line in terminal.wait_for("status=0")))

    def test_a_server_that_ends_is_shown_as_gone(self):
        server = OrderServer()
        terminal = Terminal("top", server.admin)
        self.addCleanup(terminal.close)
        try:
            terminal.wait_for("[1 methods]")
        finally:
            server.close()
        terminal.wait_for("is it the address in admin/listen?", "q ends")
        terminal.tmux("send-keys", "q")
        terminal.wait_for("status=0")


if __name__ == "__main__":
    unittest.main()
