#!/bin/sh
# @NAME@ @VERSION@: a self-extracting executable, a POSIX shell header before a gzip'd tar of Deno and the program.
# The payload starts at octet @SKIP@. On the first run it is unpacked into a cache folder of the user's own, which
# rtsp-server and rtsp-client of one build share; every later run starts from there. See README.md, "Build".
app=deno-rtsp id=@ID@ skip=@SKIP@
case $0 in */*) self=$0 ;; *) self=$(command -v -- "$0") ;; esac
uid=$(id -u)
# Whether a folder is ours and nobody else can write to it: what lies there will be run.
mine() {
  [ -d "$1" ] && [ -n "$(find "$1" -prune -type d -user "$uid" ! -perm -020 ! -perm -002 2>/dev/null)" ]
}
# Unpacks below the folder $1, which is ours, and sets $dir. Others may do the same at the same time: each unpacks
# into a folder of its own and the first to rename it wins.
unpack() {
  dir=$1/$id
  [ -x "$dir/deno" ] && return 0
  t=$1/.tmp.$id.$$
  find "$1"/.tmp.* -prune -mmin +60 -exec rm -rf {} + 2>/dev/null # left by a first run that was killed
  rm -rf "$t" 2>/dev/null
  mkdir -m 700 "$t" 2>/dev/null || return 1
  trap 'rm -rf "$t"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  { tail -c "+$skip" "$self" | gzip -dc 2>/dev/null || : >"$t/.bad"; } | (cd "$t" && tar -xf - 2>/dev/null) &&
    [ ! -e "$t/.bad" ] && # a truncated or damaged file
    "$t/deno" --version >/dev/null 2>&1 && # a mount without exec, a full disk, another libc
    { mv "$t" "$dir" 2>/dev/null; rm -rf "$dir/${t##*/}" 2>/dev/null; [ -x "$dir/deno" ]; }
  ok=$?
  rm -rf "$t" 2>/dev/null
  trap - EXIT INT TERM HUP
  return $ok
}
found=
for base in "${XDG_CACHE_HOME:+$XDG_CACHE_HOME/$app}" "${HOME:+$HOME/.cache/$app}" "${TMPDIR:-/tmp}/$app-$uid"; do
  case $base in /*) ;; *) continue ;; esac
  (umask 077; mkdir -p "$base") 2>/dev/null
  mine "$base" && unpack "$base" && found=1 && break
done
if [ ! "$found" ]; then
  echo "@NAME@: Cannot unpack into a cache folder: set XDG_CACHE_HOME or TMPDIR to a writable folder that allows execution" >&2
  exit 126
fi
DENO_DIR=$dir/.deno DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
export DENO_DIR DENO_NO_UPDATE_CHECK DENO_NO_PROMPT
unset DENO_NO_PACKAGE_JSON DENO_V8_FLAGS DENO_COVERAGE_DIR NODE_OPTIONS
exec "$dir/deno" run @FLAGS@ "$dir/app/@MAIN@" "$@"
