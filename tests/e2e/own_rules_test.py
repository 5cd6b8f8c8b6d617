#!/usr/bin/env python3
"""The owner's word and several publishers, each by real scans of all that is active."""
import hashlib, os, subprocess
from tap import HOLDFAST, Skip, case, main, run
from feed_lib import Endpoint, Publisher, hf
from daemon_lib import Daemon, until

A, B, C = b"first bad thing", b"second bad thing", b"third bad thing"


def sfp(p, *contents):
    with open(os.path.join(p.sources, "allow.sfp"), "w") as f:
        for c in contents:
            f.write("%s:%d:Allowed\n" % (hashlib.sha256(c).hexdigest(), len(c)))


class Machine:
    """An endpoint whose folders a plain scan of one user has."""

    def __init__(self):
        self.e = Endpoint()
        os.makedirs("h/c"), os.makedirs("h/d"), os.makedirs("h/cache")
        os.makedirs(os.path.join(self.e.home, "config")), os.makedirs(os.path.join(self.e.home, "content"))
        os.symlink(self.e.home + "/config", "h/c/holdfast")
        os.symlink(self.e.home + "/content", "h/d/holdfast")
        self.env = dict(os.environ, XDG_CONFIG_HOME=os.path.abspath("h/c"), XDG_DATA_HOME=os.path.abspath("h/d"),
                        XDG_CACHE_HOME=os.path.abspath("h/cache"))

    def scan(self, content, *args):
        """Names that are found in it."""
        with open("sample", "wb") as f:
            f.write(content)
        subprocess.check_call(["chmod", "-R", "a+rwX", "."])
        subprocess.check_call(["chmod", "a+rx", os.getcwd(), os.path.dirname(os.getcwd())])
        more = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}
        r = run(HOLDFAST, "scan", "--all-match", *args, "sample", env=self.env, **more)
        if b"Permission denied" in r.stderr:
            raise Skip("the build folder is not readable by another user")
        assert r.returncode in (0, 1) and not r.stderr, r
        names = [l.split()[2] for l in r.stdout.decode().splitlines() if l.split()[1:2] == ["sample"]]
        assert (r.returncode == 1) == bool(names), r
        return names

    def own(self, *args, code=0):
        return hf("rules", *args[:1], "--home", self.e.home, *args[1:], code=code)


def two():
    """Anna finds A and B; Bert finds A and allows A and B."""
    anna, bert, m = Publisher("anna", "org.anna.feed"), Publisher("bert", "org.bert.feed"), Machine()
    for p, found, names in [(anna, (A, B), "anna"), (bert, (A,), "bert")]:
        with open(os.path.join(p.sources, "s.hsb"), "w") as f:
            for i, c in enumerate(found):
                f.write("%s:%d:%s.%d\n" % (hashlib.sha256(c).hexdigest(), len(c), names, i))
    sfp(bert, A, B)
    anna.release()
    bert.release()
    m.e.trust(anna, name="anna")
    m.e.trust(bert, "--allow", "detect", "--allow", "allow", "--allow", "ignore", "--allow", "withdraw", name="bert")
    assert m.e.update(name="anna")["version"] == 1 and m.e.update(name="bert")["version"] == 1
    return anna, bert, m


@case
def an_allow_list_hides_nothing_of_others():
    "a publisher's allow list hides its own signatures and no others', until the owner gives it more"
    anna, bert, m = two()
    assert m.scan(A) == ["anna.0"] and m.scan(B) == ["anna.1"]
    hf("trust", "rotate", "--home", m.e.home, "--set", "everywhere=yes", "bert")
    assert m.scan(A) == [] and m.scan(B) == []
    hf("trust", "rotate", "--home", m.e.home, "--set", "everywhere=no", "bert")
    assert m.scan(A) == ["anna.0"], "what was not reported was not remembered as clean"


@case
def ignoring_and_withdrawing_reach_no_further():
    "names that a publisher ignores and signatures that it withdraws are its own"
    anna, bert, m = two()
    os.mkdir("removed")
    with open("removed/day.hsb", "w") as f:
        f.write("%s:%d:anna.0\n" % (hashlib.sha256(A).hexdigest(), len(A)))
    with open(os.path.join(bert.sources, "names.ign2"), "w") as f:
        f.write("anna.1\n")
    bert.draft("--segment", "--withdraw", "removed")
    bert.sign()
    bert.publish()
    bert.witness()
    assert m.e.update(name="bert")["version"] == 2
    assert m.scan(A) == ["anna.0"] and m.scan(B) == ["anna.1"]
    # Anna's own word about it is good.
    anna.draft("--segment", "--withdraw", "removed", sources=[])
    anna.sign()
    anna.publish()
    anna.witness()
    assert m.e.update(name="anna")["version"] == 2
    assert m.scan(A) == [] and m.scan(B) == ["anna.1"]


@case
def the_owner_denies_whatever_publishers_allow():
    "the owner's deny stands above every allow list, also one that counts everywhere"
    anna, bert, m = two()
    hf("trust", "rotate", "--home", m.e.home, "--set", "everywhere=yes", "bert")
    assert m.scan(B) == []
    with open("b", "wb") as f:
        f.write(B)
    m.own("deny", "b")
    assert m.scan(B) == ["Owner.Denied"]
    with open(os.path.join(bert.sources, "names.ign2"), "w") as f:
        f.write("Owner.Denied\n")
    bert.release()
    assert m.e.update(name="bert")["version"] == 2
    assert m.scan(B) == ["Owner.Denied"], "nor do their ignored names"
    m.own("deny", "--remove", "b")
    assert m.scan(B) == []
    assert b"not in the list" in m.own("deny", "--remove", "b", code=2).stderr


@case
def the_owner_allows_and_ignores_whatever_publishers_find():
    "the owner's allow and ignore stand above every publisher, for files, digests and names; deny and allow exclude one another"
    anna, bert, m = two()
    with open("a", "wb") as f:
        f.write(A)
    m.own("allow", "a")
    assert m.scan(A) == [] and m.scan(B) == ["anna.1"]
    m.own("deny", "--name", "Mine", "a")
    assert m.scan(A) == ["Mine", "anna.0"] or m.scan(A) == ["anna.0", "Mine"], m.scan(A)
    m.own("allow", hashlib.sha256(A).hexdigest().upper())
    assert m.scan(A) == []
    m.own("ignore", "anna.1")
    assert m.scan(B) == []
    text = m.own("own").stdout.decode()
    assert text.split() == ["allow", "%s:*:Owner.Allowed:73" % hashlib.sha256(A).hexdigest(), "ignore", "anna.1"], text
    m.own("ignore", "--remove", "anna.1")
    m.own("allow", "--remove", hashlib.sha256(A).hexdigest())
    assert m.scan(A) == ["anna.0"] and m.scan(B) == ["anna.1"]
    for bad in [("allow", "nowhere"), ("deny", "/dev/null"), ("ignore", "two words"), ("deny", "--name", "a:b", "a")]:
        m.own(*bad, code=2)


@case
def the_daemon_knows_whose_lists_are_whose():
    "the daemon keeps publishers apart in its workers, and takes the owner's word at its next look"
    anna, bert, m = two()
    with Daemon("[daemon]\nself-check = 1\n[updates]\nhome = %s\ncheck = 1" % m.e.home) as d:
        until(lambda: b"anna.0" in d.stream(A))
        assert b"anna.1" in d.stream(B)
        with open("a", "wb") as f:
            f.write(A)
        m.own("allow", "a")
        until(lambda: d.stream(A) == b"stream: OK\0")
        hf("trust", "rotate", "--home", m.e.home, "--set", "everywhere=yes", "bert")
        until(lambda: d.stream(B) == b"stream: OK\0")
        with open("b", "wb") as f:
            f.write(B)
        m.own("deny", "b")
        until(lambda: b"Owner.Denied" in d.stream(B))


@case
def many_publishers_do_not_stop_each_other():
    "more databases than fit at once leave some out with a word, and stop no scan"
    m = Machine()
    p = Publisher("many", "org.many.feed")
    for i in range(12):
        content = b"thing number %d" % i
        names = p.add(content)
        p.draft("--segment", sources=[os.path.join(p.sources, "s%d.hsb" % (i + 1))])
        p.sign()
        p.publish()
        p.witness()
    r = hf("feed", "build", "-o", "over", "--segment", p.dir, p.sources, code=2)
    assert b"too many segments" in r.stderr, r
    for n in ["one", "two"]:
        m.e.trust(p, name=n)
        assert m.e.update(name=n)["version"] == 12
    assert m.scan(b"thing number 11") == ["Test.S12.0"]
    m.e.trust(p, name="three")
    assert m.e.update(name="three")["version"] == 12
    try:
        m.scan(b"thing number 11")
        raise Exception("nothing was said")
    except AssertionError as e:
        assert "left out" in str(e) and "Test.S12.0" in str(e), e


if __name__ == "__main__":
    main()
