"""etcd as a server that is not ours: its own .proto files, generated code, our client."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import peers

CLIENT = peers.PROGRAMS / "grpc_etcd_client"
NAMES = ("put and range", "transaction", "watch", "lease", "errors")


@unittest.skipUnless(os.environ.get("GRPC_ALL"), "with --all")
class Etcd(unittest.TestCase):
    def test_etcd(self):
        with tempfile.TemporaryDirectory() as folder:
            # Ports that the kernel chooses: etcd says in its log which.
            process = subprocess.Popen(
                [shutil.which("etcd"), "--data-dir", folder + "/data", "--logger", "zap",
                 "--log-outputs", "stderr", "--name", "one",
                 "--listen-client-urls", "http://127.0.0.1:0",
                 "--advertise-client-urls", "http://127.0.0.1:0",
                 "--listen-peer-urls", "http://127.0.0.1:0",
                 "--initial-advertise-peer-urls", "http://127.0.0.1:0",
                 "--initial-cluster", "one=http://127.0.0.1:0"],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                cwd=pathlib.Path(folder))
            reader = None
            try:
                port, log = None, []
                for line in process.stderr:
                    log.append(line)
                    found = re.search(
                        r'serving client (?:traffic|requests)[^\n]*?"address":\s*"127\.0\.0\.1:(\d+)"',
                        line)
                    if found:
                        port = found[1]
                        break
                self.assertIsNotNone(port, "".join(log[-20:]))
                # A pipe that nobody reads would stop etcd.
                reader = threading.Thread(target=lambda: log.extend(process.stderr))
                reader.start()
                done = subprocess.run(
                    [str(CLIENT), port], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    timeout=peers.TIMEOUT)
                self.assertEqual(
                    done.stdout.splitlines(), [f"{name}: passed" for name in NAMES])
                self.assertEqual(done.returncode, 0)
            finally:
                process.terminate()
                process.wait()
                if reader is not None:
                    reader.join()
                process.stderr.close()


if __name__ == "__main__":
    unittest.main()
