#!/bin/sh
# Install what Holdfast needs from Debian or Ubuntu; print the list elsewhere.
#
#   packaging/deps.sh build     compiler, Meson and libraries: enough to build and scan
#   packaging/deps.sh check     build, and what the tests use beside it
#   packaging/deps.sh deb       build, and what makes Debian packages
#   packaging/deps.sh roots     what makes a Debian to try packages and clients in
#
# Says what is missing before it installs, asks for sudo only when something is, and does nothing at
# all when nothing is. HOLDFAST_DEPS=list only prints the names.
set -eu

build="gcc libc6-dev make meson ninja-build pkg-config
libssl-dev libseccomp-dev libarchive-dev zlib1g-dev libdeflate-dev libbz2-dev liblzma-dev
libcurl4-openssl-dev libzstd-dev liblz4-dev libmspack-dev liblhasa-dev libpcre2-dev libinih-dev libmagic-dev"
check="$build
libcmocka-dev python3 clamav clamav-daemon clamdscan clamav-testfiles yara libyara-dev p7zip-full genisoimage cpio rpm dpkg-dev zip
xz-utils zstd lz4 bzip2 binutils strace man-db libarchive-tools lzip arj ncompress lhasa
osslsigncode openssl python3-pefile python3-pyclamd libclamav-client-perl libwine gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32"
deb="$build dpkg-dev binutils gzip xz-utils git"
roots="debootstrap util-linux lintian"

case ${1:-} in
build) wanted=$build ;;
check) wanted=$check ;;
deb) wanted=$deb ;;
roots) wanted=$roots ;;
*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
if [ "${HOLDFAST_DEPS:-}" = list ]; then
	echo $wanted
	exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: not a Debian or Ubuntu system; install what your system calls these:" >&2
	echo "  "$wanted >&2
	exit 0
fi

missing=
for p in $wanted; do
	case $(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null || true) in
	ii*) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
	root=sudo
	command -v sudo >/dev/null || { echo "deps: needs root (or sudo) to install:$missing" >&2; exit 1; }
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# A fresh image has no package lists, an old one has stale ones: fetch them when a name is unknown.
apt-cache show $missing >/dev/null 2>&1 || $root apt-get update -q
install="$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing"
$install || { $root apt-get update -q && $install; }
