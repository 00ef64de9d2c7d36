"""etcd on hosts of the network, and the servers that it has: shared by parts of this test."""

import base64
import json
import urllib.request

from network import WORK, start


class Registry:
    """The members of one etcd, by their hosts, and the name below which servers announce themselves."""

    def __init__(self, members, name):
        self.members = members
        self.name = name
        endpoints = ",".join(f"{address}:2379" for address in members.values())
        self.target = f"etcd://{endpoints}/{name}"

    def start(self, host):
        address = self.members[host]
        cluster = ",".join(f"{member}=http://{ip}:2380" for member, ip in self.members.items())
        start(
            host, "etcd", "--name", host, "--data-dir", str(WORK / host),
            "--listen-client-urls", f"http://{address}:2379",
            "--advertise-client-urls", f"http://{address}:2379",
            "--listen-peer-urls", f"http://{address}:2380",
            "--initial-advertise-peer-urls", f"http://{address}:2380",
            "--initial-cluster", cluster, "--unsafe-no-fsync")

    def registration(self, address):
        """The element of a server's configuration that announces it."""
        return f"""<registration>
      <target>{self.target}</target>
      <address>{address}:12345</address>
    </registration>"""

    def entries(self):
        """The addresses that etcd has, from the first member that answers; None: none does."""
        key = self.name + "/"
        body = json.dumps({"key": encoded(key), "range_end": encoded(key[:-1] + "0")}).encode()
        for address in self.members.values():
            try:
                url = f"http://{address}:2379/v3/kv/range"
                with urllib.request.urlopen(url, body, timeout=2) as response:
                    found = json.load(response).get("kvs", [])
                return {json.loads(base64.b64decode(entry["value"]))["Addr"] for entry in found}
            except OSError:
                continue
        return None


def encoded(text):
    return base64.b64encode(text.encode()).decode()
