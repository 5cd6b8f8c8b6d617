#!/usr/bin/env python3
"""`holdfast inspect` as people use it."""
import hashlib, json, os, subprocess, sys, zipfile
from tap import HOLDFAST, Skip, case, main, run, eicar


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
    texts = [note["text"] for note in o["facts"]["notes"]]
    assert any("section headers are announced, 0 lie in the file" in t for t in texts), texts
    text = inspect("cut").stdout.decode()
    assert "\n  notes (" in text and "past the end of the file\n" in text, text


WINE = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/notepad.exe"


def need_wine():
    if not os.path.exists(WINE):
        raise Skip("Wine's programs are not installed")


@case
def numbers_are_shown_with_their_names():
    text = inspect(sys.executable).stdout.decode()
    assert "62  X86_64\n" in text or "183  AARCH64\n" in text, text
    assert "  PROGBITS" in text and "  NEEDED " in text and "  LOAD " in text, text
    need_wine()
    text = inspect(WINE).stdout.decode()
    for part in ("34404  AMD64\n", "WINDOWS_GUI\n", "CNT_CODE MEM_EXECUTE MEM_READ",
                 "  0  EXPORT", "imphash  "):
        assert part in text, part
    code, (report,) = inspect_json(WINE)
    pe = report["inspected"][0]["facts"]["pe"]
    assert code == 0 and pe["machine"] == 34404 and len(pe["imphash"]) == 32


@case
def facts_are_those_of_the_format_only():
    need_wine()
    code, (report,) = inspect_json(WINE)
    facts = report["inspected"][0]["facts"]
    assert code == 0 and "pe" in facts and "dotnet" not in facts, facts.keys()
    text = inspect(WINE).stdout.decode()
    assert "dotnet" not in text and "present" not in text, text
    assert len(inspect("--all", WINE).stdout) > len(text)


@case
def what_a_compressor_packed_has_a_line_of_its_own():
    import gzip
    with open("f.gz", "wb") as f:
        f.write(gzip.compress(b"text\n"))
    assert b"\n  (contents)\n    format  text\n" in inspect("f.gz").stdout


@case
def an_empty_file_is_an_object_too():
    open("empty", "wb").close()
    code, (report,) = inspect_json("empty")
    assert code == 0 and report["verdict"] == "clean", report
    assert inspect("empty").stdout.startswith(b"empty\n")


main()
