"""Small inputs for the fuzz targets of decoders: made by the tools that are installed; a tool that
is missing only makes the fuzzing slower to start. Used by the seeds_* scripts beside it."""
import glob, os, shutil, struct, subprocess, sys, tempfile, zlib

TESTFILES = "/usr/share/clamav-testfiles/"
PLAIN = b"".join(b"line %d of a text that compresses\n" % (i % 17) for i in range(60))
NOISE = bytes((i * i * 31 + i * 7) >> 3 & 255 for i in range(700))


class Seeds:
    def __init__(self, formats=()):
        self.out = sys.argv[1]
        self.formats = list(formats)
        self.dir = tempfile.mkdtemp()
        os.makedirs(self.dir + "/d/sub")
        for name, data in (("d/a.txt", PLAIN), ("d/sub/b", NOISE), ("d/empty", b"")):
            with open(os.path.join(self.dir, name), "wb") as f:
                f.write(data)

    def keep(self, name, data, fmt=None):
        head = bytes([self.formats.index(fmt)]) if fmt else b""
        with open(os.path.join(self.out, name), "wb") as f:
            f.write(head + data)

    def testfile(self, name, fmt=None):
        if os.path.exists(TESTFILES + name):
            with open(TESTFILES + name, "rb") as f:
                self.keep(name, f.read(), fmt)

    def tool(self, name, command, fmt=None, out=None):
        """Run a command in the folder with the files; keep its standard output, or the file out."""
        if not shutil.which(command[0]):
            return
        r = subprocess.run(command, cwd=self.dir, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=20)
        path = os.path.join(self.dir, out or "")
        if r.returncode == 0 and (out is None or os.path.exists(path)):
            self.keep(name, open(path, "rb").read() if out else r.stdout, fmt)

    def done(self):
        shutil.rmtree(self.dir)


def rar4(name, data):
    """A RAR 2.9 archive with one stored file."""
    def block(kind, flags, body, add=b""):
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xffff) + head + add
    entry = struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0, 29, 0x30,
                        len(name), 0o100644) + name
    return (b"Rar!\x1a\x07\0" + block(0x73, 0, b"\0" * 6) + block(0x74, 0x8000, entry, data)
            + block(0x7b, 0x4000, b""))


def rar5(name, data):
    """A RAR 5 archive with one stored file."""
    def vint(n):
        out = b""
        while n > 127:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])
    def block(body, add=b""):
        head = vint(len(body)) + body
        return struct.pack("<I", zlib.crc32(head)) + head + add
    entry = (vint(2) + vint(2) + vint(len(data)) + vint(4) + vint(len(data)) + vint(0o100644)
             + struct.pack("<I", zlib.crc32(data)) + vint(0) + vint(1) + vint(len(name)) + name)
    return (b"Rar!\x1a\x07\x01\0" + block(vint(1) + vint(0) + vint(0)) + block(entry, data)
            + block(vint(5) + vint(0) + vint(0)))


def lha(method, name, packed, size, crc=0):
    """An LHA archive with one member, header level 0."""
    body = method + struct.pack("<IIIBBB", len(packed), size, 0, 0x20, 0, len(name)) + name
    body += struct.pack("<H", crc)
    return bytes([len(body), sum(body) & 255]) + body + packed + b"\0"
