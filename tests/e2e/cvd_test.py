#!/usr/bin/env python3
"""ClamAV's containers (.cvd .cld .cud): made here with keys of our own, and judged by our reader and by
Debian's sigtool with the same keys put into a copy of its library."""
import gzip, hashlib, io, os, random, re, shutil, subprocess, tarfile
from tap import BUILD, HOLDFAST, Skip, case, eicar, main, need, run

CHECK = os.path.join(BUILD, "tests", "db", "cvd_check")
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
E_DATABASE, E_INFO = 100001027, 100002049
rng = random.Random(7)


def is_prime(n):
    for p in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        if n % p == 0:
            return n == p
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(12):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(bits):
    while True:
        n = rng.getrandbits(bits) | 1 | 3 << bits - 2
        if is_prime(n):
            return n


def make_key(bits, e, digits):
    """A key whose modulus has as many decimal digits as the one it takes the place of."""
    while True:
        p, q = prime(bits // 2), prime(bits // 2)
        n = p * q
        try:
            d = pow(e, -1, (p - 1) * (q - 1))
        except ValueError:
            continue
        if len(str(n)) == digits:
            return n, d


def digits_of(n):
    out = ""
    while n:
        out, n = out + ALPHABET[n & 63], n >> 6
    return out


def sign_md5(key, md5):
    return digits_of(pow(int.from_bytes(md5, "big"), key[1], key[0]))


def mgf(seed, n):
    out = b""
    for i in range((n + 31) // 32):
        out += hashlib.sha256(seed + i.to_bytes(4, "big")).digest()
    return out[:n]


def sign_sha256(key, digest):
    """RSA-PSS with SHA-256 and 32 bytes of salt. [RFC 8017 9.1.1]"""
    masked = bytes(1)
    while masked[0] == 0:  # ClamAV 1.4 refuses one in 256 good signatures: those that begin with a zero byte
        salt = bytes(rng.randrange(256) for _ in range(32))
        h = hashlib.sha256(bytes(8) + digest + salt).digest()
        block = bytes(256 - 32 - 32 - 2) + b"\1" + salt
        masked = bytes(a ^ b for a, b in zip(block, mgf(h, len(block))))
        masked = bytes([masked[0] & 0x7F]) + masked[1:]
    return digits_of(pow(int.from_bytes(masked + h + b"\xbc", "big"), key[1], key[0]))


DATABASE = make_key(1024, E_DATABASE, 309)
INFO = make_key(2048, E_INFO, 617)
HEAD = b"ClamAV-VDB:24 Nov 2026 02-29 +0000:5:2:90:"


def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, text in members:
            i = tarfile.TarInfo(name)
            i.size = len(text)
            t.addfile(i, io.BytesIO(text))
    return out.getvalue()


def container(members, name, sign=True, pack=gzip.compress, info=True):
    """The bytes of name.cvd, .cld or .cud."""
    stem, kind = name.rsplit(".", 1)
    lines = HEAD + b"X:X:me:1795487392\n"
    for n, text in members:
        lines += b"%s:%d:%s\n" % (n.encode(), len(text), hashlib.sha256(text).hexdigest().encode())
    if sign:
        lines += b"DSIG:" + sign_sha256(INFO, hashlib.sha256(lines).digest()).encode() + b"\n"
    all = [("COPYING", b"licence\n")] + ([(stem + ".info", lines)] if info else []) + members
    body = pack(tar(all))
    md5 = hashlib.md5(body).digest()
    dsig = sign_md5(DATABASE, md5).encode() if sign and kind == "cvd" else b"X"
    return (HEAD + md5.hex().encode() + b":" + dsig + b":me:1795487392").ljust(512) + body


MEMBERS = [("test.hdb", hashlib.md5(eicar()).hexdigest().encode() + b":68:Eicar-Hash\n"),
           ("test.ndb", b"Eicar-Body:0:*:58354f2150254041505b345c505a58\n")]


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)


def check(name):
    r = run(CHECK, str(DATABASE[0]), str(INFO[0]), name)
    return r.returncode, r.stdout.decode().splitlines()


GOOD = ["test.hdb %d" % len(MEMBERS[0][1]), "test.ndb %d" % len(MEMBERS[1][1]), "good"]


@case
def containers_of_all_kinds_are_read():
    for name in ("test.cvd", "test.cld", "test.cud"):
        for pack in (gzip.compress, bytes):
            write(name, container(MEMBERS, name, pack=pack))
            assert check(name) == (0, GOOD), (name, check(name))


@case
def a_changed_byte_anywhere_behind_the_header_is_noticed():
    for name in ("test.cvd", "test.cld"):
        whole = container(MEMBERS, name, pack=bytes)
        listed = whole.index(b"DSIG")
        for at in [512 + i for i in range(0, 100, 9)] + [listed + 20] + [
                m for n, t in MEMBERS for m in (whole.rindex(t) + 3,)]:
            if name == "test.cld" and at < listed - 100:
                continue  # COPYING is signed only in .cvd
            write(name, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            code, lines = check(name)
            assert code == 1, (name, at, lines)


@case
def signatures_of_somebody_else_are_refused():
    other = make_key(1024, E_DATABASE, 309)
    whole = container(MEMBERS, "test.cvd")
    md5 = hashlib.md5(whole[512:]).digest()
    for dsig in (b"X", b"", digits_of(5).encode(), sign_md5(other, md5).encode(), b"a" * 172, b"/" * 5000,
                 digits_of(int.from_bytes(md5, "big") + DATABASE[0]).encode()):
        write("test.cvd", ((HEAD + md5.hex().encode() + b":" + dsig + b":me:1795487392").ljust(512)[:512]) + whole[512:])
        assert check("test.cvd")[0] == 1, dsig
    write("test.cld", container(MEMBERS, "test.cld", sign=False))
    assert check("test.cld") == (1, ["test.info: not signed"])
    write("test.cld", container(MEMBERS, "test.cld", info=False))
    assert check("test.cld")[0] == 1


@case
def cut_containers_are_refused():
    for name, pack in (("test.cud", bytes), ("test.cud", gzip.compress), ("test.cld", bytes)):
        whole = container(MEMBERS, name, pack=pack)
        for at in (0, 1, 511, 513, len(whole) // 2):
            write(name, whole[:at])
            assert check(name)[0] == 1, (name, at)


@case
def members_cannot_leave_their_folder():
    for bad in ("../x.hdb", "a/b.hdb", "/etc/x.hdb", ".hidden.hdb"):
        write("test.cud", container([(bad, MEMBERS[0][1])], "test.cud"))
        assert check("test.cud")[0] == 1, bad


@case
def a_bomb_is_refused_in_time():
    head = (HEAD + b"X:X:me:1").ljust(512)
    t = bytearray(tar([("test.hdb", b"")]))
    block = bytearray(t[:512])
    block[124:136] = b"%011o\0" % (7 << 30)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    write("test.cud", head + bytes(block) + b"x" * 4096)
    assert check("test.cud") == (1, ["larger than sensible"]), check("test.cud")


@case
def build_takes_unsigned_containers_and_says_so_and_refuses_strangers():
    write("test.cud", container(MEMBERS, "test.cud", sign=False))
    write("x.com", eicar())
    r = run(HOLDFAST, "db", "build", "-o", "x.hfdb", "test.cud")
    assert r.returncode == 0 and b"nobody has signed it" in r.stderr, r
    r = run(HOLDFAST, "scan", "--db", "x.hfdb", "x.com")
    assert r.returncode == 1 and b"Eicar-Body" in r.stdout, r
    for name in ("test.cvd", "test.cld"):
        write(name, container(MEMBERS, name))  # well signed, by our key and not by ClamAV's
        r = run(HOLDFAST, "db", "build", "-o", "y.hfdb", name)
        assert r.returncode == 2 and b"signature is not the publisher's" in r.stderr, r
        assert not os.path.exists("y.hfdb")


@case
def bad_lines_are_counted_and_told_with_file_line_and_reason():
    import json
    bad = b"".join(b"%d:x:y\n" % i for i in range(1500))
    write("test.cud", container([("test.hdb", bad + MEMBERS[0][1]), ("test.ndb", b"# c\nnothing\n" + MEMBERS[1][1])], "test.cud"))
    r = run(HOLDFAST, "db", "build", "-o", "x.hfdb", "test.cud")
    shown = r.stderr.decode().splitlines()
    assert r.returncode == 0 and b"1501 bad lines" in r.stdout, r
    assert len(shown) == 101 and shown[0].startswith("holdfast db build: test.cud:test.hdb:1: "), shown[:2]
    assert shown[100].endswith("1402 more messages; --verbose shows all"), shown[100]
    r = run(HOLDFAST, "db", "build", "--verbose", "-o", "x.hfdb", "test.cud")
    assert b"test.cud:test.ndb:2: " in r.stderr and r.stderr.count(b"\n") == 1502, r.stderr[-300:]
    r = run(HOLDFAST, "db", "build", "--json", "-o", "x.hfdb", "test.cud")
    out = json.loads(r.stdout)
    assert out["bad_lines"] == 1501 and out["signatures"] == 2 and r.stderr == b"", out
    assert out["messages"][0]["line"] == 1 and len(out["messages"]) == 1000 and out["messages_left_out"] == 502, out["messages"][:1]
    r = run(HOLDFAST, "db", "build", "--strict", "-q", "-o", "y.hfdb", "test.cud")
    assert r.returncode == 2 and not os.path.exists("y.hfdb"), r


def patched_library():
    """A folder with a copy of libclamav that trusts our keys."""
    need("sigtool")
    out = subprocess.run(["ldd", shutil.which("sigtool")], capture_output=True, text=True).stdout
    found = re.search(r"(libclamav\.so\.\d+) => (\S+)", out)
    if not found:
        raise Skip("sigtool without libclamav")
    data = open(found.group(2), "rb").read()
    for digits, ours in ((309, DATABASE), (617, INFO)):
        keys = set(re.findall(rb"(?<![0-9])[1-9][0-9]{%d}(?=\0)" % (digits - 1), data))
        if len(keys) != 1:
            raise Skip("another libclamav")
        data = data.replace(keys.pop(), str(ours[0]).encode())
    os.mkdir("lib")
    write(os.path.join("lib", found.group(1)), data)
    return dict(os.environ, LD_LIBRARY_PATH=os.path.abspath("lib"))


@case
def sigtool_with_our_keys_agrees():
    env = patched_library()
    write("test.cvd", container(MEMBERS, "test.cvd"))
    r = run("sigtool", "--info", "test.cvd", env=env)
    assert b"Verification OK" in r.stdout + r.stderr, r
    write("x.com", eicar())
    for name in ("test.cvd", "test.cld"):  # not both in one folder: ClamAV looks at the other one too
        if os.path.exists("test.cvd"):
            os.unlink("test.cvd")
        whole = container(MEMBERS, name)
        for change in (None, 600 if name == "test.cvd" else None):
            data = bytearray(container(MEMBERS, name, pack=bytes) if change else whole)
            if change:
                data[change] ^= 1
            write(name, data)
            ours = check(name)[0]
            r = run("clamscan", "-d", name, "x.com", env=env)
            assert (r.returncode == 2) == (ours == 1), (name, change, r.stdout, r.stderr, check(name))


if __name__ == "__main__":
    main()
