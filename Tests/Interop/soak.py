#!/usr/bin/env python3
"""Renews the certificates of order_server and restarts it, under load with mutual TLS: no call fails.

  Tests/Interop/soak.py [--rotations 50] [--restarts 20] [--rate 1500] ORDER_LOAD

Called by `make soak-tls`, which has built bin/ and order_load. The listening socket is passed as
systemd does (LISTEN_FDS), so that it outlives the server. A rotation is `scripts/dev-ca renew` while
the server runs, and has ended when new connections are shown the new certificate; each fifth renews
that of the client, too. Prints one line of figures. Exit status 1: a call failed, an order was lost
or made twice, a server did not end with status 0, or there were fewer than 1,000 calls/s.
"""

import argparse
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time

from peers import BIN, LIMIT, client_context, files, tls_elements, until


class Server:
    def __init__(self, pair):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.folder = files.folder()
        self.configuration = os.path.join(self.folder, "order_server.xml")
        with open(self.configuration, "w") as file:
            file.write(
                "<root><log><log_level>INFO</log_level><log_sinks>file</log_sinks>"
                "<log_file_name>log</log_file_name><log_file_path>log</log_file_path></log><server>"
                f"<ip>127.0.0.1</ip><port>{self.port}</port><io_threads>1</io_threads>"
                f"{tls_elements([pair], client_ca=files.authority.file)}</server>"
                "<order_store><path>orders.sqlite</path></order_store></root>")
        self.start()

    def start(self):
        command = 'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=rpc; exec "$0" "$1"'
        self.process = subprocess.Popen(
            ["sh", "-c", command, os.path.join(BIN, "order_server"), self.configuration],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=(3,),
            preexec_fn=lambda: os.dup2(self.listener.fileno(), 3))
        line = self.process.stdout.readline()
        if "listening on" not in line:
            sys.exit(f"soak: order_server did not start: {line}{self.process.stderr.read()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(LIMIT)
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        if status != 0:
            sys.exit(f"soak: order_server ended with status {status}: {errors}")

    def certificate(self):
        """The one that a new connection is shown."""
        with socket.create_connection(("127.0.0.1", self.port), LIMIT) as plain:
            with client_context(pair=files.client).wrap_socket(
                    plain, server_hostname="localhost") as peer:
                return peer.getpeercert(binary_form=True)


def der(path):
    with open(path) as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("order_load")
    for name, default in (("rotations", 50), ("restarts", 20), ("rate", 1500)):
        options.add_argument(f"--{name}", type=int, default=default)
    options = options.parse_args()
    server = Server(files.server)
    stop, acks = (os.path.join(server.folder, name) for name in ("stop", "acks"))
    tls = ["--to", f"127.0.0.1:{server.port}", "--tls-ca", files.authority.file, "--tls-cert",
           files.client[0], "--tls-key", files.client[1]]
    load = subprocess.Popen(
        [options.order_load, "make", *tls, "--connections", "4", "--in-flight", "64", "--rate",
         str(options.rate), "--acks", acks, "--until", stop, "--seconds", "600"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    begin = time.monotonic()
    restarts = 0
    for number in range(options.rotations):
        files.authority.renew("server")
        if number % 5 == 4:
            files.authority.renew("client")
        expected = der(files.server[0])
        until(lambda: server.certificate() == expected, "the renewed certificate is not shown")
        while restarts < (number + 1) * options.restarts // options.rotations:
            server.stop()
            server.start()
            restarts += 1
        if load.poll() is not None:
            break
        print(f"\r{number + 1} rotations, {restarts} restarts", end="", file=sys.stderr, flush=True)
    print("\r\033[K", end="", file=sys.stderr)
    open(stop, "w").close()
    figures, errors = load.communicate(timeout=60)
    seconds = time.monotonic() - begin
    verified = subprocess.run([options.order_load, "verify", *tls, acks], capture_output=True,
                              text=True, timeout=120)
    server.stop()
    found = dict(re.findall(r"(\w+)=([\d.]+)", figures + verified.stdout))
    rate = int(found.get("calls", 0)) / seconds
    print(f"{options.rotations} rotations and {restarts} restarts in {seconds:.0f} s with mutual TLS: "
          f"{rate:,.0f} calls/s, {found.get('failed', '?')} of {found.get('calls', '?')} calls failed, "
          f"the slowest took {found.get('max_ms', '?')} ms, {found.get('lost', '?')} orders lost, "
          f"{found.get('doubled', '?')} doubled")
    if load.returncode != 0 or verified.returncode != 0:
        sys.exit(f"soak: failed: {errors}{verified.stdout}{verified.stderr}")
    if rate < 1000:
        sys.exit("soak: fewer than 1,000 calls/s")


if __name__ == "__main__":
    main()
