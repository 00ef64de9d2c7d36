"""What a core dump of order_server would contain of its private keys."""

import base64
import re
import unittest

from peers import Client, Server, files, run, tls_elements


def dumped(pid):
    """The memory of a process that a core dump has: private, writable, without MADV_DONTDUMP."""
    regions, region = [], None
    with open(f"/proc/{pid}/smaps") as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ", line)
            if found:
                region = (int(found[1], 16), int(found[2], 16)) if found[3] == "rw-p" else None
            elif line.startswith("VmFlags:") and region and " dd" not in line:
                regions.append(region)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in regions:
            memory.seek(start)
            yield memory.read(end - start)


class Secrets(unittest.TestCase):
    def contains(self, pid, secrets):
        return [name for name, secret in secrets.items()
                if any(secret in part for part in dumped(pid))]

    def test_a_core_dump_has_no_private_key(self):
        with open(files.server[1]) as file:
            lines = [line for line in file.read().split("\n") if line and "-----" not in line]
        text = run("openssl", "pkey", "-in", files.server[1], "-noout", "-text").stdout.decode()
        number = bytes.fromhex(re.sub(
            r"[\s:]", "", re.search(r"priv:([0-9a-f:\s]+)pub:", text)[1]))[-32:]
        self.assertIn(number, base64.b64decode("".join(lines)))
        # Also in the order of OpenSSL's arithmetic, and as the lines of the file.
        secrets = {"its number": number, "its number, reversed": number[::-1],
                   "the text of its file": lines[0][:60].encode()}
        with open(files.server[0], "rb") as file:
            certificate = base64.b64decode(b"".join(
                line for line in file.read().split(b"\n")[1:] if b"-----" not in line)[:400])
        with Server(tls_elements([files.server])) as server:
            self.assertTrue(Client(server).is_answered)
            # The search finds what is there: the certificate, which is no secret.
            self.assertEqual(
                self.contains(server.process.pid, {"certificate": certificate[40:100]}),
                ["certificate"])
            self.assertEqual(self.contains(server.process.pid, secrets), [])
