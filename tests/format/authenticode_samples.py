"""Signed files for tests: keys and certificates made for this run, by openssl, files signed by
osslsigncode. Nothing of it is kept in the tree.

    authenticode_samples.py OUT    write all samples and the certificates into OUT
"""
import base64
import hashlib
import http.server
import os
import struct
import subprocess
import sys
import threading
import time

YEAR = 365 * 86400


# ---- a few DER values ----

def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def oid(text):
    arcs = [int(a) for a in text.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        piece = [arc & 0x7f]
        while arc > 0x7f:
            arc >>= 7
            piece.append(0x80 | arc & 0x7f)
        out += bytes(reversed(piece))
    return der(6, out)


def sequence(*parts):
    return der(0x30, *parts)


# ---- certificates ----

class Authority:
    """A root with a key, and what it issues."""

    def __init__(self, folder, name):
        self.folder, self.name, self.serial = folder, name, 0x5a00aa01
        self.pem, self.key = self.path("pem"), self.path("key")
        self.config = self.path("cnf")
        index = self.path("index")
        open(index, "w", encoding="ascii").close()
        with open(self.config, "w", encoding="ascii") as f:
            f.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={index}\nserial={self.path('serial')}\n"
                    f"new_certs_dir={folder}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
                    "preserve=yes\n[p]\ncountryName=optional\norganizationName=optional\n"
                    "commonName=optional\n[code]\nextendedKeyUsage=codeSigning\n"
                    "[time]\nextendedKeyUsage=critical,timeStamping\n"
                    "[web]\nextendedKeyUsage=serverAuth\n"
                    "[root]\nbasicConstraints=critical,CA:TRUE\n")
        request = self.path("csr")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", request,
                "-subj", f"/C=XX/O=Holdfast tests/CN={name}")
        self.sign(request, self.pem, "root", -10 * YEAR, 10 * YEAR, "-selfsign")
        self.der = self.path("der")
        openssl("x509", "-in", self.pem, "-outform", "DER", "-out", self.der)

    def path(self, ending):
        return os.path.join(self.folder, f"{self.name}.{ending}")

    def sign(self, request, cert, use, begin, end, *options):
        self.serial += 1
        with open(self.path("serial"), "w", encoding="ascii") as f:
            f.write("%x\n" % (self.serial << 64))
        now = time.time()
        openssl("ca", "-batch", "-notext", "-config", self.config, "-keyfile", self.key, "-in",
                request, "-out", cert, "-extensions", use, "-startdate", stamp(now + begin),
                "-enddate", stamp(now + end), *options)

    def issue(self, name, use="code", begin=-YEAR, end=YEAR, kind="rsa:2048"):
        """(certificate and root as one PEM file, key); valid from begin to end, from now."""
        key, request, cert = (os.path.join(self.folder, f"{name}.{e}") for e in ("key", "csr", "crt"))
        curve = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else []
        openssl("req", "-newkey", kind, *curve, "-nodes", "-keyout", key, "-out", request, "-subj",
                f"/C=XX/O=Slash\\/and\\+plus/CN={name}")
        self.sign(request, cert, use, begin, end, "-cert", self.pem)
        chain = os.path.join(self.folder, f"{name}.pem")
        with open(chain, "wb") as out:
            for part in (cert, self.pem):
                with open(part, "rb") as f:
                    out.write(f.read())
        return chain, key, cert


def can_stamp():
    """Whether this osslsigncode can play the timestamp server (since 2.6)."""
    done = subprocess.run(["osslsigncode", "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return b"-TSA-certs" in done.stdout


def stamp(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


def run(*args):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(args)}: {done.stdout.decode(errors='replace')}")


def openssl(*args):
    run("openssl", *args)


# ---- a time server of the old kind ----

class OldClock(http.server.BaseHTTPRequestHandler):
    """Answers Authenticode's own timestamp requests: signs the signature in them."""
    identity = None

    def do_POST(self):  # pylint: disable=invalid-name
        body = base64.b64decode(self.rfile.read(int(self.headers["Content-Length"])))
        at = body.rindex(b"\x04\x82")  # the last OCTET STRING: a signature of at least 256 bytes
        content = body[at + 4:]
        root, key, cert = self.identity
        done = subprocess.run(["openssl", "cms", "-sign", "-binary", "-nodetach", "-md", "sha1",
                               "-signer", cert, "-inkey", key, "-certfile", root, "-outform", "DER",
                               "-nosmimecap"], input=content, stdout=subprocess.PIPE, check=True)
        answer = base64.b64encode(done.stdout)
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass


def old_clock(identity):
    handler = type("Clock", (OldClock,), {"identity": identity})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"


# ---- unsigned files ----

def image(wide, tail=b""):
    """A PE file with one section; nothing would run it."""
    nt, optional = 0x80, 240 if wide else 224
    head = bytearray(0x400)
    struct.pack_into("<2s58xI", head, 0, b"MZ", nt)
    struct.pack_into("<4sHHIIIHH", head, nt, b"PE\0\0", 0x8664 if wide else 0x14c, 1, 0, 0, 0,
                     optional, 0x22 if wide else 0x102)
    at = nt + 24
    struct.pack_into("<HBBIIIII", head, at, 0x20b if wide else 0x10b, 2, 0, 0x200, 0, 0, 0x1000, 0x1000)
    struct.pack_into("<QII" if wide else "<III", head, at + (24 if wide else 28), 0x400000, 0x1000, 0x200)
    struct.pack_into("<HHHHHHIIII", head, at + 40, 4, 0, 0, 0, 4, 0, 0, 0x2000, 0x400, 0)
    struct.pack_into("<HH", head, at + 68, 3, 0)
    struct.pack_into("<I", head, at + optional - 132, 16)
    struct.pack_into("<8sIIII12xI", head, at + optional, b".text", 0x200, 0x1000, 0x200, 0x400, 0x60000020)
    return bytes(head) + b"\xc3".ljust(0x200, b"\xcc") + tail


# ---- changes to signed files ----

def security(data):
    """Where the directory's entry of the certificate table is, the table, and its size."""
    nt = struct.unpack_from("<I", data, 0x3c)[0]
    wide = struct.unpack_from("<H", data, nt + 24)[0] == 0x20b
    entry = nt + 24 + (112 if wide else 96) + 32
    return entry, *struct.unpack_from("<II", data, entry)


def change(source, target, how):
    with open(source, "rb") as f:
        data = bytearray(f.read())
    data = how(data) or data
    with open(target, "wb") as f:
        f.write(data)
    return target


def flip_code(data):
    data[0x410] ^= 1


def flip_signature(data):
    """The last byte but padding of the PKCS #7 of an unstamped file is in the signature."""
    _, table, size = security(data)
    end = table + size
    while data[end - 1] == 0:
        end -= 1
    data[end - 20] ^= 1


def flip_attributes(data):
    """The digest in the signed attributes, so that the content's no longer fits."""
    at = data.rindex(b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04\x31")
    data[at + 14] ^= 1


def append(data):
    return data + b"appended, beyond the table" + bytes(6)


def append_in_entry(data):
    entry, table, size = security(data)
    length = struct.unpack_from("<I", data, table)[0]
    struct.pack_into("<I", data, table, length + 64)
    struct.pack_into("<I", data, entry + 4, size + 64)
    return data[:table + size] + b"in the entry".ljust(64, b".")


def append_in_table(data):
    entry, _, size = security(data)
    struct.pack_into("<I", data, entry + 4, size + 64)
    return data + bytes(64)


def second_entry(data):
    entry, table, size = security(data)
    struct.pack_into("<I", data, entry + 4, 2 * size)
    return data + data[table:table + size]


def forget_table(data):
    entry = security(data)[0]
    struct.pack_into("<II", data, entry, 0, 0)


def cut_table(data):
    return data[:-100]


# ---- samples ----

def sign(source, target, identity, *options, digest="sha256"):
    chain, key, _ = identity
    if os.path.exists(target):
        os.remove(target)
    run("osslsigncode", "sign", "-certs", chain, "-key", key, "-h", digest, *options, "-in", source,
        "-out", target)
    return target


def catalogue(members, algorithm):
    """An unsigned catalogue of (tag, digest)."""
    digest_oid = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}[algorithm]
    rows = b""
    for tag, digest in members:
        content = sequence(sequence(oid("1.3.6.1.4.1.311.2.1.15"), sequence(der(3, b"\0"))),
                           sequence(sequence(oid(digest_oid), der(5)), der(4, digest)))
        attribute = sequence(oid("1.3.6.1.4.1.311.2.1.4"), der(0x31, content))
        rows += sequence(der(4, tag), der(0x31, attribute))
    trust_list = sequence(sequence(oid("1.3.6.1.4.1.311.12.1.1")), der(4, bytes(range(16))),
                          der(0x17, b"260102030405Z"),
                          sequence(oid("1.3.6.1.4.1.311.12.1.2"), der(5)), sequence(rows))
    content = sequence(oid("1.3.6.1.4.1.311.10.1"), der(0xa0, trust_list))
    return sequence(oid("1.2.840.113549.1.7.2"),
                    der(0xa0, sequence(der(2, b"\1"), der(0x31), content, der(0x31))))


def image_digest(path, algorithm):
    """The Authenticode digest of an unsigned PE file of a multiple of eight bytes."""
    with open(path, "rb") as f:
        data = f.read()
    entry = security(data)[0]
    checksum = struct.unpack_from("<I", data, 0x3c)[0] + 24 + 64
    data += bytes(-len(data) % 8)
    return hashlib.new(algorithm, data[:checksum] + data[checksum + 4:entry] + data[entry + 8:]).digest()


class Samples:
    """All of them, in a folder."""

    def __init__(self, folder):
        self.folder, self.plain = folder, []
        for name, data in (("plain64.exe", image(True)), ("plain32.exe", image(False)),
                           ("plain_odd.exe", image(True, b"abc"))):
            self.plain.append(os.path.join(folder, name))
            with open(self.plain[-1], "wb") as f:
                f.write(data)
        self.root, self.other = Authority(folder, "root"), Authority(folder, "other")
        self.code = self.root.issue("signer")
        self.clock = self.root.issue("clock", "time", begin=-9 * YEAR, end=9 * YEAR)
        self.old = self.root.issue("past", begin=-3 * YEAR, end=-YEAR)
        self.files = {}

    def path(self, name):
        self.files[name] = os.path.join(self.folder, name)
        return self.files[name]

    def signed(self, name, identity, *options, source=None, digest="sha256"):
        return sign(source or self.plain[0], self.path(name), identity, *options, digest=digest)

    def stamped(self, name, identity, seconds, **more):
        at = str(int(time.time()) + seconds)
        return self.signed(name, identity, "-TSA-certs", self.clock[0], "-TSA-key", self.clock[1],
                           "-TSA-time", at, **more)

    def changed(self, name, how, source="valid"):
        return change(self.files[source], self.path(name), how)

    def make(self):
        self.make_signed()
        self.make_changed()
        self.make_catalogues()
        return self.files

    def make_signed(self):
        self.signed("valid", self.code, "-n", "N\u00e4me \u20ac", "-i", "http://example.invalid/")
        for i, plain in enumerate(self.plain[1:]):
            self.signed(f"valid{i + 1}", self.code, source=plain)
        self.signed("sha1", self.code, digest="sha1")
        self.signed("sha384", self.code, digest="sha384")
        self.signed("md5", self.code, digest="md5")
        self.signed("two", self.code, "-nest", source=self.files["sha1"])
        self.signed("three", self.code, "-nest", source=self.files["two"], digest="sha512")
        self.signed("curve", self.root.issue("curve", kind="ec"))
        self.signed("web", self.root.issue("web", "web"))
        self.signed("stranger", self.other.issue("stranger"))
        self.signed("expired", self.old)
        self.signed("blob", self.code, "-addUnauthenticatedBlob")
        self.signed("pages", self.code, "-ph")
        if can_stamp():
            self.make_stamped()
        server, url = old_clock((self.root.pem, *self.clock[1:]))
        self.signed("pkcs9", self.code, "-t", url)
        server.shutdown()

    def make_stamped(self):
        self.stamped("stamped", self.code, 0)
        self.stamped("stamped_sha1", self.code, 0, digest="sha1")
        self.stamped("expired_stamped", self.old, -2 * YEAR)
        self.stamped("expired_late", self.old, -YEAR // 2)
        self.changed("tampered_stamped", flip_code, "stamped")

    def make_changed(self):
        self.changed("tampered", flip_code)
        self.changed("wrong_signature", flip_signature)
        self.changed("wrong_content", flip_attributes)
        self.changed("appended", append)
        self.changed("appended_in_entry", append_in_entry)
        self.changed("appended_in_table", append_in_table)
        self.changed("second_entry", second_entry)
        self.changed("forgotten", forget_table)
        self.changed("cut", cut_table)
        run("osslsigncode", "remove-signature", "-in", self.files["valid"], "-out", self.path("stripped"))

    def make_catalogues(self):
        for algorithm in ("sha1", "sha256"):
            digests = [image_digest(p, algorithm) for p in self.plain]
            rows = [(d.hex().upper().encode("utf-16-le") + b"\0\0", d) for d in digests]
            unsigned = self.path(f"unsigned_{algorithm}.cat")
            with open(unsigned, "wb") as f:
                f.write(catalogue(rows, algorithm))
            sign(unsigned, self.path(f"{algorithm}.cat"), self.code)
        self.changed("tampered.cat", lambda d: d.replace(b"\x04\x10\x00\x01", b"\x04\x10\x00\x81"),
                     "sha256.cat")


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in Samples(sys.argv[1]).make():
        print(name)


if __name__ == "__main__":
    main()
