#!/usr/bin/env python3
"""EICAR inside what real archivers make: found, with the way to it. clamav-testfiles. Bombs."""
import binascii, glob, gzip, io, os, shutil, struct, subprocess, tarfile, time, zipfile, zlib
from email import message_from_bytes, policy
from email.message import EmailMessage
from tap import case, main, need, run, scan, scan_json, eicar, Skip


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def found_inside(archive, *way, args=()):
    """The archive is infected, and the evidence's way into it ends as given."""
    code, objects, _ = scan_json(*args, archive)
    assert code == 1, "exit %d" % code
    assert len(objects) == 1, objects
    assert objects[0]["verdict"] == "infected", objects
    inside = objects[0]["evidence"][0]["inner"]
    inside = [n[2:] if n.startswith("./") else n for n in inside]
    assert inside[len(inside) - len(way):] == list(way), inside


def tool(*args, **more):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def bait():
    os.mkdir("bait")
    put("bait/readme.txt", b"nothing to see\n" * 100)
    put("bait/eicar.com", eicar())


@case
def plain():
    found_inside(put("eicar.com", eicar()))


@case
def zip_deflated_and_stored():
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile("a.zip", "w", method) as z:
            z.writestr("readme", b"x" * 1000)
            z.writestr("d/eicar.com", eicar())
        found_inside("a.zip", "d/eicar.com")


@case
def seven_zip():
    need("7z")
    bait()
    for method in ("LZMA2", "PPMd", "BZip2", "Copy"):
        tool("7z", "a", "-m0=" + method, method + ".7z", "bait")
        found_inside(method + ".7z", "bait/eicar.com")


@case
def tar_with_every_compressor():
    bait()
    tool("tar", "cf", "a.tar", "bait")
    found_inside("a.tar", "bait/eicar.com")
    for program, ending in (("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("zstd", "zst"), ("lz4", "lz4")):
        need(program)
        with open("a.tar." + ending, "wb") as out:
            subprocess.run([program, "-c", "a.tar"], stdout=out, check=True)
        found_inside("a.tar." + ending, "bait/eicar.com")


@case
def iso_image():
    need("genisoimage")
    bait()
    tool("genisoimage", "-quiet", "-J", "-R", "-o", "a.iso", "bait")
    code, objects, _ = scan_json("a.iso")
    assert code == 1 and objects[0]["evidence"][0]["inner"][-1].lower().startswith("eicar.com"), objects


@case
def debian_package():
    need("dpkg-deb")
    os.makedirs("p/DEBIAN")
    os.makedirs("p/opt")
    put("p/DEBIAN/control", b"Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n")
    put("p/opt/eicar.com", eicar())
    for z in ("xz", "gzip", "zstd", "none"):
        try:
            tool("dpkg-deb", "--root-owner-group", "-Z" + z, "-b", "p", z + ".deb")
        except subprocess.CalledProcessError:
            continue
        found_inside(z + ".deb", "opt/eicar.com")


@case
def rpm_package():
    need("rpmbuild")
    put("x.spec", b"Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: none\nBuildArch: noarch\n%description\nx\n"
        b"%install\nmkdir -p %{buildroot}/opt\ncp " + os.getcwd().encode() + b"/eicar.com %{buildroot}/opt/\n%files\n/opt/eicar.com\n")
    put("eicar.com", eicar())
    tool("rpmbuild", "-bb", "--define", "_topdir " + os.getcwd() + "/top", "--define", "_tmppath " + os.getcwd(), "x.spec")
    found_inside(glob.glob("top/RPMS/*/*.rpm")[0], "opt/eicar.com")


@case
def cpio_in_all_its_forms():
    need("cpio")
    bait()
    names = b"bait\nbait/readme.txt\nbait/eicar.com\n"
    for form in ("bin", "odc", "newc", "crc"):
        with open(form, "wb") as out:
            subprocess.run(["cpio", "-o", "-H", form], input=names, stdout=out, stderr=subprocess.DEVNULL, check=True)
        found_inside(form, "bait/eicar.com")


@case
def mail_with_attachments():
    """attachments of mail, however they are encoded, in messages within messages and mailboxes"""
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("eicar.com", eicar())
    mails = []
    for encoding in ("base64", "quoted-printable"):
        m = EmailMessage(policy=policy.SMTP)
        m["From"], m["To"], m["Subject"] = "a@example.org", "b@example.org", "test"
        m.set_content("see the attachment")
        m.add_alternative("<html>see the attachment</html>", subtype="html")
        m.add_attachment(b.getvalue(), maintype="application", subtype="zip", filename="gr\u00fc\u00dfe.zip", cte=encoding)
        mails.append(m.as_bytes())
        found_inside(put("a.eml", mails[-1]), "gr\u00fc\u00dfe.zip", "eicar.com")
    outer = EmailMessage(policy=policy.SMTP)
    outer["From"], outer["Subject"] = "a@example.org", "forwarded"
    outer.set_content("see the message")
    outer.add_attachment(message_from_bytes(mails[0], policy=policy.SMTP))
    found_inside(put("b.eml", outer.as_bytes()), "gr\u00fc\u00dfe.zip", "eicar.com")
    box = b"".join(b"From a@example.org Mon Jan  1 00:00:00 2024\n" + x + b"\n" for x in (b"Subject: x\n\nclean\n", mails[0]))
    found_inside(put("mbox", box), "gr\u00fc\u00dfe.zip", "eicar.com")
    body = b"From: a@example.org\nSubject: x\n\nsee below\n\nbegin 644 a.zip\n" + b"".join(
        binascii.b2a_uu(b.getvalue()[i:i + 45]) for i in range(0, len(b.getvalue()), 45)) + b"`\nend\n"
    found_inside(put("uu.eml", body), "a.zip", "eicar.com")


@case
def mail_that_is_encrypted():
    """what must be decrypted first is unscannable, not clean"""
    m = (b"From: a@example.org\nSubject: x\nContent-Type: multipart/encrypted; boundary=B\n\n--B\n"
         b"Content-Type: application/pgp-encrypted\n\nVersion: 1\n--B\n"
         b"Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n\nx\n--B--\n")
    code, objects, _ = scan_json("--strict", put("a.eml", m))
    assert code == 3 and objects[0]["reason"] == ["encrypted"], objects


@case
def zip_in_zip_in_tar():
    inner, outer, whole = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("eicar.com", eicar())
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("inner.zip", inner.getvalue())
    with tarfile.open(fileobj=whole, mode="w") as t:
        info = tarfile.TarInfo("outer.zip")
        info.size = len(outer.getvalue())
        t.addfile(info, io.BytesIO(outer.getvalue()))
    found_inside(put("a.tar", whole.getvalue()), "outer.zip", "inner.zip", "eicar.com")


@case
def zip_behind_another_file():
    """a zip appended to something else (self-extracting, polyglot) is opened too"""
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("eicar.com", eicar())
    found_inside(put("picture.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 5000 + b.getvalue()), "eicar.com")


@case
def zip_that_lies_about_its_members():
    """a member that only the local header shows is found"""
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("eicar.com", eicar())
    hidden = b.getvalue()
    hidden = hidden[: hidden.index(b"PK\1\2")]
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        z.writestr("clean.txt", b"clean")
    honest = b.getvalue()
    # the central directory of the honest archive, shifted behind the hidden member
    cut = honest.index(b"PK\1\2")
    directory = bytearray(honest[cut:])
    struct.pack_into("<I", directory, 42, len(hidden))
    end = directory.index(b"PK\5\6")
    struct.pack_into("<I", directory, end + 16, len(hidden) + cut)
    found_inside(put("a.zip", hidden + honest[:cut] + bytes(directory)), "eicar.com")


@case
def damaged_archives_are_read_up_to_where_they_break():
    bait()
    tool("tar", "czf", "a.tgz", "bait/eicar.com", "bait/readme.txt")
    data = open("a.tgz", "rb").read()
    found_inside(put("cut.tgz", data[:-30]), "bait/eicar.com")


@case
def clamav_testfiles_by_one_digest():
    """of clamav-testfiles, by the digest of clam.exe alone: all archive files"""
    folder = "/usr/share/clamav-testfiles"
    if not os.path.isdir(folder):
        raise Skip("clamav-testfiles is not installed")
    put("t.hsb", b"71e7b604d18aefd839e51a39c88df8383bb4c071dc31f87f00a2b5df580d4495:544:ClamAV-Test-File\n")
    _, objects, _ = scan_json("--db", "t.hsb", folder)
    got = {os.path.basename(o["path"]) for o in objects if o["verdict"] == "infected"}
    want = {"clam.exe", "clam.zip", "clam.bz2.zip", "clam.d64.zip", "clam.impl.zip", "clam.7z", "clam.cab",
            "clam.chm", "clam.tar.gz", "clam.exe.bz2", "clam.exe.szdd", "clam.bin-be.cpio", "clam.bin-le.cpio",
            "clam.newc.cpio", "clam.odc.cpio", "clam_cache_emax.tgz", "clam.arj"}
    have = set(os.listdir(folder))
    assert not (want & have) - got, "missed: %s" % sorted((want & have) - got)
    assert len(want & have) >= 15, "only %d of the archive files are there" % len(want & have)


def limited(path, *args):
    """The file is unscannable for a limit, quickly, and --strict says so by the exit code."""
    start = time.time()
    code, objects, _ = scan_json("--strict", *args, path)
    assert code == 3, "exit %d, %s" % (code, objects)
    assert objects[0]["verdict"] == "unscannable" and "limit" in objects[0]["reason"], objects
    assert time.time() - start < 30, "took %.1f s" % (time.time() - start)


@case
def bomb_of_one_member():
    zero = zlib.compressobj(9, zlib.DEFLATED, 31)
    with open("bomb.gz", "wb") as f:
        for _ in range(600):
            f.write(zero.compress(b"\0" * (1 << 20)))
        f.write(zero.flush())
    limited("bomb.gz", "--max-filesize=100M")


@case
def bomb_of_nested_archives():
    data = b"x" * 1000
    for _ in range(40):
        b = io.BytesIO()
        with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("a.zip", data)
        data = b.getvalue()
    limited(put("nested.zip", data))


@case
def bomb_that_widens():
    """sixteen times sixteen times ... members"""
    data = b"\0" * (1 << 20)
    for _ in range(6):
        b = io.BytesIO()
        with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
            for i in range(16):
                z.writestr("%d.zip" % i, data)
        data = b.getvalue()
    limited(put("wide.zip", data), "--max-scansize=200M")


@case
def bomb_of_overlapping_members():
    """many central directory entries share one kernel of compressed zeros"""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = kernel.compress(b"\0" * (8 << 20)) + kernel.flush()
    body, directory, count = b"", b"", 2000
    name = b"k"
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(raw), 8 << 20, len(name), 0) + name
    body = local + raw
    for i in range(count):
        n = b"%d" % i
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(raw), 8 << 20,
                                 len(n), 0, 0, 0, 0, 0, 0) + n
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(body), 0)
    put("overlap.zip", body + directory + end)
    start = time.time()
    code, objects, _ = scan_json("--strict", "--max-scansize=100M", "overlap.zip")
    assert time.time() - start < 20
    assert code in (0, 3), code  # either each region once (nothing left out) or the limit


@case
def huge_declared_sizes_are_not_believed():
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("eicar.com", eicar())
    data = bytearray(b.getvalue())
    struct.pack_into("<I", data, 22, 0xFFFFFFF0)
    at = data.index(b"PK\1\2")
    struct.pack_into("<I", data, at + 24, 0xFFFFFFF0)
    found_inside(put("huge.zip", bytes(data)), "eicar.com")


@case
def encrypted_members_are_said():
    need("zip")
    put("secret", b"secret" * 100)
    tool("zip", "-q", "-P", "password", "a.zip", "secret")
    code, objects, _ = scan_json("--strict", "a.zip")
    assert code == 3 and objects[0]["reason"] == ["encrypted"], objects


main()
