#!/usr/bin/env python3
"""Rules over YARA's modules without a format (tests, console, time, cuckoo, magic) and over those
with one (dotnet, macho, dex, elf, pe), judged by ours and by Debian's yara; also what console
says, line by line.

    compare_modules.py YARA_CHECK

Modules that this yara lacks (it may be built without) are left out and named. Exits 77 without yara.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

REPORT = {
    "network": {
        "domains": [{"ip": "10.0.0.1", "domain": "evil.example.com"}, {"ip": 7, "domain": "no.ip"},
                    {"domain": "half.example"}],
        "dns": [{"ip": "10.0.0.2", "hostname": "older.example"}],
        "http": [{"uri": "http://example.com/a?b=\u00e9", "method": "GET", "user-agent": "Mozilla/4.0"},
                 {"uri": "http://example.com/post", "method": "pOsT"},
                 {"uri": "http://example.com/put", "method": "PUT", "user-agent": "curl"}],
        "hosts": ["192.168.1.1", "10.0.0.9", ""],
        "tcp": [{"dst": "192.168.1.1", "dport": 443}, {"dst": "10.1.1.1", "dport": "80"},
                {"dst": "10.2.2.2", "dport": 8080.5}],
        "udp": [{"dst": "8.8.8.8", "dport": 53}],
    },
    "behavior": {"summary": {"keys": ["HKEY_LOCAL_MACHINE\\Software\\Run"],
                             "files": ["C:\\WINDOWS\\system32\\a.dll", "b\u0000c"],
                             "mutexes": ["Global\\One", "two"]}},
}

CONDITIONS = {
    "tests": """tests.constants.one == 1
tests.constants.one + 1 == tests.constants.two
tests.constants.foo == "foo" and tests.constants.empty == ""
not tests.constants.empty
tests.constants.foo
tests.constants.empty
defined tests.constants.empty
defined tests.undefined.i
tests.undefined.i == 0
not tests.undefined.i == 0
tests.undefined.f == 0.0
not defined tests.undefined.f
tests.undefined.i or true
tests.integer_array[0] == 0 and tests.integer_array[1] == 1 and tests.integer_array[256] == 256
tests.integer_array[3] == 3
defined tests.integer_array[3]
defined tests.integer_array[1000]
tests.integer_array[tests.integer_array[2]] == 2
tests.string_array[0] == "foo" and tests.string_array[2] == "baz"
tests.string_array[3] == "foo\\x00bar"
tests.string_array[3] contains "bar"
defined tests.string_array[4]
tests.string_array[-1] == "foo"
tests.struct_array[1].i == 1
tests.struct_array[0].i == 1
tests.struct_array[0].i == 1 or true
defined tests.struct_array[0].i
defined tests.struct_array[1].s
tests.string_dict["foo"] == "foo" and tests.string_dict["bar"] == "bar"
defined tests.string_dict["baz"]
defined tests.integer_dict["x"]
tests.struct_dict["foo"].s == "foo" and tests.struct_dict["foo"].i == 1
defined tests.struct_dict["bar"].i
defined tests.module_data
tests.module_data contains "report"
tests.isum(1, 2) == 3 and tests.isum(1, 2, 3) == 6
tests.fsum(1.0, 2.0) == 3.0 and tests.fsum(1.0, 2.0, 3.5) == 6.5
tests.isum(tests.undefined.i, 1) == 1
defined tests.isum(tests.undefined.i, 1)
tests.length("a\\x00b") == 1
tests.length("") == 0
tests.length(tests.string_array[0]) == 3
tests.empty() == ""
tests.foobar(1) == tests.foobar(1) and tests.foobar(2) == "bar" and tests.foobar(9) == "oops"
tests.match(/foo/, "foo") == 3
tests.match(/foo/, "bar") == -1
tests.match(/fo+/, "xfooooy") == 5
tests.match(/fo*?/, "foo") == 1
tests.match(/FOO/i, "foo") == 3
tests.match(/f$/, "xf") == 1
tests.match(/^b/, "ab") == -1
tests.match(/x*/, "") == -1
tests.match(/b/, "a\\x00b") == -1
tests.match(/fo+/, "xfooooy") == 6
tests.match(/f$/, "xf") == 2
tests.match(/x*/, "") == 0
tests.match(/x*/, "abc") == 2
tests.match(/o/, "foo boo") == 6
tests.match(/fo+/, "foo fo") == 6
tests.match(/a{1,2}/, "caaa") == 3
tests.match(/a{1,2}?/, "caaa") == 4
tests.match(/$/, "abc") == -1
tests.match(/^/, "abc") == 0
tests.match(/b|abc/, "abcb") == 3
tests.match(/b.*?/, "abc") == 2
tests.match(/(a|ab)(c|bcd)/, "abcd") == 4
for any s in tests.string_array : ( s == "baz" )
for all s in tests.string_array : ( s == "foo" or s == "bar" )
for any i in tests.integer_array : ( i == 256 )
for all i in tests.integer_array : ( defined i )
for 2 i in tests.integer_array : ( i >= 1 )
for any k, v in tests.string_dict : ( k == "foo" and v == "foo" )
for all k, v in tests.string_dict : ( k == v )
for any k, v in tests.struct_dict : ( k == "foo" and v.s == "foo" and v.i == 1 )
for any x in tests.struct_array : ( x.i == 1 )
for all x in tests.struct_array : ( x.i == 1 )
for any x in tests.empty_struct_array[0].struct_array : ( x.unused == "" )
for any k, v in tests.empty_struct_array[0].struct_dict : ( v.unused == "" )
for any k, v in tests.empty_struct_dict : ( v.unused == 1 )
for all x in tests.empty_struct_array[0].struct_array : ( true )
for any i in (1, 2, tests.constants.two) : ( i == 2 )""",
    "console": """console.log("Hello")
console.log("A ", "b\\x01\\xff \\"c")
console.log(-5)
console.log("n: ", 1234567890123)
console.log(1.5)
console.log("f: ", 0.1)
console.hex(255)
console.hex("h: ", -1)
console.log("") and console.log("", "")
console.log(uint8(0x7fffffff))
false and console.log("never")
console.log("size ", filesize) and console.hex("first ", uint32be(0))""",
    "time": """time.now() > 1600000000
time.now() < 4000000000 and defined time.now()""",
    "cuckoo": r"""cuckoo.network.dns_lookup(/evil\.example/)
cuckoo.network.dns_lookup(/older/)
cuckoo.network.dns_lookup(/no\.ip/)
cuckoo.network.dns_lookup(/half/)
cuckoo.network.http_get(/example\.com\/a/)
cuckoo.network.http_get(/post/)
cuckoo.network.http_post(/post/)
cuckoo.network.http_request(/post/) and cuckoo.network.http_request(/a\?b/)
cuckoo.network.http_request(/put/)
cuckoo.network.http_user_agent(/Mozilla/)
cuckoo.network.http_user_agent(/curl/)
cuckoo.network.http_request(/b=\xc3\xa9$/)
cuckoo.network.host(/^10\./)
cuckoo.network.host(/x*/)
cuckoo.network.host(/^$/)
cuckoo.network.tcp(/192\.168/, 443)
cuckoo.network.tcp(/192\.168/, 80)
cuckoo.network.tcp(/10\.1/, 80)
cuckoo.network.tcp(/10\.2/, 8080)
cuckoo.network.udp(/8\.8/, 53)
cuckoo.registry.key_access(/\\Run$/)
cuckoo.registry.key_access(/Walk/)
cuckoo.filesystem.file_access(/system32\\a\.dll/)
cuckoo.filesystem.file_access(/c/)
cuckoo.filesystem.file_access(/bc/)
cuckoo.sync.mutex(/two/i)
cuckoo.sync.mutex(/THREE/i)
cuckoo.sync.mutex(/Global/) == 1
defined cuckoo.sync.mutex(/x/)""",
    "magic": """magic.type() contains "text"
magic.mime_type() == "text/plain"
magic.mime_type() == "application/x-pie-executable" or magic.mime_type() contains "x-"
magic.mime_type() startswith "image/"
magic.type() contains "ELF"
magic.type() contains "PE32"
defined magic.type()""",
    "dotnet": """dotnet.is_dotnet == 1
defined dotnet.version
dotnet.number_of_streams >= 0""",
    "macho": """defined macho.magic
macho.MH_MAGIC_64 == 0xfeedfacf and macho.CPU_TYPE_X86_64 == 0x1000007""",
    "dex": """defined dex.header.magic
dex.ACC_PUBLIC == 1""",
    "elf": """elf.type == elf.ET_DYN
elf.machine == elf.EM_X86_64
for any s in elf.sections : ( s.name == ".text" )""",
    "pe": """pe.is_pe
pe.machine == pe.MACHINE_AMD64
pe.number_of_sections > 2 and for any s in pe.sections : ( s.name == ".text" )""",
}


def says(tool, *args):
    done = subprocess.run([*tool, *args], capture_output=True, check=False)
    return done.returncode, done.stdout.decode("latin-1").splitlines(), done.stderr.decode("latin-1")


def known_by_yara(module, path):
    with open(path, "w", encoding="ascii") as f:
        f.write(f'import "{module}" rule a {{ condition: true }}\n')
    return says(["yara"], path, path)[0] == 0


def write_files(folder):
    """A few kinds of objects."""
    files = {"text": b"plain words\nin lines\n", "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0",
             "empty": b"", "zip": b"PK\3\4\x14\0\0\0\0\0", "script": b"#!/bin/sh\necho\n"}
    paths = []
    for name, data in files.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as f:
            f.write(data)
    for other in ("/bin/true", "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/notepad.exe"):
        if os.path.exists(other):
            paths.append(other)
    return paths


def main():
    check = sys.argv[1]
    if shutil.which("yara") is None:
        print("no yara: nothing compared")
        sys.exit(77)
    compared = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(folder)
        report = os.path.join(folder, "report")
        with open(report, "w", encoding="utf-8") as f:
            json.dump(REPORT, f, ensure_ascii=False)
        data = os.path.join(folder, "data")
        with open(data, "w", encoding="ascii") as f:
            f.write("a report\n")
        for module, text in CONDITIONS.items():
            rules = os.path.join(folder, module + ".yar")
            if not known_by_yara(module, rules):
                print(f"{module}: this yara lacks it")
                continue
            lines = text.splitlines()
            with open(rules, "w", encoding="utf-8") as f:
                f.write(f'import "{module}"\n')
                for i, condition in enumerate(lines):
                    f.write(f"rule r{i} {{ condition: {condition} }}\n")
            for given in ([], ["-x", "cuckoo=" + report, "-x", "tests=" + data]):
                if given and module not in ("cuckoo", "tests"):
                    continue
                for path in paths:
                    code, theirs, error = says(["yara"], *given, rules, path)
                    ours_code, ours, ours_error = says([check], "-q", "-t", *given, rules, "-s", path)
                    if code != 0 or ours_code != 0:
                        wrong += 1
                        print(f"{module}: {path}: yara {error} ours {ours_error}")
                        continue
                    compared += len(lines)
                    for line in sorted(set(theirs) ^ set(ours)):
                        wrong += 1
                        number = line.partition(" ")[0][1:]
                        what = lines[int(number)] if number.isdigit() and line[0] == "r" else line
                        print(f"{module}: {path}: only {'yara' if line in theirs else 'ours'}: {what}")
                    if module == "console":
                        said = [[l for l in out if not (l.startswith("r") and l.endswith(path))]
                                for out in (theirs, ours)]
                        if said[0] != said[1]:
                            wrong += 1
                            print(f"console: {path}: yara {said[0]}, ours {said[1]}")
    print(f"modules: {compared} answers compared, {wrong} differences")
    sys.exit(1 if wrong or compared == 0 else 0)


if __name__ == "__main__":
    main()
