#!/usr/bin/env python3
"""Write small ELF files, whole ones and some thousands broken on purpose, into a folder.

    make_broken_elf.py FOLDER [--every N]

Both classes and byte orders. Every field of the header and of each table at 0, 1, its largest and
middle values, one off what it was, and around the size of the file; the file cut at every border
of a structure; tables that overlap, repeat or announce 65,535 entries. --every N keeps each Nth.
"""
import argparse
import os
import struct

NAMES = b"\0.text\0.symtab\0.strtab\0.dynsym\0.dynstr\0.dynamic\0.note\0.bss\0.shstrtab\0"
STRINGS = b"\0malloc\0Frobnicate\0main\0puts\0helper64\0_start\0libc.so.6\0libx.so\0/opt/lib\0"


class Elf:
    """One file being built: bytes, and where each field lies."""

    def __init__(self, bits, big):
        self.bits, self.order = bits, ">" if big else "<"
        self.word = "Q" if bits == 64 else "I"
        self.data = bytearray()
        self.fields = []  # (name, offset, size)
        self.borders = set()

    def put(self, name, layout, values):
        """Append one structure; layout is a list of (field, format)."""
        self.borders.add(len(self.data))
        for (field, form), value in zip(layout, values):
            form = form.replace("W", self.word)
            self.fields.append((f"{name}.{field}", len(self.data), struct.calcsize("<" + form)))
            self.data += struct.pack(self.order + form, value)
        self.borders.add(len(self.data))

    def raw(self, data):
        self.borders.add(len(self.data))
        at = len(self.data)
        self.data += data
        self.borders.add(len(self.data))
        return at

    def size(self, layout):
        return struct.calcsize("<" + "".join(f.replace("W", self.word) for _, f in layout))


HEADER = [("type", "H"), ("machine", "H"), ("version", "I"), ("entry", "W"), ("phoff", "W"),
          ("shoff", "W"), ("flags", "I"), ("ehsize", "H"), ("phentsize", "H"), ("phnum", "H"),
          ("shentsize", "H"), ("shnum", "H"), ("shstrndx", "H")]
SECTION = [("name", "I"), ("type", "I"), ("flags", "W"), ("addr", "W"), ("offset", "W"),
           ("size", "W"), ("link", "I"), ("info", "I"), ("align", "W"), ("entsize", "W")]
DYNAMIC = [("tag", "W"), ("val", "W")]


def segment_layout(bits):
    if bits == 64:
        return [("type", "I"), ("flags", "I"), ("offset", "W"), ("vaddr", "W"), ("paddr", "W"),
                ("filesz", "W"), ("memsz", "W"), ("align", "W")]
    return [("type", "I"), ("offset", "W"), ("vaddr", "W"), ("paddr", "W"), ("filesz", "W"),
            ("memsz", "W"), ("flags", "I"), ("align", "W")]


def symbol_layout(bits):
    if bits == 64:
        return [("name", "I"), ("info", "B"), ("other", "B"), ("shndx", "H"), ("value", "W"),
                ("size", "W")]
    return [("name", "I"), ("value", "W"), ("size", "W"), ("info", "B"), ("other", "B"),
            ("shndx", "H")]


def by_name(layout, **values):
    return [values.get(field, 0) for field, _ in layout]


BASE = 0x400000


def build(bits, big, kind=2):
    """A whole file of each table, of the given type (2: executable, 3: shared object)."""
    elf = Elf(bits, big)
    ident = b"\x7fELF" + bytes([bits // 32, 2 if big else 1, 1]) + bytes(9)
    elf.raw(ident)
    segment, symbol = segment_layout(bits), symbol_layout(bits)
    header_size = 16 + elf.size(HEADER)
    phoff, phnum, shnum = header_size, 5, 10
    text = phoff + phnum * elf.size(segment)
    interp = text + 32
    note = interp + 16
    strings = note + 36
    symbols = strings + len(STRINGS)
    nsyms, ndyn = 6, 8
    dynamic = symbols + nsyms * elf.size(symbol)
    names = dynamic + ndyn * elf.size(DYNAMIC)
    shoff = names + len(NAMES)
    total = shoff + shnum * elf.size(SECTION) + 4
    elf.put("header", HEADER, [kind, 62, 1, BASE + text + 4, phoff, shoff, 0, header_size,
                               elf.size(segment), phnum, elf.size(SECTION), shnum, shnum - 1])
    spans = [("load", 1, 0, total), ("dynamic", 2, dynamic, ndyn * elf.size(DYNAMIC)),
             ("interp", 3, interp, 16), ("note", 4, note, 36), ("load2", 1, text, 64)]
    for name, number, offset, size in spans:
        elf.put(name, segment, by_name(segment, type=number, flags=5, offset=offset,
                                       vaddr=BASE + offset, paddr=BASE + offset, filesz=size,
                                       memsz=size + 16, align=4096))
    elf.raw(bytes(range(32)))
    elf.raw(b"/lib/ld-x.so.1\0\0")
    elf.raw(struct.pack(elf.order + "III", 4, 20, 3) + b"GNU\0" + bytes(range(20)))
    elf.raw(STRINGS)
    word = STRINGS.index
    for name, info, shndx, other in [(b"", 0, 0, 0), (b"malloc", 0x12, 0, 0),
                                     (b"Frobnicate", 0x12, 1, 0), (b"puts", 0x12, 0, 0),
                                     (b"helper64", 0x12, 1, 2), (b"_start", 0x12, 1, 1)]:
        at = word(b"\0" + name + b"\0") + 1 if name else 0
        elf.put("symbol", symbol, by_name(symbol, name=at, info=info, shndx=shndx, other=other,
                                          value=BASE + text, size=8))
    for tag, value in [(1, word(b"libc")), (1, word(b"libx")), (5, BASE + strings),
                       (10, len(STRINGS)), (6, BASE + symbols), (29, word(b"/opt")),
                       (11, elf.size(symbol)), (0, 0)]:
        elf.put("dynamic", DYNAMIC, [tag, value])
    elf.raw(NAMES)
    syms = nsyms * elf.size(symbol)
    for name, number, offset, size, link in [
            (b"", 0, 0, 0, 0), (b".text", 1, text, 32, 0), (b".symtab", 2, symbols, syms, 3),
            (b".strtab", 3, strings, len(STRINGS), 0), (b".dynsym", 11, symbols, syms, 5),
            (b".dynstr", 3, strings, len(STRINGS), 0),
            (b".dynamic", 6, dynamic, ndyn * elf.size(DYNAMIC), 5), (b".note", 7, note, 36, 0),
            (b".bss", 8, total, 0x100, 0), (b".shstrtab", 3, names, len(NAMES), 0)]:
        elf.put("section" + name.decode(), SECTION, by_name(
            SECTION, name=NAMES.index(name + b"\0") if name else 0, type=number, flags=2,
            addr=BASE + offset if offset else 0, offset=offset, size=size, link=link, align=4))
    elf.raw(b"tail")
    assert len(elf.data) == total
    return elf


def with_value(elf, offset, size, value):
    data = bytearray(elf.data)
    data[offset:offset + size] = (value % (1 << 8 * size)).to_bytes(
        size, "big" if elf.order == ">" else "little")
    return bytes(data)


def field_values(elf, offset, size):
    top = 1 << 8 * size
    old = int.from_bytes(elf.data[offset:offset + size], "big" if elf.order == ">" else "little")
    total = len(elf.data)
    values = [0, 1, top - 1, top - 2, top // 2, top // 2 - 1, old - 1, old + 1, total - 1, total,
              total + 1, total - 40, 5, 8, 0xff00, 2 * old]
    return sorted({v % top for v in values} - {old})


def special(elf):
    """Changes of several fields at once, as (name, {field: value})."""
    top = (1 << elf.bits) - 1
    yield "all-sections", {"header.shnum": 0xfeff}
    yield "extended-sections", {"header.shnum": 0, "section.size": 10, "header.shstrndx": 0xffff,
                                "section.link": 9}
    yield "extended-segments", {"header.phnum": 0xffff, "section.info": 5}
    yield "tables-overlap", {"header.phoff": 16, "header.shoff": 16}
    yield "tables-in-header", {"header.phoff": 1, "header.shoff": 1}
    yield "entry-in-header", {"header.entry": BASE + 4}
    yield "entry-past-file", {"header.entry": BASE + 0x100000, "load.memsz": 0x200000}
    yield "entry-wraps", {"load.vaddr": top - 100, "load.memsz": 1000, "header.entry": 5}
    yield "entry-at-top", {"load.vaddr": top - 100, "load.memsz": 101, "header.entry": top}
    yield "far-offsets", {"load.offset": top - 1, "section.text.offset": top - 1}
    yield "two-dynamics", {"load2.type": 2, "load2.offset": len(elf.data) - 40}
    yield "two-dynamics-cut", {"interp.type": 2, "interp.offset": len(elf.data) - 70}
    yield "no-sections", {"header.shnum": 0, "header.shoff": 0, "header.shstrndx": 0}
    yield "no-segments", {"header.phnum": 0, "header.phoff": 0}
    yield "nothing", {"header.shnum": 0, "header.shoff": 0, "header.phnum": 0, "header.phoff": 0}
    yield "symbols-everywhere", {"section.symtab.offset": 0,
                                 "section.symtab.size": len(elf.data)}
    yield "strings-everywhere", {"section.strtab.offset": 0,
                                 "section.strtab.size": len(elf.data)}
    yield "object", {"header.type": 1}
    yield "core", {"header.type": 4}


def variants(elf):
    yield "whole", bytes(elf.data)
    for number, (name, offset, size) in enumerate(elf.fields):
        for value in field_values(elf, offset, size):
            yield f"{number:03}-{name}-{value:x}", with_value(elf, offset, size, value)
    for border in sorted(elf.borders):
        for cut in (border - 1, border, border + 1):
            if 0 <= cut < len(elf.data):
                yield f"cut-{cut}", bytes(elf.data[:cut])
    for byte in range(16):
        for value in (0, 1, 2, 3, 255):
            data = bytearray(elf.data)
            data[byte] = value
            yield f"ident-{byte}-{value}", bytes(data)
    for name, changes in special(elf):
        data = elf
        copy = Elf(elf.bits, elf.order == ">")
        copy.data, copy.fields = bytearray(elf.data), data.fields
        for field, value in changes.items():
            place = next(f for f in elf.fields if f[0] == field)
            copy.data = bytearray(with_value(copy, place[1], place[2], value))
        yield f"special-{name}", bytes(copy.data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    count = 0
    for bits in (32, 64):
        for big in (False, True):
            for kind in (2, 3):
                prefix = f"{bits}{'be' if big else 'le'}{kind}"
                for name, data in variants(build(bits, big, kind)):
                    count += 1
                    if count % args.every and not name.startswith(("special", "whole")):
                        continue
                    with open(os.path.join(args.folder, f"{prefix}-{name}"), "wb") as f:
                        f.write(data)
    print(count)


if __name__ == "__main__":
    main()
