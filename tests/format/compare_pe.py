#!/usr/bin/env python3
"""Compare the facts of PE files field by field with `yara --print-module-data` (4.2.3 and later).

    compare_pe.py [--limit N] [--broken N] [--show N] [--timeout S] FACTS_DUMP PATH...

PATH is a file, a folder (every PE below it), or @LIST. --broken adds the files of pe_samples/make
and every Nth of those that break_pe.py makes of them. Skips (77) without yara or mingw. Function results (imphash, checksum, ...)
are compared too, through yara's console module. Exits 1 when a field differs that is not among
the known differences below; those are counted by reason.

Debian's yara is 4.2.3, so our facts follow the rules of 4.2 here (facts_dump --yara42; the
differences to 4.5 are the table hf_pe_yara_rules). What 4.2.3 prints in a form of its own is read
as what it means: the functions of an imported library are numbered on from the library before (a
slip of that version), and the delayed imports are called delay_import_details and stay empty.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

import compare_facts

CALLS = ["imphash", "calculate_checksum", "is_dll", "is_32bit", "is_64bit"]
VERSION = ".pe.version_info."
GENERAL = re.compile(r"\[[^]]*\]")

# (field, why ours differs)
KNOWN = [
    (r'\.pe\.version_info\["\\x01CompanyName"\]', "yara prints the tab in front of the key as it is"),
]


def rules_file(folder):
    path = os.path.join(folder, "all.yar")
    logs = " and ".join(f'(console.log("CALL {c} ", pe.{c}()) or true)' for c in CALLS)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'import "pe"\nimport "console"\nrule all_of_them {{ condition: {logs} }}\n')
    return path


def of_45(values):
    """What 4.2.3 printed, as 4.5 would have."""
    out, before = {}, {}
    for key, value in values.items():
        key = key.replace(".pe.delay_import_details", ".pe.delayed_import_details")
        if key.startswith(VERSION):
            key = f'.pe.version_info["{compare_facts.printable(key[len(VERSION):])}"]'
        out[key] = value
    for kind in ("import_details", "delayed_import_details"):
        totals = {int(m.group(1)): int(v) for k, v in out.items()
                  if (m := re.fullmatch(rf"\.pe\.{kind}\[(\d+)\]\.number_of_functions", k))}
        rows = [k for k in out if re.match(rf"\.pe\.{kind}\[\d+\]\.functions\[", k)]
        running = all(totals[i] > totals[i - 1] for i in sorted(totals) if i) and any(
            i and f".pe.{kind}[{i}].functions[0].name" not in out
            and f".pe.{kind}[{i}].functions[{totals[i - 1]}].name" in out for i in totals)
        if not running:
            continue
        for i in sorted(totals):
            before[i] = totals.get(i - 1, 0)
            out[f".pe.{kind}[{i}].number_of_functions"] = str(totals[i] - before[i])
        moved = {}
        for k in rows:
            m = re.match(rf"(\.pe\.{kind}\[(\d+)\]\.functions\[)(\d+)(.*)", k)
            moved[f"{m.group(1)}{int(m.group(3)) - before[int(m.group(2))]}{m.group(4)}"] = out.pop(k)
        out.update(moved)
    return out


def run_yara(paths, timeout):
    """{path: (values, names)}; a path is missing when yara crashed or gave up on it."""
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        rule, listing = rules_file(folder), os.path.join(folder, "list")
        with open(listing, "wb") as f:
            f.write(b"".join(os.fsencode(p) + b"\n" for p in paths))
        try:
            done = subprocess.run(["yara", "-w", "-D", "-p", "1", "--scan-list", rule, listing],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                                  timeout=timeout)
            output = done.stdout
        except subprocess.TimeoutExpired as late:
            output = late.stdout or b""
    lines, calls = [], {}
    for raw in output.decode("utf-8", "surrogateescape").split("\n"):
        if raw.startswith("all_of_them "):
            values, names = compare_facts.parse_yara(lines)
            names = {n.replace("delay_import", "delayed_import") for n in names}
            result[raw[len("all_of_them "):]] = ({**of_45(values), **calls}, names)
            lines, calls = [], {}
        elif m := re.fullmatch(r"CALL (\w+) (.*)", raw):
            calls[f".pe.{m.group(1)}()"] = m.group(2)
        elif raw != "console":
            lines.append(raw)
    return result


def run_ours(dump, paths):
    with tempfile.NamedTemporaryFile() as listing:
        listing.write(b"".join(os.fsencode(p) + b"\n" for p in paths))
        listing.flush()
        done = subprocess.run([dump, "--yara42", "pe", "@" + listing.name], stdout=subprocess.PIPE,
                              check=True)
    facts = {}
    for line in done.stdout.split(b"\n"):
        if line:
            record = compare_facts.json.loads(line)
            values = compare_facts.flatten_dicts("pe", record["facts"])
            for call in CALLS:
                if call + "()" in record:
                    values[f".pe.{call}()"] = str(record[call + "()"])
            facts[record["file"]] = values
    return facts


def comparable(key, names, theirs):
    """Fields that 4.2.3 has: ours of 4.5 or of our own it cannot say anything about."""
    if key.endswith("()"):
        return True
    return key in theirs or GENERAL.sub("[]", key) in names


class Tally:
    def __init__(self, show):
        self.show, self.files, self.fields, self.missing = show, 0, 0, 0
        self.differences, self.known = collections.Counter(), collections.Counter()

    def difference(self, path, key, a, b):
        for pattern, why in KNOWN:
            if re.fullmatch(pattern, key):
                self.known[why] += 1
                return
        general = GENERAL.sub("[]", key)
        self.differences[general] += 1
        if self.differences[general] <= self.show:
            print(f"{path}: {key}: ours {a!r}, yara {b!r}")

    def file(self, path, mine, theirs, names):
        self.files += 1
        keys = {k for k in mine if comparable(k, names, theirs)} | theirs.keys()
        for key in sorted(keys):
            self.fields += 1
            a, b = mine.get(key), theirs.get(key)
            if a != b:
                self.difference(path, key, a, b)

    def report(self):
        print(f"pe: {self.files} files, {self.fields} fields compared, "
              f"{sum(self.differences.values())} differences, {sum(self.known.values())} known, "
              f"{self.missing} files without an answer of yara")
        for name, count in self.differences.most_common():
            print(f"  {count:8} {name}")
        for why, count in self.known.most_common():
            print(f"  known {count:8} {why}")
        return 1 if self.differences or not self.files else 0


def compare(dump, paths, tally, timeout):
    known = compare_facts.constants(dump, "pe")
    for start in range(0, len(paths), compare_facts.BATCH):
        batch = paths[start:start + compare_facts.BATCH]
        ours, theirs = run_ours(dump, batch), run_yara(batch, timeout)
        for path in batch:
            if path not in theirs and len(batch) > 1: # yara died in the batch: once more alone
                theirs.update(run_yara([path], timeout))
            if path not in theirs:
                tally.missing += 1
                continue
            values, names = theirs[path]
            tally.file(path, {**known, **ours.get(path, {})}, values, names)


def broken_samples(folder, every):
    """Whole and broken samples in a folder of their own; None without the compilers."""
    here = os.path.dirname(os.path.abspath(__file__))
    if not shutil.which("i686-w64-mingw32-gcc") or not shutil.which("x86_64-w64-mingw32-gcc"):
        return None
    whole, broken = os.path.join(folder, "whole"), os.path.join(folder, "broken")
    subprocess.run([os.path.join(here, "pe_samples", "make"), whole], check=True)
    files = sorted(os.path.join(whole, n) for n in os.listdir(whole))
    subprocess.run([sys.executable, os.path.join(here, "break_pe.py"), broken, *files],
                   check=True)
    paths = sorted(os.path.join(broken, n) for n in os.listdir(broken))
    return files + paths[::every]


def sample(paths, limit):
    if not limit or len(paths) <= limit:
        return paths
    return [paths[i * len(paths) // limit] for i in range(limit)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--limit", type=int, default=0, help="a sample of so many files")
    parser.add_argument("--broken", type=int, default=0, help="every Nth broken sample too")
    parser.add_argument("--show", type=int, default=5, help="differences shown of each field")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for 200 files")
    parser.add_argument("dump", help="the facts_dump program")
    parser.add_argument("paths", nargs="*")
    args = parser.parse_args()
    if not shutil.which("yara"):
        sys.exit(77)
    tally = Tally(args.show)
    paths = list(dict.fromkeys(compare_facts.find_files(
        "pe", [p for p in args.paths if p[0] == "@" or os.path.exists(p)])))
    paths = sample(paths, args.limit)
    with tempfile.TemporaryDirectory() as folder:
        more = broken_samples(folder, args.broken) if args.broken else []
        if more is None and not paths:
            sys.exit(77)
        compare(args.dump, paths + (more or []), tally, args.timeout)
    sys.exit(tally.report())


if __name__ == "__main__":
    main()
