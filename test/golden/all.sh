#!/bin/sh
# Makes all golden vectors again from outside oracles and says which differ from what is
# committed. The Python packages come into a venv of their own, at the versions that the
# scripts name; the programs beside them come from Debian: libaec-tools, libfec0, tzdata, maven, default-jdk-headless.
set -eu
cd "$(dirname "$0")/../.."
venv=out/cache/venv-golden
packages='spacepackets==0.32.0 cfdp-py==0.7.0 crcmod==1.7 reed-solomon-ccsds==1.0.3
	ccsds-cop==0.1.2 cryptography==50.0.2 numpy==2.4.6 scipy==1.17.1 sgp4==2.27 skyfield==1.55
	puslib==0.4.0'

if [ "$(cat "$venv/packages" 2>/dev/null || true)" != "$packages" ]; then
	rm -rf "$venv"
	python3 -m venv "$venv"
	# shellcheck disable=SC2086 # one word a package
	"$venv/bin/pip" install --quiet --disable-pip-version-check $packages
	printf '%s\n' "$packages" >"$venv/packages"
fi

for script in test/golden/*.py; do
	name=$(basename "$script" .py)
	printf 'golden %s\n' "$name"
	case $name in
	cfdp_peer) ;; # no generator: the other end of a test of ccsds/cfdp
	cfdp_user) "$venv/bin/python" "$script" ccsds/cfdp/testdata ;;
	cfdp | cop1 | pus) "$venv/bin/python" "$script" "ccsds/$name/testdata" ;;
	orbit) "$venv/bin/python" "$script" plan/orbit/testdata ;;
	sdls) "$venv/bin/python" "$script" >ccsds/sdls/testdata/fields.csv ;;
	sdls_procedures) "$venv/bin/python" "$script" >ccsds/sdls/testdata/procedures.txt ;;
	*) "$venv/bin/python" "$script" ;;
	esac
done

# What property tests leave behind is none of this.
changed=$(git status --porcelain -- '*testdata*' ':!*testdata/rapid*')
if [ -n "$changed" ]; then
	printf 'these differ from what is committed:\n%s\n' "$changed"
	git diff --stat -- '*testdata*'
	exit 1
fi
printf 'golden vectors are as committed\n'
