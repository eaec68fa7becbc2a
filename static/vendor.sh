#!/bin/sh
# Checks or fetches the vendored files that vendor.txt lists.
#
#   vendor.sh --check   compares every file with its sha256; needs no network
#   vendor.sh           fetches the packages with npm pack, copies the files, then checks them
#
# A new version: change it in vendor.txt, run this, and write the sums it prints.
set -eu
cd "$(dirname "$0")"

check() {
	grep -v '^#' vendor.txt | awk '{ print $1 "  vendor/" $2 }' | sha256sum --check --quiet
	listed=$(grep -v '^#' vendor.txt | awk '{ print "vendor/" $2 }' | sort)
	present=$(find vendor -type f | sort)
	if [ "$listed" != "$present" ]; then
		echo "vendor.txt and the vendor folder name different files" >&2
		exit 1
	fi
}

fetch() {
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	for package in $(grep -v '^#' vendor.txt | awk '{ print $3 }' | sort -u); do
		mkdir "$work/$package"
		archive=$(npm pack --silent --pack-destination "$work" "$package")
		tar -xzf "$work/$archive" -C "$work/$package" --strip-components=1
	done
	grep -v '^#' vendor.txt | while read -r _ file package source; do
		mkdir -p "$(dirname "vendor/$file")"
		cp "$work/$package/$source" "vendor/$file"
		sha256sum "vendor/$file"
	done
}

case "${1-}" in
--check) check ;;
"") fetch && check ;;
*)
	echo "usage: vendor.sh [--check]" >&2
	exit 2
	;;
esac
