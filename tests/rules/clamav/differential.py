#!/usr/bin/env python3
"""Random body and logical signatures and files that nearly match them, judged by our compiled rules
(clamav_match) and by clamscan: differential.py CLAMAV_MATCH [ROUNDS] [SEED].

Left out, because clamscan does otherwise than its documentation: negated marks at the left end of a
part (it takes their start for one byte earlier, in offsets and distances), and a bounded gap behind
alternatives of several lengths (it tries the first that fits only; we try all).

Each signature has a marker of its own, for ClamAV confuses signatures whose parts are the same
bytes; files are derived from one signature each. clamscan 1.4 can crash on marks at a file's edge,
so files begin and end with bytes that no signature knows.
"""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

EDGE = b'\x00\x00\xff\x03\x80\x81\x00\x00'


def hexed(data):
    return ''.join(random.choice(('%02x', '%02X')) % b for b in data)


class Piece:
    """Text of a signature, and a function that makes bytes which match it."""

    def __init__(self, text, make, varies=False):
        self.text, self.make, self.varies = text, make, varies


def fixed(data):
    return Piece(hexed(data), lambda: data)


def word(low, high):
    return bytes(random.choice(b'abcdwxyz') for _ in range(random.randint(low, high)))


def noise(low, high):
    return bytes(random.choice(b'abcdwxyz019 _\n') for _ in range(random.randint(low, high)))


def alternative():
    kind = random.randrange(4)
    if kind == 0:
        options = [word(1, 1) for _ in range(random.randint(2, 4))]
    elif kind == 1:
        n = random.randint(2, 3)
        options = [word(n, n) for _ in range(random.randint(2, 4))]
    else:
        # None begins another: clamscan takes one of them and does not come back for the other.
        starts = random.sample('abcdwxyz', random.randint(2, 4))
        options = [c.encode() + word(0, 3) for c in starts]
    text = '(' + '|'.join(map(hexed, options)) + ')'
    if kind < 2 and random.random() < 0.3:
        return Piece('!' + text, lambda: random.choice((noise, word))(len(options[0]), len(options[0])))
    return Piece(text, lambda: random.choice(options), kind > 1)


def atom():
    r = random.randrange(10)
    byte = random.choice(b'abcdwxyz')
    if r < 4:
        return fixed(word(1, 3))
    if r == 4:
        return Piece('??', lambda: noise(1, 1))
    if r == 5:
        return Piece('%x?' % (byte >> 4), lambda: bytes([byte & 0xF0 | random.randrange(16)]))
    if r == 6:
        return Piece('?%x' % (byte & 15), lambda: bytes([byte & 15 | random.choice((0x60, 0x70))]))
    if r == 7:
        n = random.choice((1, 2, 3, 8))
        return Piece('{%d}' % n, lambda: noise(n, n))
    return alternative()


def gap():
    low, span = random.choice((0, 1, 2, 5)), random.choice((1, 2, 10))
    near = lambda a, b: (lambda: noise(max(0, a - random.choice((0, 0, 1))), b + random.choice((0, 0, 1))))
    return random.choice((
        Piece('*', near(0, 30)),
        Piece('{-}', near(0, 30)),
        Piece('{%d-%d}' % (low, low + span), near(low, low + span)),
        Piece('{-%d}' % span, near(0, span)),
        Piece('{%d-}' % low, near(low, low + 20)),
        Piece('{%d-%d}' % (300 + low, 300 + low + span), near(300 + low, 300 + low + span)),
        Piece('{%d}' % (130 + low), near(130 + low, 130 + low)),
    ))


def signature(marker, parts):
    """marker: bytes that begin every part, so that parts are unlike those of others."""
    pieces = []
    for n in range(parts):
        if n > 0:
            varies = any(p.varies for p in pieces)
            pieces.append(Piece(random.choice(('*', '{-}')), lambda: noise(0, 30)) if varies else gap())
        if random.random() < 0.08:
            pieces.append(Piece(random.choice(('(B)', '(W)', '(L)')), lambda: noise(1, 1)))
        pieces.append(fixed(marker + bytes([65 + n])))
        pieces += [atom() for _ in range(random.randint(0, 4))]
        if random.random() < 0.08:
            pieces.append(Piece(random.choice(('(B)', '(W)', '!(W)', '(L)')), lambda: noise(1, 1)))
    return pieces


def made(pieces):
    return b''.join(p.make() for p in pieces)


def spoiled(data):
    if data and random.random() < 0.3:
        at = random.randrange(len(data))
        data = data[:at] + random.choice((b'', b'x', b'q7')) + data[at + 1:]
    return data


def expression(ids, depth=2):
    """Over the ids, each at least once."""
    if len(ids) == 1:
        return str(ids[0]) + random.choice(('', '', '', '=0', '=1', '=2', '>1', '<2', '>0'))
    cut = random.randint(1, len(ids) - 1)
    left, right = expression(ids[:cut], depth - 1), expression(ids[cut:], depth - 1)
    both = left + random.choice('&|') + right
    r = random.random()
    if r < 0.35:
        return both
    block = '(' + both + ')'
    if r < 0.6:
        return block
    return block + random.choice('=<>') + str(random.randint(0, 3)) + random.choice(('', '', ',1', ',2'))


def mixed_case(data):
    return bytes(b ^ 0x20 if chr(b).isalpha() and random.random() < 0.5 else b for b in data)


def wide(data):
    return b''.join(bytes((b, 0)) for b in data)


def logical(number):
    """A line, and a maker of files."""
    count = random.randint(1, 4)
    subs, makers = [], []
    for n in range(count):
        marker = b'%c%c%c' % (0x80 + number // 100, 0x80 + number % 100, 0x90 + n)
        mods = random.choice(('', '', '', 'i', 'w', 'wa', 'f', 'iw', 'if'))
        if mods:  # whole letters only: other pieces have their own forms in wide text
            text = marker + word(2, 5)
            if 'f' in mods:
                text = word(2, 3) + text + word(1, 2)
            subs.append(hexed(text) + '::' + mods)
            forms = [text] if 'w' not in mods else [wide(text)] + [text] * ('a' in mods)
            makers.append(lambda forms=forms, mods=mods: random.choice((b' ', b'', b'x')) + (
                mixed_case(random.choice(forms)) if 'i' in mods else random.choice(forms)) + random.choice((b' ', b'', b'x')))
        else:
            pieces = signature(marker, random.choice((1, 1, 2)))
            offset = random.choice(('', '', '', '8,60:', 'EOF-60,60:'))
            subs.append(offset + ''.join(p.text for p in pieces))
            makers.append(lambda pieces=pieces: made(pieces))
    line = 'S%d;Engine:51-255,Target:0;%s;%s' % (number, expression(list(range(count))), ';'.join(subs))

    def make():
        body = b''
        for maker in random.sample(makers, random.randint(0, count)):
            for _ in range(random.choice((1, 1, 2, 3))):
                body += spoiled(maker()) + noise(0, 3)
        return body
    return line, make


def body(number):
    marker = b'%c%c%c' % (0x80 + number // 100, 0x80 + number % 100, 0x90)
    pieces = signature(marker, random.choice((1, 1, 2, 3)))
    offset = random.choice(('*', '*', '*', '8', '9', '8,5', '0,20', 'EOF-30', 'EOF-60,50'))
    line = 'S%d:0:%s:%s' % (number, offset, ''.join(p.text for p in pieces))
    return line, lambda: spoiled(noise(0, 2) * random.randrange(2) + made(pieces))


def clamscan(folder, database, names):
    """Sets of names by file; a file on which clamscan crashes gets None."""
    result = {}
    if not names:
        return result
    listing = os.path.join(folder, 'list')
    with open(listing, 'w') as f:
        f.writelines(os.path.join(folder, n) + '\n' for n in names)
    run = subprocess.run(['clamscan', '-z', '--no-summary', '--infected', '--normalize=no', '-d', database, '-f', listing],
                         capture_output=True, text=True)
    if run.returncode == 2:
        raise RuntimeError(run.stderr[:300])
    if run.returncode < 0:
        if len(names) == 1:
            return {names[0]: None}
        half = len(names) // 2
        result = clamscan(folder, database, names[:half])
        result.update(clamscan(folder, database, names[half:]))
        return result
    for line in run.stdout.splitlines():
        m = re.match(r'.*/([^/:]+): (\S+?)(\.UNOFFICIAL)? FOUND', line)
        if m:
            result.setdefault(m[1], set()).add(m[2])
    return result


def accepted(folder, lines, ending):
    """Lines that clamscan loads: one bad line ends its load, and names its number."""
    lines, dropped = list(lines), []
    empty = os.path.join(folder, 'empty')
    open(empty, 'wb').close()
    while lines:
        database = os.path.join(folder, 'db.' + ending)
        with open(database, 'w') as f:
            f.writelines(l + '\n' for l in lines)
        run = subprocess.run(['clamscan', '--no-summary', '-d', database, empty], capture_output=True, text=True)
        m = re.search(r'[Pp]roblem parsing database at line (\d+)', run.stderr + run.stdout)
        if run.returncode == 0 or not m:
            return database, lines, dropped
        dropped.append(lines.pop(int(m[1]) - 1))
    return None, [], dropped


def compare(program, folder, generator, ending, signatures, files_each):
    made_all = dict(generator(n) for n in range(signatures))
    database, lines, dropped = accepted(folder, made_all, ending)
    files = {}
    for n, line in enumerate(lines):
        for k in range(files_each):
            name = 'f%d-%d' % (n, k)
            files[name] = line
            with open(os.path.join(folder, name), 'wb') as f:
                f.write(EDGE + made_all[line]() + random.choice((b'', noise(1, 9))) + EDGE)
    theirs = clamscan(folder, database, list(files))
    run = subprocess.run([program, database] + [os.path.join(folder, n) for n in files],
                         capture_output=True, text=True, check=True)
    ours, refused = {}, []
    for line in run.stdout.splitlines():
        if line.startswith('!'):
            refused.append(line)
            continue
        path, name = line.rsplit(' ', 1)
        ours.setdefault(os.path.basename(path), set()).add(name)
    differences, hits, crashes = ['refused ' + r for r in refused], 0, 0
    for name, line in files.items():
        if name in theirs and theirs[name] is None:
            crashes += 1
            continue
        a, b = ours.get(name, set()), theirs.get(name, set())
        hits += len(b)
        if a != b:
            with open(os.path.join(folder, name), 'rb') as f:
                data = f.read()
            differences.append('%s: ours %s, clamscan %s, file %r' % (line, sorted(a), sorted(b), data))
    print('# .%s: %d signatures (%d not loaded by clamscan), %d files, %d matches, %d differ, clamscan crashed on %d' % (
        ending, len(lines), len(dropped), len(files), hits, len(differences), crashes))
    return differences, hits


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if shutil.which('clamscan') is None:
        print('1..0 # SKIP clamscan is not installed')
        return 0
    print('1..%d' % (2 * rounds))
    bad = 0
    for n in range(2 * rounds):
        random.seed(seed * 1000003 + n)
        generator, ending = ((body, 'ndb'), (logical, 'ldb'))[n % 2]
        with tempfile.TemporaryDirectory() as folder:
            differences, hits = compare(program, folder, generator, ending, 100, 3)
        fine = not differences and hits > 20
        bad += not fine
        for d in differences[:5]:
            print('# ' + d)
        print('%sok %d - %s signatures at random, as clamscan (round %d)' % ('' if fine else 'not ', n + 1, ending, n // 2))
    return bad > 0


if __name__ == '__main__':
    sys.exit(main())
