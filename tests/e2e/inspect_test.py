#!/usr/bin/env python3
"""`holdfast inspect` as people use it."""
import hashlib, json, os, subprocess, sys, zipfile
from tap import HOLDFAST, case, main, need, run, eicar


def inspect(*args, **more):
    return run(HOLDFAST, "inspect", *args, **more)


def inspect_json(*args, **more):
    r = inspect("--json", *args, **more)
    return r.returncode, [json.loads(line) for line in r.stdout.decode("utf-8").splitlines()]


@case
def a_program_is_shown_with_its_facts():
    with open(sys.executable, "rb") as f:
        data = f.read()
    code, (report,) = inspect_json(sys.executable)
    (o,) = report["inspected"]
    assert code == 0 and report["verdict"] == "clean" and o["inner"] == [], report
    assert o["format"] == "elf" and o["size"] == len(data)
    for kind in ("md5", "sha1", "sha256"):
        assert o[kind] == hashlib.new(kind, data).hexdigest()
    elf = o["facts"]["elf"]
    assert elf["number_of_sections"] == len(elf["sections"]) and o["facts_complete"]
    r = inspect(sys.executable)
    text = r.stdout.decode()
    assert r.returncode == 0 and "  format  elf\n" in text and o["sha256"] in text
    assert "\n  elf\n    type " in text and "more\n" in text


@case
def objects_inside_are_shown_where_they_are():
    with zipfile.ZipFile("in.zip", "w") as z:
        z.writestr("a.txt", "text\n")
        z.writestr("b\x1b[1m\n.com", eicar())
    with zipfile.ZipFile("out.zip", "w") as z:
        z.write("in.zip")
    code, (report,) = inspect_json("out.zip")
    assert code == 0 and report["verdict"] == "infected", report
    assert [o["inner"] for o in report["inspected"]] == [
        [], ["in.zip"], ["in.zip", "a.txt"], ["in.zip", "b\x1b[1m\n.com"]], report
    assert report["inspected"][3]["sha256"] == hashlib.sha256(eicar()).hexdigest()
    r = inspect("out.zip")
    assert b"\n    b\\x1b[1m\\n.com\n" in r.stdout.replace(b"      b", b"    b"), r.stdout
    assert b"  found   " in r.stdout and b"\x1b" not in r.stdout


@case
def standard_input_and_several_files():
    with open("a", "wb") as f:
        f.write(b"one\n")
    code, reports = inspect_json("a", "-", input=b"\x7fELF" + bytes(100))
    assert code == 0 and [r["path"] for r in reports] == ["a", "-"], reports
    assert reports[1]["format"] == "elf" and reports[1]["inspected"][0]["facts"] == {}


@case
def what_is_no_file_is_an_error_and_the_rest_is_shown():
    os.mkdir("folder")
    os.mkfifo("fifo")
    with open("a", "wb") as f:
        f.write(b"one\n")
    r = inspect("folder", "fifo", "missing", "a")
    assert r.returncode == 2, r
    for name, why in (("folder", "is a folder"), ("fifo", "not a regular file"),
                      ("missing", "No such file or directory")):
        assert f"holdfast inspect: {name}: {why}\n".encode() in r.stderr, r.stderr
    assert b"\na\n" in b"\n" + r.stdout, r.stdout
    assert inspect().returncode == 2


@case
def damage_is_shown_as_far_as_it_can_be():
    with open(sys.executable, "rb") as f:
        data = f.read(5000)
    with open("cut", "wb") as f:
        f.write(data)
    code, (report,) = inspect_json("cut")
    (o,) = report["inspected"]
    assert code == 0 and o["facts"]["elf"]["type"] in (2, 3), o


@case
def an_empty_file_is_an_object_too():
    open("empty", "wb").close()
    code, (report,) = inspect_json("empty")
    assert code == 0 and report["verdict"] == "clean", report
    assert inspect("empty").stdout.startswith(b"empty\n")


main()
