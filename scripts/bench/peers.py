# SPDX-License-Identifier: GPL-2.0
"""A server with many peers, all idle."""

import os
import re
import socket
import struct
import time

import netlink
from tunnel import inside, run

# OVPN_... of the uapi header, and the header
NUMBERS = {}
HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../include/uapi/linux/ovpn.h")


def numbers():
    """The names of the interface."""
    if not NUMBERS:
        with open(HEADER, encoding="ascii") as stream:
            text = stream.read()
        for body in re.findall(r"enum\s*\w*\s*{(.*?)}", text, re.S):
            value = 0
            for name, given in re.findall(r"\bOVPN_(\w+)(?: = (\d+))?,", body):
                value = int(given) if given else value
                NUMBERS[name] = value
                value += 1
    return NUMBERS


def fetch_socket(path):
    """The descriptor that a holder of ovpn-cli gives away."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(path)
        return socket.recv_fds(stream, 1, 1)[1][0]


class Server:
    """The device at the end "b", for requests in great number."""

    FIRST = 1000

    def __init__(self, tunnel):
        self.names = numbers()
        self.fd = fetch_socket(tunnel.sockets["b"])
        with inside("b"):
            self.family = netlink.Family("ovpn")
            self.index = socket.if_nametoindex("tun0")

    def _attr(self, name, value):
        if isinstance(value, int):
            value = struct.pack("=I", value)
        return netlink.attr(self.names[name], value)

    def _call(self, command, *attrs):
        self.family.call(self.names[command],
                         [self._attr("A_IFINDEX", self.index), *attrs])

    def add(self, number, key=True):
        """One more peer, with a key."""
        peer = self.FIRST + number
        self._call("CMD_PEER_NEW", self._attr("A_PEER", [
            self._attr("A_PEER_ID", peer),
            self._attr("A_PEER_SOCKET", self.fd),
            self._attr("A_PEER_REMOTE_IPV4",
                       struct.pack("!I", 0x0a000100 + number // 50000)),
            self._attr("A_PEER_REMOTE_PORT",
                       struct.pack("!H", 1024 + number % 50000)),
            self._attr("A_PEER_VPN_IPV4",
                       struct.pack("!I", 0x0a640000 + number))]))
        if not key:
            return
        ways = [self._attr(name, [
            self._attr("A_KEYDIR_CIPHER_KEY",
                       struct.pack("=IB27x", number, way)),
            self._attr("A_KEYDIR_NONCE_TAIL", bytes(8))])
            for way, name in enumerate(("A_KEYCONF_ENCRYPT_DIR",
                                        "A_KEYCONF_DECRYPT_DIR"))]
        self._call("CMD_KEY_NEW", self._attr("A_KEYCONF", [
            self._attr("A_KEYCONF_PEER_ID", peer),
            self._attr("A_KEYCONF_SLOT", 0),
            self._attr("A_KEYCONF_KEY_ID", 0),
            self._attr("A_KEYCONF_CIPHER_ALG", 1), *ways]))

    def remove(self, number):
        """One less."""
        self._call("CMD_PEER_DEL", self._attr("A_PEER", [
            self._attr("A_PEER_ID", self.FIRST + number)]))

    def close(self):
        """Let the socket go."""
        os.close(self.fd)


def add(tunnel, count):
    """That many idle peers."""
    server = Server(tunnel)
    for number in range(count):
        server.add(number)
    server.close()


def free_memory():
    """Bytes that are free, once caches are dropped."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as stream:
        stream.write("3")
    with open("/proc/meminfo", encoding="ascii") as stream:
        values = dict(line.split(":") for line in stream)
    return 1024 * sum(int(values[name].split()[0])
                      for name in ("MemFree", "Buffers", "Cached",
                                   "SReclaimable"))


class Scale:
    """Memory of idle peers, and the time it takes to have and to lose them."""

    drivers = ("ovpn",)

    def __init__(self, count):
        self.count = count
        self.title = f"{count} peers"

    def run(self, bench, driver, turn):
        """The turn of one driver."""
        with bench.tunnel(driver, turn) as tunnel:
            server = Server(tunnel)
            # Once, for what comes with the first of its kind
            server.add(0)
            server.remove(0)
            before = free_memory()
            words = [self._timed(bench, "add", server.add)]
            memory = (before - free_memory()) / self.count
            bench.results.put("memory", memory)
            words.append(f"memory {memory:.0f} bytes each")
            words.append(self._timed(bench, "delete", server.remove))
            for number in range(self.count):
                server.add(number)
            server.close()
            start = time.monotonic()
            run("ip", "-n", "b", "link", "del", "tun0", timeout=600)
            gone = time.monotonic() - start
            bench.results.put("device", gone)
            words.append(f"delete the device {gone:.2f} s")
        return "   ".join(words)

    def _timed(self, bench, name, what):
        start = time.monotonic()
        for number in range(self.count):
            what(number)
        took = time.monotonic() - start
        bench.results.put(name, took)
        return f"{name} {took:.2f} s"


TESTS = {"scale": Scale(2000)}
