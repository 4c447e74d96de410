#!/bin/sh
# Runs every fuzz target of the module for $FUZZTIME each and prints a line for each:
# parser (package), target, executions. Goes on after one that fails, and fails at the end.
set -eu
fuzztime=${FUZZTIME:-20s}
list=$(go list -f '{{$d := .ImportPath}}{{range .TestGoFiles}}{{$.Dir}}/{{.}} {{$d}}
{{end}}{{range .XTestGoFiles}}{{$.Dir}}/{{.}} {{$d}}
{{end}}' ./...)
# What a target prints goes to a file: the last executions it counted stand in the last
# line that has any, also when the time was too short for more than the corpus.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
fuzz() { go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" >"$log" 2>&1; }

targets=0
failed=0
printf '%-34s %-28s %s\n' parser target executions
while read -r file pkg; do
	[ -n "$file" ] || continue
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		targets=$((targets + 1))
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
		execs=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -1)
		if [ $ok = yes ] && [ -n "$execs" ]; then
			printf '%-34s %-28s %s\n' "${pkg#*/*/*/}" "$target" "$execs"
			continue
		fi
		failed=$((failed + 1))
		printf '%-34s %-28s failed\n' "${pkg#*/*/*/}" "$target"
		cat "$log"
	done
done <<EOF
$list
EOF
printf '%d targets, %d failed\n' "$targets" "$failed"
[ "$targets" -gt 0 ] && [ "$failed" -eq 0 ]
