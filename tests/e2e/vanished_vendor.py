#!/usr/bin/env python3
"""All hosts of the vendor are gone: 20 endpoints, each in a network namespace of its own, go on from the company's
mirror and a second publisher. make vanished-vendor; needs root and network namespaces, else says why not."""
import os, shutil, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from tap import HOLDFAST, Skip, case, main, need, run
from feed_lib import SERVER, Endpoint, Publisher, hf

ENDS, NET = 20, "10.213.77"
VENDOR, MIRROR, CERT = NET + ".1", NET + ".2", NET + ".3"


def ip(*args, code=0):
    r = run("ip", *args)
    if code is not None and r.returncode != code:
        raise AssertionError((args, r))
    return r


class Town:
    """A bridge, and namespaces on it."""

    def __init__(self):
        self.tag = "hf%d" % (os.getpid() % 100000)
        self.names, self.servers = [], []

    def __enter__(self):
        if run("ip", "link", "add", self.tag, "type", "bridge").returncode != 0:
            raise Skip("network namespaces or bridges are not allowed here")
        ip("link", "set", self.tag, "up")
        return self

    def host(self, number):
        """A namespace with the address NET.number; its name."""
        name = "%s-%d" % (self.tag, number)
        if run("ip", "netns", "add", name).returncode != 0:
            raise Skip("network namespaces are not allowed here")
        self.names.append(name)
        outer = "%sv%d" % (self.tag[:8], number)
        ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", outer, "master", self.tag, "up")
        ip("-n", name, "address", "add", "%s.%d/24" % (NET, number), "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")
        ip("-n", name, "link", "set", "lo", "up")
        return name

    def serve(self, number, folder):
        name = self.host(number)
        code = SERVER.replace('("127.0.0.1", 0)', '("%s.%d", 80)' % (NET, number))
        s = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", code, folder], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        assert s.stdout.readline().strip() == b"80"
        self.servers.append(s)
        return s

    def __exit__(self, *_):
        for s in self.servers:
            s.kill()
            s.wait()
            s.stdout.close()
        for name in self.names:
            run("ip", "netns", "delete", name)
        run("ip", "link", "delete", self.tag)


@case
def twenty_endpoints_go_on_without_the_vendor():
    "20 endpoints keep updating from their own mirror and a second publisher when all hosts of the vendor are gone"
    need("ip")
    if os.getuid() != 0:
        raise Skip("needs root for network namespaces")
    vendor, cert = Publisher("vendor", "org.vendor.feed"), Publisher("cert", "org.cert.feed")
    vendor.add(b"first")
    vendor.release()
    cert.add(b"first of the other")
    cert.release()
    os.mkdir("mirror")
    hf("feed", "mirror", vendor.dir, "mirror/vendor")
    with Town() as town:
        at_vendor = town.serve(1, vendor.dir)
        town.serve(2, os.path.abspath("mirror"))
        town.serve(3, cert.dir)
        ends = []
        for i in range(ENDS):
            e = Endpoint("end%d" % i)
            e.net = town.host(10 + i)
            e.trust(vendor, source="http://" + VENDOR, name="vendor")
            hf("trust", "rotate", "--home", e.home, "--source", "http://" + VENDOR, "--source",
               "http://%s/vendor" % MIRROR, "vendor")
            e.trust(cert, source="http://" + CERT, name="cert")
            ends.append(e)

        def update(e):
            r = run("ip", "netns", "exec", e.net, HOLDFAST, "update", "--home", e.home, timeout=120)
            assert r.returncode == 0, r

        def all_update():
            with ThreadPoolExecutor(ENDS) as pool:  # a host that is gone is waited for
                list(pool.map(update, ends))
        all_update()
        for e in ends:
            assert e.finds(b"first", "vendor") and e.finds(b"first of the other", "cert")
        # The last thing that the vendor publishes reaches the mirror; then all its hosts are gone.
        vendor.add(b"last")
        vendor.release()
        hf("feed", "mirror", vendor.dir, "mirror/vendor")
        at_vendor.kill()
        at_vendor.wait()
        ip("-n", town.names[0], "link", "set", "eth0", "down")
        shutil.rmtree(vendor.dir)
        cert.add(b"second of the other")
        cert.release()
        all_update()
        for e in ends:
            assert e.finds(b"last", "vendor") and e.finds(b"second of the other", "cert"), e.home
        # Days later only the other publisher has news; the vendor is replaced by it in one command.
        cert.add(b"third of the other")
        cert.release()
        all_update()
        for e in ends:
            assert e.finds(b"third of the other", "cert") and e.finds(b"last", "vendor")
        e = ends[0]
        e.trust(cert, source="http://" + CERT, name="vendor", verb="replace")
        update(e)
        assert e.finds(b"third of the other", "vendor")


if __name__ == "__main__":
    main()
