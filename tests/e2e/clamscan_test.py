#!/usr/bin/env python3
"""build/compat/clamscan beside Debian's: the same command lines, the same lines and exit codes. The order of a
folder's entries, times and amounts of data aside, which cannot be equal."""
import bz2, gzip, hashlib, io, lzma, os, shutil, subprocess, tarfile, zipfile
from tap import BUILD, Skip, case, eicar, main, need, run

OURS = os.path.join(BUILD, "compat", "clamscan")
UNEQUAL = (b"Time: ", b"Start Date: ", b"End Date: ", b"Data scanned: ", b"Data read: ")


def write(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def tarred(**more):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", **more) as t:
        i = tarfile.TarInfo("in/eicar.com")
        i.size = len(eicar())
        t.addfile(i, io.BytesIO(eicar()))
    return out.getvalue()


def zipped(method=zipfile.ZIP_DEFLATED, data=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, content in (("in/eicar.com", eicar() if data is None else data), ("ok.txt", b"fine")):
            z.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def make_tree():
    e = eicar()
    files = {"eicar.com": e, "clean.txt": b"hello clean\n", "zero": b"", "sub/e2.com": e, "sub/deep/c": b"x" * 100,
             "sub/a.zip": zipped(), "sub/stored.zip": zipped(zipfile.ZIP_STORED), "big": b"A" * 3000000,
             "five": b"12345", "a.tar": tarred(), "a.tar.gz": gzip.compress(tarred(), mtime=0), "a.tar.bz2": bz2.compress(tarred()),
             "a.tar.xz": lzma.compress(tarred()), "e.gz": gzip.compress(e, mtime=0), "e.bz2": bz2.compress(e),
             "zip.zip": zipped(data=zipped()), "notzip.zip": b"PK\3\4" + b"\xff" * 60,
             "with space": e, "colon: FOUND": e, "-dash": e, "m/" + "d/" * 20 + "deep.com": e}
    for name, data in files.items():
        write("t/" + name, data)
    os.mkdir("t/empty")
    os.symlink("eicar.com", "t/link")
    os.symlink("sub", "t/dirlink")
    os.symlink("nowhere", "t/dangling")
    os.mkfifo("t/fifo")
    write("my.hdb", hashlib.md5(e).hexdigest().encode() + b":68:Eicar.Test\n")
    write("my.ndb", b"Eicar.Body:0:*:58354f2150254041\nClean.Word:0:*:68656c6c6f20636c65616e\n")
    write("bad.hdb", b"zz:68:Eicar.Test\n")
    write("db/my.hdb", open("my.hdb", "rb").read())
    write("db/README", b"no database\n")
    write("pua/a.ndu", b"PUA.Tool.Hello-1:0:*:68656c6c6f20636c65616e\nPlain.Name:0:*:414141414141\n")
    write("pua/b.ldu", b"PUA.Packed.Hello-2;Engine:51-255,Target:0;0;7878787878\n")
    write("pua2/c.hdu", hashlib.md5(b"hello clean\n").hexdigest().encode() + b":12:PUA.Tool.Digest.One\n")
    write("pua/d.ndb", b"PUA.Always.There:0:*:7a7a7a7a7a\nName.Never:0:*:6e65766572\n")
    line = b"Name.Clean:0:*:636c6561"
    write("ign/z.ign2", b"Name.Clean:" + hashlib.md5(line).hexdigest().encode() + b"\n")
    write("ign/n.ndb", line + b"\n")
    write("ign/o.ndb", line + b"6e\nOther.Clean:0:*:636c6561\n")
    write("list", b"t/eicar.com\nt/clean.txt\nmissing\nt/zero\n")
    write("a.yar", b'rule A { strings: $a = "hello clean" condition: $a }\n')


def lines(data):
    return sorted(l for l in data.split(b"\n") if not l.startswith(UNEQUAL))


def both(args, given=b""):
    out = []
    for program in ("clamscan", OURS):
        r = subprocess.run([program] + args, input=given, capture_output=True, timeout=120)
        out.append((r.returncode, lines(r.stdout), lines(r.stderr)))
    return out


def compare(commands, given=b""):
    need("clamscan")
    make_tree()
    bad = []
    for text in commands:
        theirs, ours = both(text.split(), given)
        if theirs != ours:
            bad.append("%s\n  theirs %r\n  ours   %r" % (text, theirs, ours))
    assert not bad, "\n".join(bad)


D = "-d my.hdb --no-summary "


@case
def folders_and_files_give_the_same_lines_and_summary():
    compare(["-d my.hdb t", "-d my.hdb -r t", "-d my.hdb -r -i t", "-d my.hdb --recursive=yes t/sub", "-d db -r t",
             D + "t/link t/dirlink t/dangling t/fifo t/zero", D + "-z t/eicar.com", "-d my.hdb -d my.ndb --no-summary -z -r t/sub",
             D + "-r t/sub/", D + "-r ./t/sub//", D + "t/sub/.", D + "-o -r t", "-d my.hdb --quiet -r t", D + "-v t/eicar.com",
             D + "--bell t/eicar.com", "-d my.hdb -i --bell t/eicar.com", D + "-- t/-dash", "-d a.yar --no-summary t/clean.txt t/big",
             "-d my.ndb -d a.yar --no-summary -r t"])


@case
def excluding_and_including_gives_the_same_lines():
    compare([D + "-r --exclude=zip --exclude-dir=deep t", D + "-r --include=com t", D + "-r --include-dir=sub t",
             D + "--exclude t t", D + "--exclude=link t/link", D + "--exclude=eicar t/link", D + "--exclude-dir=sub -r t/dirlink", D + "-r --exclude=^t/e --exclude=z$ t", D + "-r --include=zip --exclude=a t",
             D + "-r --max-dir-recursion=1 t", D + "-r --max-dir-recursion=3 t", D + "-r --max-dir-recursion=0 t",
             D + "--follow-file-symlinks=0 --follow-dir-symlinks=0 -r t t/link t/dirlink",
             D + "--follow-file-symlinks=0 -v -r t/link", D + "/proc/version", D + "/proc/self/status", D + "--cross-fs=no t"])


@case
def mistakes_give_the_same_words_and_codes():
    compare([D + "t/missing missing/", D + "t/missing t/eicar.com t/fifo", "-d my.hdb --quiet t/missing t/eicar.com",
             D + "--stdout t/missing", D + "/dev/null", D + "-f list", D + "-f nolist", D + "-f list t/zero", "-d nodb t", "-d t t",
             "--badoption", D + "-d", "--database", D + "-z=yes t", D + "--max-filesize=abc t", D + "--recursive=maybe t",
             D + "-l /nonexistent/log t", "-d my.hdb --move=/nonexistent t/eicar.com", D + "-- -x", D + "-x t", D + "--max-recursion=0 t/sub/a.zip",
             "-d my.hdb t/missing", "--version", "-V", "-d my.hdb --version", D + "--follow t", D + "--detect-broken t/clean.txt",
             D + "--max-ratio=5 t/clean.txt", D + "--unrar=x t/clean.txt", D + "--disable-archive t/sub/a.zip"])


@case
def limits_give_the_same_answers():
    compare([D + "--max-filesize=1M t/big t/eicar.com", D + "--max-filesize=1M --alert-exceeds-max t/big t/eicar.com",
             D + "--max-filesize=1M --alert-exceeds-max -i -z t/big t/eicar.com", D + "--max-scansize=1K t/big t/sub/a.zip",
             D + "--alert-exceeds-max --max-recursion=1 t/sub/a.zip t/eicar.com", D + "--max-recursion=1 t/sub/a.zip",
             D + "--max-recursion=2 t/zip.zip t/sub/a.zip", D + "--alert-exceeds-max --max-recursion=2 t/zip.zip t/sub/a.zip",
             D + "--alert-exceeds-max --max-files=1 t/sub/a.zip", D + "--scan-archive=no t/sub/a.zip t/a.tar.gz"])


@case
def options_without_effect_are_accepted():
    compare([D + o + " t/clean.txt" for o in (
        "--gen-json", "--normalize=no", "--block-encrypted", "--leave-temps", "--force-to-disk", "--bytecode=no", "--bytecode-timeout=5",
        "--detect-structured", "--structured-ssn-format=1", "--scan-mail=no",
        "--phishing-sigs=no", "--phishing-scan-urls=no", "--heuristic-alerts=no", "--heuristic-scan-precedence", "--scan-pe=no",
        "--scan-elf=no", "--scan-ole2=no", "--scan-pdf=no", "--scan-swf=no", "--scan-html=no", "--scan-xmldocs=no", "--scan-hwp3=no",
        "--scan-onenote=no", "--scan-image=no", "--scan-image-fuzzy-hash=no", "--alert-broken", "--alert-broken-media",
        "--alert-encrypted", "--alert-encrypted-archive", "--alert-encrypted-doc", "--alert-macros", "--alert-phishing-ssl",
        "--alert-phishing-cloak", "--alert-partition-intersection", "--nocerts", "--max-scantime=100000", "--max-embeddedpe=1M",
        "--max-htmlnormalize=1M", "--max-htmlnotags=1M", "--max-scriptnormalize=1M", "--max-ziptypercg=1M", "--max-partitions=5",
        "--max-iconspe=5", "--max-rechwp3=5", "--pcre-match-limit=5", "--pcre-recmatch-limit=5", "--pcre-max-filesize=1M",
        "--disable-cache", "--fail-if-cvd-older-than=3", "--infec")])


@case
def unwanted_programs_are_told_to_those_who_ask():
    P = "-d pua --no-summary t/clean.txt t/big t/sub/deep "
    compare(["-d pua t/clean.txt"] + [P + o for o in (
        "--detect-pua", "--detect-pua=yes", "--exclude-pua=Tool", "--include-pua=Tool", "--detect-pua --exclude-pua=Tool",
        "--detect-pua --include-pua=Tool", "--detect-pua --include-pua=Packed",
        "--detect-pua --include-pua=Too", "--detect-pua --include-pua=Tool.Hello-1", "--detect-pua --include-pua=Tool --exclude-pua=Packed",
        "--include-pua=Tool --exclude-pua=Packed")] +
        ["-d %s --no-summary %s t/clean.txt" % (f, o) for f in ("pua/a.ndu", "pua/b.ldu", "pua2/c.hdu") for o in ("", "--detect-pua", "--detect-pua --exclude-pua=Digest")])


@case
def one_version_of_a_signature_is_ignored():
    compare(["-d ign --no-summary -r t", "-d ign/n.ndb --no-summary t/clean.txt", "-d ign t/clean.txt"])


@case
def standard_input_is_scanned():
    compare([D + "-", D + "- t", "-d my.hdb -"], eicar())
    shutil.rmtree("t")
    compare([D + "-", D + "-i -"], b"")


@case
def without_operands_the_current_folder_is_scanned():
    need("clamscan")
    make_tree()
    os.chdir("t/sub")
    theirs, ours = both(["-d", "../../my.hdb", "--no-summary"])
    os.chdir("../..")
    assert theirs == ours, (theirs, ours)


@case
def what_may_not_be_read_gives_the_same_lines():
    need("clamscan", "setpriv")
    if os.geteuid() != 0:
        raise Skip("wants root, to become somebody else")
    make_tree()
    os.chmod("t/eicar.com", 0)
    os.chmod("t/sub", 0)
    os.chmod(".", 0o755)
    out = []
    for program in ("clamscan", OURS):
        r = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", program, "-d", "my.hdb",
                            "--no-summary", "-r", "t", "t/sub", "t/eicar.com"], capture_output=True, timeout=60,
                           env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
        if program == OURS and not r.stdout:  # whatever says so: the loader, setpriv or holdfast
            raise Skip("the build folder cannot be read by others")
        out.append((r.returncode, lines(r.stdout)))
    os.chmod("t/sub", 0o755)
    assert out[0] == out[1], out


@case
def logs_are_the_same():
    need("clamscan")
    make_tree()
    for more in ([], ["-i"], ["--quiet"]):
        logs = []
        for program in ("clamscan", OURS):
            run(program, "-d", "my.hdb", "-r", "-l", "log", *more, "t", "t/missing")
            logs.append(lines(open("log", "rb").read()))
            os.unlink("log")
        assert logs[0] == logs[1], (more, logs)


@case
def infected_files_are_moved_copied_and_removed_alike():
    need("clamscan")
    for option in (["--move=q"], ["--copy=q"], ["--remove"], ["--remove=yes", "--quiet"]):
        seen = []
        for program in ("clamscan", OURS):
            make_tree()
            write("q/eicar.com", b"in the way")
            r = run(program, "-d", "my.hdb", "--no-summary", *option, "t/eicar.com", "t/clean.txt")
            left = sorted((d, f, hashlib.md5(open(os.path.join(d, f), "rb").read()).hexdigest())
                          for top in ("t", "q") for d, _, names in os.walk(top) for f in names
                          if os.path.isfile(os.path.join(d, f)))
            seen.append((r.returncode, lines(r.stdout), left))
            shutil.rmtree("t")
            shutil.rmtree("q")
        assert seen[0] == seen[1], (option, [[x for x in a if x not in b] if isinstance(a, list) else (a, b)
                                             for a, b in zip(*seen)], seen[1][1])


@case
def a_name_cannot_forge_a_line():
    make_tree()
    write("t/x\nclean.txt: Eicar FOUND", b"clean!")
    write("t/\x1b[2Jx", eicar())
    r = run(OURS, "-d", "my.hdb", "--no-summary", "t")
    assert b"\nclean.txt: Eicar FOUND" not in r.stdout and b"\x1b" not in r.stdout
    assert rb"t/x\nclean.txt: Eicar FOUND: OK" in r.stdout, r.stdout


@case
def text_databases_are_compiled_once_until_they_change():
    make_tree()
    env = dict(os.environ, XDG_CACHE_HOME=os.path.abspath("cache"))
    args = [OURS, "-d", "db", "--no-summary", "t/eicar.com"]
    assert run(*args, env=env).returncode == 1
    first = [d for d in os.walk("cache")] if os.geteuid() else None
    write("db/my.hdb", b"# nothing of it left\n" + hashlib.md5(b"other").hexdigest().encode() + b":5:Other\n")
    assert run(*args, env=env).returncode == 0
    assert first is None or len(first) > 1


if __name__ == "__main__":
    main()
