#!/usr/bin/env python3
"""Feeds beside the second verifier, both ways: what ours publishes it accepts, what it signs ours accepts; and both
refuse the same damage."""
import glob, hashlib, os, random, shutil, time
from tap import HOLDFAST, case, main, run
from feed_lib import Endpoint, Publisher, hf
import second_verifier as second

A, B = b"first bad thing", b"second bad thing"


def policy(p):
    return open(p.policy).read()


@case
def ours_is_accepted_by_the_second():
    "roots, rotation, log, cosignatures, releases and objects of ours are accepted by the second verifier"
    p = Publisher()
    for i in range(3):
        p.add(b"bad %d" % i)
        p.release()
    assert second.verify_feed(p.dir, policy(p)) == {"content": 3}
    p.key("root4", "org.test.feed/root4")
    p.init("--old-root", p.k("root1"), "--old-root", p.k("root2"), "--root", p.k("root2"), "--root", p.k("root3"),
           "--root", p.k("root4"), "--log", p.k("log"))
    p.add(B)
    p.release()
    assert second.verify_feed(p.dir, policy(p)) == {"content": 4}
    e = Endpoint()
    e.trust(p)
    e.update()
    state = [l.split() for l in open(os.path.join(e.feeds(), "state"))]
    root = [l[2] for l in state if l[0] == "root"][0]
    active = [l[1] for l in state if l[0] == "active"][0]
    note = open(os.path.join(e.feeds(), "roots", root), "rb").read()
    folder = os.path.join(e.feeds(), "gen", active)
    assert second.verify_generation(folder, note, policy(p)) == 4
    print("# a proof has %d bytes" % os.path.getsize(os.path.join(folder, "proof")))


@case
def the_seconds_is_accepted_by_ours():
    "keys, root, release signatures and cosignatures that the second one makes are accepted by ours"
    rng = random.Random(os.urandom(8))
    os.makedirs("k")
    seeds, public = {}, {}
    for name, who, kind in [("root1", "x.org/r1", 1), ("root2", "x.org/r2", 1), ("log", "x.org/log", 1),
                            ("sign1", "x.org/s1", 1), ("witness", "w.example", 4)]:
        seeds[name] = rng.randbytes(32)
        public[name], secret = second.make_key(who, kind, seeds[name])
        open("k/" + name, "w").write(secret + "\n")
    now = int(time.time())
    body = ("holdfast-root v1\nproduct org.second.feed\nversion 1\ncreated %d\nexpires %d\nrole root 2\nkey %s\nkey %s\n"
            "role log 1\nkey %s\nrole content 1\nkey %s\n") % (now, now + 9999999, public["root1"], public["root2"],
                                                              public["log"], public["sign1"])
    note = body + "\n" + second.signature_line("x.org/r1", 1, seeds["root1"], body)
    open("root", "w").write(note)
    os.mkdir("feed")
    r = hf("feed", "publish", "--log", "k/log", "feed", "root", code=2)
    assert b"fewer keys" in r.stderr, r
    open("root", "w").write(note + second.signature_line("x.org/r2", 1, seeds["root2"], body))
    hf("feed", "publish", "--log", "k/log", "feed", "root")
    os.mkdir("src")
    open("src/a.hsb", "w").write("%s:%d:Test.A\n" % (hashlib.sha256(A).hexdigest(), len(A)))
    hf("feed", "build", "-o", "draft", "feed", "src")
    text = open("draft").read()
    open("draft", "w").write(text + "\n" + second.signature_line("x.org/s1", 1, seeds["sign1"], text))
    hf("feed", "publish", "--log", "k/log", "feed", "draft")
    cp = open("feed/checkpoint").read()
    line = second.signature_line("w.example", 4, seeds["witness"], cp[:cp.index("\n\n") + 1], now)
    open("feed/checkpoint", "a").write(line)
    open("policy", "w").write("witness w %s\nquorum w\n" % public["witness"])
    hf("trust", "add", "--home", "home", "--root", "root", "--policy", "policy", "--source", os.path.abspath("feed"), "test")
    e = Endpoint()
    assert e.update()["version"] == 1 and e.finds(A)
    assert second.verify_feed("feed", open("policy").read()) == {"content": 1}


@case
def both_refuse_the_same_damage():
    "for flipped and cut files of a feed both verifiers say the same"
    p = Publisher()
    p.add(A)
    p.release()
    p.add(B)
    p.release()
    rng = random.Random(os.urandom(4))
    files = [f for f in glob.glob(p.dir + "/**", recursive=True) if os.path.isfile(f)]
    # What a later one has replaced is read by neither.
    files = [f for f in files if not any(f.endswith(".p/%d" % n) for n in (1, 2))]
    refused = 0
    for n in range(40):
        f = rng.choice(files)
        good = open(f, "rb").read()
        bad = bytearray(good)
        at = rng.randrange(len(bad))
        bad[at] ^= 1 << rng.randrange(8)
        open(f, "wb").write(bad[:at] if n % 4 == 0 else bad)
        ours = run(HOLDFAST, "feed", "verify", "--policy", p.policy, p.dir).returncode == 0
        try:
            theirs = second.verify_feed(p.dir, policy(p)) == {"content": 2}
        except (second.Refused, ValueError, KeyError, IndexError, UnicodeDecodeError, TypeError, OSError):
            theirs = False
        open(f, "wb").write(good)
        assert ours == theirs, (f, at, n % 4 == 0, ours, theirs)
        refused += not ours
    assert refused > 20, refused


if __name__ == "__main__":
    main()
