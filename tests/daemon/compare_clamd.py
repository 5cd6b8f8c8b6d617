#!/usr/bin/env python3
"""Hold every conversation of clamd_cases.py with Debian's clamd and with holdfastd, both with the
same configuration, files and signature, and compare what they say byte by byte.

usage: compare_clamd.py BUILD [PATTERN...]      conversations whose name contains a PATTERN
Exits 0 when nothing differs but what `expected` names, each with its reason."""
import concurrent.futures, os, pwd, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clamd_cases as c

# Conversations where ours differs on purpose.
expected = {
    "FILDES write-only": "clamd calls a file clean that it could not read",
    "session: old style inside": "clamd waits for ever when it comes in one packet; apart it refuses, as ours always does",
}
SIGNATURE = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f:68:Eicar-Test\n"


def configure(base, name, root, user):
    folder = os.path.join(base, name)
    os.makedirs(os.path.join(folder, "db"))
    os.makedirs(os.path.join(folder, "tmp"))
    with open(os.path.join(folder, "db", "test.hsb"), "w") as f:
        f.write(SIGNATURE)
    path = os.path.join(folder, "clamd.conf")
    with open(path, "w") as f:
        f.write("LocalSocket %s/sock\nLocalSocketMode 666\nDatabaseDirectory %s/db\nForeground yes\nStreamMaxLength 1M\n"
                "TemporaryDirectory %s/tmp\nLogFile %s/log\nLogTime yes\nExcludePath /excluded-me$\nMaxThreads 40\n"
                "CommandReadTimeout 5\nReadTimeout 5\n%s"
                % (folder, folder, folder, folder, "User %s\n" % user if user else ""))
    if user:
        account = pwd.getpwnam(user)
        for d, dirs, files in os.walk(folder):
            for n in [d] + [os.path.join(d, f) for f in files]:
                os.chown(n, account.pw_uid, account.pw_gid)
    return folder, path


def start(command, sock, **more):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    for _ in range(300):
        if process.poll() is not None:
            sys.exit("%s ended: %s" % (command[0], process.stderr.read().decode()))
        try:
            if c.Talk(sock).send(b"zPING\0").all(seconds=2) == b"PONG\0":
                return process
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("%s does not answer" % command[0])


def main():
    build, patterns = sys.argv[1], sys.argv[2:]
    clamd = shutil.which("clamd", path=os.environ["PATH"] + ":/usr/sbin") or sys.exit("clamd is not installed")
    base = tempfile.mkdtemp(prefix="holdfast-clamd.")
    os.chmod(base, 0o755)
    root = os.path.join(base, "files")
    c.make_tree(root)
    user = "clamav" if os.getuid() == 0 else None
    servers = []
    try:
        for name, command in (("theirs", [clamd, "-c"]),
                              ("ours", [os.path.join(build, "holdfastd"), "--foreground", "--clamd-config"])):
            folder, config = configure(base, name, root, user)
            sock = os.path.join(folder, "sock")
            servers.append((sock, start(command + [config], sock)))
        todo = [x for x in c.cases(root) if not patterns or any(p in x[0] for p in patterns)]
        talks = dict(todo)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [[pool.submit(talk, sock) for sock, _ in servers] for _, talk in todo]
            same = differ = known = 0
            for (name, _), pair in zip(todo, answers):
                theirs, ours = [c.normalise(f.result()) for f in pair]
                # clamd answers some of them in one of two orders, or with a line more or less.
                for _ in range(4):
                    if theirs != ours and name not in expected:
                        theirs, ours = [c.normalise(talks[name](sock)) for sock, _ in servers]
                if "MULTISCAN" in name:  # in any order there
                    theirs, ours = [sorted(re.split(rb"(?<=[\n\0])", x)) for x in (theirs, ours)]
                if theirs == ours:
                    same += 1
                    if patterns:
                        print("same     %s\n  %r" % (name, ours[:600]))
                elif name in expected:
                    known += 1
                    print("on purpose  %s: %s" % (name, expected[name]))
                else:
                    differ += 1
                    print("DIFFERS  %s\n  theirs %r\n  ours   %r" % (name, theirs[:600], ours[:600]))
        print("%d conversations: %d equal, %d different on purpose, %d different" % (len(todo), same, known, differ))
        return 1 if differ else 0
    finally:
        for _, process in servers:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        subprocess.call(["chmod", "-R", "u+rwx", root])
        if not os.environ.get("KEEP"):
            shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
