"""Enter the delayed import of late.dll in the data directory (binutils leaves that out).

usage: set_delay.py FILE"""
import struct
import sys


def main():
    data = bytearray(open(sys.argv[1], "rb").read())
    optional = struct.unpack_from("<I", data, 60)[0] + 24
    sections = optional + struct.unpack_from("<H", data, optional - 4)[0]
    count = struct.unpack_from("<H", data, optional - 18)[0]
    wide = struct.unpack_from("<H", data, optional)[0] == 0x20b

    def address(offset):
        for i in range(count):
            rva, size, raw = struct.unpack_from("<III", data, sections + 40 * i + 12)
            if raw <= offset < raw + size:
                return rva + offset - raw
        raise SystemExit("not in a section")

    name = address(data.index(b"late.dll\0"))
    descriptor = address(data.index(struct.pack("<II", 1, name)))
    struct.pack_into("<II", data, optional + (112 if wide else 96) + 13 * 8, descriptor, 64)
    open(sys.argv[1], "wb").write(data)


main()
