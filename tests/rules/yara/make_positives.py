#!/usr/bin/env python3
"""Harmless files in which real YARA rules fire: each rule's strings, one sample each, placed so that
its condition can hold (magic numbers, sizes, fixed places, a PE header, a certificate's names).

usage: make_positives.py OUT EVERY RULES...
Writes a few files for each EVERY-th rule, and the rules' names to OUT.rules. Nothing in them runs: samples of strings between
bytes 01, behind a header that has no code."""
import os
import random
import re
import struct
import sys
try:
    import re._parser as sre
except ImportError:
    import sre_parse as sre

CATEGORY = {"digit": b"5", "space": b" ", "word": b"w", "not_digit": b"x", "not_space": b"x", "not_word": b"-"}


def class_sample(items):
    allowed, negate = set(), False
    for op, arg in items:
        name = str(op)
        if name == "NEGATE":
            negate = True
        elif name == "LITERAL":
            allowed.add(arg)
        elif name == "RANGE":
            allowed.update(range(arg[0], arg[1] + 1))
        elif name == "CATEGORY":
            allowed.add(CATEGORY[str(arg).lower().replace("category_", "")][0])
    if negate:
        allowed = set(range(256)) - allowed
    for good in b"ax5A./ ":
        if good in allowed:
            return bytes([good])
    return bytes([min(allowed)])


def regex_sample(tree):
    out = b""
    for op, arg in tree:
        name = str(op)
        if name == "LITERAL":
            out += bytes([arg & 255])
        elif name == "NOT_LITERAL":
            out += b"a" if arg != ord("a") else b"b"
        elif name == "ANY":
            out += b"x"
        elif name == "IN":
            out += class_sample(arg)
        elif name == "BRANCH":
            out += regex_sample(arg[1][0])
        elif name == "SUBPATTERN":
            out += regex_sample(arg[-1])
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            out += regex_sample(arg[2]) * max(arg[0], 0)
    return out


def hex_sample(text, rng):
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    tokens = re.findall(r"\[[^\]]*\]|[()|]|~?[0-9A-Fa-f?]{2}", text)

    def sequence(i):
        branches, out = [], b""
        while i < len(tokens):
            t = tokens[i]
            if t == "(":
                inner, i = sequence(i + 1)
                out += inner
            elif t == "|":
                branches.append(out)
                out = b""
            elif t == ")":
                branches.append(out)
                return branches[0], i
            elif t[0] == "[":
                low = re.match(r"\[\s*(\d*)", t).group(1)
                out += bytes([1]) * int(low or 0)
            else:
                negated = t[0] == "~"
                pair = t.lstrip("~").replace("?", "1")
                value = int(pair, 16)
                out += bytes([value ^ 0x11 if negated else value])
            i += 1
        branches.append(out)
        return branches[0], i
    return sequence(0)[0]


def unquote(text):
    def one(m):
        e = m.group(1)
        if e[0] == "x":
            return chr(int(e[1:], 16))
        return {"n": "\n", "t": "\t", "r": "\r"}.get(e, e)
    raw = re.sub(r"\\(x[0-9A-Fa-f]{2}|.)", one, text, flags=re.S)
    return b"".join(bytes([ord(c)]) if ord(c) < 256 else c.encode() for c in raw)


# A lexer that knows comments, strings, regular expressions and hex strings from each other.
TOKEN = re.compile(r'''
    (?P<comment>//[^\n]*|/\*.*?\*/) | (?P<space>\s+)
  | (?P<text>"(?:\\.|[^"\\\n])*")
  | (?P<hex>\{[^"{}=:]*\})
  | (?P<name>[$#@!]?[A-Za-z_]\w*\*?|\$\*?)
  | (?P<number>0x[0-9A-Fa-f]+|\d+(?:KB|MB)?)
  | (?P<sign>==|!=|<=|>=|\.\.|.)''', re.X | re.S)


def tokens_of(source):
    at, out = 0, []
    while at < len(source):
        # A slash begins a regular expression behind "=" of a string, "matches" and in lists of them.
        if source[at] == "/" and source[at + 1:at + 2] not in "/*" and out and \
                out[-1][1] in ("=", "matches"):
            m = re.compile(r"/((?:\\.|\[(?:\\.|[^\]\\])+\]|[^/\\\n])+)/([is]*)").match(source, at)
            if m:
                out.append(("regex", m.group(1), m.group(2)))
                at = m.end()
                continue
        m = TOKEN.match(source, at)
        kind = m.lastgroup
        if kind == "hex" and not (out and out[-1][1] == "="):
            out.append(("sign", "{"))
            at += 1
            continue
        if kind not in ("comment", "space"):
            out.append((kind, m.group()))
        at = m.end()
    return out


def number(text):
    if text.startswith("0x"):
        return int(text, 16)
    for unit, factor in (("KB", 1024), ("MB", 1 << 20)):
        if text.endswith(unit):
            return int(text[:-2]) * factor
    return int(text)


class Rule:
    def __init__(self, name, strings, condition):
        self.name, self.strings, self.condition = name, strings, condition


def rules_of(source):
    tokens, i, rules = tokens_of(source), 0, []
    while i < len(tokens):
        if tokens[i][1] != "rule" or tokens[i][0] != "name":
            i += 1
            continue
        name, strings = tokens[i + 1][1], []
        depth, part, condition = 0, "", []
        while i < len(tokens):
            t = tokens[i]
            if t[0] == "sign" and t[1] in "{}":
                depth += 1 if t[1] == "{" else -1
                if depth == 0 and t[1] == "}":
                    break
            following = tokens[i + 1][1] if i + 1 < len(tokens) else ""
            if t[0] == "name" and t[1] in ("meta", "strings", "condition") and following == ":" and depth == 1:
                part = t[1]
                i += 2
                continue
            if part == "strings" and t[0] == "name" and t[1][0] == "$" and following == "=":
                value, mods = tokens[i + 2], []
                i += 3
                while i < len(tokens) and tokens[i][0] == "name" and tokens[i][1] in (
                        "ascii", "wide", "nocase", "fullword", "private", "xor", "base64", "base64wide"):
                    mods.append(tokens[i][1])
                    i += 1
                    if i < len(tokens) and tokens[i][1] == "(":
                        while tokens[i][1] != ")":
                            i += 1
                        i += 1
                strings.append((t[1], value, mods))
                continue
            if part == "condition":
                condition.append(t)
            i += 1
        rules.append(Rule(name, strings, condition))
        i += 1
    return rules


def sample(value, mods, rng):
    if value[0] == "text":
        data = unquote(value[1][1:-1])
    elif value[0] == "hex":
        return hex_sample(value[1][1:-1], rng)
    elif value[0] == "regex":
        try:
            data = regex_sample(sre.parse(value[1].encode("latin-1", "replace"), re.S))
        except Exception:
            return None
    else:
        return None
    if "base64" in mods or "base64wide" in mods:
        import base64
        data = base64.b64encode(data + b"~")
        return data if "base64" in mods else bytes(x for b in data for x in (b, 0))
    if "wide" in mods and ("ascii" not in mods or rng.random() < 0.5):
        data = bytes(x for b in data for x in (b, 0))
    if "xor" in mods:
        data = bytes(b ^ 1 for b in data)
    return data


def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else (lambda b: bytes([128 + len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + length + body


def signature(subject, serial):
    """A PKCS #7 with one certificate of that subject and number; nothing in it is signed."""
    oid = lambda h: der(6, bytes.fromhex(h))
    null = der(5)
    algorithm = der(0x30, oid("2a864886f70d01010b"), null)
    digest = der(0x30, oid("608648016503040201"), null)
    rdn = lambda o, text: der(0x31, der(0x30, oid(o), der(0x0C, text)))
    issuer = der(0x30, rdn("55040a", b"Test issuer"))
    name = der(0x30, rdn("55040a", subject))
    serial_number = der(2, serial)
    validity = der(0x30, der(0x17, b"100101000000Z"), der(0x17, b"491231235959Z"))
    key = der(0x30, der(0x30, oid("2a864886f70d010101"), null),
              der(3, b"\x00" + der(0x30, der(2, b"\x00" + b"\xC1" * 128), der(2, b"\x01\x00\x01"))))
    tbs = der(0x30, der(0xA0, der(2, b"\x02")), serial_number, algorithm, issuer, validity, name, key)
    certificate = der(0x30, tbs, algorithm, der(3, b"\x00" + b"\x5A" * 128))
    signer = der(0x30, der(2, b"\x01"), der(0x30, issuer, serial_number), digest,
                 der(0x30, oid("2a864886f70d010101"), null), der(4, b"\xA5" * 128))
    content = der(0x30, oid("2b060104018237020104"),
                  der(0xA0, der(0x30, der(0x30, oid("2b06010401823702010f"), der(0x30, der(3, b"\x00"), der(0xA0, der(0xA2, der(0x80))))),
                                der(0x30, digest, der(4, b"\x11" * 32)))))
    signed = der(0x30, der(2, b"\x01"), der(0x31, digest), content, der(0xA0, certificate), der(0x31, signer))
    return der(0x30, oid("2a864886f70d010702"), der(0xA0, signed))


def pe_header(security=None, bits=32):
    """DOS and PE headers with one section, without code. security: (offset, size)."""
    optional = struct.pack("<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII", 0x10B, 9, 0, 0x200, 0, 0, 0x1000, 0x1000, 0x2000, 0x400000,
                           0x1000, 0x200, 5, 0, 0, 0, 5, 0, 0, 0x10000, 0x200, 0, 2, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    directories = bytearray(16 * 8)
    if security:
        struct.pack_into("<II", directories, 4 * 8, *security)
    dos = b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(64)
    file = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0x5F000000, 0, 0, len(optional) + len(directories), 0x102)
    section = struct.pack("<8sIIIIIIHHI", b".text", 0x1000, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020)
    return (dos + file + optional + bytes(directories) + section).ljust(0x400, b"\0")


def certificate_file(rule):
    words = [t[1] for t in rule.condition]
    if "signatures" not in words or "subject" not in words:
        return None
    texts = {}
    for i, w in enumerate(words):
        if w in ("subject", "serial") and i + 2 < len(words) and rule.condition[i + 2][0] == "text":
            texts.setdefault(w, rule.condition[i + 2][1][1:-1])
    if "subject" not in texts or "serial" not in texts:
        return None
    try:
        serial = bytes.fromhex(texts["serial"].replace(":", ""))
    except ValueError:
        return None
    pkcs7 = signature(unquote(texts["subject"]), serial)
    table = struct.pack("<IHH", len(pkcs7) + 8, 0x200, 2) + pkcs7
    table += bytes(-len(table) % 8)
    return pe_header((0x400, len(table))) + table


def place(out, at, data):
    if at + len(data) > 8 << 20:
        return
    if len(out) < at + len(data):
        out.extend(b"\x01" * (at + len(data) - len(out)))
    out[at:at + len(data)] = data


def unwanted(rule):
    """Names behind `not`: of strings, up to the end of what it negates."""
    names, c = set(), rule.condition
    for i, t in enumerate(c):
        if t[1] != "not":
            continue
        depth = 0
        for u in c[i + 1:i + 40]:
            depth += {"(": 1, ")": -1}.get(u[1], 0)
            if u[0] == "name" and u[1][0] in "$#":
                names.add("$" + u[1][1:])
            if depth < 0 or (depth == 0 and u[1] in (")", "and", "or")):
                break
            if depth == 0 and u[0] == "name" and u[1][0] in "$#":
                break
    return names


def string_file(rule, rng, keep_false_positives, skeleton):
    c, words = rule.condition, [t[1] for t in rule.condition]
    out, late, placed = bytearray(), [], set()
    if skeleton and ("pe" in words or "0x5a4d" in [w.lower() for w in words]):
        out += pe_header()
    skip = set() if keep_false_positives else unwanted(rule)
    size_min, written = 0, []
    for i, w in enumerate(words):
        m = re.fullmatch(r"(u?)int(8|16|32)(be)?", w)
        if m and i + 5 < len(c) and words[i + 1] == "(" and c[i + 2][0] == "number" and words[i + 3] == ")" and \
                words[i + 4] == "==" and c[i + 5][0] == "number":
            at, value, width = number(words[i + 2]), number(words[i + 5]), int(m.group(2)) // 8
            data = (value & (1 << 8 * width) - 1).to_bytes(width, "big" if m.group(3) else "little")
            if not any(a < at + width and at < a + n for a, n in written):
                written.append((at, width))
                late.append((at, data))
        if w == "filesize" and i + 2 < len(c) and c[i + 2][0] == "number":
            if words[i + 1] in (">", ">=", "=="):
                size_min = max(size_min, number(words[i + 2]) + (words[i + 1] == ">"))
        if w == "at" and c[i - 1][0] == "name" and i + 1 < len(c) and c[i + 1][0] == "number":
            for name, value, mods in rule.strings:
                if name == words[i - 1]:
                    data = sample(value, mods, rng)
                    if data is not None and name not in placed:
                        placed.add(name)
                        late.append((number(words[i + 1]), data))
    reserved = max([a + len(d) for a, d in late if a < 4096], default=0)
    if len(out) < reserved:
        out += b"\x01" * (reserved - len(out))
    for name, value, mods in rule.strings:
        if name in placed or any(name == s or (s.endswith("*") and name.startswith(s[:-1])) for s in skip):
            continue
        data = sample(value, mods, rng)
        if data is not None:
            again = 12 if "#" + name[1:] in words else 1
            out += (b"\x01\x01" + data + b"\x01\x01") * again
    for at, data in late:
        place(out, at, data)
    if size_min > len(out) and size_min <= 4 << 20:
        out += b"\x01" * (size_min - len(out))
    return bytes(out)


def main():
    folder, every, paths = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    os.makedirs(folder, exist_ok=True)
    files = []
    for path in paths:
        for root, dirs, names in sorted(os.walk(path)) if os.path.isdir(path) else [("", [], [path])]:
            dirs.sort()
            files += [os.path.join(root, n) for n in sorted(names) if n.endswith((".yar", ".yara"))]
    count = made = 0
    chosen = []
    for path in files:
        with open(path, encoding="latin-1") as f:
            source = f.read().encode("latin-1").decode("utf-8", "surrogateescape")
        for rule in rules_of(source):
            count += 1
            if count % every != 0:
                continue
            chosen.append(rule.name)
            rng = random.Random(rule.name)
            variants = {certificate_file(rule), string_file(rule, rng, False, True)}
            if unwanted(rule):
                variants.add(string_file(rule, rng, True, True))
            if any(t[1] == "pe" for t in rule.condition):
                variants.add(string_file(rule, rng, False, False))
            for k, data in enumerate(sorted(v for v in variants if v)):
                with open(os.path.join(folder, f"{count:05d}_{k}"), "wb") as f:
                    f.write(data)
                made += 1
    with open(folder.rstrip("/") + ".rules", "w") as f:
        f.writelines(name + "\n" for name in chosen)
    print(f"{count} rules read, {made} files made for {len(chosen)} of them")


if __name__ == "__main__":
    main()
