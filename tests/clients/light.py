"""What the small clients of clamd get from a daemon: ClamAV's clamdscan, python3-pyclamd, libclamav-client-perl.
Used with a daemon of the build folder (tests/e2e/clients_test.py) and with the installed package (clients_test.py)."""
import io, os, shutil, subprocess, sys, threading, zipfile

PERL = """use ClamAV::Client; my $c = ClamAV::Client->new(socket_name => shift) or die 'no client'; die 'no ping' unless $c->ping;
for my $path (@ARGV) { my ($file, $found) = $c->scan_path($path); print join('|', $path, $found // 'clean'), "\\n"; }
# scan_stream asks with STREAM, which clamd has dropped: the same answer, said as an error, not as clean.
open my $h, '<', $ARGV[0] or die; eval { $c->scan_stream($h) }; die 'STREAM' unless $@ =~ /UNKNOWN COMMAND/;"""


def eicar():
    return (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()


def samples(folder, large=24 << 20):
    """name -> (path, whether something is in it). Made at run time."""
    os.makedirs(folder, exist_ok=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("inner/eicar.com", eicar())
    made = {"clean": (b"nothing to see here\n", False), "empty": (b"", False), "eicar": (eicar(), True),
            "zip": (packed.getvalue(), True), "large": (os.urandom(1 << 16) * (large >> 16), False)}
    all_ = {}
    for name, (data, bad) in made.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o644)
        all_[name] = (path, bad)
    return all_


def many(count, work):
    """Run work(number) in count threads; the first exception is raised."""
    wrong = []

    def one(n):
        try:
            work(n)
        except BaseException as e:
            wrong.append(e)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if wrong:
        raise wrong[0]


def clamdscan(socket, folder, parallel=20, program="/usr/bin/clamdscan"):
    files = samples(os.path.join(folder, "files"))
    config = os.path.join(folder, "client.conf")
    with open(config, "w") as f:
        f.write("LocalSocket %s\n" % socket)
    base = [program, "--config-file=" + config, "--no-summary"]
    for way in ([], ["--stream"], ["--fdpass"], ["--multiscan"], ["--fdpass", "--multiscan"]):
        for name, (path, bad) in files.items():
            r = subprocess.run(base + way + [path], capture_output=True, timeout=120)
            assert r.returncode == (1 if bad else 0), (way, name, r)
            assert (b"FOUND" in r.stdout) == bad, (way, name, r.stdout)
    r = subprocess.run(base + ["--multiscan", os.path.join(folder, "files")], capture_output=True, timeout=120)
    assert r.returncode == 1 and r.stdout.count(b"FOUND") == 2, r
    names = [n for n in files if n != "large"]

    def one(n):
        name = names[n % len(names)]
        r = subprocess.run(base + ["--fdpass" if n % 2 else "--stream", files[name][0]], capture_output=True, timeout=120)
        assert r.returncode == (1 if files[name][1] else 0), (name, r)
    many(parallel, one)


def find_pyclamd():
    """The module, also for a Python that is not Debian's; None when it is not installed."""
    if "/usr/lib/python3/dist-packages" not in sys.path:
        sys.path.append("/usr/lib/python3/dist-packages")
    try:
        import pyclamd as module
        return module
    except ImportError:
        return None


def pyclamd(socket, folder, parallel=20, port=None):
    module = find_pyclamd()
    files = samples(os.path.join(folder, "files"))

    def client():
        return module.ClamdNetworkSocket("127.0.0.1", port) if port else module.ClamdUnixSocket(socket)
    c = client()
    assert c.ping() and "ClamAV" in c.version() and "POOLS" in c.stats(), "ping, version or stats"
    for name, (path, bad) in files.items():
        for how in ("scan_file", "contscan_file", "multiscan_file", "allmatchscan"):
            answer = getattr(client(), how)(path)
            assert (answer is not None) == bad, (name, how, answer)
            if bad:
                got = list(answer.values())[0]
                assert "FOUND" in str(got), (name, how, answer)
        with open(path, "rb") as f:
            answer = client().scan_stream(f.read()) if name != "empty" else None
        assert (answer is not None) == bad, (name, "stream", answer)
    names = [n for n in files if n != "large"]

    def one(n):
        path, bad = files[names[n % len(names)]]
        for _ in range(5):
            assert (client().scan_file(path) is not None) == bad, path
    many(parallel, one)


def perl(socket, folder, parallel=8):
    files = samples(os.path.join(folder, "files"))

    def one(n):
        order = sorted(files)[n % len(files):] + sorted(files)[:n % len(files)]
        if n:
            order = [o for o in order if o != "large"]
        r = subprocess.run(["perl", "-e", PERL, socket] + [files[o][0] for o in order], capture_output=True, text=True, timeout=120)
        assert r.returncode == 0, r
        lines = r.stdout.splitlines()
        assert len(lines) == len(order), r.stdout
        for o, line in zip(order, lines):
            path, found = line.split("|")
            assert path == files[o][0] and (found != "clean") == files[o][1], line
    one(0)
    many(parallel, one)


def have_perl():
    return shutil.which("perl") is not None and subprocess.run(["perl", "-MClamAV::Client", "-e1"], capture_output=True).returncode == 0
