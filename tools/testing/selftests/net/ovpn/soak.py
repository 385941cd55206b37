#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Many peers that come and go, for a long time, and memory that does not grow.

Two devices of mode mp, one in each namespace (soak.sh makes them), have the
other as each of their peers: peer n is 10.8.x.y for one and 10.9.x.y for the
other. Threads create, delete, move, forget and rekey peers over UDP and TCP at
random; others send through the tunnels, dump, make and delete devices; links go
down and up, addresses change. Now and then all stop. Then every peer has to
answer, and what the kernel has allocated is measured: the last third of these
figures must not be above the first.
"""

import argparse
import collections
import contextlib
import errno
import fcntl
import glob
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

from fuzz_netlink import (
    GENL_ID_CTRL, NETLINK_ADD_MEMBERSHIP, NETLINK_GENERIC, NETLINK_ROUTE,
    NLA_F_NESTED, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, RTM_DELLINK,
    RTM_NEWLINK, SOL_NETLINK, Netlink, Spec, Wrong, attr, link_message, parse)

IP_PKTINFO, IFLA_NET_NS_FD = 8, 28
SLOW = float(os.environ.get("OVPN_SLOW", 1))
LATEST = float(os.environ.get("OVPN_WAIT_MS", 10000)) / 1e3
PEER_DEL_NTF, PEER_FLOAT_NTF = "peer-del-ntf", "peer-float-ntf"
AES_GCM, CHACHA20 = 1, 2

# by how many bytes the least of the last third may be above that of the first;
# caches of slabs that the driver and its sockets allocate from
BOUNDS = {"objects": 256 << 10, "slab": 2 << 20, "percpu": 1 << 20,
          "vmalloc": 1 << 20, "pages": 16 << 20}
CACHES = re.compile(r"kmalloc-(?!rcl)|skb|TCP|UDP|tw_sock|request_sock|"
                    r"ip6?_dst|ip_fib|fib6|sock_inode|ovpn")


def u32(value):
    """A number as netlink has it."""
    return struct.pack("=I", value)


class Side:
    """One of the two hosts."""

    def __init__(self, name, dev, number):
        self.name, self.dev, self.number = name, dev, number
        self.fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        # who sends from here over UDP; it changes
        self.host = number
        self.enter()
        self.index = socket.if_nametoindex(dev)

    def enter(self):
        """What this thread opens from now on belongs to the host."""
        os.setns(self.fd, os.CLONE_NEWNET)

    def inner(self, peer):
        """The address inside the VPN that peer number has here."""
        return socket.inet_aton(f"10.{10 - self.number}.{peer >> 8}.{peer & 255}")

    def inner6(self, peer):
        """The same of IPv6."""
        return socket.inet_pton(socket.AF_INET6,
                                f"fd0{10 - self.number}::{peer:x}")

    def ip(self, *lines):
        """Commands for ip."""
        subprocess.run(["ip", "-n", self.name, "-batch", "-"], check=True,
                       input="\n".join(lines).encode())

    def up(self):
        """The device works, and leads to the other side."""
        other = self.number + 7
        self.ip(f"link set {self.dev} up",
                f"route replace 10.{other}.0.0/16 dev {self.dev}",
                f"route replace fd0{other}::/64 dev {self.dev}")

    def flap(self):
        """The device goes down for a moment."""
        self.ip(f"link set {self.dev} down")
        time.sleep(.05)
        self.up()


class Talk:
    """Requests to the family from one side, by one thread."""

    def __init__(self, spec, side):
        self.spec, self.side = spec, side
        side.enter()
        self.genl = Netlink(NETLINK_GENERIC)
        reply = self.genl.ask(GENL_ID_CTRL, struct.pack("=BBH", 3, 1, 0) +
                              attr(2, b"ovpn\0"))
        if reply.error:
            raise Wrong("no family ovpn")
        attrs = parse(reply.payloads[0][4:])
        self.family = struct.unpack("=H", attrs[1])[0]
        self.group = struct.unpack("=I", parse(parse(attrs[7])[1])[2])[0]

    def pack(self, kind, values):
        """Attributes of a set by name."""
        out = b""
        for name, value in values.items():
            given = self.spec.attrs(kind)[name]
            if isinstance(value, dict):
                out += attr(given["number"] | NLA_F_NESTED,
                            self.pack(given["nested-attributes"], value))
            else:
                out += attr(given["number"],
                            u32(value) if isinstance(value, int) else value)
        return out

    def ask(self, op, values, but=(), index=None, flags=0):
        """One request; errors in but are none. The error, and payloads."""
        request = {"ifindex": index or self.side.index}
        if values is not None:
            request["peer" if op.startswith("peer") else "keyconf"] = values
        reply = self.genl.ask(self.family, struct.pack(
            "=BBH", self.spec.number[op], 1, 0) + self.pack("ovpn", request),
            flags)
        if reply.error and reply.error not in but:
            raise Wrong(f"{op} {values} on {self.side.dev}: "
                        f"{os.strerror(reply.error)}: {reply.message}")
        return reply

    def has(self, peer):
        """Is it there?"""
        return not self.ask("peer-get", {"id": peer}, (errno.ENOENT,)).error

    def gone(self, peer):
        """Delete it, if it has not gone by itself."""
        self.ask("peer-del", {"id": peer}, (errno.ENOENT,))


class Pair:
    """Peer number n of either side."""

    def __init__(self, number, kind, steady):
        self.number, self.kind, self.steady = number, kind, steady
        self.there = False
        # both ends of the connection; of UDP the sockets' places in the lists
        self.ends = None
        self.key = 0
        # when both ends must have gone by themselves
        self.due = 0


class Worker(threading.Thread):
    """Brings life into some of the peers."""

    def __init__(self, soak, number, pairs):
        super().__init__(daemon=True)
        self.soak, self.pairs = soak, pairs
        self.port = 2000 + 100 * number
        self.rnd = random.Random(soak.seed * 1000 + number)
        self.lock = threading.Lock()
        self.a, self.b = (Talk(soak.spec, side) for side in soak.sides)
        soak.sides[0].enter()
        self.server = socket.create_server(
            ("::", self.port), family=socket.AF_INET6, dualstack_ipv6=True,
            backlog=64)
        self.server.settimeout(LATEST)
        self.sockets = [[self.bind(side, i) for i in range(soak.sockets)]
                        for side in soak.sides]
        self.count = collections.Counter()

    def bind(self, side, place):
        """A socket for UDP: every other one is of IPv6, for both families."""
        side.enter()
        family = socket.AF_INET6 if place % 2 else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        # a program that is just being started may still hold the one before
        until = time.monotonic() + LATEST
        while True:
            try:
                sock.bind(("", self.port + place))
                return sock
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                    raise
                time.sleep(.01)

    #
    # Peers
    #

    def connect(self, pair):
        """A connection of TCP."""
        self.soak.sides[1].enter()
        host = "fd01::1" if pair.number % 2 else "10.0.1.1"
        near = socket.create_connection((host, self.port), LATEST)
        far = self.server.accept()[0]
        for sock in (near, far):
            sock.settimeout(None)
        pair.ends = far, near

    def choose(self, pair):
        """Sockets of UDP for both ends."""
        step = 2 if pair.kind == "udp6" else 1
        pair.ends = tuple(self.rnd.randrange(step - 1, self.soak.sockets, step)
                          for _ in range(2))

    def add(self, pair, end):
        """Peer-new of one end."""
        talk, other = (self.a, self.b)[end], self.soak.sides[1 - end]
        values = {"id": pair.number, "vpn-ipv4": other.inner(pair.number),
                  "vpn-ipv6": other.inner6(pair.number),
                  "keepalive-interval": 10, "keepalive-timeout": 0}
        if pair.kind == "tcp":
            values["socket"] = pair.ends[end].fileno()
        else:
            values["socket"] = self.sockets[end][pair.ends[end]].fileno()
            values["remote-port"] = struct.pack(
                ">H", self.port + pair.ends[1 - end])
            if pair.kind == "udp6":
                values["remote-ipv6"] = socket.inet_pton(
                    socket.AF_INET6, f"fd00::{other.host}")
            else:
                values["remote-ipv4"] = socket.inet_aton(
                    f"10.0.0.{other.host}")
        # the one before may be on its way out
        until = time.monotonic() + LATEST
        while talk.ask("peer-new", values, (errno.EEXIST,)).error:
            if time.monotonic() > until:
                raise Wrong(f"peer {pair.number} does not go")
            time.sleep(.01)

    def give_keys(self, pair, slot):
        """A key for both."""
        material = self.rnd.randbytes(80)
        one, two = ({"cipher-key": material[at:at + 32],
                     "nonce-tail": material[at + 32:at + 40]}
                    for at in (0, 40))
        pair.key = (pair.key + 1) % 8
        cipher = self.rnd.choice((AES_GCM, AES_GCM, CHACHA20))
        for talk, out, back in ((self.a, one, two), (self.b, two, one)):
            talk.ask("key-new", {
                "peer-id": pair.number, "slot": slot, "key-id": pair.key,
                "cipher-alg": cipher, "encrypt-dir": out, "decrypt-dir": back})

    def create(self, pair):
        """The pair begins to work."""
        if pair.kind == "tcp":
            self.connect(pair)
        else:
            self.choose(pair)
        self.add(pair, 0)
        self.add(pair, 1)
        self.give_keys(pair, 0)
        pair.there = True

    def forget(self, pair):
        """Neither end is there any more."""
        for talk in (self.a, self.b):
            talk.gone(pair.number)
        self.hang_up(pair)
        pair.there = False

    @staticmethod
    def hang_up(pair):
        """Close what is left of the connection."""
        if pair.kind == "tcp" and pair.ends:
            for sock in pair.ends:
                sock.close()
        pair.ends = None

    def complete(self):
        """All are there."""
        for pair in self.pairs:
            if not pair.there:
                self.forget(pair)
                self.create(pair)

    #
    # What happens to them
    #

    def do_delete(self, pair):
        """Deleted; for now, or for a while."""
        self.forget(pair)
        if self.rnd.random() < .8:
            self.create(pair)

    def do_rekey(self, pair):
        """As OpenVPN does it."""
        self.give_keys(pair, 1)
        for talk in (self.a, self.b):
            talk.ask("key-swap", {"peer-id": pair.number})
        for talk in (self.a, self.b):
            talk.ask("key-del", {"peer-id": pair.number, "slot": 1})

    def do_set(self, pair):
        """Other times; where it is, once more."""
        values = {"id": pair.number,
                  "keepalive-interval": self.rnd.randrange(3, 20),
                  "keepalive-timeout": self.rnd.choice((0, 600))}
        if pair.kind == "udp4":
            values["remote-ipv4"] = socket.inet_aton(
                f"10.0.0.{self.soak.sides[1].host}")
            values["remote-port"] = struct.pack(">H", self.port + pair.ends[1])
        self.a.ask("peer-set", values)

    def do_move(self, pair):
        """One end starts again from another port, the other follows."""
        if pair.kind == "tcp":
            return self.do_delete(pair)
        self.b.gone(pair.number)
        near = pair.ends[0]
        self.choose(pair)
        pair.ends = near, pair.ends[1]
        self.add(pair, 1)
        return self.give_keys(pair, 0)

    def do_abandon(self, pair):
        """One end goes without a word, the other has to notice."""
        self.a.ask("peer-set", {"id": pair.number, "keepalive-interval": 1,
                                "keepalive-timeout": 2})
        if pair.kind == "tcp":
            # a connection that is closed by whomever ends at once
            linger = struct.pack("ii", self.rnd.choice((0, 1)), 0)
            sock = self.rnd.choice(pair.ends)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            sock.close()
        else:
            self.b.gone(pair.number)
        pair.there = False
        pair.due = time.monotonic() + 2 + SLOW

    def do_close(self, pair):
        """The socket of many is closed and opened anew."""
        if pair.kind == "tcp":
            return
        place = pair.ends[1]
        hit = [one for one in self.pairs
               if one.there and one.kind != "tcp" and one.ends[1] == place]
        if any(one.steady for one in hit):
            return
        self.sockets[1][place].close()
        self.sockets[1][place] = self.bind(self.soak.sides[1], place)
        for one in hit:
            self.add(one, 1)
            self.give_keys(one, 0)

    DEEDS = ("rekey",) * 40 + ("delete",) * 30 + ("move",) * 15 + \
        ("set",) * 15 + ("abandon",) * 6 + ("close",)

    def once(self):
        """Something happens."""
        pair = self.rnd.choice(self.pairs)
        deed = self.rnd.choice(self.DEEDS)
        if pair.steady:
            deed = self.rnd.choice(("rekey", "set"))
        if not pair.there:
            if pair.due > time.monotonic():
                return
            if pair.due and self.a.has(pair.number):
                if time.monotonic() > pair.due + LATEST:
                    raise Wrong(f"peer {pair.number} has not expired")
                return
            pair.due = 0
            deed = "create"
            self.forget(pair)
            self.create(pair)
        else:
            getattr(self, f"do_{deed}")(pair)
        self.count[deed] += 1

    def run(self):
        """Until the end."""
        self.soak.guarded(self.lock, self.once, .001)


class Echo:
    """Pings from one side to the other, through many tunnels."""

    def __init__(self, sides):
        self.near, self.far = sides[1], sides[0]
        self.near.enter()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                  socket.IPPROTO_ICMP)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.setblocking(False)
        self.ident = random.getrandbits(16)

    def send(self, peer, size):
        """One request through the tunnel of a peer."""
        rest = struct.pack(">HH", self.ident, peer) + bytes(size)
        total = 0x0800 + sum(struct.unpack(f">{len(rest) // 2}H", rest))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        info = struct.pack("=i4s4s", 0, self.near.inner(peer), bytes(4))
        # a device that is down, or a tunnel that is not there
        with contextlib.suppress(OSError):
            self.sock.sendmsg(
                [struct.pack(">BBH", 8, 0, ~total & 0xffff) + rest],
                [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0,
                (socket.inet_ntoa(self.far.inner(peer)), 0))

    def answers(self):
        """From whom answers have come."""
        while True:
            try:
                data = self.sock.recv(65536)
            except BlockingIOError:
                return
            at = (data[0] & 15) * 4
            kind, _, _, ident, peer = struct.unpack_from(">BBHHH", data, at)
            if kind == 0 and ident == self.ident:
                yield peer

    def ask(self, peers, seconds, size=56):
        """Send to all of them; those that have not answered in time."""
        self.ident = (self.ident + 1) & 0xffff
        waiting = set(peers)
        for peer in peers:
            self.send(peer, size)
            waiting.difference_update(self.answers())
        end = time.monotonic() + seconds
        while waiting and time.monotonic() < end:
            time.sleep(.01)
            waiting.difference_update(self.answers())
        return waiting


class Stream:
    """TCP through the tunnel of a steady peer, which may not get stuck."""

    def __init__(self, soak, family, peer):
        self.soak, self.lock, self.bytes = soak, threading.Lock(), 0
        far, near = soak.sides
        far.enter()
        server = socket.create_server(("", 0), family=family)
        near.enter()
        self.out = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET:
            ends = [socket.inet_ntoa(side.inner(peer)) for side in (far, near)]
        else:
            ends = [socket.inet_ntop(family, side.inner6(peer))
                    for side in (far, near)]
        self.out.settimeout(6 * LATEST)
        self.out.bind((ends[1], 0))
        self.out.connect((ends[0], server.getsockname()[1]))
        self.into = server.accept()[0]
        server.close()
        self.threads = [threading.Thread(target=self.read, daemon=True),
                        threading.Thread(target=soak.guarded, daemon=True,
                                         args=(self.lock, self.write, .1))]

    def read(self):
        """Take what comes."""
        buffer = bytearray(1 << 18)
        while True:
            got = self.into.recv_into(buffer)
            if not got:
                return
            self.bytes += got

    def write(self):
        """Send some."""
        try:
            self.out.sendall(bytes(1 << 20))
        except TimeoutError:
            raise Wrong("a stream is stuck") from None


class Soak:
    """All of it."""

    def __init__(self, args):
        self.spec = Spec(args.spec)
        self.seed, self.sockets = args.seed, args.sockets
        self.sides = [Side(args.a, "tunA", 1), Side(args.b, "tunB", 2)]
        self.gate = os.open(args.gate, os.O_RDWR | os.O_CREAT, 0o600)
        self.go = threading.Event()
        self.failed = None
        self.events = collections.Counter()
        self.count = collections.Counter()
        self.samples = []
        for side in self.sides:
            side.up()
        every = range(1, args.peers + 1)
        kinds = ("tcp", "udp4", "udp6", "udp4", "udp4")
        pairs = [Pair(n, kinds[n % 5], n in (1, 2, 5)) for n in every]
        self.workers = [Worker(self, w, pairs[w::args.workers])
                        for w in range(args.workers)]
        self.every = every
        self.locks = [worker.lock for worker in self.workers]

    def guarded(self, lock, function, pause):
        """Call it again and again, but not while all stand still."""
        try:
            while not self.failed:
                self.go.wait()
                with lock:
                    function()
                time.sleep(pause)
        except Wrong as wrong:
            self.failed = self.failed or wrong
        except Exception as wrong:  # whatever it is, the run has failed
            self.failed = self.failed or wrong
            raise

    def thread(self, function, pause):
        """One that stands still with the others."""
        lock = threading.Lock()
        self.locks.append(lock)
        threading.Thread(target=self.guarded, daemon=True,
                         args=(lock, function, pause)).start()

    #
    # What goes on beside the workers
    #

    def dumps(self):
        """Look at everything, as a program that reports does."""
        talks = [Talk(self.spec, side) for side in self.sides]
        talks[0].side.enter()
        events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                               NETLINK_GENERIC)
        events.bind((0, 0))
        events.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, talks[0].group)
        events.setblocking(False)
        rnd = random.Random(self.seed)

        def look():
            for talk in talks:
                reply = talk.ask("peer-get", None, flags=NLM_F_DUMP)
                if len(reply.payloads) > len(self.every):
                    raise Wrong(f"{len(reply.payloads)} peers in a dump")
                self.count["peers dumped"] += len(reply.payloads)
                talk.ask("key-get", {"peer-id": rnd.choice(self.every),
                                     "slot": 0}, (errno.ENOENT,))
            self.hear(events)

        self.thread(look, .2)

    def hear(self, events):
        """Count what is told, as far as it gets through."""
        names = {number: name for name, number in self.spec.number.items()}
        reasons = self.spec.enums["del-peer-reason"]
        while True:
            try:
                data = events.recv(65536)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                continue
            name = names[data[16]]
            if name == PEER_DEL_NTF:
                peer = parse(parse(data[20:])[self.spec.at("ovpn", "peer")])
                reason = peer[self.spec.at("peer", "del-reason")]
                name = reasons[struct.unpack("=I", reason)[0]]
            self.events[name] += 1

    def pings(self):
        """Something for tunnels to do, whether they are there or not."""
        echo, rnd = Echo(self.sides), random.Random(self.seed)

        def some():
            peers = rnd.sample(self.every, min(50, len(self.every)))
            missing = echo.ask(peers, .05, 2 * rnd.randrange(650))
            self.count["pings answered"] += len(peers) - len(missing)

        self.thread(some, .02)

    def devices(self):
        """Others come and go with all their peers, and into the other host."""
        route = []
        for side in self.sides:
            side.enter()
            route.append(Netlink(NETLINK_ROUTE))
        talk = Talk(self.spec, self.sides[0])
        rnd = random.Random(self.seed)

        def one():
            mode = rnd.randrange(2)
            if route[0].ask(RTM_NEWLINK, link_message(
                    name="guest", mode=bytes([mode])),
                    NLM_F_CREATE | NLM_F_EXCL).error:
                raise Wrong("no device")
            self.sides[0].enter()
            index = socket.if_nametoindex("guest")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                for peer in range(1, 31):
                    talk.ask("peer-new", {
                        "id": peer, "socket": sock.fileno(),
                        "remote-ipv4": socket.inet_aton("10.0.0.9"),
                        "remote-port": struct.pack(">H", 1000 + peer),
                        "vpn-ipv4": socket.inet_aton(f"10.7.0.{peer}")},
                        index=index)
                if rnd.random() < .5:
                    sock.close()
            at = 0
            if rnd.random() < .5:
                at = 1
                if route[0].ask(RTM_NEWLINK, link_message(
                        index=index, extra=attr(
                            IFLA_NET_NS_FD, u32(self.sides[1].fd)))).error:
                    raise Wrong("the device cannot move")
                self.sides[1].enter()
                index = socket.if_nametoindex("guest")
            if route[at].ask(RTM_DELLINK, link_message(index=index)).error:
                raise Wrong("the device cannot be deleted")
            self.count["devices"] += 1

        self.thread(one, .3)

    def outside(self, step):
        """What happens to the hosts: links and addresses."""
        if step % 3 == 0:
            self.sides[step // 3 % 2].flap()
            self.count["links down"] += 1
            return
        side = self.sides[1]
        old, side.host = side.host, 5 - side.host
        side.ip(f"addr add 10.0.0.{side.host}/24 dev veth",
                f"addr add fd00::{side.host}/64 dev veth nodad",
                f"addr del 10.0.0.{old}/24 dev veth",
                f"addr del fd00::{old}/64 dev veth")
        self.count["addresses changed"] += 1

    #
    # Standing still
    #

    @contextlib.contextmanager
    def still(self):
        """Nobody does anything."""
        self.go.clear()
        fcntl.flock(self.gate, fcntl.LOCK_EX)
        with contextlib.ExitStack() as stack:
            for lock in self.locks:
                stack.enter_context(lock)
            yield
        fcntl.flock(self.gate, fcntl.LOCK_UN)
        self.go.set()

    def complete(self, echo):
        """Every peer is there and answers."""
        for worker in self.workers:
            worker.complete()
        missing = set(self.every)
        end = time.monotonic() + LATEST
        while missing:
            missing = echo.ask(sorted(missing), SLOW)
            if missing and time.monotonic() > end:
                raise Wrong(f"no answer from {len(missing)} peers: "
                            f"{sorted(missing)[:20]}")

    def sample(self, echo):
        """What is allocated while all stand still."""
        with self.still():
            self.complete(echo)
            # what RCU frees in its own time
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
                file.write("2")
            shrink()
            before, now = None, memory()
            end = time.monotonic() + 4
            while time.monotonic() < end and (
                    not before or abs(before["objects"] - now["objects"]) > 4096):
                time.sleep(.3)
                before, now = now, memory()
            self.samples.append(now)
        return now

    def run(self, seconds):
        """For so long; the last of the figures."""
        echo = Echo(self.sides)
        for worker in self.workers:
            worker.complete()
        self.complete(echo)
        streams = [Stream(self, socket.AF_INET6, 1),
                   Stream(self, socket.AF_INET, 5)]
        self.locks += [stream.lock for stream in streams]
        self.dumps()
        self.pings()
        self.devices()
        for thread in self.workers + [one for s in streams for one in s.threads]:
            thread.start()

        begin = time.monotonic()
        number = int(max(6, min(60, seconds / 20)))
        # the first part is for growing to what is needed
        due = [begin + seconds * (i + 2) / (number + 1) for i in range(number)]
        step, next_step = 0, begin
        self.go.set()
        while due and not self.failed:
            now = time.monotonic()
            if now >= due[0]:
                due.pop(0)
                sample = self.sample(echo)
                # a sample takes no time from the work
                stood = time.monotonic() - now
                due = [when + stood for when in due]
                print(f"{int(now - begin)} s: " + " ".join(
                    f"{name}={size >> 10}" for name, size in sample.items()
                    if name in BOUNDS) + " KiB, " + self.figures(), flush=True)
            elif now >= next_step:
                self.outside(step)
                step, next_step = step + 1, now + 2 * SLOW
            time.sleep(.05)
        self.count["MB streamed"] = sum(s.bytes for s in streams) >> 20
        if self.failed:
            raise self.failed

    def figures(self):
        """What has been done."""
        deeds = sum(sum(worker.count.values()) for worker in self.workers)
        return f"deeds={deeds} answered={self.count['pings answered']}"

    def verdict(self):
        """Is it flat? And has everything happened?"""
        third = len(self.samples) // 3
        grown = []
        for name, bound in BOUNDS.items():
            # what is lost is missing in all of them, what is on its way is not
            first, last = (min(one[name] for one in part)
                           for part in (self.samples[:third],
                                        self.samples[-third:]))
            print(f"{name}: {first / 1024:.0f} KiB, then {last / 1024:.0f} KiB "
                  f"(at most {bound >> 10} more)")
            if last - first > bound:
                grown.append(name)
        done = sum((worker.count for worker in self.workers),
                   collections.Counter()) + self.count
        for what, times in sorted(done.items()) + sorted(self.events.items()):
            print(f"  {what}: {times}")
        if grown:
            first, last = self.samples[0], self.samples[-1]
            for name in sorted(first, key=lambda n: first[n] - last.get(n, 0)):
                if last.get(name, 0) - first[name] > 16384:
                    print(f"  {name}: {(last[name] - first[name]) >> 10} KiB more")
            raise Wrong(f"grown: {' '.join(grown)}")
        for what in ("userspace", "expired", "transport-disconnect",
                     PEER_FLOAT_NTF):
            if not self.events[what]:
                raise Wrong(f"nobody was told of: {what}")

    def end(self):
        """All go at once."""
        self.sides[0].enter()
        route = Netlink(NETLINK_ROUTE)
        with self.still():
            begin = time.monotonic()
            if route.ask(RTM_DELLINK, link_message(
                    index=self.sides[0].index)).error:
                raise Wrong("the device cannot be deleted")
            took = time.monotonic() - begin
            print(f"device deleted in {took * 1e3:.0f} ms")
            if took > LATEST:
                raise Wrong("deleting the device takes long")
            sys.stdout.flush()
            os._exit(0)


def shrink():
    """Free what the caches keep, as KASAN does: its quarantine of freed objects,
    a hundred megabytes, else counts as allocated."""
    for path in glob.glob("/sys/kernel/slab/*/shrink"):
        with open(path, "w", encoding="ascii") as file:
            file.write("1")


def memory():
    """What the kernel has allocated, in bytes."""
    with open("/proc/meminfo", encoding="ascii") as file:
        info = {line.split(":")[0]: int(line.split()[1]) << 10 for line in file}
    found = {"objects": 0, "slab": info["SUnreclaim"],
             "percpu": info["Percpu"], "vmalloc": info["VmallocUsed"],
             "pages": info["MemTotal"] - sum(info[name] for name in (
                 "MemFree", "Buffers", "Cached", "AnonPages", "Slab",
                 "VmallocUsed", "Percpu", "PageTables", "KernelStack"))}
    # no such file: only the larger measure
    with contextlib.suppress(FileNotFoundError), \
            open("/proc/slabinfo", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if len(words) > 3 and CACHES.match(words[0]):
                found[words[0]] = int(words[1]) * int(words[3])
                found["objects"] += found[words[0]]
    return found


def main():
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("a", help="namespace with device tunA")
    parser.add_argument("b", help="namespace with device tunB")
    parser.add_argument("--spec", required=True, help="ovpn.yaml")
    parser.add_argument("--gate", required=True,
                        help="file; who holds a lock on it is waited for")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--peers", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--sockets", type=int, default=16,
                        help="for UDP, of a worker and side")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    try:
        soak = Soak(args)
        soak.run(args.seconds)
        soak.verdict()
        soak.end()
    except Wrong as wrong:
        print(f"wrong: {wrong}", flush=True)
        # without waiting for threads that are in the middle of something
        os._exit(1)


if __name__ == "__main__":
    main()
