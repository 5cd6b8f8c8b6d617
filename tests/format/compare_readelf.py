#!/usr/bin/env python3
"""Compare ELF facts that YARA does not have with `readelf`: section and program headers, tags of the
dynamic table, interpreter, needed libraries, own name, search paths, notes, build id, and symbols
found by the dynamic table.

    compare_readelf.py [--limit N] FACTS_DUMP PATH...     (paths as in compare_facts.py)
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import compare_facts


# [number] name type address offset size entry-size flags link info alignment
SECTION = re.compile(r"^  \[ *\d+\] (.*?) +(?:\S+|<unknown>|[\w ]*<\w+>|\w+: ?[<\w>]+) +([0-9a-f]{8,16}) "
                     r"([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) +[A-Za-z]* +(\d+) +(\d+) +(\d+)$", re.M)
# type offset address address size size flags alignment
SEGMENT = re.compile(r"^  \S.*? +0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) "
                     r"0x([0-9a-f]+) ([R ][W ][E ]) (0x[0-9a-f]+|0)$", re.M)


def readelf(path):
    done = subprocess.run(["readelf", "-W", "-S", "-l", "-d", "-n", path], capture_output=True,
                          check=False)
    out = done.stdout.decode("utf-8", "surrogateescape")
    facts = {"needed": re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", out)}
    for name, tag in [("soname", r"\(SONAME\)\s+Library soname"), ("rpath", r"\(RPATH\)\s+Library rpath"),
                      ("runpath", r"\(RUNPATH\)\s+Library runpath")]:
        found = re.findall(tag + r": \[(.*)\]", out)
        facts[name] = found[-1] if found else None
    found = re.search(r"Requesting program interpreter: (.*)\]", out)
    facts["interpreter"] = found.group(1) if found else None
    found = re.search(r"Build ID: ([0-9a-f]+)", out)
    facts["build_id"] = found.group(1) if found else None
    facts["notes"] = [[owner, int(size, 16)] for owner, size
                      in re.findall(r"^  (\S+(?: \S+)*?)\s+0x([0-9a-f]{8})\t", out, re.M)]
    facts["sections"] = [[name] + [int(n, 16) for n in hexes] + [int(n) for n in numbers]
                         for name, *rest in SECTION.findall(out)
                         for hexes, numbers in [(rest[:4], rest[4:])]]
    facts["segments"] = [[int(n, 16) for n in row[:5]] +
                         [sum(bit for c, bit in zip(row[5], (4, 2, 1)) if c != " "), int(row[6], 16)]
                         for row in SEGMENT.findall(out)]
    facts["tags"] = [int(tag, 16) for tag in re.findall(r"^ 0x([0-9a-f]{8,16}) \(", out, re.M)]
    return facts


def dynamic_symbols(path):
    done = subprocess.run(["readelf", "-W", "-D", "--dyn-syms", path], capture_output=True,
                          check=False)
    out = done.stdout.decode("utf-8", "surrogateescape")
    rows = re.findall(r"^\s*\d+: ([0-9a-f]+)\s+(\S+) \S+\s+\S+\s+\S+\s+(?:\[.*\]\s+)?\S+ ?(.*)$",
                      out, re.M)
    return [[int(value, 16), int(size, 0), re.sub(r"@.*", "", name).strip()]
            for value, size, name in rows]


def ours(record):
    facts = record["facts"]
    mine = {k: facts.get(k) for k in ("soname", "rpath", "runpath", "interpreter", "build_id")}
    mine["needed"] = facts.get("needed", [])
    mine["notes"] = [[n["owner"], n["size"]] for n in facts.get("notes", [])]
    wrap = 1 << 64
    mine["sections"] = [[s.get("name", ""), s["address"] % wrap, s["offset"] % wrap, s["size"] % wrap,
                         s["entry_size"], s["link"], s["info"], s["alignment"]]
                        for s in facts.get("section_headers", [])]
    mine["segments"] = [[s["offset"], s["virtual_address"] % wrap, s["physical_address"] % wrap,
                         s["file_size"], s["memory_size"], s["flags"] & 7, s["alignment"]]
                        for s in facts.get("program_headers", [])]
    tags = [d["type"] % wrap for d in facts.get("dynamic", [])]
    mine["tags"] = tags[:tags.index(0) + 1] if 0 in tags else tags
    symbols = [[s["value"] % (1 << 64), s["size"], re.sub(r"@.*", "", s.get("name", ""))]
               for s in facts.get("dynamic_symbols", [])]
    return mine, symbols


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("dump")
    parser.add_argument("paths", nargs="+")
    args = parser.parse_args()
    if shutil.which("readelf") is None:
        print("no readelf: nothing compared")
        sys.exit(77)
    paths = list(compare_facts.find_files("elf", args.paths))
    if args.limit and len(paths) > args.limit:
        paths = [paths[int(i * len(paths) / args.limit)] for i in range(args.limit)]
    # Annobin's notes have control characters in their names; readelf prints them in its own way.
    differences = files = 0
    with tempfile.NamedTemporaryFile() as listing:
        listing.write(b"".join(os.fsencode(p) + b"\n" for p in paths))
        listing.flush()
        done = subprocess.run([args.dump, "elf", "@" + listing.name], stdout=subprocess.PIPE,
                              check=True)
    for line in done.stdout.split(b"\n"):
        if not line:
            continue
        record = json.loads(line)
        files += 1
        mine, symbols = ours(record)
        theirs = readelf(record["file"])
        for key, value in theirs.items():
            if key == "notes" and any(n[0].startswith("GA") for n in mine["notes"]):
                continue
            # Debug files announce a table that is in their program only; ours reads as yara does.
            if key == "tags" and not value and theirs["segments"]:
                continue
            if mine[key] != value:
                differences += 1
                print(f"{record['file']}: {key}: ours {mine[key]!r}, readelf {value!r}"[:300])
        listed = dynamic_symbols(record["file"])
        if listed != symbols:
            differences += 1
            where = next((i for i, (a, b) in enumerate(zip(symbols, listed)) if a != b), None)
            print(f"{record['file']}: dynamic_symbols: ours {len(symbols)}, readelf "
                  f"{len(listed)}, first difference at {where}")
    print(f"elf: {files} files compared with readelf, {differences} differences")
    sys.exit(1 if differences or files == 0 else 0)


if __name__ == "__main__":
    main()
