#!/usr/bin/env python3
"""Mails of many makes, whole and broken, judged by holdfast and by clamscan: clamav_mail.py [FOLDER].

Each mail carries something that a signature knows: EICAR in a ZIP, bytes by their digest, bytes by a pattern.
A case fails when clamscan finds what holdfast does not. What only holdfast finds is counted, and listed with
MAIL_LIST=1. With FOLDER the mails are left there."""
import base64
import binascii
import hashlib
import io
import os
import quopri
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from email import encoders, policy
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import HOLDFAST, eicar  # noqa: E402

R = random.Random(20261124)
BYTES = R.randbytes(3000)
PATTERN = BYTES[1200:1232]


def zipped():
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("readme.txt", b"nothing to see\n" * 30)
        z.writestr("eicar.com", eicar())
    return b.getvalue()


def databases(folder):
    with open(os.path.join(folder, "mail.hsb"), "w") as f:
        f.write("%s:68:Mail.Eicar\n" % hashlib.sha256(eicar()).hexdigest())
        f.write("%s:%d:Mail.Digest\n" % (hashlib.sha256(BYTES).hexdigest(), len(BYTES)))
    with open(os.path.join(folder, "mail.ndb"), "w") as f:
        f.write("Mail.Pattern:0:*:%s\n" % PATTERN.hex())


def b64(data, width=76, end=b"\r\n"):
    text = base64.b64encode(data)
    return end.join(text[i:i + width] for i in range(0, len(text), width)) + end


def qp(data):
    return b"".join(b"=%02X" % c + (b"=\r\n" if i % 24 == 23 else b"") for i, c in enumerate(data)) + b"\r\n"


def uu(data, name=b"a.bin"):
    lines = [binascii.b2a_uu(data[i:i + 45]).rstrip(b"\n") + b"\r\n" for i in range(0, len(data), 45)]
    return b"begin 644 " + name + b"\r\n" + b"".join(lines) + b"`\r\nend\r\n"


def yenc(data, name=b"a.bin"):
    out, line = b"=ybegin line=128 size=%d name=%s\r\n" % (len(data), name), b""
    for c in data:
        c = (c + 42) % 256
        line += b"=" + bytes([(c + 64) % 256]) if c in (0, 10, 13, 61) else bytes([c])
        if len(line) >= 128:
            out, line = out + line + b"\r\n", b""
    return out + line + b"\r\n=yend size=%d crc32=%08x\r\n" % (len(data), binascii.crc32(data))


HEAD = (b"Received: from a.example by b.example; Mon, 1 Jan 2024 00:00:00 +0000\r\nFrom: a@example.org\r\n"
        b"To: b@example.org\r\nSubject: a test\r\nMIME-Version: 1.0\r\n")
PART = b'Content-Type: application/octet-stream; name="a.bin"\r\nContent-Transfer-Encoding: base64\r\n'
DISPOSITION = b'Content-Disposition: attachment; filename="a.bin"\r\n'


def mixed(parts, boundary=b"BB", declared=None, kind=b"multipart/mixed", preamble=b"a mail in parts\r\n",
          end=True, epilogue=b""):
    declared = b'boundary="%s"' % boundary if declared is None else declared
    body = b"".join(b"--" + boundary + b"\r\n" + p for p in parts)
    return (b"Content-Type: " + kind + b"; " + declared + b"\r\n\r\n" + preamble + body +
            (b"--" + boundary + b"--\r\n" if end else b"") + epilogue)


TEXT = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nhello there\r\n"


def attached(data, header=PART + DISPOSITION):
    return header + b"\r\n" + b64(data)


def from_python(data):
    """What well-made programs send."""
    for subtype in ("mixed", "related", "alternative", "digest", "report", "signed", "parallel", "form-data"):
        m = MIMEMultipart(subtype)
        m["From"], m["To"], m["Subject"] = "a@example.org", "b@example.org", "test"
        m.attach(MIMEText("hello", "plain"))
        p = MIMEBase("application", "octet-stream")
        p.set_payload(data)
        encoders.encode_base64(p)
        p.add_header("Content-Disposition", "attachment", filename="a.bin")
        m.attach(p)
        yield "python-" + subtype, m.as_bytes()
    for depth in (1, 2, 5, 9):
        inner = m
        for _ in range(depth):
            outer = MIMEMultipart("mixed")
            outer["From"], outer["Subject"] = "a@example.org", "deeper"
            outer.attach(MIMEText("text", "html"))
            outer.attach(inner)
            inner = outer
        yield "python-nested-%d" % depth, inner.as_bytes()
    for depth in (1, 2, 4, 7):
        inner = m
        for _ in range(depth):
            outer = MIMEMultipart("mixed")
            outer["From"], outer["Subject"] = "a@example.org", "forwarded"
            outer.attach(MIMEMessage(inner))
            inner = outer
        yield "python-rfc822-%d" % depth, inner.as_bytes()
    for cte in ("base64", "quoted-printable"):
        e = EmailMessage(policy=policy.SMTP)
        e["From"], e["To"], e["Subject"] = "a@example.org", "b@example.org", "test"
        e.set_content("hello")
        e.add_attachment(data, maintype="application", subtype="zip", filename="gr\u00fc\u00dfe.zip", cte=cte)
        yield "python-smtp-" + cte, e.as_bytes()
    e = EmailMessage(policy=policy.SMTP)
    e["From"], e["Subject"] = "a@example.org", "x"
    e.set_content(data, maintype="application", subtype="octet-stream", cte="base64")
    yield "python-single", e.as_bytes()
    one = HEAD + mixed([TEXT, attached(data)])
    yield "mbox", b"".join(b"From a@example.org Mon Jan  1 00:00:00 2024\n" + x.replace(b"\r\n", b"\n") + b"\n"
                           for x in (HEAD + b"\r\nclean\r\n", one))
    yield "mbox-last-of-many", b"".join(
        b"From a@example.org Mon Jan  1 00:00:00 2024\n" + x.replace(b"\r\n", b"\n") + b"\n"
        for x in [HEAD + b"\r\nFrom here on\r\n" for _ in range(30)] + [one])


def encoded(data):
    """Each encoding, declared in all ways that readers take."""
    yield "plain-base64", HEAD + mixed([TEXT, attached(data)])
    for name, value in (("upper", b"BASE64"), ("quoted", b'"base64"'), ("comment", b"base64 (really)"),
                        ("semicolon", b"base64;"), ("spaces", b"   base64  "), ("folded", b"\r\n base64"),
                        ("mixed", b"bAsE64"), ("unknown", b"x-unknown"), ("wrong-7bit", b"7bit"),
                        ("wrong-qp", b"quoted-printable"), ("wrong-8bit", b"8bit"), ("wrong-binary", b"binary"),
                        ("empty", b"")):
        header = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: " + value + b"\r\n"
        yield "cte-" + name, HEAD + mixed([TEXT, attached(data, header + DISPOSITION)])
    yield "cte-missing", HEAD + mixed([TEXT, attached(data, b"Content-Type: application/zip\r\n" + DISPOSITION)])
    yield "cte-twice", HEAD + mixed([attached(data, PART + b"Content-Transfer-Encoding: 7bit\r\n")])
    yield "cte-twice-other-way", HEAD + mixed(
        [attached(data, b"Content-Transfer-Encoding: quoted-printable\r\n" + PART)])
    yield "cte-space-before-colon", HEAD + mixed(
        [attached(data, b"Content-Type : application/zip\r\nContent-Transfer-Encoding : base64\r\n")])
    yield "cte-on-multipart", HEAD + b"Content-Transfer-Encoding: base64\r\n" + mixed([TEXT, attached(data)])
    yield "multipart-in-base64", (HEAD + b"Content-Transfer-Encoding: base64\r\nContent-Type: multipart/mixed; "
                                  b"boundary=BB\r\n\r\n" + b64(mixed([TEXT, attached(data)]).split(b"\r\n\r\n", 1)[1]))
    yield "rfc822-in-base64", HEAD + mixed(
        [b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         b64(HEAD + mixed([TEXT, attached(data)]))])
    q = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    yield "qp", HEAD + mixed([TEXT, q + DISPOSITION + b"\r\n" + qp(data)])
    yield "qp-python", HEAD + mixed([TEXT, q + b"\r\n" + quopri.encodestring(data)])
    yield "qp-lower", HEAD + mixed([TEXT, q + b"\r\n" + re.sub(rb"=[0-9A-F]{2}", lambda m: m[0].lower(), qp(data))])
    yield "qp-blanks", HEAD + mixed([TEXT, q + b"\r\n" + qp(data).replace(b"=\r\n", b"= \t\r\n")])
    yield "qp-lf", HEAD + mixed([TEXT, q + b"\r\n" + qp(data).replace(b"\r\n", b"\n")])
    for kind in (b"8bit", b"binary", b"7bit"):
        yield "raw-" + kind.decode(), HEAD + mixed(
            [TEXT, b"Content-Type: application/zip\r\nContent-Transfer-Encoding: " + kind + b"\r\n\r\n" + data + b"\r\n"])
    yield "uu-in-body", HEAD + b"Content-Type: text/plain\r\n\r\nsee below\r\n\r\n" + uu(data)
    yield "uu-no-mime", HEAD.replace(b"MIME-Version: 1.0\r\n", b"") + b"\r\nsee below\r\n\r\n" + uu(data)
    yield "uu-in-part", HEAD + mixed([TEXT, b"Content-Type: text/plain\r\n\r\n" + uu(data)])
    for word in (b"x-uuencode", b"uuencode", b"x-uue"):
        yield "uu-declared-" + word.decode(), HEAD + mixed(
            [TEXT, b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: " + word + b"\r\n\r\n" + uu(data)])
    yield "uu-blanks-cut", HEAD + b"\r\n" + re.sub(rb" +\r\n", b"\r\n", uu(data).replace(b"`", b" "))
    yield "uu-two-files", HEAD + b"\r\n" + uu(b"clean", b"1") + b"\r\ntext\r\n" + uu(data, b"2")
    yield "uu-in-preamble", HEAD + mixed([TEXT], preamble=uu(data))
    yield "uu-in-epilogue", HEAD + mixed([TEXT], epilogue=uu(data))
    yield "yenc", HEAD + b"\r\n" + yenc(data)
    yield "yenc-in-part", HEAD + mixed([TEXT, b"Content-Type: application/octet-stream\r\n\r\n" + yenc(data)])
    yield "yenc-declared", HEAD + mixed(
        [TEXT, b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: x-yencode\r\n\r\n" + yenc(data)])


def damaged_base64(data):
    good = b64(data)
    lines = good.split(b"\r\n")
    half = len(lines) // 2

    def part(body):
        return HEAD + mixed([TEXT, PART + DISPOSITION + b"\r\n" + body])
    yield "b64-blank-lines", part(b"\r\n\r\n".join(lines))
    yield "b64-leading-blanks", part(b"\r\n\r\n\r\n" + good)
    yield "b64-long-line", part(good.replace(b"\r\n", b"") + b"\r\n")
    yield "b64-short-lines", part(b64(data, 4))
    yield "b64-uneven-lines", part(b64(data, 61))
    yield "b64-one-digit-lines", part(b64(data, 1))
    yield "b64-spaces", part(good.replace(b"A", b" A"))
    yield "b64-indented", part(b"".join(b"  " + x + b"\r\n" for x in lines))
    yield "b64-quoted", part(b"".join(b"> " + x + b"\r\n" for x in lines))
    yield "b64-tabs", part(good.replace(b"\r\n", b"\t\r\n"))
    yield "b64-exclamation", part(re.sub(rb"(.{10})", rb"\1!", good))
    yield "b64-high-bytes", part(re.sub(rb"(.{13})", b"\\1\xfe", good))
    yield "b64-zeros", part(re.sub(rb"(.{17})", b"\\1\0", good))
    yield "b64-dashes", part(re.sub(rb"(.{17})", rb"\1-", good))
    yield "b64-junk-line", part(b"\r\n".join(lines[:half] + [b"this is *not* base64!"] + lines[half:]))
    yield "b64-junk-first", part(b"Hello, this: is text.\r\n\r\n" + good)
    yield "b64-no-padding", part(good.replace(b"=", b""))
    yield "b64-more-padding", part(good.rstrip() + b"====\r\n")
    yield "b64-padding-alone", part(good.replace(b"=", b"\r\n="))
    yield "b64-footer", part(good + b"\r\n____________\r\nlist mailing list\r\nlist@example.org\r\n")
    yield "b64-footer-joined", part(good + b"-- \r\nsent from my telephone, really\r\n")
    yield "b64-lf", part(good.replace(b"\r\n", b"\n"))
    yield "b64-cr", part(good.replace(b"\r\n", b"\r"))
    yield "b64-crcrlf", part(good.replace(b"\r\n", b"\r\r\n"))
    yield "b64-lfcr", part(good.replace(b"\r\n", b"\n\r"))
    yield "b64-mixed-ends", part(b"".join(x + (b"\n", b"\r\n", b"\r")[i % 3] for i, x in enumerate(lines)))
    yield "b64-two-streams", part(b64(data[:1000]) + b64(data[1000:]))
    yield "b64-cut", part(good[:-30])


def broken_structure(data):
    a = attached(data)
    yield "no-final-boundary", HEAD + mixed([TEXT, a], end=False)
    yield "boundary-unquoted", HEAD + mixed([TEXT, a], declared=b"boundary=BB")
    yield "boundary-single-quotes", HEAD + mixed([TEXT, a], declared=b"boundary='BB'")
    yield "boundary-quote-left-open", HEAD + mixed([TEXT, a], declared=b'boundary="BB')
    yield "boundary-spaces", HEAD + mixed([TEXT, a], declared=b'boundary = "BB"')
    yield "boundary-no-semicolon", HEAD + mixed([TEXT, a], declared=b"boundary=BB charset=x")
    yield "boundary-folded", HEAD + mixed([TEXT, a], declared=b'\r\n\tboundary="BB"')
    yield "boundary-folded-deep", HEAD + mixed([TEXT, a], declared=b'\r\n \r\n boundary="BB"')
    yield "boundary-comment", HEAD + mixed([TEXT, a], declared=b"(a comment) boundary=(one more)BB(and one)")
    yield "boundary-upper-name", HEAD + mixed([TEXT, a], declared=b'BOUNDARY="BB"')
    yield "boundary-2231", HEAD + mixed([TEXT, a], declared=b"boundary*=us-ascii'en'BB")
    yield "boundary-2231-sections", HEAD + mixed([TEXT, a], declared=b'boundary*0="B"; boundary*1="B"')
    yield "boundary-twice", HEAD + mixed([TEXT, a], declared=b'boundary="AA"; boundary="BB"')
    yield "boundary-twice-other-way", HEAD + mixed([TEXT, a], declared=b'boundary="BB"; boundary="AA"')
    yield "boundary-missing", HEAD + mixed([TEXT, a], declared=b"charset=x")
    yield "boundary-empty", HEAD + mixed([TEXT, a], declared=b'boundary=""', boundary=b"")
    yield "boundary-wrong", HEAD + mixed([TEXT, a], declared=b'boundary="CC"')
    yield "boundary-long", HEAD + mixed([TEXT, a], boundary=b"x" * 200)
    yield "boundary-escaped", HEAD + mixed([TEXT, a], declared=b'boundary="B\\B"')
    yield "boundary-with-blanks", HEAD + mixed([TEXT, a], boundary=b"=_ a b c")
    yield "boundary-fewer-dashes", HEAD + mixed([TEXT, a], boundary=b"--- =_Next",
                                                declared=b'boundary="---- =_Next"')
    yield "boundary-trailing-blanks", (HEAD + mixed([TEXT, a])).replace(b"--BB\r\n", b"--BB  \t\r\n")
    yield "boundary-trailing-junk", (HEAD + mixed([TEXT, a])).replace(b"--BB\r\n", b"--BBjunk\r\n")
    yield "boundary-indented", (HEAD + mixed([TEXT, a])).replace(b"--BB\r\n", b" --BB\r\n")
    yield "boundary-lower-case", (HEAD + mixed([TEXT, a])).replace(b"--BB\r\n", b"--bb\r\n")
    inner = mixed([TEXT, a], boundary=b"BBB")
    yield "boundary-prefix", HEAD + mixed([TEXT, inner])
    yield "boundary-prefix-other-way", HEAD + mixed([TEXT, mixed([TEXT, a], boundary=b"BB")], boundary=b"BBB")
    yield "boundary-same", HEAD + mixed([TEXT, mixed([TEXT, a])])
    yield "type-twice", HEAD + b"Content-Type: text/plain\r\n" + mixed([TEXT, a])
    yield "type-twice-other-way", HEAD + mixed([TEXT, a]).replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain\r\n\r\n", 1)
    yield "type-two-boundaries", HEAD + b"Content-Type: multipart/mixed; boundary=AA\r\n" + mixed([TEXT, a])
    yield "type-nonsense", HEAD + mixed([TEXT, a], kind=b"multipart")
    yield "type-unknown", HEAD + mixed([TEXT, a], kind=b"multipart/x-none")
    yield "type-text-with-boundary", HEAD + mixed([TEXT, a], kind=b"text/plain")
    yield "part-in-preamble", HEAD + mixed([TEXT], preamble=b"Hello\r\n\r\n" + a)
    yield "part-in-epilogue", HEAD + mixed([TEXT], epilogue=b"\r\n" + a)
    yield "part-behind-the-end", HEAD + mixed([TEXT], epilogue=b"\r\n--BB\r\n" + a + b"--BB--\r\n")
    yield "part-undeclared-boundary", HEAD + mixed([TEXT], epilogue=b"\r\n--XX\r\n" + a + b"--XX--\r\n")
    yield "part-in-plain-text", HEAD + b"\r\nsomething went wrong\r\n\r\n" + a
    yield "part-without-blank-line", HEAD + mixed([TEXT, PART + b64(data)])
    yield "part-without-header", HEAD + mixed([TEXT, b"\r\n" + b64(data)])
    yield "part-garbage-in-header", HEAD + mixed([TEXT, b"Content-Type: application/zip\r\nnot a field at all\r\n"
                                                  b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(data)])
    yield "part-folds", HEAD + mixed(
        [b"Content-Type:\r\n application/zip;\r\n\tname=\r\n a.bin\r\nContent-Transfer-Encoding:\r\n\t base64\r\n\r\n" +
         b64(data)])
    yield "part-blank-fold", HEAD + mixed([b"Content-Type: application/zip\r\n \r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                                           b64(data)])
    yield "header-blank-line-first", b"\r\n\r\n" + HEAD + mixed([TEXT, a])
    yield "header-from-line", b"From a@example.org Mon Jan  1 00:00:00 2024\r\n" + HEAD + mixed([TEXT, a])
    yield "header-quoted-from-line", b">From a@example.org Mon Jan  1 00:00:00 2024\r\n" + HEAD + mixed([TEXT, a])
    yield "header-no-mime-version", HEAD.replace(b"MIME-Version: 1.0\r\n", b"") + mixed([TEXT, a])
    yield "header-strange-first", b"X-Strange-Field: 1\r\n" + HEAD + mixed([TEXT, a])
    yield "header-long", b"".join(b"X-Field-%d: %s\r\n" % (i, b"v" * 60) for i in range(40)) + HEAD + mixed([TEXT, a])
    yield "header-eight-bit", HEAD.replace(b"a test", b"gr\xfc\xdfe") + mixed([TEXT, a])
    yield "header-only-two", b"From: a@example.org\r\n" + mixed([TEXT, a])
    yield "header-lower-case", (HEAD + mixed([TEXT, a])).replace(b"Content-", b"content-").replace(b"From", b"from")
    yield "header-upper-case", (HEAD + mixed([TEXT, a])).replace(b"Content-", b"CONTENT-")
    yield "header-no-colon-space", (HEAD + mixed([TEXT, a])).replace(b": ", b":")
    yield "header-many-comments", HEAD + mixed([TEXT, a], declared=b"(" * 200 + b')' * 200 + b' boundary="BB"')
    yield "header-long-parameter", HEAD + mixed([TEXT, a], declared=b'x="%s"; boundary="BB"' % (b"y" * 3000))
    yield "header-many-parameters", HEAD + mixed(
        [TEXT, a], declared=b" ".join(b"p%d=v;" % i for i in range(40)) + b' boundary="BB"')
    for name, end in (("lf", b"\n"), ("cr", b"\r"), ("crcrlf", b"\r\r\n")):
        yield "ends-" + name, (HEAD + mixed([TEXT, a])).replace(b"\r\n", end)
    whole = (HEAD + mixed([TEXT, a])).split(b"\r\n")
    yield "ends-mixed", b"".join(x + (b"\n", b"\r\n")[i % 2] for i, x in enumerate(whole))
    yield "bounce", (HEAD + b"\r\nThis is the mail system. Your message could not be delivered.\r\n\r\n"
                     b"--- Below this line is a copy of the message.\r\n\r\n" + HEAD + mixed([TEXT, a]))
    yield "delivery-report", HEAD + mixed(
        [TEXT, b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nStatus: 5.0.0\r\n",
         b"Content-Type: message/rfc822\r\n\r\n" + HEAD + mixed([TEXT, a], boundary=b"CC")], kind=b"multipart/report")
    yield "rfc822-headers-only-type", HEAD + b"Content-Type: message/rfc822\r\n\r\n" + HEAD + mixed([TEXT, a])
    yield "partial-first", (HEAD + b'Content-Type: message/partial; id="x"; number=1; total=2\r\n\r\n' + HEAD +
                            mixed([TEXT, a], end=False))
    yield "many-parts", HEAD + mixed([TEXT] * 300 + [a])
    yield "digest", HEAD + mixed([b"\r\n" + HEAD + mixed([TEXT, a], boundary=b"CC")], kind=b"multipart/digest")
    yield "external-body", HEAD + mixed([b"Content-Type: message/external-body; access-type=local-file\r\n\r\n" + a])
    yield "html-and-related", HEAD + mixed(
        [mixed([b"Content-Type: text/html\r\n\r\n<html><img src=cid:1></html>\r\n", a], boundary=b"RR",
               kind=b"multipart/related")], kind=b"multipart/alternative")
    for name, disposition in (
            ("2231", b"attachment; filename*=utf-8''%e2%82%ac.exe"),
            ("2231-sections", b"attachment; filename*0=\"a\"; filename*1*=%20b; filename*2=.exe"),
            ("2047", b'attachment; filename="=?utf-8?B?4oKsLmV4ZQ==?="'),
            ("nothing", b"attachment"), ("path", b'attachment; filename="../../etc/passwd"')):
        yield "name-" + name, HEAD + mixed(
            [TEXT, attached(data, PART + b"Content-Disposition: " + disposition + b"\r\n")])


def cases():
    for kind, data in (("zip", zipped()), ("bytes", BYTES)):
        for group in (from_python, encoded, damaged_base64, broken_structure):
            for name, mail in group(data):
                yield kind + "-" + name, mail


def verdicts(command, folder):
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=folder, timeout=600)
    if run.returncode not in (0, 1):
        raise RuntimeError("%s: exit %d: %s" % (command[0], run.returncode, run.stderr[-300:]))
    return run.stdout


def judged(folder, database):
    """Names by mail, of ours and of clamscan."""
    ours, theirs = {}, {}
    import json
    out = verdicts([HOLDFAST, "scan", "--json", "-a", "-d", database, "."], folder)
    for line in out.splitlines():
        one = json.loads(line)
        if one.get("evidence"):
            name = os.path.basename(one.get("path") or one.get("name"))
            ours[name] = {e["name"] for e in one["evidence"]}
    out = verdicts(["clamscan", "-z", "--no-summary", "--infected", "-d", database, "-r", "."], folder)
    for line in out.splitlines():
        m = re.match(r"(.+?): (\S+?)(\.UNOFFICIAL)? FOUND$", line)
        if m:
            theirs.setdefault(os.path.basename(m[1]), set()).add(m[2])
    return ours, theirs


def main():
    with tempfile.TemporaryDirectory(prefix="holdfast-mail.") as scratch:
        database = os.path.join(scratch, "db")
        mails = sys.argv[1] if len(sys.argv) > 1 else os.path.join(scratch, "mails")
        os.makedirs(database)
        os.makedirs(mails, exist_ok=True)
        databases(database)
        names = []
        for name, mail in cases():
            names.append(name)
            with open(os.path.join(mails, name), "wb") as f:
                f.write(mail)
        ours, theirs = judged(mails, database)
    worse = [n for n in names if theirs.get(n, set()) - ours.get(n, set())]
    better = [n for n in names if ours.get(n, set()) - theirs.get(n, set())]
    nobody = [n for n in names if n not in ours and n not in theirs]
    for title, some in (("only ours", better), ("nobody", nobody)):
        if os.environ.get("MAIL_LIST"):
            for n in some:
                print("# %s: %s: %s" % (title, n, " ".join(sorted(ours.get(n, set()) - theirs.get(n, set())))))
    print("# %d mails: ours finds something in %d, clamscan in %d; ours finds more in %d" %
          (len(names), len(ours), len(theirs), len(better)))
    print("1..1")
    for n in worse:
        print("# clamscan finds more: %s: %s" % (n, " ".join(sorted(theirs[n] - ours.get(n, set())))))
    print("%s 1 - what clamscan finds in mails is found" % ("not ok" if worse or not theirs else "ok"))
    sys.exit(1 if worse or not theirs else 0)


if __name__ == "__main__":
    main()
