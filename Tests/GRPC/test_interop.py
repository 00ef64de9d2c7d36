"""gRPC's interoperability cases between all peers; with GRPC_ALL the table in docs/grpc.md."""

import os
import pathlib
import unittest

import cases
import peers

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "grpc.md"
BEGIN = "<!-- interop: begin; written by `make interop` -->"
END = "<!-- interop: end -->"

# Client, server; the columns of the table.
PAIRS = [
    ("grpcio", "Rocket"), ("Rocket", "grpcio"), ("Rocket", "Rocket"),
    ("libgrpc++", "Rocket"), ("Rocket", "libgrpc++"),
]
# The harness itself: without Rocket.
REFERENCE = [("grpcio", "grpcio"), ("libgrpc++", "grpcio"), ("grpcio", "libgrpc++")]

# What Rocket does not offer yet, and why: a case here must fail or be missing.
NOT_YET = {}


def applicable(client, server):
    """The cases that both can show."""
    left_out = {
        **cases.NOT_SHOWN.get((client, "client"), {}), **cases.NOT_SHOWN.get((server, "server"), {})}
    return [name for name in cases.ALL if name not in left_out]


class Interop(unittest.TestCase):
    results = {}

    def run_pair(self, client, server):
        names = applicable(client, server)
        with peers.Server(server) as process:
            results = peers.run_client(client, process.port, names)
        self.results[client, server] = results
        failed = {
            name: result for name, result in results.items()
            if result.startswith("FAILED") or (result != "passed" and name not in NOT_YET)}
        self.assertEqual(failed, {}, f"{client} to {server}")

    @classmethod
    def tearDownClass(cls):
        if os.environ.get("GRPC_ALL"):
            write_table(cls.results)


def add(client, server):
    def test(self):
        self.run_pair(client, server)
    test.__doc__ = f"{client} to {server}"
    name = f"test_{client}_to_{server}".lower().replace(" ", "_").replace("++", "pp")
    setattr(Interop, name, test)


for _client, _server in PAIRS + REFERENCE:
    if _client in peers.CLIENTS and _server in peers.SERVERS:
        add(_client, _server)
add("Rocket on TinyPB", "Rocket")


def write_table(results):
    """Writes the results between the markers of the document."""
    if not DOCUMENT.exists():
        return
    text = DOCUMENT.read_text()
    if BEGIN not in text or END not in text:
        return
    pairs = [pair for pair in PAIRS if pair in results]
    lines = ["| case | " + " | ".join(f"{client} → {server}" for client, server in pairs) + " |"]
    lines.append("|---" * (len(pairs) + 1) + "|")
    for name in cases.ALL:
        cells = []
        for pair in pairs:
            result = results[pair].get(name)
            cells.append(
                "–" if result is None or result == "not applicable"
                else "passed" if result == "passed" else "**failed**")
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after)


if __name__ == "__main__":
    unittest.main()
