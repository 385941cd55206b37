# SPDX-License-Identifier: GPL-2.0
"""How much processor time something takes, on a machine that others use."""

import contextlib
import time
import tty


class Meter:
    """Processor time of this machine, as its host sees it."""

    def __init__(self, path):
        self.line = None
        with contextlib.suppress(OSError):
            # pylint: disable-next=consider-using-with
            line = open(path, "r+b", buffering=0)
            tty.setraw(line)
            self.line = line

    def __call__(self, word=b"?"):
        if not self.line:
            return None
        self.line.write(word + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += self.line.read(1)
        return None if answer == b"-\n" else float(answer)


class Calm:
    """Is the processor ours alone?

    What shares a core with us, another thread of the processor, makes us much
    slower, and no clock tells. A small piece of work does: how long it takes,
    compared with the best that was ever seen.
    """

    best = None

    @classmethod
    def now(cls):
        """Have a look. An interrupt in one of its parts does not count."""
        took = min(cls._work() for _ in range(5))
        cls.best = min(took, cls.best or took)
        return took < 1.2 * cls.best

    @staticmethod
    def _work():
        start = time.perf_counter()
        total = 0
        for number in range(2000):
            total += number ^ 21
        return time.perf_counter() - start


class Measured:
    """What changed in a window."""

    def __init__(self, clock, cpu, *changes, calm):
        # seconds by the clock and of a processor, and what was looked at
        self.clock, self.cpu, self.changes = clock, cpu, changes
        # Which part of the time the processor was ours alone; 0 if it never
        # was for long enough, and all of the time was taken.
        self.calm = calm


class Window:
    """A time in which something is measured, by many looks at it."""

    STEP = 0.05

    def __init__(self, meter, look):
        self.meter, self.look = meter, look

    def _now(self):
        # One after the other, at once: who measures has a realtime priority.
        cpu = self.meter()
        return time.monotonic(), cpu, *self.look()

    def _step(self):
        """What changed: the clock, processor time, and what is looked at."""
        before = self._now()
        time.sleep(self.STEP)
        after = self._now()
        if before[1] is None or after[1] is None:
            before, after = ((now[0], now[0], *now[2:])
                             for now in (before, after))
        return [new - old for old, new in zip(before, after)]

    def wait(self, seconds, busy=True):
        """Until a processor worked that long for us, undisturbed.

        Where the processor is idle most of the time, the clock alone counts.
        """
        whole, calm = Sum(), Sum()
        # There may be new processes.
        self.meter(b"look")
        limit = time.monotonic() + seconds * (6 if busy else 1)
        quiet = Calm.now()
        while time.monotonic() < limit:
            change = self._step()
            was_quiet, quiet = quiet, Calm.now()
            whole.add(change)
            if busy and quiet and was_quiet:
                calm.add(change)
            if calm.parts and calm.parts[1] >= seconds:
                break
        part = calm.parts[1] / whole.parts[1] if calm.parts else 0
        if calm.parts and calm.parts[1] >= 0.3 * seconds:
            return Measured(*calm.parts, calm=part)
        return Measured(*whole.parts, calm=0)


class Sum:
    """Of changes, one by one."""

    def __init__(self):
        self.parts = None

    def add(self, parts):
        """And these."""
        self.parts = [sum(pair) for pair in zip(self.parts, parts)] \
            if self.parts else parts
