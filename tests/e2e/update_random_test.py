#!/usr/bin/env python3
"""Whatever is done to a feed, nothing unproven is ever active: random harm to random files of random states of it.
HOLDFAST_ROUNDS=N for more rounds, HOLDFAST_SEED=N for other ones."""
import hashlib, json, os, random, shutil, time
from tap import HOLDFAST, case, main, run
from feed_lib import Endpoint, Publisher

ROUNDS, SEED = int(os.environ.get("HOLDFAST_ROUNDS", "60")), int(os.environ.get("HOLDFAST_SEED", str(int(time.time()))))


def files_of(folder):
    return sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, fs in os.walk(folder) for f in fs)


def harm(rng, folder, others):
    """One change; what it was."""
    name = rng.choice([f for f in files_of(folder) if not f.startswith("object") or rng.random() < 0.3])
    path = os.path.join(folder, name)
    with open(path, "rb") as f:
        data = bytearray(f.read())
    kind = rng.choice(["flip", "cut", "grow", "gone", "other day", "other feed", "swap", "digit"])
    if kind == "flip" and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        data = data[:rng.randrange(len(data) + 1)]
    elif kind == "grow":
        data += rng.randbytes(rng.randrange(1, 3000))
    elif kind == "digit":
        at = [i for i, b in enumerate(data) if 48 <= b <= 57]
        if at:
            data[rng.choice(at)] = rng.choice(b"0123456789")
    elif kind in ("other day", "other feed"):
        source = os.path.join(rng.choice(others[kind]), name)
        if os.path.exists(source):
            with open(source, "rb") as f:
                data = f.read()
    elif kind == "swap":
        with open(os.path.join(folder, rng.choice(files_of(folder))), "rb") as f:
            data = f.read()
    os.unlink(path)
    if kind != "gone":
        with open(path, "wb") as f:
            f.write(data)
    return kind + " " + name


@case
def nothing_unproven_is_ever_active():
    "after any harm to a feed what is active was published, proven, and not older than before"
    rng = random.Random(SEED)
    p, other = Publisher(), Publisher("foreign", "org.foreign.feed")
    days = []
    for day in range(4):
        p.add(b"bad thing of day %d" % day)
        p.release()
        shutil.copytree(p.dir, "day%d" % day)
        days.append(os.path.abspath("day%d" % day))
        other.add(b"foreign %d" % day)
        other.release()
    # What was really published: manifest -> version, and digests of the files that each names.
    good = {}
    for f in os.listdir(os.path.join(p.dir, "release")):
        with open(os.path.join(p.dir, "release", f), encoding="utf-8") as note:
            lines = [l.split() for l in note.read().split("\n\n")[0].splitlines()]
        good[f] = (next(int(l[1]) for l in lines if l[0] == "version"), {l[1]: l[3] for l in lines if l[0] == "file"})
    others = {"other day": days, "other feed": [other.dir]}
    kept, refused, taken = 0, 0, 0
    e, version = None, 0
    for i in range(ROUNDS):
        if e is None or rng.random() < 0.3:
            e = Endpoint("home%d" % i)
            e.trust(p)
            version = 0
        shutil.rmtree("harmed", ignore_errors=True)
        shutil.copytree(rng.choice(days), "harmed")
        did = [harm(rng, "harmed", others) for _ in range(rng.choice([0, 1, 1, 1, 2, 5]))]
        if rng.random() < 0.2:  # what lies on the endpoint itself, too
            for name in files_of(e.feeds()):
                if rng.random() < 0.3 and not name.startswith("gen"):
                    with open(os.path.join(e.feeds(), name), "r+b") as f:
                        f.truncate(rng.randrange(os.path.getsize(f.name) + 1))
                    did.append("endpoint's " + name)
        r = run(HOLDFAST, "update", "--home", e.home, "--json", "--from", os.path.abspath("harmed"), "test")
        assert r.returncode in (0, 2, 3), (SEED, i, did, r)
        out = json.loads(r.stdout)
        if out["version"] == 0:
            refused += 1
            assert version == 0, (SEED, i, did, r)
            continue
        with open(os.path.join(e.feeds(), "state"), encoding="utf-8") as f:
            active = next(l.split()[1] for l in f if l.startswith("active "))
        assert active in good and good[active][0] == out["version"], (SEED, i, did, r)
        assert out["version"] >= version, (SEED, i, did, r)
        folder = os.path.join(e.feeds(), "gen", active)
        for name, digest in good[active][1].items():
            with open(os.path.join(folder, name), "rb") as f:
                assert hashlib.sha256(f.read()).hexdigest() == digest, (SEED, i, did, r)
        taken += out["updated"]
        kept += not out["updated"]
        version = out["version"]
    print("# seed %d: %d rounds, %d updates, %d left what was, %d refused from the first" % (SEED, ROUNDS, taken, kept, refused))
    assert taken > 0 and refused + kept > 0


if __name__ == "__main__":
    main()
