#!/usr/bin/env python3
"""holdfast/yara.h: one source compiled against libyara and against Holdfast says the same."""
import os, subprocess
from tap import BUILD, Skip, case, main, need, run

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXAMPLE = os.path.join(SOURCE, "docs", "examples", "yara_example.c")
ENV = dict(os.environ, HOLDFAST_WORKER=os.path.join(BUILD, "holdfast-worker"))

RULES = r'''
import "console"
global rule gate { condition: filesize > 0 }
private rule hidden { condition: true }
rule plain : one two {
  meta: a = "text" b = -5 c = true
  strings: $a = "needle" nocase $h = { 6e 65 [0-2] 64 } $r = /ne+dle[s!]?/ $p = "needle" private
  condition: any of them }
rule outside { condition: number == 7 }
rule words { condition: text == "changed" and flag }
rule real_value { condition: real < 1.0 and hidden }
rule says { condition: console.log("size ", filesize) and filesize > 5000 }
rule across { strings: $a = "across" condition: #a == 2 and @a[2] == 4000 }
rule many { strings: $a = "...." condition: #a > 5000 }
'''


def make_files():
    with open("r.yar", "w") as f:
        f.write(RULES)
    with open("bad.yar", "w") as f:
        f.write('rule x { condition: nosuch }\nrule y { condition: true }\nrule y { condition: true }\n')
    with open("words", "wb") as f:
        f.write(b"a needle, Needles and NEEDLE!")
    data = bytearray(b"." * 6000)
    data[1021:1027] = data[4000:4006] = b"across"  # over the border of a block, and inside of one
    with open("large", "wb") as f:
        f.write(data)
    with open("empty", "wb"):
        pass


def compile_both():
    need("cc")
    ours = run("cc", "-Wall", "-Wextra", "-Werror", "-DWITH_HOLDFAST", "-I", os.path.join(SOURCE, "include"),
               "-o", "ours", EXAMPLE, "-L", os.path.join(BUILD, "src/api"), "-lholdfast-yara",
               "-Wl,-rpath," + os.path.join(BUILD, "src/api"))
    assert ours.returncode == 0, ours.stderr.decode()
    if not os.path.exists("/usr/include/yara.h"):
        raise Skip("libyara-dev is not installed")
    theirs = run("cc", "-o", "theirs", EXAMPLE, "-lyara")
    assert theirs.returncode == 0, theirs.stderr.decode()


@case
def the_example_prints_the_same_with_libyara_and_with_holdfast():
    make_files()
    compile_both()
    for rules, files in (("r.yar", ["words", "large", "empty"]), ("bad.yar", ["words"])):
        theirs = run("./theirs", rules, *files)
        ours = run("./ours", rules, *files, env=ENV)
        assert (theirs.returncode, ours.returncode) == (0, 0), (theirs, ours)
        if theirs.stdout != ours.stdout:
            import difflib
            raise AssertionError("\n".join(difflib.unified_diff(theirs.stdout.decode().splitlines(),
                                                                 ours.stdout.decode().splitlines(), lineterm="")))
        assert rules != "r.yar" or theirs.stdout.count(b"\n") > 150, theirs.stdout


@case
def without_a_worker_scans_fail_and_say_so():
    make_files()
    compile_both()
    gone = run("./ours", "r.yar", "words", env=dict(ENV, HOLDFAST_WORKER="/nowhere/holdfast-worker"))
    assert gone.returncode == 0 and b"= 31\n" in gone.stdout and b"= 0\n" not in gone.stdout, gone


main()
