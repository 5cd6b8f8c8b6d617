#!/usr/bin/env python3
"""`holdfast scan --cache`: what was clean and has not changed is not read again; whatever changed is."""
import json, mmap, os, shutil, subprocess, time
from tap import BUILD, HOLDFAST, Skip, case, eicar, main, need, run

OLD = 2.2  # seconds after which a change can be told from another one


def put(name, data=b"harmless\n"):
    with open(name, "wb") as f:
        f.write(data)
    return name


def scan(*args):
    """A scan with a cache below the current folder, as a user whose cache is there."""
    environment = dict(os.environ, XDG_CACHE_HOME=os.path.abspath("cache"))
    command = [os.path.join(os.getcwd(), "bin", "holdfast"), "scan", "--json", *args]
    if os.getuid() == 0:
        need("setpriv")
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + command
    r = run(*command, env=environment)
    lines = [json.loads(l) for l in r.stdout.decode().splitlines()]
    assert lines, r.stderr
    return lines[-1]


def set_up(files):
    """Programs that any user may run, and files that are old enough; skipped where times tell nothing."""
    os.chmod(".", 0o755)
    os.mkdir("bin")
    for name in ("holdfast", "holdfast-worker"):
        shutil.copy(os.path.join(BUILD, name), "bin")
        os.chmod("bin/" + name, 0o755)
    for folder in ("cache", "data"):
        os.mkdir(folder)
    for name, data in files.items():
        put("data/" + name, data)
    if os.getuid() == 0:
        for folder, _, names in os.walk("."):
            for name in names + ["."]:
                if not folder.startswith("./bin"):
                    os.chown(os.path.join(folder, name), 65534, 65534)
    time.sleep(OLD)


def learn(*args):
    """Two scans; the second one must know what the first one read."""
    first = scan("--cache", "data", *args)
    assert first["known_clean"] == 0, first
    second = scan("--cache", "data", *args)
    if second["known_clean"] == 0:
        raise Skip("change times of the file system here are not trusted")
    return second


@case
def unchanged_clean_files_are_not_read_again():
    set_up({"a": b"one\n", "b": b"two\n", "bad.com": eicar()})
    second = learn()
    assert second["known_clean"] == 2 and second["files"] == 3, second
    assert second["exit_code"] == 1, second
    assert scan("data")["known_clean"] == 0  # only when asked for
    assert scan("--cache", "--no-cache", "data")["known_clean"] == 0


@case
def changed_content_with_the_old_times_is_read_again():
    set_up({"a": b"x" * 68, "b": b"two\n"})
    learn()
    before = os.stat("data/a")
    with open("data/a", "r+b") as f:
        f.write(eicar())
    os.utime("data/a", ns=(before.st_atime_ns, before.st_mtime_ns))
    time.sleep(OLD)
    after = scan("--cache", "data")
    assert after["exit_code"] == 1 and after["known_clean"] == 1, after


@case
def another_file_under_a_known_name_is_read():
    set_up({"a": b"x" * 68})
    learn()
    before = os.stat("data/a")
    put("data/new", eicar())
    os.utime("data/new", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.rename("data/new", "data/a")
    time.sleep(OLD)
    assert scan("--cache", "data")["exit_code"] == 1


@case
def a_file_that_somebody_may_still_write_is_not_kept():
    set_up({"a": b"x" * 68, "b": b"two\n"})
    with open("data/a", "r+b") as f:
        mapping = mmap.mmap(f.fileno(), 68)
        f.close()
        mapping[0:1] = b"y"
        time.sleep(OLD)
        scan("--cache", "data")
        mapping[:] = eicar()  # moves no time: the page was written to before
        time.sleep(OLD)
        after = scan("--cache", "data")
        assert after["exit_code"] == 1, after
        mapping.close()


@case
def a_file_that_has_just_changed_is_not_kept():
    set_up({"old": b"one\n"})
    put("data/young", b"young\n")
    if os.getuid() == 0:
        os.chown("data/young", 65534, 65534)
    scan("--cache", "data")
    time.sleep(OLD)
    second = scan("--cache", "data")
    assert second["known_clean"] <= 1, second


@case
def a_changed_database_or_option_reads_again():
    set_up({"a": b"harmless text that a rule will name\n"})
    learn()
    assert scan("--cache", "--max-recursion=3", "data")["known_clean"] == 0
    put("new.yar", b'rule r { strings: $a = "a rule will name" condition: $a }\n')
    os.chmod("new.yar", 0o644)
    after = scan("--cache", "--db", "new.yar", "data")
    assert after["known_clean"] == 0 and after["exit_code"] == 1, after


@case
def new_digest_signatures_find_what_was_known_to_be_clean():
    import hashlib
    data = b"clean today, known to be bad tomorrow\n"
    set_up({"a": data, "b": b"of another size\n"})
    put("one.hsb", b"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f:68:Eicar\n")
    more = hashlib.sha256(data).hexdigest().encode() + b":%d:Tomorrow\n" % len(data)
    put("two.hsb", open("one.hsb", "rb").read() + more)
    learn("--db", "one.hsb")
    after = scan("--cache", "--db", "two.hsb", "data")
    assert after["exit_code"] == 1 and after["known_clean"] == 1, after  # b was not read again


@case
def a_damaged_cache_is_begun_anew():
    set_up({"a": b"one\n"})
    learn()
    path = "cache/holdfast/clean.cache"
    with open(path, "r+b") as f:
        f.seek(40)
        f.write(b"\xff\xff")
    assert scan("--cache", "data")["known_clean"] == 0
    assert scan("--cache", "data")["known_clean"] == 1


@case
def a_cache_that_cannot_be_had_stops_nothing():
    set_up({"bad.com": eicar()})
    os.rmdir("cache")
    put("cache", b"a file is in the way\n")
    assert scan("--cache", "data")["exit_code"] == 1


main()
