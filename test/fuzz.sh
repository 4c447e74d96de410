#!/bin/sh
# Runs every fuzz target of the module for $FUZZTIME each and prints a line for each:
# parser (package), target, executions. Stops at the first that fails.
set -eu
fuzztime=${FUZZTIME:-20s}
printf '%-34s %-28s %s\n' parser target executions
go list -f '{{$d := .ImportPath}}{{range .TestGoFiles}}{{$.Dir}}/{{.}} {{$d}}
{{end}}{{range .XTestGoFiles}}{{$.Dir}}/{{.}} {{$d}}
{{end}}' ./... | while read -r file pkg; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		if ! out=$(go test "$pkg" -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" 2>&1); then
			printf '%s\n' "$out"
			exit 1
		fi
		execs=$(printf '%s\n' "$out" | sed -n 's/.*execs: \([0-9]*\).*/\1/p' | tail -1)
		printf '%-34s %-28s %s\n' "${pkg#*/*/*/}" "$target" "${execs:-0}"
	done
done
