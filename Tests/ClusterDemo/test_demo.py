"""The files of conf/examples, checked by the programs that read them, and the demo that runs them."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "conf" / "examples"
DEMO = ROOT / "scripts" / "cluster-demo"
sys.path.insert(0, str(ROOT / "scripts" / "cluster_demo"))

import chat  # noqa: E402
import machines  # noqa: E402
import orders  # noqa: E402
import report  # noqa: E402


def missing(*parts):
    """The engines of parts of the demo that are not installed."""
    return [name for part in parts for name in part.ENGINES
            if not shutil.which(name, path=machines.SEARCH)]


def run(*command, **environment):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env={**os.environ, **environment})


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machines = machines.Machines()
        cls.machines.make_authority()
        for name in ("orders", "chat", "nats"):
            cls.machines.issue(name, "--server", "--client", machines=machines.SERVERS)
        cls.public = machines.run(ROOT / "scripts" / "nkey", cls.machines.ca / "chat" / "nkey").strip()
        cls.folders = {"orders": cls.machines.credentials("orders"),
                       "chat": cls.machines.credentials("chat", "chat/nkey")}

    @classmethod
    def tearDownClass(cls):
        cls.machines.__exit__()

    def test_files(self):
        """The index has each file, and each file says where it goes."""
        index = (EXAMPLES / "README.md").read_text()
        for path in sorted(EXAMPLES.rglob("*.*")):
            if path.is_dir() or path.name == "README.md":
                continue
            file = str(path.relative_to(EXAMPLES).relative_to(path.relative_to(EXAMPLES).parts[0]))
            match = re.search(rf"^\| `{re.escape(file)}` \| (/etc/\S+) \|", index, re.M)
            self.assertTrue(match, f"{path} is not in the index")
            self.assertIn(match[1], "\n".join(path.read_text().splitlines()[:3]), path)

    def test_servers(self):
        """order_server and chat_server accept their configurations as they are."""
        for program, name in (("order_server", "orders"), ("chat_server", "chat")):
            file = EXAMPLES / f"{name}-cluster" / f"{program}.xml"
            done = run(machines.rocket(program), "--check-config", file,
                       CREDENTIALS_DIRECTORY=str(self.folders[name]))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr, "", "no warnings")
        self.assertIn("certificate", done.stdout)

    def test_client(self):
        """order_client reads its stub: it fails for want of its certificates, and of nothing else."""
        done = run(machines.rocket("order_client"), "health", "--config",
                   EXAMPLES / "orders-cluster" / "order_client.xml")
        self.assertIn("orders-cluster/tls/", done.stderr)

    @unittest.skipIf(missing(chat), "nats-server is not installed: make deps-cluster")
    def test_nats(self):
        """nats-server accepts the file, with paths that exist, but not without a key."""
        for key, expected in ((self.public, 0), ("PUBLIC_KEY", 1)):
            path = self.machines.example(
                "chat-cluster/nats-server.conf", 11, self.machines.folder, [("PUBLIC_KEY", key)])
            done = run(machines.program("nats-server"), "-t", "-c", path)
            self.assertEqual(done.returncode, expected, done.stderr)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_units(self):
        """systemd accepts the units with their drop-ins, which are read."""
        with tempfile.TemporaryDirectory() as folder:
            for program in ("order", "chat"):
                drop_ins = EXAMPLES / f"{'orders' if program == 'order' else 'chat'}-cluster"
                for kind in ("service", "socket"):
                    unit = f"{program}_server.{kind}"
                    text = (ROOT / "conf" / unit).read_text()
                    text = re.sub(r"/usr/bin/\w+", "/bin/true", text)
                    text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
                    pathlib.Path(folder, unit).write_text(text)
                    shutil.copytree(drop_ins / f"{unit}.d", pathlib.Path(folder, f"{unit}.d"))
            units = sorted(name for name in os.listdir(folder) if not name.endswith(".d"))
            done = run("systemd-analyze", "verify", "--man=no", *(f"{folder}/{unit}" for unit in units),
                       SYSTEMD_UNIT_PATH=f"{folder}:")
            # Faults of other units on this machine are not ours.
            found = [line for line in done.stderr.splitlines() if "_server." in line]
            self.assertEqual(found, [])
            # They are looked at: a wrong one is found.
            wrong = pathlib.Path(folder, "order_server.service.d", "cluster.conf")
            wrong.write_text(wrong.read_text() + "\nNoSuchSetting=1\n")
            done = run("systemd-analyze", "verify", "--man=no", f"{folder}/order_server.service",
                       SYSTEMD_UNIT_PATH=f"{folder}:")
            self.assertIn("NoSuchSetting", done.stderr)

    def test_machines(self):
        """A line with one address becomes that of the machine; a list stays one."""
        one, three = "listen 10.0.0.11:12345 # order1", "10.0.0.11:2379,10.0.0.12:2379,10.0.0.13:2379"
        text = self.machines.adapted(f"{one}\n{three}\n127.0.0.1:9100 10.0.0.0/24\n", 13)
        prefix, ports = self.machines.address(""), self.machines.ports
        self.assertEqual(text.splitlines(), [
            f"listen {prefix}13:{ports[12345]} # order3",
            ",".join(f"{prefix}{number}:{ports[2379]}" for number in machines.SERVERS),
            f"{self.machines.loopback(13)}:{ports[9100]} 127.0.0.0/8"])


class Nkey(unittest.TestCase):
    def test_known(self):
        """A known seed has its public key, a new one another; nothing is overwritten."""
        with tempfile.TemporaryDirectory() as folder:
            known = pathlib.Path(folder, "known")
            known.write_text("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n")
            done = run(ROOT / "scripts" / "nkey", "--show", known)
            self.assertEqual(
                done.stdout, "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4\n")
            made = pathlib.Path(folder, "made")
            public = run(ROOT / "scripts" / "nkey", made).stdout
            self.assertRegex(public, r"^U[A-Z2-7]{55}\n$")
            self.assertEqual(run(ROOT / "scripts" / "nkey", "--show", made).stdout, public)
            self.assertEqual(made.stat().st_mode & 0o777, 0o600)
            self.assertEqual(run(ROOT / "scripts" / "nkey", made).returncode, 73)
            known.write_text("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VZ\n")
            self.assertEqual(run(ROOT / "scripts" / "nkey", "--show", known).returncode, 65)


class Demo(unittest.TestCase):
    def demo(self, part):
        done = run(DEMO, part, "--short", "--json")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        result = json.loads(done.stdout)
        self.assertTrue(result["ok"])
        print(f"{part}: {result['seconds']} s")
        return result[part]

    @unittest.skipIf(missing(orders), "an engine is not installed: make deps-cluster")
    def test_orders(self):
        """Servers, an etcd and the primary are killed: each order that was acknowledged exists once."""
        result = self.demo("orders")
        self.assertEqual(len(result["phases"]), 6)
        self.assertTrue(all(phase["orders"] >= 10 for phase in result["phases"]), result)

    @unittest.skipIf(missing(chat), "nats-server is not installed: make deps-cluster")
    def test_chat(self):
        """NATS servers are killed: messages are received, or declared missing."""
        result = self.demo("chat")
        self.assertEqual(len(result["phases"]), 5)

    def interrupted(self, part, at):
        """SIGINT, twice, ends all processes, and removes the folder."""
        with tempfile.TemporaryDirectory() as folder:
            # The databases' user has to get in.
            os.chmod(folder, 0o755)
            demo = subprocess.Popen(
                [DEMO, part], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={**os.environ, "TMPDIR": folder})
            for line in demo.stdout:
                if at in line:
                    break
            self.assertEqual(len(os.listdir(folder)), 1)
            demo.send_signal(signal.SIGINT)
            demo.send_signal(signal.SIGINT)
            _, errors = demo.communicate()
            self.assertEqual(demo.returncode, 130, errors)
            self.assertNotIn("Traceback", errors)
            self.assertEqual(os.listdir(folder), [])
            # The kernel ends what callers have started.
            end = time.monotonic() + machines.PATIENCE
            while run("pgrep", "-f", folder).stdout:
                self.assertLess(time.monotonic(), end, run("pgrep", "-af", folder).stdout)

    @unittest.skipIf(missing(chat), "nats-server is not installed: make deps-cluster")
    def test_interrupted_chat(self):
        """Ctrl-C while clients chat leaves nothing behind."""
        self.interrupted("chat", "three NATS servers")

    @unittest.skipIf(missing(orders), "an engine is not installed: make deps-cluster")
    def test_interrupted_orders(self):
        """Ctrl-C while the database starts leaves nothing behind."""
        self.interrupted("orders", "PostgreSQL")

    def test_not_installed(self):
        """What is missing is said in one line, before anything is started."""
        done = run(DEMO, "chat", ROCKET_BIN="/nonexistent")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        with self.assertRaisesRegex(machines.Failed, "make deps-cluster"):
            machines.program("no-such-engine")
        self.assertEqual(run(DEMO, "chats").returncode, 2)

    def test_failure(self):
        """A check that fails is an exit status of 1."""
        result = report.Report(is_json=True)
        with open(os.devnull, "w") as result.output:
            result.part("orders", [{"phase": "a", "orders": 1}], [("right", True), ("wrong", False)])
            sys.stdout.flush()
            self.assertFalse(result.is_ok)
            self.assertEqual(list(report.table([{"a": "x", "bcd": 1.5}])), ["a   bcd", "x  1.50"])


if __name__ == "__main__":
    unittest.main()
