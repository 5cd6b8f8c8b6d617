#!/usr/bin/env python3
"""Rules that make engines slow, added one at a time to a set of real ones: what of the throughput
remains, and is the rule named when it was given up?

usage: yara_pathological.py BUILD RULES CORPUS [NAME...]
Prints a line for each rule: share of the throughput, files with an incident, time to build."""
import os
import re
import subprocess
import sys
import tempfile
import time

LONG = " ".join(f'$s{i} = "string{i:05d}"' for i in range(9999))
RULES = {
    "dot_star": ("$a = /a.*b.*c.*d/s", "$a"),
    "dot_star_chain": ("$a = /.*x.*y.*z.*/s", "$a"),
    "dot_plus": ("$a = /.+.+.+=.+/", "$a"),
    "nested_repeats": ("$a = /((a{1,20}){1,20}){1,20}b/", "$a"),
    "nested_stars": ("$a = /(a*)*(a*)*(a*)*=/", "$a"),
    "alternation_star": ("$a = /(a|aa|aaa|aaaa)+=/", "$a"),
    "class_star": ("$a = /[a-z]*[a-z]*[a-z]*[0-9]/", "$a"),
    "counted_class": ("$a = /[a-z]{1,300}[0-9]{1,300}=/", "$a"),
    "counted_dots": ("$a = /e.{1,1000}f.{1,1000}g/s", "$a"),
    "word_edges": (r"$a = /\b\w+\b \b\w+\b/", "$a"),
    "not_class": ("$a = /[^a]{5}[^b]{5}/", "$a"),
    "any_five": ("$a = /...../s", "#a > 3"),
    "one_byte": ('$a = "e"', "#a > 3"),
    "zero_byte": ("$a = { 00 ?? }", "#a > 3"),
    "zero_gap": ("$a = { 00 [0-] 00 }", "$a"),
    "zero_gaps": ("$a = { 00 [1-] 00 [1-] 00 [1-] FF }", "$a"),
    "wide_gap": ("$a = { 65 [1-5000] 66 [1-5000] 67 }", "$a"),
    "nibbles": ("$a = { ?0 ?1 ?2 ?3 }", "$a"),
    "wildcards": ("$a = { 4? ?? ?? ?? ?5 }", "#a > 3"),
    "hex_alternatives": ("$a = { ( 00 | 01 | 02 ) ( ?? | ?? ?? ) ( 00 | 01 ) }", "$a"),
    "xor_short": ('$a = "ab" xor', "#a > 3"),
    "xor_wide": ('$a = "http" xor ascii wide', "$a"),
    "base64_short": ('$a = "abc" base64', "$a"),
    "nocase_two": ('$a = "in" nocase', "#a > 3"),
    "zeros": ("$a = { 00 00 00 00 }", "#a > 1000000"),
    "million_matches": ("$a = { 00 }", "#a > 1000001"),
    "ten_thousand_strings": (LONG, "any of them"),
    "huge_range": (None, "for all i in (0..9000000000) : (i >= 0)"),
    "nested_loops": (None, "for all i in (0..3000) : (for all j in (0..3000) : (for all k in (0..3000) : "
                           "(i + j + k >= 0)))"),
    "loop_over_matches": ('$a = "a"', "for all i in (1..#a) : (for any j in (1..#a) : (@a[i] == @a[j] + 1))"),
    "reads_everywhere": (None, "for any i in (0..filesize) : (uint32(i) == 0x12345678)"),
    "entropy_everywhere": ('import "math"', "for any i in (0..filesize) : (math.entropy(i, 4096) > 8.5)"),
}


def source(name, strings, condition):
    head = ""
    if strings and strings.startswith("import"):
        head, strings = strings + "\n", None
    text = head + f"rule pathological_{name} {{\n"
    if strings:
        text += f"strings: {strings}\n"
    return text + f"condition: {condition}\n}}\n"


def measure(build, rules, extra, corpus, tmp):
    db = os.path.join(tmp, "rules.hfdb")
    begin = time.monotonic()
    built = subprocess.run([os.path.join(build, "holdfast"), "db", "build", "-o", db, rules, *extra],
                           capture_output=True, text=True)
    took = time.monotonic() - begin
    if built.returncode != 0:
        return None, 0, took, built.stderr.strip().splitlines()[-1:] or ["not built"]
    run = subprocess.run([os.path.join(build, "bench/yara_bench"), db, corpus], capture_output=True, text=True)
    m = re.search(r"(\d+) incidents, (\d+) suspended, ([\d.]+) s", run.stdout)
    return float(m[3]) if m else None, int(m[1]) + int(m[2]) if m else 0, took, []


def main():
    build, rules, corpus, names = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:] or list(RULES)
    worst = []
    with tempfile.TemporaryDirectory() as tmp:
        plain = min(measure(build, rules, [], corpus, tmp)[0] for _ in range(2))
        print(f"{'(none)':24} {plain:7.3f} s")
        for name in names:
            path = os.path.join(tmp, name + ".yar")
            with open(path, "w") as f:
                f.write(source(name, *RULES[name]))
            seconds, incidents, took, said = measure(build, rules, [path], corpus, tmp)
            share = plain / seconds if seconds else 0
            if share < 0.5 and incidents == 0:
                worst.append(name)
            print(f"{name:24} {seconds or -1:7.3f} s {share:6.0%}  named {incidents} times, built in {took:.2f} s "
                  f"{' '.join(said)}", flush=True)
    print(f"below half without being named: {' '.join(worst) or 'none'}")
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
