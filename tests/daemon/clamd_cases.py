"""What can be said to clamd: every command and error of its protocol, garbage and half-commands
included, as conversations that can be held with any server that claims to be one.

A conversation is a list of steps; what the server says is kept as bytes. Used by compare_clamd.py
(against Debian's clamd and ours) and by tests/e2e/daemon_test.py."""
import array, os, re, socket, struct, time


def eicar():
    return (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()


class Talk:
    """One connection. all() reads until the server closes or is silent."""

    def __init__(self, address, timeout=8.0):
        if isinstance(address, str):
            self.s = socket.socket(socket.AF_UNIX)
        else:
            self.s = socket.socket(socket.AF_INET)
        self.s.settimeout(timeout)
        self.s.connect(address)
        self.got = b""
        self.closed = False

    def send(self, data, fds=()):
        try:
            if fds:
                self.s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
            else:
                self.s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def wait(self, seconds):
        time.sleep(seconds)
        return self

    def half_close(self):
        try:
            self.s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return self

    def some(self, until, seconds=8.0):
        """Read until the bytes have come."""
        end = time.time() + seconds
        while until not in self.got and not self.closed and time.time() < end:
            self._read(end - time.time())
        return self

    def all(self, seconds=8.0, silence=None):
        end = time.time() + seconds
        while not self.closed and time.time() < end:
            left = end - time.time()
            if not self._read(min(left, silence) if silence else left) and silence:
                break
        self.s.close()
        return self.got + (b"" if self.closed else b"<open>")

    def _read(self, seconds):
        self.s.settimeout(max(seconds, 0.01))
        try:
            part = self.s.recv(65536)
        except socket.timeout:
            return False
        except ConnectionResetError:
            part = b""
        self.closed = not part
        self.got += part
        return True


def chunks(*parts, end=True):
    return b"".join(struct.pack(">I", len(p)) + p for p in parts) + (b"\0\0\0\0" if end else b"")


def make_tree(root):
    """Files to be asked about; readable for everybody."""
    put = {"clean": b"harmless and clean\n", "eicar": eicar(), "empty": b"", "tiny": b"abc",
           "clean-dir/a": b"a file\n" * 10, "clean-dir/b": b"b file\n" * 10,
           "one-dir/eicar": eicar(), "one-dir2/deep/er/eicar": eicar(),
           "sp ace/fi le": eicar(), "col:on": eicar(), "col: on FOUND": eicar(), "deep/1/2/3/4/f": b"deep enough\n",
           "new\nline": eicar(), "ünïcode": eicar(), "excluded-me": eicar(), "m1/locked": eicar(), "m4/excluded-me": eicar(),
           "m5/locked": eicar(), "m5/eicar": eicar(), "m7/clean": b"a clean file", "m7/locked": eicar(),
           "m8/clean": b"a clean file", "m8/excluded-me": eicar()}
    for name, data in put.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    for name in ("empty-dir", "m2", "m3", "m6/locked-dir"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    os.makedirs(os.path.join(root, "locked-dir"), exist_ok=True)
    with open(os.path.join(root, "locked"), "wb") as f:
        f.write(eicar())
    for link, to in (("link-file", "eicar"), ("link-dir", "one-dir"), ("dangling", "nowhere"), ("m3/link", "../eicar")):
        if not os.path.lexists(os.path.join(root, link)):
            os.symlink(to, os.path.join(root, link))
    for name in ("fifo", "m2/fifo"):
        if not os.path.exists(os.path.join(root, name)):
            os.mkfifo(os.path.join(root, name))
    deep = os.path.join(root, "very-deep", *["d"] * 20)
    os.makedirs(deep, exist_ok=True)
    with open(os.path.join(deep, "eicar"), "wb") as f:
        f.write(eicar())
    for name in ("locked", "locked-dir", "m1/locked", "m5/locked", "m7/locked", "m6/locked-dir"):
        os.chmod(os.path.join(root, name), 0)


def cases(root):
    """(name, function of the address) in order; what a function returns is compared."""
    found = []
    p = lambda name: os.path.join(root, name).encode()

    def add(name, talk):
        found.append((name, talk))

    def say(name, data, **more):
        add(name, lambda a: Talk(a).send(data).all(**more))

    # Commands without an argument, in each framing, also with something behind.
    for command in (b"PING", b"VERSION", b"VERSIONCOMMANDS", b"STATS", b"DETSTATS", b"DETSTATSCLEAR",
                    b"RELOAD", b"END", b"IDSESSION", b"SESSION", b"STREAM", b"FD", b"RAWSCAN x", b"NONSENSE",
                    b"ping", b"Ping", b"", b" ", b"PIN", b"PINGG", b"PING x", b"VERSION 1", b"STATS x",
                    b"VERSIONCOMMANDS x", b"RELOAD x", b"INSTREAM x", b"FILDES x", b"IDSESSION x", b"END x"):
        for before, after in ((b"z", b"\0"), (b"n", b"\n"), (b"", b"\n"), (b"", b"")):
            if command == b"" and before == b"" and after == b"":
                continue
            # An incomplete n or z command is told apart from old style; IDSESSION stays open.
            say("%r %r %r" % (before, command, after), before + command + after, silence=1.5)
    say("n ended by 0", b"nPING\0", silence=1.5)
    say("z ended by newline", b"zPING\n", silence=1.5)
    say("n with CR", b"nPING\r\n", silence=1.5)
    say("old with CR", b"PING\r\n", silence=1.5)
    say("old with 0", b"PING\0", silence=1.5)
    say("two commands", b"nPING\nnPING\n", silence=1.5)
    say("two commands z", b"zPING\0zVERSION\0", silence=1.5)
    say("two old commands", b"PING\nVERSION\n", silence=1.5)
    say("only n", b"n", silence=1.5)
    say("only z", b"z", silence=1.5)
    say("newline", b"\n", silence=1.5)
    say("zero", b"\0", silence=1.5)
    say("nn", b"nnPING\n", silence=1.5)
    say("binary garbage", bytes(range(1, 256)) * 3, silence=1.5)
    say("garbage with newline", b"\x80\xff\xfe\n", silence=1.5)
    say("HTTP", b"GET / HTTP/1.0\r\n\r\n", silence=1.5)
    say("TLS hello", bytes.fromhex("16030100a5010000a10303") + b"\x41" * 100, silence=1.5)
    say("very long n", b"n" + b"A" * 20000 + b"\n", silence=1.5)
    say("long old", b"A" * 3000, silence=1.5)
    say("SCAN of a very long path", b"nSCAN /" + b"a" * 3000 + b"\n", silence=1.5)
    say("SCAN of a long path", b"nSCAN /" + b"a" * 900 + b"\n", silence=1.5)

    def nothing(a):
        return Talk(a).half_close().all(seconds=3)
    add("connect and half-close", nothing)

    def slow(a):
        t = Talk(a)
        for byte in b"zPING\0":
            t.send(bytes([byte])).wait(0.05)
        return t.all(silence=1.5)
    add("byte by byte z", slow)

    def slow_old(a):
        t = Talk(a)
        for byte in b"PING\n":
            t.send(bytes([byte])).wait(0.05)
        return t.all(silence=1.5)
    add("byte by byte old", slow_old)
    add("half command, half-close", lambda a: Talk(a).send(b"nPIN").half_close().all(seconds=3))
    add("half z command, half-close", lambda a: Talk(a).send(b"zPING").half_close().all(seconds=3))
    add("PING, half-close", lambda a: Talk(a).send(b"nPING\n").half_close().all(seconds=3))

    # Paths.
    names = ["clean", "eicar", "empty", "tiny", "clean-dir", "one-dir", "one-dir/", "one-dir2", "empty-dir", "missing",
             "locked", "locked-dir", "link-file", "link-dir", "dangling", "fifo", "sp ace", "sp ace/fi le", "col:on",
             "col: on FOUND", "missing/deeper", "clean/below-a-file", "deep", "clean-dir/../eicar", "clean-dir//a",
             "very-deep", "ünïcode", "excluded-me", "excluded-me-not",
             "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "link-dir/", "link-dir/eicar", "one-dir/.", "one-dir//"]
    for command in (b"SCAN", b"CONTSCAN", b"MULTISCAN", b"ALLMATCHSCAN"):
        for name in names:
            say("z%s %s" % (command.decode(), name), b"z" + command + b" " + p(name) + b"\0")
        say("n%s eicar" % command.decode(), b"n" + command + b" " + p("eicar") + b"\n")
        say("old %s eicar" % command.decode(), command + b" " + p("eicar") + b"\n")
        say("old %s eicar, no newline" % command.decode(), command + b" " + p("eicar"))
        say("%s without argument" % command.decode(), b"n" + command + b"\n", silence=1.5)
        say("%s with empty argument" % command.decode(), b"n" + command + b" \n", silence=1.5)
        say("%s of a relative path" % command.decode(), b"n" + command + b" no/such/file\n")
        say("%s with two blanks" % command.decode(), b"n" + command + b"  " + p("eicar") + b"\n")
        say("%sX path" % command.decode(), b"n" + command + b"X " + p("eicar") + b"\n")
        say("%s of a device" % command.decode(), b"n" + command + b" /dev/null\n")
        say("%s of //path" % command.decode(), b"n" + command + b" /" + p("eicar") + b"\n")
        say("%s, bytes behind" % command.decode(), b"z" + command + b" " + p("clean") + b"\0more")
    say("zSCAN of a name with a newline", b"zSCAN " + p("new\nline") + b"\0")
    say("nSCAN of a name with a newline", b"nSCAN " + p("new\nline") + b"\n")
    say("SCAN eicar and another command", b"nSCAN " + p("eicar") + b"\nnPING\n")
    say("SCAN clean with CR", b"nSCAN " + p("clean") + b"\r\n")
    add("SCAN, half-close", lambda a: Talk(a).send(b"nSCAN " + p("eicar") + b"\n").half_close().all(seconds=5))

    # Streams.
    def stream(name, command, *parts, end=True, **more):
        add(name, lambda a: Talk(a).send(command + chunks(*parts, end=end)).all(**more))
    for command in (b"zINSTREAM\0", b"nINSTREAM\n"):
        stream("%r clean" % command, command, b"hello world")
        stream("%r eicar" % command, command, eicar())
        stream("%r eicar in pieces" % command, command, *[bytes([c]) for c in eicar()])
        stream("%r empty" % command, command)
    stream("INSTREAM of old style", b"INSTREAM\n", b"hello", silence=1.5)
    stream("INSTREAM over the limit", b"zINSTREAM\0", b"x" * 600000, b"y" * 600000, silence=3)
    stream("INSTREAM one chunk over the limit", b"zINSTREAM\0", b"x" * 1100000, silence=3)
    stream("INSTREAM exactly at the limit", b"zINSTREAM\0", b"x" * 524288, b"y" * 524288)
    add("INSTREAM with a length of 4 GiB - 1",
        lambda a: Talk(a).send(b"zINSTREAM\0" + b"\xff\xff\xff\xff" + b"abc").all(silence=2))
    add("INSTREAM, half-close in a chunk",
        lambda a: Talk(a).send(b"zINSTREAM\0" + struct.pack(">I", 100) + b"abc").half_close().all(seconds=4))
    add("INSTREAM, half-close before a chunk", lambda a: Talk(a).send(b"zINSTREAM\0").half_close().all(seconds=4))
    add("INSTREAM, half-close after a chunk",
        lambda a: Talk(a).send(b"zINSTREAM\0" + chunks(b"abcdef", end=False)).half_close().all(seconds=4))
    add("INSTREAM in small packets", lambda a: slow_stream(a, eicar()))
    add("INSTREAM, bytes behind", lambda a: Talk(a).send(b"zINSTREAM\0" + chunks(b"hello hello") + b"zPING\0").all(silence=2))

    def slow_stream(a, data):
        t = Talk(a)
        for byte in b"zINSTREAM\0" + chunks(data[:30], data[30:]):
            t.send(bytes([byte]))
            if byte == 0:
                t.wait(0.02)
        return t.all(silence=2)

    # Descriptors.
    def with_file(name, first, second, path, flags=os.O_RDONLY, count=1, silence=3):
        def talk(a):
            fds = [os.open(os.path.join(root, path), flags) for _ in range(count)]
            try:
                t = Talk(a)
                if second is None:
                    return t.send(first, fds).all(silence=silence)
                return t.send(first).wait(0.1).send(second, fds).all(silence=silence)
            finally:
                for fd in fds:
                    os.close(fd)
        add(name, talk)
    if True:
        for command in (b"zFILDES\0", b"nFILDES\n", b"FILDES\n"):
            with_file("%r eicar" % command, command, b"x", "eicar")
            with_file("%r clean" % command, command, b"x", "clean")
        with_file("FILDES of a folder", b"zFILDES\0", b"x", "clean-dir")
        with_file("FILDES with the descriptor in one message", b"zFILDES\0x", None, "eicar")
        with_file("FILDES with the descriptor in one message, no byte", b"zFILDES\0", None, "eicar")
        with_file("FILDES of an empty file", b"zFILDES\0", b"x", "empty")
        with_file("FILDES write-only", b"zFILDES\0", b"x", "clean", os.O_WRONLY)
        with_file("PING with a descriptor", b"zPING\0", None, "eicar")
        with_file("SCAN with a descriptor", b"zSCAN " + p("clean") + b"\0", None, "eicar")
        with_file("nonsense with a descriptor", b"zNONSENSE\0", None, "eicar")
        with_file("descriptor alone", b"x", None, "eicar", silence=1.5)
        def two(name, command, second, silence=2):
            def talk(a):
                fds = [os.open(os.path.join(root, n), os.O_RDONLY) for n in ("eicar", "clean")]
                try:
                    return Talk(a).send(command).wait(0.15).send(second, fds).all(silence=silence)
                finally:
                    for fd in fds:
                        os.close(fd)
            add(name, talk)
        two("FILDES with two descriptors", b"zFILDES\0", b"x")
        with_file("FILDES, bytes behind", b"zFILDES\0", b"xyz", "eicar")
        with_file("FILDES, a command behind", b"zFILDES\0", b"xzPING\0", "eicar")
        with_file("session: FILDES, then PING", b"zIDSESSION\0zFILDES\0", b"xzPING\0", "eicar", silence=1.5)
        with_file("whole INSTREAM with a descriptor", b"zINSTREAM\0" + chunks(b"hello there"), None, "eicar")

        def with_file_first(name, first, second):
            def talk(a):
                fd = os.open(os.path.join(root, "eicar"), os.O_RDONLY)
                try:
                    return Talk(a).send(first, [fd]).wait(0.15).send(second).all(silence=2)
                finally:
                    os.close(fd)
            add(name, talk)
        with_file_first("INSTREAM with a descriptor", b"zINSTREAM\0", chunks(b"hello there"))
        with_file_first("half a command with a descriptor", b"zPI", b"NG\0")
        add("FILDES without descriptor", lambda a: Talk(a).send(b"zFILDES\0").wait(0.1).send(b"x").all(silence=2))
        add("FILDES without anything", lambda a: Talk(a).send(b"zFILDES\0").half_close().all(silence=2))
        add("FILDES of a pipe", lambda a: fildes_pipe(a))
        add("FILDES of a socket", lambda a: fildes_socket(a))

    def fildes_pipe(a):
        r, w = os.pipe()
        try:
            return Talk(a).send(b"zFILDES\0").wait(0.1).send(b"x", [r]).all(silence=2)
        finally:
            os.close(r), os.close(w)

    def fildes_socket(a):
        one, two = socket.socketpair()
        try:
            return Talk(a).send(b"zFILDES\0").wait(0.1).send(b"x", [one.fileno()]).all(silence=2)
        finally:
            one.close(), two.close()

    # Sessions: answers may come in any order, so they are sorted.
    def ordered(raw):
        ends = b"\0" if b"\0" in raw else b"\n"
        return ends.join(sorted(raw.split(ends)))

    def session(name, *parts, tail=b"zEND\0", silence=2):
        add(name, lambda a: ordered(Talk(a).send(b"zIDSESSION\0" + b"".join(parts) + tail).all(silence=silence)))
    session("session: PING twice", b"zPING\0", b"zPING\0")
    session("session: VERSION", b"zVERSION\0")
    session("session: VERSIONCOMMANDS", b"zVERSIONCOMMANDS\0")
    session("session: STATS", b"zSTATS\0")
    session("session: SCAN", b"zSCAN " + p("eicar") + b"\0", b"zSCAN " + p("clean") + b"\0")
    session("session: SCAN of a folder", b"zSCAN " + p("one-dir") + b"\0")
    session("session: SCAN of nothing", b"zSCAN " + p("missing") + b"\0")
    session("session: streams", b"zINSTREAM\0" + chunks(eicar()), b"zINSTREAM\0" + chunks(b"hello there"))
    session("session: stream over the limit", b"zINSTREAM\0" + chunks(b"x" * 1100000), b"zPING\0")
    for command in (b"CONTSCAN " + p("eicar"), b"MULTISCAN " + p("eicar"), b"ALLMATCHSCAN " + p("eicar"), b"RELOAD",
                    b"DETSTATS", b"IDSESSION", b"NONSENSE", b"", b"SHUTDOWN", b"DETSTATSCLEAR"):
        session("session: %s" % command.split(b" ")[0].decode(), b"z" + command + b"\0", b"zPING\0")
    session("session: old style inside", b"PING\n")
    session("session: n inside z", b"nPING\n")
    session("session: nothing", b"")
    session("session: no end", b"zPING\0", tail=b"")
    session("session: bytes behind END", b"zPING\0", tail=b"zEND\0zPING\0")
    def apart(name, *parts):
        def talk(a):
            t = Talk(a)
            for part in parts:
                t.send(part).wait(0.15)
            return t.all(silence=2)
        add(name, talk)
    apart("session, apart: old style", b"zIDSESSION\0", b"PING\n", b"zEND\0")
    apart("session, apart: old style and z", b"zIDSESSION\0", b"PING\nzPING\0")
    apart("session, apart: binary", b"zIDSESSION\0", b"\x01\x02\x03\0")
    apart("session, apart: END in n", b"zIDSESSION\0", b"nEND\n")
    apart("session, apart: too long a chunk", b"zIDSESSION\0", b"zINSTREAM\0" + struct.pack(">I", 2000000), b"abc")
    apart("session, apart: FILDES without", b"zIDSESSION\0", b"zFILDES\0", b"x", b"zPING\0")
    for what in (b"zPING\n\0", b"zPING\r\0", b"zPING \0", b"zSCAN " + p("clean") + b"\n\0", b"zSCAN " + p("clean/") + b"\0"):
        say("%r" % what[:12] + (" of a path" if b"SCAN" in what else ""), what)
    for length in (300, 1000, 3000):
        say("SCAN of a name of %d" % length, b"nSCAN /" + b"a" * length + b"\n")
    say("n, 9000 bytes and no end", b"n" + b"A" * 9000)
    say("old style, 9000 bytes", b"A" * 9000)
    add("session: half-close", lambda a: Talk(a).send(b"zIDSESSION\0zPING\0").half_close().all(seconds=3))
    add("n session", lambda a: Talk(a).send(b"nIDSESSION\nnPING\nnVERSION\nnEND\n").all(silence=2))
    add("n session, z inside", lambda a: Talk(a).send(b"nIDSESSION\nzPING\0nEND\n").all(silence=2))

    def session_files(a):
        fds = [os.open(os.path.join(root, n), os.O_RDONLY) for n in ("eicar", "clean")]
        try:
            t = Talk(a).send(b"zIDSESSION\0").wait(0.05)
            for fd in fds:
                t.send(b"zFILDES\0").wait(0.1).send(b"x", [fd]).wait(0.1)
            return ordered(t.send(b"zEND\0").all(silence=2))
        finally:
            for fd in fds:
                os.close(fd)
    add("session: FILDES", session_files)
    add("session: step by step", lambda a: Talk(a).send(b"zIDSESSION\0").wait(0.1).send(b"zPING\0").some(b"PONG\0")
        .send(b"zINSTREAM\0" + chunks(eicar())).some(b"FOUND\0").send(b"zEND\0").all(silence=2))
    return found


def normalise(raw):
    """What differs from run to run in any server."""
    raw = re.sub(rb"fd\[\d+\]", b"fd[N]", raw)
    raw = re.sub(rb"\t(IDLE|N/A) [0-9.]+ \n", b"", raw)
    raw = re.sub(rb"(STATS )[0-9.]+", rb"\1T", raw)
    raw = re.sub(rb"(THREADS: live )\d+(  idle )\d+( max )\d+( idle-timeout )\d+", rb"\1N\2N\3N\4N", raw)
    raw = re.sub(rb"(heap|mmap|used|free|releasable|pools_used|pools_total) (N/A|[0-9.]+M)", rb"\1 N", raw)
    return raw
