#!/usr/bin/env python3
"""usage: match_adversary.py LITERALS.hex OUTDIR
Texts against the matcher: zeros; periods of 1 to 8 bytes, half of them taken from literals; all
literals joined; all literals joined with one byte of each changed. 8 to 16 MB each."""
import os, random, sys

random.seed(9)
lits = [bytes.fromhex(l.split()[0]) for l in open(sys.argv[1])]
random.shuffle(lits)
out = sys.argv[2]
os.makedirs(out, exist_ok=True)
size = 8 << 20


def write(name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


write("zeros", bytes(size))
periods = bytearray()
for n in range(1, 9):
    for k in range(64):
        unit = random.randbytes(n) if k % 2 else random.choice(lits)[:n].ljust(n, b"\x90")
        periods += (unit * (1 + size // 512 // n))[:size // 512]
write("periods", periods)
write("joined", b"".join(lits)[:2 * size])
near = bytearray()
for l in lits:
    b = bytearray(l)
    b[random.randrange(len(b))] ^= random.randint(1, 255)
    near += b
write("near", near[:2 * size])
