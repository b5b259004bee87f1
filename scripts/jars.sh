# Sourced by the set-ups that need jars: fetches those of a POM from Maven Central and checks each against its sum.
# Wants $CACHE and $TMPDIR, and the functions `say` and `stop`.

# The path belongs to it: what is set up doesn't survive being moved.
fingerprint() { { printf '%s\n' "$PWD" && cat "$@"; } | sha256sum; }
is_stamped() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# Usage: jars_are_ready FOLDER POM SUMS
jars_are_ready() { is_stamped "$1/.ready" "$(fingerprint "$2" "$3")"; }

# Usage: set_up_jars FOLDER POM SUMS [Maven's arguments]. Made beside the old folder, which a running session may still
# read, and put in its place as a whole.
set_up_jars() {
  command -v mvn >/dev/null || stop "Maven is missing: install it (Debian, Ubuntu: apt-get install maven), then run this again."
  local folder=$1 pom=$2 sums=$PWD/$3 new=$1.new
  rm -rf "$new"
  mkdir -p "$new" "$TMPDIR"
  say "fetching jars into ${folder#"$PWD"/}"
  mvn --batch-mode --quiet --strict-checksums -Dstyle.color=never --file "$pom" "${@:4}" \
    "-Dmaven.repo.local=$CACHE/maven" dependency:copy-dependencies "-DoutputDirectory=$new" ||
    stop "Maven could not fetch the jars of $pom: see its output above, then run this again."
  (cd "$new" && sha256sum --check --quiet --strict "$sums") || stop "a jar of $pom is not the one that ${sums#"$PWD"/} names."
  fingerprint "$pom" "$3" >"$new/.ready"
  rm -rf "$folder"
  mv "$new" "$folder"
}
