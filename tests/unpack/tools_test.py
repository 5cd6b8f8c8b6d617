"""Archives made by the programs that people use, and ClamAV's test files, through our decoders: the
same bytes come out. Then the same archives cut and damaged: no crash, and an end in time.

    tools_test.py UNPACK_FILE [COPIES]

COPIES: how often each archive is cut and how often damaged; 20 for `make check`, many more for
`make damage-archives`. A program that is not installed leaves its case out."""
import hashlib, os, random, shutil, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from tap import Skip, case, main

UNPACK = os.path.abspath(sys.argv.pop(1))
TESTFILES = "/usr/share/clamav-testfiles"
CLAM_EXE = "71e7b604d18aefd839e51a39c88df8383bb4c071dc31f87f00a2b5df580d4495"
OK, TRUNCATED, MALFORMED, UNSUPPORTED, ENCRYPTED = range(5)
COPIES = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1].isdigit() else "20"

room = tempfile.mkdtemp()
made = []  # (format, path) of all archives, for the cases at the end


def make_tree():
    rng = random.Random(1)
    words = [b"%x" % rng.randrange(1 << 20) for _ in range(500)]
    files = {
        "text.txt": b" ".join(rng.choice(words) for _ in range(30000)),
        "noise.bin": rng.randbytes(20000),
        "empty": b"",
        "folder/Ein langer Name mit \u00c4.txt": b"umlaut",
        "folder/deeper/zeros": bytes(300000),
    }
    for name, data in files.items():
        path = os.path.join(room, "tree", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    return files


tree = make_tree()


def tool(*command, out=None):
    """Run a program inside the tree; its output, or the path it wrote."""
    if not shutil.which(command[0]):
        raise Skip(command[0] + " is not installed")
    r = subprocess.run(command, cwd=os.path.join(room, "tree"), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert r.returncode == 0, (command, r.stderr[-500:])
    return out or r.stdout


def unpack(fmt, path, timeout=20):
    """Status and children (name, status, bytes, flags) of an archive."""
    folder = tempfile.mkdtemp(dir=room)
    r = subprocess.run([UNPACK, "-k", folder, fmt, path], stdout=subprocess.PIPE, timeout=timeout)
    assert r.returncode == 0, (fmt, path, r.returncode)
    *lines, last, _ = r.stdout.split(b"\n")
    children = []
    for line in lines:
        number, how, size, crc, flags, name = line.split(b" ", 5)
        with open(os.path.join(folder, number.decode()), "rb") as f:
            children.append((name, int(how), f.read(), flags))
    shutil.rmtree(folder)
    return int(last.split()[1]), children


def keep(fmt, path, data=None):
    path = os.path.join(room, path)
    if data is not None:
        with open(path, "wb") as f:
            f.write(data)
    made.append((fmt, path))
    return path


def same_tree(fmt, path, strip="", names=True):
    status, children = unpack(fmt, path)
    assert status == OK, status
    got = {c[0].decode(): c[2] for c in children if c[3][:1] == b"f"}
    if names:
        assert got == {strip + n: d for n, d in tree.items()}, sorted(got)
    else:
        assert sorted(got.values()) == sorted(tree.values()), sorted(got)


@case
def clamav_test_files_give_their_program():
    if not os.path.isdir(TESTFILES):
        raise Skip("clamav-testfiles is not installed")
    for fmt, name in (("7z", "clam.7z"), ("cab", "clam.cab"), ("chm", "clam.chm"),
                      ("bzip2", "clam.exe.bz2"), ("szdd", "clam.exe.szdd"), ("arj", "clam.arj")):
        with open(os.path.join(TESTFILES, name), "rb") as f:
            status, children = unpack(fmt, keep(fmt, name, f.read()))
        assert status == OK, (name, status)
        assert CLAM_EXE in [hashlib.sha256(c[2]).hexdigest() for c in children], name


def stream(fmt, *command):
    packed = [tool(*command, name) for name in ("text.txt", "noise.bin", "empty")]
    plain = [tree[name] for name in ("text.txt", "noise.bin", "empty")]
    for p, d in zip(packed, plain):
        status, children = unpack(fmt, keep(fmt, "%s%d" % (fmt, len(made)), p))
        assert status == OK and children[0][2] == d, (command, status)
    if fmt in ("lzma", "Z"):
        return
    status, children = unpack(fmt, keep(fmt, "%s%d" % (fmt, len(made)), b"".join(packed)))
    assert status == OK and len(children) == 1 and children[0][2] == b"".join(plain), command


@case
def streams_are_what_their_tools_packed():
    for fmt, *command in (("bzip2", "bzip2", "-c"), ("bzip2", "bzip2", "-1c"),
                          ("xz", "xz", "-c"), ("xz", "xz", "-9c", "--check=sha256"),
                          ("xz", "xz", "-c", "--block-size=20000"), ("xz", "xz", "-c", "--x86", "--lzma2"),
                          ("lzma", "xz", "--format=lzma", "-c"), ("zstd", "zstd", "-qc"),
                          ("zstd", "zstd", "-qc", "-19", "--long=27"), ("zstd", "zstd", "-qc", "--no-check"),
                          ("lz4", "lz4", "-qc"), ("lz4", "lz4", "-qc9", "-BD", "-B4"),
                          ("lz4", "lz4", "-qc", "-BX", "--content-size"), ("lz4", "lz4", "-qcl")):
        stream(fmt, *command)


@case
def lzip_files_are_what_lzip_packed():
    stream("lzip", "lzip", "-c")


@case
def compress_files_are_what_compress_packed():
    stream("Z", "compress", "-fc")
    stream("Z", "compress", "-fc", "-b", "12")


@case
def files_of_7z_archives_come_out():
    for i, options in enumerate((["-ms=on"], ["-ms=off"], ["-m0=PPMd"], ["-m0=BZip2"], ["-m0=Deflate"],
                                 ["-m0=Copy"], ["-m0=LZMA"], ["-mf=BCJ2"], ["-mhc=off"])):
        path = keep("7z", "%d.7z" % i)
        tool("7z", "a", "-bd", *options, path, ".")
        same_tree("7z", path)


@case
def encrypted_7z_archives_say_so():
    for i, options in enumerate((["-psecret"], ["-psecret", "-mhe=on"])):
        path = keep("7z", "e%d.7z" % i)
        tool("7z", "a", "-bd", *options, path, ".")
        assert unpack("7z", path)[0] == ENCRYPTED


@case
def files_of_iso_images_come_out():
    for i, options in enumerate(([], ["-J"], ["-R"], ["-J", "-R"])):
        path = keep("iso", "%d.iso" % i)
        tool("genisoimage", "-quiet", *options, "-o", path, ".")
        same_tree("iso", path, names=bool(options))


@case
def both_trees_of_an_iso_image_are_read():
    """Names that Windows shows may lead elsewhere than those that Linux shows."""
    path = os.path.join(room, "two.iso")
    tool("genisoimage", "-quiet", "-J", "-R", "-o", path, ".")
    with open(path, "rb") as f:
        image = bytearray(f.read())
    hidden = image.find(tree["noise.bin"])
    name = image.find("text.txt".encode("utf-16-be"))
    record = name - 33
    image[record + 2:record + 10] = (hidden // 2048).to_bytes(4, "little") + (hidden // 2048).to_bytes(4, "big")
    image[record + 10:record + 18] = (21).to_bytes(4, "little") + (21).to_bytes(4, "big")
    status, children = unpack("iso", keep("iso", "lying.iso", bytes(image)))
    assert status == OK, status
    got = [c[2] for c in children if c[3][:1] == b"f"]
    assert tree["noise.bin"][:21] in got, [(c[0], len(c[2])) for c in children]
    assert sorted(got) == sorted([*tree.values(), tree["noise.bin"][:21]]), [(c[0], len(c[2])) for c in children]


@case
def members_of_a_debian_package_come_out():
    package = os.path.join(room, "package")
    os.makedirs(package + "/DEBIAN")
    with open(package + "/DEBIAN/control", "w") as f:
        f.write("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n")
    shutil.copytree(os.path.join(room, "tree"), package + "/usr")
    path = keep("ar", "x.deb")
    tool("dpkg-deb", "--root-owner-group", "-Zxz", "-b", package, path)
    status, children = unpack("ar", path)
    assert status == OK
    assert [c[0] for c in children] == [b"debian-binary", b"control.tar.xz", b"data.tar.xz"]
    assert children[2][2] == tool("ar", "p", path, "data.tar.xz")
    assert children[2][3] == b"f-w"


@case
def members_of_an_ar_archive_come_out():
    path = keep("ar", "x.a")
    names = ["text.txt", "noise.bin", "empty", "folder/Ein langer Name mit \u00c4.txt"]
    tool("ar", "qc", path, *names)
    status, children = unpack("ar", path)
    assert status == OK
    assert {c[0].decode(): c[2] for c in children} == {os.path.basename(n): tree[n] for n in names}


@case
def the_payload_of_an_rpm_comes_out():
    spec = os.path.join(room, "x.spec")
    with open(spec, "w") as f:
        f.write("Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n"
                "%description\nx\n%install\nmkdir -p %{buildroot}/usr\n"
                "cp " + room + "/tree/text.txt %{buildroot}/usr/text.txt\n%files\n/usr/text.txt\n")
    for payload in ("w9.gzdio", "w6.xzdio", "w0.ufdio"):
        tool("rpmbuild", "-bb", "--quiet", "--define", "_topdir " + room + "/rpm", "--define",
             "_binary_payload " + payload, spec)
        path = keep("rpm", payload + ".rpm")
        shutil.move(room + "/rpm/RPMS/noarch/x-1-1.noarch.rpm", path)
        status, children = unpack("rpm", path)
        assert status == OK and len(children) == 1
        cpio = tool("rpm2cpio", path)
        packed = children[0][2]
        if payload == "w6.xzdio":
            inner = os.path.join(room, "payload.xz")
            with open(inner, "wb") as f:
                f.write(packed)
            packed = unpack("xz", inner)[1][0][2]
        elif payload == "w9.gzdio":
            import gzip
            packed = gzip.decompress(packed)
        assert packed == cpio, payload


@case
def files_of_xar_archives_come_out():
    for c in ("gzip", "bzip2", "xz", "none"):
        path = keep("xar", c + ".xar")
        tool("bsdtar", "--format", "xar", "--options", "compression=" + c, "-cf", path,
             "text.txt", "noise.bin", "folder/deeper")
        status, children = unpack("xar", path)
        got = {x[0].decode(): x[2] for x in children if x[3][:1] == b"f"}
        assert status == OK, (c, status)
        assert got == {n: tree[n] for n in ("text.txt", "noise.bin", "folder/deeper/zeros")}, c


@case
def files_of_arj_archives_come_out():
    for m in "01234":
        path = keep("arj", "m%s.arj" % m)
        tool("arj", "a", "-y", "-m" + m, path, *tree)
        same_tree("arj", path)


@case
def a_scan_opens_nothing():
    """Libraries do all their warming up before the object is read."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    for fmt in ("7z", "iso", "cab", "chm", "szdd", "arj", "xz", "zstd", "bzip2"):
        paths = [p for f, p in made if f == fmt]
        if not paths:
            continue
        path, log = paths[-1], os.path.join(room, "strace")
        r = subprocess.run(["strace", "-f", "-o", log, UNPACK, fmt, path], env={"TZ": "UTC0"},
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
        if r.returncode != 0:
            raise Skip("strace is not allowed to trace here")
        with open(log, errors="replace") as f:
            calls = f.read().split("\n")
        start = [i for i, c in enumerate(calls) if "openat" in c and path in c]
        assert start, fmt
        bad = [c for c in calls[start[0] + 1:]
               if any(w in c for w in ("open", "exec", "clone", "fork", "socket", "access(", "readlink"))]
        assert not bad, (fmt, bad)


@case
def cut_and_damaged_archives_end_in_time():
    for fmt in sorted({f for f, _ in made}):
        paths = [p for f, p in made if f == fmt]
        r = subprocess.run([UNPACK, "-q", "-d", COPIES, fmt, *paths], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=20 + int(COPIES) * len(paths))
        lines = [line for line in r.stdout.decode(errors="replace").split("\n") if line.startswith("damaged")]
        assert r.returncode == 0 and len(lines) == len(paths), (fmt, r.returncode, paths[len(lines):][:1], r.stderr[-2000:])
        for line in lines:
            assert float(line.split("at most ")[1].split(" ms")[0]) < 5000, (fmt, line)


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(room)
