#!/usr/bin/env python3
"""The small clients of clamd, unmodified, with the daemon of the build folder. `make check-clients` has the others."""
import os, signal, socket, struct, sys, time
from tap import Skip, case, main, need
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "clients"))
import light
from daemon_lib import Daemon


def folder():
    os.chmod(".", 0o755)
    return os.path.join(os.getcwd(), "samples")


@case
def clamdscan_of_ClamAV_is_answered_in_all_its_ways():
    need("/usr/bin/clamdscan")
    with Daemon() as d:
        os.makedirs("samples")
        light.clamdscan(d.sock, folder(), parallel=8)


@case
def python3_pyclamd_is_answered():
    if light.find_pyclamd() is None:
        raise Skip("python3-pyclamd is not installed")
    with Daemon() as d:
        light.pyclamd(d.sock, folder(), parallel=8)


@case
def libclamav_client_perl_is_answered():
    if not light.have_perl():
        raise Skip("libclamav-client-perl is not installed")
    with Daemon() as d:
        light.perl(d.sock, folder(), parallel=4)


@case
def a_line_feed_or_a_second_end_after_a_stream_is_no_command_and_other_bytes_are():
    with Daemon() as d:
        for extra, wanted in ((b"\n", b"stream: OK\n"), (b"\0\0\0\0", b"stream: OK\n"), (b"x\n", b"Error processing command. ERROR\nstream: OK\n")):
            d.stream(b"so that there is a worker")
            workers = [p for name, pids in d.children().items() if "worker" in name for p in pids]
            assert workers, d.children()
            for p in workers:
                os.kill(p, signal.SIGSTOP)  # the answer takes longer than what the client sends late
            try:
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(20)
                s.connect(d.sock)
                s.sendall(b"nINSTREAM\n" + struct.pack(">I", 5) + b"clean" + struct.pack(">I", 0))
                time.sleep(0.3)
                s.sendall(extra)
                time.sleep(0.3)
            finally:
                for p in workers:
                    os.kill(p, signal.SIGCONT)
            got = b""
            while True:
                part = s.recv(200)
                if not part:
                    break
                got += part
            s.close()
            assert got == wanted, (extra, got)


main()
