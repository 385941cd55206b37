# SPDX-License-Identifier: GPL-2.0
"""As much netlink as it takes to configure WireGuard and to look at TCP."""

import socket
import struct

NETLINK_SOCK_DIAG, NETLINK_GENERIC = 4, 16
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED = 0x8000


def attr(number, value):
    """One attribute: bytes, or a list of attributes."""
    if isinstance(value, list):
        number, value = number | NLA_F_NESTED, b"".join(value)
    pad = b"\0" * (-len(value) % 4)
    return struct.pack("=HH", len(value) + 4, number) + value + pad


def attributes(data):
    """Pairs of number and value."""
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        yield number & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


class Family:
    """A family, in the network namespace of the moment."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                    NETLINK_GENERIC)
        self.socket.bind((0, 0))
        reply = self._call(0x10, 3, [attr(2, name.encode() + b"\0")])
        self.number = struct.unpack("=H", dict(attributes(reply))[1])[0]

    def _call(self, number, command, attrs):
        body = struct.pack("=BBH", command, 1, 0) + b"".join(attrs)
        self.socket.send(struct.pack("=IHHII", len(body) + 16, number,
                                     NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
        reply = b""
        while True:
            data = self.socket.recv(65536)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind == NLMSG_ERROR:
                    error = -struct.unpack_from("=i", data, 16)[0]
                    if error:
                        raise OSError(error, f"netlink command {command}")
                    return reply
                reply = data[20:length]
                data = data[(length + 3) & ~3:]

    def call(self, command, attrs):
        """Attributes of the answer, if there is one."""
        return self._call(self.number, command, attrs)


class Streams:
    """The TCP connections of a port, in the network namespace of the moment."""

    SOCK_DIAG_BY_FAMILY, TCP_ESTABLISHED, INET_DIAG_INFO = 20, 1, 2
    # of struct inet_diag_msg, and in struct tcp_info
    MESSAGE, TOTAL_RETRANS, BYTES_RECEIVED = 72, 100, 128

    def __init__(self, port):
        self.port = port
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                    NETLINK_SOCK_DIAG)
        self.socket.bind((0, 0))

    def _infos(self):
        body = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP,
                           1 << (self.INET_DIAG_INFO - 1), 0,
                           1 << self.TCP_ESTABLISHED) + bytes(48)
        self.socket.send(struct.pack("=IHHII", len(body) + 16,
                                     self.SOCK_DIAG_BY_FAMILY,
                                     NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body)
        while True:
            data = self.socket.recv(65536)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    return
                ports = struct.unpack_from("!HH", data, 16 + 4)
                attrs = dict(attributes(data[16 + self.MESSAGE:length]))
                if self.port in ports and self.INET_DIAG_INFO in attrs:
                    yield attrs[self.INET_DIAG_INFO]
                data = data[(length + 3) & ~3:]

    def look(self):
        """Bytes received so far, and segments sent again."""
        received = retransmitted = 0
        for info in self._infos():
            received += struct.unpack_from("=Q", info, self.BYTES_RECEIVED)[0]
            retransmitted += struct.unpack_from("=I", info,
                                                self.TOTAL_RETRANS)[0]
        return received, retransmitted
