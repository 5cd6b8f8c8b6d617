#!/usr/bin/env python3
"""Bad content, properly signed, in the style of July 2024: crashes, endless loops, false positives, hunger for memory.
Validator, self-test, rings and fuse each stop their kind alone, the others switched off. Faults of the engine that
content sets off are planted in a worker of its own (tests/jail/faulty_engine.c)."""
import hashlib, json, os, random, shutil, struct, subprocess, time
from tap import BUILD, HOLDFAST, Skip, case, main, run
from feed_lib import Endpoint, Publisher, hf
from daemon_lib import Daemon, until

FAULTY = os.path.join(BUILD, "tests/jail/holdfast-worker-faulty")
ALONE = os.path.join(BUILD, "tests/update/update-alone")
GOOD = b"the first bad thing, which is longer than a page" + bytes(5000)
FIRST = b"found from the first generation on"


def alone(e, *switches, faulty=True, code=None):
    """(result, version, rest) of an update with protections switched off."""
    env = dict(os.environ, HOLDFAST_LIBEXEC=BUILD, HOLDFAST_WORKER=FAULTY if faulty else os.path.join(BUILD, "holdfast-worker"))
    r = run(ALONE, e.home, "test", *switches, env=env)
    assert code is None or r.returncode == code, r
    word = r.stdout.decode().split(" ", 3)
    return word[0], int(word[1]), " ".join(word[2:])


def published(*args):
    p, e = Publisher(), Endpoint()
    p.add(FIRST)
    p.release(*args)
    e.trust(p)
    assert alone(e, faulty=False)[1] == 1
    return p, e


def bad_source(p, name):
    """A source whose name tells the faulty engine what to do; or a rule that is true for everything."""
    if name == "everything":
        with open(os.path.join(p.sources, "everything.yar"), "w") as f:
            f.write("rule everything { condition: filesize > 0 }\n")
        return
    with open(os.path.join(p.sources, "fault-" + name + ".hsb"), "w") as f:
        f.write("%s:%d:Test.Fault\n" % (hashlib.sha256(name.encode()).hexdigest(), len(name)))


def resealed(path, harm):
    """A database whose inside is damaged and whose digests all fit: what a compiler with a bug would make."""
    data = bytearray(open(path, "rb").read())
    table, count = struct.unpack_from("<Q", data, 24)[0], struct.unpack_from("<I", data, 12)[0]
    kinds = {}
    for i in range(count):
        at = table + 64 * i
        kind, _, offset, length = struct.unpack_from("<IIQQ", data, at)
        kinds[kind] = (at, offset, length)
    harm(data, kinds)
    for at, offset, length in kinds.values():
        data[at + 32:at + 64] = hashlib.sha256(data[offset:offset + length]).digest()
    data[48:64] = hashlib.sha256(data[table:table + 64 * count]).digest()[:16]
    with open(path, "wb") as f:
        f.write(data)


@case
def the_validator_alone_stops_content_that_readers_stumble_over():
    "the validator alone stops content that is damaged inside: lists, names and tables that lie about themselves"
    p, e = published()
    for k in range(3):
        p.add(*[random.Random(k * 100 + i).randbytes(30) for i in range(40)])

    def list_out_of_order(data, kinds):
        _, offset, _ = kinds[2]
        offsets_at = struct.unpack_from("<Q", data, offset + 32)[0]
        struct.pack_into("<I", data, offset + offsets_at + 4, 0x7fffffff)

    def too_few_names(data, kinds):
        struct.pack_into("<I", data, kinds[4][1] + 4, 1)

    def digests_out_of_order(data, kinds):
        kind = next(k for k in range(5, 17) if k in kinds)
        _, offset, length = kinds[kind]
        at = struct.unpack_from("<Q", data, offset + 32)[0]
        data[offset + at:offset + at + 12] = b"\xff" * 12

    for n, harm in enumerate([list_out_of_order, too_few_names, digests_out_of_order]):
        p.add(b"change %d" % n)
        p.draft("--deltas", "0")
        lines = open("draft").read().splitlines()
        out = []
        for line in lines:
            word = line.split()
            if word[0] == "delta":
                continue # the whole file, as we have made it
            if word[0] == "file":
                path = os.path.join(p.dir, "object", word[3][:2], word[3])
                if not os.path.exists(path):
                    raise AssertionError("only a delta of it was made")
                shutil.copy(path, "harmed")
                resealed("harmed", harm)
                digest = hashlib.sha256(open("harmed", "rb").read()).hexdigest()
                os.makedirs(os.path.join(p.dir, "object", digest[:2]), exist_ok=True)
                shutil.copy("harmed", os.path.join(p.dir, "object", digest[:2], digest))
                line = "file %s %d %s" % (word[1], os.path.getsize("harmed"), digest)
            out.append(line)
        open("draft", "w").write("\n".join(out) + "\n")
        p.sign()
        p.publish()
        p.witness()
        r = alone(e, "no-selftest")
        assert r[0] == "content-form" and r[1] == 1, (harm.__name__, r)
        assert alone(e, "no-selftest")[1] == 1, "never taken again"
    assert e.finds(FIRST)


@case
def the_selftest_alone_stops_each_kind():
    "the self-test alone stops a crash, an endless loop, false positives, hunger for memory, and one that crashes at loading"
    expected = {"early-crash": {"test-crash"}, "early-loop": {"test-time"}, "everything": {"test-good"},
                "early-memory": {"test-memory"}, "load-crash": {"test-crash"}}
    for name, words in expected.items():
        shutil.rmtree("w", ignore_errors=True)
        os.mkdir("w")
        os.chdir("w")
        p, e = published()
        bad_source(p, name)
        p.release()
        r = alone(e, "no-validator", "ms=1500", "memory=%d" % (600 << 20))
        assert r[0] in words and r[1] == 1, (name, r)
        r = alone(e, "no-validator", "ms=1500")
        assert r[1] == 1 and "waits" in r[2], (name, r)
        assert e.finds(FIRST)
        os.chdir("..")


@case
def a_ring_alone_keeps_bad_content_from_most():
    "rings alone: bad content reaches those of the first ring, and nobody else once it was replaced"
    p = Publisher()
    p.add(FIRST)
    now = int(time.time())
    p.release(time=now - 90000)
    ends = [Endpoint("end%d" % i) for i in range(30)]
    for e in ends:
        e.trust(p)
        assert alone(e, "no-validator", "no-selftest")[1] == 1
    for name in ["crash", "loop", "memory", "everything"]:
        bad_source(p, name)
    p.release("--ring", "20:0", "--ring", "100:86400")
    took = [e for e in ends if alone(e, "no-validator", "no-selftest")[1] == 2]
    print("# %d of %d endpoints are in the first ring" % (len(took), len(ends)))
    assert 0 < len(took) < 16
    for f in os.listdir(p.sources):
        if f.startswith(("fault-", "everything")):
            os.unlink(os.path.join(p.sources, f))
    p.add(GOOD)
    p.release()
    for e in ends:
        assert alone(e, "no-validator", "no-selftest")[1] == 3 and e.finds(GOOD)
        assert e.show()["generations"].count(2) == (e in took), "the bad one was never there"


class Shared:
    """An endpoint's folders as the daemon and the scan command of one user see them."""

    def __init__(self, e):
        os.makedirs("h/c"), os.makedirs("h/d"), os.makedirs("h/cache")
        os.symlink(e.home + "/config", "h/c/holdfast")
        os.symlink(e.home + "/content", "h/d/holdfast")
        self.env = dict(os.environ, XDG_CONFIG_HOME=os.path.abspath("h/c"), XDG_DATA_HOME=os.path.abspath("h/d"),
                        XDG_CACHE_HOME=os.path.abspath("h/cache"), HOLDFAST_WORKER=FAULTY)

    def scan(self, *files):
        subprocess.check_call(["chmod", "-R", "a+rwX", "."])
        subprocess.check_call(["chmod", "a+rx", os.getcwd(), os.path.dirname(os.getcwd())])
        more = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}
        r = run(HOLDFAST, "scan", "--max-scantime", "1", "--no-cache", *files, env=self.env, **more)
        if b"Permission denied" in r.stderr:
            raise Skip("the build folder is not readable by another user")
        return r


@case
def the_fuse_alone_takes_back_what_fails_in_use():
    "the fuse alone: two crashes or hangs of a scan's workers take new content back for good"
    for name in ["crash", "loop"]:
        shutil.rmtree("w", ignore_errors=True)
        os.mkdir("w")
        os.chdir("w")
        p, e = published()
        p.add(GOOD)
        bad_source(p, name)
        p.release()
        assert alone(e, "no-validator", "no-selftest")[1] == 2
        for f in ["first", "second"]:
            open(f, "wb").write(FIRST)
        open("long", "wb").write(os.urandom(9000))
        s = Shared(e)
        r = s.scan("first", "second")
        assert b"ALARM" not in r.stderr and e.show()["version"] == 2, r
        r = s.scan("long", "first")
        for _ in range(2):
            if e.show()["version"] == 1:
                break
            r = s.scan("long", "first")
        assert e.show()["version"] == 1 and "fuse" in e.show()["alarms"], (name, r, e.show())
        assert b"taken back" in r.stderr, r
        r = s.scan("long", "first")
        assert b"first  Test.S1.0" in r.stdout and b"crash" not in r.stdout, r
        got = alone(e, "no-validator", "no-selftest")
        assert got[1] == 1 and "waits" in got[2], (name, got)
        os.chdir("..")


@case
def crashes_that_are_not_new_do_not_hold_back_content():
    "workers that crashed with older content, too, blame nothing new: no file can hold updates back"
    p, e = published()
    state = os.path.join(e.feeds(), "fuse")
    p.add(GOOD)
    p.release()
    assert alone(e)[1] == 2

    def fail(times):
        for _ in range(times):
            r = run(ALONE, e.home, "test", "fuse", env=dict(os.environ, HOLDFAST_LIBEXEC=BUILD))
            assert r.stdout.startswith(b"accepted"), r
        return e.show()["version"]
    for ago, version in [(3600, 2), (8 * 86400, 1)]:
        with open(state, "w") as f:
            f.write("fuse 0 0 %d %s\n" % (time.time() - ago, "0" * 64))
        assert fail(2) == version, (ago, open(state).read())
    # After going back further failures are not the next content's either.
    assert fail(4) == 1
    p.add(b"next")
    p.release()
    assert alone(e)[1] == 3 and fail(4) == 3


@case
def the_daemon_updates_and_blows_the_fuse():
    "the daemon fetches by itself, shows how updates stand, and goes back when workers crash with new content"
    p, e = published()
    with Daemon("[updates]\nhome = %s\ncheck = 1" % e.home, env={"HOLDFAST_WORKER": FAULTY}) as d:
        until(lambda: d.status().get("updates"))
        assert d.status()["updates"][0]["version"] == 1, d.status()["updates"]
        until(lambda: b"Test.S1.0" in d.stream(FIRST))
        p.add(GOOD)
        p.release()
        until(lambda: b"Test.S2.0" in d.stream(GOOD))
        until(lambda: d.status()["updates"][0]["version"] == 2)
        text = d.http(b"/status.txt")
        assert "updates  test: version 2, vouched for 0 minutes ago by a quorum of 1 witness" in text, text
        assert 'holdfast_update_version{publisher="test"} 2' in d.http(b"/metrics")
        bad_source(p, "late-crash")
        p.add(b"something else")
        p.release()
        until(lambda: d.status()["updates"][0]["version"] == 3)
        until(lambda: b"is active" in d.log().encode() and "version 3 is active" in d.log())
        time.sleep(1)
        for _ in range(40):
            d.stream(b"LATE" + os.urandom(9000))
            if d.status()["updates"][0]["version"] == 2:
                break
            time.sleep(0.5)
        status = d.status()["updates"][0]
        assert status["version"] == 2 and "fuse" in status["alarms"], status
        assert "taken back for good" in d.log()
        until(lambda: d.stream(b"LATE" + os.urandom(9000)) == b"stream: OK\0")
        assert b"Test.S2.0" in d.stream(GOOD)
        time.sleep(2.5)
        assert d.status()["updates"][0]["version"] == 2, "never again, and not further back"


@case
def the_daemon_says_how_old_it_all_is():
    "three days without news are a warning, seven an alarm, in status, log and metrics; content stays in use"
    now = int(time.time())
    for days, word in [(4, "warning"), (9, "alarm")]:
        shutil.rmtree("w", ignore_errors=True)
        os.mkdir("w")
        os.chdir("w")
        p, e = Publisher(), Endpoint()
        p.add(FIRST)
        p.release(time=now - days * 86400)
        e.trust(p)
        with Daemon("[updates]\nhome = %s\ncheck = 1" % e.home) as d:
            until(lambda: b"Test.S1.0" in d.stream(FIRST))
            until(lambda: d.status()["updates"][0]["standing"] == word)
            assert word.upper() + ": nothing newer" in d.http(b"/status.txt")
            until(lambda: "nothing newer has been vouched for in %d days" % days in d.log())
            assert b"Test.S1.0" in d.stream(FIRST)
        os.chdir("..")


if __name__ == "__main__":
    main()
