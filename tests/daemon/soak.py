#!/usr/bin/env python3
"""Requests without end at a holdfastd of its own: is memory flat, are descriptors flat, is every answer right?

usage: HOLDFAST_BUILD=build tests/daemon/soak.py [REQUESTS]     (100000)
Streams and sessions, clean and infected, by 8 clients. Ten times on the way the private memory and the open
descriptors of all processes are looked at; the last may not be above the second by more than 10 % and 1 MiB, or 16
descriptors. Exit code 1: it was, or an answer was wrong."""
import os, socket, struct, sys, tempfile, threading, time
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "e2e")]
from daemon_lib import Daemon, NAME
from tap import eicar

CLIENTS, IN_SESSION = 8, 50


def chunked(data):
    return b"zINSTREAM\0" + struct.pack(">I", len(data)) + data + struct.pack(">I", 0)


def session(path, number):
    """IN_SESSION streams in one session, each answered under its number."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(path)
    s.sendall(b"zIDSESSION\0")
    bad = set()
    for n in range(1, IN_SESSION + 1):
        data = eicar() if (n + number) % 7 == 0 else os.urandom(64) * (1 + (n * 37 + number) % 200)
        if len(data) == 68:
            bad.add(n)
        s.sendall(chunked(data))
    got, text = {}, b""
    while len(got) < IN_SESSION:
        part = s.recv(65536)
        assert part, "closed after %d answers" % len(got)
        text += part
        *whole, text = text.split(b"\0")
        for answer in whole:
            n, what = answer.split(b": ", 1)
            got[int(n)] = what
    s.sendall(b"zEND\0")
    s.close()
    for n in range(1, IN_SESSION + 1):
        want = b"stream: " + (NAME + b" FOUND" if n in bad else b"OK")
        assert got[n] == want, (n, got[n], want)


def measure(d):
    """Private KiB and descriptors of all processes of the daemon."""
    memory = fds = 0
    for pid in [d.process.pid] + [p for pids in d.children().values() for p in pids]:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            memory += sum(int(l.split()[1]) for l in f if l.startswith(("Private_Clean:", "Private_Dirty:")))
        fds += len(os.listdir("/proc/%d/fd" % pid))
    return memory, fds


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    todo, lock, wrong, seen = [wanted // IN_SESSION], threading.Lock(), [], []

    def client():
        while not wrong:
            with lock:
                if todo[0] == 0:
                    return
                todo[0] -= 1
                number = todo[0]
            try:
                session(d.sock, number)
            except Exception as e:
                wrong.append(e)
    with tempfile.TemporaryDirectory(prefix="holdfast-soak.") as folder:
        os.chdir(folder)
        with Daemon() as d:
            start = time.time()
            for tenth in range(10):
                with lock:
                    todo[0] = wanted // IN_SESSION // 10
                threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
                if wrong:
                    print("wrong: %r" % wrong[0])
                    return 1
                seen.append(measure(d))
                print("%8d requests  %7.1f s  %6d KiB private  %4d descriptors" % ((tenth + 1) * (wanted // IN_SESSION // 10) * IN_SESSION,
                      time.time() - start, *seen[-1]), flush=True)
        os.chdir("/")
    flat = seen[-1][0] <= seen[1][0] * 1.1 + 1024 and seen[-1][1] <= seen[1][1] + 16
    print("flat" if flat else "NOT flat")
    return 0 if flat else 1


sys.exit(main())
