"""Manifests as Solo5's own tools make them: python3 manifest.py SOLO5_TREE > manifest.golden.json

Reads guests of a built tree (github.com/Solo5/solo5): their manifest.json, the MFT1
note that its elftool and linker made of it, and what its elftool prints of the guest.
"""
import json
import pathlib
import struct
import subprocess
import sys

tree = pathlib.Path(sys.argv[1])


def note(elf):
    """The whole MFT1 note, header included, from the ELF's section headers."""
    shoff, = struct.unpack_from("<Q", elf, 40)
    size, count = struct.unpack_from("<HH", elf, 58)
    for i in range(count):
        kind, = struct.unpack_from("<I", elf, shoff + i * size + 4)
        at, length = struct.unpack_from("<QQ", elf, shoff + i * size + 24)
        if kind == 7 and elf[at + 8:at + 12] == b"MFT1":
            namesz, descsz = struct.unpack_from("<II", elf, at)
            return elf[at:at + 12 + (namesz + 3) // 4 * 4 + descsz]
    raise ValueError("no MFT1 note")


cases = []
for name in ["test_hello", "test_blk", "test_net_2if", "test_mft_maxdevices"]:
    guest = tree / "tests" / name / (name + ".hvt")
    if not guest.exists():
        continue
    cases.append({
        "name": name,
        "json": (tree / "tests" / name / "manifest.json").read_text(),
        "note": note(guest.read_bytes()).hex(),
        "query": subprocess.check_output([tree / "elftool" / "solo5-elftool", "query-manifest", guest], text=True),
    })
commit = subprocess.check_output(["git", "-C", tree, "rev-parse", "HEAD"], text=True).strip()
json.dump({"from": "github.com/Solo5/solo5 " + commit, "made by": "test/golden/manifest.py", "cases": cases}, sys.stdout, indent=1)
print()
