#!/bin/sh
# Makes the Python environment of the tests in the folder $1 if it is not there, if
# test/requirements.txt has changed since, or if the machine has another Python by now. Prints
# nothing when there is nothing to do.
set -eu
dir=$1
want=$(dirname "$0")/requirements.txt
if cmp -s "$want" "$dir/requirements.txt" && "$dir/bin/python" -c 'import pip' 2>/dev/null; then
	exit 0
fi
echo "making the tests' Python environment in $dir"
python3 -m venv --clear "$dir"
"$dir/bin/python" -m pip install -q --disable-pip-version-check -r "$want"
cp "$want" "$dir/requirements.txt"
