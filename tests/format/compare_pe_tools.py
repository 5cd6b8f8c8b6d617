#!/usr/bin/python3
"""Compare PE facts about which yara says nothing with `objdump -p` (directories, exports and their
forwarders, base relocations, debug directory) and with pefile (TLS, load configuration, bound and
delayed imports, checksum).

    compare_pe_tools.py [--limit N] FACTS_DUMP PATH...     (folders are searched for PE files)

Adds programs that it builds with mingw: thread local storage with callbacks, forwarded exports,
delayed imports, of 32 and 64 bits. Exits 1 when something differs.
"""
import argparse
import collections
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
try:
    import pefile
except ImportError:
    pefile = None

OBJDUMP = "x86_64-w64-mingw32-objdump"

TLS_SOURCE = """
#include <windows.h>
static void NTAPI first(PVOID a, DWORD b, PVOID c) { (void)a; (void)b; (void)c; }
static void NTAPI second(PVOID a, DWORD b, PVOID c) { (void)b; (void)c; (void)a; }
__attribute__((section(".CRT$XLB"), used)) PIMAGE_TLS_CALLBACK p1 = first;
__attribute__((section(".CRT$XLC"), used)) PIMAGE_TLS_CALLBACK p2 = second;
static __thread int counter = 7;
int main(void) { Sleep(1); return counter; }
"""
DLL_SOURCE = "int own(int a) { return a + 1; }\nint other(int a) { return a + 2; }\n"
DLL_DEF = """LIBRARY made.dll
EXPORTS
  own
  other @7
  hidden = other @9 NONAME
  Sleep = KERNEL32.Sleep
"""
# What this linker does not write: tables in a section, to which the directories are then set.
TABLES_SOURCE = """
.section .rdata
.globl delay_table
delay_table:
  .long 1
  .rva late_name, late_module, late_slots, late_names
  .long 0, 0, 0
  .long 0, 0, 0, 0, 0, 0, 0, 0
late_name: .asciz "late.dll"
.balign 8
late_module: .quad 0
late_slots:  .{word} 0x401000, 0x401006, 0x40100c, 0
late_names:  .rva late_one
{pad}
  .rva late_two
{pad}
  .{word} {ordinal}
  .{word} 0
late_one: .short 3
  .asciz "late_one"
.balign 2
late_two: .short 4
  .asciz "late_two"
.text
.globl {prefix}main
{prefix}main: xor %eax, %eax
  ret
"""


# Bound imports lie behind the section headers: time, name, number of those that follow it.
BOUND = [(0x5f000001, 40, 0), (0x5f000002, 53, 2), (0x5f000003, 40, 0), (0x5f000004, 53, 0), (0, 0, 0)]
BOUND_TABLE = b"".join(struct.pack("<IHH", *row) for row in BOUND) + b"KERNEL32.dll\0USER32.dll\0"


def set_directories(path, delay_table):
    """Add bound imports; point the directory of delayed imports at their address."""
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        nt, = struct.unpack_from("<I", data, 60)
        sections, optional_size = struct.unpack_from("<H12xH", data, nt + 6)
        wide = data[nt + 24:nt + 26] == b"\x0b\x02"
        directories = nt + 24 + (112 if wide else 96)
        base, = struct.unpack_from("<Q" if wide else "<I", data, nt + (48 if wide else 52))
        bound = nt + 24 + optional_size + 40 * sections
        assert not any(data[bound:bound + len(BOUND_TABLE)]), "no room behind the headers"
        data[bound:bound + len(BOUND_TABLE)] = BOUND_TABLE
        struct.pack_into("<II", data, directories + 8 * 11, bound, len(BOUND_TABLE))
        struct.pack_into("<II", data, directories + 8 * 13, delay_table - base, 64)
        f.seek(0)
        f.write(data)


def build_tables(run, folder, arch):
    """A program with delayed and bound imports."""
    wide = arch == "x86_64"
    name, prefix = f"tables-{arch}.exe", "" if wide else "_"
    with open(os.path.join(folder, f"tables-{arch}.s"), "w", encoding="ascii") as f:
        f.write(TABLES_SOURCE.format(word="quad" if wide else "long", prefix=prefix,
                                     pad=".long 0" if wide else "",
                                     ordinal=hex((1 << 63 if wide else 1 << 31) + 77)))
    tool = arch + "-w64-mingw32-"
    run(tool + "gcc", "-o", name, f"tables-{arch}.s")
    out = subprocess.run([tool + "nm", name], cwd=folder, capture_output=True, check=True).stdout
    at = {line.split()[2]: int(line.split()[0], 16) for line in out.decode().splitlines()
          if len(line.split()) == 3}
    set_directories(os.path.join(folder, name), at["delay_table"])
    return name


def build(folder):
    """Programs of both widths; a toolchain that is missing is told and left out."""
    def run(*command):
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)

    for name, text in (("tls.c", TLS_SOURCE), ("dll.c", DLL_SOURCE), ("dll.def", DLL_DEF)):
        write(name, text)
    made = []
    for arch in ("x86_64", "i686"):
        tool = arch + "-w64-mingw32-"
        if shutil.which(tool + "gcc") is None:
            print(f"no {tool}gcc: programs of this kind are left out")
            continue
        run(tool + "gcc", "-o", f"tls-{arch}.exe", "tls.c")
        run(tool + "gcc", "-shared", "-o", f"dll-{arch}.dll", "dll.c", "dll.def")
        made += [f"tls-{arch}.exe", f"dll-{arch}.dll", build_tables(run, folder, arch)]
    return [os.path.join(folder, name) for name in made]


# ---- objdump ----

def objdump_facts(path):
    done = subprocess.run([OBJDUMP, "-p", path], capture_output=True, check=False)
    if done.returncode != 0:
        return None
    out = done.stdout.decode("latin-1")
    facts = {}
    facts["directories"] = [[int(a, 16), int(s, 16)] for a, s in
                            re.findall(r"^Entry [0-9a-f] ([0-9a-f]+) ([0-9a-f]+) ", out, re.M)]
    base = re.search(r"^Ordinal Base\s+(\d+)", out, re.M)
    facts["exports"] = {}
    if base:
        for i, rva, kind in re.findall(r"^\t\[ *(\d+)\] \+base\[ *\d+\] ([0-9a-f]+) (Export|Forwarder) RVA",
                                       out, re.M):
            facts["exports"][int(i) + int(base.group(1))] = [int(rva, 16), None, None]
        for i, target in re.findall(r"^\t\[ *(\d+)\] \+base\[ *\d+\] [0-9a-f]+ Forwarder RVA -- (.*)$",
                                    out, re.M):
            facts["exports"][int(i) + int(base.group(1))][1] = target
        names = out.partition("[Ordinal/Name Pointer] Table\n")[2].partition("\n\n")[0]
        for i, name in re.findall(r"^\t\[ *(\d+)\] (.*)$", names, re.M):
            row = facts["exports"].get(int(i) + int(base.group(1)))
            if row is not None:
                row[2] = (row[2] or []) + [name]
    chunks = re.findall(r"^Virtual Address: ([0-9a-f]+) Chunk size (\d+)", out, re.M)
    fixups = re.findall(r"^\treloc +\d+ offset +[0-9a-f]+ \[[0-9a-f]+\] (\S+)", out, re.M)
    facts["relocations"] = [len(chunks), sum(kind != "ABSOLUTE" for kind in fixups)]
    debug = out.partition("There is a debug directory")[2].partition("\n\n")[2].partition("\n\n")[0]
    facts["debug"] = [[int(kind), int(size, 16), int(rva, 16), int(at, 16)] for kind, size, rva, at in
                      re.findall(r"^ *(\d+) +\S.*? ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})$", debug, re.M)]
    return facts


# ---- pefile ----

LOAD_CONFIG = {"Size": "size", "TimeDateStamp": "timestamp", "SecurityCookie": "security_cookie",
               "SEHandlerTable": "handler_table", "SEHandlerCount": "handler_count",
               "GuardCFCheckFunctionPointer": "guard_check", "GuardCFFunctionTable": "guard_table",
               "GuardCFFunctionCount": "guard_count", "GuardFlags": "guard_flags"}


def callbacks_of(pe):
    """The list behind the TLS directory, read by pefile's mapping."""
    tls = pe.DIRECTORY_ENTRY_TLS.struct
    base, width, found = pe.OPTIONAL_HEADER.ImageBase, 8 if pe.PE_TYPE == 0x20b else 4, []
    at = tls.AddressOfCallBacks - base
    while tls.AddressOfCallBacks != 0 and len(found) < 1024:
        data = pe.get_data(at + width * len(found), width)
        value = int.from_bytes(data, "little")
        if len(data) < width or value == 0:
            break
        found.append(value - base)
    return found


def pefile_facts(path):
    try:
        pe = pefile.PE(path, fast_load=True)
        pe.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_" + n] for n in
                                   ("TLS", "LOAD_CONFIG", "BOUND_IMPORT", "DELAY_IMPORT")])
    except pefile.PEFormatError:
        return None
    facts = {"checksum": pe.generate_checksum(), "tls": None, "load_config": None}
    if hasattr(pe, "DIRECTORY_ENTRY_TLS"):
        t = pe.DIRECTORY_ENTRY_TLS.struct
        facts["tls"] = [t.StartAddressOfRawData, t.EndAddressOfRawData, t.AddressOfIndex,
                        t.AddressOfCallBacks, callbacks_of(pe)]
    if hasattr(pe, "DIRECTORY_ENTRY_LOAD_CONFIG"):
        lc = pe.DIRECTORY_ENTRY_LOAD_CONFIG.struct
        # pefile's struct is of the longest kind; a shorter one's end is another's bytes.
        ends = {k: lc.get_field_relative_offset(k) for k in LOAD_CONFIG if hasattr(lc, k)}
        facts["load_config"] = {ours: getattr(lc, k) for k, ours in LOAD_CONFIG.items()
                                if k in ends and (k == "Size" or ends[k] + 4 <= lc.Size)}
    facts["bound"] = [[b.name.decode("latin-1"), b.struct.TimeDateStamp, len(b.entries)]
                      for b in getattr(pe, "DIRECTORY_ENTRY_BOUND_IMPORT", [])]
    facts["delayed"] = [[d.dll.decode("latin-1"),
                         [(f.name or b"").decode("latin-1") or f.ordinal for f in d.imports]]
                        for d in getattr(pe, "DIRECTORY_ENTRY_DELAY_IMPORT", [])]
    pe.close()
    return facts


# ---- ours ----

def ours(f):
    exports = {}
    for e in f.get("export_details", []):
        row = exports.setdefault(e["ordinal"], [e["rva"], e.get("forward_name"), None])
        if "name" in e:
            row[2] = (row[2] or []) + [e["name"]]
    tls, lc = f.get("tls", {}), f.get("load_config", {})
    relocations = f.get("relocations", {})
    return {
        "directories": [[d["virtual_address"], d["size"]] for d in f.get("data_directories", [])],
        "exports": {k: v for k, v in exports.items() if v[0] != 0},
        "relocations": [relocations.get("blocks", 0), relocations.get("entries", 0)],
        "debug": [[d["type"], d["size"], d["virtual_address"], d["raw_data_offset"]]
                  for d in f.get("debug", [])],
        "tls": [tls["raw_start"], tls["raw_end"], tls["index_address"], tls["callbacks_address"],
                tls.get("callbacks", [])] if tls.get("present") else None,
        "load_config": {k: lc[k] for k in LOAD_CONFIG.values()} if lc.get("present") else None,
        "bound": [[b["name"], b["timestamp"], b["forwarders"]] for b in f.get("bound_imports", [])],
        "delayed": [[d["library_name"], [g["ordinal"] if "ordinal" in g else g["name"] for g in d.get("functions", [])]]
                    for d in f.get("delayed_import_details", [])],
    }


def compare(path, record, differences, values):
    facts = record["facts"]
    mine = ours(facts)
    mine["checksum"] = record.get("calculate_checksum()")
    theirs = {}
    for tool, found in (("objdump", objdump_facts(path)), ("pefile", pefile_facts(path))):
        for key, value in (found or {}).items():
            theirs[key] = (tool, value)
    for key, (tool, value) in theirs.items():
        have = mine[key]
        if key == "load_config" and value is not None and have is not None:
            have = {k: have[k] for k in value}
        if key == "directories":
            value = value[:len(have)]
        values[key] += bool(value)
        if have != value:
            differences[key] += 1
            if differences[key] <= 5:
                if isinstance(value, dict) and isinstance(have, dict):
                    keys = [k for k in have.keys() | value.keys() if have.get(k) != value.get(k)]
                    have, value = ({k: v.get(k) for k in keys[:3]} for v in (have, value))
                print(f"{path}: {key}: ours {have!r:.300}, {tool} {value!r:.300}")


def is_pe(path):
    try:
        with open(path, "rb") as f:
            head = f.read(64)
            if len(head) < 64 or head[:2] != b"MZ":
                return False
            f.seek(int.from_bytes(head[60:64], "little"))
            return f.read(4) == b"PE\0\0"
    except OSError:
        return False


def find(paths):
    for root in paths:
        for folder, dirs, names in os.walk(root):
            dirs.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path) and is_pe(path):
                    yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--limit", type=int, default=0, help="a sample of so many files")
    parser.add_argument("dump", help="the facts_dump program")
    parser.add_argument("paths", nargs="*")
    args = parser.parse_args()
    if pefile is None or shutil.which(OBJDUMP) is None:
        print("no pefile or no objdump for PE files: nothing compared")
        sys.exit(77)
    paths = list(find(args.paths))
    if args.limit and len(paths) > args.limit:
        paths = [paths[int(i * len(paths) / args.limit)] for i in range(args.limit)]
    differences, values = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        paths += build(folder)
        listing = os.path.join(folder, "list")
        with open(listing, "wb") as f:
            f.write(b"".join(os.fsencode(p) + b"\n" for p in paths))
        done = subprocess.run([args.dump, "pe", "@" + listing], stdout=subprocess.PIPE, check=True)
        records = [json.loads(line) for line in done.stdout.split(b"\n") if line]
        for record in records:
            compare(record["file"], record, differences, values)
    print(f"pe: {len(records)} files compared with objdump and pefile, "
          f"{sum(differences.values())} differences; files that have each: "
          + ", ".join(f"{k} {n}" for k, n in values.most_common()))
    for name, count in differences.most_common():
        print(f"  {count:8} {name}")
    sys.exit(1 if differences or not records else 0)


if __name__ == "__main__":
    main()
