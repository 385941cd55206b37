# SPDX-License-Identifier: GPL-2.0
"""Single packets: forwarded by a router, or there and back again."""

import re

import streams
import tunnel as tunnels
from tunnel import exec_in, inside, run, wait_for

EVERYBODY = ("veth", "wireguard", "ovpn")


class Device:
    """What a device has received and sent: packets."""

    def __init__(self, end, name):
        self.name = name
        with inside(end):
            # pylint: disable-next=consider-using-with
            self.file = open("/proc/thread-self/net/dev", encoding="ascii")

    def __call__(self):
        self.file.seek(0)
        for line in self.file:
            name, _, values = line.strip().partition(":")
            if name == self.name:
                return int(values.split()[1]), int(values.split()[9])
        raise RuntimeError(f"no device {self.name}")


class Forward:
    """Packets of a size that come in bursts from elsewhere.

    "a" is a router between the tunnel and a host "g", which sends; "b" passes
    them on to a device that swallows them.
    """

    drivers = EVERYBODY

    def __init__(self, size):
        self.size = size
        self.title = f"forwarded packets of {size} bytes"

    @staticmethod
    def _build(tunnel):
        tunnel.more.append("g")
        run("ip", "netns", "add", "g")
        run("ip", "link", "add", "gen0", "netns", "g", "type", "veth",
            "peer", "name", "gen0", "netns", "a")
        for end, address in (("g", "10.10.0.1/24"), ("a", "10.10.0.2/24")):
            run("ip", "-n", end, "addr", "add", address, "dev", "gen0")
            run("ip", "-n", end, "link", "set", "gen0", "up")
        # Bursts become packets at the host, as they come from a wire.
        run(*exec_in("g", "ethtool", "-K", "gen0", "tx", "off", "sg", "off",
                     "tx-udp-segmentation", "off"))
        run("ip", "-n", "g", "route", "add", "10.9.0.0/24",
            "via", "10.10.0.2")
        run("ip", "-n", "a", "route", "add", "10.9.0.0/24",
            "via", tunnel.inner("b"), "dev", "tun0")
        run("ip", "-n", "b", "route", "add", "10.10.0.0/24",
            "via", tunnel.inner("a"), "dev", "tun0")
        run("ip", "-n", "b", "link", "add", "sink0", "type", "dummy")
        run("ip", "-n", "b", "addr", "add", "10.9.0.1/24", "dev", "sink0")
        run("ip", "-n", "b", "link", "set", "sink0", "up")
        for end in tunnels.ENDS:
            with inside(end), open("/proc/sys/net/ipv4/ip_forward", "w",
                                   encoding="ascii") as stream:
                stream.write("1")

    def run(self, bench, driver, turn):
        """The turn of one driver."""
        with bench.tunnel(driver, turn) as tunnel:
            self._build(tunnel)
            look = Device("b", "sink0")
            before = look()[1]
            sender = tunnels.start(exec_in(
                "g", bench.config["burst"], "/run/netns/b", "sink0",
                "10.9.0.2", self.size))
            try:
                wait_for("packets", lambda: look()[1] > before + 1000)
                counted = tunnel.counters()
                found = bench.measure("up", look)
                after = tunnel.counters()
                if sender.poll() is not None:
                    raise RuntimeError("the sender ended")
            finally:
                sender.kill()
                sender.wait()
        counted = {key: after[key] - counted.get(key, 0) for key in after}
        counted.pop("retransmits")
        return bench.put_rate("up", found.changes[1] / 1e3, "kpps", found,
                              counted)


class RoundTrip:
    """Echo requests one after the other, alone and beside a stream."""

    def __init__(self, transport, drivers=EVERYBODY):
        self.transport, self.drivers = transport, drivers
        self.title = f"round trips, {transport.upper()}"

    def run(self, bench, driver, turn):
        """The turn of one driver."""
        with bench.tunnel(driver, turn, transport=self.transport) as tunnel:
            look = Device("a", "tun0")
            ping = tunnels.start(exec_in("a", "ping", "-q", "-f",
                                         tunnel.inner("b")))
            try:
                start = look()[0]
                wait_for("answers", lambda: look()[0] > start + 100)
                found = bench.measure("idle", look)
            finally:
                ping.kill()
                ping.wait()
            text = bench.put_rate("idle", found.changes[0], "round trips",
                                  found, {})
            with streams.iperf(tunnel):
                wait_for("the stream", lambda: look()[0] > start + 10000)
                said = run(*exec_in("a", "ping", "-q", "-i", 0.01, "-w", 3,
                                    tunnel.inner("b")))
        lost, average = re.search(
            r"([\d.]+)% packet loss.*= [\d.]+/([\d.]+)/", said, re.S).groups()
        bench.results.put("loaded.ms", float(average))
        bench.results.put("loaded.lost", float(lost))
        return f"{text}, beside a stream {average} ms, {lost} % lost"


TESTS = {
    "packets-64": Forward(64),
    "packets-1400": Forward(1400),
    "rtt": RoundTrip("udp"),
    "rtt-tcp": RoundTrip("tcp", ("ovpn",)),
}
