"""What `rocket top` shows of a server: in a terminal (tmux), as text and as JSON."""

import json
import os
import signal
import time
import unittest

from tool import BIN, LIMIT, OrderServer, Terminal, call, rocket

MAKE = ("Order.makeOrder", '{"price":100,"goods":"apple"}')


class Shell(Terminal):
    """A terminal of tmux with an interactive bash, which starts `rocket`."""

    def __init__(self, *arguments):
        super().__init__(command="PS1='former> ' exec bash --norc --noprofile -i")
        self.wait_for("former>")
        self.pid_file = os.path.join(self.folder.name, "pid")
        rocket_path = os.path.join(BIN, "rocket")
        # The subshell's number stays that of the program.
        self.type(f"TERM=screen bash -c 'echo $$ >{self.pid_file}; exec {rocket_path} "
                  f"{' '.join(arguments)}'")

    def type(self, text):
        self.tmux("send-keys", "-l", text)
        self.tmux("send-keys", "Enter")

    def kill(self, name):
        with open(self.pid_file) as file:
            os.kill(int(file.read()), getattr(signal, "SIG" + name))

    def see_former(self):
        """Waits for the screen with the prompt, and its cursor."""
        self.wait_for("former>")
        end = time.monotonic() + LIMIT
        while self.tmux("display", "-p", "#{alternate_on} #{cursor_flag}").split() != ["0", "1"]:
            assert time.monotonic() < end

    def run_line(self, text):
        """Returns the lines of the screen when the shell has run it."""
        # What earlier ones have left on the screen is not taken for its end.
        self.lines_run = getattr(self, "lines_run", 0) + 1
        self.type(f"clear; {text}; echo end''ed{self.lines_run}")
        return self.wait_for(f"ended{self.lines_run}")

    def see_cooked(self):
        """The terminal has its former mode."""
        lines = self.run_line("stty -a")
        assert any(line.startswith("isig icanon ") for line in lines), lines
        self.type("clear")


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
        for keys, status in (("C-c", 130), ("C-d", 0)):
            terminal = Terminal("top", self.server.admin)
            self.addCleanup(terminal.close)
            terminal.wait_for("[1 methods]")
            terminal.tmux("send-keys", keys)
            lines = terminal.wait_for(f"status={status}")
            self.assertFalse(any("METHOD" in line for line in lines))

    def test_without_a_cursor_a_text_is_printed(self):
        for term in ("dumb", ""):
            terminal = Terminal("top", self.server.admin, columns=160, term=term)
            self.addCleanup(terminal.close)
            lines = terminal.wait_for("status=0", "METHOD")
            self.assertFalse(any("[1 methods]" in line for line in lines))

    def shell(self):
        """A terminal with a shell that has job control, in which `top` runs."""
        terminal = Shell("top", self.server.admin)
        self.addCleanup(terminal.close)
        terminal.wait_for("[1 methods]")
        return terminal

    def test_signals_restore_the_terminal_and_end_by_themselves(self):
        for name in ("TERM", "HUP", "INT", "QUIT"):
            terminal = self.shell()
            terminal.kill(name)
            terminal.see_former()
            terminal.type("echo status=$?")
            number = 128 + getattr(signal, "SIG" + name)
            terminal.wait_for(f"status={number}")
            terminal.see_cooked()

    def test_it_stops_and_goes_on(self):
        for stop in ("key", "TSTP"):
            terminal = self.shell()
            for _ in range(2):
                if stop == "key":
                    terminal.tmux("send-keys", "C-z")
                else:
                    terminal.kill(stop)
                terminal.see_former()
                terminal.see_cooked()
                # In the background it can't have the terminal.
                terminal.type("bg")
                while not any("Stopped" in line for line in terminal.run_line("jobs")):
                    pass
                terminal.see_cooked()
                terminal.type("fg")
                terminal.wait_for("[1 methods]")
                terminal.tmux("send-keys", "5")
                terminal.wait_for("[5 loops]")
                terminal.tmux("send-keys", "1")
                terminal.wait_for("[1 methods]")
            terminal.tmux("send-keys", "q")
            terminal.see_former()
            terminal.see_cooked()

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
