#!/usr/bin/env python3
"""holdfast rules: check, fmt, explain, test."""
import json, os, random
from tap import HOLDFAST, Skip, case, main, run

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

ROUGH = '''import "pe"
import   "math"
// leading comment
rule   slow:tag1   tag2{meta:author="x" n=3
  strings:$a={ 00 00 00 00 }  // trailing
 $b = "abc" $c="needle" nocase   wide
    $d = "needle" nocase wide
 $h = { AA BB
    CC ?? [2-4] DD }
condition:any of them and
   (pe.is_pe or
      filesize<100)


}
private rule never{condition:false}
/* block
   comment */ rule later { condition: true }
rule head { meta: test_match = "MZ..needle" test_clean_hex = "0000"
  strings: $a = "needle" condition: $a and uint16(0) == 0x5a4d and filesize < 1KB }
'''

SMOOTH = '''import "pe"
import "math"
// leading comment
rule slow : tag1 tag2 {
    meta:
        author = "x"
        n = 3
    strings:
        $a = { 00 00 00 00 } // trailing
        $b = "abc"
        $c = "needle" nocase wide
        $d = "needle" nocase wide
        $h = { AA BB
            CC ?? [2-4] DD }
    condition:
        any of them and
        (pe.is_pe or
            filesize<100)
}

private rule never {
    condition:
        false
}

/* block
   comment */
rule later {
    condition:
        true
}

rule head {
    meta:
        test_match = "MZ..needle"
        test_clean_hex = "0000"
    strings:
        $a = "needle"
    condition:
        $a and uint16(0) == 0x5a4d and filesize < 1KB
}
'''


def rules(*args):
    return run(HOLDFAST, "rules", *args)


def put(name, text):
    with open(name, "w") as f:
        f.write(text)


@case
def fmt_brings_a_source_into_shape_and_twice_is_as_once():
    put("r.yar", ROUGH)
    out = rules("fmt", "r.yar")
    assert out.returncode == 0 and out.stdout.decode() == SMOOTH, out.stdout.decode()
    assert rules("fmt", "-c", "r.yar").returncode == 1
    os.chmod("r.yar", 0o640)
    assert rules("fmt", "-w", "r.yar").returncode == 0
    assert open("r.yar").read() == SMOOTH and os.stat("r.yar").st_mode & 0o777 == 0o640
    assert rules("fmt", "-c", "r.yar").returncode == 0 and rules("fmt", "r.yar").stdout.decode() == SMOOTH


@case
def fmt_keeps_every_word_of_public_rules_and_their_answers():
    folder = os.environ.get("HOLDFAST_RULES", os.path.join(SOURCE, "..", "shared", "rules"))
    found = sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names if f.endswith((".yar", ".yara")))
    if not found:
        raise Skip("no public rules in $HOLDFAST_RULES")
    for path in random.Random(7).sample(found, min(40, len(found))):
        once = rules("fmt", path)
        assert once.returncode == 0, (path, once.stderr)
        with open("once.yar", "wb") as f:
            f.write(once.stdout)
        assert rules("fmt", "once.yar").stdout == once.stdout, path
        before, after = rules("explain", "--json", path), rules("explain", "--json", "once.yar")
        strip = lambda r: [{k: v for k, v in json.loads(l).items() if k not in ("file", "line")} for l in r.stdout.splitlines()]
        assert strip(before) == strip(after), path


@case
def check_names_what_is_slow_twice_or_never_true():
    put("r.yar", ROUGH)
    out = rules("check", "--json", "r.yar")
    found = [json.loads(l) for l in out.stdout.splitlines()]
    codes = {(f["code"], f["rule"]) for f in found}
    assert out.returncode == 0, out
    assert codes == {("slow-string", "slow"), ("duplicate-string", "slow"), ("never-true", "never"),
                     ("always-true", "later"), ("unused-import", "")}, codes
    assert rules("check", "--strict", "r.yar").returncode == 1
    put("bad.yar", "rule x { condition: nosuch }\n")
    bad = rules("check", "bad.yar")
    assert bad.returncode == 1 and b'bad.yar:1:' in bad.stdout and b"nosuch" in bad.stdout, bad
    assert rules("check", "nofile.yar").returncode == 2


@case
def explain_shows_guards_and_anchors():
    put("r.yar", ROUGH)
    out = rules("explain", "--json", "r.yar")
    by_name = {r["rule"]: r for r in map(json.loads, out.stdout.splitlines())}
    head = by_name["head"]
    assert (head["guards"]["size_min"], head["guards"]["size_max"], head["guards"]["magic"]) == (2, 1023, "4d5a"), head
    assert not head["wakes_alone"] and head["strings"][0]["anchor"] == b"needle".hex(), head
    assert by_name["later"]["wakes_alone"] and by_name["slow"]["strings"][0]["slow"], by_name
    assert b"size 2 to 1023, bytes 4d5a at 0" in rules("explain", "r.yar").stdout


@case
def test_tries_rules_on_samples_beside_them_and_in_their_meta():
    put("r.yar", ROUGH)
    assert rules("test", "r.yar").returncode == 0
    for kind in ("match", "clean"):
        os.makedirs("r.tests/head/" + kind)
        put("r.tests/head/%s/sample" % kind, "MZ a needle")
    out = rules("test", "--json", "r.yar")
    results = [json.loads(l) for l in out.stdout.splitlines()]
    assert out.returncode == 1 and len(results) == 4, out
    assert [r["sample"] for r in results if not r["passed"]] == ["r.tests/head/clean/sample"], results
    os.unlink("r.tests/head/clean/sample")
    assert rules("test", "r.yar").returncode == 0


main()
