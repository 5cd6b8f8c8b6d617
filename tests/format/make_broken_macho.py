#!/usr/bin/env python3
"""Write small Mach-O files, single and universal, whole and broken on purpose, into a folder.

    make_broken_macho.py FOLDER [--every N]

Built as in make_broken_elf.py: every field at odd values, the file cut at every border.
"""
import argparse
import os
import struct

import make_broken_elf

SEGMENT = [("cmd", "I"), ("cmdsize", "I"), ("name", "16s"), ("vmaddr", "W"), ("vmsize", "W"),
           ("fileoff", "W"), ("filesize", "W"), ("maxprot", "I"), ("initprot", "I"),
           ("nsects", "I"), ("flags", "I")]
HEADER = [("cputype", "I"), ("cpusubtype", "I"), ("filetype", "I"), ("ncmds", "I"),
          ("sizeofcmds", "I"), ("flags", "I")]
# cputype: (size of the thread state, place of the program counter, 64 bits)
STATES = {6: (72, 68, 32), 7: (64, 40, 32), 12: (68, 60, 32), 13: (136, 124, 32),
          14: (76, 4, 32), 18: (160, 0, 32), 0x1000007: (168, 128, 64),
          0x100000c: (272, 256, 64), 0x1000012: (304, 0, 64), 99: (64, 0, 32)}


def section_layout(bits):
    return [("sectname", "16s"), ("segname", "16s"), ("addr", "W"), ("size", "W"), ("offset", "I"),
            ("align", "I"), ("reloff", "I"), ("nreloc", "I"), ("flags", "I"), ("reserved1", "I"),
            ("reserved2", "I")] + ([("reserved3", "I")] if bits == 64 else [])


def build(bits, big, cpu, main):
    macho = make_broken_elf.Elf(bits, big)
    section, base = section_layout(bits), 0x1000
    magic = 0xfeedface if bits == 32 else 0xfeedfacf
    macho.raw(struct.pack(macho.order + "I", magic))
    macho.put("header", HEADER, [cpu, 3, 2, 6, 0, 0x85])
    if bits == 64:
        macho.put("header2", [("reserved", "I")], [7])
    for i, count in ((0, 2), (1, 1), (2, 0)):
        size = macho.size(SEGMENT) + count * macho.size(section)
        macho.put(f"segment{i}", SEGMENT,
                  [0x19 if bits == 64 else 1, size, b"__SEG%d" % i, base + 0x1000 * i, 0x1000,
                   i * 100, 90, 7, 5, count, i])
        for k in range(count):
            values = [b"__sect%d" % k if k else b"sixteen_bytes_ok", b"__SEG%d" % i, base, 16,
                      500, 2, 600, 3, 0x80000400, 1, 2, 3]
            macho.put(f"section{i}{k}", section, values[:len(section)])
    state, place, width = STATES[cpu]
    if main:
        macho.put("main", [("cmd", "I"), ("cmdsize", "I"), ("entry", "Q"), ("stack", "Q")],
                  [0x80000028, 24, 321, 4096])
    else:
        macho.put("thread", [("cmd", "I"), ("cmdsize", "I"), ("flavor", "I"), ("count", "I")],
                  [5, 16 + state, 1, state // 4])
        data = bytearray(state)
        struct.pack_into(macho.order + ("Q" if width == 64 else "I"), data, place, base + 0x1010)
        macho.fields.append(("thread.pc", len(macho.data) + place, width // 8))
        macho.raw(bytes(data))
    macho.put("uuid", [("cmd", "I"), ("cmdsize", "I"), ("uuid", "16s")], [0x1b, 24, b"u" * 16])
    macho.put("dylib", [("cmd", "I"), ("cmdsize", "I"), ("name", "I"), ("time", "I"), ("a", "I"),
                        ("b", "I"), ("text", "16s")], [0xc, 40, 24, 1, 2, 3, b"/lib/x.dylib"])
    macho.raw(b"tail of the file")
    return macho


def fat(wide, parts, magic):
    out = make_broken_elf.Elf(64 if wide else 32, True)
    out.raw(struct.pack(">I", magic))
    out.put("fat", [("count", "I")], [len(parts)])
    offset = 8 + len(parts) * (32 if wide else 20)
    for i, part in enumerate(parts):
        layout = [("cputype", "I"), ("subtype", "I"), ("offset", "W"), ("size", "W"),
                  ("align", "I")] + ([("reserved", "I")] if wide else [])
        out.put(f"arch{i}", layout, [7 + i, 3, offset, len(part), 12, 0][:len(layout)])
        offset += len(part)
    for part in parts:
        out.raw(bytes(part))
    return out


def bases():
    for bits in (32, 64):
        for big in (False, True):
            yield f"main{bits}{big:d}", build(bits, big, 7, True)
    for cpu in STATES:
        for big in (False, True):
            yield f"thread{cpu:x}-{big:d}", build(64 if cpu >= 0x1000000 else 32, big, cpu, False)
    parts = [build(32, False, 7, True).data, build(64, True, 0x100000c, False).data]
    for wide, magic in ((False, 0xcafebabe), (True, 0xcafebabf), (True, 0xbebafeca),
                        (True, 0xbfbafeca)):
        yield f"fat{magic:x}", fat(wide, parts, magic)


def variants(macho):
    yield "whole", bytes(macho.data)
    for number, (name, offset, size) in enumerate(macho.fields):
        if size > 8:
            continue
        for value in make_broken_elf.field_values(macho, offset, size):
            yield (f"{number:03}-{name}-{value:x}",
                   make_broken_elf.with_value(macho, offset, size, value))
    for border in sorted(macho.borders):
        for cut in (border - 1, border, border + 1):
            if 0 <= cut < len(macho.data):
                yield f"cut-{cut}", bytes(macho.data[:cut])
    for byte in range(4):
        for value in (0, 0xce, 0xcf, 0xbe, 0xbf, 0xfe, 0xca):
            data = bytearray(macho.data)
            data[byte] = value
            yield f"magic-{byte}-{value:x}", bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    count = 0
    for prefix, macho in bases():
        for name, data in variants(macho):
            count += 1
            if count % args.every and name != "whole":
                continue
            with open(os.path.join(args.folder, f"{prefix}-{name}"), "wb") as f:
                f.write(data)
    print(count)


if __name__ == "__main__":
    main()
