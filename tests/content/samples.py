#!/usr/bin/env python3
"""Samples of the starter rules, made when they are needed.

The tree holds them as text in ROT47 (samples/*.rot47), so that no file of it is an alarm for anybody's
scanner. They are harmless: addresses are of RFC 5737 and names end in .invalid, what they would start is
not there. A sample begins with a line "#### RULE +" (the rule must hold) or "#### RULE -" (a near miss: no
rule may hold). {B64}, {HEX}, {JPEG}, {PICKLE:..} stand for bytes made here, {WIDE} for UTF-16.

    samples.py show FILE.rot47       prints one as plain text
    samples.py encode FILE.txt       prints plain text as it is stored
    samples.py write FOLDER          writes every sample as a file: RULE/+1, RULE/-1, ..."""
import base64, codecs, glob, hashlib, os, struct, sys

HERE = os.path.dirname(os.path.abspath(__file__))


def noise(n):
    """n bytes that no rule knows, always the same."""
    return b"".join(hashlib.sha256(b"holdfast %d" % i).digest() for i in range(n // 32 + 1))[:n]


FILLERS = {
    b"{B64}": base64.b64encode(noise(300)),
    b"{B64L}": base64.b64encode(noise(3000)),
    b"{HEX}": noise(100).hex().encode(),
    b"{JPEG}": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + noise(60),
    b"{LNK}": struct.pack("<II", 0x4C, 0x21401) + bytes([0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]) + bytes(56),
    b"{ELFSO}": b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62),
    b"{NUL}": b"\0",
}


def rot47(data):
    return bytes(33 + (b - 33 + 47) % 94 if 33 <= b <= 126 else b for b in data)


def fill(text):
    for name, value in FILLERS.items():
        text = text.replace(name, value)
    while b"{W:" in text:  # part of it wide
        before, _, rest = text.partition(b"{W:")
        inner, _, after = rest.partition(b":W}")
        text = before + inner.decode("latin-1").encode("utf-16-le") + after
    if text.startswith(b"{WIDE}"):
        text = b"\xff\xfe" + text[6:].decode("latin-1").encode("utf-16-le")
    if text.startswith(b"{REPR}"):  # bytes written as Python writes them
        text = codecs.escape_decode(text[6:].strip())[0]
    return text


def parse(plain):
    """(rule, "+" or "-", bytes) of each sample."""
    for part in plain.split(b"#### ")[1:]:
        head, _, body = part.partition(b"\n")
        rule, kind = head.decode().split()
        yield rule, kind, fill(body)


def all_samples():
    for path in sorted(glob.glob(os.path.join(HERE, "samples", "*.rot47"))):
        with open(path, "rb") as f:
            yield from parse(rot47(f.read()))


def write(folder):
    """Files below folder; [(rule, kind, path)]."""
    made, numbers = [], {}
    for rule, kind, body in all_samples():
        numbers[rule, kind] = numbers.get((rule, kind), 0) + 1
        path = os.path.join(folder, rule, "%s%d" % (kind, numbers[rule, kind]))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(body)
        made.append((rule, kind, path))
    return made


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2])
    else:
        with open(sys.argv[2], "rb") as f:
            sys.stdout.buffer.write(rot47(f.read()))
