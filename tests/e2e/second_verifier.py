#!/usr/bin/env python3
"""A second verifier of feeds, written from docs/updates.md and the C2SP specifications alone. Shares nothing with
src/: own Ed25519 (RFC 8032), own Merkle tree (RFC 6962), own notes, checkpoints, cosignatures, tiles, proofs, policies.

    second_verifier.py feed DIR POLICY     all of a feed, from root/1 on; prints the version of the newest release
    second_verifier.py generation DIR POLICY    what an endpoint has kept: release, proof and files, by a root in DIR

It can also write: notes, cosignatures and roots, so that the other side is tested against a stranger."""
import base64, hashlib, os, sys

# --- Ed25519, RFC 8032 section 5.1 ---
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)


def add(a, b):
    e, f, g, h = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0]), 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def unpack(s):
    y = int.from_bytes(s, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * I % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def pack(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_y = 4 * pow(5, P - 2, P) % P
BASE = unpack(_y.to_bytes(32, "little"))


def h512(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def ed25519_verify(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = unpack(key), unpack(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    return same(mul(s, BASE), add(r, mul(h512(signature[:32], key, message) % L, a)))


def ed25519_public(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return a, h[32:], pack(mul(a, BASE))


def ed25519_sign(seed, message):
    a, prefix, key = ed25519_public(seed)
    r = h512(prefix, message) % L
    rb = pack(mul(r, BASE))
    return rb + ((r + h512(rb, key, message) * a) % L).to_bytes(32, "little")


# --- signed notes ---
class Refused(Exception):
    pass


def need(good, why):
    if not good:
        raise Refused(why)


def b64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 in another spelling")
    return data


def key_id(name, typed):
    return hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]


def read_key(text):
    name, ident, data = text.split("+", 2)
    typed = b64(data)
    need(key_id(name, typed).hex() == ident and len(typed) == 33, "a key's id or length")
    return name, typed


def read_note(data):
    text = data.decode("utf-8")
    need(text.endswith("\n") and "\n\n" in text, "no note")
    body, tail = text.rsplit("\n\n", 1)
    signatures = []
    for line in tail[:-1].split("\n"):
        dash, name, sig = line.split(" ")
        raw = b64(sig)
        need(dash == "\u2014" and name and "+" not in name and len(raw) > 4, "a signature line")
        signatures.append((name, raw[:4], raw[4:]))
    return body + "\n", signatures


def signers(note, keys):
    """The public keys among these that have signed; a known key's bad signature refuses all."""
    body, signatures = note
    good = set()
    for name, typed in keys:
        for n, ident, sig in signatures:
            if n == name and ident == key_id(name, typed):
                need(typed[0] == 1 and ed25519_verify(typed[1:], body.encode(), sig), "a trusted key's bad signature")
                good.add(typed[1:])
    return good


def cosigned(note, witness):
    """When a witness has cosigned a checkpoint; None."""
    name, typed = witness
    body, signatures = note
    newest = None
    for n, ident, sig in signatures:
        if n == name and ident == key_id(name, typed):
            need(len(sig) == 72, "a cosignature's length")
            when = int.from_bytes(sig[:8], "big")
            message = "cosignature/v1\ntime %d\n%s" % (when, body)
            need(ed25519_verify(typed[1:], message.encode(), sig[8:]), "a witness's bad signature")
            newest = max(newest or 0, when)
    return newest


def policy_holds(text, note):
    seen, quorum = {}, None
    for line in text.split("\n"):
        w = line.split()
        if not w or w[0].startswith("#"):
            continue
        if w[0] == "witness":
            seen[w[1]] = cosigned(note, read_key(w[2])) is not None
        elif w[0] == "group":
            k = {"all": len(w) - 3, "any": 1}.get(w[2]) or int(w[2])
            seen[w[1]] = sum(seen[m] for m in w[3:]) >= k
        elif w[0] == "quorum":
            quorum = w[1] == "none" or seen[w[1]]
    need(quorum is not None, "no quorum line")
    return quorum


# --- Merkle tree, RFC 6962 section 2.1 ---
def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(a, b):
    return hashlib.sha256(b"\1" + a + b).digest()


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node(root_of(leaves[:k]), root_of(leaves[k:]))


def climb(hash_, index, size, path):
    """Root from an inclusion proof, by the recursion of section 2.1.1 read backwards."""
    if size == 1:
        need(not path, "a proof that is too long")
        return hash_
    need(path, "a proof that is too short")
    k = 1
    while 2 * k < size:
        k *= 2
    if index < k:
        return node(climb(hash_, index, k, path[:-1]), path[-1])
    return node(path[-1], climb(hash_, index - k, size - k, path[:-1]))


# --- lines of docs/updates.md ---
def lines_of(text, header):
    lines = text.split("\n")
    need(lines[0] == header and lines[-1] == "", "another header")
    for l in lines[1:-1]:
        need(l == l.strip() and "  " not in l and l, "another spelling")
    return [l.split(" ") for l in lines[1:-1]]


def read_root(text):
    roles, fields = {}, {}
    for w in lines_of(text, "holdfast-root v1"):
        if w[0] == "role":
            roles[w[1]] = (int(w[2]), [])
            last = w[1]
        elif w[0] == "key":
            roles[last][1].append(read_key(w[1]))
        else:
            fields[w[0]] = w[1]
    for threshold, keys in roles.values():
        need(1 <= threshold <= len(set(k[1] for k in keys)) == len(keys), "a role's threshold or keys")
    return fields["product"], int(fields["version"]), roles


def role_signed(role, note):
    return len(signers(note, role[1])) >= role[0]


def read_manifest(text):
    m = {"files": [], "deltas": [], "capabilities": [], "rings": []}
    for w in lines_of(text, "holdfast-manifest v1"):
        if w[0] == "file":
            m["files"].append((w[1], int(w[2]), w[3]))
        elif w[0] == "delta":
            m["deltas"].append((int(w[1]), w[2], int(w[3]), w[4]))
        elif w[0] == "capability":
            m["capabilities"].append(w[1])
        elif w[0] == "ring":
            m["rings"].append((int(w[1]), int(w[2])))
        else:
            m[w[0]] = w[1:]
    need(m["rings"][-1][0] == 100 and m["files"], "rings or files")
    return m


def checkpoint(note, origin):
    body = note[0].split("\n")
    need(body[0] == origin and str(int(body[1])) == body[1], "another log")
    return int(body[1]), b64(body[2])


def tile_number(n):
    s = "%03d" % (n % 1000)
    n //= 1000
    while n:
        s = "x%03d/" % (n % 1000) + s
        n //= 1000
    return s


class Feed:
    def __init__(self, folder):
        self.folder = folder

    def get(self, path):
        with open(os.path.join(self.folder, path), "rb") as f:
            return f.read()

    def entries(self, size):
        out = []
        for first in range(0, size, 256):
            n = min(256, size - first)
            part = "" if n == 256 else ".p/%d" % n
            data = self.get("tile/entries/" + tile_number(first // 256) + part)
            tile = self.get("tile/0/" + tile_number(first // 256) + part)
            here = []
            while data:
                length = int.from_bytes(data[:2], "big")
                here.append(data[2:2 + length])
                need(len(here[-1]) == length, "a bundle that is cut")
                data = data[2 + length:]
            need(tile == b"".join(map(leaf, here)) and len(here) == n, "a tile that does not fit its bundle")
            out += here
        return out


def verify_feed(folder, policy):
    feed = Feed(folder)
    roots, version = [], 1
    while os.path.exists(os.path.join(folder, "root/%d" % version)):
        note = read_note(feed.get("root/%d" % version))
        product, v, roles = read_root(note[0])
        need(v == version and role_signed(roles["root"], note), "a root that its own keys have not signed")
        if roots:
            need(product == roots[-1][0] and role_signed(roots[-1][1]["root"], note), "a root that does not follow")
        roots.append((product, roles, hashlib.sha256(note[0].encode()).hexdigest()))
        version += 1
    product, roles, _ = roots[-1]
    note = read_note(feed.get("checkpoint"))
    size, root = checkpoint(note, roles["log"][1][0][0])
    need(role_signed(roles["log"], note), "the log has not signed")
    need(policy_holds(policy, note), "too few witnesses")
    entries = feed.entries(size)
    need(root_of([leaf(e) for e in entries]) == root, "entries that do not give the root")
    previous, count, logged = {}, {}, 0
    for e in entries:
        word, p, channel, v, digest = e.decode()[:-1].split(" ")
        need(word == "holdfast/1" and p == product and e.endswith(b"\n"), "an entry of another kind")
        if channel == "root":
            need(roots[int(v) - 1][2] == digest, "a root that is not the one logged")
            logged += 1
            continue
        note = read_note(feed.get("release/" + digest))
        need(hashlib.sha256(note[0].encode()).hexdigest() == digest, "a release that is not the one logged")
        # Signed by the role as it was then; the newest one by the newest root.
        need(any(channel in r[1] and role_ok(r[1][channel], note) for r in roots), "a release below its threshold")
        m = read_manifest(note[0])
        need(m["product"] == [product] and m["channel"] == [channel] and m["version"] == [v], "a mixed release")
        need(int(v) == count.get(channel, 0) + 1 and m["previous"] == [previous.get(channel, "0" * 64)], "the chain")
        count[channel], previous[channel] = int(v), digest
        for name, length, h in [f for f in m["files"]] + [(None, d[2], d[3]) for d in m["deltas"]]:
            data = feed.get("object/%s/%s" % (h[:2], h))
            need(len(data) == length and hashlib.sha256(data).hexdigest() == h, "an object")
    need(logged == len(roots), "a root that is not logged")
    return count


def role_ok(role, note):
    try:
        return role_signed(role, note)
    except Refused:
        return False


def verify_generation(folder, root_note, policy):
    """What an endpoint keeps proves itself offline: release, tlog-proof, files."""
    read = lambda n: open(os.path.join(folder, n), "rb").read()
    note = read_note(read("release"))
    m = read_manifest(note[0])
    product, _, roles = read_root(read_note(root_note)[0])
    need(m["product"] == [product] and role_signed(roles[m["channel"][0]], note), "the release's signatures")
    lines, checkpoint_text = read("proof").decode().split("\n\n", 1)
    lines = lines.split("\n")
    need(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("index "), "no proof")
    cp = read_note(checkpoint_text.encode())
    size, root = checkpoint(cp, roles["log"][1][0][0])
    need(role_signed(roles["log"], cp) and policy_holds(policy, cp), "the checkpoint's signatures")
    entry = "holdfast/1 %s %s %s %s\n" % (product, m["channel"][0], m["version"][0],
                                        hashlib.sha256(note[0].encode()).hexdigest())
    need(climb(leaf(entry.encode()), int(lines[1][6:]), size, [b64(l) for l in lines[2:]]) == root, "not in the log")
    for name, length, h in m["files"]:
        data = read(name)
        need(len(data) == length and hashlib.sha256(data).hexdigest() == h, "a file")
    return int(m["version"][0])


# --- the writing side ---
def make_key(name, kind, seed):
    typed = bytes([kind]) + ed25519_public(seed)[2]
    ident = key_id(name, typed)
    secret = "PRIVATE+KEY+%s+%s+%s" % (name, ident.hex(), base64.b64encode(bytes([kind]) + seed).decode())
    return "%s+%s+%s" % (name, ident.hex(), base64.b64encode(typed).decode()), secret


def signature_line(name, kind, seed, body, when=None):
    typed = bytes([kind]) + ed25519_public(seed)[2]
    if kind == 4:
        sig = when.to_bytes(8, "big") + ed25519_sign(seed, ("cosignature/v1\ntime %d\n%s" % (when, body)).encode())
    else:
        sig = ed25519_sign(seed, body.encode())
    return "\u2014 %s %s\n" % (name, base64.b64encode(key_id(name, typed) + sig).decode())


if __name__ == "__main__":
    kind, folder, policy = sys.argv[1], sys.argv[2], open(sys.argv[3]).read()
    print(verify_feed(folder, policy) if kind == "feed" else
          verify_generation(folder, open(os.path.join(folder, "root"), "rb").read(), policy))
