#!/bin/sh
# Runs the fuzz targets of the module whose "package Target" matches the extended regular
# expression $FUZZ (all) for $FUZZTIME each, and prints a line for each: parser (package), target,
# executions, inputs that were new, inputs in all. Goes on after one that fails, and fails at the end.
#
# A run that is broken off goes on where it was: what is done is written down under out/fuzz, for
# this revision and time, until a run comes to its end. Go itself keeps the inputs that were new
# (`go env GOCACHE`), so that a later run begins with them.
set -eu
fuzztime=${FUZZTIME:-20s}
state=out/fuzz
mkdir -p "$state"
done="$state/done $(git rev-parse HEAD 2>/dev/null || echo none) $fuzztime"
list=$(go list -f '{{$d := .ImportPath}}{{range .TestGoFiles}}{{$d}} {{$.Dir}}/{{.}}
{{end}}{{range .XTestGoFiles}}{{$d}} {{$.Dir}}/{{.}}
{{end}}' ./... | while read -r pkg file; do
	[ -z "$file" ] || sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|$pkg \1|p" "$file"
done | sort -u | grep -E "${FUZZ:-.}" || true)
[ -n "$list" ] || { echo "no fuzz target matches ${FUZZ:-.}"; exit 1; }

# What a target prints goes to a file: the last executions it counted stand in the last
# line that has any, also when the time was too short for more than the corpus.
log=$state/log
fuzz() { go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" >"$log" 2>&1; }
last() { sed -n "s/.*$1: *\([0-9]*\).*/\1/p" "$log" | tail -1; }
row() { printf '%-34s %-28s %12s %8s %8s\n' "$@"; }

targets=0
failed=0
row parser target executions new inputs
while read -r pkg target; do
	targets=$((targets + 1))
	name=${pkg#*/*/*/}
	if grep -qsx "$pkg $target" "$done"; then
		row "$name" "$target" before '' ''
		continue
	fi
	ok=yes
	if ! fuzz "$pkg" "$target"; then
		# On a loaded machine the end of the time can interrupt a worker, which go test
		# takes for a failure; a real one leaves its input behind.
		if grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log"; then
			fuzz "$pkg" "$target" || ok=no
		else
			ok=no
		fi
	fi
	if [ $ok = yes ] && [ -n "$(last execs)" ]; then
		row "$name" "$target" "$(last execs)" "$(last 'new interesting')" "$(last total)"
		echo "$pkg $target" >>"$done"
		continue
	fi
	failed=$((failed + 1))
	row "$name" "$target" failed '' ''
	cat "$log"
done <<EOF
$list
EOF
printf '%d targets, %d failed\n' "$targets" "$failed"
rm -f "$state"/done\ *
[ "$failed" -eq 0 ]
