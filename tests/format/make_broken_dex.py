#!/usr/bin/env python3
"""Write small DEX files, whole and broken on purpose, into a folder.

    make_broken_dex.py FOLDER [--every N]

Built as in make_broken_elf.py: every field at odd values, the file cut at every border.
"""
import argparse
import os
import struct

import make_broken_elf

STRINGS = [b"I", b"LMain;", b"V", b"VL", b"count", b"main", b"run", b"x" * 200, b""]
COUNTS = ["strings", "types", "protos", "fields", "methods", "classes", "data"]


def uleb(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def build():
    dex = make_broken_elf.Elf(32, False)
    header = [("checksum", "I"), ("signature", "20s"), ("file_size", "I"), ("header_size", "I"),
              ("endian", "I"), ("link_size", "I"), ("link_off", "I"), ("map_off", "I")]
    for name in COUNTS:
        header += [(name + "_size", "I"), (name + "_off", "I")]
    strings = 112
    types = strings + 4 * len(STRINGS)
    protos = types + 4 * 3
    fields = protos + 12 * 2
    methods = fields + 8 * 2
    classes = methods + 8 * 2
    mapped = classes + 32 * 3
    code = mapped + 4 + 12 * 3
    first, second = class_data(code)
    data_at = [code + 20, code + 20 + len(first)]
    text = data_at[1] + len(second)
    texts, offsets = b"", []
    for s in STRINGS:
        offsets.append(text + len(texts))
        texts += uleb(len(s)) + s + b"\0"
    dex.raw(b"dex\n035\0")
    dex.put("header", header, [1, b"s" * 20, text + len(texts), 112, 0x12345678, 0, 0, mapped,
                               len(STRINGS), strings, 3, types, 2, protos, 2, fields, 2, methods,
                               3, classes, len(texts), text])
    for i, offset in enumerate(offsets):
        dex.put(f"string{i}", [("off", "I")], [offset])
    for i in range(3):
        dex.put(f"type{i}", [("descriptor", "I")], [i])
    for i in range(2):
        dex.put(f"proto{i}", [("shorty", "I"), ("return", "I"), ("params", "I")], [2 + i, 0, 0])
    for i in range(2):
        dex.put(f"field{i}", [("class", "H"), ("type", "H"), ("name", "I")], [1, 0, 4 + 4 * i])
    for i in range(2):
        dex.put(f"method{i}", [("class", "H"), ("proto", "H"), ("name", "I")], [1, i, 5 + i])
    for i, at in enumerate(data_at + [0]):
        dex.put(f"class{i}", [(n, "I") for n in ("class", "flags", "super", "ifaces", "source",
                                                 "annotations", "data", "values")],
                [1, 1, 0xffffffff, 0, 0xffffffff, 0, at, 0])
    dex.put("map", [("size", "I")], [3])
    for i in range(3):
        dex.put(f"map{i}", [("type", "H"), ("unused", "H"), ("size", "I"), ("off", "I")],
                [i, 0, 1, 4 * i])
    dex.put("code", [("registers", "H"), ("ins", "H"), ("outs", "H"), ("tries", "H"),
                     ("debug", "I"), ("insns", "I")], [3, 1, 2, 0, 0, 2])
    dex.raw(b"\x0e\0\x12\x34")
    for name, data in (("data0", first), ("data1", second)):
        for i, byte in enumerate(data):
            dex.put(f"{name}.{i}", [("byte", "B")], [byte])
    dex.raw(texts)
    return dex


def class_data(code):
    """Two lists of members; in the second an index leads nowhere."""
    first = uleb(1) + uleb(1) + uleb(1) + uleb(1)
    first += uleb(0) + uleb(9) + uleb(1) + uleb(2)
    first += uleb(0) + uleb(0x10001) + uleb(code) + uleb(1) + uleb(1) + uleb(0)
    second = uleb(2) + uleb(0) + uleb(0) + uleb(2)
    second += uleb(1) + uleb(1) + uleb(5) + uleb(1)
    second += uleb(1) + uleb(1) + uleb(code) + uleb(1) + uleb(1) + uleb(7)
    return first, second


def variants(dex):
    yield "whole", bytes(dex.data)
    for number, (name, offset, size) in enumerate(dex.fields):
        if size > 8:
            continue
        for value in make_broken_elf.field_values(dex, offset, size):
            yield (f"{number:03}-{name}-{value:x}",
                   make_broken_elf.with_value(dex, offset, size, value))
    for border in sorted(dex.borders):
        for cut in (border - 1, border, border + 1):
            if 0 <= cut < len(dex.data):
                yield f"cut-{cut}", bytes(dex.data[:cut])
    for byte in range(8):
        for value in (0, 0x34, 0x36, 0x39, 0x3a, 0xff):
            data = bytearray(dex.data)
            data[byte] = value
            yield f"magic-{byte}-{value:x}", bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    count = 0
    for name, data in variants(build()):
        count += 1
        if count % args.every and name != "whole":
            continue
        with open(os.path.join(args.folder, name), "wb") as f:
            f.write(data)
    print(count)


if __name__ == "__main__":
    main()
