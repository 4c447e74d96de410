#!/usr/bin/env python3
"""Makes ccsds/lossless/testdata/aec.txt: samples and what libaec's tool makes of them.

    apt-get install libaec-tools
    python3 test/golden/lossless.py

Each line: aec's options, the samples, the coded data. Samples rest, wander and jump, so that every
option of CCSDS 121.0-B-3 is the best one somewhere. Signed samples are sign-extended here and
in our interface; aec is given them with the bits above the sign cleared, as it wants them.
"""
import pathlib
import random
import subprocess
import tempfile

OUT = pathlib.Path(__file__).resolve().parents[2] / "ccsds" / "lossless" / "testdata" / "aec.txt"


def version():
    show = ["dpkg-query", "-W", "-f", "${Version}", "libaec-tools"]
    return subprocess.run(show, capture_output=True, text=True, check=True).stdout


def aec(options, data):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "in"), pathlib.Path(folder, "out")
        source.write_bytes(data)
        subprocess.run(["aec", *options, source, target], check=True)
        return target.read_bytes()


def walk(rnd, n, count, signed):
    low, span = (-(1 << n - 1) if signed else 0), 1 << n
    x, noise, out = low + rnd.randrange(span), 0, []
    for i in range(count):
        if i % 37 == 0:
            noise = rnd.choice([0, rnd.randrange(1 << rnd.randint(0, n))])
            if rnd.randrange(8) == 0:
                x = rnd.choice([low, low + span - 1])
        x = max(low, min(low + span - 1, x + rnd.randint(-noise, noise)))
        out.append(x)
    return out


def case(rnd, n):
    signed, msb, three = rnd.random() < 0.3, rnd.random() < 0.5, rnd.random() < 0.3
    preprocess = signed or rnd.random() < 0.8
    restricted = n <= 4 and rnd.random() < 0.5
    options = ["-n", str(n), "-j", str(rnd.choice([8, 16, 32, 64])), "-r", str(rnd.choice([1, 2, 3, 16, 70, 128, 4096]))]
    flags = {"-s": signed, "-m": msb, "-3": three, "-N": not preprocess, "-t": restricted}
    options += [f for f, on in flags.items() if on]
    size = 1 if n <= 8 else 2 if n <= 16 else 3 if n <= 24 and three else 4
    order = "big" if msb else "little"
    values = walk(rnd, n, rnd.randrange(1, 400), signed)
    ours = b"".join((v % (1 << 8 * size)).to_bytes(size, order) for v in values)
    theirs = b"".join((v % (1 << n)).to_bytes(size, order) for v in values)
    return options, ours, aec(options, theirs)


def main():
    rnd = random.Random(121)
    OUT.parent.mkdir(exist_ok=True)
    with open(OUT, "w") as f:
        f.write(f"# Made by test/golden/lossless.py with Debian's libaec-tools {version()}: options | samples | coded\n")
        zeros = bytes(16 * 300)  # runs of zero blocks over segments and intervals
        for options in (["-n", "8", "-j", "16", "-r", "128"], ["-n", "8", "-j", "8", "-r", "4096", "-N"]):
            f.write(f"{' '.join(options)} | {zeros.hex()} | {aec(options, zeros).hex()}\n")
        for n in [*range(1, 33), 1, 2, 3, 4, 8, 8, 8, 12, 16]:
            options, samples, coded = case(rnd, n)
            f.write(f"{' '.join(options)} | {samples.hex()} | {coded.hex()}\n")


if __name__ == "__main__":
    main()
