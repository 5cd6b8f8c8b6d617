#!/usr/bin/env python3
"""Patterns from source to verdict: the same database however it is built; places, patterns without a
literal piece and ones that cost too much; what yara accepts and refuses.

HOLDFAST_TEST_DB: a folder of signatures to build instead of the small one (make reproducible);
HOLDFAST_TEST_BUILDS: other build directories whose holdfast must write the same bytes."""
import hashlib, os, random, shutil
from tap import HOLDFAST, Skip, case, main, need, run, scan_json


def put(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def sources():
    """A little of everything, in several files."""
    given = os.environ.get("HOLDFAST_TEST_DB")
    if given:
        return [os.path.join(given, n) for n in sorted(os.listdir(given))]
    r = random.Random(3)
    os.makedirs("sources", exist_ok=True)
    places = ["*", "*", "0", "EOF-20", "EP+0", "S1+4", "100,50", "%d" % r.randrange(5000)]
    put("sources/a.ndb", "".join("Test.A-%d:0:%s:%s\n" % (i, r.choice(places), r.randbytes(r.randint(4, 40)).hex())
                                 for i in range(3000)))
    put("sources/b.ldb", "".join("Test.B-%d;Engine:51-255,Target:0;(0|1);%s;%s??%s\n" % (
        i, r.randbytes(12).hex(), r.randbytes(6).hex(), r.randbytes(6).hex()) for i in range(500)))
    put("sources/c.hsb", "".join("%s:%d:Test.C-%d\n" % (r.randbytes(32).hex(), r.randrange(9000), i)
                                 for i in range(3000)))
    put("sources/d.yar", "".join('rule d%d { strings: $a = "%s" nocase wide ascii $b = /[a-f]{%d}x+/ '
                                 'condition: any of them }\n' % (i, r.randbytes(5).hex(), r.randint(1, 5))
                                 for i in range(300)))
    return ["sources/" + n for n in sorted(os.listdir("sources"))]


def digest_of_build(holdfast, files, jobs, kernel):
    out = "built.hfdb"
    done = run(holdfast, "db", "build", "-q", "-j", str(jobs), "-o", out, *files, timeout=600,
               env=dict(os.environ, HOLDFAST_KERNEL=kernel))
    assert done.returncode == 0, done.stderr
    with open(out, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


@case
def a_database_is_the_same_however_it_is_built():
    files = sources()
    shuffled = files[:]
    random.Random(5).shuffle(shuffled)
    want = digest_of_build(HOLDFAST, files, 1, "portable")
    for jobs, kernel, order in ((2, "portable", files), (2, "avx2", shuffled), (1, "avx512", shuffled)):
        assert digest_of_build(HOLDFAST, order, jobs, kernel) == want, (jobs, kernel)
    for build in os.environ.get("HOLDFAST_TEST_BUILDS", "").split():
        assert digest_of_build(os.path.join(build, "holdfast"), shuffled, 2, "") == want, build


def found(rules, data, *options):
    """Names of the rules that are found in data, and of those that were suspended."""
    put("rules.yar", rules)
    put("data", data)
    built = run(HOLDFAST, "db", "build", "-o", "rules.hfdb", "rules.yar")
    assert built.returncode == 0, built.stderr
    _, reported, _ = scan_json("--db", "rules.hfdb", "--all-match", "-v", *options, "data")
    return {e["name"] for e in reported[0]["evidence"]}, set(reported[0]["suspended"])


LOOSE = r"""
rule digits { strings: $a = /[0-9]{3}[a-f]{2}/ condition: #a == 2 and @a[1] == 3 and !a[1] == 5 }
rule hex { strings: $a = { ?? 0? 1? } condition: $a }
rule wides { strings: $a = /[xy][pq]/ wide ascii condition: #a == 2 }
rule word { strings: $a = /[k-m]{3}/ fullword condition: #a == 1 }
rule start { strings: $a = "MZ" condition: $a at 0 }
rule not_there { strings: $a = "MZ" condition: $a at 5 }
rule anything { strings: $a = { ?? ?? } condition: #a > 5 }
rule emptied { strings: $a = /[k]*/ condition: #a > 0 }
rule key { strings: $a = "ab" xor condition: #a > 1 }
rule coded { strings: $a = "abc" base64 condition: $a }
"""


@case
def patterns_without_a_literal_piece_are_found_as_yara_finds_them():
    need("yara")
    data = b"MZ 123ab 456cd xp \x00\x01\x12 x\x00q\x00 kkk klmk YWJj"
    names, suspended = found(LOOSE, data)
    theirs = {l.split()[0].decode() for l in run("yara", "rules.yar", "data").stdout.splitlines()}
    assert names == theirs, names ^ theirs
    assert not suspended and len(names) > 6, names


@case
def a_pattern_that_costs_too_much_is_named_and_stops_no_other():
    r = random.Random(1)
    data = bytes(r.choice(b"abcdefgh") for _ in range(400000)) + b" a needle"
    names, suspended = found('rule bad { strings: $a = /[a-z]+[0-9]+[a-z]+x*$/ condition: $a }\n'
                             'rule good { strings: $a = "needle" condition: $a }', data)
    assert names == {"good"}, names
    assert suspended == {"bad"}, suspended
    put("rules.txt", b"")
    text = run(HOLDFAST, "scan", "--db", "rules.hfdb", "data").stdout
    assert b"suspended    data  bad" in text, text


COSTLY = r"""
rule range { condition: for all i in (0..9000000000) : (i >= 0) }
rule nested { condition: for all i in (0..3000) : (for all j in (0..3000) : (i + j >= 0)) }
rule reads { condition: for any i in (0..filesize) : (uint32(i) == 0x12345678) }
rule entropy { condition: for any i in (0..filesize) : (math.entropy(i, 4096) > 8.5) }
rule refers { condition: not range }
rule places { strings: $a = /[a-h]{2}/ condition: for any i in (1..#a) : (@a[i] == 7 - #a) }
rule cheap { strings: $a = /.../s condition: #a > 1000 and uint8(3) > 0 and math.entropy(0, filesize) > 1 }
"""


@case
def a_condition_that_costs_too_much_is_named_and_not_true():
    r = random.Random(2)
    data = bytes(r.choice(b"abcdefgh") for _ in range(100000)) + b" a needle"
    names, suspended = found('import "math"' + COSTLY, data)
    assert names == {"cheap"}, names
    assert suspended == {"range", "nested", "reads", "entropy", "refers", "places"}, suspended
    text = run(HOLDFAST, "scan", "--all-match", "--db", "rules.hfdb", "data").stdout
    assert b"suspended    data  nested" in text, text


@case
def a_rule_that_asks_for_many_strings_many_times_is_not_costly():
    strings = " ".join('$s%d = "word number %d."' % (n, n) for n in range(200))
    asks = " and ".join("%d of ($s%d*)" % (n % 3 + 1, n % 9 + 1) for n in range(40))
    names, suspended = found("rule many { strings: %s condition: any of them and %s }" % (strings, asks),
                             b" ".join(b"word number %d." % n for n in range(200)))
    assert (names, suspended) == ({"many"}, set()), (names, suspended)


@case
def the_owner_can_let_a_rule_cost_more():
    rule = "rule reads { condition: for any i in (0..filesize) : (uint32be(i) == 0x61206e65) }"
    data = bytes(20000) + b" a needle"
    assert found(rule, data) == (set(), {"reads"})
    assert found(rule, data, "--max-rule-work=1000000") == ({"reads"}, set())
    assert found(rule, data, "--max-rule-work=0") == ({"reads"}, set())


@case
def counts_up_to_a_constant_are_as_in_yara():
    need("yara")
    relations = ("==", "!=", "<", "<=", ">", ">=")
    strings = ("/[ab]{2}/", '"a" nocase', "/a|b/ wide ascii", "{ 61 ?? }", '"ab" xor')
    rules = "".join("rule r%d { strings: $a = %s condition: %s }\n" %
                    (i, strings[i % 5], ("#a %s %d" if i % 2 else "%d %s #a") %
                     ((relations[i // 10 % 6], i // 60) if i % 2 else (i // 60, relations[i // 10 % 6])))
                    for i in range(600))
    for data in (b"", b"ab", b"aabbab", b"a\0b\0ab..AB" * 3):
        names, suspended = found(rules, data)
        theirs = {l.split()[0].decode() for l in run("yara", "rules.yar", "data").stdout.splitlines()}
        assert names == theirs, (data, names ^ theirs)
        assert not suspended


@case
def a_match_of_length_zero_is_one_at_each_offset_as_in_yara_4_5_2():
    names, _ = found(r"""
rule optional { strings: $a = /(abc|)/ condition: #a == 6 and !a[1] == 0 and !a[3] == 3 }
rule edge { strings: $a = /\b/ condition: #a == 2 and @a[2] == 5 and !a[2] == 0 }
rule star { strings: $a = /q*/ condition: #a == 6 and for all i in (1..#a) : (!a[i] == 0) }
rule behind { strings: $a = /$/ condition: $a }
""", b"xyabc.")
    assert names == {"optional", "edge", "star"}, names


@case
def the_first_way_to_match_counts_as_in_yara():
    need("yara")
    strings = ["/hello(a|ab)/", "/hello(ab|a)/", "/hello(a|ab)(c|bcd)/", "/hello(a|ab)*/", "/hello(abc|a)?/",
               "/hello.*?(b|bc)/", "/hello(x|ab)*b?c/", "{ 68 65 6C 6C 6F ( 61 62 | 61 ) }",
               "{ 68 65 6C 6C 6F ( 61 | 61 62 ) }", "{ 68 65 6C 6C 6F [0-2] ( 62 63 | 62 | 63 ) }",
               "{ 68 65 6C 6C 6F ( 61 | 61 62 ) 63 }", "{ 68 65 6C 6C ( 6F 61 62 63 | 6F ) [0-1] ( 61 | 61 62 ) }"]
    rules = "".join("rule r%d_%d { strings: $a = %s condition: !a[1] == %d }\n" % (i, n, text, n)
                    for i, text in enumerate(strings) for n in range(4, 11))
    names, _ = found(rules, b"xhelloabcd")
    theirs = {l.split()[0].decode() for l in run("yara", "rules.yar", "data").stdout.splitlines()}
    assert names == theirs and len(names) == len(strings), names ^ theirs


TEXTS = ["/[0-0]/", "/[a-\\d]/", "/[-5]/", "/[5-]/", "/x{0}/", "/ab{0,0}c/", "/x{1}{2}/", "/x{2}*/", "/x+?/",
         "/a\\1/", "/(a)\\1/", "/a{,3}b/", "/a{3,1}/", "/a{x}/", "/a**/", "/[z-a]/", "/a|/", "/|a/", "/()/",
         "{ 61 [0-0] 62 }", "{ 61 [-5] 62 }", "{ 61 [1 2] 62 }", "{ 61 [1 - 2] 62 }", "{ 61 [0] 62 }",
         "{ 61 [2-1] 62 }", "{ 61 [5-] 62 }", "{ 61 [-] 62 }", "{ 61 [0-2147483647] 62 }",
         "{ 61 [2147483648] 62 }", "{ 61 ( 62 | [2] 63 ) 64 }", "{ 61 ( 62 [2] | 63 ) 64 }"]


@case
def what_yara_accepts_is_accepted_and_what_it_refuses_is_refused():
    need("yara")
    put("data", b"x")
    differ = []
    for text in TEXTS:
        put("one.yar", "rule t { strings: $a = %s condition: $a }" % text)
        theirs = run("yara", "one.yar", "data").returncode == 0
        built = run(HOLDFAST, "db", "build", "--strict", "-q", "-o", "one.hfdb", "one.yar")
        if theirs != (built.returncode == 0):
            differ.append((text, theirs))
    assert not differ, differ


main()
