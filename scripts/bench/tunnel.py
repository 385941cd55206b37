# SPDX-License-Identifier: GPL-2.0
"""Two network namespaces with a wire and a tunnel between them.

    +------ a, client ------+        +------ b, server ------+
    |  tun0   10.8.0.1/24   |        |  tun0   10.8.0.2/24   |
    |  wire0  10.0.0.1/24   +--------+  wire0  10.0.0.2/24   |
    +-----------------------+        +-----------------------+

Without a tunnel "tun0" is the wire itself, as the ceiling of all the others.
"""

import contextlib
import json
import os
import socket
import struct
import subprocess
import time

import netlink

ENDS = ("a", "b")
PORT = 1194


def run(*args, **kwargs):
    """A program that has to succeed; its output."""
    done = subprocess.run([str(arg) for arg in args], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", **kwargs)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, args))}: {done.stdout}")
    return done.stdout


def start(args):
    """A program that goes on; whoever starts it ends it."""
    return subprocess.Popen(args, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def exec_in(end, *args):
    """The arguments that run a program at one end."""
    return ["ip", "netns", "exec", end, *[str(arg) for arg in args]]


@contextlib.contextmanager
def inside(end):
    """Be at one end for a while."""
    with open("/proc/self/ns/net", "rb") as home, \
            open(f"/run/netns/{end}", "rb") as there:
        os.setns(there.fileno(), os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(home.fileno(), os.CLONE_NEWNET)


def wait_for(what, condition, seconds=10):
    """Until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"in vain waited for {what}")
        time.sleep(0.01)


def x25519_pair():
    """A private and a public key."""
    key = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "X25519", "-outform", "DER"],
        check=True, stdout=subprocess.PIPE).stdout
    public = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
        check=True, stdout=subprocess.PIPE, input=key).stdout
    return key[-32:], public[-32:]


class Module:
    """The one module "ovpn" of many that is in the kernel now."""

    name = None

    @classmethod
    def load(cls, name, path):
        """Have this one and no other."""
        if cls.name == name:
            return
        cls.unload()
        needs = run("modinfo", "-F", "depends", path).strip()
        if needs:
            run("modprobe", "-a", *needs.split(","))
        run("insmod", path)
        cls.name = name

    @classmethod
    def unload(cls):
        """Have none."""
        if cls.name:
            run("rmmod", "ovpn")
        cls.name = None


class Tunnel:
    """A tunnel from end to end; a context manager that takes it away.

    kind       veth, wireguard or ovpn (the module that is loaded)
    transport  udp or tcp    cipher  as ovpn-cli has it
    loss       per cent of packets that the wire loses, each way
    card       the wire carries packet by packet, as between network cards
    steer      rx-steering is on
    """

    def __init__(self, kind, cli=None, transport="udp", cipher="aes-gcm",
                 mtu=1420, loss=0, card=False, steer=False, seed=1):
        self.kind, self.cli, self.transport = kind, cli, transport
        self.cipher, self.mtu, self.loss, self.seed = cipher, mtu, loss, seed
        self.card, self.steer = card, steer
        self.holders, self.sockets = [], {}
        # namespaces that somebody added
        self.more = []

    def __enter__(self):
        try:
            self._wire()
            if self.card:
                self._card()
            getattr(self, f"_{self.kind}")()
            run(*exec_in("a", "ping", "-q", "-c", 1, "-W", 5, self.inner("b")))
            if self.loss:
                self._lose()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # Devices first: they use the sockets.
        for end in ENDS:
            subprocess.run(["ip", "-n", end, "link", "del", "tun0"],
                           check=False, stderr=subprocess.DEVNULL)
        for holder in self.holders:
            holder.terminate()
            holder.wait()
        for end in (*ENDS, *self.more):
            subprocess.run(["ip", "netns", "del", end], check=False,
                           stderr=subprocess.DEVNULL)

    @property
    def wire(self):
        """The name of the device on the wire."""
        return "tun0" if self.kind == "veth" else "wire0"

    def inner(self, end):
        """The address inside of the tunnel."""
        return f"10.8.0.{ENDS.index(end) + 1}"

    def outer(self, end):
        """The address on the wire."""
        return f"10.0.0.{ENDS.index(end) + 1}"

    def _wire(self):
        for end in ENDS:
            run("ip", "netns", "add", end)
            with inside(end):
                for name in ("all", "default"):
                    with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6",
                              "w", encoding="ascii") as stream:
                        stream.write("1")
            run("ip", "-n", end, "link", "set", "lo", "up")
        run("ip", "link", "add", self.wire, "netns", "a", "type", "veth",
            "peer", "name", self.wire, "netns", "b")
        for end in ENDS:
            run("ip", "-n", end, "addr", "add", f"{self.outer(end)}/24",
                "dev", self.wire)
            run("ip", "-n", end, "link", "set", self.wire, "up")

    def _up(self, end):
        run("ip", "-n", end, "addr", "add", f"{self.inner(end)}/24",
            "dev", "tun0")
        run("ip", "-n", end, "link", "set", "tun0", "mtu", self.mtu, "up")

    def _lose(self):
        """A packet that is lost is one packet, not 64 KB."""
        for end in ENDS:
            run(*exec_in(end, "ethtool", "-K", self.wire,
                         "tso", "off", "gso", "off"))
            run("tc", "-n", end, "qdisc", "add", "dev", self.wire, "root",
                "netem", "limit", 10000, "loss", f"{self.loss}%",
                "seed", self.seed + ENDS.index(end))

    def _card(self):
        """No super-packets, no fragments of memory; and the receiver does GRO."""
        for end in ENDS:
            run(*exec_in(end, "ethtool", "-K", self.wire, "tso", "off",
                         "gso", "off", "tx-udp-segmentation", "off",
                         "sg", "off", "gro", "on"))
            run("tc", "-n", end, "qdisc", "add", "dev", self.wire, "root",
                "pfifo", "limit", 10000)

    def _veth(self):
        for end in ENDS:
            self._up(end)

    def _wireguard(self):
        keys = {end: x25519_pair() for end in ENDS}
        for end, other in (ENDS, ENDS[::-1]):
            run("ip", "-n", end, "link", "add", "tun0", "type", "wireguard")
            address = socket.inet_aton(self.outer(other))
            allowed = netlink.attr(0, [
                netlink.attr(1, struct.pack("=H", socket.AF_INET)),
                netlink.attr(2, bytes(4)), netlink.attr(3, b"\0")])
            peer = netlink.attr(0, [
                netlink.attr(1, keys[other][1]),
                netlink.attr(4, struct.pack("=H", socket.AF_INET) +
                          struct.pack("!H", PORT) + address + bytes(8)),
                netlink.attr(9, [allowed])])
            with inside(end):
                netlink.Family("wireguard").call(1, [
                    netlink.attr(2, b"tun0\0"), netlink.attr(3, keys[end][0]),
                    netlink.attr(6, struct.pack("=H", PORT)),
                    netlink.attr(8, [peer])])
            self._up(end)

    def cli_at(self, end, *args):
        """ovpn-cli at one end."""
        return run(*exec_in(end, self.cli, *args))

    def _hold(self, end, *args):
        path = f"/tmp/{end}.sock"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.holders.append(start(exec_in(end, self.cli, "hold", path, *args)))
        wait_for("a socket", lambda: os.path.exists(path))
        return path

    def _open_sockets(self):
        if self.transport == "tcp":
            server = self._hold("b", "tcp4", self.outer("b"), PORT, "accept")
            client = self._hold("a", "tcp4", self.outer("a"), 0,
                                "to", self.outer("b"), PORT)
            return {"a": client, "b": server}
        return {end: self._hold(end, "udp4", "0.0.0.0", PORT) for end in ENDS}

    def _ovpn(self):
        sockets = self.sockets = self._open_sockets()
        for end, other in (ENDS, ENDS[::-1]):
            remote = vpn = ()
            if self.transport == "udp":
                remote = ("remote", self.outer(other), PORT)
            if end == "b":
                vpn = ("vpn4", self.inner("a"))
            self.cli_at(end, "link-new", "tun0", "mode",
                        "mp" if end == "b" else "p2p")
            self.cli_at(end, "peer-new", "tun0", "id", 1, "sock", sockets[end],
                        *remote, *vpn)
            self.cli_at(end, "key-new", "tun0", "id", 1, "slot", "primary",
                        "key-id", 0, "cipher", self.cipher, "secret", "bench",
                        "dir", ENDS.index(end))
            if self.steer:
                run(*exec_in(end, "ethtool", "--set-priv-flags", "tun0",
                             "rx-steering", "on"))
            self._up(end)

    def _certificate(self, end):
        """A certificate signed by itself, and its fingerprint."""
        path = f"/tmp/{end}"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30,
            "-subj", f"/CN={end}", "-keyout", f"{path}.key",
            "-out", f"{path}.crt")
        said = run("openssl", "x509", "-in", f"{path}.crt", "-noout",
                   "-fingerprint", "-sha256")
        return said.partition("=")[2].strip()

    def _openvpn(self):
        """The program alone, without any driver."""
        prints = {end: self._certificate(end) for end in ENDS}
        for end, other in (ENDS[::-1], ENDS):
            server = end == "b"
            proto = "udp4"
            if self.transport == "tcp":
                proto = "tcp4-server" if server else "tcp4-client"
            role = ("--tls-server", "--dh", "none") if server else \
                ("--tls-client", "--nobind", "--remote", self.outer(other),
                 PORT)
            self.holders.append(start(exec_in(
                end, "openvpn", "--dev", "tun0", "--disable-dco", "--proto",
                proto, "--port", PORT, *role, "--ifconfig", self.inner(end),
                self.inner(other), "--cert", f"/tmp/{end}.crt", "--key",
                f"/tmp/{end}.key", "--peer-fingerprint", prints[other],
                "--data-ciphers", self.cipher, "--tun-mtu", self.mtu)))
        wait_for("OpenVPN", lambda: subprocess.run(
            exec_in("a", "ping", "-q", "-c", 1, "-W", 1, self.inner("b")),
            check=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0, 20)

    #
    # What the kernel counts
    #

    def counters(self):
        """Losses of the devices, TCP's retransmissions, IP's fragments."""
        count = {"retransmits": 0, "fragments": 0}
        for end in ENDS:
            for dev in dict.fromkeys(("tun0", self.wire)):
                stats = json.loads(run("ip", "-n", end, "-s", "-j", "link",
                                       "show", dev))[0]["stats64"]
                for way in ("rx", "tx"):
                    for what in ("dropped", "errors"):
                        count[f"{end}.{dev}.{way}_{what}"] = stats[way][what]
            count.update(self._driver_counters(end))
            with inside(end), open("/proc/net/snmp",
                                   encoding="ascii") as stream:
                lines = [line.split() for line in stream]
            for (name, *names), (_, *values) in zip(lines[::2], lines[1::2]):
                found = dict(zip(names, values))
                if name == "Tcp:":
                    count["retransmits"] += int(found["RetransSegs"])
                elif name == "Ip:":
                    count["fragments"] += int(found["FragCreates"])
        return count

    @staticmethod
    def _driver_counters(end):
        done = subprocess.run(exec_in(end, "ethtool", "-S", "tun0"),
                              check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, encoding="utf-8")
        count = {}
        for line in done.stdout.split("\n"):
            name, colon, value = line.strip().partition(": ")
            if colon and value.isdigit() and not name.startswith("peer_ifind"):
                count[f"{end}.{name}"] = int(value)
        return count
