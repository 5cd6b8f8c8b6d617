#!/usr/bin/env python3
"""No installed program parses hostile bytes outside a jailed worker: while a command scans, every
process that it started is listed with its seccomp state; killing any of them loses no file."""
import json, os, signal, subprocess, time
import pe_samples
from tap import BUILD, HOLDFAST, case, main, need, eicar, Skip


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)


def children_of(pid):
    """All processes below a process, with name, Seccomp and NoNewPrivs of their status."""
    parents, facts = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = open("/proc/%s/status" % entry).read()
        except OSError:
            continue
        f = dict(l.split(":", 1) for l in text.splitlines() if ":" in l)
        parents[int(entry)] = int(f["PPid"])
        facts[int(entry)] = {k: f.get(k, "").strip() for k in ("Name", "Seccomp", "NoNewPrivs", "State", "CapEff")}
    below = set()
    for p in parents:
        at = p
        while at in parents and at != pid:
            at = parents[at]
        if at == pid and p != pid:
            below.add(p)
    return {p: facts[p] for p in below}


def many_files(n=4000):
    os.mkdir("many")
    block = os.urandom(20000)
    for i in range(n):
        put("many/%05d" % i, b"%d" % i + block)
    put("many/zzz-eicar.com", eicar())


def slow_scan(*args):
    many_files()
    return subprocess.Popen([HOLDFAST, "scan", "--json", *args, "many"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_workers(p, wanted=2):
    """Processes below the scan, once template and worker are up; None when it was over before."""
    end = time.time() + 10
    while time.time() < end and p.poll() is None:
        below = {k: v for k, v in children_of(p.pid).items() if v["Name"].startswith("holdfast-worke")}
        if len(below) >= wanted and all(v["Seccomp"] == "2" for v in below.values()):
            return below
        time.sleep(0.001)
    return None


def result_of(p):
    out, err = p.communicate(timeout=60)
    lines = [json.loads(l) for l in out.decode().splitlines()]
    return p.returncode, lines[:-1], lines[-1], err


def sanitized():
    return "asan" in os.path.basename(BUILD)


@case
def every_process_that_sees_file_contents_is_jailed():
    for jobs in ("-j1", "-j2"):
        if os.path.exists("many"):
            subprocess.run(["rm", "-r", "many"])
        p = slow_scan(jobs)
        below = wait_for_workers(p)
        assert below, "no workers were seen"
        for pid, f in below.items():
            assert f["NoNewPrivs"] == "1", (pid, f)
            assert int(f["CapEff"] or "0", 16) == 0, (pid, f)
        # the scanner itself reads no file: it has no mapping of one and only passes descriptors on
        code, objects, summary, _ = result_of(p)
        assert code == 1 and len(objects) == 1, (code, objects)


def readers(*command):
    """Which programs read, mapped or copied the contents of files below bait/ while a command ran:
    {program: number of calls}, seen by strace with the paths of descriptors."""
    need("strace")
    log = os.path.abspath("calls")
    subprocess.run(["strace", "-f", "-y", "-qq", "-o", log, "-e",
                    "trace=execve,read,pread64,readv,preadv,preadv2,mmap,sendfile,splice,copy_file_range,io_uring_enter",
                    *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
                   # with all layers the workers cannot be looked into, not even by strace -y
                   env=dict(os.environ, HOLDFAST_JAIL="seccomp"))
    programs, counts = {}, {}
    for line in open(log, errors="replace"):
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.startswith("execve(") and call.endswith("= 0"):
            programs[pid] = os.path.basename(call.split('"')[1])
        elif "/bait/" in call:
            name = programs.get(pid, "holdfast-worker (forked)")
            counts[name] = counts.get(name, 0) + 1
    return counts


@case
def only_jailed_processes_read_what_is_scanned():
    """the scanner itself never reads, maps or copies a scanned file; only jailed workers do"""
    if sanitized():
        raise Skip("strace and LeakSanitizer do not go together")
    os.mkdir("bait")
    put("bait/small", eicar())
    put("bait/large", b"MZ" + os.urandom(3 << 20))
    subprocess.run(["tar", "-czf", "bait/a.tgz", "bait/small"], check=True)
    open("list", "w").write("bait/small\nbait/large\n")
    here = os.getcwd()
    for command in (["scan", here + "/bait"], ["scan", "-j1", "--json", here + "/bait"],
                    ["scan", "--all-match", "--strict", "--files-from", "list"],
                    ["inspect", "bait/small", "bait/large", "bait/a.tgz"], ["inspect", "--json", "-a", "bait/a.tgz"]):
        counts = readers(HOLDFAST, *command)
        assert counts.get("holdfast-worker (forked)", 0) >= 1, (command, counts)
        assert set(counts) == {"holdfast-worker (forked)"}, (command, counts)


@case
def forms_of_files_are_made_in_jailed_processes():
    """sigtool neither reads nor maps a page, text or program that it is to normalise or take apart"""
    if sanitized():
        raise Skip("strace and LeakSanitizer do not go together")
    os.mkdir("bait")
    put("bait/page", b"<HTML>" + b"<p>Text &amp; more</p>" * 5000)
    put("bait/program", pe_samples.program())
    for option in ("--html-normalise=bait/page", "--ascii-normalise=bait/page", "--utf16-decode=bait/page",
                   ("--mdb", "bait/program"), ("--imp", "bait/program")):
        command = [option] if isinstance(option, str) else list(option)
        counts = readers(os.path.join(BUILD, "compat", "sigtool"), *command)
        assert counts.get("holdfast-worker (forked)", 0) >= 1, (command, counts)
        assert set(counts) == {"holdfast-worker (forked)"}, (command, counts)
    assert os.path.getsize("nocomment.html") > 50000 and os.path.getsize("normalised_text") > 50000


@case
def a_killed_worker_loses_no_file():
    p = slow_scan("-j1")
    below = wait_for_workers(p)
    if below is None:
        raise Skip("the scan was over before a worker could be killed")
    os.kill(max(below), signal.SIGKILL)
    code, objects, summary, err = result_of(p)
    assert code == 1, (code, err)
    assert [o["path"] for o in objects] == ["many/zzz-eicar.com"], objects
    assert summary["files"] == 4001, summary


@case
def a_killed_template_loses_no_file():
    p = slow_scan("-j1")
    below = wait_for_workers(p)
    if below is None:
        raise Skip("the scan was over before the template could be killed")
    os.kill(min(below), signal.SIGKILL)
    code, objects, summary, err = result_of(p)
    assert code == 1, (code, err)
    assert [o["path"] for o in objects] == ["many/zzz-eicar.com"], objects
    assert summary["files"] == 4001, summary


@case
def a_killed_scan_leaves_nobody_behind():
    p = slow_scan("-j2")
    below = wait_for_workers(p)
    if below is None:
        raise Skip("the scan was over before it could be killed")
    p.kill()
    p.communicate()
    end = time.time() + 5
    alive = lambda: [k for k in below if os.path.exists("/proc/%d" % k) and
                     " Z" not in open("/proc/%d/stat" % k).read().split(")")[1][:3]]
    while time.time() < end and alive():
        time.sleep(0.01)
    assert not alive(), alive()


@case
def an_old_processor_finds_the_same():
    """portable kernels and digests without processor extensions: the same result"""
    os.mkdir("bait")
    for i in range(50):
        put("bait/%d" % i, os.urandom(5000) + (eicar() if i % 7 == 0 else b"") + os.urandom(100))
    put("bait/eicar.com", eicar())
    old = dict(os.environ, HOLDFAST_KERNEL="portable", OPENSSL_ia32cap="0:0")
    new = subprocess.run([HOLDFAST, "scan", "--json", "--all-match", "-v", "bait"], stdout=subprocess.PIPE)
    got = subprocess.run([HOLDFAST, "scan", "--json", "--all-match", "-v", "bait"], stdout=subprocess.PIPE, env=old)
    assert got.returncode == new.returncode == 1
    strip = lambda out: [l for l in out.splitlines() if b'"summary"' not in l and b"seconds" not in l]
    assert strip(got.stdout) == strip(new.stdout)


@case
def an_interrupted_scan_says_so():
    p = slow_scan("-j1")
    if wait_for_workers(p) is None:
        raise Skip("the scan was over before it could be interrupted")
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=10)
    assert p.returncode == 130, p.returncode


main()
