#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Requests to family ovpn, and for links of kind ovpn, that are right, nearly
right, or nonsense.

What is asked for comes from the YAML specification of the family. Of each reply
it is checked that
  - there is exactly one, in time;
  - an error says what is wrong (extended acknowledgment), and has changed
    nothing: neither a peer nor a key of any device;
  - what succeeded can be seen: the peer with what was set, the key in its slot;
  - whatever peers and keys there are could have been asked for with good sense.
Run it in a network namespace of its own; it makes its devices there. A seed
makes a run repeatable.
"""

import argparse
import collections
import errno
import ipaddress
import os
import random
import socket
import struct
import sys

import yaml

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_CREATE, NLM_F_EXCL = 0x400, 0x200
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED, NLA_F_NET_BYTEORDER = 0x8000, 0x4000
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS, NLMSGERR_ATTR_MISS_TYPE = 1, 2, 5
SOL_NETLINK, NETLINK_EXT_ACK, NETLINK_CAP_ACK = 270, 11, 10
NETLINK_ADD_MEMBERSHIP = 1
NETLINK_ROUTE, NETLINK_GENERIC, GENL_ID_CTRL = 0, 16, 16
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO = 3, 4, 18
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_OVPN_MODE = 1, 2, 1

Reply = collections.namedtuple("Reply", "error message known payloads")


class Wrong(Exception):
    """The kernel did not do what it has to do."""


def attr(kind, data):
    """One attribute, padded."""
    return struct.pack("=HH", len(data) + 4, kind) + data + \
        b"\0" * (-len(data) % 4)


def parse(data):
    """The attributes in data as a dict of type to bytes; the last one wins."""
    found, at = {}, 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        if size < 4:
            break
        found[kind & 0x3fff] = data[at + 4:at + size]
        at += (size + 3) & ~3
    return found


class Netlink:
    """A socket that asks and gets one answer each time."""

    def __init__(self, protocol):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.settimeout(float(os.environ.get("OVPN_WAIT_MS", 10000)) / 1e3)
        self.seq = 0

    def ask(self, kind, payload, flags=0):
        """Send one message; its Reply."""
        self.seq += 1
        flags |= NLM_F_REQUEST | NLM_F_ACK
        self.sock.send(struct.pack("=IHHII", 16 + len(payload), kind, flags,
                                   self.seq, 0) + payload)
        payloads = []
        while True:
            try:
                data = self.sock.recv(65536)
            except socket.timeout:
                raise Wrong("no reply") from None
            at = 0
            while at < len(data):
                size, kind, got, seq = struct.unpack_from("=IHHI", data, at)
                body = data[at + 16:at + size]
                at += (size + 3) & ~3
                if seq != self.seq:
                    raise Wrong(f"a reply to request {seq}")
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return self.verdict(kind, got, body, payloads)
                payloads.append(body)

    @staticmethod
    def verdict(kind, flags, body, payloads):
        """The Reply that an error message or the end of a dump is."""
        error = -struct.unpack_from("=i", body)[0]
        tlvs = {}
        if flags & NLM_F_ACK_TLVS:
            tlvs = parse(body[4 + (16 if kind == NLMSG_ERROR else 0):])
        message = tlvs.get(NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode()
        known = NLMSGERR_ATTR_OFFS in tlvs or NLMSGERR_ATTR_MISS_TYPE in tlvs
        return Reply(error, message, known, payloads)


class Spec:
    """What of the specification is needed, with numbers."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            text = yaml.safe_load(file)
        self.enums = {one["name"]: one["entries"]
                      for one in text["definitions"] if one["type"] == "enum"}
        self.sets = {}
        for one in text["attribute-sets"]:
            base = self.sets.get(one.get("subset-of"), {})
            attrs = {}
            for number, given in enumerate(one["attributes"], 1):
                known = dict(base.get(given["name"], {"number": number}))
                known.update(given)
                attrs[given["name"]] = known
            self.sets[one["name"]] = attrs
        self.ops = {}
        self.number = {}
        for number, op in enumerate(text["operations"]["list"], 1):
            self.number[op["name"]] = number
            if "do" in op:
                self.ops[op["name"]] = op
        self.dumps = {self.number[name] for name, op in self.ops.items()
                      if "dump" in op}

    def attrs(self, name):
        """Attribute set by name."""
        return self.sets[name]

    def at(self, attrs, name):
        """Number of an attribute."""
        return self.sets[attrs][name]["number"]


class Sockets:
    """Descriptors of all sorts for attribute socket, kept open."""

    def __init__(self):
        self.keep = []
        self.good = {"udp4": [], "udp6": [], "tcp": []}
        for i in range(2):
            self.good["udp4"].append(self.bound(socket.AF_INET))
            self.good["udp6"].append(self.bound(socket.AF_INET6))
        for family in (socket.AF_INET, socket.AF_INET6):
            for i in range(3):
                self.good["tcp"].extend(self.pair(family))
        only6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        only6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening = socket.create_server(("127.0.0.1", 0))
        others = [only6, listening, socket.socket(),
                  socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
                  socket.socket(socket.AF_INET, socket.SOCK_RAW, 253),
                  socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)]
        self.keep += others
        self.bad = [one.fileno() for one in others] + list(os.pipe()) + \
            [os.open("/dev/null", os.O_RDONLY), 9999, 0xFFFFFFFF]

    def bound(self, family):
        """A UDP socket of that family."""
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind(("", 0))
        self.keep.append(sock)
        return sock.fileno()

    def pair(self, family):
        """Both ends of a TCP connection."""
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        server = socket.create_server((host, 0), family=family)
        one = socket.create_connection(server.getsockname()[:2])
        two = server.accept()[0]
        self.keep += [one, two]
        server.close()
        return [one.fileno(), two.fileno()]


class Fuzz:
    """Requests to the family, on two devices."""

    PEERS = (0, 1, 2, 3, 0xFFFFFF)
    ADDR4 = ("10.8.0.2", "10.8.0.3", "10.8.0.4", "0.0.0.0")
    ADDR6 = ("fd08::2", "fd08::3", "fd08::4", "::")
    REMOTE4 = ("10.0.0.2", "10.0.0.3", "127.0.0.1")
    REMOTE6 = ("fd00::2", "fe80::1", "::ffff:10.0.0.2", "::1")
    BAD4 = ("224.0.0.1", "255.255.255.255", "127.0.0.1", "0.1.2.3")
    BAD6 = ("ff02::1", "::1", "::ffff:1.2.3.4", "::2")
    # neither a peer nor a link: what counts, and what time changes
    COUNTERS = ("-bytes", "-packets")

    def __init__(self, spec, rnd):
        self.spec = spec
        self.rnd = rnd
        self.genl = Netlink(NETLINK_GENERIC)
        self.route = Netlink(NETLINK_ROUTE)
        self.devices = [self.device(f"fuzz{mode}", mode) for mode in (0, 1)]
        self.family, group = self.resolve()
        self.events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                    NETLINK_GENERIC)
        self.events.bind((0, 0))
        self.events.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
        self.events.setblocking(False)
        self.sockets = Sockets()
        self.count = collections.Counter()
        self.messages = collections.Counter()

    def device(self, name, mode):
        """A new device; its index."""
        reply = self.route.ask(RTM_NEWLINK, link_message(
            name=name, mode=bytes([mode])), NLM_F_CREATE | NLM_F_EXCL)
        if reply.error:
            raise Wrong(f"no device: {os.strerror(reply.error)}")
        return socket.if_nametoindex(name)

    def resolve(self):
        """Number of the family and of its multicast group."""
        reply = self.genl.ask(GENL_ID_CTRL, struct.pack("=BBH", 3, 1, 0) +
                              attr(2, b"ovpn\0"))
        if reply.error:
            raise Wrong("no family ovpn")
        attrs = parse(reply.payloads[0][4:])
        group = parse(parse(attrs[7])[1])
        return (struct.unpack("=H", attrs[1])[0],
                struct.unpack("=I", group[2])[0])

    def ask(self, cmd, attrs, flags=0, version=0, reserved=0):
        """One request to the family."""
        return self.genl.ask(self.family, struct.pack(
            "=BBH", cmd, version, reserved) + attrs, flags)

    #
    # Values
    #

    def good_value(self, name, given, dev):
        """What the driver may take for the attribute called name."""
        rnd = self.rnd
        if name in ("id", "peer-id", "tx-id"):
            return struct.pack("=I", rnd.choice(self.PEERS))
        if name == "ifindex":
            return struct.pack("=I", dev)
        if name == "socket":
            kind = rnd.choice(("udp4", "udp6", "udp6", "tcp"))
            return struct.pack("=I", rnd.choice(self.sockets.good[kind]))
        if name.startswith("keepalive"):
            return struct.pack("=I", rnd.choice((0, 3600, 10000, 86400)))
        if name.endswith("scope-id"):
            return struct.pack("=I", rnd.choice((0, 1, dev)))
        if name.endswith("-port"):
            return struct.pack(">H", rnd.randint(1, 65535))
        if name.endswith("ipv4"):
            return socket.inet_pton(socket.AF_INET, rnd.choice(
                self.REMOTE4 if name.startswith("remote") else self.ADDR4))
        if name.endswith("ipv6"):
            return socket.inet_pton(socket.AF_INET6, rnd.choice(
                self.REMOTE6 if name.startswith("remote") else self.ADDR6))
        if name == "cipher-key":
            return rnd.randbytes(rnd.choice((16, 24, 32, 32, 32)))
        if name == "nonce-tail":
            return rnd.randbytes(8)
        top = {"key-id": 7, "slot": 1, "cipher-alg": 2, "del-reason": 4}
        if given["type"] == "u32":
            return struct.pack("=I", rnd.randint(0, top.get(name, 1 << 31)))
        return struct.pack("=Q", rnd.getrandbits(64))

    def bad_value(self, name, given, dev):
        """What it should not take, most of the time."""
        rnd = self.rnd
        pick = rnd.randrange(6)
        if pick == 0:
            return rnd.randbytes(rnd.choice((0, 1, 2, 3, 5, 7, 8, 15, 17, 64)))
        if name == "socket" and pick < 5:
            return struct.pack("=I", rnd.choice(self.sockets.bad))
        if name.endswith("ipv4") and pick < 4:
            return socket.inet_pton(socket.AF_INET, rnd.choice(self.BAD4))
        if name.endswith("ipv6") and pick < 4:
            return socket.inet_pton(socket.AF_INET6, rnd.choice(self.BAD6))
        if name == "ifindex" and pick < 4:
            return struct.pack("=I", rnd.choice((0, 1, 9999, 0xFFFFFFFF)))
        if name == "cipher-key":
            return rnd.randbytes(rnd.choice((0, 1, 15, 17, 33, 255, 256, 257)))
        edge = (given.get("checks") or {}).get("max")
        if isinstance(edge, int) and pick < 4:
            return struct.pack("=I", rnd.choice((edge + 1, 0xFFFFFFFF)))
        good = self.good_value(name, given, dev)
        if pick == 4:
            return rnd.randbytes(len(good))
        return good[:-1] if pick == 5 else good + b"\0"

    #
    # Requests
    #

    # what peer-new and peer-set take at a time, of either family
    REMOTES = ((), ("remote-ipv4", "remote-port"),
               ("remote-ipv6", "remote-port"),
               ("remote-ipv6", "remote-ipv6-scope-id", "remote-port"))

    def wanted(self, op):
        """Names of attributes in the nest that make a request of this kind."""
        rnd = self.rnd
        if op == "peer-new":
            return ["id", "socket", *rnd.choice(self.REMOTES[1:]),
                    *rnd.choice((("vpn-ipv4",), ("vpn-ipv6",),
                                 ("vpn-ipv4", "vpn-ipv6"), ())),
                    *self.some("tx-id", "keepalive-interval",
                               "keepalive-timeout")]
        if op == "peer-set":
            return ["id", *rnd.choice(self.REMOTES),
                    *self.some("vpn-ipv4", "vpn-ipv6", "tx-id",
                               "keepalive-interval", "keepalive-timeout")]
        if op.startswith("peer"):
            return ["id"]
        if op == "key-new":
            return ["peer-id", "slot", "key-id", "cipher-alg", "encrypt-dir",
                    "decrypt-dir"]
        return ["peer-id"] if op == "key-swap" else ["peer-id", "slot"]

    def some(self, *names):
        """Some of the names."""
        return [name for name in names if self.rnd.random() < .3]

    def request(self, op, dev, faulty):
        """Attributes of a request as [number, value or list, name]."""
        attrs = self.spec.attrs(self.spec.ops[op]["attribute-set"])
        nest = "peer" if op.startswith("peer") else "keyconf"
        inner = self.spec.attrs(attrs[nest]["nested-attributes"])
        keys = self.spec.attrs("keydir")
        tree = []
        for name in self.wanted(op):
            if name.endswith("-dir"):
                value = [[keys[sub]["number"],
                          self.good_value(sub, keys[sub], dev), sub]
                         for sub in ("cipher-key", "nonce-tail")]
            else:
                value = self.good_value(name, inner[name], dev)
            tree.append([inner[name]["number"], value, name])
        whole = [[attrs["ifindex"]["number"],
                  self.good_value("ifindex", None, dev), "ifindex"],
                 [attrs[nest]["number"], tree, nest]]
        for _ in range(self.rnd.choice((1, 1, 1, 2, 4)) if faulty else 0):
            self.break_one(whole, dev)
        return whole

    def break_one(self, whole, dev):
        """Make one thing in the request wrong."""
        rnd = self.rnd
        level = whole
        while rnd.random() < .8:
            deeper = [one[1] for one in level if isinstance(one[1], list)]
            if not deeper:
                break
            level = rnd.choice(deeper)
        if not level:
            level.append([rnd.randrange(40), rnd.randbytes(4), "?"])
            return
        victim = rnd.choice(level)
        pick = rnd.randrange(8)
        if pick == 0:
            level.remove(victim)
        elif pick == 1:
            level.append([victim[0], rnd.randbytes(4), "?"])
        elif pick == 2:
            level.insert(rnd.randrange(len(level) + 1), [
                rnd.choice((0, 14, 23, 24, 99, 0x3fff)),
                rnd.randbytes(rnd.randrange(12)), "?"])
        elif pick == 3:
            victim[0] |= rnd.choice((NLA_F_NESTED, NLA_F_NET_BYTEORDER))
        elif pick == 4 and isinstance(victim[1], list):
            victim[1] = rnd.randbytes(rnd.randrange(24))
        elif not isinstance(victim[1], list):
            for group in self.spec.sets.values():
                if victim[2] in group:
                    victim[1] = self.bad_value(victim[2], group[victim[2]], dev)
                    break

    def pack(self, tree):
        """The bytes of a request."""
        out = b""
        for number, value, _ in tree:
            if isinstance(value, list):
                out += attr(number | NLA_F_NESTED, self.pack(value))
            else:
                out += attr(number, value)
        return out

    def damage(self, data):
        """Bytes changed, taken away or put in anywhere."""
        rnd = self.rnd
        data = bytearray(data)
        for _ in range(rnd.choice((1, 1, 2, 8))):
            at = rnd.randrange(len(data)) if data else 0
            pick = rnd.randrange(4)
            if pick == 0 and data:
                data[at] = rnd.choice((0, 1, 0x7f, 0x80, 0xff))
            elif pick == 1 and data:
                data[at] ^= 1 << rnd.randrange(8)
            elif pick == 2:
                del data[at:]
            else:
                data[at:at] = rnd.randbytes(rnd.randrange(1, 40))
        return bytes(data)

    #
    # What is there
    #

    def shown(self, attrs, payload, nest):
        """A reply's nest by the names of the specification."""
        found = parse(parse(payload[4:]).get(self.spec.at("ovpn", nest), b""))
        by_number = {given["number"]: name
                     for name, given in self.spec.attrs(attrs).items()}
        return {by_number[number]: value for number, value in found.items()
                if not by_number[number].endswith(self.COUNTERS)}

    def get_peer(self, dev, peer):
        """The peer, or None."""
        reply = self.ask(self.spec.number["peer-get"], self.pack([
            [self.spec.at("ovpn", "ifindex"), struct.pack("=I", dev), ""],
            [self.spec.at("ovpn", "peer"),
             [[self.spec.at("peer", "id"), peer, ""]], ""]]))
        if reply.error:
            return None
        return self.shown("peer", reply.payloads[0], "peer")

    def get_key(self, dev, peer, slot):
        """What is shown of a key, or None."""
        reply = self.ask(self.spec.number["key-get"], self.pack([
            [self.spec.at("ovpn", "ifindex"), struct.pack("=I", dev), ""],
            [self.spec.at("ovpn", "keyconf"),
             [[self.spec.at("keyconf", "peer-id"), peer, ""],
              [self.spec.at("keyconf", "slot"), slot, ""]], ""]]))
        if reply.error:
            return None
        return self.shown("keyconf", reply.payloads[0], "keyconf")

    def state(self):
        """All peers and keys."""
        state = {}
        for dev in self.devices:
            reply = self.ask(self.spec.number["peer-get"], attr(
                self.spec.at("ovpn", "ifindex"), struct.pack("=I", dev)),
                NLM_F_DUMP)
            if reply.error:
                raise Wrong(f"dump: {os.strerror(reply.error)}")
            for payload in reply.payloads:
                peer = self.shown("peer", payload, "peer")
                keys = [self.get_key(dev, peer["id"], struct.pack("=I", slot))
                        for slot in (0, 1)]
                self.check_sense(peer, keys)
                state[dev, peer["id"]] = (peer, keys)
        return state

    def check_sense(self, peer, keys):
        """Numbers are in their ranges, addresses are those of hosts."""
        for values, attrs in [(peer, "peer")] + [
                (key, "keyconf") for key in keys if key]:
            for name, value in values.items():
                checks = self.spec.attrs(attrs)[name].get("checks") or {}
                top = checks.get("max", 2 if name == "cipher-alg" else None)
                if isinstance(top, int) and \
                   int.from_bytes(value, sys.byteorder) > top:
                    raise Wrong(f"{name} is {value.hex()}")
        for name in ("vpn-ipv4", "vpn-ipv6", "remote-ipv4", "remote-ipv6",
                     "local-ipv4", "local-ipv6"):
            if name not in peer:
                continue
            addr = ipaddress.ip_address(peer[name])
            bad = addr.is_multicast or addr == ipaddress.ip_address(
                "255.255.255.255")
            if name.startswith("vpn"):
                bad |= addr.is_loopback or addr.is_unspecified or \
                    addr in ipaddress.ip_network("::ffff:0:0/96")
            if bad:
                raise Wrong(f"{name} is {addr}")

    def told(self):
        """Did the kernel tell of a change meanwhile?"""
        any_event = False
        while True:
            try:
                self.events.recv(65536)
                any_event = True
            except BlockingIOError:
                return any_event
            except OSError:
                any_event = True

    #
    # The rounds
    #

    def check_error(self, what, cmd, flags, reply):
        """Every refusal says why, but for commands that do not exist."""
        if not reply.error:
            return
        self.messages[reply.message] += 1
        unknown = cmd not in {self.spec.number[op] for op in self.spec.ops} or \
            (flags & NLM_F_DUMP and cmd not in self.spec.dumps)
        if unknown and reply.error in (errno.EOPNOTSUPP, errno.EINVAL):
            return
        if not reply.message and not reply.known:
            raise Wrong(f"{what}: {os.strerror(reply.error)} without a word")

    def check_effect(self, op, dev, tree, before):
        """What a good request asked for has come about."""
        given = {name: value for _, value, name in tree[1][1]}
        ident = given.get("id", given.get("peer-id"))
        if op == "peer-del":
            if self.get_peer(dev, ident) is not None:
                raise Wrong("peer-del: the peer is still there")
        elif op in ("peer-new", "peer-set"):
            peer = self.get_peer(dev, ident)
            if peer is None:
                raise Wrong(f"{op}: no such peer")
            for name in ("tx-id", "vpn-ipv4", "vpn-ipv6", "keepalive-interval",
                         "keepalive-timeout"):
                value = given.get(name, b"")
                if value.strip(b"\0") and peer.get(name) != value:
                    raise Wrong(f"{op}: {name} is {peer.get(name)}, not {value}")
        elif op == "key-new":
            key = self.get_key(dev, ident, given["slot"])
            if key is None or key["key-id"] != given["key-id"] or \
               key["cipher-alg"] != given["cipher-alg"]:
                raise Wrong(f"key-new: {given}, but there is {key}")
        elif op == "key-del":
            if self.get_key(dev, ident, given["slot"]) is not None:
                raise Wrong("key-del: the key is still there")
        elif op == "key-swap":
            now = self.slots(dev, ident)
            strip = [[dict(key or {}, slot=b"") for key in keys]
                     for keys in (now, before[::-1])]
            if strip[0] != strip[1]:
                raise Wrong(f"key-swap: {before} became {now}")

    def slots(self, dev, peer):
        """Both keys of a peer."""
        return [self.get_key(dev, peer, struct.pack("=I", slot))
                for slot in (0, 1)]

    def good(self):
        """A request that makes sense, with its effect."""
        op = self.rnd.choice(tuple(self.spec.ops) + (
            "peer-new", "peer-new", "key-new", "key-new"))
        dev = self.rnd.choice(self.devices)
        tree = self.request(op, dev, False)
        before = None
        if op == "key-swap":
            before = self.slots(dev, tree[1][1][0][1])
        reply = self.ask(self.spec.number[op], self.pack(tree))
        self.check_error(op, self.spec.number[op], 0, reply)
        self.count[op, os.strerror(reply.error) if reply.error else "ok"] += 1
        if not reply.error:
            self.check_effect(op, dev, tree, before)

    def bad(self):
        """A request with faults; whether it succeeded all the same."""
        rnd = self.rnd
        op = rnd.choice(tuple(self.spec.ops))
        dev = rnd.choice(self.devices)
        cmd, flags, version, reserved = self.spec.number[op], 0, 0, 0
        data = self.pack(self.request(op, dev, rnd.random() < .7))
        pick = rnd.randrange(12)
        if pick < 4:
            data = self.damage(data)
        elif pick == 4:
            data = rnd.randbytes(rnd.randrange(200))
        elif pick == 5:
            flags = rnd.getrandbits(16) & ~0x12
        elif pick == 6:
            cmd = rnd.randrange(256)
        elif pick == 7:
            version, reserved = rnd.randrange(256), rnd.choice((0, 1, 65535))
        reply = self.ask(cmd, data, flags, version, reserved)
        self.check_error(f"{op} {data.hex()}", cmd, flags, reply)
        self.count["faulty",
                   os.strerror(reply.error) if reply.error else "ok"] += 1
        return not reply.error

    def round(self):
        """A few good requests, then bad ones until one succeeds."""
        for _ in range(6):
            self.good()
        state = self.state()
        self.told()
        for _ in range(60):
            if self.bad():
                return
        now = self.state()
        if now != state and not self.told():
            raise Wrong(f"refused requests changed {state} to {now}")
        self.count["rounds in which all was refused", ""] += 1


def link_message(name=None, index=0, mode=None, data=None, kind=b"ovpn",
                 extra=b""):
    """A message of rtnetlink about a link."""
    info = attr(IFLA_INFO_KIND, kind)
    if mode is not None:
        data = attr(IFLA_OVPN_MODE, mode)
    if data is not None:
        info += attr(IFLA_INFO_DATA | NLA_F_NESTED, data)
    out = struct.pack("=BxHiII", 0, 0, index, 0, 0)
    if name:
        out += attr(IFLA_IFNAME, name.encode() + b"\0")
    return out + extra + attr(IFLA_LINKINFO | NLA_F_NESTED, info)


def fuzz_links(rnd, number, count):
    """Links that are made, changed and deleted, with all sorts of data."""
    route = Netlink(NETLINK_ROUTE)

    def exists(name):
        return any(one == name for _, one in socket.if_nameindex())

    for i in range(number):
        name = f"fl{i % 7}"
        pick = rnd.randrange(10)
        mode = bytes([rnd.choice((0, 1))])
        data, extra = None, b""
        if pick == 0:
            mode = rnd.randbytes(rnd.choice((0, 1, 2, 4)))
        elif pick == 1:
            mode, data = None, rnd.randbytes(rnd.randrange(24))
        elif pick == 2:
            mode = None
        elif pick == 3:
            extra = attr(IFLA_MTU, struct.pack("=I", rnd.choice(
                (0, 67, 68, 1279, 1500, 65387, 65536, 0xFFFFFFFF))))
        elif pick == 4:
            extra = attr(rnd.choice((1, 2, 5, 13, 49)), rnd.randbytes(6))
        there = exists(name)
        flags = rnd.choice((0, NLM_F_CREATE, NLM_F_CREATE | NLM_F_EXCL,
                            NLM_F_CREATE | NLM_F_EXCL))
        reply = route.ask(RTM_NEWLINK, link_message(
            name, mode=mode, data=data, extra=extra), flags)
        if there and flags & NLM_F_EXCL and not reply.error:
            raise Wrong("made a link that was there already")
        if reply.error and exists(name) != there:
            raise Wrong(f"{os.strerror(reply.error)}, but {name} came or went")
        if not reply.error and not exists(name):
            raise Wrong(f"no link {name}, and no error")
        count["newlink",
              os.strerror(reply.error) if reply.error else "ok"] += 1
        if rnd.random() < .4 and exists(name):
            reply = route.ask(RTM_DELLINK, link_message(
                index=socket.if_nametoindex(name)))
            if reply.error or exists(name):
                raise Wrong(f"{name} cannot be deleted")
            count["dellink", "ok"] += 1


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("family", "links"))
    parser.add_argument("--spec", required=True, help="ovpn.yaml")
    parser.add_argument("--count", type=int, default=20000, help="requests")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    rnd = random.Random(args.seed)
    count = collections.Counter()
    print(f"seed={args.seed}", flush=True)
    try:
        if args.what == "links":
            fuzz_links(rnd, args.count, count)
        else:
            fuzz = Fuzz(Spec(args.spec), rnd)
            count = fuzz.count
            shown = 0
            while sum(count.values()) < args.count:
                fuzz.round()
                if sum(count.values()) - shown >= 100000:
                    shown = sum(count.values())
                    print(f"requests={shown}", flush=True)
            print(f"messages={len(fuzz.messages)}")
            for message, times in fuzz.messages.most_common():
                print(f"  {times} {message or '(core)'}")
    except Wrong as wrong:
        print(f"after {sum(count.values())} requests: {wrong}")
        sys.exit(1)
    for (what, how), times in sorted(count.items()):
        print(f"  {what}: {how} {times}")
    print(f"requests={sum(count.values())}")


if __name__ == "__main__":
    main()
