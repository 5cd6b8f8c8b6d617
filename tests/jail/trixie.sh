#!/bin/bash
# The jail with the userland of Debian 13, whose newer C library makes other system calls: builds in
# a chroot of it and runs the tests of the jail and a real scan there. Needs root, debootstrap, a
# mirror and about 1.5 GB; some minutes the first time. Not part of `make check`.
#
#   tests/jail/trixie.sh [FOLDER]     FOLDER is kept and used again (/var/tmp/holdfast-trixie)
#   MIRROR=http://deb.debian.org/debian
set -euo pipefail
cd "$(dirname "$0")/../.."
root=${1:-/var/tmp/holdfast-trixie}
mirror=${MIRROR:-http://deb.debian.org/debian}
[ "$(id -u)" = 0 ] || { echo "trixie.sh: needs root (chroot, debootstrap)" >&2; exit 2; }

if [ ! -e "$root/etc/holdfast-ready" ]; then
	packages=$(HOLDFAST_DEPS=list packaging/deps.sh build | tr ' ' ,),libcmocka-dev,python3,git,zip,genisoimage,zstd
	debootstrap --variant=minbase --include="$packages" trixie "$root" "$mirror" >"$root.log" 2>&1 ||
		{ tail -5 "$root.log" >&2; exit 1; }
	touch "$root/etc/holdfast-ready"
fi

# Mounts of its own, gone with this process, so that nothing is left behind however it ends.
exec unshare --mount --propagation private bash -euo pipefail -c '
root=$1
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
rm -rf "$root/src" && mkdir -p "$root/src"
git ls-files -z | tar --null -T - -c | tar -x -C "$root/src"
chroot "$root" bash -euo pipefail -c "
cd /src
ldd --version | head -1
[ -f /build/build.ninja ] || meson setup /build -Dtests=true >/tmp/setup.log || { tail -5 /tmp/setup.log; exit 1; }
ninja -C /build --quiet
meson test -C /build --no-rebuild --print-errorlogs --suite jail --suite scan
mkdir /tmp/s && cd /tmp/s
printf \"%s%s\" \"Holdfast test pattern 7d1f0c52-93ab-4e0e-\" \"a6c1-5d2b8f40e917: harmless, found on purpose.\" >a
zip -q a.zip a; tar -czf a.tgz a; tar -c a | zstd -q >a.tzst; genisoimage -quiet -o a.iso a; ar rc a.ar a
/build/holdfast status --jail
/build/holdfast scan --json /tmp/s >/tmp/found.json || [ \$? = 1 ]
found=\$(grep -c Holdfast.Test.Pattern /tmp/found.json)
echo \"found in \$found of 6 files\"
[ \$found = 6 ] && ! grep crash /tmp/found.json
/build/holdfast scan --json /usr >/tmp/usr.json || [ \$? = 1 ]
tail -1 /tmp/usr.json
! grep -E \"\\\"(crash|timeout)\\\"\" /tmp/usr.json | grep -v summary
"
' bash "$root"
