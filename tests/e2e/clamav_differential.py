#!/usr/bin/env python3
"""Signatures of every kind and files at their borders, judged by holdfast and by clamscan:
clamav_differential.py [SIGNATURES [ROUNDS [SEED]]].

Each file is a case: all names that match it (holdfast scan -a, clamscan -z) must be the same. Without
arguments what `make check` runs: some 5,000 files, always the same ones. `make differential` runs more, each
time others. What differs on purpose is left out by the generator (clamav_random.py) and listed in
docs/clamav-compatibility.md."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clamav_random  # noqa: E402
from tap import HOLDFAST  # noqa: E402

FILES_EACH = 4
# Comparisons are evaluated by clamscan only beside a signature with a gap.
GAP = 'Gap:0:*:f0f1f2f3f4f5*f6f7f8f9fafb'


def write_databases(folder, lines):
    os.makedirs(folder)
    for ending, some in lines.items():
        with open(os.path.join(folder, 'db.' + ending), 'w') as f:
            f.writelines(line + '\n' for line in some)


def loaded(folder, cases):
    """The cases whose lines clamscan loads: one bad line ends a load, so it is taken out by its number."""
    by_ending, kept, dropped = {}, [], 0
    for case in cases:
        by_ending.setdefault(case[1], []).append(case)
    empty = os.path.join(folder, 'empty')
    open(empty, 'wb').close()
    for ending, some in by_ending.items():
        while some:
            path = os.path.join(folder, 'try.' + ending)
            with open(path, 'w') as f:
                f.writelines(c[2] + '\n' for c in some)
            run = subprocess.run(['clamscan', '--no-summary', '-d', path, empty], capture_output=True, text=True)
            m = re.search(r'[Pp]roblem parsing database at line (\d+)', run.stderr + run.stdout)
            os.unlink(path)
            if not m:
                break
            some.pop(int(m[1]) - 1)
            dropped += 1
        kept += some
    return kept, dropped


def clamscan(folder, database, names, arguments=('-z',)):
    """Names by file; None for a file on which clamscan crashes."""
    result = {}
    if not names:
        return result
    listing = os.path.join(folder, 'list')
    with open(listing, 'w') as f:
        f.writelines(os.path.join(folder, 'files', n) + '\n' for n in names)
    run = subprocess.run(['clamscan', *arguments, '--no-summary', '--infected', '--disable-cache', '-d', database, '-f', listing],
                         capture_output=True, text=True)
    if run.returncode == 2:
        raise RuntimeError(run.stderr[:300])
    if run.returncode < 0:
        if len(names) == 1:
            return {names[0]: None}
        half = len(names) // 2
        result = clamscan(folder, database, names[:half], arguments)
        result.update(clamscan(folder, database, names[half:], arguments))
        return result
    for line in run.stdout.splitlines():
        m = re.match(r'.*/([^/:]+): (\S+?)(\.UNOFFICIAL)? FOUND', line)
        if m:
            result.setdefault(m[1], set()).add(m[2])
    return result


def holdfast(folder, database, arguments=('-a',)):
    run = subprocess.run([HOLDFAST, 'scan', *arguments, '--json', '-d', database, os.path.join(folder, 'files')],
                         capture_output=True, text=True)
    result = {}
    for line in run.stdout.splitlines():
        o = json.loads(line)
        if 'path' in o:
            result[os.path.basename(o['path'])] = {e['name'] for e in o['evidence']}
    return result


def compare_first(folder, database, cases, names):
    """The one name that a file gets. Not compared: where clamscan takes a name that stands back although there
    are others, and members of a ZIP, of which clamscan reads the list before it opens the first."""
    listed = {'S%d' % c[0] for c in cases if c[1] == 'cdb'}
    theirs, ours = clamscan(folder, database, names, ()), holdfast(folder, database, ())
    differences = []
    for name in names:
        a, b = theirs.get(name), ours.get(name, set())
        if name in theirs and (a is None or any('.' in n or n in listed for n in a)):
            continue
        if (a or set()) != b:
            differences.append('%s is called %s by clamscan, %s by holdfast: %s' % (
                name, a, b, [c[2] for c in cases if 'S%d' % c[0] in (a or set()) | b]))
    return differences


def compare(folder, signatures):
    cases, dropped = loaded(folder, list(clamav_random.cases(signatures)))
    lines = {'ndb': [GAP]}
    for case in cases:
        lines.setdefault(case[1], []).append(case[2])
        for ending, line in case[4]:
            lines.setdefault(ending, []).append(line)
    # clamscan reads a bare name behind a name with a digest as one with a damaged digest.
    lines.get('ign2', []).sort(key=lambda line: line.count(':'))
    write_databases(os.path.join(folder, 'db'), lines)
    os.makedirs(os.path.join(folder, 'files'))
    made = {}
    for number, ending, line, make, _ in cases:
        for k in range(FILES_EACH):
            name = 'f%d-%d' % (number, k)
            made[name] = line
            with open(os.path.join(folder, 'files', name), 'wb') as f:
                f.write(make())
    database = os.path.join(folder, 'db')
    theirs, ours = clamscan(folder, database, list(made)), holdfast(folder, database)
    differing, hits, crashes = {}, 0, 0
    for name in made:
        if name in theirs and theirs[name] is None:
            crashes += 1
            continue
        a, b = ours.get(name, set()), theirs.get(name, set())
        hits += len(b)
        for signature in a ^ b:
            differing.setdefault(signature, []).append((name, 'holdfast' if signature in a else 'clamscan'))
    differences = []
    for signature, files in differing.items():
        # A file that was made for the signature says more than others.
        name, who = min(files, key=lambda f: not f[0].startswith('f' + signature.split('.')[-1][1:] + '-'))
        with open(os.path.join(folder, 'files', name), 'rb') as f:
            data = f.read()
        line = [(c[2], c[4]) for c in cases if 'S%d' % c[0] == signature.split('.')[-1]]
        differences.append('%s: %d files, only %s finds it in %s: %s, %d bytes %s' % (
            signature, len(files), who, name, line, len(data), data[:400]))
    differences += compare_first(folder, database, cases, list(made))
    print('# %d signatures (%d more not loaded by clamscan), %d files, %d matches, %d differ, clamscan crashed on %d' % (
        len(cases), dropped, len(made), hits, len(differences), crashes))
    return differences, hits, len(made)


def main():
    signatures = int(sys.argv[1]) if len(sys.argv) > 1 else 1300
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if shutil.which('clamscan') is None:
        print('1..0 # SKIP clamscan is not installed')
        return 0
    print('1..%d' % rounds)
    bad = 0
    for n in range(rounds):
        random.seed(seed * 1000003 + n)
        with tempfile.TemporaryDirectory() as folder:
            differences, hits, files = compare(folder, signatures)
        fine = not differences and hits > files / 10
        bad += not fine
        for d in differences[:200 if os.environ.get('SHOW') else 5]:
            print('# ' + d)
        print('%sok %d - signatures of every kind at random, as clamscan (round %d)' % ('' if fine else 'not ', n + 1, n))
    return bad > 0


if __name__ == '__main__':
    sys.exit(main())
