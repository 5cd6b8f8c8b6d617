#!/usr/bin/env python3
"""A day of updates (+5,000, -500) of a full-size ClamAV set, from publisher to endpoint: bytes, seconds, memory.
HOLDFAST_BUILD=build bench/update_full.py SET [SEED], in an empty folder with room for five times the set.

The day's lines are taken out of the set before the first release, in proportion to what its files hold, so that they
are as varied as the rest. For comparison: the whole files, the changed lines as gzip'd text, and what sigtool --diff
makes of the same lines (a cdiff is that script, gzip'd, behind 350 bytes of header and signature)."""
import gzip, math, os, random, resource, shutil, socket, subprocess, sys, threading, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e"))
import feed_lib, tap
from feed_lib import Endpoint, Publisher, Server
feed_lib.run = lambda *a, **more: tap.run(*a, **{"timeout": 3600, **more})

KINDS = ["hdb", "hsb", "mdb", "msb", "ndb", "ldb"]
ADDED, GONE = 5000, 500


def pick(folder, rng):
    """{file: {line number: "add" or "gone"}} in proportion to lines."""
    files = sorted(f for f in os.listdir(folder) if f.rsplit(".", 1)[-1] in KINDS)
    counts = {f: sum(1 for _ in open(os.path.join(folder, f), "rb")) for f in files}
    every = sum(counts.values())
    out = {f: {} for f in files}
    for what, n in (("add", ADDED), ("gone", GONE)):
        while n > 0:
            at = rng.randrange(every)
            for f in files:
                if at < counts[f]:
                    break
                at -= counts[f]
            if at not in out[f]:
                out[f][at] = what
                n -= 1
    return out, every


def split(folder, chosen):
    """base/ without the added lines; add/ and gone/ with the chosen ones."""
    for d in ("base", "add", "gone"):
        os.mkdir(d)
    for f in sorted(os.listdir(folder)):
        source = os.path.join(folder, f)
        if not chosen.get(f):
            shutil.copy(source, "base/" + f)
            continue
        outs = {w: open("%s/%s" % (w, f), "wb") for w in ("base", "add", "gone")}
        for i, line in enumerate(open(source, "rb")):
            what = chosen[f].get(i)
            if what != "add":
                outs["base"].write(line)
            if what is not None:
                outs[what].write(line)
        for w, o in outs.items():
            o.close()
            if os.path.getsize(o.name) == 0:
                os.unlink(o.name)


def size_of(folder):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(folder) for f in fs)


def text_of(folder):
    return b"".join(open(os.path.join(folder, f), "rb").read() for f in sorted(os.listdir(folder)))


def floor(every):
    """Bits that nobody can save: each added digest is 12 random bytes (what both sides keep is enough to recognise
    it) and a size; patterns as gzip leaves them; which 500 of all are gone. Names not counted."""
    bits = (math.lgamma(every + 1) - math.lgamma(GONE + 1) - math.lgamma(every - GONE + 1)) / math.log(2)
    patterns = b""
    for f in os.listdir("add"):
        data = open("add/" + f, "rb").read()
        if f.endswith(("ndb", "ldb")):
            patterns += data
        else:
            bits += data.count(b"\n") * (12 * 8 + 8)
    return int(bits / 8) + len(gzip.compress(patterns, 9))


def real_cdiff():
    """Bytes of the script that sigtool makes, gzip'd, or None. On 100,000 lines of the set: what a cdiff says does
    not grow with the rest but by digits of line numbers."""
    if shutil.which("sigtool") is None:
        return None
    for version, name in ((1, "old"), (2, "new")):
        os.makedirs("cdiff/" + name)
        for f in os.listdir("base"):
            kind = f.rsplit(".", 1)[-1]
            if not f.startswith("synth.") or kind not in KINDS:
                continue
            gone = set(open("gone/" + f, "rb")) if os.path.exists("gone/" + f) else set()
            lines = open("base/" + f, "rb").readlines()
            lines = [l for i, l in enumerate(lines) if i % 64 == 0 or l in gone]
            if version == 2:
                lines = [l for l in lines if l not in gone]
                lines += open("add/" + f, "rb").readlines() if os.path.exists("add/" + f) else []
            open("cdiff/%s/daily.%s" % (name, kind), "wb").writelines(lines)
        with open("cdiff/" + name + "/COPYING", "w", encoding="ascii") as copying:
            copying.write("none\n")
        r = subprocess.run(["sigtool", "--unsigned", "--build=daily.cud", "--cvd-version=%d" % version, "--flevel=200"],
                           cwd="cdiff/" + name, input=b"bench\n", capture_output=True)
        if r.returncode != 0:
            print("# sigtool --build:", r.stdout[-300:], r.stderr[-300:])
            return None
    r = subprocess.run(["sigtool", "--diff=old/daily.cud", "new/daily.cud"], cwd="cdiff", capture_output=True)
    script = "cdiff/new/daily-2.script"
    if not os.path.exists(script):
        print("# sigtool --diff:", r.stdout[-300:], r.stderr[-300:])
        return None
    return 350 + len(gzip.compress(open(script, "rb").read(), 9))


class Counter:
    """Hands a connection on to a server and counts what goes either way."""

    def __init__(self, port):
        self.bytes, self.to = 0, port
        self.s = socket.create_server(("127.0.0.1", 0))
        self.address = "http://127.0.0.1:%d" % self.s.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            d = socket.create_connection(("127.0.0.1", self.to))
            for a, b in ((c, d), (d, c)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, a, b):
        try:
            while data := a.recv(65536):
                self.bytes += len(data)
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def timed(what, f):
    t, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    r = f()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print("%-46s %8.2f s, %.2f s of processor" % (what, time.monotonic() - t, cpu), flush=True)
    return r


def peak(*command):
    """Largest resident set of a command and its children, MiB (what is mapped and shared included)."""
    code = ("import resource,subprocess,sys;r=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL).returncode;"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss//1024,r)")
    return subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True).stdout.split()


def main():
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    chosen, every = timed("choosing the day", lambda: pick(sys.argv[1], rng))
    split(sys.argv[1], chosen)
    print("signatures in files that change: %d; of the day: %s" % (every, {f: len(c) for f, c in chosen.items() if c}))
    p, e = Publisher(), Endpoint()
    timed("publisher: first release", lambda: p.release("--deltas", "0", sources=["base"]))
    with open("draft", encoding="utf-8") as f:
        whole = sum(int(l.split()[2]) for l in f if l.startswith("file "))
    e.trust(p, "--allow", "detect", "--allow", "allow", "--allow", "ignore", "--allow", "withdraw",
            "--set", "largest=8000000000")
    r = timed("endpoint: first content, all of it", e.update)
    print("  fetched %d" % r["fetched"])
    timed("publisher: the day", lambda: (p.draft("--segment", "--withdraw", "gone", sources=["add"]), p.sign(),
                                         p.publish(), p.witness()))
    shutil.copytree(e.home, "copy")
    r = timed("endpoint: proof of the day alone (--check)", lambda: e.update("--check"))
    proof = r["fetched"]
    r = timed("endpoint: the day, all of it", e.update)
    assert r["updated"], r
    day = r["fetched"]
    print("  peak memory, first content known: %s MiB, exit %s" % tuple(peak(tap.HOLDFAST, "update", "--home", "copy", "test")))
    with Server(p.dir) as s:
        c = Counter(s.port)
        r = e.update("--from", c.address)
        time.sleep(0.2)
        poll = c.bytes
    changed = text_of("add") + text_of("gone")
    cdiff = real_cdiff()
    least = floor(every)
    rows = [("information floor, without names", least), ("the day, everything that is fetched", day),
            ("  of it proof and manifest", proof), ("changed lines, gzip -9", len(gzip.compress(changed, 9))),
            ("changed lines, plain", len(changed)), ("a cdiff by sigtool", cdiff),
            ("the database as a file", whole), ("the set as text", size_of("base")),
            ("a poll without news, with HTTP headers, both ways", poll)]
    for name, n in rows:
        print("%-50s %12s   %s" % (name, n, "%.2f of the floor" % (n / least) if n else ""))


main()
