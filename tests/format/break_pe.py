#!/usr/bin/env python3
"""Make thousands of broken PE files out of whole ones, for comparison with other parsers.

usage: break_pe.py OUT SAMPLE...      SAMPLE: files of pe_samples/make

Each field of each header and table is set to 0, 1, its maximum, the sign bit and its neighbours;
files are cut at and beside every structure's border; and some shapes that attack parsers are
built whole: many, overlapping and empty sections, entry in the header, sections that wrap around
4 GiB, cyclic, wide and deep resources, import bombs, names without an end. Same input, same
output. Prints how many were written."""
import hashlib
import os
import struct
import sys

U16, U32, U64 = "<H", "<I", "<Q"

COFF = [("machine", 4, U16), ("sections", 6, U16), ("timestamp", 8, U32), ("symbols", 12, U32),
        ("symbolcount", 16, U32), ("optionalsize", 20, U16), ("characteristics", 22, U16)]
OPTIONAL_32 = [("magic", 0, U16), ("linker", 2, U16), ("code", 4, U32), ("data", 8, U32),
               ("bss", 12, U32), ("entry", 16, U32), ("codebase", 20, U32), ("database", 24, U32),
               ("imagebase", 28, U32), ("sectionalign", 32, U32), ("filealign", 36, U32),
               ("os", 40, U16), ("imageversion", 44, U16), ("subsystemversion", 48, U16),
               ("win32version", 52, U32), ("imagesize", 56, U32), ("headersize", 60, U32),
               ("checksum", 64, U32), ("subsystem", 68, U16), ("dllflags", 70, U16),
               ("stackreserve", 72, U32), ("heapcommit", 84, U32), ("loaderflags", 88, U32),
               ("directories", 92, U32)]
OPTIONAL_64 = [f for f in OPTIONAL_32 if f[1] < 24 or 32 <= f[1] < 72] + [
    ("imagebase", 24, U64), ("stackreserve", 72, U64), ("heapcommit", 96, U64),
    ("loaderflags", 104, U32), ("directories", 108, U32)]
SECTION = [("name", 0, U32), ("virtualsize", 8, U32), ("rva", 12, U32), ("rawsize", 16, U32),
           ("rawoffset", 20, U32), ("relocations", 24, U32), ("flags", 36, U32)]
EXPORT = [("flags", 0, U32), ("timestamp", 4, U32), ("name", 12, U32), ("base", 16, U32),
          ("functions", 20, U32), ("names", 24, U32), ("functiontable", 28, U32),
          ("nametable", 32, U32), ("ordinaltable", 36, U32)]
IMPORT = [("lookup", 0, U32), ("timestamp", 4, U32), ("forwarder", 8, U32), ("name", 12, U32),
          ("addresses", 16, U32)]
DELAY = [("attributes", 0, U32), ("name", 4, U32), ("module", 8, U32), ("addresses", 12, U32),
         ("names", 16, U32), ("bound", 20, U32)]
RESOURCE = [("flags", 0, U32), ("timestamp", 4, U32), ("version", 8, U32), ("named", 12, U16),
            ("numbered", 14, U16)]
DEBUG = [("timestamp", 4, U32), ("type", 12, U32), ("size", 16, U32), ("rva", 20, U32),
         ("rawoffset", 24, U32)]


class Image:
    """Enough of a whole PE file to know where its fields are."""

    def __init__(self, data):
        self.data = bytes(data)
        self.nt = self.get(60)
        self.optional = self.nt + 24
        self.wide = self.get(self.optional, U16) == 0x20b
        self.directories = self.optional + (112 if self.wide else 96)
        self.table = self.optional + self.get(self.nt + 20, U16)
        self.count = self.get(self.nt + 6, U16)
        self.pointer = U64 if self.wide else U32

    def get(self, offset, kind=U32):
        return struct.unpack_from(kind, self.data, offset)[0]

    def offset(self, rva):
        for i in range(self.count):
            size, start, raw_size, raw = struct.unpack_from("<IIII", self.data,
                                                            self.table + 40 * i + 8)
            if start <= rva < start + min(max(size, 1), raw_size):
                return raw + rva - start
        return None

    def directory(self, index):
        rva = self.get(self.directories + 8 * index)
        return self.offset(rva) if rva else None

    def changed(self, *patches):
        data = bytearray(self.data)
        for offset, kind, value in patches:
            if 0 <= offset <= len(data) - struct.calcsize(kind):
                struct.pack_into(kind, data, offset, value)
        return bytes(data)


class Output:
    def __init__(self, folder):
        self.folder, self.seen = folder, set()
        os.makedirs(folder, exist_ok=True)

    def add(self, name, data):
        digest = hashlib.sha1(data).digest()
        if digest not in self.seen:
            self.seen.add(digest)
            with open(os.path.join(self.folder, name), "wb") as f:
                f.write(data)


def values(kind, now):
    top = (1 << 8 * struct.calcsize(kind)) - 1
    return dict.fromkeys([0, 1, top, top >> 1, top // 2 + 1, (now + 1) & top, (now - 1) & top])


def resource_entries(image, root):
    """Offsets of all directory entries, breadth first."""
    todo, entries = [root], []
    while todo and len(entries) < 200:
        at = todo.pop(0)
        for i in range(image.get(at + 12, U16) + image.get(at + 14, U16)):
            entry = at + 16 + 8 * i
            entries.append(entry)
            target = image.get(entry + 4)
            if target & 1 << 31:
                todo.append(root + (target & 0x7fffffff))
    return entries


def fields(image):
    """(name, offset, kind) of every field of every structure."""
    yield "mz-nt", 60, U32
    for n, o, k in COFF:
        yield f"coff-{n}", image.nt + o, k
    for n, o, k in OPTIONAL_64 if image.wide else OPTIONAL_32:
        yield f"optional-{n}", image.optional + o, k
    for i in range(16):
        yield f"dir{i}-rva", image.directories + 8 * i, U32
        yield f"dir{i}-size", image.directories + 8 * i + 4, U32
    for i in range(image.count):
        for n, o, k in SECTION:
            yield f"section{i}-{n}", image.table + 40 * i + o, k
    yield from table_fields(image)


def table_fields(image):
    tables = [(0, "export", EXPORT, 1, 40), (1, "import", IMPORT, 4, 20),
              (13, "delay", DELAY, 2, 32), (6, "debug", DEBUG, 1, 28)]
    for index, name, rows, count, size in tables:
        at = image.directory(index)
        for i in range(count if at else 0):
            for n, o, k in rows:
                yield f"{name}{i}-{n}", at + size * i + o, k
    root = image.directory(2)
    if root:
        for n, o, k in RESOURCE:
            yield f"resource-{n}", root + o, k
        for i, entry in enumerate(resource_entries(image, root)):
            yield f"resentry{i}-name", entry, U32
            yield f"resentry{i}-target", entry + 4, U32
            target = image.get(entry + 4)
            if not target & 1 << 31:
                yield f"resdata{i}-rva", root + target, U32
                yield f"resdata{i}-size", root + target + 4, U32
    at = image.directory(1)
    thunks = image.offset(image.get(at)) if at else None
    for i in range(4 if thunks else 0):
        size = struct.calcsize(image.pointer)
        yield f"thunk{i}", thunks + size * i, image.pointer
    yield from version_fields(image)


def version_fields(image):
    at = image.data.find("VS_VERSION_INFO".encode("utf-16-le"))
    if at < 0:
        return
    for i in range(0, 400, 2):
        kind_of = image.get(at - 6 + i, U16)
        if i < 6 or kind_of in (0, 1) or 8 < kind_of < 600 and i % 4 == 0:
            yield f"version{i}", at - 6 + i, U16


def borders(image):
    out = {0, 2, 60, 64, image.nt, image.nt + 4, image.optional, image.directories,
           image.directories + 64, image.directories + 128, image.table}
    for i in range(image.count + 1):
        out.add(image.table + 40 * i)
        raw, = struct.unpack_from(U32, image.data, image.table + 40 * i + 20)
        out |= {raw, raw + image.get(image.table + 40 * i + 16)} if i < image.count else set()
    for _, offset, kind in table_fields(image):
        out |= {offset, offset + struct.calcsize(kind)}
    return sorted(b for b in out if b <= len(image.data))


def every_field(image, base, out):
    for name, offset, kind in fields(image):
        for value in values(kind, image.get(offset, kind)):
            out.add(f"{base}-{name}-{value:x}", image.changed((offset, kind, value)))


def truncations(image, base, out):
    for border in borders(image):
        for cut in (border - 1, border, border + 1, border + 2, border + 3):
            if 0 < cut < len(image.data):
                out.add(f"{base}-cut-{cut}", image.data[:cut])


# ---- shapes ----

def sections_field(image, offset, value_of):
    return image.changed(*((image.table + 40 * i + offset, U32, value_of(i))
                           for i in range(image.count)))


def shapes(image, base, out):
    count = image.nt + 6
    for n in (0, 1, 95, 96, 97, 255, 65535):
        out.add(f"{base}-sections-{n}", image.changed((count, U16, n)))
    first = image.get(image.table + 12)
    out.add(f"{base}-same-rva", sections_field(image, 12, lambda i: first))
    out.add(f"{base}-overlap", sections_field(image, 8, lambda i: 0x100000))
    out.add(f"{base}-descending", sections_field(image, 12, lambda i: 0x100000 - 0x1000 * i))
    out.add(f"{base}-no-raw", sections_field(image, 16, lambda i: 0))
    out.add(f"{base}-raw-unaligned", sections_field(
        image, 20, lambda i: image.get(image.table + 40 * i + 20) + 0x10))
    out.add(f"{base}-raw-wraps", sections_field(image, 20, lambda i: 0xfffff000 + i))
    out.add(f"{base}-no-size", sections_field(image, 8, lambda i: 0))
    entry = image.optional + 16
    for rva in (0x10, image.nt, image.table, first - 1, first, 0xfffffff0):
        out.add(f"{base}-entry-{rva:x}", image.changed((entry, U32, rva)))
    for align in (0, 1, 3, 4, 16, 0x200, 0x1ff, 0x201, 0x1000, 0x10000):
        out.add(f"{base}-align-{align:x}", image.changed((image.optional + 36, U32, align)))
    many_sections(image, base, out)
    resources(image, base, out)
    bombs(image, base, out)
    delay_by_address(image, base, out)
    rich(image, base, out)
    names(image, base, out)


def many_sections(image, base, out):
    """The table at the file's end, with more sections than anybody takes."""
    for n in (96, 97, 2000, 65535):
        table = b"".join(struct.pack("<8sIIIIIIHHI", b"s%d" % (i % 1000), 0x1000,
                                     0x1000 * (i + 1), 0x200, 0x400, 0, 0, 0, 0, 0x60000020)
                         for i in range(n))
        size = len(image.data) - image.optional
        if size < 65536:
            data = image.changed((image.nt + 6, U16, n), (image.nt + 20, U16, size))
            out.add(f"{base}-many-{n}", data + table)


def resources(image, base, out):
    root = image.directory(2)
    if not root:
        return
    entries = resource_entries(image, root)
    for i, entry in enumerate(entries):
        out.add(f"{base}-cycle-{i}", image.changed((entry + 4, U32, 1 << 31)))
        out.add(f"{base}-leaf-{i}", image.changed((entry + 4, U32, 0x10)))
        for text in (0x7fffffff, 0, 16, len(image.data)):
            out.add(f"{base}-restext-{i}-{text:x}",
                    image.changed((entry, U32, 1 << 31 | text & 0x7fffffff)))
    for n in (32768, 32769, 65535, 3000):
        out.add(f"{base}-wide-{n}", image.changed((root + 14, U16, n)))
    # Three levels that all point to a directory of many entries.
    body = struct.pack("<IIHHHH", 0, 0, 0, 0, 0, 60) + struct.pack("<II", 1, 1 << 31) * 60
    out.add(f"{base}-bomb-resource", image.data[:root] + body + image.data[root + len(body):])
    # A version information whose strings repeat under every leaf.
    out.add(f"{base}-all-version", image.changed(*((e, U32, 16) for e in entries[:8])))


def bombs(image, base, out):
    at = image.directory(1)
    if not at:
        return
    descriptor = image.data[at:at + 20]
    for n in (50, 2000):
        out.add(f"{base}-bomb-import-{n}", image.data[:at] + descriptor * n + image.data[at + 20 * n:])
    # A section at the end whose content is one long table of ordinals, for several libraries.
    raw, rva = (len(image.data) + 511) & ~511, 0x700000
    name = struct.unpack_from(U32, descriptor, 12)[0]
    width = struct.calcsize(image.pointer)
    for length, libraries in ((1000, 3), (20000, 1), (20000, 20)):
        head = b"".join(struct.pack("<5I", rva + 0x1000, 0, 0, name, rva + 0x1000)
                        for _ in range(libraries)).ljust(0x1000, b"\0")
        thunk = struct.pack(image.pointer, (1 << 8 * width - 1) | 7)
        body = head + thunk * length + bytes(16)
        last = image.table + 40 * (image.count - 1)
        data = image.changed((last + 8, U32, len(body)), (last + 12, U32, rva),
                             (last + 16, U32, len(body)), (last + 20, U32, raw),
                             (image.directories + 8, U32, rva))
        out.add(f"{base}-ordinals-{length}-{libraries}", data.ljust(raw, b"\0") + body)
    count = image.directory(0)
    if count:
        for n in (8191, 8192, 8193, 20000):
            functions = bytes(4 * n + 4096)
            last_rva = rva + 0x1000
            data = image.changed((last + 8, U32, 0x40000), (last + 12, U32, last_rva),
                                 (last + 16, U32, 0x40000), (last + 20, U32, raw),
                                 (count + 20, U32, n), (count + 24, U32, 0),
                                 (count + 28, U32, last_rva), (count + 36, U32, last_rva))
            out.add(f"{base}-exports-{n}", data.ljust(raw, b"\0") + functions.ljust(0x40000, b"\0"))


def delay_by_address(image, base, out):
    """The old kind of delayed imports, with virtual addresses; also with both kinds mixed."""
    at = image.directory(13)
    if not at or image.wide:
        return
    image_base = image.get(image.optional + 28)
    def moved(i):
        return at + 4 * i, U32, image.get(at + 4 * i) + image_base
    all_fields = [moved(i) for i in (1, 2, 3, 4) if image.get(at + 4 * i)]
    out.add(f"{base}-delay-old", image.changed((at, U32, 0), *all_fields))
    out.add(f"{base}-delay-mixed", image.changed((at, U32, 0), *all_fields[:1]))
    names_at = image.offset(image.get(at + 16))
    pointers = [(names_at + 4 * i, U32, image.get(names_at + 4 * i) + image_base) for i in (0, 1)]
    out.add(f"{base}-delay-names", image.changed((at, U32, 0), *all_fields, *pointers))
    for i in (0, 1):
        for value in (1, 0x80000005, 0x80ffffff, 0x7fffffff, 0x10):
            out.add(f"{base}-delay-thunk{i}-{value:x}",
                    image.changed((names_at + 4 * i, U32, value)))


def rich(image, base, out):
    """A rich header over the DOS program, whole and damaged."""
    def header(key, pairs, marks=(None, None, None), start=b"DanS"):
        words = [struct.unpack(U32, start)[0], 0, 0, 0]
        for pair in pairs:
            words += pair
        masked = b"".join(struct.pack(U32, w ^ key) for w in words)
        return masked + b"Rich" + struct.pack(U32, marks[0] if marks[0] is not None else key)

    def put(name, data, at=64):
        if at + len(data) <= image.nt:
            out.add(f"{base}-rich-{name}",
                    image.data[:at] + data + image.data[at + len(data):])

    pairs = [(0x00dea7b1, 3), (0x01046a1f, 12)]
    put("whole", header(0x12345678, pairs))
    put("high", header(0x12345678, pairs), 80)
    put("unaligned", header(0x12345678, pairs), 66)
    put("no-pairs", header(0x12345678, []))
    put("half-pair", header(0x12345678, pairs + [(5,)]))
    put("key-zero", header(0, pairs))
    put("other-key", header(0x12345678, pairs, marks=(0x11111111, None, None)))
    put("no-start", header(0x12345678, pairs, start=b"DanX"))
    put("twice", header(0x12345678, []) + header(0x12345678, []))
    whole = header(0x12345678, pairs)
    put("padding", whole[:4] + b"abcd" + whole[8:])


def names(image, base, out):
    at = image.directory(1)
    name = image.offset(image.get(at + 12)) if at else None
    if not name:
        return
    for byte in (0, 0x1f, 0x20, ord('"'), ord("*"), ord("/"), 0x7f, 0xff):
        out.add(f"{base}-libname-{byte:02x}", image.changed((name + 2, "<B", byte)))
    thunks = image.offset(image.get(at))
    function = image.offset(image.get(thunks)) if thunks else None
    if function:
        for byte in (0, 0x20, ord("-"), ord("@"), ord("?"), ord(":"), 0xff):
            out.add(f"{base}-funcname-{byte:02x}", image.changed((function + 3, "<B", byte)))
    # The last name runs to the file's end, or to the longest that is kept.
    for n in (0, 1, 2, 3, 4, 511, 512, 513, 600):
        tail = len(image.data)
        rva = image.get(image.table + 12) - 1  # before the sections: mapped as it lies
        if tail < rva and thunks:
            data = image.changed((thunks, image.pointer, tail))
            out.add(f"{base}-lastname-{n}", data + b"\1\2" + b"n" * n)


def main():
    out = Output(sys.argv[1])
    for path in sys.argv[2:]:
        with open(path, "rb") as f:
            image = Image(f.read())
        base = os.path.basename(path).split("-w64")[0]
        every_field(image, base, out)
        truncations(image, base, out)
        shapes(image, base, out)
    print(len(out.seen), "files")


main()
