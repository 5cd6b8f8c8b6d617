#!/usr/bin/env python3
"""build/compat/yara and yarac beside Debian's: the same words, the same output and exit code."""
import json, os, shlex, subprocess, time
from tap import BUILD, case, main, need, run

COMPAT = os.path.join(BUILD, "compat")

FILES = {
    "r.yar": r'''
import "console"
rule a : t1 t2 { meta: x="q\"\\\x01z" y=-3 b=true
  strings: $a="foo" $h={62 61 72} $x="key" xor $w="wid" wide
  condition: any of them and console.log("hi ", 3) }
rule b { condition: filesize>3 }
private rule p { condition: true }
rule c { strings: $p = "foo" private $q="oo" condition: $p and #q>0 and p }
''',
    "bad.yar": 'rule x { condition: foo }\n',
    "good.yar": 'rule good { meta: n = 7 s = "x\\tü\\n" condition: true }\n',
    "bytes.yar": r'rule bytes { strings: $a = { ( 61 | 09 ) [1] ?? } $b = /[\x80-\xff]{2}/ condition: any of them }',
    "outside.yar": 'rule a { condition: x == 1 }\n',
    "text.yar": 'rule b { condition: x == "abc" }\n',
    "include.yar": 'include "good.yar"\nrule q { condition: good }\n',
    "include_none.yar": 'include "zz.yar"\n',
    "n1.yar": 'rule n1 { condition: filesize > 1 }\n',
    "n2.yar": 'rule n2 { condition: filesize > 2 }\n',
    "gate.yar": 'global rule g { condition: filesize > 2 }\nrule n { condition: true }\n',
    "list": 'd/f1\nnofile\nd\n',
    "long.yar": r'rule long { strings: $a = /k{600,}/ condition: $a }',
    "cuckoo.yar": '''import "cuckoo"
rule net { condition: cuckoo.network.http_request(/example/) }
rule key { condition: cuckoo.registry.key_access(/Run/) }
rule quiet { condition: cuckoo.sync.mutex(/nothing/) }
''',
    "report.json": json.dumps({"network": {"http": [{"uri": "http://example.org/", "method": "GET"}]},
                               "behavior": {"summary": {"keys": ["HKLM\\Run"], "mutexes": ["m"], "files": []}}}),
    "console.yar": '''import "console"
rule one { condition: console.log("size ", filesize) and console.hex("first ", uint8(0)) }
rule two { condition: console.log("not shown") and false }
''',
}

SAME = r'''
r.yar d/f1
-s r.yar d/f1
-sL r.yar d/f1
-L r.yar d/f1
-gme r.yar d/f1
-n r.yar d/f1
-c r.yar d/f1
-nc r.yar d/f1
-i a r.yar d/f1
-i nosuch -n r.yar d/f1
-t t1 r.yar d/f1
-t t2 -t t9 r.yar d/f1
-l 1 r.yar d/f1
-l 1 -i c r.yar d/f1
-r r.yar d
r.yar d
-rN r.yar d
-rz 3 r.yar d
-rc r.yar d
-rn r.yar d
-r -p 3 -s r.yar d
r.yar
nofile d/f1
r.yar nofile
bad.yar d/f1
-w good.yar d/f1
--fail-on-warnings good.yar d/f1
-Z r.yar d/f1
--foo r.yar d/f1
-C r.yar d/f1
-d x r.yar d/f1
-x cuckoo r.yar d/f1
-x cuckoo=nofile r.yar d/f1
-x foo=r.yar r.yar d/f1
-C r.yar bad.yar d/f1
--scan-list r.yar nofile
-l r.yar
-l x r.yar d/f1
--max-rules=x r.yar d/f1
-i
ns:r.yar r.yar d/f1
-e ns:r.yar r.yar d/f1
-C nofile d/f1
-C d/f1 d/f1
-a 0 r.yar d/f1
-a 30 r.yar d/f1
--print-strings=1 r.yar d/f1
r.yar -s d/f1
--max-strings-per-rule 2 r.yar d/f1
-sm -- r.yar d/f1
-m good.yar d/f1
-sw bytes.yar d/f1
-swL bytes.yar d/f2
-swL long.yar d/long
-d x=1 outside.yar d/f1
--define=x=2 outside.yar d/f1
-d x=abc text.yar d/f1
-d x= text.yar d/f1
-d x=1 -d x=2 outside.yar d/f1
outside.yar d/f1
include.yar d/f1
include_none.yar d/f1
--scan-list good.yar list
--scan-list -c good.yar list
-e -w good.yar a:good.yar b:good.yar d/f1
-n n1.yar n2.yar d/sub/two
n1.yar gate.yar d/sub/two
a:n1.yar b:gate.yar d/sub/two
-p 40 n1.yar d/f1
-p4 n1.yar d/f1
d d/f1
n1.yar /dev/null
-x cuckoo=report.json cuckoo.yar d/f1
cuckoo.yar d/f1
console.yar d/f1
-r console.yar d
'''


def make_files():
    for name, text in FILES.items():
        with open(name, "w") as f:
            f.write(text)
    os.makedirs("d/sub")
    for name, data in (("d/f1", b"foo bar ..\x00\x01foo w\0i\0d\0 key"), ("d/sub/two", b"xx"), ("d/empty", b""),
                       ("d/f2", b'a\\b"\n\t\x7f\x80\xe9\x00'), ("d/long", b"k" * 700)):
        with open(name, "wb") as f:
            f.write(data)
    os.symlink("f1", "d/link")


def answer(program, words):
    """Lines of both streams, in any order for whom a folder is, and the exit code."""
    r = run(*program, *words)
    name = os.fsencode(program[0])
    return (sorted(r.stdout.splitlines()), sorted(r.stderr.replace(name, b"PROGRAM").splitlines()), r.returncode,
            r.stdout if "d" not in words and "list" not in words else None)


def beside(program, lines):
    wrong = []
    for line in lines.strip().splitlines():
        words = shlex.split(line)
        theirs, ours = answer([program], words), answer([os.path.join(COMPAT, program)], words)
        if theirs != ours:
            wrong.append("%s %s\n  %r\n  %r" % (program, line, theirs, ours))
    assert not wrong, "\n".join(wrong)


@case
def each_command_line_of_yara_gives_the_same_output_and_exit_code():
    need("yara")
    make_files()
    beside("yara", SAME)


@case
def mistakes_on_the_command_line_of_yarac_are_told_alike():
    need("yarac")
    make_files()
    beside("yarac", "\nr.yar\nnofile out\nbad.yar out\n--foo a b\n-d x r.yar out\nr.yar out")


@case
def compiled_rules_answer_as_their_source_does():
    need("yara")
    make_files()
    yara, yarac = os.path.join(COMPAT, "yara"), os.path.join(COMPAT, "yarac")
    assert run(yarac, "a:r.yar", "good.yar", "out").returncode == 0
    source, compiled = run(yara, "-sLgme", "a:r.yar", "good.yar", "d/f1"), run(yara, "-sLgme", "-C", "out", "d/f1")
    assert source.stdout == compiled.stdout and len(source.stdout) > 200, (source, compiled)
    assert run(yarac, "-d", "x=5", "outside.yar", "out").returncode == 0
    assert run(yara, "-C", "out", "d/f1").stdout == b""
    assert run(yara, "-C", "-d", "x=1", "out", "d/f1").stdout == b"a d/f1\n"
    wrong = run(yara, "-C", "-d", "y=1", "out", "d/f1")
    assert (wrong.returncode, wrong.stderr) == (1, b"error: 29\n"), wrong
    data = bytearray(open("out", "rb").read())
    data[len(data) // 2] ^= 0xFF
    with open("damaged", "wb") as f:
        f.write(data)
    damaged = run(yara, "-C", "damaged", "d/f1")
    assert damaged.returncode == 1 and b"invalid" in damaged.stderr, damaged


@case
def xor_keys_module_names_and_quiet_are_those_of_later_versions():
    make_files()
    yara = os.path.join(COMPAT, "yara")
    with open("x.yar", "w") as f:
        f.write('rule x { strings: $a = "secret" xor condition: $a }\n')
    with open("x", "wb") as f:
        f.write(b".." + bytes(b ^ 7 for b in b"secret"))
    assert run(yara, "-X", "x.yar", "x").stdout == b"x x\n0x2:$a:xor(0x07,secret)\n"
    assert b"hi" not in run(yara, "-q", "r.yar", "d/f1").stdout
    assert {b"pe", b"elf", b"math", b"hash"} <= set(run(yara, "-M").stdout.split())


main()
