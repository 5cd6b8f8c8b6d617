#!/usr/bin/env python3
"""usage: match_hard.py LITERALS.hex TEXT RULESDIR > hard.hex
The hard set of issue 4 for match_bench: the literals given (of make_clamdb.py --skew 1.0 --api 0.1),
of them 10 % cut to 2..6 bytes, 30 % nocase, 15 % wide (each byte followed by 00); 20,000 near misses
(8..40 bytes of TEXT with one byte changed); the text strings of the YARA rules below RULESDIR with
their own nocase and wide. Literals that start with 00 are left out: vectorscan's literal interface
refuses them. The same input gives the same set."""
import glob, os, random, re, sys

random.seed(4)
out = {}


def put(data, nocase):
    if data and data[0] != 0 and len(data) < 4000:
        out[(bytes(data), nocase)] = None


def wide(data):
    return b"".join(bytes((b, 0)) for b in data)


for line in open(sys.argv[1]):
    data = bytes.fromhex(line.strip())
    if random.random() < .10:
        n = random.randint(2, 6)
        at = random.randint(0, max(0, len(data) - n))
        data = data[at:at + n]
    if random.random() < .15:
        data = wide(data)
    put(data, random.random() < .30)

with open(sys.argv[2], "rb") as f:
    size = os.fstat(f.fileno()).st_size
    for _ in range(20000):
        n = random.randint(8, 40)
        f.seek(random.randrange(size - n))
        data = bytearray(f.read(n))
        data[random.randrange(n)] ^= random.randint(1, 255)
        put(data, random.random() < .30)

string = re.compile(rb'^\s*\$\w*\s*=\s*"((?:[^"\\\n]|\\.)*)"([^\n]*)', re.M)
escape = re.compile(rb'\\(x[0-9A-Fa-f]{2}|.)')


def unescape(m):
    e = m.group(1)
    return bytes.fromhex(e[1:].decode()) if e[:1] == b"x" and len(e) == 3 else {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(e, e)


for path in sorted(glob.glob(sys.argv[3] + "/**/*.yar*", recursive=True)):
    for m in string.finditer(open(path, "rb").read()):
        data = escape.sub(unescape, m.group(1))
        flags = m.group(2).split(b"//")[0].split()
        if b"wide" in flags:
            put(wide(data), b"nocase" in flags)
        if b"wide" not in flags or b"ascii" in flags:
            put(data, b"nocase" in flags)

for data, nocase in out:
    print(data.hex() + (" i" if nocase else ""))
