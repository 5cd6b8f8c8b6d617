#!/usr/bin/env python3
"""The starter content (content/*.yar) against its samples, by Holdfast and by yara."""
import collections, os, re, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from tap import HOLDFAST, case, main, need, run, scan_json
import samples

CONTENT = os.path.join(HERE, "..", "..", "content")
FILES = sorted(f for f in os.listdir(CONTENT) if f.endswith(".yar"))
TEXT = "".join(open(os.path.join(CONTENT, f), encoding="utf-8").read() for f in FILES)
RULES = re.findall(r"^rule (\w+)$", TEXT, re.M)
SEVERITY = dict(zip(RULES, re.findall(r"^ {8}severity = \"(\w+)\"$", TEXT, re.M)))


def build():
    built = run(HOLDFAST, "db", "build", "--strict", "-o", "content.hfdb", *[os.path.join(CONTENT, f) for f in FILES])
    assert built.returncode == 0, built
    return "content.hfdb"


def found(*paths):
    """{path: {rule: verdict}}"""
    _, objects, summary = scan_json("--all-match", "--db", build(), *paths)
    assert not summary.get("suspended"), summary
    hits = collections.defaultdict(dict)
    for o in objects:
        for e in o.get("evidence", []):
            hits[o["path"]][e["name"]] = e["verdict"]
    return hits


@case
def every_rule_says_what_it_finds_why_and_how_grave_it_is():
    rules = re.split(r"^rule ", TEXT, flags=re.M)[1:]
    assert len(rules) >= 60, len(rules)
    for rule in rules:
        name = rule.split()[0]
        assert re.fullmatch(r"Holdfast_[A-Z]\w+_[A-Z]\w+", name), name
        for key, form in (("description", ".{20,}"), ("source", "MITRE ATT&CK T.+"), ("severity", "infected|suspicious|pua")):
            assert re.search(r'^ {8}%s = "(%s)"$' % (key, form), rule, re.M), (name, key)
        assert "filesize <" in rule or "uint" in rule, name
    assert len(set(RULES)) == len(RULES)


@case
def every_rule_has_three_samples_and_three_near_misses():
    counts = collections.Counter((r, k) for r, k, _ in samples.all_samples())
    assert {r for r, _ in counts} == set(RULES), {r for r, _ in counts} ^ set(RULES)
    few = [(r, k) for r in RULES for k in "+-" if counts[r, k] < 3]
    assert not few, few
    bodies = [b for _, _, b in samples.all_samples()]
    assert len(set(bodies)) == len(bodies)


@case
def every_sample_is_found_with_its_verdict_and_no_near_miss_is():
    made = samples.write("files")
    hits = found("files")
    wrong = [(p, sorted(hits.get(p, {}))) for r, k, p in made
             if (k == "+" and hits.get(p, {}).get(r) != SEVERITY[r]) or (k == "-" and hits.get(p))]
    assert not wrong, "\n".join(map(str, wrong))


@case
def line_ends_and_text_before_and_behind_change_nothing():
    made = [(r, p) for r, k, p in samples.write("files") if k == "+"]
    moved = []
    for r, p in made:
        body = open(p, "rb").read()
        at_start = body[:4] in (b"GIF8", b"{\\rt") or body[:1] in (b"\xff", b"\x4c", b"\x7f", b"/", b"\x80") or body[:2] == b"#!"
        for name, changed in (("crlf", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
                              ("behind", body + b"\n\n"), ("before", b"\n \n" + body)):
            if (name == "before" and at_start) or (name == "crlf" and b"\0" in body) or (name != "before" and body[:1] == b"/"):
                continue
            if "Pickle" in r:
                continue
            with open(p + name, "wb") as f:
                f.write(changed)
            moved.append((r, p + name))
    hits = found("files")
    wrong = [(p, sorted(hits.get(p, {}))) for r, p in moved if r not in hits.get(p, {})]
    assert not wrong, "\n".join(map(str, wrong))


@case
def samples_are_found_inside_archives():
    samples.write("files")
    subprocess.run(["tar", "-czf", "a.tgz", "files"], check=True)
    _, objects, _ = scan_json("--all-match", "--db", build(), "a.tgz")
    assert {e["name"] for e in objects[0]["evidence"]} == set(RULES)


@case
def yara_takes_the_rules_and_finds_the_same():
    need("yara")
    samples.write("files")
    paths = [os.path.join(CONTENT, f) for f in FILES]
    out = run("yara", "-w", "-r", *paths, "files")
    assert out.returncode == 0 and not out.stderr, out.stderr
    theirs = {tuple(line.split(" ", 1)) for line in out.stdout.decode().splitlines()}
    mine = {(rule, path) for path, rules in found("files").items() for rule in rules}
    assert mine == theirs, (sorted(mine - theirs), sorted(theirs - mine))


@case
def nothing_of_the_sources_is_an_alarm():
    hits = found(os.path.join(CONTENT, ".."), "--exclude=.git", "--exclude=build*")
    assert not hits, dict(hits)


main()
