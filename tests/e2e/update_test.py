#!/usr/bin/env python3
"""Updates as publishers, witnesses, mirrors and endpoints run them."""
import glob, hashlib, json, os, random, shutil, subprocess, time
from tap import HOLDFAST, Skip, case, main, need, run
from feed_lib import ENDLESS, SLOW, Endpoint, Publisher, Server, hf

A, B, C = b"first bad thing", b"second bad thing", b"third bad thing"


def one(*args, **more):
    p, e = Publisher(**more), Endpoint()
    p.add(A)
    p.release()
    e.trust(p, *args)
    return p, e


@case
def from_keys_to_a_finding():
    "a publisher's release reaches an endpoint and finds; the next one, too; then nothing is new"
    p, e = one()
    r = e.update()
    assert r["updated"] and r["version"] == 1 and e.finds(A) and not e.finds(B), r
    p.add(B)
    p.release()
    r = e.update()
    assert r["updated"] and r["version"] == 2 and e.finds(A) and e.finds(B), r
    r = e.update()
    assert not r["updated"] and r["version"] == 2 and r["fetched"] < 2048, r
    hf("feed", "verify", "--policy", p.policy, p.dir)


@case
def a_scan_uses_what_was_published():
    "a plain scan uses built-in, published and the owner's own content"
    p, e = one()
    os.makedirs("h/c/holdfast"), os.makedirs("h/d/holdfast")
    e.update()
    os.rename(os.path.join(e.home, "config/trust"), "h/c/holdfast/trust")
    os.rename(os.path.join(e.home, "content/feeds"), "h/d/holdfast/feeds")
    os.mkdir("h/c/holdfast/own")
    with open("h/c/holdfast/own/mine.hsb", "w") as f:
        f.write("%s:%d:Mine\n" % (hashlib.sha256(B).hexdigest(), len(B)))
    for name, content in [("a", A), ("b", B), ("c", C)]:
        with open(name, "wb") as f:
            f.write(content)
    env = dict(os.environ, XDG_CONFIG_HOME=os.path.abspath("h/c"), XDG_DATA_HOME=os.path.abspath("h/d"),
               XDG_CACHE_HOME=os.path.abspath("h/cache"))
    os.mkdir("h/cache")
    subprocess.check_call(["chmod", "-R", "a+rwX", "."])
    more = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}
    subprocess.check_call(["chmod", "a+rx", os.getcwd()])
    r = run(HOLDFAST, "scan", "a", "b", "c", env=env, **more)
    if b"Permission denied" in r.stderr:
        raise Skip("the build folder is not readable by another user")
    assert r.returncode == 1 and b"Test.S1.0" in r.stdout and b"Mine" in r.stdout and b"c: " not in r.stdout, r
    r = run(HOLDFAST, "rules", "why", "--json", "Test.S1.0", env=env, **more)
    why = json.loads(r.stdout)
    assert (why["publisher"], why["version"], why["withdrawn"]) == ("test", 1, False), r
    assert why["source"].endswith("s1.hsb") and len(why["generation"]) == 64, r
    assert (why["kind"], why["algorithm"], why["size"]) == ("digest", "SHA-256", len(A)), r
    assert hashlib.sha256(A).hexdigest().startswith(why["digest"]) and len(why["digest"]) == 24, r
    r = run(HOLDFAST, "rules", "why", "Mine", env=env, **more)
    assert b"publisher" not in r.stdout and b"mine.hsb" in r.stdout and b"licence" in r.stdout, r
    assert run(HOLDFAST, "rules", "why", "Nobody", env=env, **more).returncode == 1


@case
def why_knows_another_folder():
    "rules why --home says publisher, release and what the signature is, for each release's own text"
    p, e = one()
    with open(os.path.join(p.sources, "r.yar"), "w") as f:
        f.write('rule Named { meta: author = "somebody" strings: $a = "needle" nocase $h = { 01 02 ?? 03 04 05 } condition: all of them and filesize < 99 }\n')
    p.release()
    assert e.update()["version"] == 2
    why = json.loads(hf("rules", "why", "--home", e.home, "--json", "Named").stdout)
    assert (why["publisher"], why["version"], why["kind"], len(why["patterns"])) == ("test", 2, "rule", 2), why
    a, h = why["patterns"]
    assert (a["name"], bytes.fromhex(a["bytes"]), a["modifiers"]) == ("$a", b"needle", ["nocase"]), why
    assert (h["name"], h["kind"], h["piece"]) == ("$h", "hex", "030405"), why
    text = hf("rules", "why", "--home", e.home, "Named").stdout
    assert b'text  "needle" nocase' in text and b"author = somebody" in text and b"test, version 2" in text, text
    assert run(HOLDFAST, "rules", "why", "--home", e.home, "Elsewhere").returncode == 1


@case
def over_http_with_resume():
    "the same over HTTP, a poll without news below 2 KB on the wire's files"
    p, e = one()
    with Server(p.dir) as s:
        hf("trust", "rotate", "--home", e.home, "--source", s.address, "test")
        r = e.update()
        assert r["updated"] and e.finds(A), r
        r = e.update()
        assert not r["updated"] and r["fetched"] < 2048 - 600, r
        # An object whose first half is there already, from another day.
        p.add(*[random.Random(i).randbytes(20) for i in range(3000)])
        p.release("--deltas", "0")
        def cheapest():
            lines = [l.split() for l in open("draft", encoding="utf-8").read().splitlines()]
            return min((int(l[-2]), l[-1]) for l in lines if l and l[0] in ("file", "delta"))[1]
        name = cheapest()
        whole = open(os.path.join(p.dir, "object", name[:2], name), "rb").read()
        os.makedirs(os.path.join(e.feeds(), "partial"), exist_ok=True)
        with open(os.path.join(e.feeds(), "partial", name), "wb") as f:
            f.write(whole[:len(whole) // 2])
        r = e.update()
        assert r["updated"] and r["version"] == 2 and r["fetched"] < len(whole) // 2 + 8000, (r, len(whole))
        # The first half of something else: noticed, and fetched anew.
        p.add(*[random.Random(i + 9).randbytes(20) for i in range(3000)])
        p.release("--deltas", "0")
        with open(os.path.join(e.feeds(), "partial", cheapest()), "wb") as f:
            f.write(b"x" * 1000)
        r = e.update()
        assert r["updated"] and r["version"] == 3, r


@case
def endless_and_slow_sources_are_left():
    "endless data and slow retrieval are refused by their own words; the next source is used"
    p, e = one()
    e.update()
    p.add(B)
    p.release()
    with Server(".", ENDLESS) as s:
        r = e.update("--from", s.address, code=2)
        assert r["result"] == "fetch-long" and r["version"] == 1, r
        hf("trust", "rotate", "--home", e.home, "--source", s.address, "--source", p.dir, "test")
        r = e.update()
        assert r["result"] == "accepted" and r["version"] == 2, r
    with Server(".", SLOW) as s:
        began = time.time()
        r = e.update("--from", s.address, code=2)
        assert r["result"] == "fetch-slow" and time.time() - began < 59, r
    assert e.finds(B)


@case
def bundles_and_mirrors():
    "a mirror, a bundle and a folder made from it serve as the feed does"
    p, e = one()
    p.add(B)
    p.release()
    hf("feed", "mirror", p.dir, "mirror")
    hf("feed", "export", p.dir, "bundle")
    hf("feed", "import", "bundle", "unpacked")
    for source in ["mirror", "bundle", "unpacked"]:
        e = Endpoint("home-" + source)
        e.trust(p)
        r = e.update("--from", os.path.abspath(source))
        assert r["updated"] and r["version"] == 2 and e.finds(B), (source, r)
    # A bundle is proven like anything: each byte flipped in turn changes nothing for the worse.
    good = open("bundle", "rb").read()
    e = Endpoint("home-flip")
    e.trust(p)
    rng = random.Random(1)
    for i in range(25):
        bad = bytearray(good)
        at = rng.randrange(len(bad))
        bad[at] ^= 1 << rng.randrange(8)
        open("bad", "wb").write(bad[:rng.randrange(len(bad))] if i % 5 == 0 else bad)
        r = run(HOLDFAST, "update", "--home", e.home, "--json", "--from", os.path.abspath("bad"), "test")
        r = json.loads(r.stdout)
        if r["version"] not in (0,):
            got = [hashlib.sha256(open(d, "rb").read()).hexdigest() for d in e.databases()]
            assert all(os.path.exists(os.path.join(p.dir, "object", h[:2], h)) for h in got), r
            e = Endpoint("home-flip%d" % i)
            e.trust(p)


@case
def deltas_fall_back_to_whole_files():
    "a delta is used when it can be; a damaged, a missing and a bulging one give way to the whole file"
    p, e = one()
    rng = random.Random(3)
    p.add(*[rng.randbytes(12) for _ in range(20000)])
    p.release()
    e.update()
    p.add(B)
    p.release()
    manifest = open("draft", encoding="utf-8").read()
    size = [int(l.split()[2]) for l in manifest.splitlines() if l.startswith("file ")][0]
    deltas = [l.split() for l in manifest.splitlines() if l.startswith("delta ")]
    assert deltas, manifest
    saved = e.home + ".saved"
    shutil.copytree(e.home, saved)
    r = e.update()
    assert r["updated"] and r["fetched"] < size // 2 and e.finds(B), (r, size)
    for harm in ["flip", "cut", "gone", "bomb"]:
        shutil.rmtree(e.home)
        shutil.copytree(saved, e.home)
        for d in deltas:
            path = os.path.join(p.dir, "object", d[4][:2], d[4])
            if not os.path.exists(path + ".good"):
                shutil.copy(path, path + ".good")
            data = bytearray(open(path + ".good", "rb").read())
            if harm == "flip":
                data[len(data) // 2] ^= 1
            if harm == "cut":
                data = data[:-10]
            if harm == "bomb":
                need("zstd")
                data = subprocess.run(["zstd", "-q", "-c", "--stream-size=%d" % (256 << 20)], input=bytes(256 << 20), stdout=subprocess.PIPE).stdout
            if os.path.exists(path):
                os.unlink(path)
            if harm != "gone":
                open(path, "wb").write(data)
        r = e.update()
        assert r["updated"] and r["version"] == 3 and e.finds(B), (harm, r)


@case
def a_signed_delta_bomb_is_bounded():
    "a delta that the publisher himself has made to burst is refused, and takes neither disk nor memory"
    need("zstd")
    p, e = one()
    e.update()
    p.add(B)
    p.draft()
    bomb = subprocess.run(["zstd", "-q", "-c", "--stream-size=%d" % (512 << 20)], input=bytes(512 << 20), stdout=subprocess.PIPE).stdout
    digest = hashlib.sha256(bomb).hexdigest()
    os.makedirs(os.path.join(p.dir, "object", digest[:2]), exist_ok=True)
    open(os.path.join(p.dir, "object", digest[:2], digest), "wb").write(bomb)
    lines = [l for l in open("draft").read().splitlines() if not l.startswith("delta ")]
    size, whole = [l.split()[2:4] for l in lines if l.startswith("file ")][0]
    lines.append("delta 0 %s %d %s" % ("0" * 64, int(size) - 1 if len(bomb) >= int(size) else len(bomb), digest))
    lines[-1] = "delta 0 %s %d %s" % ("0" * 64, len(bomb), digest)
    # It must look cheaper than the file, or nobody would touch it.
    lines = [l if not l.startswith("file ") else "file main.hfdb %d %s" % (len(bomb) + 1, "ab" * 32) for l in lines]
    open("draft", "w").write("\n".join(lines) + "\n")
    p.sign()
    p.publish()
    p.witness()
    r = e.update(code=2)
    assert r["result"] == "delta-size" and r["version"] == 1 and e.finds(A), r


@case
def a_day_is_one_small_segment():
    "a day's change travels as a segment; withdrawn signatures stop to find"
    p, e = one()
    rng = random.Random(5)
    p.add(*[rng.randbytes(12) for _ in range(30000)])
    p.release()
    e.update()
    for d, content in [("added", B), ("removed", A)]:
        os.mkdir(d)
        with open(d + "/day.hsb", "w") as f:
            f.write("%s:%d:%s\n" % (hashlib.sha256(content).hexdigest(), len(content),
                                    "Test.Day" if d == "added" else "Test.S1.0"))
    p.draft("--segment", "--withdraw", "removed", sources=["added"])
    p.sign()
    p.publish()
    p.witness()
    r = e.update()
    assert r["updated"] and r["fetched"] < 8000 and len(e.databases()) == 2, r
    assert e.finds(B) and not e.finds(A)


@case
def rollback_hold_pin_and_staying_behind():
    "rollback, hold, pin and N-1 do what they say"
    p, e = one()
    e.update()
    for content in (B, C):
        p.add(content)
        p.release()
        e.update()
    assert e.show()["generations"] == [3, 2, 1]
    r = e.update("--rollback")
    assert r["version"] == 2 and e.finds(B) and not e.finds(C), r
    r = e.update()
    assert r["version"] == 2 and "not taken again" in r["waits"], r
    hf("update", "--home", e.home, "--hold", "yes", "test")
    p.add(b"more")
    p.release()
    r = e.update()
    assert r["version"] == 2 and r["newest"] == 4 and "held" in r["waits"], r
    hf("update", "--home", e.home, "--hold", "no", "test")
    hf("trust", "rotate", "--home", e.home, "--set", "pin=4", "test")
    assert e.update()["version"] == 4
    other = Endpoint("other")
    other.trust(p, "--set", "behind=1")
    assert other.update()["version"] == 3


@case
def approval_and_abilities():
    "content that can do more than was approved waits for the owner, whoever signed it"
    p, e = one()
    e.update()
    with open(os.path.join(p.sources, "allow.sfp"), "w") as f:
        f.write("%s:%d:Allowed\n" % (hashlib.sha256(A).hexdigest(), len(A)))
    p.release()
    r = e.update(code=2)
    assert r["release"] == "update-capability" and r["version"] == 1 and e.finds(A), r
    r = e.update("--approve", "2")
    assert r["version"] == 2 and not e.finds(A), r
    # A manifest that declares less than its content can is caught by the second reader.
    p.draft()
    lines = [l for l in open("draft").read().splitlines() if l != "capability allow"]
    open("draft", "w").write("\n".join(lines) + "\n")
    p.sign()
    p.publish()
    p.witness()
    r = e.update(code=2)
    assert r["result"] == "content-capability" and r["version"] == 2, r
    r = e.update()
    assert "not taken again" in r["waits"], r


@case
def a_lost_state_alarms_and_proves_again():
    "a lost or damaged state alarms and falls back to what the generations prove; old feeds stay refused"
    p, e = one()
    e.update()
    shutil.copytree(p.dir, "old")
    p.add(B)
    p.release()
    e.update()
    state = os.path.join(e.feeds(), "state")
    for harm in ["gone", "flipped", "empty", "roots"]:
        if harm == "gone":
            os.unlink(state)
        elif harm == "roots":
            shutil.rmtree(os.path.join(e.feeds(), "roots"))
        else:
            data = bytearray(open(state, "rb").read())
            data[50] ^= 1
            open(state, "wb").write(data if harm == "flipped" else b"")
        r = e.update("--from", os.path.abspath("old"), code=2)
        assert r["result"] == "update-behind" and r["version"] == 2 and e.finds(B), (harm, r)
        assert "state-lost" in e.show()["alarms"], harm
        assert e.update()["version"] == 2


@case
def keys_rotate_and_publishers_are_replaced():
    "root, signing and log keys rotate; a vanished publisher is replaced by one command"
    p, e = one()
    e.update()
    for k in ["root4", "root5", "sign4"]:
        p.key(k, "org.test.feed/" + k)
    p.key("log2", p.log_name)
    p.init("--old-root", p.k("root1"), "--old-root", p.k("root2"), "--root", p.k("root3"), "--root", p.k("root4"),
           "--root", p.k("root5"), "--sign", p.k("sign2"), "--sign", p.k("sign3"), "--sign", p.k("sign4"),
           "--log", p.k("log2"))
    shutil.move(p.k("log2"), p.k("log"))
    p.add(B)
    p.draft()
    p.sign("sign1", "sign2")
    r = p.publish(code=2)
    assert b"fewer keys" in r.stderr, r
    p.draft()
    p.sign("sign3", "sign4")
    p.publish()
    p.witness()
    r = e.update()
    assert r["version"] == 2 and e.show()["root_version"] == 2 and e.finds(B), r
    late = Endpoint("late")
    late.trust(p)
    assert late.update()["version"] == 2
    shutil.rmtree(p.dir)
    assert e.update(code=2)["result"] == "fetch"
    assert e.finds(B)
    q = Publisher("cert", "org.cert.feed")
    q.add(C)
    q.release()
    e.trust(q, verb="replace")
    assert e.finds(B), "content stays until there is other"
    r = e.update()
    assert r["version"] == 1 and e.finds(C) and not e.finds(B), r


@case
def first_trust_is_never_silent():
    "without a root or with another fingerprint nothing is trusted"
    p = Publisher()
    e = Endpoint()
    r = run(HOLDFAST, "trust", "add", "--home", e.home, "--source", p.dir, "test")
    assert r.returncode == 2 and b"fingerprint" in r.stderr, r
    r = run(HOLDFAST, "trust", "add", "--home", e.home, "--source", p.dir, "--fingerprint", "00" * 32, "test")
    assert r.returncode == 2 and b"another fingerprint" in r.stderr, r
    note = open(os.path.join(p.dir, "root/1"), "rb").read()
    text = note[:note.index(b"\n\n") + 1]
    hf("trust", "add", "--home", e.home, "--source", p.dir, "--fingerprint", hashlib.sha256(text).hexdigest(), "test")
    r = hf("trust", "show", "--home", e.home)
    assert b"none: nobody but the publisher vouches" in r.stdout, r


@case
def old_news_warn_and_never_disable():
    "three days without news warn, seven alarm, and what is active goes on to find"
    now = int(time.time())
    p = Publisher()
    p.add(A)
    p.release(time=now - 4 * 86400)
    e = Endpoint()
    e.trust(p)
    r = e.update(code=3)
    assert r["version"] == 1 and 4 * 86400 <= r["age"] < 5 * 86400 and e.finds(A), r
    p2 = Publisher("feed2")
    p2.add(A)
    p2.release(time=now - 30 * 86400)
    e.trust(p2, name="other")
    r = hf("update", "--home", e.home, "other", code=3)
    assert b"ALARM" in r.stdout and e.finds(A, "other"), r
    assert b"ALARM" in hf("trust", "show", "--home", e.home).stdout


@case
def rings_wait():
    "an endpoint that has content waits for its ring; one without takes the release"
    p, e = one()
    e.update()
    p.add(B)
    p.release("--ring", "100:3600")
    r = e.update()
    assert r["version"] == 1 and "ring" in r["waits"] and r["waits_until"] > time.time(), r
    fresh = Endpoint("fresh")
    fresh.trust(p)
    assert fresh.update()["version"] == 2


@case
def a_witness_never_contradicts_itself():
    "a witness cosigns growth only, and says so in the public protocol, too"
    p, e = one()
    shutil.copytree(p.dir, "fork")
    p.add(B)
    p.release()
    good = open(os.path.join(p.dir, "checkpoint"), "rb").read()
    # The fork: another second release by the same keys.
    shutil.copytree(p.dir, "real")
    shutil.rmtree(p.dir)
    os.rename("fork", p.dir)
    p.add(C)
    p.draft()
    p.sign()
    p.publish()
    r = p.witness(code=2)
    assert b"contradicts" in r.stderr, r
    r = e.update(code=2)
    assert r["result"] == "policy-quorum" and r["version"] == 0, r

    def ask(body, code):
        log = p.k("log")
        r = run(HOLDFAST, "feed", "witness", "--key", p.k("witness"), "--state", p.k("witnessed"), "--log", log,
                "--request", input=body)
        assert r.stdout.startswith(b"%d\n" % code), (r.stdout, r.stderr)
        return r.stdout
    assert ask(b"old 0\n\n" + good, 409) == b"409\n3\n"
    assert ask(b"old 3\n\n" + good, 200).count("\u2014".encode()) == 1
    ask(b"old 4\n\n" + good, 400)
    ask(b"nonsense", 400)
    ask(b"old 3\n\n" + good.replace(b"log", b"lag"), 404)


@case
def killed_at_every_write_the_old_or_the_new_runs():
    "killed at each call that writes, an update leaves the old or the new generation, and the next one succeeds"
    need("strace")
    p, e = one()
    e.update()
    p.add(B)
    p.release()
    saved = e.home + ".saved"
    shutil.copytree(e.home, saved, copy_function=os.link)
    calls = "openat,write,pwrite64,fsync,renameat,renameat2,linkat,unlinkat,mkdirat,fallocate,fchmod,flock"
    kills = {"old": 0, "new": 0}
    for call in calls.split(","):
        for n in range(1, 200, 3 if call == "openat" else 1):
            shutil.rmtree(e.home)
            shutil.copytree(saved, e.home)
            r = run("strace", "-q", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                    "inject=%s:signal=KILL:when=%d" % (call, n), HOLDFAST, "update", "--home", e.home, "test")
            if r.returncode == 0:
                break
            version = e.show()["version"]
            assert version in (1, 2) and e.finds(A) and e.finds(B) == (version == 2), (call, n, version)
            kills["old" if version == 1 else "new"] += 1
            assert e.update()["version"] == 2 and e.finds(B), (call, n)
    print("# killed %(old)d times before and %(new)d times after the state was replaced" % kills)
    assert kills["old"] > 20 and kills["new"] > 0, kills


@case
def a_full_disk_leaves_what_was():
    "on a full disk an update fails by its own word and the old generation stays"
    if os.getuid() != 0:
        raise Skip("needs root to mount a small file system")
    p, e = one()
    os.mkdir("small")
    if run("mount", "-t", "tmpfs", "-o", "size=400k", "none", "small").returncode != 0:
        raise Skip("mounting is not possible here")
    try:
        e = Endpoint("small/home")
        e.trust(p)
        assert e.update()["version"] == 1
        rng = random.Random(7)
        p.add(*[rng.randbytes(12) for _ in range(60000)])
        p.release()
        r = e.update(code=2)
        assert r["result"] == "disk" and r["version"] == 1 and e.finds(A), r
        r = e.update(code=2)
        assert r["result"] == "disk" and e.finds(A), r
    finally:
        run("umount", "small")


if __name__ == "__main__":
    main()
