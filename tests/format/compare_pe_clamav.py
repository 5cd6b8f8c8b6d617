#!/usr/bin/env python3
"""Compare our reading of PE headers as ClamAV with clamscan's own (its debug output).

    compare_pe_clamav.py [--limit N] [--broken N] [--show N] PE_DIALECTS_DUMP PATH...

Entry point, extents of sections, and whether it is Heuristics.Broken.Executable. Arguments as in
compare_pe.py. Exits 1 on differences, skips (77) without clamscan."""
import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import compare_facts
import compare_pe

DIGEST = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f:68:Test.File\n"


def run_clamscan(paths, folder):
    """{path: {entry, sections, broken}} from the debug output, in the order of the list."""
    database, listing = os.path.join(folder, "tiny.hsb"), os.path.join(folder, "list")
    with open(database, "w", encoding="utf-8") as f:
        f.write(DIGEST)
    with open(listing, "w", encoding="utf-8") as f:
        f.write("".join(p + "\n" for p in paths))
    done = subprocess.run(["clamscan", "--debug", "--alert-broken", "--no-summary", "-d", database,
                           "-f", listing], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    result, now, section = {}, {"sections": []}, {}
    for line in done.stdout.decode("utf-8", "surrogateescape").split("\n"):
        if m := re.match(r"LibClamAV debug: EntryPoint offset: 0x[0-9a-f]+ \((\d+)\)", line):
            now.setdefault("entry", int(m.group(1)))
        elif m := re.match(r"LibClamAV debug: Section (\d+)$", line):
            section = {"index": int(m.group(1))}
        elif m := re.match(r"LibClamAV debug: SizeOfRawData: \S+ 0x([0-9a-f]+)", line):
            section["size"] = int(m.group(1), 16)
        elif m := re.match(r"LibClamAV debug: PointerToRawData: \S+ 0x([0-9a-f]+)", line):
            if section.get("index") == len(now["sections"]) and "entry" not in now:
                now["sections"].append([int(m.group(1), 16), section.get("size", 0)])
        elif m := re.match(r"(/.*): (OK|(\S+) FOUND|.*ERROR)$", line):
            now["broken"] = m.group(3) == "Heuristics.Broken.Executable"
            result[m.group(1)] = now
            now, section = {"sections": []}, {}
    return result


def run_ours(dump, paths, folder):
    listing = os.path.join(folder, "list")
    done = subprocess.run([dump, "@" + listing], stdout=subprocess.PIPE, check=True)
    records = (json.loads(line) for line in done.stdout.decode().splitlines())
    return {r["file"]: r for r in records}


def compare(dump, paths, show):
    counts, differences = collections.Counter(), collections.Counter()

    def differs(kind, path, ours, theirs):
        differences[kind] += 1
        if differences[kind] <= show:
            print(f"{path}: {kind}: ours {ours}, clamscan {theirs}")

    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = run_clamscan(paths, folder), run_ours(dump, paths, folder)
    for path in paths:
        a, b = ours.get(path), theirs.get(path)
        if a is None or b is None:
            continue
        counts["files"] += 1
        counts["broken"] += b["broken"]
        if os.path.getsize(path) < 64 and b["broken"]:
            counts["stumps"] += 1 # an MZ without room for a PE header: no PE at all to us
        elif (a["broken"] is not None) != b["broken"]:
            differs("broken", path, a["broken"], b["broken"])
        if "entry" not in b or b["broken"]:
            continue # not parsed to the end
        counts["entries"] += 1
        counts["sections"] += len(b["sections"])
        if a["entry"] != b["entry"]:
            differs("entry", path, a["entry"], b["entry"])
        for i, (mine, other) in enumerate(zip(a["sections"], b["sections"])):
            if mine != other:
                differs("section", path, f"{i} {mine}", other)
    print(f"{counts['files']} files ({counts['broken']} broken to clamscan), {counts['entries']} "
          f"entry points, {counts['sections']} sections; differences: {dict(differences) or 0}")
    return 1 if differences or not counts["files"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--limit", type=int, default=0, help="a sample of so many files")
    parser.add_argument("--broken", type=int, default=0, help="every Nth broken sample too")
    parser.add_argument("--show", type=int, default=10, help="differences shown of each kind")
    parser.add_argument("dump", help="the pe_dialects_dump program")
    parser.add_argument("paths", nargs="*")
    args = parser.parse_args()
    if not shutil.which("clamscan"):
        sys.exit(77)
    paths = list(dict.fromkeys(compare_facts.find_files(
        "pe", [p for p in args.paths if p[0] == "@" or os.path.exists(p)])))
    paths = compare_pe.sample(paths, args.limit)
    with tempfile.TemporaryDirectory() as folder:
        more = compare_pe.broken_samples(folder, args.broken) if args.broken else []
        if more is None and not paths:
            sys.exit(77)
        sys.exit(compare(args.dump, paths + (more or []), args.show))


if __name__ == "__main__":
    main()
