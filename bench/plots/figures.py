"""`figures.py RESULT.json`: write the plots beside the result, and print their names. Run by matplotlib's own environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # after the choice of what draws
import series  # beside this file

COLOURS = ("#2f6f8f", "#e0a030", "#6a9a4f", "#b0563f", "#7a6fa0")
PICKED = {"ratio": series.ratios, "cpu": series.cpu, "latency": series.latencies, "open-loop": series.open_latencies}
STACKED = {"cpu"}


def draw(bars: series.Bars, path: Path, *, stacked: bool) -> None:
    """Write one plot: a group of horizontal bars for each label, the first on top."""
    count = 1 if stacked else len(bars.series)
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.42 * len(bars.labels) * (1 if stacked else max(1, count * 0.7))))
    thickness, starts = 0.8 / count, [0.0] * len(bars.labels)
    for number, (name, values) in enumerate(bars.series.items()):
        places = [place + (0 if stacked else (number - (count - 1) / 2) * thickness) for place in range(len(values))]
        drawn = axes.barh(
            places, values, thickness, left=starts if stacked else None, color=COLOURS[number % 5], label=name
        )
        if stacked:
            starts = [start + value for start, value in zip(starts, values, strict=True)]
        else:
            axes.bar_label(drawn, fmt="%.3g", padding=3, fontsize=8)
    if bars.goals:
        axes.plot(
            bars.goals, range(len(bars.goals)), "|", markersize=16, markeredgewidth=2.5, color="#b0563f", label="goal"
        )
    axes.set_yticks(range(len(bars.labels)), bars.labels)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(bars.unit)
    axes.set_title(bars.title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    if len(bars.series) > 1 or bars.goals:
        axes.legend(frameon=False)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def main(result: Path) -> None:
    """Draw what the result has."""
    found = json.loads(result.read_text())
    for name, pick in PICKED.items():
        bars = pick(found)
        if bars.labels:
            path = result.with_name(f"{result.stem}-{name}.png")
            draw(bars, path, stacked=name in STACKED)
            print(path.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
