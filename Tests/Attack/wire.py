"""Frames of the TinyPB wire, written and read without any code of the project."""

import socket
import struct

METHODS = (b"Order.makeOrder", b"Order.queryOrder", b"Order.listOrders", b"rocket.Health.check",
           b"rocket.Health.watch", b"rocket.Reflection.list", b"rocket.cancel", b"rocket.goaway")


def frame(message_id, method, message=b"", info=b"", code=0, length=None):
    """`length` replaces the true length of the frame."""
    body = (struct.pack(">i", len(message_id)) + message_id
            + struct.pack(">i", len(method)) + method + struct.pack(">i", code)
            + struct.pack(">i", len(info)) + info + message + struct.pack(">I", 1))
    return b"\x02" + struct.pack(">i", len(body) + 6 if length is None else length) + body + b"\x03"


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def order(price=100, goods=b"apple"):
    return number(1, price) + text(2, goods)


def order_id(message):
    """The field order_id of a makeOrderResponse."""
    fields, position = {}, 0
    while position < len(message):
        key = message[position]
        position += 1
        if key & 7 == 0:
            while message[position] > 127:
                position += 1
            position += 1
        else:
            size = message[position]
            fields[key >> 3] = message[position + 1:position + 1 + size]
            position += 1 + size
    return fields.get(3)


class Peer:
    """One connection to the server."""

    def __init__(self, address, receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(60)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        """Returns (message id, error code, error text, message); None at the end of the stream."""
        while True:
            if len(self.buffer) >= 5:
                size = struct.unpack(">i", self.buffer[1:5])[0]
                if self.buffer[0] != 2 or size < 26:
                    raise ValueError("the server sent bytes that are no frame")
                if len(self.buffer) >= size:
                    return self._take(size)
            piece = self.socket.recv(1 << 20)
            if not piece:
                return None
            self.buffer += piece

    def _take(self, size):
        whole = bytes(self.buffer[:size])
        del self.buffer[:size]
        position, parts = 5, []
        for is_code in (False, False, True, False):
            length = struct.unpack(">i", whole[position:position + 4])[0]
            position += 4
            if is_code:
                code = length
            else:
                parts.append(whole[position:position + length])
                position += length
        return parts[0], code, parts[2], whole[position:size - 5]

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
