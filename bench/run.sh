#!/usr/bin/env bash
# Runs benchmarks that are built already: one by name with its arguments, "all" (the default), or "list". Called by ./build.sh bench.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec dotnet exec "$(find artifacts/bin -path '*release*' -name Microsoft.ML.ForwardSampling.Benchmarks.dll | head -n 1)" "$@"
