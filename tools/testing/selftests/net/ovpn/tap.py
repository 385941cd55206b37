#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Listens on a device like tcpdump, and checks what ovpn-bulk and ovpn-ping send.

usage: tap.py DEV SIZE    (SIZE: the payload of ovpn-bulk's datagrams)

Prints "ready", and until SIGTERM reads copies of the packets that go out of the
device. Each has to be an IP packet with the payload that these programs give
it. The last line is the number of super-packets, of echo requests, of payload
bytes over TCP and over UDP, and of packets that were not as they should be.
"""

import signal
import socket
import struct
import sys

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
DATA = 0x6f766461
ASK = 0x6f766173
HEAD = struct.Struct("=6I")
MASK = (1 << 64) - 1


def mix(x):
    """As in ovpn-bulk.c."""
    x = (x + 0x9e3779b97f4a7c15) & MASK
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & MASK
    x = (x ^ x >> 27) * 0x94d049bb133111eb & MASK
    return x ^ x >> 31


def fill(seed, offset, size):
    """The bytes that belong to a seed."""
    first = offset // 8
    words = b"".join(struct.pack("<Q", mix((seed + i) & MASK))
                     for i in range(first, (offset + size + 7) // 8))
    return words[offset - 8 * first:][:size]


class Tap:
    """What has been seen."""

    def __init__(self, size):
        self.size = size
        self.streams = {}
        self.supers = self.echoes = self.tcp = self.udp = self.wrong = 0

    def packet(self, data):
        """One packet, or super-packet; False if it is not as it should be."""
        if data[0] == 0x45:
            length, = struct.unpack_from("!H", data, 2)
            protocol, ends, payload = data[9], data[12:20], data[20:]
        elif data[0] >> 4 == 6:
            length = 40 + struct.unpack_from("!H", data, 4)[0]
            protocol, ends, payload = data[6], data[8:40], data[40:]
        else:
            return False
        if length != len(data):
            return False
        self.supers += length > 1500
        if protocol == socket.IPPROTO_TCP:
            return self.segments(ends, payload)
        if protocol == socket.IPPROTO_UDP:
            return self.datagrams(payload)
        return self.echo(payload)

    def echo(self, data):
        """See filling() in ovpn-ping.c."""
        if data[0] not in (8, 128):
            return False
        seq, = struct.unpack_from("!H", data, 6)
        self.echoes += 1
        return all(byte == (seq * 7 + i) & 255
                   for i, byte in enumerate(data[8:]))

    def datagrams(self, data):
        """All but the last one are of the same size."""
        data = data[8:]
        for start in range(0, len(data), self.size):
            piece = data[start:start + self.size]
            head = HEAD.unpack_from(piece)
            if head[0] == ASK:
                continue
            seed = mix(head[1] << 32 | head[2])
            rest = len(piece) - HEAD.size
            if head[0] != DATA or \
               piece[HEAD.size:] != fill(seed, HEAD.size, rest):
                return False
            self.udp += len(piece)
        return True

    def segments(self, ends, data):
        """A stream begins with its seed."""
        key = ends + data[:4]
        seq, = struct.unpack_from("!I", data, 4)
        payload = data[(data[12] >> 4) * 4:]
        if data[13] & 2:
            self.streams[key] = [seq + 1, None]
        start, seed = self.streams[key]
        offset = (seq - start) & 0xffffffff
        if not offset and payload:
            seed, = struct.unpack_from("=Q", payload)
            self.streams[key][1] = seed
            payload, offset = payload[8:], 8
        self.tcp += len(payload)
        return not payload or payload == fill(seed, offset - 8, len(payload))

    def look(self, data):
        """Count a packet."""
        try:
            self.wrong += not self.packet(data)
        except (IndexError, KeyError, struct.error, TypeError):
            self.wrong += 1


def main():
    """See the usage."""
    over = []
    tap = Tap(int(sys.argv[2]))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    sock.bind((sys.argv[1], ETH_P_ALL))
    sock.settimeout(0.1)
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    print("ready", flush=True)
    while True:
        last = bool(over)
        try:
            data, source = sock.recvfrom(1 << 17)
        except TimeoutError:
            if last:
                break
            continue
        if source[2] == PACKET_OUTGOING:
            tap.look(data)
    print(f"supers={tap.supers} echoes={tap.echoes} tcp={tap.tcp}",
          f"udp={tap.udp} wrong={tap.wrong}")


main()
