"""A publisher, its witness and endpoints for end-to-end tests: keys are made anew for each test."""
import hashlib, json, os, subprocess
from tap import HOLDFAST, run


def hf(*args, code=0, **more):
    r = run(HOLDFAST, *args, **more)
    assert r.returncode == code, (args, r.returncode, r.stdout, r.stderr)
    return r


class Publisher:
    """Below the current folder. 2 of 3 root keys, 2 of 3 that sign, a log, a witness."""

    def __init__(self, name="feed", product="org.test.feed", witness=True):
        self.dir, self.product = os.path.abspath(name), product
        self.keys = os.path.join(os.path.abspath("keys"), name)
        os.makedirs(self.keys)
        for k in ["root1", "root2", "root3", "sign1", "sign2", "sign3"]:
            self.key(k, "%s/%s" % (product, k))
        self.log_name = product + "/log"
        self.key("log", self.log_name)
        self.witness_key = self.key("witness", "witness.example/" + name, "--witness")
        self.sources = os.path.abspath(name + "-src")
        os.makedirs(self.sources)
        self.count = 0
        self.init("--root", self.k("root1"), "--root", self.k("root2"), "--root", self.k("root3"),
                  "--sign", self.k("sign1"), "--sign", self.k("sign2"), "--sign", self.k("sign3"), "--log", self.k("log"))
        self.policy = os.path.abspath(name + "-policy")
        with open(self.policy, "w") as f:
            f.write("witness w %s\nquorum w\n" % self.witness_key if witness else "quorum none\n")

    def k(self, name):
        return os.path.join(self.keys, name)

    def key(self, name, who, *more):
        return hf("feed", "key", "-o", self.k(name), *more, who).stdout.decode().strip()

    def init(self, *args):
        hf("feed", "init", "--product", self.product, *args, self.dir)

    def add(self, *contents):
        """A source with digests of these contents; the names of the signatures."""
        self.count += 1
        names = []
        with open(os.path.join(self.sources, "s%d.hsb" % self.count), "w") as f:
            for i, c in enumerate(contents):
                names.append("Test.S%d.%d" % (self.count, i))
                f.write("%s:%d:%s\n" % (hashlib.sha256(c).hexdigest(), len(c), names[-1]))
        return names

    def draft(self, *args, sources=None):
        hf("feed", "build", "-o", "draft", *args, self.dir, *(sources if sources is not None else [self.sources]))
        return "draft"

    def sign(self, *keys):
        for k in keys or ("sign1", "sign3"):
            hf("feed", "sign", "--key", self.k(k), "draft")

    def publish(self, code=0):
        return hf("feed", "publish", "--log", self.k("log"), self.dir, "draft", code=code)

    def witness(self, *args, code=0):
        return hf("feed", "witness", "--key", self.k("witness"), "--state", self.k("witnessed"), *args, self.dir, code=code)

    def release(self, *args, sources=None, time=None):
        more = ("--time", str(time)) if time else ()
        self.draft(*args, *more, sources=sources)
        self.sign()
        self.publish()
        self.witness(*more)


class Endpoint:
    def __init__(self, home="home"):
        self.home = os.path.abspath(home)

    def trust(self, publisher, *args, name="test", source=None, verb="add"):
        return hf("trust", verb, "--home", self.home, "--root", os.path.join(publisher.dir, "root/1"),
                  "--policy", publisher.policy, "--source", source or publisher.dir, *args, name)

    def update(self, *args, code=0, name="test", **more):
        """(what --json says, what was written to standard error)"""
        r = hf("update", "--home", self.home, "--json", *args, name, code=code, **more)
        return json.loads(r.stdout or b"{}")

    def show(self, name="test"):
        return json.loads(hf("trust", "show", "--home", self.home, "--json", name).stdout)

    def feeds(self, name="test"):
        return os.path.join(self.home, "content/feeds", name)

    def databases(self, name="test"):
        """Of the active generation."""
        with open(os.path.join(self.feeds(name), "state")) as f:
            active = [l.split()[1] for l in f if l.startswith("active ")][0]
        folder = os.path.join(self.feeds(name), "gen", active)
        return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".hfdb"))

    def finds(self, content, name="test"):
        """Whether what is active finds it: by a real scan."""
        with open("sample", "wb") as f:
            f.write(content)
        r = run(HOLDFAST, "scan", *sum((["-d", d] for d in self.databases(name)), []), "sample")
        assert r.returncode in (0, 1), r
        return r.returncode == 1


class Server:
    """A web server for a folder, in a process of its own; counts what it sent."""

    def __init__(self, folder, code=None):
        self.process = subprocess.Popen(["python3", "-c", code or SERVER, folder], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())
        self.address = "http://127.0.0.1:%d" % self.port

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


SERVER = """
import http.server, sys, os
os.chdir(sys.argv[1])
class H(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def do_GET(self):
        r = self.headers.get("Range", "")
        path = "." + self.path
        if not r.startswith("bytes=") or not os.path.isfile(path): return super().do_GET()
        data = open(path, "rb").read(); first = int(r[6:].split("-")[0])
        if first >= len(data): self.send_error(416); return
        self.send_response(206); self.send_header("Content-Length", str(len(data) - first))
        self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(data) - 1, len(data))); self.end_headers()
        self.wfile.write(data[first:])
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
print(s.server_address[1], flush=True)
s.serve_forever()
"""

# Sends a byte now and then; sends without end.
SLOW = """
import socket, sys, threading, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(8); print(s.getsockname()[1], flush=True)
def serve(c):
    c.recv(4096); c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3000\\r\\n\\r\\n")
    while True: c.sendall(b"a"); time.sleep(1)
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""
ENDLESS = """
import socket, sys, threading
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(8); print(s.getsockname()[1], flush=True)
def serve(c):
    c.recv(4096); c.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    try:
        while True: c.sendall(b"a" * 65536)
    except OSError: pass
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""
