#!/usr/bin/env python3
"""Write small .NET assemblies, whole and broken on purpose, into a folder.

    make_broken_dotnet.py FOLDER [--every N]

A PE file of 32 or 64 bits with one section that holds the CLI header and metadata; narrow and
wide heap indexes. Broken as in make_broken_elf.py: every field (of the headers, the streams and
each table's rows) at odd values, the file cut at every border.
"""
import argparse
import os
import struct

import make_broken_elf

RVA, RAW = 0x2000, 0x200
NAMES = ["", "<Module>", "m.dll", "asm", "en-US", "System", "Object", "GuidAttribute", "Acme",
         "Box`1", "Inner", "T", ".ctor", "run", "value", "kernel32.dll", "res", "IThing", "U"]
# Signatures and other blobs; offsets are found by content.
BLOBS = [b"", b"\x20\x00\x01", b"\x20\x02\x08\x0e\x1d\x05",
         b"\x30\x01\x02\x1e\x00\x13\x00\x15\x12\x08\x01\x0e",
         b"\x00\x02\x01\x14\x08\x02\x02\x03\x04\x02\x01\x00\x0f\x10\x02",
         b"\x15\x12\x08\x02\x0e\x08", b"s\0t\0", b"\x01\x00\x04guid\x00\x00",
         b"\xb7\x7a\x5c\x56\x19\x34\xe0\x89", b"\x00\x01\x01\x1b\x00\x01\x18\x1c", b"long" * 40]
# Columns: numbers as struct has them, S string, G GUID, B blob, otherwise an index of two bytes.
ROWS = [
    (0x00, "HSGGG", [(0, "m.dll", 1, 0, 0)]),
    (0x01, "HSS", [(6, "Object", "System"), (6, "GuidAttribute", "System")]),
    (0x02, "ISSHHH", [(0, "<Module>", "", 0, 1, 1), (0x100081, "Box`1", "Acme", 5, 1, 1),
                      (0x102, "Inner", "", 5, 1, 5), (0xa1, "IThing", "Acme", 0, 1, 6)]),
    (0x03, "H", [(1,)]),
    (0x04, "HSB", [(6, "value", b"\x20\x00\x01")]),
    (0x06, "IHHSBH", [(0x2050, 0, 0x1886, ".ctor", b"\x20\x00\x01", 1),
                      (0x2050, 0, 0x5c4, "run", b"\x20\x02\x08\x0e\x1d\x05", 1),
                      (0x2050, 0, 0x16, "run", b"\x30\x01\x02\x1e\x00\x13\x00\x15\x12\x08\x01\x0e", 3),
                      (0x2050, 0, 0x13, "value",
                       b"\x00\x02\x01\x14\x08\x02\x02\x03\x04\x02\x01\x00\x0f\x10\x02", 4),
                      (0x2050, 0, 0x15, "run", b"\x00\x01\x01\x1b\x00\x01\x18\x1c", 1)]),
    (0x08, "HHS", [(0, 1, "value"), (0, 2, "run")]),
    (0x09, "HH", [(2, 16), (2, 6)]),
    (0x0a, "HSB", [(17, ".ctor", b"\x20\x00\x01")]),
    (0x0b, "HHB", [(14, 4, b"s\0t\0"), (8, 4, b"s\0t\0"), (14, 4, b"long" * 40), (14, 4, b"")]),
    (0x0c, "HHB", [(46, 11, b"\x01\x00\x04guid\x00\x00"), (32, 11, b"")]),
    (0x0d, "HB", [(3, b"")]),
    (0x0e, "HHB", [(1, 2, b"")]),
    (0x0f, "HIH", [(1, 8, 2)]),
    (0x10, "IH", [(0, 1)]),
    (0x11, "B", [(b"\x20\x00\x01",)]),
    (0x12, "HH", [(2, 1)]),
    (0x14, "HSH", [(0, "value", 5)]),
    (0x15, "HH", [(2, 1)]),
    (0x17, "HSB", [(0, "value", b"")]),
    (0x18, "HHH", [(1, 1, 1)]),
    (0x19, "HHH", [(2, 2, 2)]),
    (0x1a, "S", [("kernel32.dll",), ("",)]),
    (0x1b, "B", [(b"\x15\x12\x08\x02\x0e\x08",)]),
    (0x1c, "HHSH", [(0x100, 3, "run", 1)]),
    (0x1d, "IH", [(RVA, 1), (0x100000, 1), (RVA + 16, 1)]),
    (0x20, "IHHHHIBSS", [(0x8004, 1, 2, 3, 4, 0, b"", "asm", "en-US")]),
    (0x21, "I", [(1,)]),
    (0x22, "III", [(1, 2, 3)]),
    (0x23, "HHHHIBSSB", [(4, 0, 0, 1, 0, b"\xb7\x7a\x5c\x56\x19\x34\xe0\x89", "System", "", b""),
                         (1, 1, 1, 1, 0, b"", "asm", "", b"")]),
    (0x24, "IH", [(1, 1)]),
    (0x25, "IIIH", [(1, 2, 3, 1)]),
    (0x26, "ISB", [(0, "m.dll", b"")]),
    (0x27, "IISSH", [(1, 2, "Inner", "Acme", 4)]),
    (0x28, "IISH", [(0, 1, "res", 0), (8, 1, "value", 4), (8, 1, "asm", 0)]),
    (0x29, "HH", [(3, 2)]),
    (0x2a, "HHHS", [(0, 0, 4, "T"), (0, 0, 7, "U")]),
    (0x2b, "HB", [(2, b"")]),
    (0x2c, "HH", [(1, 5)]),
]


def heap_of(entries, encode):
    data, places = b"", {}
    for entry in entries:
        places.setdefault(entry, len(data))
        data += encode(entry)
    return data + bytes(-len(data) % 4), places


def blob(data):
    head = bytes([len(data)]) if len(data) < 128 else struct.pack(">H", 0x8000 | len(data))
    return head + data


def heaps():
    strings, names = heap_of(NAMES, lambda s: s.encode() + b"\0")
    blobs, places = heap_of(BLOBS, blob)
    user = b"\0" + blob(b"h\0i\0\0") + blob(b"\xe4\0\1") + blob(b"x\0" * 70 + b"\0") + blob(b"\1")
    return strings, names, blobs, places, user + bytes(-len(user) % 4)


def put_headers(pe, wide, size, entry):
    pe.raw(b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0")
    pe.put("coff", [("machine", "H"), ("sections", "H"), ("rest", "12s"), ("optional", "H"),
                    ("flags", "H")],
           [0x8664 if wide else 0x14c, 1, bytes(12), 240 if wide else 224, 2])
    head = struct.pack("<HBB3II", 0x20b if wide else 0x10b, 8, 0, size, 0, 0, entry)
    head += struct.pack("<I", RVA) + (struct.pack("<Q", 1 << 22) if wide
                                      else struct.pack("<II", 0, 1 << 22))
    head += struct.pack("<II6HIIIIHH", 0x1000, 0x200, *[4, 0] * 3, 0, 0x4000, RAW, 0, 3, 0)
    pe.raw(head + bytes(36 if wide else 20))
    pe.put("optional", [("directories", "I")], [16])
    pe.raw(bytes(14 * 8))
    pe.put("directory", [("rva", "I"), ("size", "I")], [RVA + 16, 72])
    pe.raw(bytes(8))
    pe.put("section", [("name", "8s"), ("vsize", "I"), ("rva", "I"), ("size", "I"), ("raw", "I"),
                       ("rest", "16s")], [b".text", size, RVA, size, RAW, bytes(16)])
    pe.raw(bytes(RAW - len(pe.data)))


def tables(net, wide, extra, names, places):
    heap = "I" if wide else "H"
    mask = sum(1 << number for number, _, _ in ROWS)
    net.put("tilde", [("reserved", "I"), ("version", "H"), ("heaps", "B"), ("one", "B"),
                      ("valid", "Q"), ("sorted", "Q")],
            [0, 2, (7 if wide else 0) | (0x40 if extra else 0), 1, mask, 0])
    for number, _, rows in ROWS:
        net.put(f"rows{number:02x}", [("count", "I")], [len(rows)])
    if extra:
        net.raw(bytes(4))
    for number, columns, rows in ROWS:
        for row in rows:
            form = [(f"{i}{c}", heap if c in "SGB" else c) for i, c in enumerate(columns)]
            net.put(f"table{number:02x}", form, [names[v] if isinstance(v, str) else
                                                 places[v] if isinstance(v, bytes) else v
                                                 for v in row])


def build(bits, wide=False, extra=False, tilde=b"#~"):
    strings, names, blobs, places, user = heaps()
    measure = make_broken_elf.Elf(32, False)
    tables(measure, wide, extra, names, places)
    measure.raw(bytes(-len(measure.data) % 4))
    streams = [(tilde, measure.data), (b"#Strings", strings), (b"#US", user),
               (b"#GUID", bytes(range(16, 48))), (b"#Blob", blobs)]
    root_size = 16 + 12 + 4 + sum(8 + len(n) + 4 - len(n) % 4 for n, _ in streams)
    size = 16 + 72 + root_size + sum(len(d) for _, d in streams) + 40
    net = make_broken_elf.Elf(32, False)
    put_headers(net, bits == 64, size, RVA)
    net.raw(b"\xff\x25" + bytes(14))
    resources = RVA + size - 40
    net.put("cli", [("size", "I"), ("runtime", "I"), ("meta", "I"), ("metasize", "I"),
                    ("flags", "I"), ("token", "I"), ("resources", "I"), ("ressize", "I"),
                    ("rest", "40s")],
            [72, 0x50002, RVA + 88, size - 128, 1, 0x6000001, resources, 32, bytes(40)])
    net.put("root", [("magic", "I"), ("version", "I"), ("reserved", "I"), ("length", "I"),
                     ("text", "12s"), ("flags", "H"), ("streams", "H")],
            [0x424a5342, 0x10001, 0, 12, b"v4.0.30319\0\0", 0, len(streams)])
    at = root_size
    for name, data in streams:
        padded = name + bytes(4 - len(name) % 4)
        net.put("stream", [("offset", "I"), ("size", "I"), ("name", f"{len(padded)}s")],
                [at, len(data), padded])
        for i in range(len(name)):
            net.fields.append(("stream.letter", len(net.data) - len(padded) + i, 1))
        at += len(data)
    tables(net, wide, extra, names, places)
    net.raw(bytes(-len(measure.data) % 4))
    for _, data in streams[1:]:
        place = net.raw(data)
        net.fields += [("heap", place + i, 1) for i in range(0, len(data), 3)]
    net.put("resource", [("length", "I"), ("data", "4s"), ("length2", "I"), ("data2", "28s")],
            [4, b"data", 20, b"more data" + bytes(19)])
    return net


def bases():
    yield "net32", build(32)
    yield "net64", build(64)
    yield "wide", build(32, wide=True)
    yield "extra", build(64, wide=True, extra=True, tilde=b"#-")


def variants(net):
    yield "whole", bytes(net.data)
    for number, (name, offset, size) in enumerate(net.fields):
        if size > 8:
            continue
        for value in make_broken_elf.field_values(net, offset, size):
            yield (f"{number:03}-{name}-{value:x}",
                   make_broken_elf.with_value(net, offset, size, value))
    for border in sorted(net.borders):
        for cut in (border - 1, border, border + 1):
            if 0 <= cut < len(net.data):
                yield f"cut-{cut}", bytes(net.data[:cut])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    count = 0
    for prefix, net in bases():
        for name, data in variants(net):
            count += 1
            if count % args.every and name != "whole":
                continue
            with open(os.path.join(args.folder, f"{prefix}-{name}"), "wb") as f:
                f.write(data)
    print(count)


if __name__ == "__main__":
    main()
