"""Random ClamAV signatures of every kind that is evaluated, and files that match them nearly or just
so, at the borders: made for clamav_differential.py, which asks clamscan and holdfast about them.

A case is (ending, line, maker, more): a signature's line for a file db.ENDING, a function that makes a
file's bytes, and other lines that go with it: (ending, line). Each signature has marker bytes of its own, so that it answers for its own files."""
import bz2
import gzip
import hashlib
import io
import os
import random
import struct
import sys
import tarfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'rules', 'clamav'))
import differential as grammar  # noqa: E402
from differential import EDGE, hexed, noise, word  # noqa: E402

BINARY = bytes(range(0x80, 0x90)) + b'\x00\x01\x02\x03'


def marker(number, extra=0):
    """Six bytes that are no letters in any case and in no text."""
    return bytes((0xf0, 0x80 + number // 10000 % 100, 0x80 + number // 100 % 100, 0x80 + number % 100, 0xa0 + extra, 0xf1))


def filler(low, high):
    return bytes(random.choice(BINARY) for _ in range(random.randint(low, high)))


def near(n):
    return max(0, n + random.choice((0, 0, 0, -1, 1)))


# ---- bodies and expressions: the grammar of the unit's own comparison ----

def with_edges(maker):
    return lambda: EDGE + maker() + random.choice((b'', noise(1, 9))) + EDGE


def body(number):
    m = marker(number)
    pieces = grammar.signature(m, random.choice((1, 1, 2, 3)))
    offset = random.choice(('*', '*', '*', '8', '9', '8,5', '0,20', 'EOF-30', 'EOF-60,50'))
    line = 'S%d:0:%s:%s' % (number, offset, ''.join(p.text for p in pieces))
    return 'ndb', line, with_edges(lambda: grammar.spoiled(noise(0, 2) * random.randrange(2) + grammar.made(pieces)))


def old_body(number):
    m = marker(number)
    pieces = grammar.signature(m, random.choice((1, 2)))
    return 'db', 'S%d=%s' % (number, ''.join(p.text for p in pieces)), with_edges(lambda: grammar.spoiled(grammar.made(pieces)))


def logical(number):
    count = random.randint(1, 5)
    subs, makers = [], []
    for n in range(count):
        m = marker(number, n)
        mods = random.choice(('', '', '', 'i', 'w', 'wa', 'f', 'iw', 'if'))
        if mods:
            text = m + word(2, 5)
            if 'f' in mods:
                text = word(2, 3) + text + word(1, 2)
            subs.append(hexed(text) + '::' + mods)
            forms = [text] if 'w' not in mods else [grammar.wide(text)] + [text] * ('a' in mods)
            makers.append(lambda forms=forms, mods=mods: random.choice((b' ', b'', b'x')) + (
                grammar.mixed_case(random.choice(forms)) if 'i' in mods else random.choice(forms)) + random.choice((b' ', b'', b'x')))
        else:
            pieces = grammar.signature(m, random.choice((1, 1, 2)))
            offset = random.choice(('', '', '', '8,60:', 'EOF-60,60:'))
            subs.append(offset + ''.join(p.text for p in pieces))
            makers.append(lambda pieces=pieces: grammar.made(pieces))
    line = 'S%d;Engine:51-255,Target:0;%s;%s' % (number, grammar.expression(list(range(count))), ';'.join(subs))

    def make():
        out = b''
        for maker in random.sample(makers, random.randint(0, count)):
            for _ in range(random.choice((1, 1, 2, 3))):
                out += grammar.spoiled(maker()) + noise(0, 3)
        return out
    return 'ldb', line, with_edges(make)


def file_size(number):
    m = marker(number)
    low, high = sorted((random.randint(30, 90), random.randint(30, 90)))
    line = 'S%d;Engine:51-255,FileSize:%d-%d,Target:0;0;%s' % (number, low, high, m.hex())

    def make():
        size = random.choice((low - 1, low, high, high + 1))
        return (filler(4, 4) + m).ljust(size, b'\x81')
    return 'ldb', line, make


# ---- byte comparisons ----

def comparison(number):
    m = marker(number)
    form = random.choice('hdai')
    order = random.choice(('l', 'b', ''))
    exact = random.choice(('', 'e'))
    n = random.choice((1, 2, 4, 8)) if form == 'i' else random.randint(1, 8)
    if form == 'i' and order == '':
        order = random.choice('lb')
    top = 255 if form == 'i' and n == 1 else 99 if n <= 2 else 4000
    value = random.randint(0, top)
    distance = random.choice((len(m), len(m) + 1, 24))
    back = random.random() < 0.2
    tests = random.choice('<>=') + random.choice((str(value), hex(value)))
    if random.random() < 0.3:
        tests += ',' + random.choice('<>') + str(random.randint(0, top))
    line = 'S%d;Engine:81-255,Target:0;0&1;%s;0(%s%d#%s%s%s%d#%s)' % (
        number, m.hex(), '<<' if back else '>>', distance, form, order, exact, n, tests)

    def make():
        v = near(value)
        if form == 'i':
            data = v.to_bytes(8, 'little')[:n]
            data = data if order == 'l' else data[::-1]
        else:
            text = '%d' % v if form == 'd' else '%x' % v
            if form == 'h' and random.random() < 0.5:
                text = text.rjust(n, '0')
            if form == 'a':
                text = random.choice(('0x%x' % v, '%d' % v))
            data = text.encode()[:n] if random.random() < 0.8 else text.encode()
        tail = random.choice((b'', b' ', b'zz', b'\x90'))
        if back:
            return filler(8, 8) + data.ljust(distance, b'\x90')[:distance] + m + filler(3, 9)
        return filler(8, 8) + m + filler(distance - len(m), distance - len(m)) + data + tail + (filler(9, 9) if random.random() < 0.8 else b'')
    return 'ldb', line, make


# ---- regular expressions ----

def regex_piece():
    w = word(1, 3).decode()
    return random.choice((
        (w, lambda: w.encode()),
        ('[0-9]{2,4}', lambda: bytes(random.choice(b'0123456789') for _ in range(random.randint(1, 5)))),
        ('(%s|%s)' % (w, w * 2), lambda: random.choice((w, w * 2)).encode()),
        (r'\s+', lambda: random.choice((b' ', b'\t\n', b''))),
        ('[^a]', lambda: random.choice((b'a', b'b', b'\xff'))),
        ('.', lambda: random.choice((b'.', b'\n'))),
        (w + '?', lambda: random.choice((w, w[:-1])).encode()),
        (r'\x41+', lambda: b'A' * random.randint(0, 3)),
    ))


def regex(number):
    m = marker(number)
    w = word(3, 4)
    pieces = [regex_piece() for _ in range(random.randint(1, 4))]
    flags = ''.join(f for f in 'ismgreU' if random.random() < 0.25)
    place = random.choice(('', '', '', '14:', '14,5:', 'EOF-40,20:', '10,30:'))
    text = random.choice(('', '', '^', r'\b')) + w.decode() + ''.join(p[0] for p in pieces) + random.choice(('', '', '$'))
    text = text.replace('/', r'\/')
    expression = random.choice(('0&1', '0&1', '0&(1>1)', '0&(1=0)', '0&(1=2)', '1'))
    trigger = random.choice(('0', '0', '0>1', '0=1'))
    line = 'S%d;Engine:81-255,Target:0;%s;%s;%s%s/%s/%s' % (number, expression, m.hex(), place, trigger, text, flags)

    def one():
        head = grammar.mixed_case(w) if 'i' in flags else w
        return head + b''.join(p[1]() for p in pieces)

    def make():
        first = b''.join(one() + random.choice((b'', b'\n', b' ')) for _ in range(random.randint(1, 3)))
        if random.random() < 0.5:
            data = m + filler(8, 8) + first + filler(0, 30) + random.choice((b'', m))
        else:
            data = m + filler(0, 12) + first + random.choice((b'', filler(5, 30)))
        # clamscan takes a place one byte before the file for "anywhere".
        return data if len(data) != 39 else data + b'\x80'
    return 'ldb', line, make


# ---- executables ----

def pe(sections, entry, file_alignment=0x200):
    """A small 32-bit program: sections as (virtual size, bytes); entry: (section, offset)."""
    head = 0x400
    out = bytearray(b'MZ' + bytes(58) + struct.pack('<I', 0x80))
    out = out.ljust(0x80, b'\0')
    rva, raw, table, datas = 0x1000, head, b'', b''
    for n, (size, data) in enumerate(sections):
        padded = data.ljust((len(data) + file_alignment - 1) // file_alignment * file_alignment, b'\0')
        table += struct.pack('<8sIIIIIIHHI', b'.s%d' % n, size, rva, len(padded), raw, 0, 0, 0, 0, 0x60000020)
        if n == entry[0]:
            entry_rva = rva + entry[1]
        rva += (max(size, 1) + 0xfff) // 0x1000 * 0x1000
        raw += len(padded)
        datas += padded
    out += b'PE\0\0' + struct.pack('<HHIIIHH', 0x14c, len(sections), 0, 0, 0, 224, 0x102)
    out += struct.pack('<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII', 0x10b, 8, 0, 0x200, 0x200, 0, entry_rva, 0x1000, 0x2000, 0x400000,
                       0x1000, file_alignment, 4, 0, 0, 0, 4, 0, 0, rva, head, 0, 2, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    out += bytes(128) + table
    return bytes(out.ljust(head, b'\0')) + datas, head


def elf(entry, body, extra):
    """A 64-bit program of one segment; entry: offset in its body."""
    base = 0x400000
    head = b'\x7fELF\x02\x01\x01'.ljust(16, b'\0') + struct.pack(
        '<HHIQQQIHHHHHH', 2, 62, 1, base + 120 + entry, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack('<IIQQQQQQ', 1, 5, 0, base, base, 120 + len(body), 120 + len(body), 0x1000)
    return head + segment + body + extra


def program(number):
    """Offsets from the entry point and from sections."""
    m = marker(number)
    count = random.randint(1, 4)
    sizes = [random.choice((0x200, 0x400, 0x1f0, 0x600)) for _ in range(count)]
    at = random.randrange(count)
    entry = (random.randrange(count), random.choice((0, 8, 0x20, 0x100)))
    shift = random.choice((0, 0, 1, 5, 40))
    n = random.choice((0, 1, 16, 100))
    kind = random.choice(('EP+', 'EP-', 'S', 'SL', 'SE', 'EOF'))
    suffix = ',%d' % shift if shift and kind != 'SE' else ''
    text = {'EP+': 'EP+%d' % n, 'EP-': 'EP-%d' % n, 'S': 'S%d+%d' % (at, n), 'SL': 'SL+%d' % n,
            'SE': 'SE%d' % at, 'EOF': 'EOF-%d' % (n + 10)}[kind] + suffix

    def make():
        sections = [(s, bytes(s)) for s in sizes]
        data, head = pe(sections, entry)
        raws = [head]
        for s in sizes:
            raws.append(raws[-1] + (s + 0x1ff) // 0x200 * 0x200)
        place = {'EP+': raws[entry[0]] + entry[1] + n, 'EP-': raws[entry[0]] + entry[1] - n, 'S': raws[at] + n,
                 'SL': raws[count - 1] + n, 'SE': random.choice((raws[at], raws[at + 1] - 6, raws[at + 1] - 1, raws[at + 1])),
                 'EOF': len(data) - n - 10}[kind]
        place += random.choice((0, 0, -1, 1, shift, shift + 1))
        place = max(0x3f0, place)
        return data[:place] + m + data[place + len(m):]
    if random.random() < 0.5:
        return 'ndb', 'S%d:1:%s:%s' % (number, text, m.hex()), make
    return 'ldb', 'S%d;Engine:51-255,Target:1;0;%s:%s' % (number, text, m.hex()), make


def program_keys(number):
    m = marker(number)
    low = random.randint(1, 4)
    high = low + random.randint(0, 1)
    entry_offset = random.choice((0, 16, 0x100))
    first = 0x400 + entry_offset + random.choice((0, 1))
    keys = random.choice(('NumberOfSections:%d-%d' % (low, high), 'EntryPoint:%d-%d' % (first, first + random.choice((0, 1, 0x200)))))
    line = 'S%d;Engine:51-255,%s,Target:1;0;%s' % (number, keys, m.hex())

    def make():
        count = random.randint(1, 5)
        sections = [(0x200, m + bytes(0x1fa)) for _ in range(count)]
        return pe(sections, (0, entry_offset + random.choice((0, 1, 2))))[0]
    return 'ldb', line, make


def linux_program(number):
    m = marker(number)
    n, shift = random.choice((0, 3, 20)), random.choice((0, 4))
    text = 'EP+%d' % n + (',%d' % shift if shift else '')
    line = 'S%d:6:%s:%s' % (number, text, m.hex())

    def make():
        entry = random.choice((0, 16, 40))
        place = entry + n + random.choice((0, 0, 1, shift, shift + 1))
        content = bytearray(bytes(200))
        content[place:place + len(m)] = m
        return elf(entry, bytes(content), filler(0, 30))
    return 'ndb', line, make


def section_digest(number):
    tag = marker(number)
    size = random.choice((0x200, 0x400))
    content = tag.ljust(size, b'\x90')
    kind = random.choice((hashlib.md5, hashlib.sha1, hashlib.sha256))
    line = '%d:%s:S%d' % (size, kind(content).hexdigest(), number)

    def make():
        data = content if random.random() < 0.6 else content[:-1] + random.choice((b'\x91', b'\x90'))
        sections = [(0x200, bytes(0x200)), (random.choice((size, 0x100)), data)]
        random.shuffle(sections)
        return pe(sections, (0, 0))[0]
    return 'msb' if kind is not hashlib.md5 else 'mdb', line, make


# ---- digests ----

def digest(number):
    content = marker(number) + filler(10, 60)
    kind = random.choice((hashlib.md5, hashlib.sha1, hashlib.sha256))
    size = random.choice((str(len(content)), str(len(content)), '*', str(len(content) + 1)))
    line = '%s:%s:S%d' % (kind(content).hexdigest(), size, number) + (':73' if size == '*' else '')
    ending = 'hdb' if kind is hashlib.md5 else 'hsb'
    return ending, line, lambda: random.choice((content, content, content[:-1], content + b'\x80'))


# ---- containers ----

def zipped(data, name=b'm.bin'):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as z:
        z.writestr(name.decode('latin1'), data)
    return out.getvalue()


def tarred(data):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as t:
        info = tarfile.TarInfo('m.bin')
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
    return out.getvalue()


WRAPPERS = {'ZIP': zipped, 'POSIX_TAR': tarred, 'GZ': gzip.compress, 'BZ': bz2.compress}


def container(number):
    m = marker(number)
    chain = [random.choice(list(WRAPPERS)) for _ in range(random.randint(1, 3))]  # from outside inwards
    if random.random() < 0.5:
        keys = 'Container:CL_TYPE_' + random.choice((chain[-1], chain[-1], 'ANY', 'MSOLE2'))
    else:
        shown = [random.choice((c, c, c, 'ANY')) for c in chain[random.randrange(len(chain)):]]
        keys = 'Intermediates:' + '>'.join('CL_TYPE_' + c for c in shown)
    line = 'S%d;Engine:51-255,%s,Target:0;0;%s' % (number, keys, m.hex())

    def make():
        data = filler(10, 20) + m + filler(10, 20)
        used = chain if random.random() < 0.6 else [random.choice(list(WRAPPERS)) for _ in chain]
        for c in reversed(used):
            data = WRAPPERS[c](data)
        return data
    return 'ldb', line, make


# ---- text ----

def text_word(low, high):
    return ''.join(random.choice('abcdefgh') for _ in range(random.randint(low, high)))


def normalised(number):
    key = 'q%dz%s' % (number, text_word(3, 5))
    words = [key] + [text_word(2, 5) for _ in range(2)]
    wanted = ' '.join(words)
    target = random.choice((0, 7, 7))
    line = 'S%d:%d:%s:%s' % (number, target, random.choice(('*', '*', '0', '5,4')), wanted.encode().hex())

    def make():
        space = lambda: random.choice((' ', '  ', '\n', '\t \r\n'))
        body_text = space().join(words)
        if random.random() < 0.5:
            body_text = ''.join(c.upper() if random.random() < 0.3 else c for c in body_text)
        head = random.choice(('', '', 'intro' + space(), 'x' + space()))
        return (head + body_text + space() + 'and then some more plain text follows here\n').encode()
    return 'ndb', line, make


# ---- pages ----

def page(number):
    """Text that pages hide: case, entities, comments, white space, attributes."""
    key = 'q%dz%s' % (number, text_word(3, 5))
    tail = text_word(3, 6)
    target = random.choice((0, 3, 3))
    form = random.choice(('text', 'tag', 'attribute'))
    wanted = {'text': key + tail, 'tag': '<b>%s</b>' % (key + tail), 'attribute': '<img src="%s' % (key + tail)}[form]
    line = 'S%d:%d:*:%s' % (number, target, wanted.encode().hex())

    def written(text):
        out = ''
        for c in text:
            kind = random.random()
            out += '&#%d;' % ord(c) if kind < 0.1 else '&#x%x;' % ord(c) if kind < 0.2 else c.upper() if kind < 0.4 else c
        return out

    def make():
        middle = random.choice(('', '', '<!-- no -->', '<!---->', ' ', '<i>'))
        text = written(key) + middle + written(tail)
        if form == 'tag':
            text = random.choice(('<b>', '<B>', '<b >', '<b\n>')) + text + random.choice(('</b>', '</B>'))
        elif form == 'attribute':
            quote = random.choice(('"', "'", ''))
            plain = ''.join(c.upper() if random.random() < 0.2 else c for c in key + tail)
            text = random.choice(('<img src=', '<IMG  SRC = ', '<img alt=x src=')) + quote + plain + quote + '>'
        head = random.choice(('<html><head><title>t</title></head><body>\n', '<HTML><BODY>'))
        return (head + 'some words <p>' + text + '</p>\n' + 'more words of a page. ' * 3 + '</body></html>\n').encode()
    return 'ndb', line, make


# ---- what containers say of their members ----

def listed(number):
    key = 'q%dz' % number
    data = [filler(20, 60) for _ in range(4)]
    kind = random.choice(('ZIP', 'ZIP', 'ZIP', 'POSIX_TAR', 'ANY', '*'))
    name = random.choice((key, '^%s' % key, key + r'[a-c]+\.exe$', '^(%s|x%s)' % (key, key)))
    size = len(data[0])
    fields = {'size': '*', 'packed': '*', 'encrypted': '*', 'position': '*', 'container': '*'}
    for f in random.sample(sorted(fields), random.choice((0, 1, 1, 2))):
        fields[f] = {'size': random.choice((str(size), '%d-%d' % (size - 1, size + 1), '%d-%d' % (size + 1, size + 9))),
                     'packed': random.choice((str(size), '0-%d' % size, '*')),
                     'encrypted': random.choice('01*'), 'position': random.choice(('1', '2', '1-2', '0')),
                     'container': random.choice(('*', '0-250', '1-100000', '251-900'))}[f]
    line = 'S%d:%s:%s:%s:%s:%s:%s:%s:*:*' % (
        number, kind if kind == '*' else 'CL_TYPE_' + kind, fields['container'], name, fields['packed'], fields['size'],
        fields['encrypted'], fields['position'])

    def make():
        names = [random.choice((key, 'x' + key, key + 'abc.exe', 'a' + key, 'other', key.upper())) for _ in range(2)]
        out = io.BytesIO()
        if random.random() < 0.7:
            with zipfile.ZipFile(out, 'w', random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as z:
                for i, n in enumerate(dict.fromkeys(names)):
                    z.writestr(n, data[i])
        else:
            with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as t:
                for i, n in enumerate(names):
                    info = tarfile.TarInfo(n)
                    info.size = len(data[i])
                    t.addfile(info, io.BytesIO(data[i]))
        return out.getvalue()
    return 'cdb', line, make


# ---- what takes signatures back ----

def allowed(number):
    """A digest that clears: of the file, of a layer around what is found, of one inside, of something else."""
    m = marker(number)
    inner = filler(10, 20) + m + filler(10, 20)
    wrap, outer_wrap = random.choice(list(WRAPPERS.values())), random.choice(list(WRAPPERS.values()))
    layers = [inner, wrap(inner)]
    layers.append(outer_wrap(layers[1]))
    other = wrap(filler(10, 20) + m + filler(10, 20))
    # A ZIP stored in a tar is opened as part of the tar, too: clearing the ZIP does not clear that.
    chosen = random.choice(layers if (wrap, outer_wrap) != (zipped, tarred) else (inner, layers[2]))
    kind = random.choice((hashlib.md5, hashlib.sha1, hashlib.sha256))
    size = random.choice((str(len(chosen)), str(len(chosen)), '*', str(len(chosen) + 1)))
    ending = random.choice(('fp', 'sfp'))
    allow = '%s:%s:Allow%d' % (kind(chosen).hexdigest(), size, number) + (':73' if size == '*' else '')
    line = 'S%d:0:*:%s' % (number, m.hex())
    return 'ndb', line, lambda: random.choice((*layers, layers[2], other, filler(9, 20) + m)), [(ending, allow)]


def ignored(number):
    if number < 10:
        return body(number)  # clamscan refuses a digest behind a name of two letters
    m = marker(number)
    contents = [filler(8, 12) + m + filler(3, 9) for _ in range(2)]
    form = random.choice(('ndb', 'ldb', 'hdb', 'db', 'hsb', 'cdb'))
    line = {'ndb': 'S%d:0:*:%s' % (number, m.hex()), 'ldb': 'S%d;Engine:51-255,Target:0;0;%s' % (number, m.hex()),
            'hdb': '%s:%d:S%d' % (hashlib.md5(contents[0]).hexdigest(), len(contents[0]), number),
            'hsb': '%s:*:S%d:73' % (hashlib.sha256(contents[0]).hexdigest(), number),
            'db': 'S%d=%s' % (number, m.hex()),
            'cdb': 'S%d:CL_TYPE_ZIP:*:^q%dz$:*:*:*:*:*:*' % (number, number)}[form]
    digest_of_line = hashlib.md5(line.encode()).hexdigest()
    entry = 'S%d' % number if form == 'cdb' else random.choice(('S%d', 'S%d:' + digest_of_line,
                           'S%d:' + hashlib.md5(m).hexdigest(), 's%d', 'S%dx',
                           'main.ndb:3:S%d')) % number
    make = (lambda: zipped(contents[0], b'q%dz' % number)) if form == 'cdb' else lambda: random.choice(contents)
    return form, line, make, [('ign2' if entry.count(':') < 2 else 'ign', entry)]


def unwanted(number):
    """Names that stand back behind others."""
    m = marker(number)
    name = random.choice(('PUA.Test.S%d', 'Heuristics.Test.S%d', 'BC.Heuristics.S%d', 'PUA.S%d')) % number
    if random.random() < 0.5:
        return 'ndb', '%s:0:*:%s' % (name, m.hex()), lambda: filler(5, 9) + m + filler(3, 3)
    return 'ldb', '%s;Engine:51-255,Target:0;0;%s' % (name, m.hex()), lambda: zipped(filler(5, 9) + m + filler(3, 3))


KINDS = (
    (body, 20), (old_body, 3), (logical, 20), (file_size, 4), (comparison, 10), (regex, 14), (program, 12),
    (program_keys, 5), (linux_program, 4), (section_digest, 5), (digest, 6), (container, 8), (normalised, 6),
    (page, 6), (listed, 6), (allowed, 6), (ignored, 6), (unwanted, 2),
)


def cases(count):
    kinds = [k for k, weight in KINDS for _ in range(weight)]
    for number in range(count):
        made = random.choice(kinds)(number)
        yield (number,) + made if len(made) == 4 else (number,) + made + ([],)
