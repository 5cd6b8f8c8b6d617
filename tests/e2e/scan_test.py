#!/usr/bin/env python3
"""`holdfast scan` as people use it: what is walked, what is printed, what it exits with."""
import atexit, gzip, json, os, pty, re, shutil, signal, socket, stat, subprocess, sys, tempfile, threading, time
from tap import BUILD, HOLDFAST, case, main, need, run, scan, scan_json, eicar, Skip


def put(name, data=b"harmless\n"):
    with open(name, "wb") as f:
        f.write(data)
    return name


ROOT_CACHE = "/var/cache/holdfast"
in_cache = lambda: set(os.listdir(ROOT_CACHE)) if os.path.isdir(ROOT_CACHE) else set()


def forget(before):
    """Root's cache is a fixed place: what these tests put there goes with them."""
    for f in in_cache() - before:
        os.unlink(os.path.join(ROOT_CACHE, f))


if os.getuid() == 0:
    atexit.register(forget, in_cache())


def text(raw):
    return raw.decode("utf-8", "surrogateescape")


def paths(objects):
    return [os.fsencode(o["path"]) for o in objects]


def programs(folder="bin"):
    """Copies of the programs that any user may run."""
    os.chmod(".", 0o755)
    os.mkdir(folder)
    for name in ("holdfast", "holdfast-worker"):
        shutil.copy(os.path.join(BUILD, name), folder)
        os.chmod(os.path.join(folder, name), 0o755)
    return os.path.abspath(os.path.join(folder, "holdfast"))


def as_nobody(*command, **more):
    if os.getuid() != 0:
        return run(*command, **more)
    need("setpriv")
    return run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command, **more)


def in_own_mounts(script, *args, **more):
    """A shell script with mounts that nobody else sees."""
    need("unshare", "mount")
    how = ["unshare", "--mount", "--propagation", "private"]
    if os.getuid() != 0:
        how += ["--user", "--map-root-user"]
    if subprocess.call(how + ["mount", "-t", "tmpfs", "none", "/mnt"], stderr=subprocess.DEVNULL):
        raise Skip("mounts are not allowed here")
    return run(*how, "sh", "-euc", script, "sh", *args, **more)


# ---- what is printed ----

@case
def one_line_for_what_is_found_and_silence_for_what_is_clean():
    put("clean.txt")
    r = scan("--no-summary", "clean.txt")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b""), r
    put("bad.com", eicar())
    r = scan("--no-summary", ".")
    assert r.returncode == 1 and r.stderr == b"", r
    assert re.fullmatch(r"infected     \./bad\.com  \S+\n", text(r.stdout)), r.stdout
    r = scan(".")
    assert b"Scanned      2 files" in r.stdout and b"Found        1 infected" in r.stdout, r.stdout
    r = scan("-q", ".")
    assert r.stdout.count(b"\n") == 1 and r.returncode == 1, r.stdout


@case
def hostile_names_forge_nothing_and_come_back_from_json():
    names = [b"a\ninfected     b  Fake", b"\x1b[2J\x1b]0;owned\x07", b"\xff\xfe\x80", "\u202egpj.exe".encode(),
             b"back\\slash", b"tab\tcr\r", "schön".encode(), b" ", b"!bang!  two", b"-dash", b"\"quoted\"'"]
    for n in names:
        put(n, eicar())
    r = scan("--no-summary", b".")
    lines = r.stdout.split(b"\n")
    assert r.returncode == 1 and len(lines) == len(names) + 1, r.stdout
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xe2\x80\xae", r.stdout), r.stdout
    assert "schön".encode() in r.stdout and b"\\x1b[2J" in r.stdout and b"back\\\\slash" in r.stdout
    _, objects, _ = scan_json(".")
    assert paths(objects) == [b"./" + n for n in sorted(names)], objects
    r = scan("--", *[n for n in names])  # also when given one by one
    assert r.stdout.count(b"infected  ") == len(names) + 1 and r.returncode == 1, r.stdout


def conforms(value, schema, root):
    """The keywords that scan.schema.json uses. Returns None or what is wrong."""
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "oneOf" in schema:
        bad = [conforms(value, s, root) for s in schema["oneOf"]]
        return None if bad.count(None) == 1 else "fits %d of %r" % (bad.count(None), bad)
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        return "%r is not what %r wants" % (value, schema)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(isinstance(value, kinds[k]) and (k == "boolean" or not isinstance(value, bool)) for k in wanted):
        return "%r is no %r" % (value, wanted)
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                return "%s is missing" % key
        for key, inner in value.items():
            rule = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            if rule is False:
                return "%s is not known" % key
            wrong = conforms(inner, rule, root)
            if wrong:
                return "%s: %s" % (key, wrong)
    if isinstance(value, list) and "items" in schema:
        for inner in value:
            wrong = conforms(inner, schema["items"], root)
            if wrong:
                return wrong
    if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
        return "%r is too small" % value
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return "%r is odd" % value
    return None


@case
def every_line_of_json_conforms_to_the_schema():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "..", "docs", "scan.schema.json")) as f:
        schema = json.load(f)
    os.mkdir("d")
    put("d/bad.com", eicar())
    put("d/clean")
    put("d/cut.gz", gzip.compress(os.urandom(5000))[:3000])
    os.mkfifo("d/fifo")
    code, objects, summary = scan_json("-v", "--all-match", "d", "missing")
    assert code == 1, code
    for line in objects + [summary]:
        wrong = conforms(line, schema, schema)
        assert wrong is None, (wrong, line)
    assert {"verdict", "error", "skipped"} <= {k for o in objects for k in o}, objects
    assert summary["files"] == 3 and summary["errors"] == 1 and summary["skipped"]["special_file"] == 1
    assert summary["exit_code"] == 1 and summary["verdicts"]["infected"] == 1
    assert conforms({"path": 3}, schema, schema) is not None  # the check can fail


@case
def results_come_in_the_order_of_the_walk_whatever_the_workers_do():
    for d in "ba":
        os.mkdir(d)
        for i in range(300):
            body = eicar() if i % 3 == 0 else os.urandom(200000 if i % 50 == 0 else 300)
            put("%s/%03d" % (d, i), body)
    runs = [scan("-v", "--no-summary", "-j%d" % j, "b", "a") for j in (1, 2, 4, 2, 2)]
    lines = [text(l).split()[1] for l in runs[0].stdout.splitlines()]
    assert lines == ["%s/%03d" % (d, i) for d in "ba" for i in range(300)]
    for r in runs[1:]:
        assert r.stdout == runs[0].stdout and r.returncode == 1


def on_a_terminal(*args, **env):
    """What a terminal would get (both streams), and the exit code."""
    pid, fd = pty.fork()
    if pid == 0:
        try:
            os.environ.update(TERM="xterm", **env)
            os.execv(HOLDFAST, [HOLDFAST, *args])
        finally:
            os._exit(99)
    got = b""
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        got += piece
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), got


@case
def colours_and_progress_are_for_terminals():
    os.mkdir("d")
    block = os.urandom(100000)
    for i in range(1500):
        put("d/%04d" % i, b"%d" % i + block)
    put("d/zz", eicar())
    code, got = on_a_terminal("scan", "d")
    assert code == 1 and b"\x1b[1;31minfected\x1b[0m" in got, got
    shown = re.findall(rb"\r(\d+)( of \d+)? files, [^\r]*found", got)
    if shown:  # a fast machine may be done before the first line is due
        assert b"\r\x1b[K" in got[got.rindex(b" found"):], "the line is not taken away"
    code, got = on_a_terminal("scan", "d", NO_COLOR="1")
    assert code == 1 and b"\x1b[1;31m" not in got and b"\x1b[0m" not in got
    r = scan("d")
    assert b"\x1b" not in r.stdout + r.stderr and b"\r" not in r.stdout + r.stderr


# ---- what is walked ----

@case
def special_files_are_counted_and_do_not_hang_the_scan():
    os.mkfifo("fifo")
    s = socket.socket(socket.AF_UNIX)
    s.bind("socket")
    put("bad", eicar())
    special = 2
    if os.getuid() == 0:
        try:
            os.mknod("device", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
            special += 1
        except OSError:
            pass
    code, objects, summary = scan_json(".", timeout=20)
    assert code == 1 and len(objects) == 1 and summary["skipped"]["special_file"] == special, summary
    code, objects, summary = scan_json("fifo", "/dev/zero", timeout=20)
    assert code == 0 and summary["skipped"]["special_file"] == 2 and summary["files"] == 0


@case
def the_kernels_own_file_systems_are_left_out():
    code, _, summary = scan_json("/proc", "/sys", "/proc/self/status", timeout=20)
    assert code == 0 and summary["files"] == 0 and summary["skipped"]["kernel_file_system"] == 3, summary
    os.symlink("/proc/self", "link")
    code, _, summary = scan_json("-L", ".", timeout=20)
    assert code == 0 and summary["files"] == 0, summary


@case
def symbolic_links_are_followed_when_asked_and_loops_end():
    os.makedirs("d/e")
    os.mkdir("out")
    put("out/bad", eicar())
    os.symlink("..", "d/e/up")
    os.symlink(".", "d/self")
    os.symlink("../out", "d/out")
    os.symlink("../out/bad", "d/file")
    os.symlink("nowhere", "d/dangling")
    os.symlink("x", "d/x")
    code, objects, summary = scan_json("d")
    assert code == 0 and summary["files"] == 0 and summary["skipped"]["symbolic_link"] == 6, summary
    code, objects, summary = scan_json("-L", "d", timeout=20)
    assert code == 1 and paths(objects) == [b"d/file", b"d/out/bad"], objects
    os.symlink("out", "given")
    assert scan_json("given")[0] == 1  # a path given is followed


@case
def ten_thousand_levels_with_64_descriptors():
    if os.access("/dev/shm", os.W_OK):  # a disk takes seconds to make and remove them
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            os.chdir(folder)
            scan_ten_thousand_levels()
    else:
        scan_ten_thousand_levels()


def scan_ten_thousand_levels():
    at = os.open(".", os.O_RDONLY)
    os.mkdir("deep")
    nxt = os.open("deep", os.O_RDONLY)
    for _ in range(9999):
        os.close(at)
        at = nxt
        os.mkdir("d", dir_fd=at)
        nxt = os.open("d", os.O_RDONLY, dir_fd=at)
    os.close(at)
    fd = os.open("bad", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=nxt)
    os.write(fd, eicar())
    os.close(fd)
    os.close(nxt)
    put("deep/zz", eicar())
    try:
        r = run("sh", "-c", "ulimit -n 64; exec \"$@\"", "sh", HOLDFAST, "scan", "--json", "deep", timeout=60)
        lines = [json.loads(l) for l in r.stdout.decode().splitlines()]
        assert r.returncode == 1 and r.stderr == b"", r.stderr
        assert [o["path"] for o in lines[:-1]] == ["deep/" + "d/" * 9999 + "bad", "deep/zz"]
    finally:
        subprocess.call(["rm", "-rf", "deep"])


@case
def thousands_of_files_with_64_descriptors():
    os.mkdir("many")
    for i in range(3000):
        put("many/%04d" % i, eicar() if i == 2999 else b"%d" % i)
    r = run("sh", "-c", "ulimit -n 64; exec \"$@\"", "sh", HOLDFAST, "scan", "--json", "-j4", "many")
    lines = r.stdout.decode().splitlines()
    assert r.returncode == 1 and r.stderr == b"", r
    assert json.loads(lines[-1])["files"] == 3000 and len(lines) == 2


@case
def one_file_system_stays_on_it():
    os.mkdir("d")
    os.mkdir("d/mounted")
    script = """mount -t tmpfs none "$2/mounted"; cp bad "$2/mounted/bad"
        "$1" scan --json -x "$2"; echo "exit $?"; "$1" scan --json "$2" || echo "exit $?" """
    put("bad", eicar())
    r = in_own_mounts(script, HOLDFAST, "d")
    lines = r.stdout.decode().splitlines()
    assert lines[1] == "exit 0" and json.loads(lines[0])["skipped"]["other_file_system"] == 1, r
    assert lines[-1] == "exit 1", r


@case
def unreadable_things_are_errors_and_the_rest_is_scanned():
    holdfast = programs()
    os.mkdir("d")
    put("d/secret", eicar())
    os.chmod("d/secret", 0)
    os.mkdir("d/locked")
    os.chmod("d/locked", 0)
    put("d/clean")
    os.chmod("d", 0o755)
    r = as_nobody(holdfast, "scan", "d")
    assert r.returncode == 2, r
    assert b"d/secret: cannot open: Permission denied" in r.stderr and b"d/locked: cannot open" in r.stderr, r.stderr
    assert b"Scanned      1 file," in r.stdout and b"Errors       2" in r.stdout, r.stdout
    put("d/zbad", eicar())
    os.chmod("d/zbad", 0o644)
    r = as_nobody(holdfast, "scan", "d")
    assert r.returncode == 1, r  # found wins
    r = as_nobody(holdfast, "scan", "--json", "d")
    objects = [json.loads(l) for l in r.stdout.splitlines()][:-1]
    assert [o.get("error") or o["verdict"] for o in objects] == [
        "cannot open: Permission denied", "cannot open: Permission denied", "infected"], objects


@case
def excluded_paths_and_names_are_left_out():
    for d in ("keep", "node_modules", "keep/cache"):
        os.mkdir(d)
        put(d + "/bad", eicar())
    put("keep/bad.tmp", eicar())
    code, objects, summary = scan_json("--exclude", "node_modules", "-e", "*.tmp", "--exclude=./keep/c*", ".")
    assert code == 1 and paths(objects) == [b"./keep/bad"] and summary["skipped"]["excluded"] == 3, objects


@case
def lists_of_paths_come_from_files_and_pipes():
    names = [b"a b", b"new\nline", b"\xff"]
    for n in names:
        put(n, eicar())
    put("plain", eicar())
    put("list", b"\0".join(names) + b"\0")
    code, objects, _ = scan_json("plain", "-0", "--files-from=list")
    assert code == 1 and paths(objects) == [b"plain"] + names, objects
    r = run(HOLDFAST, "scan", "--json", "-f", "-", input=b"a b\n\nplain\nmissing")
    objects = [json.loads(l) for l in r.stdout.splitlines()][:-1]
    assert r.returncode == 1 and [o["path"] for o in objects] == ["a b", "plain", "missing"], objects
    assert "No such file" in objects[2]["error"]
    r = scan("-f", "nolist")
    assert r.returncode == 2 and b"nolist: No such file" in r.stderr, r


@case
def a_list_that_is_still_written_holds_back_no_result():
    put("bad", eicar())
    p = subprocess.Popen([HOLDFAST, "scan", "--json", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(2):
        p.stdin.write(b"bad\n")
        p.stdin.flush()
        assert json.loads(p.stdout.readline())["path"] == "bad"
    p.send_signal(signal.SIGINT)  # while it waits for more
    assert json.loads(p.stdout.readline())["interrupted"]
    assert p.wait(timeout=5) == 130


@case
def hard_links_are_all_reported():
    put("a", eicar())
    os.link("a", "b")
    put("c")
    os.link("c", "d")
    code, objects, summary = scan_json(".")
    assert paths(objects) == [b"./a", b"./b"] and summary["files"] == 4, (objects, summary)


@case
def a_file_that_changes_under_the_scan_ends_nothing():
    stop = threading.Event()

    def change():
        n = 0
        while not stop.is_set():
            n += 1
            with open("moving", "r+b" if n % 3 else "wb") as f:
                f.truncate(n * 7919 % 5000000)
                f.write(os.urandom(n * 104729 % 3000000))
            if n % 5 == 0:
                put("other")
                os.rename("other", "moving")

    put("moving")
    put("zbad", eicar())
    t = threading.Thread(target=change)
    t.start()
    try:
        for _ in range(25):
            code, objects, summary = scan_json(".", timeout=30)
            assert code == 1 and objects[-1]["path"] == "./zbad", (code, objects)
            for o in objects[:-1]:
                assert o.get("reason") in (["changed"], ["malformed"], ["changed", "malformed"]) or "error" in o, o
    finally:
        stop.set()
        t.join()


# ---- standard input ----

@case
def standard_input_is_scanned_from_pipe_and_file():
    r = run(HOLDFAST, "scan", "--no-summary", "-", input=eicar())
    assert r.returncode == 1 and r.stdout.startswith(b"infected     -  "), r
    data = gzip.compress(os.urandom(1000)) + os.urandom(9 << 20)
    assert run(HOLDFAST, "scan", "-q", "-", input=data).returncode == 0
    put("bad", eicar())
    with open("bad", "rb") as f:
        assert run(HOLDFAST, "scan", "-", stdin=f).returncode == 1
    with open("bad", "rb") as f:
        f.read(10)  # what has been read already is not scanned
        os.lseek(f.fileno(), 10, os.SEEK_SET)
        assert run(HOLDFAST, "scan", "-", stdin=f).returncode == 0
    r = run(HOLDFAST, "scan", "-q", "--max-scansize=1M", "-", input=bytes(2 << 20))
    assert r.returncode == 2 and b"longer than --max-scansize" in r.stderr, r
    r = run(HOLDFAST, "scan", "-q", "-", "-", input=b"")
    assert r.returncode == 2 and b"read once" in r.stderr, r
    r = run(HOLDFAST, "scan", "-f", "-", "-", input=b"")
    assert r.returncode == 2 and b"cannot be both" in r.stderr, r


@case
def without_room_for_standard_input_the_rest_is_scanned():
    put("bad", eicar())
    put("big", os.urandom(20 << 20))
    script = """for d in /tmp /var/tmp; do mount -t tmpfs -o size=1m none $d; done
        cat "$3/big" | TMPDIR=/tmp "$1" scan - bad"""
    need("unshare", "mount")
    holdfast = HOLDFAST
    if BUILD.startswith(("/tmp/", "/var/tmp/")) or os.getcwd().startswith(("/tmp/", "/var/tmp/")):
        script = """mkdir /mnt/x; mount --bind "$PWD" /mnt/x; mkdir /mnt/b; mount --bind "$2" /mnt/b; cd /mnt/x
            """ + script.replace('"$3/big"', "/mnt/x/big").replace('"$1"', "/mnt/b/holdfast")
        script = "mount -t tmpfs none /mnt; " + script
    r = in_own_mounts(script, holdfast, BUILD, os.getcwd())
    assert r.returncode == 1, r  # bad was scanned
    assert b"no room to keep standard input" in r.stderr and b"No space left" in r.stderr, r.stderr


# ---- exit codes ----

@case
def exit_codes_follow_the_table():
    put("clean")
    put("bad", eicar())
    put("cut.gz", gzip.compress(os.urandom(5000))[:3000])
    assert scan("clean").returncode == 0
    assert scan("clean", "missing").returncode == 2
    assert scan("clean", "missing", "bad").returncode == 1
    assert scan("cut.gz").returncode == 0
    r = scan("--strict", "cut.gz")
    assert r.returncode == 3 and b"unscannable  cut.gz  (malformed)" in r.stdout, r
    assert scan("--strict", "cut.gz", "missing").returncode == 2
    assert scan("--strict", "cut.gz", "missing", "bad").returncode == 1
    for wrong in (["--no-such"], ["-j0", "clean"], ["-jx", "clean"], [], ["-0", "clean"], ["--max-files=z", "clean"]):
        r = scan(*wrong)
        assert r.returncode == 2 and r.stdout == b"" and r.stderr.startswith(b"holdfast scan: "), (wrong, r)
    assert b"did you mean --all-match" in scan("--all-mach", "x").stderr


@case
def output_that_cannot_be_written_is_noticed():
    put("bad", eicar())
    put("clean")
    with open("/dev/full", "wb") as full:
        r = scan("clean", stdout=full)
        assert r.returncode == 2 and b"No space left" in r.stderr, r
        assert scan("bad", stdout=full).returncode == 1  # found wins
    os.mkdir("many")
    for i in range(3000):
        put("many/%d" % i, eicar())
    p = subprocess.Popen([HOLDFAST, "scan", "many"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()
    err = p.stderr.read()
    assert p.wait(timeout=20) == 141 and err == b"", (p.returncode, err)


@case
def signals_end_a_scan_with_a_summary():
    os.mkdir("many")
    block = os.urandom(1 << 20)
    for i in range(400):
        put("many/%03d" % i, b"%d" % i + block)
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        p = subprocess.Popen([HOLDFAST, "scan", "-j1", "--json", *["many"] * 20],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.3)
        p.send_signal(number)
        begun = time.time()
        out, err = p.communicate(timeout=20)
        summary = json.loads(out.splitlines()[-1])
        assert p.returncode == code and summary["interrupted"] and err == b"", (p.returncode, err, summary)
        assert time.time() - begun < 5


# ---- databases ----

def quiet_home():
    os.mkdir("home")
    return dict(os.environ, XDG_CACHE_HOME=os.path.abspath("home"), HOME=os.path.abspath("home"))


def cached(env):
    folder = ROOT_CACHE if os.getuid() == 0 else os.path.join(env["XDG_CACHE_HOME"], "holdfast")
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


@case
def text_signatures_are_compiled_once_and_again_when_they_change():
    import hashlib
    env = quiet_home()
    os.mkdir("sigs")
    put("one", b"first file")
    put("two", b"second file")
    line = lambda name, body: b"%s:%d:%s\n" % (hashlib.sha256(body).hexdigest().encode(), len(body), name)
    put("sigs/a.hsb", line(b"Test.One", b"first file"))
    before = cached(env)
    code, objects, summary = scan_json("--db", "sigs", "one", "two", env=env)
    assert code == 1 and [(o["path"], o["name"]) for o in objects] == [("one", "Test.One")], objects
    assert summary["database"]["name"] == "sigs" and summary["database"]["signatures"] == 1
    new = cached(env) - before
    assert len(new) == 1, new
    assert scan_json("--db", "sigs", "one", "two", env=env)[0] == 1
    assert cached(env) - before == new
    put("sigs/a.hsb", line(b"Test.One", b"first file") + line(b"Test.Two", b"second file"))
    code, objects, _ = scan_json("--db", "sigs", "one", "two", env=env)
    assert [o["name"] for o in objects] == ["Test.One", "Test.Two"], objects
    both = cached(env) - before
    assert len(both) == 2


@case
def a_damaged_or_unusable_cache_costs_time_only():
    need("setpriv")
    holdfast = programs()
    os.chmod(".", 0o777)
    put("bad", eicar())
    os.chmod("bad", 0o644)
    put("sigs.ndb", b"Test.Own:0:*:" + eicar()[10:40].hex().encode() + b"\n")
    os.chmod("sigs.ndb", 0o644)
    env = dict(os.environ, XDG_CACHE_HOME=os.path.abspath("cache"))
    nobody = lambda *args: as_nobody(holdfast, "scan", *args, "--db", "sigs.ndb", "--json", "bad", env=env)
    assert nobody().returncode == 1
    (name,) = os.listdir("cache/holdfast")
    good = open("cache/holdfast/" + name, "rb").read()
    for damage in (b"", good[:100], b"x" * len(good)):
        put("cache/holdfast/" + name, damage)
        r = nobody()
        assert r.returncode == 1 and b"Test.Own" in r.stdout and r.stderr == b"", r
        assert open("cache/holdfast/" + name, "rb").read() == good
    if os.getuid() == 0:
        shutil.rmtree("cache")
        os.mkdir("cache")
        os.chmod("cache", 0o755)  # root's: nobody cannot write it
        r = nobody()
        assert r.returncode == 1 and r.stderr == b"", r
        r = nobody("-v")
        assert r.returncode == 1 and b"cache cannot be used" in r.stderr, r


@case
def databases_that_cannot_be_used_stop_the_scan():
    put("clean")
    put("empty.ndb", b"")
    put("strange.xyz", b"no signature at all \x00\n")
    put("cut.hfdb", b"HFDB\r\n\x1a\n" + bytes(20))
    os.mkdir("nothing")
    for db in ("missing.hfdb", "empty.ndb", "cut.hfdb", "nothing", "strange.xyz"):
        r = scan("--db", db, "clean")
        assert r.returncode == 2 and r.stdout == b"" and db.encode() in r.stderr, (db, r)


@case
def several_databases_work_together():
    put("bad", eicar())
    put("a.ndb", b"Test.A:0:*:" + eicar()[5:40].hex().encode() + b"\n")
    put("b.ndb", b"Test.B:0:*:" + eicar()[20:50].hex().encode() + b"\n")
    r = run(HOLDFAST, "db", "build", "-o", "a.hfdb", "a.ndb")
    assert r.returncode == 0, r
    code, objects, summary = scan_json("--all-match", "-d", "a.hfdb", "-d", "b.ndb", "bad")
    assert code == 1 and [e["name"] for e in objects[0]["evidence"]] == ["Test.A", "Test.B"], objects
    assert summary["database"]["signatures"] == 2
    os.mkdir("folder")
    os.rename("a.hfdb", "folder/a.hfdb")
    put("folder/README", b"what these are\n")
    code, objects, _ = scan_json("-d", "folder", "bad")
    assert code == 1 and objects[0]["name"] == "Test.A", objects
    put("folder/c.ndb", b"Test.C:0:*:" + eicar()[1:40].hex().encode() + b"\n")
    code, objects, _ = scan_json("--all-match", "-d", "folder", "bad")
    assert code == 1 and [e["name"] for e in objects[0]["evidence"]] == ["Test.A", "Test.C"], objects
    put("empty.ndb", b"# nothing yet\n")
    for other in ("b.ndb", "folder/a.hfdb"):
        r = scan("--no-summary", "-d", other, "-d", "empty.ndb", "bad")
        assert r.returncode == 1 and b"empty.ndb: no usable text signature" in r.stderr, r


# ---- other ----

@case
def portable_kernels_find_the_same():
    put("bad", eicar())
    env = dict(os.environ, HOLDFAST_KERNEL="portable", OPENSSL_ia32cap="~0x200000200000000:~0x20000020")
    code, objects, _ = scan_json("bad", env=env)
    assert code == 1 and objects[0]["verdict"] == "infected"


@case
def a_sparse_file_of_8_gib_is_quick():
    with open("sparse", "wb") as f:
        f.truncate(8 << 30)
        f.seek(5 << 30)
        f.write(eicar())
    begun = time.time()
    code, objects, _ = scan_json("--db", put("e.ndb", b"Test.Eicar:0:*:" + eicar().hex().encode()), "sparse")
    assert code == 1 and objects[0]["evidence"][0]["offset"] == 5 << 30, objects
    assert time.time() - begun < 20


@case
def without_the_worker_nothing_is_called_clean():
    put("clean")
    for worker in ("/nonexistent/worker", "/bin/true", "/bin/cat"):
        r = scan("clean", env=dict(os.environ, HOLDFAST_WORKER=worker), timeout=30)
        assert r.returncode == 2 and b"clean" not in r.stdout and r.stderr, (worker, r)


@case
def help_and_completions_work():
    for words in (["--help"], ["help"], ["scan", "--help"], ["help", "db", "build"], ["db", "build", "-h"], ["--version"], ["version"]):
        r = run(HOLDFAST, *words)
        assert r.returncode == 0 and r.stdout and not r.stderr, (words, r)
    assert run(HOLDFAST).returncode == 2 and run(HOLDFAST, "scann").returncode == 2
    put("completion", run(HOLDFAST, "completion", "bash").stdout)
    ask = """. ./completion; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); compopt() { :; }
        _holdfast; printf '%s\\n' "${COMPREPLY[@]}" """
    complete = lambda *words: run("bash", "-c", ask, "bash", "x", *words).stdout.decode().split()
    assert complete("holdfast", "s") == ["scan", "status"]
    assert complete("holdfast", "scan", "--all") == ["--all-match"]
    assert complete("holdfast", "db", "b") == ["build"]
    assert complete("holdfast", "db", "build", "--wi") == ["--withdraw="]
    assert complete("holdfast", "scan", "--db", "x") == []
    assert run(HOLDFAST, "completion", "fish").returncode == 2


@case
def status_shows_the_layers_of_the_jail():
    r = run(HOLDFAST, "status", "--jail", "--json")
    layers = json.loads(r.stdout)
    assert r.returncode == 0 and layers["jail"]["seccomp"] and layers["error"] is None, r
    r = run(HOLDFAST, "status", "--jail")
    assert r.returncode == 0 and b"on   seccomp" in r.stdout, r
    r = run(HOLDFAST, "status", env=dict(os.environ, HOLDFAST_WORKER="/bin/true"))
    assert r.returncode == 2 and b"seccomp" not in r.stdout, r


main()
