# SPDX-License-Identifier: GPL-2.0
"""TCP streams of iperf3 through a tunnel."""

import contextlib

import netlink
import peers
import tunnel as tunnels
from tunnel import exec_in, inside, wait_for

PORT = 5201


def listens(end, port):
    """Does somebody listen there?"""
    with inside(end), open("/proc/thread-self/net/tcp",
                           encoding="ascii") as stream:
        return any(line.split()[3] == "0A" and
                   line.split()[1].endswith(f":{port:04X}")
                   for line in list(stream)[1:])


@contextlib.contextmanager
def iperf(tunnel, *args):
    """Streams, while this lasts."""
    server = tunnels.start(exec_in("b", "iperf3", "-s", "-B",
                                   tunnel.inner("b")))
    client = None
    try:
        wait_for("iperf3", lambda: listens("b", PORT))
        client = tunnels.start(exec_in("a", "iperf3", "-t", 1000, "-c",
                                       tunnel.inner("b"), *args))
        yield
        if client.poll() is not None:
            raise RuntimeError("iperf3 ended")
    finally:
        # Its handlers of other signals may wait for ever.
        for program in (client, server):
            if program:
                program.kill()
                program.wait()


class Look:
    """Bytes that came out; how many segments were sent again."""

    def __init__(self, way):
        self.receiver = way == "up"
        self.ends = []
        for end in tunnels.ENDS:
            with inside(end):
                self.ends.append(netlink.Streams(PORT))

    def __call__(self):
        return (self.ends[self.receiver].look()[0],)

    def again(self):
        """Of both ends."""
        return sum(end.look()[1] for end in self.ends)


class Stream:
    """One test: streams in each direction, with these options of a tunnel."""

    def __init__(self, title, drivers=("ovpn",), parallel=1, idle=0,
                 **options):
        self.title, self.drivers, self.options = title, drivers, options
        self.parallel, self.idle = parallel, idle

    def run(self, bench, driver, turn):
        """The turn of one driver."""
        with bench.tunnel(driver, turn, **self.options) as tunnel:
            if self.idle:
                peers.add(tunnel, self.idle)
            return "   ".join([self.way(bench, tunnel, "up"),
                               self.way(bench, tunnel, "down", "-R")])

    def way(self, bench, tunnel, name, *args):
        """One direction."""
        look = Look(name)
        with iperf(tunnel, "-P", self.parallel, *args):
            wait_for("the stream", lambda: look()[0] > 1e6)
            before, start = tunnel.counters(), look.again()
            found = bench.measure(
                name, look, bench.seconds * (8 if tunnel.loss else 1),
                not tunnel.loss)
            after, end = tunnel.counters(), look.again()
        again = end - start
        counted = {key: after[key] - before.get(key, 0) for key in after}
        outer = counted.pop("retransmits") - again
        if tunnel.transport == "tcp":
            counted["outer_retransmits"] = max(0, outer)
        counted["retransmits"] = again
        return bench.put_rate(name, found.changes[0] * 8 / 1e6, "Mbit/s", found,
                              counted)


TESTS = {
    "veth": Stream("no tunnel", ("veth",)),
    "wireguard": Stream("WireGuard", ("wireguard",)),
    "openvpn": Stream("OpenVPN alone, UDP, AES-256-GCM", ("openvpn",),
                      cipher="AES-256-GCM"),
    "openvpn-tcp": Stream("OpenVPN alone, TCP, AES-256-GCM", ("openvpn",),
                          cipher="AES-256-GCM", transport="tcp"),
    "udp-gcm": Stream("UDP, AES-256-GCM"),
    "udp-chacha": Stream("UDP, ChaCha20-Poly1305",
                         cipher="chacha20-poly1305"),
    "tcp-gcm": Stream("TCP, AES-256-GCM", transport="tcp"),
    "tcp-chacha": Stream("TCP, ChaCha20-Poly1305", transport="tcp",
                         cipher="chacha20-poly1305"),
    "tcp-loss": Stream("TCP, AES-256-GCM, 5 % loss *", transport="tcp",
                       loss=5),
    "udp-1500": Stream("UDP, AES-256-GCM, MTU 1500", mtu=1500),
    "udp-card": Stream("UDP, AES-256-GCM, packet by packet",
                       ("wireguard", "ovpn"), card=True),
    "udp-4": Stream("UDP, AES-256-GCM, 4 streams", parallel=4),
    "tcp-4": Stream("TCP, AES-256-GCM, 4 streams", transport="tcp",
                    parallel=4),
    "peers-100": Stream("UDP, AES-256-GCM, 100 peers", idle=99),
    "peers-5000": Stream("UDP, AES-256-GCM, 5000 peers", idle=4999),
}
