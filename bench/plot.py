"""Draws results.csv and rounds.csv: the ratios with their targets on top, the speeds below."""

import csv
import sys
from collections import defaultdict
from statistics import median

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

results, rounds, picture = sys.argv[1:4]
# A count that should be 0 has no distance from its target.
ratios = [r for r in csv.DictReader(open(results)) if float(r["target"] or 0) > 0 and float(r["min"]) > 0]
times = defaultdict(list)
size = {}
for r in csv.DictReader(open(rounds)):
    key = r["measure"], r["contestant"]
    times[key].append(float(r["seconds"]))
    size[key] = int(r["rows"])

OK, MISS, INK, FAINT = "#2a7f62", "#c8553d", "#222222", "#bbbbbb"
plt.rcParams.update({"font.size": 9, "font.family": "DejaVu Sans", "axes.edgecolor": FAINT, "text.color": INK,
                     "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK})

speeds = [m for m in dict.fromkeys(k[0] for k in times) if any(k[0] == m and "bare loop, batch 2048" in k[1] for k in times)]
bars = [sum(k[0] == m for k in times) for m in speeds]
rows_high = max(len(ratios) + 2, sum(bars) + 4 * len(bars))
figure = plt.figure(figsize=(19, rows_high * 0.215 + 0.8), layout="constrained")
figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06, hspace=0.02, wspace=0.03)
left, right = figure.subfigures(1, 2, width_ratios=[1.1, 1]) if bars else (figure, None)
panes = [left.subplots()]
if bars:
    panes += list(right.subplots(len(bars), 1, squeeze=False, gridspec_kw={"height_ratios": [n + 3 for n in bars]})[:, 0])


def tidy(axis, labels):
    axis.set_yticks(range(len(labels)), labels)
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.grid(axis="x", color="#eeeeee")
    axis.set_axisbelow(True)


# Every ratio as its distance from the target, the better side to the right: 1 is "reached".
axis = panes[0]
labels = []
for y, r in enumerate(ratios):
    target = float(r["target"])
    better = (lambda v: v / target) if r["sense"] == "≥" else (lambda v: target / v)
    mid, ends = better(float(r["median"])), [better(float(r["min"])), better(float(r["max"]))]
    color = OK if r["verdict"] == "ok" else MISS
    axis.plot([min(ends), max(ends)], [y, y], color=color, linewidth=2, alpha=0.45, solid_capstyle="round")
    axis.plot(mid, y, "o", color=color, markersize=5)
    axis.annotate(f"{float(r['median']):.2f}  ({r['sense']} {target:g})", (1.005, y), xycoords=("axes fraction", "data"),
                  va="center", fontsize=8, color=color)
    labels.append(f"{r['measure']}: {r['what']}")
axis.axvline(1, color=INK, linewidth=0.8)
axis.set_xscale("log")
low, high = axis.get_xlim()
ticks = [t for t in (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16) if low <= t <= high]
axis.set_xticks(ticks, [f"{t:g}×" for t in ticks])
axis.set_xticks([], minor=True)
axis.set_title("Ratio over target, the better side to the right (1× = reached; line: lowest to highest round; dot: median)", loc="left", fontsize=10)
tidy(axis, labels)

for axis, measure in zip(panes[1:], speeds):
    keys = sorted((k for k in times if k[0] == measure), key=lambda k: median(times[k]))
    for y, k in enumerate(keys):
        rate = [size[k] / s for s in times[k]]
        kind = "#2f6db5" if k[1].startswith("ML") else "#d9a441" if k[1].startswith("Python") else "#8c8c8c"
        axis.barh(y, median(rate), color=kind, height=0.7)
        axis.plot([min(rate), max(rate)], [y, y], color=INK, linewidth=1)
        m = median(rate)
        text = f"{m / 1e6:.2f}M" if m >= 1e6 else f"{m / 1e3:.0f}k" if m >= 1e4 else f"{m:.0f}"
        axis.annotate(text, (1.005, y), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axis.set_xlim(0)
    axis.ticklabel_format(axis="x", style="plain")
    axis.xaxis.set_major_formatter(lambda v, _: f"{v / 1e6:g}M" if v >= 1e6 else f"{v / 1e3:g}k" if v >= 1e4 else f"{v:g}")
    axis.set_title(f"{measure}: rows per second, {size[keys[0]]:,} rows", loc="left", fontsize=10)
    tidy(axis, [k[1] for k in keys])

figure.savefig(picture, dpi=130)
