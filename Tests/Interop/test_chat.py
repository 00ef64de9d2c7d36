"""chat_server and chat_client over mutual TLS."""

import os
import re
import select
import signal
import subprocess
import unittest

from peers import BIN, LIMIT, files, run, tls_elements, until


class Chat(unittest.TestCase):
    def setUp(self):
        folder = files.folder()
        configuration = os.path.join(folder, "chat.xml")
        tls = tls_elements([files.server], client_ca=files.authority.file)
        with open(configuration, "w") as file:
            file.write("<root><log><log_sinks>file</log_sinks><log_file_name>log</log_file_name>"
                       "<log_file_path>log</log_file_path></log><server><ip>127.0.0.1</ip>"
                       f"<port>0</port><io_threads>1</io_threads>{tls}</server></root>")
        self.server = subprocess.Popen(
            [os.path.join(BIN, "chat_server"), configuration], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        line = self.server.stdout.readline()
        found = re.search(r"listening on \S+:(\d+)", line)
        self.assertTrue(found, line)
        self.port = found[1]

    def tearDown(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.communicate(timeout=LIMIT)

    def command(self, *options):
        return [os.path.join(BIN, "chat_client"), "localhost", self.port, *options]

    def trusted(self):
        certificate, key = files.client
        return ("--tls-ca", files.authority.file, "--tls-cert", certificate, "--tls-key", key)

    def test_a_message_goes_from_one_client_to_the_other(self):
        reader = subprocess.Popen(self.command(*self.trusted()), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)

        def arrives():
            # Before the reader has joined, what others say is not for it.
            done = run(*self.command(*self.trusted()), input=b"hello over TLS\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            return select.select([reader.stdout], [], [], 0)[0]

        try:
            until(arrives, "no message has arrived")
            self.assertIn("hello over TLS", reader.stdout.readline())
        finally:
            reader.stdin.close()
            reader.wait(LIMIT)
            reader.stdout.close()

    def test_a_client_without_a_certificate_is_told_so(self):
        done = run(*self.command("--tls-ca", files.authority.file), input=b"hello\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"certificate required", done.stderr)

    def test_a_client_without_tls_gets_nothing(self):
        done = run(*self.command(), input=b"hello\n")
        self.assertNotEqual(done.returncode, 0)
