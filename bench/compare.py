#!/usr/bin/env python3
"""Run two commands in turn (A B A B ...) and print medians of time and the ratio pair by pair; or one
command alone.

usage: bench/compare.py [-n RUNS] [-b BYTES] 'COMMAND A' ['COMMAND B']

BYTES is what each of them works through, for rates in MB/s (1e6). CPU is user plus system time of the
command and all of its children. Each is run once before, uncounted, so that files are in the page cache."""
import argparse, os, resource, shlex, statistics, subprocess, sys, time


def once(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    code = subprocess.call(shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, code


def main():
    p = argparse.ArgumentParser()
    p.add_argument("-n", type=int, default=5)
    p.add_argument("-b", dest="bytes", type=float, default=0)
    p.add_argument("a")
    p.add_argument("b", nargs="?")
    o = p.parse_args()
    commands = [("A", o.a)] + ([("B", o.b)] if o.b else [])
    runs = {k: [] for k, _ in commands}
    for _, c in commands:
        once(c)
    for _ in range(o.n):
        for k, c in commands:
            runs[k].append(once(c))
    for k, c in commands:
        wall = statistics.median(r[0] for r in runs[k])
        cpu = statistics.median(r[1] for r in runs[k])
        rate = " = %.1f MB/s wall, %.1f MB/s cpu" % (o.bytes / wall / 1e6, o.bytes / cpu / 1e6) if o.bytes else ""
        print("%s: wall %.3f s, cpu %.3f s%s, exit %s  %s" % (k, wall, cpu, rate, runs[k][0][2], c))
    if o.b:
        pairs = list(zip(runs["A"], runs["B"]))
        print("B/A: wall %.2f, cpu %.2f (medians of %d pairs)" % (
            statistics.median(b[0] / a[0] for a, b in pairs),
            statistics.median(b[1] / max(a[1], 1e-9) for a, b in pairs), o.n))


main()
