"""A small program made from nothing, for tests that need its parts."""
import struct


def program():
    """Three sections, the second without data; two libraries with three functions, one of them by number."""
    names, ilt, texts, at = [], [], b"", 0x3000 + 0x100
    libraries = (("KERNEL32.dll", ["ExitProcess", "GetTickCount"]), ("WS2_32.dll", [1]))
    tables, table_at = b"", 0x3000 + 60
    for library, functions in libraries:
        thunks = b""
        for f in functions:
            if isinstance(f, int):
                thunks += struct.pack("<I", 0x80000000 | f)
            else:
                thunks += struct.pack("<I", at)
                one = b"\0\0" + f.encode() + b"\0"
                texts, at = texts + one, at + len(one)
        name_at = at
        texts, at = texts + library.encode() + b"\0", at + len(library) + 1
        ilt.append((table_at, name_at))
        tables += thunks + b"\0\0\0\0"
        table_at = 0x3000 + 60 + len(tables)
    descriptors = b"".join(struct.pack("<5I", t, 0, 0, n, t) for t, n in ilt)
    imports = (descriptors.ljust(60, b"\0") + tables).ljust(0x100, b"\0") + texts
    imports = imports.ljust(1024, b"\0")
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x14C, 3, 0, 0, 0, 224, 0x102)
    optional = struct.pack("<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII", 0x10B, 6, 0, 512, 1024, 0, 0x1000, 0x1000, 0x2000, 0x400000,
                           0x1000, 512, 4, 0, 0, 0, 4, 0, 0, 0x4000, 1024, 0, 3, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    optional += struct.pack("<4I", 0, 0, 0x3000, 60)
    rows = ((b".text", 512, 0x1000, 512, 1024, 0x60000020), (b".bss", 512, 0x2000, 0, 0, 0xC0000080),
            (b".idata", 1024, 0x3000, 1024, 1536, 0xC0000040))
    sections = b"".join(struct.pack("<8sIIIIIIHHI", n, v, a, r, o, 0, 0, 0, 0, f) for n, v, a, r, o, f in rows)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + coff + optional.ljust(224, b"\0") + sections
    return head.ljust(1024, b"\0") + b"\xc3" * 512 + imports
