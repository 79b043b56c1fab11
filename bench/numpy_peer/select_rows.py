#!/usr/bin/python3
"""Row selection as it is usually written in NumPy: the yardstick for bench/SelectionBench.cs.

The same windows (ten classes, skewed losses, sixteen of them in turn), one row in ten chosen, rows returned
ascending with their weights. Each rule is the shortest idiom that does the job:

  Uniform               Generator.choice without replacement (shuffle=False)
  TopLoss, BottomLoss   argpartition
  SelectiveBackprop     argsort and searchsorted for percentiles; Generator.choice with p, without replacement
  GradientNorm          probabilities capped at 1 by a loop, permutation, cumsum and searchsorted (systematic draw)
  BalancedGradientNorm  the same along lexsort by (label, loss), with an even share
  LossStratified        lexsort by (label, loss), equal steps
  MeanMatchingStride    argsort by loss, equal steps
  InfoBatch             Generator.choice on each side of the mean

Needs Debian's python3-numpy. Prints nanoseconds a row, the best of some rounds; --json prints the same figures as JSON as well.
"""
import argparse
import json
import time

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--windows", type=int, nargs="+", default=[64, 640, 4096, 65536, 1048576], help="rows of a window (default 64 640 4096 65536 1048576)")
parser.add_argument("--rounds", type=int, default=5, help="timed rounds, the best counts (default 5)")
parser.add_argument("--json", action="store_true", help="print a JSON object too")
options = parser.parse_args()

TURNS = 16
ROWS_A_ROUND = 400_000


def make_window(generator, n):
    miss = generator.random(n) ** 2
    return {
        "loss": (-np.log(1 - 0.999999 * miss)).astype(np.float32),
        "norm": (1.2 * miss).astype(np.float32),
        "label": generator.integers(0, 10, n, dtype=np.int32),
    }


def uniform(window, b, generator):
    rows = generator.choice(window["loss"].size, b, replace=False, shuffle=False)
    rows.sort()
    return rows, np.ones(b, np.float32)


def top_loss(window, b, generator):
    rows = np.argpartition(window["loss"], -b)[-b:]
    rows.sort()
    return rows, np.ones(b, np.float32)


def selective_backprop(window, b, generator):
    loss = window["loss"]
    order = np.argsort(loss)
    ascending = loss[order]
    p = np.empty(loss.size)
    p[order] = (np.searchsorted(ascending, ascending) / loss.size) ** 3  # share strictly below, cubed
    rows = generator.choice(loss.size, b, replace=False, p=p / p.sum(), shuffle=False)
    rows.sort()
    return rows, np.ones(b, np.float32)


def bottom_loss(window, b, generator):
    rows = np.argpartition(window["loss"], b)[:b]
    rows.sort()
    return rows, np.ones(b, np.float32)


def proportional(sizes, b, order, generator):
    p = b / sizes.sum() * sizes
    while True:
        capped = p >= 1
        certain = np.count_nonzero(capped)
        rest = sizes[~capped].sum()
        p = np.where(capped, 1, (b - certain) / rest * sizes)
        if np.count_nonzero(p >= 1) == certain:
            break
    ends = np.cumsum(p[order])
    ends *= b / ends[-1]
    rows = order[np.searchsorted(ends, np.arange(b) + generator.random(), side="right")]
    rows.sort()
    return rows, (b / sizes.size / p[rows]).astype(np.float32)


def gradient_norm(window, b, generator):
    sizes = window["norm"].astype(np.float64)
    return proportional(sizes, b, generator.permutation(sizes.size), generator)


def balanced_gradient_norm(window, b, generator):
    sizes = window["norm"].astype(np.float64)
    sizes = 0.8 / sizes.sum() * sizes + 0.2 / sizes.size
    return proportional(sizes, b, np.lexsort((window["loss"], window["label"])), generator)


def mean_matching_stride(window, b, generator):
    order = np.argsort(window["loss"])
    rows = order[((np.arange(b) + generator.random()) * (order.size / b)).astype(np.int64)]
    rows.sort()
    return rows, np.ones(b, np.float32)


def info_batch(window, b, generator):
    loss = window["loss"]
    is_below = loss < loss.mean()
    below, above = np.flatnonzero(is_below), np.flatnonzero(~is_below)
    c = b / (above.size + 0.5 * below.size)
    chance = (c, c / 2) if c < 1 else (1, (b - above.size) / below.size)
    from_above = int(above.size * chance[0] + generator.random())
    rows = np.concatenate((
        above[generator.choice(above.size, from_above, replace=False, shuffle=False)],
        below[generator.choice(below.size, b - from_above, replace=False, shuffle=False)]))
    rows.sort()
    even = b / loss.size
    return rows, np.where(is_below[rows], even / chance[1], even / chance[0]).astype(np.float32)


def loss_stratified(window, b, generator):
    order = np.lexsort((window["loss"], window["label"]))
    rows = order[((np.arange(b) + generator.random()) * (order.size / b)).astype(np.int64)]
    rows.sort()
    return rows, np.ones(b, np.float32)


RULES = {
    "Uniform": uniform,
    "TopLoss": top_loss,
    "SelectiveBackprop": selective_backprop,
    "GradientNorm": gradient_norm,
    "BalancedGradientNorm": balanced_gradient_norm,
    "BottomLoss": bottom_loss,
    "MeanMatchingStride": mean_matching_stride,
    "InfoBatch": info_batch,
    "LossStratified": loss_stratified,
}


def nanoseconds_a_row(rule, windows, b, generator):
    n = windows[0]["loss"].size
    calls = max(len(windows), ROWS_A_ROUND // n)
    best = float("inf")
    for _ in range(options.rounds):
        start = time.perf_counter()
        for i in range(calls):
            rule(windows[i % len(windows)], b, generator)
        best = min(best, time.perf_counter() - start)
    return best * 1e9 / calls / n


def check(rule, window, b, generator):
    rows, weights = rule(window, b, generator)
    assert rows.size == b and weights.size == b and (np.diff(rows) > 0).all() and (weights > 0).all()


results = []
print(f"NumPy {np.__version__}, one row in ten chosen, best of {options.rounds} rounds, ns/row")
print(f"{'window':>10}" + "".join(f"{name:>21}" for name in RULES))
for n in options.windows:
    generator = np.random.default_rng(1)
    b = max(1, int(0.1 * n + 0.5))
    windows = [make_window(generator, n) for _ in range(TURNS)]
    line = f"{n:>10}"
    for name, rule in RULES.items():
        check(rule, windows[0], b, generator)
        figure = nanoseconds_a_row(rule, windows, b, generator)
        results.append({"rule": name, "window": n, "budget": b, "nsPerRow": round(figure, 2)})
        line += f"{figure:>21.2f}"
    print(line, flush=True)

if options.json:
    print(json.dumps({"peer": "NumPy", "numpy": np.__version__, "rounds": options.rounds, "results": results}))
