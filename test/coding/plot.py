#!/usr/bin/env python3
"""Draws the error rates that `go run ./test/coding -sweep` has measured, as SVG.

    python3 test/coding/plot.py curves.csv folder

Lines are measured, circles are the published points that they are held against.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "perilune"  # the same drawing each time
matplotlib.rcParams["svg.fonttype"] = "none"
import matplotlib.pyplot as plt

COLOURS = 10  # of matplotlib, before they come again

FIGURES = {
    "fer-reed-solomon": ("Reed–Solomon, convolutional and concatenated codes", lambda n: n.startswith(("RS", "conv"))),
    "fer-ldpc": ("LDPC codes, sum-product, 50 iterations", lambda n: n.startswith("LDPC")),
    "fer-turbo": ("Turbo codes, 10 iterations", lambda n: n.startswith("turbo")),
}


def read(path):
    measured, reference, units = defaultdict(list), defaultdict(list), {}
    with open(path, newline="") as f:
        for r in csv.DictReader(f):
            into = measured if r["source"] == "measured" else reference
            into[r["code"]].append((float(r["ebn0_db"]), float(r["rate"]), r["source"]))
            units[r["code"]] = r["unit"]
    return measured, reference, units


def draw(title, names, measured, reference, units, path):
    figure, axes = plt.subplots(figsize=(8, 6.2))
    for i, name in enumerate(names):
        points = [p for p in measured[name] if p[1] > 0]
        label = name if units[name] == "FER" else f"{name}, bit errors"
        line, = axes.semilogy([p[0] for p in points], [p[1] for p in points], linewidth=1.3, label=label,
                              linestyle="-" if i < COLOURS else "--")
        if reference[name]:
            axes.semilogy([p[0] for p in reference[name]], [p[1] for p in reference[name]], "o",
                          color=line.get_color(), fillstyle="none", markersize=7,
                          label=f"  reference: {reference[name][0][2]}")
    axes.set(title=title, xlabel="Eb/N0, dB", ylabel="frame error rate", ylim=(1e-5, 1))
    axes.grid(True, which="both", linewidth=0.3)
    axes.legend(fontsize=7, ncol=4, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main():
    measured, reference, units = read(sys.argv[1])
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, belongs) in FIGURES.items():
        names = [n for n in measured if belongs(n)]
        if names:
            draw(title, names, measured, reference, units, folder / f"{name}.svg")


if __name__ == "__main__":
    main()
