#!/usr/bin/env python3
"""Planted files: signatures cut from generated files are found in them, alone and in archives, and in no
file that differs by a byte; in one database, in segments, merged, after withdrawal, with any number of
workers."""
import gzip, hashlib, io, os, random, shutil, tarfile, tempfile, zipfile
from tap import HOLDFAST, case, main, run, scan_json

SEEDS = (1, 20261124, 77)
KINDS = ("md5", "sha1", "sha256", "any-md5", "any-sha256", "literal", "at", "end")


class Set:
    """Sources by name, files by name, and the signature that each must be named after (None: clean)."""

    def __init__(self, seed, each=6):
        self.r = random.Random(seed)
        self.lines = {"a.hdb": [], "b.hsb": [], "c.ndb": []}
        self.files, self.expected = {}, {}
        for kind in KINDS:
            for i in range(each):
                self.plant(kind, i)
        for i in range(300):  # signatures of nothing that is there
            self.lines["a.hdb"].append("%032x:%d:Win.Noise-%d" % (self.r.getrandbits(128), self.r.randrange(1, 70000), i))
            self.lines["c.ndb"].append("Win.Literal.Noise-%d:0:*:%s" % (i, self.r.randbytes(24).hex()))

    def plant(self, kind, i):
        data = self.r.randbytes(self.r.choice((0, 1, 40, 3000, 70000, 1500000 if i == 0 else 500)) + 64)
        name = "Plant.%s-%d-%d" % (kind, self.r.randrange(10**7), i)
        size = "*" if kind.startswith("any") else str(len(data))
        last = ":73" if size == "*" else ""
        digest = kind.split("-")[-1]
        if digest in ("md5", "sha1", "sha256"):
            source = "a.hdb" if digest == "md5" else "b.hsb"
            self.lines[source].append("%s:%s:%s%s" % (hashlib.new(digest, data).hexdigest(), size, name, last))
            twin = len(data) // 2
        else:
            at = self.r.randrange(len(data) - 32)
            where = {"literal": "*", "at": str(at), "end": "EOF-%d" % (len(data) - at)}[kind]
            self.lines["c.ndb"].append("%s:0:%s:%s" % (name, where, data[at:at + 24].hex()))
            twin = at + self.r.randrange(24)
        path = "%s-%d" % (kind, i)
        self.add(path, data, name)
        changed = data[:twin] + bytes([data[twin] ^ 1 << self.r.randrange(8)]) + data[twin + 1:]
        self.add(path + "-twin", changed, None)
        if kind == "at" or kind == "end":
            self.add(path + "-moved", b"x" + data + b"x", None)
        self.add(path + self.wrap(path, data), self.files.pop("wrapped"), name)

    def add(self, path, data, name):
        self.files[path], self.expected[path] = data, name

    def wrap(self, path, data):
        how, out = self.r.randrange(3), io.BytesIO()
        if how == 0:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("before", b"harmless")
                z.writestr(path, data)
        elif how == 1:
            with tarfile.open(fileobj=out, mode="w:gz") as t:
                member = tarfile.TarInfo(path)
                member.size = len(data)
                t.addfile(member, io.BytesIO(data))
        else:
            out.write(gzip.compress(data))
        self.files["wrapped"] = out.getvalue()
        return (".zip", ".tgz", ".gz")[how]

    def write_files(self, folder):
        os.mkdir(folder)
        for path, data in self.files.items():
            with open(os.path.join(folder, path), "wb") as f:
                f.write(data)


def build(folder, name, lines, withdraw=None):
    """A database of sources, a dictionary of lists of lines."""
    def put(sources, under):
        for source, these in sources.items():
            os.makedirs(under, exist_ok=True)
            with open(os.path.join(under, source), "w") as f:
                f.write("".join(line + "\n" for line in these))
        return under
    out = os.path.join(folder, name + ".hfdb")
    more = ["--withdraw", put(withdraw, os.path.join(folder, name + "-gone"))] if withdraw else []
    r = run(HOLDFAST, "db", "build", "-q", "--strict", "-o", out, *more, put(lines, os.path.join(folder, name)))
    assert r.returncode == 0, r.stderr
    return out


def found(folder, *databases, jobs=2):
    options = [o for d in databases for o in ("--db", d)]
    _, objects, _ = scan_json("-j%d" % jobs, *options, folder)
    return {os.path.basename(o["path"]): o["name"] for o in objects if o.get("name")}


def wanted(s, without=()):
    return {p: n for p, n in s.expected.items() if n and n not in without}


def each_seed(check):
    for seed in SEEDS:
        folder = tempfile.mkdtemp(prefix="holdfast-planted-")
        try:
            s = Set(seed)
            s.write_files(os.path.join(folder, "files"))
            check(s, folder, os.path.join(folder, "files"))
        finally:
            shutil.rmtree(folder)


def halves(lines):
    return ({k: v[:len(v) // 2] for k, v in lines.items()}, {k: v[len(v) // 2:] for k, v in lines.items()})


@case
def every_plant_is_found_and_no_twin():
    def check(s, folder, files):
        db = build(folder, "all", s.lines)
        assert found(files, db, jobs=1) == wanted(s)
        assert found(files, db, jobs=3) == wanted(s)
    each_seed(check)


@case
def segments_and_their_merger_find_the_same():
    def check(s, folder, files):
        first, second = halves(s.lines)
        parts = [build(folder, "first", first), build(folder, "second", second)]
        assert found(files, *parts) == wanted(s)
        merged = os.path.join(folder, "merged.hfdb")
        r = run(HOLDFAST, "db", "merge", "-q", "-o", merged, *parts)
        assert r.returncode == 0, r.stderr
        assert found(files, merged) == wanted(s)
        whole = build(folder, "whole", s.lines)
        with open(merged, "rb") as a, open(whole, "rb") as b:
            assert a.read() == b.read()
    each_seed(check)


@case
def what_a_day_withdraws_is_not_found_any_more():
    def check(s, folder, files):
        base = build(folder, "base", s.lines)
        gone = {k: [l for l in v if "Plant" in l][::3] for k, v in s.lines.items()}
        names = {f for v in gone.values() for l in v for f in l.split(":") if f.startswith("Plant")}
        assert names
        day = build(folder, "day", {"d.hdb": ["00112233445566778899aabbccddeeff:5:Win.New-1"]}, gone)
        assert found(files, base, day) == wanted(s, names)
        r = run(HOLDFAST, "db", "merge", "-q", "-o", base, base, day)  # onto itself
        assert r.returncode == 0, r.stderr
        assert found(files, base) == wanted(s, names)
    each_seed(check)


@case
def a_merger_that_cannot_be_says_so_and_leaves_the_old_file():
    with tempfile.TemporaryDirectory() as folder:
        good = build(folder, "good", {"a.hdb": ["00112233445566778899aabbccddeeff:5:A-1"]})
        bad = os.path.join(folder, "bad.hfdb")
        with open(good, "rb") as f, open(bad, "wb") as out:
            out.write(f.read()[:-70])
        before = open(good, "rb").read()
        for operands in ([bad], [good, bad], [os.path.join(folder, "none")]):
            r = run(HOLDFAST, "db", "merge", "-o", good, *operands)
            assert r.returncode == 2 and r.stderr, r
            assert open(good, "rb").read() == before
        r = run(HOLDFAST, "db", "merge", good)
        assert r.returncode == 2 and b"-o FILE" in r.stderr


main()
