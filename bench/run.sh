#!/usr/bin/env bash
# Runs benchmarks that are built already: training (against PyTorch), scoring, records, join, postgres (against psql), selection (against NumPy), the filter, large windows, MeanMatching against a solver (optimum). Called by ./build.sh bench.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$(find artifacts/bin -path '*release*' -name Microsoft.ML.ForwardSampling.Benchmarks.dll | head -n 1)

training() {
    # Both peers in one run, taking turns; the smallest figure of each counts.
    local round
    for round in 1 2 3; do
        /usr/bin/python3 bench/pytorch_peer/train_mlp.py
        dotnet exec "$program" training-steps
    done | tee /dev/stderr | awk '
        { figure = 0; for (i = 1; i < NF; i++) if ($(i + 1) == "s" && $i ~ /^[0-9.]+$/) figure = $i }
        /^PyTorch/        { if (!torch || figure < torch) torch = figure }
        /^NetworkTrainer/ { if (!ours || figure < ours) ours = figure }
        END { printf "NetworkTrainer / PyTorch: %.2f (%.3f s / %.3f s per 1,000 steps, best of 3 each)\n", ours / torch, ours, torch }'
}

what=${1:-all}
[[ $# -gt 0 ]] && shift
case "$what" in
    all) training; for part in scoring records join postgres selection filter largewindow optimum; do dotnet exec "$program" "$part"; done ;;
    training) training ;;
    *) dotnet exec "$program" "$what" "$@" ;;
esac
