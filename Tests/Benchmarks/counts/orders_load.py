"""A load for order_server by TinyPB: calls of one method, 32 in flight on one connection. Checks
each reply.

    orders_load.py makeOrder|queryOrder ADDRESS CALLS
"""

import socket
import struct
import sys

IN_FLIGHT = 32


def field(tag: int, value: bytes) -> bytes:
    return bytes([tag, len(value)]) + value


def frame(method: str, number: int, message: bytes) -> bytes:
    name, id = b"Order." + method.encode(), b"%020d" % number
    body = (struct.pack(">I", len(id)) + id + struct.pack(">I", len(name)) + name
            + bytes(8) + message + struct.pack(">I", 1) + b"\x03")
    return b"\x02" + struct.pack(">I", len(body) + 5) + body


class Peer:
    def __init__(self, address: str):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes = b""

    def replies(self):
        """Returns the messages of all replies that have arrived, at least one."""
        found = []
        while not found:
            part = self.socket.recv(1 << 16)
            if not part:
                sys.exit("the server closed the connection")
            self.bytes += part
            while len(self.bytes) >= 5:
                length = struct.unpack_from(">I", self.bytes, 1)[0]
                if len(self.bytes) < length:
                    break
                found.append(self.message(self.bytes[:length]))
                self.bytes = self.bytes[length:]
        return found

    def message(self, reply: bytes) -> bytes:
        at = 5
        for _ in "id", "name":
            at += 4 + struct.unpack_from(">I", reply, at)[0]
        code, info = struct.unpack_from(">iI", reply, at)
        message = reply[at + 8 + info:-5]
        if code != 0 or not message.startswith(b"\x12\x02OK\x1a"):
            sys.exit(f"a wrong reply: {reply!r}")
        return message

    def calls(self, method: str, message: bytes, count: int) -> bytes:
        begun = done = 0
        last = b""
        while done < count:
            more = min(count, done + IN_FLIGHT) - begun
            self.socket.sendall(b"".join(frame(method, begun + n, message) for n in range(more)))
            begun += more
            found = self.replies()
            done += len(found)
            last = found[-1]
        return last


def main():
    method, address, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
    peer = Peer(address)
    order = b"\x08\x64" + field(0x12, b"apple")
    made = peer.calls("makeOrder", order, calls if method == "makeOrder" else 1)
    if method == "queryOrder":
        peer.calls("queryOrder", field(0x0a, made[6:]), calls)


if __name__ == "__main__":
    main()
