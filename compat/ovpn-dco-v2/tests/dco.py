# SPDX-License-Identifier: GPL-2.0
"""Netlink as programs of ovpn-dco-v2 speak it: a family's commands and events.

Numbers are those of ../ovpn_dco_v2.h. Attributes are made of pairs: a number,
and bytes or a list of pairs.
"""

import os
import socket
import struct

NETLINK_GENERIC, SOL_NETLINK = 16, 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP = 1, 2, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
ERR_MSG, ERR_OFFS, ERR_MISS_TYPE, ERR_MISS_NEST = 1, 2, 5, 6
NLA_F_NESTED = 0x8000

FAMILY = "ovpn-dco-v2"
NEW_PEER, SET_PEER, DEL_PEER, NEW_KEY, SWAP_KEYS, DEL_KEY, GET_PEER = range(
    1, 8)
IFINDEX = 1


def nest_of(command):
    """The attribute that holds what a command says."""
    return command + 1


def u8(value):
    """One byte."""
    return struct.pack("=B", value)


def u16(value):
    """Two bytes, host order."""
    return struct.pack("=H", value)


def u32(value):
    """Four bytes, host order."""
    return struct.pack("=I", value)


def ip4(text):
    """An IPv4 address."""
    return socket.inet_pton(socket.AF_INET, text)


def ip6(text):
    """An IPv6 address."""
    return socket.inet_pton(socket.AF_INET6, text)


def sockaddr(text, port, scope=0):
    """A struct sockaddr_in or sockaddr_in6."""
    if ":" in text:
        return struct.pack("=H2sI16sI", socket.AF_INET6,
                           struct.pack("!H", port), 0, ip6(text), scope)
    return struct.pack("=H2s4s8x", socket.AF_INET, struct.pack("!H", port),
                       ip4(text))


def encode(attrs, flagged=True):
    """Attributes as they go over the wire."""
    out = b""
    for number, value in attrs:
        if isinstance(value, list):
            value = encode(value, flagged)
            number |= NLA_F_NESTED if flagged else 0
        out += struct.pack("=HH", 4 + len(value), number) + value
        out += bytes(-len(value) % 4)
    return out


def decode(data):
    """The attributes in data, a dictionary of bytes."""
    out = {}
    while len(data) >= 4:
        size, number = struct.unpack_from("=HH", data)
        out[number & 0x3fff] = data[4:size]
        data = data[(size + 3) & ~3:]
    return out


class Refused(OSError):
    """A command was refused: error number, message, and the attribute."""

    def __init__(self, number, message, where):
        super().__init__(number, os.strerror(number))
        self.message = message
        self.where = where


def path_of(request, offset, base=20):
    """Numbers of the nests and of the attribute that lies at an offset."""
    position = base
    while position < len(request):
        size, number = struct.unpack_from("=HH", request, position)
        if offset == position:
            return (number & 0x3fff,)
        if number & NLA_F_NESTED and position < offset < position + size:
            return (number & 0x3fff,) + path_of(
                request[:position + size], offset, position + 4)
        position += (size + 3) & ~3
    return ()


class Family:
    """A generic netlink family in the namespace of the moment."""

    def __init__(self, name=FAMILY):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.settimeout(10)
        self.sequence = 0
        self.number = 16
        reply = self.call(3, [(2, name.encode() + b"\0")])[0]
        self.number = struct.unpack("=H", reply[1])[0]
        self.version = struct.unpack("=I", reply[3])[0]
        groups = decode(reply.get(7, b"")).values()
        self.groups = {decode(g)[1].rstrip(b"\0").decode():
                       struct.unpack("=I", decode(g)[2])[0] for g in groups}

    def call(self, command, attrs, flags=NLM_F_ACK, flagged=True):
        """The attributes of each answer; raises Refused."""
        self.sequence += 1
        body = struct.pack("=BBH", command, 0, 0) + encode(attrs, flagged)
        request = struct.pack("=IHHII", len(body) + 16, self.number,
                              NLM_F_REQUEST | flags, self.sequence, 0) + body
        self.sock.send(request)
        answers = []
        while True:
            data = self.sock.recv(65536)
            while data:
                size, kind, flags = struct.unpack_from("=IHH", data)
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    self._error(data[:size], kind, flags, request)
                    return answers
                answers.append(decode(data[20:size]))
                data = data[(size + 3) & ~3:]

    @staticmethod
    def _error(data, kind, flags, request):
        number = -struct.unpack_from("=i", data, 16)[0]
        if not number:
            return
        size = 20
        if kind == NLMSG_ERROR:
            size += 16 if flags & NLM_F_CAPPED else len(request)
        more = decode(data[(size + 3) & ~3:]) if flags & NLM_F_ACK_TLVS else {}
        message = more.get(ERR_MSG, b"").rstrip(b"\0").decode()
        where = ()
        if ERR_OFFS in more:
            where = path_of(request, struct.unpack("=I", more[ERR_OFFS])[0])
        if ERR_MISS_TYPE in more:
            where = ("missing", struct.unpack("=I", more[ERR_MISS_TYPE])[0])
        raise Refused(number, message, where)

    def command(self, command, index, attrs, **more):
        """A command about a device."""
        return self.call(command, [(IFINDEX, u32(index)),
                                   (nest_of(command), attrs)], **more)

    def peers(self, index):
        """What a dump shows: a dictionary of each peer."""
        return [decode(a[nest_of(GET_PEER)]) for a in self.call(
            GET_PEER, [(IFINDEX, u32(index))], flags=NLM_F_ACK | NLM_F_DUMP)]

    def listen(self, group="peers"):
        """A socket that hears the events of a group."""
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                             NETLINK_GENERIC)
        sock.bind((0, 0))
        sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
                        self.groups[group])
        sock.settimeout(10)
        return sock


def event(sock):
    """The next event: command and attributes; None if there is none."""
    try:
        data = sock.recv(65536)
    except (TimeoutError, BlockingIOError):
        return None
    return data[16], decode(data[20:])
