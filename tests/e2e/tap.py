"""TAP for end-to-end tests: a function a case, its docstring or name the sentence that is shown.

    from tap import case, main, Skip
    @case
    def eicar_is_found(): ...
    main()

A case fails by an exception (assert is fine), is skipped by raising Skip("reason")."""
import os, subprocess, sys, tempfile, traceback

BUILD = os.path.abspath(os.environ.get("HOLDFAST_BUILD", "build"))
HOLDFAST = os.path.join(BUILD, "holdfast")
cases = []


class Skip(Exception):
    pass


def case(function):
    cases.append(function)
    return function


def eicar():
    """The EICAR test file, 68 bytes; never written out whole in the tree."""
    return (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()


def run(*args, **more):
    """Run a program, output captured as bytes, never longer than a minute unless told."""
    more.setdefault("timeout", 60)
    more.setdefault("stdout", subprocess.PIPE)
    more.setdefault("stderr", subprocess.PIPE)
    try:
        return subprocess.run([os.fspath(a) if not isinstance(a, bytes) else a for a in args], **more)
    except PermissionError:
        if more.get("user") is None:
            raise
        raise Skip("the build folder cannot be read by other users")


def scan(*args, **more):
    return run(HOLDFAST, "scan", *args, **more)


def scan_json(*args, **more):
    """(exit code, reported objects, summary) of a scan with --json."""
    import json
    r = scan("--json", *args, **more)
    lines = [json.loads(l) for l in r.stdout.decode("utf-8").splitlines()]
    assert lines, "no output; stderr: %r" % r.stderr
    return r.returncode, lines[:-1], lines[-1]


def need(*programs):
    import shutil
    for p in programs:
        if shutil.which(p) is None:
            raise Skip("%s is not installed" % p)


def need_build_for_others():
    """For root's cases that go on as somebody else: a folder such as /root lets nobody through."""
    at = BUILD
    while os.getuid() == 0 and at != "/":
        if os.stat(at).st_mode & 0o001 == 0:
            raise Skip("the build folder cannot be read by other users")
        at = os.path.dirname(at)


def main():
    wanted = sys.argv[1:]
    todo = [c for c in cases if not wanted or c.__name__ in wanted]
    print("1..%d" % len(todo), flush=True)
    worst = 0
    for number, c in enumerate(todo, 1):
        name = (c.__doc__ or c.__name__.replace("_", " ")).strip().splitlines()[0]
        here = os.getcwd()
        try:
            with tempfile.TemporaryDirectory(prefix="holdfast-e2e.") as folder:
                os.chdir(folder)
                try:
                    c()
                finally:
                    os.chdir(here)
            print("ok %d - %s" % (number, name), flush=True)
        except Skip as reason:
            print("ok %d - %s # SKIP %s" % (number, name, reason), flush=True)
        except Exception:
            worst = 1
            print("not ok %d - %s" % (number, name))
            for line in traceback.format_exc().splitlines():
                print("# " + line)
                print(line, file=sys.stderr)  # Meson shows this of a script that fails
            sys.stdout.flush()
    sys.exit(worst)
