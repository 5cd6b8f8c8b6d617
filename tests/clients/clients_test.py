#!/usr/bin/env python3
"""Unmodified programs of Debian 12 that speak to clamd, with the installed holdfast package. Runs as root in a Debian of
its own (tests/clients/run), where only loopback exists: /mnt holds the packages, the tests and npm's clamscan."""
import base64, ftplib, functools, json, os, pwd, shutil, signal, smtplib, socket, subprocess, sys, threading, time
sys.path[:0] = ["/mnt/tests/clients", "/mnt/tests/e2e"]
import light
from tap import Skip, case, main

SOCKET, PORT = "/run/clamav/clamd.ctl", 3310
started = []


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


def must(*command, **more):
    r = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    assert r.returncode == 0, (command, r.returncode, r.stdout[-2000:], r.stderr[-2000:])
    return r.stdout


def start(*command, log):
    p = subprocess.Popen(command, stdout=open(log, "w"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    started.append(p)
    return p


def wait_for(where, seconds=40):
    end = time.time() + seconds
    while True:
        s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        try:
            s.connect(where)
            return
        except OSError:
            assert time.time() < end, "nobody listens at %r" % (where,)
            time.sleep(0.1)
        finally:
            s.close()


def tail(path, count=20):
    try:
        with open(path, errors="replace") as f:
            return "".join("# %s\n" % l for l in f.read().splitlines()[-count:])
    except OSError as e:
        return "# %s\n" % e


def message(name, data, to="root@localhost"):
    return ("From: <sender@localhost>\r\nTo: <%s>\r\nSubject: %s\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
            "Message-ID: <%s.%d@localhost>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b\r\nContent-Type: application/octet-stream; name=\"%s.bin\"\r\n"
            "Content-Disposition: attachment; filename=\"%s.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            % (to, name, name, time.time_ns(), name, name)
            + base64.encodebytes(data).decode().replace("\n", "\r\n") + "--b--\r\n").encode()


def send(port, name, data, to="root@localhost"):
    """(code, text) of the answer to the whole mail."""
    s = smtplib.SMTP("127.0.0.1", port, local_hostname="localhost", timeout=120)
    try:
        s.mail("sender@localhost")
        code, text = s.rcpt(to)
        if code != 250:
            return code, text
        return s.data(message(name, data, to))
    finally:
        s.close()


@functools.lru_cache(maxsize=None)
def contents():
    """name -> (bytes, whether something is in them) of the samples."""
    return {n: (open(p, "rb").read(), bad) for n, (p, bad) in light.samples("/srv/samples", large=8 << 20).items() if n != "empty"}


def sized(count):
    """The small samples in turn, for many at once."""
    files = {n: v for n, v in contents().items() if n != "large"}
    return [files[sorted(files)[n % len(files)]] for n in range(count)]


def holdfastd():
    os.makedirs("/run/clamav", exist_ok=True)
    text = open("/etc/holdfast/holdfast.conf").read()
    text = text.replace("unix = /run/holdfast/clamd.sock", "unix = " + SOCKET).replace("#tcp-port = 0", "tcp-port = %d" % PORT)
    write("/etc/holdfast/holdfast.conf", text)
    os.makedirs("/run/holdfast", exist_ok=True)
    os.environ.update(XDG_CONFIG_HOME="/etc", XDG_DATA_HOME="/var/lib", XDG_CACHE_HOME="/var/cache")
    start("/usr/sbin/holdfastd", "--foreground", log="/tmp/holdfastd.log")
    wait_for(SOCKET)
    wait_for(("127.0.0.1", PORT))


@case
def clamdscan():
    light.clamdscan(SOCKET, "/srv/clamdscan", parallel=40)


@case
def our_clamdscan():
    light.clamdscan(SOCKET, "/srv/clamdscan", parallel=40, program="/usr/lib/holdfast/compat/clamdscan")


@case
def python3_pyclamd():
    light.pyclamd(SOCKET, "/srv/pyclamd")
    light.pyclamd(SOCKET, "/srv/pyclamd", port=PORT)


@case
def libclamav_client_perl():
    light.perl(SOCKET, "/srv/perl")


@case
def postfix_with_clamav_milter():
    write("/etc/clamav/clamav-milter.conf", "MilterSocket inet:8895@127.0.0.1\nClamdSocket unix:%s\nUser clamav\nForeground yes\n"
          "OnInfected Reject\nRejectMsg found: %%v\nAddHeader Replace\nMaxFileSize 60M\nLogFile /tmp/milter.log\n" % SOCKET)
    start("/usr/sbin/clamav-milter", "-c", "/etc/clamav/clamav-milter.conf", log="/tmp/milter.out")
    wait_for(("127.0.0.1", 8895))
    for setting in ("myhostname = mail.localhost", "mydestination = localhost", "inet_interfaces = loopback-only", "inet_protocols = ipv4",
                    "smtpd_milters = inet:127.0.0.1:8895", "milter_default_action = tempfail", "message_size_limit = 60000000",
                    "mailbox_size_limit = 0", "smtpd_client_connection_count_limit = 0", "maillog_file = /var/log/mail.log",
                    "alias_maps =", "local_recipient_maps =", "smtpd_peername_lookup = no"):
        must("postconf", "-e", setting)
    must("useradd", "-m", "reader")
    must("postfix", "start")
    wait_for(("127.0.0.1", 25))
    for name, (data, bad) in contents().items():
        code, text = send(25, name, data, "reader@localhost")
        assert (code == 550 and b"found: " in text) if bad else code == 250, (name, code, text)

    def one(n):
        data, bad = sized(30)[n]
        code, text = send(25, "many%d" % n, data, "reader@localhost")
        assert code == (550 if bad else 250), (n, code, text)
    light.many(30, one)
    for _ in range(200):
        box = open("/var/mail/reader", "rb").read() if os.path.exists("/var/mail/reader") else b""
        if box.count(b"X-Virus-Status: Clean") >= 12:
            break
        time.sleep(0.1)
    assert box.count(b"\nX-Virus-Status: Clean") == 12, box.count(b"X-Virus-Status")


@case
def rspamd():
    write("/etc/rspamd/local.d/antivirus.conf", 'holdfast {\n  type = "clamav";\n  action = "reject";\n  symbol = "CLAM_VIRUS";\n'
          '  servers = "%s";\n  log_clean = true;\n  scan_mime_parts = false;\n  max_size = 60000000;\n  timeout = 30.0;\n}\n' % SOCKET)
    write("/etc/rspamd/local.d/options.inc", 'dns { nameserver = ["127.0.0.1"]; timeout = 0.1s; retransmits = 1; }\nmax_message = 60M;\n')
    os.makedirs("/run/rspamd", exist_ok=True)
    shutil.chown("/run/rspamd", "_rspamd", "_rspamd")
    start("/usr/bin/rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "/etc/rspamd/rspamd.conf", log="/tmp/rspamd.out")
    wait_for(("127.0.0.1", 11333), 120)  # it compiles its expressions first
    import urllib.request

    def ask(name, data):
        r = urllib.request.Request("http://127.0.0.1:11333/checkv2", data=message(name, data))
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(r, timeout=120) as a:
            answer = json.load(a)
        return answer["action"] == "reject" and "CLAM_VIRUS" in answer["symbols"], answer
    for name, (data, bad) in contents().items():
        got, answer = ask(name, data)
        assert got == bad and "CLAM_VIRUS_FAIL" not in answer["symbols"], (name, answer)

    def one(n):
        data, bad = sized(40)[n]
        got, answer = ask("many%d" % n, data + b"%d" % n if not bad else data)
        assert got == bad and "CLAM_VIRUS_FAIL" not in answer["symbols"], (n, answer)
    light.many(40, one)


class Sink:
    """Takes mail on a port of loopback."""

    def __init__(self, port):
        self.count = 0
        self.socket = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            c, _ = self.socket.accept()
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        f = c.makefile("rwb")
        f.write(b"220 sink\r\n")
        f.flush()
        for line in f:
            word = line.strip().upper()
            if word == b"DATA":
                f.write(b"354 go on\r\n")
                f.flush()
                for part in f:
                    if part == b".\r\n":
                        break
                self.count += 1
            f.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            f.flush()
            if word == b"QUIT":
                return


@case
def amavisd_new():
    must("usermod", "-aG", "amavis", "holdfast")
    holdfastd_again()
    write("/etc/amavis/conf.d/50-user", """use strict;
$myhostname = 'mail.localhost';
@bypass_virus_checks_maps = (); @bypass_spam_checks_maps = (1);
@av_scanners = (['Holdfast', \\&ask_daemon, ["CONTSCAN {}\\n", "%s"], qr/\\bOK$/m, qr/\\bFOUND$/m, qr/^.*?: (?!Infected Archive)(.*) FOUND$/m]);
@av_scanners_backup = ();
$max_servers = 3; $final_virus_destiny = D_REJECT; $virus_admin = undef; $virus_quarantine_to = undef; $enable_db = 0;
$forward_method = $notify_method = 'smtp:[127.0.0.1]:10025'; $log_level = 1; $do_syslog = 0; $LOGFILE = '/var/lib/amavis/log';
@local_domains_maps = (1); @mynetworks = ('127.0.0.0/8');
1;
""" % SOCKET)
    sink = Sink(10025)
    start(must("sh", "-c", "dpkg -L amavisd-new | grep -m1 -E '/sbin/amavisd(-new)?$'").strip(), "foreground", log="/tmp/amavis.out")
    wait_for(("127.0.0.1", 10024))
    clean = 0
    for name, (data, bad) in contents().items():
        code, text = send(10024, name, data)
        assert (code == 554 and b"INFECTED" in text) if bad else code == 250, (name, code, text)
        clean += not bad

    def one(n):
        data, bad = sized(20)[n]
        code, text = send(10024, "many%d" % n, data)
        assert code == (554 if bad else 250), (n, code, text)
    light.many(20, one)
    assert sink.count == clean + sum(not bad for _, bad in sized(20)), sink.count


@case
def proftpd_mod_clamav():
    home = "/srv/ftp"
    os.makedirs(home, exist_ok=True)
    shutil.chown(home, "proftpd", "nogroup")
    crypted = must("openssl", "passwd", "-6", "secret").strip() if shutil.which("openssl") else __import__("crypt").crypt("secret")
    who = pwd.getpwnam("proftpd")
    write("/etc/proftpd/users", "up:%s:%d:65534::%s:/bin/false\n" % (crypted, who.pw_uid, home), 0o600)
    must("usermod", "-aG", "nogroup", "holdfast")
    modules = must("sh", "-c", "dpkg -L proftpd-mod-clamav proftpd-core | grep -m1 '/mod_clamav.so$'").strip()
    write("/etc/proftpd/test.conf", "ModulePath %s\nLoadModule mod_clamav.c\nServerType standalone\nServerName t\nPort 2121\nUseIPv6 off\nUseReverseDNS off\n"
          "User proftpd\nGroup nogroup\nDefaultServer on\nRequireValidShell off\nAuthOrder mod_auth_file.c\nAuthUserFile /etc/proftpd/users\n"
          "AllowOverwrite on\nWtmpLog off\nDefaultAddress 127.0.0.1\nSystemLog /var/log/proftpd/test.log\n<IfModule mod_ident.c>\nIdentLookups off\n</IfModule>\n"
          "<IfModule mod_clamav.c>\nClamAV on\nClamStream on\nClamServer 127.0.0.1\nClamPort %d\n</IfModule>\n" % (os.path.dirname(modules), PORT))
    start("/usr/sbin/proftpd", "--nodaemon", "--config", "/etc/proftpd/test.conf", log="/tmp/proftpd.out")
    wait_for(("127.0.0.1", 2121))

    def put(name, data, bad):
        import io
        f = ftplib.FTP()
        f.connect("127.0.0.1", 2121, timeout=60)
        f.login("up", "secret")
        try:
            f.storbinary("STOR " + name, io.BytesIO(data))
            refused = False
        except (ftplib.error_perm, ftplib.error_temp) as e:
            refused = True
            assert "irus" in str(e) or "nfected" in str(e), e
        f.close()
        assert refused == bad and os.path.exists(os.path.join(home, name)) != bad, (name, refused)
    for name, (data, bad) in contents().items():
        put(name, data, bad)
    light.many(16, lambda n: put("many%d" % n, *sized(16)[n]))


@case
def c_icap_with_virus_scan():
    lib = os.path.dirname(must("sh", "-c", "dpkg -L libc-icap-mod-virus-scan | grep -m1 clamd_mod.so").strip())
    share = must("sh", "-c", "dirname $(dpkg -L c-icap libicapapi5 | grep -m1 'c-icap.magic$')").strip()
    os.makedirs("/run/c-icap", exist_ok=True)
    shutil.chown("/run/c-icap", "c-icap", "c-icap")
    write("/etc/c-icap/test.conf", "PidFile /run/c-icap/c-icap.pid\nCommandsSocket /run/c-icap/c-icap.ctl\nTimeout 60\nStartServers 1\nMaxServers 4\n"
          "ThreadsPerChild 10\nPort 127.0.0.1:1344\nUser c-icap\nGroup c-icap\nTmpDir /var/tmp\nModulesDir %s\nServicesDir %s\nLoadMagicFile %s/c-icap.magic\n"
          "ServerLog /var/log/c-icap/server.log\nAccessLog /var/log/c-icap/access.log\n"
          "Service virus_scan virus_scan.so\nvirus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE\nvirus_scan.SendPercentData 0\n"
          "virus_scan.MaxObjectSize 50M\nvirus_scan.DefaultEngine clamd\nModule common clamd_mod.so\nclamd_mod.ClamdSocket %s\n" % (lib, lib, share, SOCKET))
    os.makedirs("/var/log/c-icap", exist_ok=True)
    shutil.chown("/var/log/c-icap", "c-icap", "c-icap")
    start("/usr/bin/c-icap", "-N", "-f", "/etc/c-icap/test.conf", log="/tmp/c-icap.out")
    wait_for(("127.0.0.1", 1344))

    def ask(n, path, bad):
        out = "/tmp/icap.%d" % n
        r = subprocess.run(["c-icap-client", "-i", "127.0.0.1", "-p", "1344", "-s", "virus_scan", "-f", path, "-o", out, "-v"],
                           capture_output=True, text=True, errors="replace", timeout=120)
        got = "X-Infection-Found" in r.stdout + r.stderr
        assert r.returncode == 0 and got == bad and ("ICAP/1.0 20" in r.stdout + r.stderr), (path, bad, r)
    files = {n: v for n, v in light.samples("/srv/samples", large=8 << 20).items() if n != "empty"}
    for n, name in enumerate(files):
        ask(n, *files[name])
    names = [n for n in files if n != "large"]
    light.many(20, lambda n: ask(100 + n, *files[names[n % len(names)]]))


@case
def clamscan_of_npm():
    if not os.path.isdir("/mnt/npm/node_modules/clamscan"):
        raise Skip("the registry of npm could not be reached")
    light.samples("/srv/samples", large=8 << 20)
    os.unlink("/srv/samples/empty")  # of an empty file this client sends no command, only the end of a stream
    write("/srv/node.js", """
const Clam = require('/mnt/npm/node_modules/clamscan'), fs = require('fs'), dir = '/srv/samples/';
const bad = {clean: false, eicar: true, zip: true, large: false};
async function main(clamdscan) {
  const c = await new Clam().init({clamdscan: {localFallback: false, timeout: 60000, ...clamdscan}, preference: 'clamdscan'});
  if (!/ClamAV/.test(await c.getVersion())) throw 'version';
  for (const name of Object.keys(bad)) {
    const a = await c.isInfected(dir + name);
    if (a.isInfected !== bad[name]) throw 'isInfected ' + JSON.stringify(a);
    const s = await c.scanStream(fs.createReadStream(dir + name));
    if (s.isInfected !== bad[name]) throw 'scanStream ' + name + JSON.stringify(s);
  }
  const d = await c.scanDir(dir);
  if (d.badFiles.length !== 2) throw 'scanDir ' + JSON.stringify(d);
  const names = ['clean', 'eicar', 'zip'];
  await Promise.all([...Array(40).keys()].map(async i => {
    const n = names[i % 3], s = await c.scanStream(fs.createReadStream(dir + n));
    if (s.isInfected !== bad[n]) throw 'parallel ' + n;
  }));
}
main({socket: 'SOCKET'}).then(() => main({host: '127.0.0.1', port: PORT, socket: false})).then(() => process.exit(0), e => { console.error(e); process.exit(1); });
""".replace("SOCKET", SOCKET).replace("PORT", str(PORT)))
    must("node", "/srv/node.js")


def holdfastd_again():
    """An account's groups are read when a process starts."""
    p = started[0]
    p.send_signal(signal.SIGTERM)
    p.wait(20)
    start("/usr/sbin/holdfastd", "--foreground", log="/tmp/holdfastd2.log")
    started[0] = started.pop()
    wait_for(SOCKET)
    wait_for(("127.0.0.1", PORT))


os.chmod("/srv", 0o755)
must("sh", "-c", "dpkg -i /mnt/debs/*.deb")
os.umask(0o022)
holdfastd()
try:
    main()
except SystemExit as e:
    if e.code:
        for log in ("/tmp/holdfastd.log", "/tmp/holdfastd2.log", "/tmp/milter.log", "/var/log/mail.log", "/tmp/rspamd.out", "/var/log/rspamd/rspamd.log", "/tmp/amavis.out",
                    "/var/lib/amavis/log", "/tmp/proftpd.out", "/var/log/proftpd/test.log", "/tmp/c-icap.out", "/var/log/c-icap/server.log"):
            if os.path.exists(log):
                print("# %s\n%s" % (log, tail(log)), flush=True)
    os._exit(e.code or 0)  # the processes that were started end with this Debian
