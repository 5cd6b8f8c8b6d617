#!/usr/bin/env python3
"""Compare the functions of the hash and math modules with yara's, by console.log.

    compare_calls.py FACTS_CALLS [COUNT]

Files of several sizes and textures are made; for each, COUNT random calls are put in one rule.
Exits 1 on a difference, 77 when there is no yara.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

RANGES = [("hash", "md5", "ii", "s"), ("hash", "sha1", "ii", "s"), ("hash", "sha256", "ii", "s"),
          ("hash", "checksum32", "ii", "i"), ("hash", "crc32", "ii", "i"),
          ("math", "deviation", "iif", "f"), ("math", "mean", "ii", "f"),
          ("math", "serial_correlation", "ii", "f"), ("math", "monte_carlo_pi", "ii", "f"),
          ("math", "entropy", "ii", "f"), ("math", "mode", "ii", "i")]
BYTES = [("math", "count", "iii", "i"), ("math", "percentage", "iii", "f")]
STRINGS = [("hash", "md5", "s", "s"), ("hash", "sha1", "s", "s"), ("hash", "sha256", "s", "s"),
           ("hash", "checksum32", "s", "i"), ("hash", "crc32", "s", "i"),
           ("math", "deviation", "sf", "f"), ("math", "mean", "s", "f"),
           ("math", "serial_correlation", "s", "f"), ("math", "monte_carlo_pi", "s", "f"),
           ("math", "entropy", "s", "f")]
OTHERS = [("math", "in_range", "fff", "i"), ("math", "min", "ii", "i"), ("math", "max", "ii", "i"),
          ("math", "abs", "i", "i"), ("math", "to_number", "b", "i"), ("math", "count", "i", "i"),
          ("math", "percentage", "i", "f"), ("math", "mode", "", "i")]


def make_files(folder, rng):
    contents = {"one": b"\x80", "empty": b"", "zeros": bytes(5000), "text": b"Hello, world.\n" * 99,
                "six": b"\x01\xff\x80\x7f\x00\x10", "noise": rng.randbytes(20000),
                "steps": bytes(i // 7 % 256 for i in range(9999))}
    for name, data in contents.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(data)
        yield path, len(data)


def integer(rng, size):
    return rng.choice([0, 1, 2, 5, 6, size - 1, size, size + 1, size // 2, -1, 255, 1 << 40,
                       (1 << 63) - 1, rng.randrange(size + 1), rng.randrange(100)])


def one_call(rng, size):
    """(what yara is given, what facts_calls is given, type of the result)"""
    group = rng.choice([RANGES, RANGES, BYTES, STRINGS, OTHERS])
    module, name, signature, result = rng.choice(group)
    shown, given = [], []
    for place, kind in enumerate(signature):
        if kind == "i":
            value = integer(rng, size)
            if group is BYTES and place == 0 or group is OTHERS and name in ("count", "percentage"):
                value = rng.choice([0, 0x20, 0x48, 255, 256, -1, 300])
            shown.append(str(value))
            given.append(str(value))
        elif kind == "f":
            value = rng.choice([0.0, 127.5, 1.5, 64.25, 255.0])
            shown.append(str(value))
            given.append(str(value))
        elif kind == "b":
            value = rng.randrange(2)
            shown.append(f"{value} == 1")
            given.append(str(value))
        else:
            value = rng.randbytes(rng.choice([1, 2, 5, 6, 7, 13, 60]))
            shown.append('"' + "".join("\\x%02x" % b for b in value) + '"')
            given.append("x" + value.hex())
    return (f"{module}.{name}({', '.join(shown)})",
            f"{module} {name} {signature or '-'} {' '.join(given)}", result)


def by_yara(path, calls):
    # Undefined results are not logged; a float has six digits behind the point, so that a second
    # line tells more of small ones.
    body = []
    for i, (shown, _, result) in enumerate(calls):
        body.append(f'(console.log("{i}=", {shown}) or true)')
        if result == "f":
            body.append(f'(console.log("{i}*=", {shown} * 1000000000.0) or true)')
    rule = ('import "hash" import "math" import "console"\nrule r { condition: '
            + " and ".join(body) + " }\n")
    with tempfile.NamedTemporaryFile("w", suffix=".yar") as f:
        f.write(rule)
        f.flush()
        done = subprocess.run(["yara", "-w", f.name, path], capture_output=True, text=True,
                              check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\n") if "=" in line)


def close(a, b):
    return abs(float(a) - float(b)) <= 1e-6 + 1e-11 * abs(float(a)) or a == b


def main():
    if shutil.which("yara") is None:
        print("no yara: nothing compared")
        sys.exit(77)
    rng = random.Random(4)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    compared = wrong = undefined = 0
    with tempfile.TemporaryDirectory() as folder:
        for path, size in make_files(folder, rng):
            calls = [one_call(rng, size) for _ in range(count)]
            theirs = by_yara(path, calls)
            done = subprocess.run([sys.argv[1], path], text=True, capture_output=True, check=True,
                                  input="".join(given + "\n" for _, given, _ in calls))
            for i, ours in enumerate(done.stdout.split("\n")[:-1]):
                shown, _, result = calls[i]
                yara = theirs.get(str(i), "undefined")
                compared += 1
                undefined += yara == "undefined"
                if result == "s" and ours.startswith("x"):
                    ours = bytes.fromhex(ours[1:]).decode()
                same = ours == yara
                if result == "f" and "undefined" not in (ours, yara):
                    same = (yara.lstrip("-") == ours.lstrip("-") if "nan" in (yara + ours)
                            else close(ours, yara) and
                            close(float(ours) * 1e9, theirs[f"{i}*"]))
                if not same:
                    wrong += 1
                    print(f"{os.path.basename(path)}: {shown}: ours {ours}, yara {yara}")
    print(f"{compared} calls compared, {undefined} undefined, {wrong} differences")
    sys.exit(1 if wrong or undefined == compared else 0)


if __name__ == "__main__":
    main()
