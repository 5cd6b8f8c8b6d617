#!/usr/bin/env python3
"""build/compat/sigtool beside Debian's, byte for byte; the order in which members of containers are listed aside."""
import hashlib, os, random, shutil, subprocess
import tap
from tap import BUILD, case, eicar, main, need, run
import cvd_test  # for its containers, not its cases
import pe_samples

tap.cases.clear()

OURS = os.path.join(BUILD, "compat", "sigtool")
RESULTS = ("normalised_text", "in.bin.ascii")


def write(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def both(args, given=b"", env=None, sort=False):
    need("sigtool")
    out = []
    for program in ("sigtool", OURS):
        for f in RESULTS:
            if os.path.exists(f):
                os.unlink(f)
        r = subprocess.run([program] + args, input=given, capture_output=True, timeout=60, env=env)
        files = {f: open(f, "rb").read() for f in RESULTS if os.path.exists(f)}
        stdout = sorted(r.stdout.splitlines()) if sort else r.stdout
        stderr = b"\n".join(l for l in r.stderr.split(b"\n") if not l.startswith(b"LibClamAV debug"))
        out.append((r.returncode, stdout, stderr, files))
    return out


def same(*commands, **more):
    bad = []
    for args in commands:
        theirs, ours = both(args.split() if isinstance(args, str) else args, **more)
        if theirs != ours:
            bad.append("%r\n theirs %r\n ours   %r" % (args, theirs, ours))
    assert not bad, "\n".join(bad)


@case
def digests_are_printed_alike():
    write("t/eicar.com", eicar())
    write("clean.txt", b"hello clean\n")
    write("empty", b"")
    same("--md5 clean.txt t/eicar.com", "--sha1 clean.txt", "--sha256 clean.txt t/missing clean.txt", "--md5 t clean.txt",
         "--quiet --md5 missing")
    for kind in ("--md5", "--sha1", "--sha256", "--hex-dump"):
        same(kind, given=b"abc\0\xff" * 4000)
        same(kind, given=b"")


@case
def text_is_normalised_alike():
    rng = random.Random(5)
    for n in (1, 7, 511, 512, 513, 1024, 4095, 4096, 4097, 8192, 70000):
        for pool in (bytes(range(256)), b" \t\r\n\vaA", b"AbC dE\n\x00\x80"):
            write("in.bin", bytes(rng.choice(pool) for _ in range(n)))
            same("--ascii-normalise=in.bin")
    same("--ascii-normalise=missing")


@case
def text_of_the_system_is_normalised_alike():
    for top in ("/usr/share/common-licenses", "/etc"):
        for name in sorted(os.listdir(top))[:40]:
            path = os.path.join(top, name)
            if os.path.isfile(path) and os.access(path, os.R_OK) and os.path.getsize(path) > 0:
                same(["--ascii-normalise=" + path])


@case
def utf16_is_decoded_alike():
    rng = random.Random(6)
    for n in (0, 1, 2, 3, 510, 511, 512, 513, 514, 1024, 1027, 5000):
        for pool in (bytes(range(1, 256)), b"a\0b\0", b"aA\0", bytes(range(256))):
            write("in.bin", bytes(rng.choice(pool) for _ in range(n)))
            same("--utf16-decode=in.bin")
    write("in.bin", "\ufeffGr\u00fc\u00dfe, w\u00f6rld \u20ac".encode("utf-16-le"))
    same("--utf16-decode=in.bin", "--utf16-decode=missing")


DECODED = r"""N:0:*:61{5}62{3-}63{-9}64
N:7:EOF-5:!(61|62)63(B)64(L)65(W)66!(B)67
N:9:0:61[2-4]6263
N:2:VI:6?
N:3:SL+3,4:?6
N:12:*:61
N:99:*:61
N:1:S2+5:aa:1
N:x:*:61
N:0:*:xyz
N:0:*:616
N:0
N:4:*:(6162|63|64)65*66
NDB:5:*,3:61
N:6:0,5:61
N:8:EP-3:61
N:10:*:61
N:11:*:61
N:14:*:61:51:255
Eicar.B:0:*:58354f21{2-4}50??(41|42)a?*61
Pe.X:1:EP+5,10:61626364:73:255
N;Target:0;0;61::w;62::a;63::f;64::wa;65::iwf
N;Target:0;0&1;0/a\/b/g;0:0/ab/r
N;Target:0;0;61::w
N;Target:0;0;61::a
N;Target:0;0;61::f
N;Target:0;0;61::i
N;Target:1
# c
a=b=c
O=616263
R:aaa
ab:cd:ef:gh:ij:kl:mn:op
N;Engine:1-2;1;0
N;Target:0;0;EP+3:ddeeff::i
N;Target:0;0;*:dd
Worm.X;Engine:73-255,Target:0;0=1,2;aa
L.A;Engine:51-255,Target:1;(0&1)|2>3,1;aabbcc::i;EP+3:ddeeff;0/ab+c/i
aa15bcf478d165efd2065190eb473bcb:544:Test.A"""


def parts(program, *args):
    need("sigtool")
    r = subprocess.run([program, *args], capture_output=True, timeout=60)
    shown = [l for l in r.stderr.split(b"\n") if b"Section{" in l or b"Imphash" in l or l.startswith((b"ERROR", b"hashsig"))]
    return r.returncode, r.stdout, [l.replace(b"(26)", b"(22)") for l in shown]  # which inner error is not told apart


@case
def parts_of_programs_are_shown_alike():
    """section and import digests, with the words of ClamAV's debug output, also of cut and damaged programs"""
    rng = random.Random(7)
    whole = pe_samples.program()
    write("whole.exe", whole)
    write("text", b"no program")
    write("empty", b"")
    os.mkdir("folder")
    for i in range(40):
        data = bytearray(whole[:rng.randrange(1, len(whole))] if i % 2 else whole)
        for _ in range(rng.randrange(3)):
            data[rng.randrange(min(len(data), 1024))] = rng.randrange(256)
        write("damaged%d" % i, bytes(data))
    for option in ("--mdb", "--imp"):
        for files in (["whole.exe"], ["text", "whole.exe"], ["empty"], ["missing"], ["folder", "whole.exe"], [],
                      *([name] for name in ("damaged%d" % i for i in range(40)))):
            theirs, ours = parts("sigtool", option, *files), parts(OURS, option, *files)
            assert theirs == ours, (option, files, theirs, ours)
    assert len(parts(OURS, "--mdb", "whole.exe")[2]) == 3 and b"Imphash: " in parts(OURS, "--imp", "whole.exe")[2][0]


@case
def signatures_are_explained_alike():
    bad = []
    for line in DECODED.split("\n"):
        theirs, ours = both(["--decode-sigs"], line.encode() + b"\n")
        if theirs != ours:
            bad.append("%s\n theirs %r\n ours   %r" % (line, theirs, ours))
    assert not bad, "\n".join(bad)


@case
def signatures_are_listed_and_found_alike():
    for name, text in (("a.hdb", b"aa15bcf478d165efd2065190eb473bcb:544:Test.A\n#c\n"), ("a.db", b"O=aabbcc\n"),
                       ("a.ndb", b"Eicar.B:0:*:58354f21\nPe.X:1:EP+5,10:aabbccdd:73:255\n"),
                       ("a.ldb", b"L.A;Target:1;0&1;aabbcc::i;EP+3:ddeeff\n"), ("a.ign2", b"SomeName\n"),
                       ("a.mdb", b"512:aa15bcf478d165efd2065190eb473bcb:Sec.A\n"), ("a.yar", b"rule y { condition: true }\n"),
                       ("bad.hdb", b"aa15bcf478d165efd2065190eb473bcb:544:Test.A\nbad\n")):
        write("d/" + name, text)
        same("--list-sigs=d/" + name, "-l./d/" + name)
    os.unlink("d/bad.hdb")
    same("-fTest --datadir=d", "-f^L --datadir=d", "-f[0-9a-f]{32} --datadir=d", "--list-sigs=d", "--list-sigs --datadir=d", sort=True)
    same("-lmissing", "--list-sigs=a.hdb", "-fx --datadir=missing")


@case
def containers_are_shown_and_unpacked_alike():
    write("test.cud", cvd_test.container(cvd_test.MEMBERS, "test.cud", sign=False))
    write("no.cvd", b"nothing")
    same("--info=test.cud", "-i test.cud", "--info=missing", "--info=no.cvd", "--unpack-current=none --datadir=.")
    same("--list-sigs=test.cud", "--list-sigs=./test.cud", sort=True)
    for program in ("sigtool", OURS):
        os.mkdir("u")
        run(program, "--unpack=../test.cud", cwd="u")
        names = sorted(os.listdir("u"))
        assert names == ["COPYING", "test.hdb", "test.info", "test.ndb"], (program, names)
        for n, text in cvd_test.MEMBERS:
            assert open("u/" + n, "rb").read() == text, (program, n)
        shutil.rmtree("u")


@case
def wrong_usage_gives_the_same_words():
    same("--bad", "--info", "-u", "--version", "-V")


@case
def options_that_are_missing_say_so():
    for option in ("--fuzzy-img", "--vba=x", "--build=x"):
        r = run(OURS, option)
        assert r.returncode == 1 and b"is not implemented" in r.stderr, r


if __name__ == "__main__":
    main()
