#!/usr/bin/env python3
"""Compare facts field by field with `yara --print-module-data`.

    compare_facts.py [--limit N] [--expect FILE] [--make SCRIPT EVERY] FACTS_DUMP MODULE PATH...

PATH is a file, a folder (every regular file below it that starts with the module's magic), or
@LIST with one path a line. Reports every field that differs; exits 1 when one does that is not
listed in the --expect file (lines: a pattern of fnmatch for the field, or for the file's name with
the field behind it, a tab, the reason). --make compares
also the files that `SCRIPT FOLDER --every EVERY` writes. Exits 77 when there is no yara.
"""
import argparse
import collections
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

MAGIC = {"elf": [b"\x7fELF"], "pe": [b"MZ"], "macho": [b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf",
         b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"], "dotnet": [b"MZ"],
         "dex": [b"dex\n"]}
DIALECT = {"dotnet": ["--yara42"]}  # where facts_dump can answer as Debian's yara does
BATCH = 200


def printable(text):
    """A string of our JSON as yara prints it."""
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(b) if 32 <= b < 127 else "\\x%02x" % b for b in data)


def parse_yara(lines):
    """yara's indented tree as {path: value}; undefined values are left out."""
    values, stack, names = {}, [], set()
    for line in lines:
        body = line.lstrip("\t")
        depth = len(line) - len(body)
        del stack[depth:]
        name, equals, value = body.partition(" = ")
        path = "".join(stack) + (name if name.startswith("[") else "." + name)
        if not equals:
            stack.append(path[len("".join(stack)):])
            continue
        names.add(re.sub(r"\[[^]]*\]", "[]", path))
        if value == "YR_UNDEFINED":
            continue
        values[path] = value[1:-1] if value.startswith('"') else value
    return values, names


def flatten(prefix, value, out):
    if isinstance(value, dict):
        for key, inner in value.items():
            flatten(f"{prefix}.{key}", inner, out)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            flatten(f"{prefix}[{i}]", inner, out)
    elif isinstance(value, bool):
        out[prefix] = str(int(value))
    elif isinstance(value, int):
        out[prefix] = str(value)
    elif isinstance(value, float):
        out[prefix] = "%f" % value
    elif isinstance(value, str):
        out[prefix] = printable(value)


def flatten_dicts(module, facts):
    """yara writes dictionary entries as name["key"]."""
    out = {}
    for key, value in facts.items():
        if isinstance(value, dict) and key in DICTS.get(module, ()):
            for k, v in value.items():
                flatten(f'.{module}.{key}["{printable(k)}"]', v, out)
        else:
            flatten(f".{module}.{key}", value, out)
    return out


DICTS = {"pe": {"version_info"}}


def run_yara(module, paths):
    """Yield (path, values, names) in the order in which yara reports. A file at which yara
    crashes is named and left out."""
    while paths:
        seen = set()
        for answer in run_yara_once(module, paths):
            seen.add(answer[0])
            yield answer
        paths = [p for p in paths if p not in seen]
        if paths:
            print(f"{paths[0]}: yara gave no answer")
            paths = paths[1:]


def run_yara_once(module, paths):
    with tempfile.TemporaryDirectory() as folder:
        rule = os.path.join(folder, "all.yar")
        listing = os.path.join(folder, "list")
        with open(rule, "w", encoding="utf-8") as f:
            f.write(f'import "{module}"\nrule all_of_them {{ condition: true }}\n')
        with open(listing, "wb") as f:
            f.write(b"".join(os.fsencode(p) + b"\n" for p in paths))
        done = subprocess.run(["yara", "-w", "-D", "-p", "1", "--scan-list", rule, listing],
                              stdout=subprocess.PIPE, check=False)
    lines = []
    for raw in done.stdout.decode("utf-8", "surrogateescape").split("\n"):
        if raw.startswith("all_of_them "):
            values, names = parse_yara(lines)
            yield raw[len("all_of_them "):], values, names
            lines = []
        else:
            lines.append(raw)


def run_ours(dump, module, paths):
    with tempfile.NamedTemporaryFile() as listing:
        listing.write(b"".join(os.fsencode(p) + b"\n" for p in paths))
        listing.flush()
        done = subprocess.run([dump, *DIALECT.get(module, []), module, "@" + listing.name],
                              stdout=subprocess.PIPE, check=True)
    facts = {}
    for line in done.stdout.split(b"\n"):
        if line:
            record = json.loads(line)
            facts[record["file"]] = flatten_dicts(module, record["facts"])
    return facts


def constants(dump, module):
    done = subprocess.run([dump, "--constants", module], stdout=subprocess.PIPE, check=True)
    known = {}
    flatten(f".{module}", json.loads(done.stdout), known)
    return known


def find_files(module, roots):
    magics = MAGIC[module]
    for root in roots:
        if root.startswith("@"):
            with open(root[1:], encoding="utf-8", errors="surrogateescape") as f:
                yield from (line.rstrip("\n") for line in f)
        elif not os.path.isdir(root):
            yield root
        else:
            for folder, dirs, names in os.walk(root):
                dirs.sort()
                for name in sorted(names):
                    path = os.path.join(folder, name)
                    if os.path.islink(path) or not os.path.isfile(path) or "\n" in path:
                        continue
                    try:
                        with open(path, "rb") as f:
                            head = f.read(4)
                    except OSError:
                        continue
                    if any(head.startswith(m) for m in magics):
                        yield path


def expectations(path):
    rows = []
    if path:
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line.strip() and not line.startswith("#"):
                    pattern, _, reason = line.rstrip("\n").partition("\t")
                    rows.append((pattern, reason))
    return rows


def made_files(args, folder):
    if not args.make:
        return []
    subprocess.run([args.make[0], folder, "--every", args.make[1]], stdout=subprocess.DEVNULL,
                   check=True)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def compare(args, made):
    expected = expectations(args.expect)
    known = constants(args.dump, args.module)
    paths = list(dict.fromkeys(find_files(args.module, args.paths)))
    if args.limit and len(paths) > args.limit:
        step = len(paths) / args.limit
        paths = [paths[int(i * step)] for i in range(args.limit)]
    paths += made
    fields = files = 0
    differences, listed = collections.Counter(), collections.Counter()
    for start in range(0, len(paths), BATCH):
        batch = paths[start:start + BATCH]
        ours = run_ours(args.dump, args.module, batch)
        for path, theirs, names in run_yara(args.module, batch):
            mine = ours.pop(path, None)
            if mine is None:
                continue
            files += 1
            mine.update(known)
            mine = {k: v for k, v in mine.items() if re.sub(r"\[[^]]*\]", "[]", k) in names
                    or k in theirs}
            for key in sorted(mine.keys() | theirs.keys()):
                fields += 1
                a, b = mine.get(key), theirs.get(key)
                if a == b:
                    continue
                general = re.sub(r"\[[^]]*\]", "[]", key)
                there = os.path.basename(path) + general
                if any(fnmatch.fnmatch(n, p) for p, _ in expected for n in (general, there)):
                    listed[general] += 1
                    continue
                differences[general] += 1
                if differences[general] <= args.show:
                    print(f"{path}: {key}: ours {a!r}, yara {b!r}")
    print(f"{args.module}: {files} files, {fields} fields compared, "
          f"{sum(differences.values())} differences, {sum(listed.values())} listed")
    for name, count in differences.most_common():
        print(f"  {count:8} {name}")
    return 1 if differences or files == 0 else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--limit", type=int, default=0, help="a sample of so many files")
    parser.add_argument("--show", type=int, default=5, help="differences shown of each field")
    parser.add_argument("--expect", help="file of known differences")
    parser.add_argument("--make", nargs=2, metavar=("SCRIPT", "EVERY"), help="files made for it")
    parser.add_argument("dump", help="the facts_dump program")
    parser.add_argument("module")
    parser.add_argument("paths", nargs="*")
    args = parser.parse_args()
    if shutil.which("yara") is None:
        print("no yara: nothing compared")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(compare(args, made_files(args, folder)))


if __name__ == "__main__":
    main()
