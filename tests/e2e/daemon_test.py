#!/usr/bin/env python3
"""holdfastd as its clients and its administrator meet it."""
import json, os, pwd, re, shutil, signal, socket, struct, subprocess, sys, threading, time
from tap import BUILD, HOLDFAST, Skip, case, eicar, main, need, need_build_for_others, run
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "daemon"))
from clamd_cases import Talk, chunks

from daemon_lib import EICAR_SHA256, HOLDFASTD, NAME, Daemon, until


@case
def every_conversation_of_clamd_is_held_as_clamd_holds_it():
    need("python3")
    need_build_for_others()
    if shutil.which("clamd", path=os.environ["PATH"] + ":/usr/sbin") is None:
        raise Skip("clamd is not installed")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "daemon", "compare_clamd.py")
    r = run(sys.executable, script, BUILD, timeout=300)
    assert r.returncode == 0, (r.stdout.decode(), r.stderr.decode())


@case
def both_forms_of_configuration_answer_the_same():
    for clamd in (False, True):
        os.makedirs("c%d" % clamd)
        os.chdir("c%d" % clamd)
        with Daemon(clamd=clamd) as d:
            assert d.stream(eicar()) == b"stream: %s FOUND\0" % NAME
            assert d.stream(b"harmless text") == b"stream: OK\0"
            assert NAME.decode() in d.log()
        os.chdir("..")


@case
def configurations_that_are_wrong_are_named_by_line():
    for form, text, words in (("--config", "[listen]\nunixx = /x\n", ("holdfast.conf:2", "unix")),
                              ("--config", "[listen]\nunix-mode = 999\n", ("holdfast.conf:2",)),
                              ("--clamd-config", "LocalSocket /x\nExample\n", ("2",)),
                              ("--clamd-config", "LocalSokcet /x\n", ("LocalSocket",)),
                              ("--clamd-config", "LocalSocket\n", ("value",))):
        with open("holdfast.conf", "w") as f:
            f.write(text)
        r = run(HOLDFASTD, "--check", form, "holdfast.conf")
        assert r.returncode == 1 and all(w.encode() in r.stderr for w in words), (form, text, r)
    r = run(HOLDFASTD, "--example")
    with open("holdfast.conf", "wb") as f:
        f.write(re.sub(rb"(?m)^#(?=[a-z-]+ =)", b"", r.stdout).replace(b"user =\n", b"#\n"))
    assert b"stream-max = 100M" in r.stdout


@case
def every_option_of_clamd_1_4_is_known():
    need("clamconf")
    text = run("clamconf", "-g", "clamd.conf").stdout.decode()
    options = set(re.findall(r"(?m)^#([A-Z][A-Za-z0-9]+) \S", text)) - {"PreludeAnalyzerName"}
    assert len(options) > 100
    lines = []
    for name in sorted(options):
        value = re.search(r"(?m)^#%s (.*)$" % name, text).group(1)
        lines.append("%s %s" % (name, value))
    with open("clamd.conf", "w") as f:
        f.write("\n".join(l for l in lines if not l.startswith(("User ", "LocalSocketGroup ", "IncludePUA "))) + "\n")
    r = run(HOLDFASTD, "--check", "--clamd-config", "clamd.conf")
    # IncludePUA and ExcludePUA exclude one another, for clamd too.
    assert r.returncode == 0 and r.stderr.count(b"has no effect") > 50, r


@case
def shutdown_and_reload_are_for_those_who_may():
    with Daemon("[listen]", "tcp-port = 0") as d:
        if os.getuid() == 0:
            need("setpriv")
            os.chmod(".", 0o755)
            ask = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                   "s.sendall(sys.argv[2].encode()+b'\\n')\nprint(s.recv(100))")
            shutil.copy(HOLDFASTD, "x")
            for command in ("nSHUTDOWN", "nRELOAD", "nQUIT"):
                r = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", ask, d.sock, command)
                if r.returncode != 0:
                    raise Skip("another user cannot get to the folder of the test: %r" % r.stderr[-80:])
                assert b"COMMAND UNAVAILABLE" in r.stdout, r
        assert d.ask(b"nPING\n") == b"PONG\n"
        assert d.ask(b"nRELOAD\n") == b"RELOADING\n"
        until(lambda: d.status()["requests"]["reloads"] == 1)
        assert d.ask(b"nSHUTDOWN\n") == b""
        assert d.process.wait(10) == 0
        assert not os.path.exists(d.sock)


@case
def shutdown_over_tcp_is_refused_unless_listed():
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    number = port.getsockname()[1]
    port.close()
    with Daemon("[listen]", "tcp-port = %d" % number) as d:
        tcp = lambda data: Talk(("127.0.0.1", number)).send(data).all()
        assert tcp(b"zPING\0") == b"PONG\0"
        assert tcp(b"zSHUTDOWN\0") == b"COMMAND UNAVAILABLE\0"
        assert tcp(b"zINSTREAM\0" + chunks(eicar())) == b"stream: %s FOUND\0" % NAME
        d.write_config("[listen]", "tcp-port = %d" % number, "[control]", "allow-address = 127.0.0.1")
        d.process.send_signal(signal.SIGHUP)
        until(lambda: tcp(b"zRELOAD\0") == b"RELOADING\0")
        assert "read anew" in d.log()


@case
def a_reload_changes_the_answer_and_loses_no_request():
    with Daemon() as d:
        stop, answers = [], []

        def ask():
            while not stop:
                answers.append(d.stream(eicar()))
        threads = [threading.Thread(target=ask) for _ in range(4)]
        [t.start() for t in threads]
        session = Talk(d.sock).send(b"zIDSESSION\0")
        for i in range(6):
            name = "Generation-%d" % i
            d.put_signature(name)
            d.ask(b"zRELOAD\0")
            until(lambda: d.stream(eicar()) == b"stream: %s.UNOFFICIAL FOUND\0" % name.encode())
            # A session that was open before is answered from the new one too.
            want = b"%d: stream: %s.UNOFFICIAL FOUND\0" % (i + 1, name.encode())
            session.send(b"zINSTREAM\0" + chunks(eicar())).some(want)
            assert session.got.endswith(want), session.got
        stop.append(1)
        [t.join() for t in threads]
        assert len(answers) > 20 and all(re.fullmatch(rb"stream: [-A-Za-z0-9]+\.UNOFFICIAL FOUND\0", a) for a in answers), \
            [a for a in answers if not a.endswith(b"FOUND\0")][:5]
        d.put_signature("After")
        with open("db/bad.hsb", "w") as f:
            f.write("this is no signature\n")
        d.ask(b"zRELOAD\0")
        until(lambda: d.stream(eicar()) == b"stream: After.UNOFFICIAL FOUND\0")


@case
def every_process_that_is_killed_or_stopped_under_load_comes_back():
    with Daemon("[daemon]", "hang-timeout = 2", "[limits]", "max-scantime-ms = 3000") as d:
        os.makedirs("files")
        for i in range(20):
            with open("files/%d" % i, "wb") as f:
                f.write(eicar() if i == 13 else b"clean %d" % i)
        stop, wrong, count = [], [], [0]

        def ask(kind):
            while not stop:
                try:
                    if kind:
                        got = d.ask(b"zCONTSCAN %s/files\0" % d.here.encode())
                        good = b"files/13: %s FOUND" % NAME in got or b"ERROR" in got or got in (b"", b"<open>")
                        good = good and b"files: OK" not in got
                    else:
                        got = d.stream(eicar())
                        good = b"OK" not in got
                    count[0] += b"FOUND" in got
                    if not good:
                        wrong.append(got)
                except OSError:
                    time.sleep(0.02)
        threads = [threading.Thread(target=ask, args=(i % 2,)) for i in range(6)]
        [t.start() for t in threads]
        for name in ("holdfast-opener", "holdfast-listen", "holdfast-worker"):
            for what in (signal.SIGKILL, signal.SIGSTOP):
                for pid in d.children().get(name, []):
                    try:
                        os.kill(pid, what)
                    except ProcessLookupError:
                        pass
                time.sleep(0.3)
                before = count[0]
                until(lambda: count[0] > before + 5, 30)
                until(lambda: b"files/13: %s FOUND" % NAME in d.ask(b"zCONTSCAN %s/files\0" % d.here.encode()), 20)
        stop.append(1)
        [t.join() for t in threads]
        assert not wrong, wrong[:5]


@case
def slow_silent_and_garbage_clients_harm_nobody_else():
    with Daemon("[requests]", "command-timeout = 2", "read-timeout = 2", "[listen]", "connections = 60") as d:
        held = []
        for i in range(120):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(5)
            try:
                s.connect(d.sock)
                s.sendall([b"", b"zPIN", b"zINSTREAM\0\0\0\1", b"zIDSESSION\0", os.urandom(300)][i % 5])
            except OSError:
                pass
            held.append(s)
        begin = time.time()
        for _ in range(20):
            assert d.stream(eicar()) == b"stream: %s FOUND\0" % NAME
        assert time.time() - begin < 5, time.time() - begin
        until(lambda: d.status()["requests"]["open"] <= 2, 10)
        for s in held:
            s.close()
        # One that asks and never reads.
        os.makedirs("many")
        for i in range(300):
            with open("many/" + "n" * 200 + str(i), "wb") as f:
                f.write(eicar())
        deaf = socket.socket(socket.AF_UNIX)
        deaf.connect(d.sock)
        deaf.sendall(b"zCONTSCAN %s/many\0" % d.here.encode())
        for _ in range(20):
            assert d.stream(eicar()) == b"stream: %s FOUND\0" % NAME
        deaf.close()


@case
def streams_too_long_are_refused_and_read_to_the_end():
    with Daemon("[requests]", "stream-max = 1M", "spool-max = 3M") as d:
        for _ in range(5):
            t = Talk(d.sock).send(b"zINSTREAM\0" + struct.pack(">I", 600000) + b"x" * 600000)
            t.send(struct.pack(">I", 600000) + b"y" * 600000 + b"\0\0\0\0")
            assert t.all() == b"INSTREAM size limit exceeded. ERROR\0"
        # All streams together: those past the cap are refused, none is called clean.
        held = [Talk(d.sock).send(b"zINSTREAM\0" + struct.pack(">I", 900000) + b"x" * 890000) for _ in range(3)]
        time.sleep(0.3)
        assert d.stream(b"y" * 900000) == b"INSTREAM: Can't write to temporary file. ERROR\0"
        for t in held:
            t.s.close()
        until(lambda: d.status()["requests"]["stream_bytes_held"] == 0)
        assert d.stream(b"y" * 900000) == b"stream: OK\0"


@case
def the_virus_event_gets_the_name_and_the_object():
    with Daemon(clamd=True, start=False) as d:
        with open("clamd.conf", "a") as f:
            f.write('VirusEvent echo "%%v|$CLAM_VIRUSEVENT_VIRUSNAME|$CLAM_VIRUSEVENT_FILENAME" >> %s/event\n' % d.here)
        d.start()
        with open("x;touch y", "wb") as f:
            f.write(eicar())
        d.ask(b"zSCAN %s/x;touch y\0" % d.here.encode())
        until(lambda: os.path.exists("event"))
        until(lambda: open("event").read() == "%s|%s|%s/x;touch y\n" % (NAME.decode(), NAME.decode(), d.here))


@case
def status_and_metrics_tell_what_happened():
    with Daemon() as d:
        d.stream(eicar())
        d.stream(b"clean things")
        s = d.status()
        assert s["requests"]["found"] == 1 and s["requests"]["clean"] == 1 and s["generations"][0]["signatures"] == 1, s
        assert s["jail"]["seccomp"] is True and s["workers"]["ready"] is True, s
        text = d.http(b"/metrics")
        assert re.search(r"(?m)^holdfast_found_total 1$", text) and re.search(r'le="\+Inf"} 2$', text, re.M), text
        for line in text.splitlines():
            assert line.startswith("#") or re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+-]+', line), line


@case
def the_listener_and_the_opener_are_sealed():
    with Daemon() as d:
        until(lambda: d.stream(eicar()) == b"stream: %s FOUND\0" % NAME)
        children = d.children()
        for name in ("holdfast-listen", "holdfast-opener", "holdfast-worker"):
            for pid in children[name]:
                with open("/proc/%d/status" % pid) as f:
                    text = f.read()
                assert re.search(r"(?m)^Seccomp:\s+2$", text) and re.search(r"(?m)^NoNewPrivs:\s+1$", text), (name, text)
                if name != "holdfast-opener":
                    assert re.search(r"(?m)^CapEff:\s+0+$", text), (name, text)


@case
def systemd_is_told_and_its_sockets_are_taken():
    os.makedirs("n")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind("n/notify")
    notify.settimeout(10)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("n/activated")
    listening.listen(10)
    with Daemon(start=False) as d:
        d.write("holdfast.conf", "[daemon]\ndatabase = %s/db\n" % d.here)
        code = ("import os,sys\nos.dup2(int(sys.argv[1]),3)\nos.set_inheritable(3,True)\n"
                "os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS='1',WATCHDOG_USEC='400000')\n"
                "os.execv(sys.argv[2],[sys.argv[2],'--config','holdfast.conf'])")
        env = dict(os.environ, NOTIFY_SOCKET=d.here + "/n/notify", XDG_CACHE_HOME=d.here + "/cache")
        d.process = subprocess.Popen([sys.executable, "-c", code, str(listening.fileno()), HOLDFASTD],
                                     env=env, stderr=subprocess.PIPE, pass_fds=[listening.fileno()])
        got = notify.recv(1000)
        while got == b"WATCHDOG=1":
            got = notify.recv(1000)
        assert got.startswith(b"READY=1"), got
        assert Talk("n/activated").send(b"zPING\0").all() == b"PONG\0"
        while got != b"WATCHDOG=1":
            got = notify.recv(1000)
        d.process.terminate()
        while got != b"STOPPING=1":
            got = notify.recv(1000)
        assert d.process.wait(10) == 0
        assert os.path.exists("n/activated")


@case
def two_hundred_clients_get_their_own_answers():
    with Daemon() as d:
        wrong, done = [], [0]

        def ask(number):
            try:
                s = Talk(d.sock, timeout=60).send(b"zIDSESSION\0")
                for i in range(10):
                    bad = (number + i) % 3 == 0
                    data = eicar() if bad else b"clean %d %d" % (number, i)
                    want = b"%d: stream: %s\0" % (i + 1, b"%s FOUND" % NAME if bad else b"OK")
                    s.send(b"zINSTREAM\0" + chunks(data)).some(b"\0", 60)
                    if s.got != want:
                        wrong.append((s.got, want))
                    s.got = b""
                    done[0] += 1
                s.send(b"zEND\0").all()
            except Exception as e:
                wrong.append(repr(e))
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(200)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert not wrong and done[0] == 2000, (done, wrong[:5])


@case
def clamdscan_of_both_makes_prints_the_same():
    need("clamdscan")
    ours = os.path.join(BUILD, "compat", "clamdscan")
    with Daemon(clamd=True) as d:
        os.makedirs("f/sub")
        for name, data in (("f/bad", eicar()), ("f/sub/clean", b"clean file"), ("clean", b"clean file")):
            with open(name, "wb") as f:
                f.write(data)
        os.makedirs("good")
        for args, given in ((["f/bad", "clean"], None), (["-i", "f/bad", "clean"], None), (["f"], None), (["-m", "f"], None),
                            (["-z", "f/bad"], None), (["--fdpass", "f/bad", "clean"], None), (["--stream", "f/bad", "clean"], None),
                            (["good"], None), (["missing"], None), (["missing", "f/bad"], None), (["--quiet", "f/bad"], None),
                            (["--badoption"], None), (["--ping", "2:1"], None), (["--reload"], None), (["-V"], None), (["-"], b"clean")):
            got = []
            for program in ("clamdscan", ours):
                r = run(program, "-c", d.here + "/clamd.conf", *args, input=given)
                out = re.sub(rb"(Time: |Start Date: |End Date:   ).*", rb"\1T", r.stdout)
                got.append((r.returncode, out, r.stderr))
            assert got[0] == got[1], (args, got)
        for how in ("--copy", "--move", "--remove"):
            left = []
            for program in ("clamdscan", ours):
                shutil.rmtree("q", ignore_errors=True)
                os.makedirs("q")
                shutil.copy("f/bad", "victim")
                r = run(program, "-c", d.here + "/clamd.conf", "--no-summary", how + ("=q" if how != "--remove" else ""), "victim")
                left.append((r.returncode, r.stdout, os.listdir("q"), os.path.exists("victim")))
            assert left[0] == left[1], (how, left)


@case
def status_of_the_command_line_shows_the_daemon():
    with Daemon() as d:
        d.stream(eicar())
        r = run(HOLDFAST, "status", "--socket", d.metrics)
        assert b"1 found" in r.stdout and b"generation 1" in r.stdout and b"seccomp" in r.stdout, r
        s = json.loads(run(HOLDFAST, "status", "--json", "--socket", d.metrics).stdout)
        assert s["daemon"]["requests"]["found"] == 1, s
        assert json.loads(run(HOLDFAST, "status", "--json", "--socket", "nowhere").stdout)["daemon"] is None
    with open("good.conf", "wb") as f:
        f.write(run(HOLDFAST, "config", "example").stdout)
    assert run(HOLDFAST, "config", "check", "good.conf").returncode == 0
    with open("bad.conf", "w") as f:
        f.write("[log]\nformat = xml\n")
    r = run(HOLDFAST, "config", "check", "bad.conf")
    assert r.returncode == 2 and b"classic" in r.stderr, r


@case
def with_few_descriptors_everybody_still_gets_the_right_answer():
    with Daemon(start=False) as d:
        d.process = subprocess.Popen(["sh", "-c", "ulimit -n 150; exec %s --config holdfast.conf" % HOLDFASTD],
                                     env=dict(os.environ, XDG_CACHE_HOME=d.here + "/cache"), stderr=subprocess.PIPE)
        until(lambda: d.stream(eicar()) == b"stream: %s FOUND\0" % NAME)
        answers = []

        def ask():
            for _ in range(5):
                answers.append(d.stream(eicar(), 30))
        threads = [threading.Thread(target=ask) for _ in range(120)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        wrong = [a for a in answers if a != b"stream: %s FOUND\0" % NAME]
        assert len(answers) == 600 and not wrong, wrong[:5]


@case
def a_full_disk_makes_errors_and_no_clean_answers():
    need("unshare", "mount")
    how = ["unshare", "--mount", "--propagation", "private"] + ([] if os.getuid() == 0 else ["--user", "--map-root-user"])
    if subprocess.call(how + ["mount", "-t", "tmpfs", "none", "/mnt"], stderr=subprocess.DEVNULL):
        raise Skip("mounts are not allowed here")
    with Daemon("[daemon]", "temporary-directory = /mnt", start=False) as d:
        d.process = subprocess.Popen(how + ["sh", "-c", "mount -t tmpfs -o size=64k none /mnt && exec %s --config holdfast.conf" % HOLDFASTD],
                                     env=dict(os.environ, XDG_CACHE_HOME=d.here + "/cache"), stderr=subprocess.PIPE)
        until(lambda: d.stream(eicar()) == b"stream: %s FOUND\0" % NAME)
        for _ in range(3):
            assert d.stream(b"x" * 300000 + eicar()) == b"INSTREAM: Can't write to temporary file. ERROR\0"
            assert d.stream(eicar()) == b"stream: %s FOUND\0" % NAME


main()
