#!/usr/bin/env bash
# Runs benchmarks that are built already: training (against a plain TorchSharp loop), scoring, records, join, postgres (against psql), nats (against PostgreSQL), selection (against NumPy), the filter, large windows, MeanMatching against a solver (optimum), group testing, optimizers, wide sparse rows against ML.NET's linear trainers (lowmemory), networks on them (wide), the default trainers against Sdca and LightGBM on 50 shapes of data (defaults), the example service with and without recording (service). Called by ./build.sh bench.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$(find artifacts/bin -path '*release*' -name Microsoft.ML.ForwardSampling.Benchmarks.dll | head -n 1)

what=${1:-all}
[[ $# -gt 0 ]] && shift
case "$what" in
    all) for part in training scoring records join postgres nats selection filter largewindow optimum grouptesting optimizers lowmemory wide defaults service; do dotnet exec "$program" "$part"; done ;;
    *) dotnet exec "$program" "$what" "$@" ;;
esac
