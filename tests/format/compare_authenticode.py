#!/usr/bin/env python3
"""Facts of signed files made for this run: what they have to be, and the same as osslsigncode and
yara say.

    compare_authenticode.py AUTHENTICODE_DUMP [KEEP]

KEEP: a folder for the samples. Skips (77) without openssl and osslsigncode. Compared are

- with the table EXPECTED: what is known of each sample by the way it was made;
- with `osslsigncode verify`, each signature: digests signed and computed, content's digest, signer,
  dates, name, address, timestamp, and whether it holds; the dates on which tools stand have to
  give the same answer as trust, expiry and purpose do here;
- with `yara -D` (4.2.3: signer's certificate of each signature) field by field.

Known differences to osslsigncode stand in REFUSED: it does not look at such files at all, Windows
and yara do.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import authenticode_samples
import compare_pe

GOOD = {"verified": 1, "error": None, "chain_status": "trusted", "whole_file": 1, "expired": 0,
        "code_signing": 1, "valid_when_signed": 1, "nested": 0}


def good(**more):
    return {**GOOD, **more}


BAD_FILE = good(verified=0, error="wrong digest of the file", whole_file=0)
EXPIRED = good(expired=1, valid_when_signed=0, chain_status="certificate has expired")

# sample: (signatures, kinds of uncovered bytes, more facts)
EXPECTED = {
    "valid": ([good(digest_alg="sha256", number_of_certificates=2)], [], {"is_signed": 1}),
    "valid1": ([good()], [], {}),
    "valid2": ([good()], [], {}),
    "sha1": ([good(digest_alg="sha1")], [], {}),
    "sha384": ([good(digest_alg="sha384")], [], {}),
    "md5": ([good(digest_alg="md5")], [], {}),
    "two": ([good(digest_alg="sha1"), good(digest_alg="sha256", nested=1)], [], {}),
    "three": ([good(digest_alg="sha1"), good(nested=1), good(digest_alg="sha512", nested=1)], [], {}),
    "curve": ([good(algorithm="sha256WithRSAEncryption")], [], {}),
    "web": ([good(chain_status="not for code signing", code_signing=0)], [], {}),
    "stranger": ([good(chain_status="self-signed certificate in certificate chain")], [], {}),
    "expired": ([EXPIRED], [], {}),
    "blob": ([good()], ["unsigned attribute"], {}),
    "pages": ([good()], [], {}),
    "stamped": ([good(number_of_countersignatures=1)], [], {}),
    "stamped_sha1": ([good(number_of_countersignatures=1)], [], {}),
    "expired_stamped": ([good(expired=1)], [], {}),
    "expired_late": ([EXPIRED], [], {}),
    "pkcs9": ([good(number_of_countersignatures=1)], [], {}),
    "tampered": ([BAD_FILE], [], {"is_signed": 0}),
    "tampered_stamped": ([{**BAD_FILE, "number_of_countersignatures": 1}], [], {"is_signed": 0}),
    "wrong_signature": ([good(verified=0, error="wrong signature")], [], {"is_signed": 0}),
    "wrong_content": ([good(verified=0, error="wrong digest of the signed content")], [],
                      {"is_signed": 0}),
    "appended": ([good(whole_file=0)], ["behind the table"], {"is_signed": 1}),
    "appended_in_entry": ([good()], ["behind the signature"], {}),
    "appended_in_table": ([good()], ["behind the entries of the table"], {}),
    "second_entry": ([good()], [], {"number_of_signatures": 1}),
    "forgotten": ([], [], {"number_of_signatures": 0, "is_signed": 0}),
    "cut": ([], [], {"number_of_signatures": 0, "is_signed": 0}),
    "stripped": ([], [], {"number_of_signatures": 0, "is_signed": 0}),
}
STAMPS = {"stamped": "rfc3161", "stamped_sha1": "rfc3161", "expired_stamped": "rfc3161",
          "expired_late": "rfc3161", "tampered_stamped": "rfc3161", "pkcs9": "pkcs9"}
REFUSED = {"appended", "appended_in_table", "second_entry", "cut", "forgotten", "stripped"}
CATALOGUES = {"sha1.cat": ("sha1", 1, None), "sha256.cat": ("sha256", 1, None),
              "unsigned_sha1.cat": ("sha1", 0, None), "unsigned_sha256.cat": ("sha256", 0, None),
              "tampered.cat": ("sha256", 0, "wrong digest of the signed content")}


class Check:
    def __init__(self):
        self.compared, self.wrong = 0, 0

    def equal(self, what, ours, other):
        self.compared += 1
        if ours != other:
            self.wrong += 1
            print(f"{what}: ours {ours!r}, should be {other!r}")


def dump(program, options, module, paths):
    done = subprocess.run([program, *options, module, *paths], stdout=subprocess.PIPE, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {os.path.basename(r["file"]): r for r in rows}


def check_expected(check, name, row):
    signatures, uncovered, more = EXPECTED[name]
    facts = row["facts"]
    mine = facts.get("signatures", [])
    check.equal(f"{name}: number of signatures", len(mine), len(signatures))
    check.equal(f"{name}: number_of_signatures", facts.get("number_of_signatures"), len(signatures))
    for i, (have, want) in enumerate(zip(mine, signatures)):
        for key, value in want.items():
            check.equal(f"{name}: signatures[{i}].{key}", have.get(key), value)
    check.equal(f"{name}: uncovered", [u["kind"] for u in facts.get("uncovered", [])], uncovered)
    for key, value in more.items():
        check.equal(f"{name}: {key}", facts.get(key), value)
    if mine:
        check.equal(f"{name}: valid_on", row.get("valid_on"), 0 if mine[0]["expired"] else 1)
    for stamp in mine[0].get("countersignatures", []) if name in STAMPS else []:
        for key, value in (("kind", STAMPS[name]), ("verified", 1), ("chain_status", "trusted")):
            check.equal(f"{name}: countersignatures.{key}", stamp.get(key), value)


# ---- osslsigncode ----

def seconds(text):
    return int(time.mktime(time.strptime(text, "%b %d %H:%M:%S %Y GMT")))


def first(pattern, text):
    m = re.search(pattern, text)
    return m.group(1).strip() if m else None


def of_osslsigncode(text):
    """What it says of each signature, under our names."""
    out = []
    for part in text.split("Signature Index:")[1:]:
        row = {
            "digest_alg": first(r"Message digest algorithm  : (\w+)", part).lower(),
            "digest": first(r"Current message digest    : (\w+)", part).lower(),
            "file_digest": first(r"Calculated message digest : (\w+)", part).lower(),
            "holds": "\nSignature verification: ok" in part,
        }
        out.append(row)
        if "MISMATCH" in part:
            continue  # it looks no further
        stamp = first(r"Timestamp time: (.*GMT)", part)
        row.update({
            "subject": first(r"Subject: (.*)", part).replace("\\/", "/"),
            "issuer": first(r"Issuer : (.*)", part).replace("\\/", "/"),
            "serial": first(r"Serial : (.*)", part).lower(),
            "not_before": seconds(first(r"notBefore : (.*)", part)),
            "not_after": seconds(first(r"notAfter : (.*)", part)),
            "content": first(r"\tMessage digest: (\w+)", part).lower(),
            "name": first(r"Text description: (.*)", part),
            "url": first(r"URL description: (.*)", part),
            "time": seconds(stamp) if stamp else None,
        })
    return out


def ours_as_osslsigncode(s):
    stamps = [c["sign_time"] for c in s.get("countersignatures", []) if "sign_time" in c]
    keys = ("digest_alg", "digest", "file_digest", "subject", "issuer", "not_before", "not_after")
    info = s.get("signer_info", {})
    return {**{k: s.get(k) for k in keys},
            "serial": s["serial"].replace(":", "").lstrip("0"),
            "content": info.get("digest"), "name": info.get("program_name"), "url": info.get("url"),
            "time": stamps[0] if stamps else None,
            "holds": s["verified"] == 1 and s["whole_file"] == 1 and s["chain_status"] == "trusted"}


def by_digest(signatures):
    return signatures[:1] + sorted(signatures[1:], key=lambda s: s["digest"])


def check_osslsigncode(check, samples, name, facts):
    done = subprocess.run(["osslsigncode", "verify", "-CAfile", samples.root.pem, "-TSA-CAfile",
                           samples.root.pem, "-in", samples.files[name]], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, env={**os.environ, "TZ": "UTC"})
    theirs = of_osslsigncode(done.stdout.decode(errors="surrogateescape"))
    if name in REFUSED:
        check.equal(f"{name}: osslsigncode refuses it", theirs, [])
        return
    mine = [ours_as_osslsigncode(s) for s in facts.get("signatures", [])]
    check.equal(f"{name}: signatures of osslsigncode", len(mine), len(theirs))
    # It has nested ones in the order of a number in their attributes, we and yara in the file's.
    for i, (a, b) in enumerate(zip(by_digest(mine), by_digest(theirs))):
        for key, value in b.items():
            if key != "time" or value is not None:  # version 2.5 keeps silent about some stamps
                check.equal(f"{name}: osslsigncode {i} {key}", a[key], value)


# ---- yara ----

def check_yara(check, program, samples):
    names = sorted(EXPECTED.keys() & samples.files.keys())
    paths = [samples.files[n] for n in names]
    ours = dump(program, ["--yara42"], "pe", paths)
    theirs = compare_pe.run_yara(paths, 60)
    for name, path in zip(names, paths):
        mine = compare_pe.compare_facts.flatten_dicts("pe", ours[name]["facts"])
        values, fields = theirs[path]
        keys = [k for k in {**mine, **values} if k.startswith(".pe.") and "signatures" in k
                and compare_pe.comparable(k, fields, values)]
        for key in sorted(keys):
            value = values.get(key)
            if value is not None and key.endswith(("subject", "issuer")):
                value = value.replace("\\/", "/")  # 4.5 takes back what OpenSSL 3 writes so
            check.equal(f"{name}: yara {key}", mine.get(key), value)


# ---- catalogues ----

def check_catalogues(check, program, samples):
    names = list(CATALOGUES)
    rows = dump(program, ["--root", samples.root.der], "catalogue", [samples.files[n] for n in names])
    for name, (algorithm, signed, error) in CATALOGUES.items():
        facts = rows[name]["facts"]
        digests = [authenticode_samples.image_digest(p, algorithm).hex() for p in samples.plain]
        members = facts["members"]
        check.equal(f"{name}: members", [m["digest"] for m in members], digests)
        check.equal(f"{name}: algorithm", {m["digest_alg"] for m in members}, {algorithm})
        check.equal(f"{name}: tags", [m["tag"] for m in members],
                    ["\0".join(d.upper()) + "\0\0\0" for d in digests])
        check.equal(f"{name}: is_signed", facts["is_signed"], signed)
        if "unsigned" not in name:
            signature = facts["signatures"][0]
            check.equal(f"{name}: error", signature.get("error"), error)
            check.equal(f"{name}: chain", signature["chain_status"], "trusted")
            done = subprocess.run(["osslsigncode", "verify", "-CAfile", samples.root.pem, "-in",
                                   samples.files[name]], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            check.equal(f"{name}: osslsigncode", signed == 1,
                        b"Signature verification: ok" in done.stdout)


def run(program, folder):
    os.environ["TZ"] = "UTC"
    time.tzset()
    check, samples = Check(), authenticode_samples.Samples(folder)
    samples.make()
    names = sorted(EXPECTED.keys() & samples.files.keys())
    rows = dump(program, ["--root", samples.root.der], "pe", [samples.files[n] for n in names])
    alone = dump(program, [], "pe", [samples.files["valid"]])["valid"]["facts"]
    check.equal("without roots", alone["signatures"][0]["chain_status"], "no root given")
    for name in names:
        check_expected(check, name, rows[name])
        check_osslsigncode(check, samples, name, rows[name]["facts"])
    check.equal("second_entry: other_signatures",
                [s["verified"] for s in rows["second_entry"]["facts"]["other_signatures"]], [1])
    info = rows["valid"]["facts"]["signatures"][0]["signer_info"]
    check.equal("valid: program_name", info["program_name"], "N\u00e4me \u20ac")
    check_catalogues(check, program, samples)
    yara = shutil.which("yara") is not None
    if yara:
        check_yara(check, program, samples)
    print(f"authenticode: {len(names)} files, {len(CATALOGUES)} catalogues, {check.compared} facts "
          f"compared{'' if yara else ' (no yara)'}, {check.wrong} wrong")
    return 1 if check.wrong else 0


def main():
    if not shutil.which("openssl") or not shutil.which("osslsigncode"):
        sys.exit(77)
    if len(sys.argv) > 2:
        os.makedirs(sys.argv[2], exist_ok=True)
        sys.exit(run(sys.argv[1], sys.argv[2]))
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(sys.argv[1], folder))


if __name__ == "__main__":
    main()
