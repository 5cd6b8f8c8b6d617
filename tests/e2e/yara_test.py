#!/usr/bin/env python3
"""YARA rules as the database of a scan: the same rules as yara says, on the same files."""
import os, subprocess
from tap import HOLDFAST, case, main, need, run, scan_json

RULES = r'''
import "elf"
import "math"
rule words { strings: $a = "needle" nocase fullword $b = { 68 6? 79 [1-3] ( 61 | 62 63 ) } condition: any of them }
rule counted { strings: $a = "ab" condition: #a == 3 and @a[2] == 4 and !a[1] == 2 }
rule wide_regex { strings: $r = /pass(word|phrase)=[a-z]{3,8}/ wide ascii condition: $r }
rule hidden { strings: $x = "secret text" xor(1-255) condition: $x }
rule encoded { strings: $e = "This program cannot" base64 condition: $e }
private rule small { condition: filesize < 100 }
rule small_words { condition: small and words }
rule executable { condition: elf.type == elf.ET_DYN and elf.number_of_sections > 5 }
rule random_looking { condition: filesize > 1000 and math.entropy(0, filesize) > 7.5 }
rule never { strings: $a = "needle" condition: $a at 100000 }
'''


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)


def samples():
    os.mkdir("files")
    put("files/words", b"a NEEDLE in the hay")
    put("files/no_words", b"needles and pins")
    put("files/hex", b"..hey..bc")
    put("files/counted", b"ab..abab")
    put("files/twice", b"ab..ab")
    put("files/wide", "password=hunter".encode("utf-16-le"))
    put("files/xor", bytes(b ^ 0x5A for b in b"..secret text.."))
    import base64
    put("files/base64", base64.b64encode(b"xThis program cannot be run"))
    put("files/elf", open("/bin/ls", "rb").read())
    put("files/random", os.urandom(5000))
    put("files/long", b"needle " * 500)


def by_holdfast(rules):
    _, objects, summary = scan_json("--all-match", "--db", rules, "files")
    return {(e["name"], o["path"]) for o in objects for e in o["evidence"] if not e["inner"]}, summary


@case
def rules_hold_for_the_same_files_as_in_yara():
    need("yara")
    samples()
    put("r.yar", RULES.encode())
    mine, _ = by_holdfast("r.yar")
    out = run("yara", "-w", "-r", "r.yar", "files").stdout.decode()
    theirs = {tuple(line.split(" ", 1)) for line in out.splitlines()}
    assert mine == theirs, (sorted(mine - theirs), sorted(theirs - mine))
    assert len({rule for rule, _ in mine}) >= 8, mine


@case
def a_rule_that_does_not_compile_is_reported_and_the_others_live():
    samples()
    put("r.yar", b'rule broken { condition: nosuch }\nrule good { strings: $a = "needle" nocase condition: $a }\n')
    mine, summary = by_holdfast("r.yar")
    assert ("good", "files/words") in mine and not any(r == "broken" for r, _ in mine), mine
    built = run(HOLDFAST, "db", "build", "-o", "r.hfdb", "r.yar")
    assert b"r.yar:1" in built.stderr + built.stdout and b"nosuch" in built.stderr + built.stdout, built
    strict = run(HOLDFAST, "db", "build", "--strict", "-o", "s.hfdb", "r.yar")
    assert strict.returncode != 0 and not os.path.exists("s.hfdb"), strict


@case
def rules_and_signatures_live_in_one_database():
    samples()
    os.mkdir("db")
    put("db/r.yar", b'rule good { strings: $a = "needle" nocase condition: $a }\n')
    put("db/s.ndb", b"Hex.Sample:0:*:6162" + b"2e2e61626162" + b"\n")
    mine, _ = by_holdfast("db")
    assert ("good", "files/words") in mine and ("Hex.Sample", "files/counted") in mine, mine


@case
def rules_see_what_is_inside_containers():
    samples()
    put("r.yar", RULES.encode())
    subprocess.run(["tar", "-czf", "a.tgz", "files/words"], check=True)
    code, objects, _ = scan_json("--all-match", "--db", "r.yar", "a.tgz")
    assert code == 1 and any(e["inner"][-1:] == ["files/words"] and e["name"] == "words"
                             for e in objects[0]["evidence"]), objects


@case
def libmagic_answers_in_the_jail():
    need("yara")
    put("m.yar", b"""import "magic"
rule program { condition: magic.type() contains "ELF" }
rule words { condition: magic.mime_type() startswith "text/" }
rule nothing { condition: not defined magic.type() }
""")
    os.mkdir("files")
    put("files/elf", open("/bin/ls", "rb").read())
    put("files/text", b"plain words\n")
    put("files/empty", b"")
    mine, summary = by_holdfast("m.yar")
    assert mine >= {("program", "files/elf"), ("words", "files/text")}, (mine, summary)
    assert ("program", "files/text") not in mine and ("words", "files/elf") not in mine, mine


main()
