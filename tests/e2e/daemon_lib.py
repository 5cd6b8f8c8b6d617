"""A holdfastd of its own for end-to-end tests."""
import json, os, signal, socket, subprocess, sys, time
from tap import BUILD
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "daemon"))
from clamd_cases import Talk, chunks

HOLDFASTD = os.path.join(BUILD, "holdfastd")
EICAR_SHA256 = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
NAME = b"Test-Eicar.UNOFFICIAL"


class Daemon:
    """A holdfastd of its own in the folder at hand."""

    def __init__(self, *settings, clamd=False, start=True, env=None):
        self.here = os.getcwd()
        os.makedirs("db", exist_ok=True)
        self.put_signature("Test-Eicar")
        self.sock, self.metrics = self.here + "/sock", self.here + "/metrics"
        self.clamd, self.settings, self.env = clamd, list(settings), env
        if clamd:
            self.write("clamd.conf", "LocalSocket %s/sock\nDatabaseDirectory %s/db\nLogFile %s/log\nLogTime yes\n"
                       % (self.here, self.here, self.here) + "\n".join(settings) + "\n")
        else:
            self.write_config(*settings)
        self.process = None
        if start:
            self.start()

    def write(self, name, text):
        with open(name, "w") as f:
            f.write(text)

    def write_config(self, *settings):
        self.write("holdfast.conf", "[listen]\nunix = %s/sock\n[daemon]\ndatabase = %s/db\n[log]\nfile = %s/log\n"
                   "[metrics]\nlisten = %s/metrics\n%s\n" % (self.here, self.here, self.here, self.here, "\n".join(settings)))

    def put_signature(self, name):
        with open("db/new", "w") as f:
            f.write("%s:68:%s\n" % (EICAR_SHA256, name))
        os.rename("db/new", "db/test.hsb")

    def start(self):
        config = ["--clamd-config", "clamd.conf"] if self.clamd else ["--config", "holdfast.conf"]
        env = dict(os.environ, XDG_CACHE_HOME=self.here + "/cache", **(self.env or {}))
        self.process = subprocess.Popen([HOLDFASTD, "--foreground", *config], env=env, stderr=subprocess.PIPE)
        for _ in range(400):
            try:
                if Talk(self.sock).send(b"zPING\0").all(seconds=2) == b"PONG\0":
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise AssertionError("ended: %r" % self.process.stderr.read())
            time.sleep(0.025)
        raise AssertionError("does not answer")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None and os.path.exists("log"):
            print("# log: " + "\n# log: ".join(self.log().splitlines()[-30:]))
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process is not None:
            self.process.stderr.close()

    def ask(self, data, seconds=20):
        return Talk(self.sock, timeout=seconds).send(data).all(seconds=seconds)

    def stream(self, data, seconds=20):
        return self.ask(b"zINSTREAM\0" + chunks(data), seconds)

    def http(self, what):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.metrics)
        s.sendall(b"GET %s HTTP/1.0\r\n\r\n" % what)
        raw = b""
        while True:
            part = s.recv(65536)
            if not part:
                break
            raw += part
        s.close()
        head, body = raw.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.0 200"), head
        return body.decode()

    def status(self):
        return json.loads(self.http(b"/status"))

    def children(self):
        """name -> pids, of all processes below."""
        below, names = {}, {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as f:
                    text = f.read()
            except (OSError, NotADirectoryError):
                continue
            name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            below.setdefault(int(rest[1]), []).append((int(pid), name))
        todo = [self.process.pid]
        while todo:
            for pid, name in below.get(todo.pop(), []):
                names.setdefault(name, []).append(pid)
                todo.append(pid)
        return names

    def log(self):
        with open("log", errors="replace") as f:
            return f.read()


def until(what, seconds=15):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if what():
                return
        except (OSError, ValueError, AssertionError):
            pass
        time.sleep(0.05)
    assert what(), "did not happen within %d s" % seconds
