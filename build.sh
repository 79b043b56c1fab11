#!/usr/bin/env bash
# Sets up, builds, runs and tests. Usage: ./build.sh [run|compare|profile|records|test|bench|crashtest|fuzz|notebooks|docs|pack|build] [arguments]
set -euo pipefail
# Paths in the arguments are the caller's.
caller=$PWD
cd -- "$(dirname "${BASH_SOURCE[0]}")"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Two spinning OpenMP threads on a busy machine can be ten times slower than one.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

readonly data_packages=(dataset-fashion-mnist)
readonly server_packages=(postgresql nats-server)
# The browser that the pages are tested in.
readonly page_packages=(chromium fonts-dejavu-core)

say() { printf '%s\n' "$*" >&2; }
fail() { say "build.sh: $*"; exit 1; }

usage() {
    cat <<'TEXT'
Usage: ./build.sh COMMAND [ARGUMENTS]
  run     the main job: record, select and train on Fashion-MNIST (arguments: --quick, --seeds N, --json FILE, ... see --help);
          the tool's command quick-start
  compare does it pay? every policy against an even draw, on Fashion-MNIST or on your file (--data rows.csv --label y --task binary, see --help)
  profile what compare would take each column of your file for (FILE [--label y])
  records what is in the directory of a record log (DIRECTORY [--json])
  test    all tests
  bench   benchmarks: training (against a plain TorchSharp loop), scoring, records, join, postgres (psql), nats (PostgreSQL),
          selection (NumPy), filter, largewindow, optimum (the solver CBC), grouptesting, optimizers, lowmemory, wide, defaults (Sdca, LightGBM), service; or the named one
  crashtest  kill -9 of processes that write records, at random moments (--kills N, --minutes N); fails when anything acknowledged is lost or doubled
  crashtest nats  kill -9 and SIGSTOP of writers, joiners, workers and nodes of a NATS cluster (--kills N, --minutes N)
  fuzz    damaged record files and join states, then damaged models, selector states and results files, read and recovered (--files N of
          each half, in shares of the kinds); fails on a crash, a hang or unbounded memory
  pack    the NuGet packages, into packages/: the libraries and, for each platform, the tool forward-sampling
  notebooks  makes src/Examples/notebooks/*.ipynb from the programs beside them, runs them and stores what they show
  docs    a site of the pages and the API reference, into artifacts/docs/
  build   everything, without running it
Each command first installs what is missing, as root or with sudo, or says what to install.
TEXT
}

# Installs the missing ones among Debian packages.
need_packages() {
    command -v dpkg-query >/dev/null || return 0
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || fail "missing Debian packages: ${missing[*]}. Install them with: apt-get install ${missing[*]}"
        root=(sudo)
    fi
    say "Installing ${missing[*]} ..."
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null \
        || fail "apt-get could not install: ${missing[*]}. Install them by hand."
}

# Checks for the SDK and installs the Debian packages given.
prepare() {
    command -v dotnet >/dev/null || fail "the .NET SDK 10 is missing: install it (dotnet on PATH), see global.json for the version."
    need_packages "$@"
}

run_tests() {
    # The tests start a PostgreSQL server and NATS clusters of their own; only the programs are needed.
    prepare "${data_packages[@]}" "${server_packages[@]}" "${page_packages[@]}" python3
    dotnet build ForwardSampling.slnx -c Release -v quiet
    local output status=0 counts=()
    output=$(mktemp)
    # One program of tests after the other: two would only take each other's cores.
    dotnet test --solution ForwardSampling.slnx -c Release --no-build --no-progress --max-parallel-test-modules 1 "$@" 2>&1 | tee "$output" || status=$?
    # The runner closes with lines: failed: 0, succeeded: 12, skipped: 1.
    count() { sed -n "s/^ *$1: *\([0-9]*\)$/\1/p" "$output" | tail -n 1; }
    counts=("$(count succeeded)" "$(count failed)" "$(count skipped)")
    rm -f "$output"
    [[ -n "${counts[0]}" ]] || fail "the tests gave no result."
    printf '%d passed, %d failed, %d skipped\n' "${counts[@]}"
    ((status == 0 && counts[1] == 0 && counts[0] > 0))
}

# Builds a program and becomes it, in the caller's folder; standard input is the program's alone.
run_program() {
    local project=$1 name=${1##*/} root=$PWD
    shift
    dotnet build "$project" -c Release -v quiet </dev/null >&2
    cd -- "$caller"
    exec dotnet "$root/artifacts/bin/$name/release/$name.dll" "$@"
}

run_tool() { run_program src/Microsoft.ML.ForwardSampling.Tool "$@"; }

run_bench() {
    # The peers that are measured against.
    local peers=(python3-numpy "${server_packages[@]}")
    [[ ${1:-all} == all || ${1:-} == optimum ]] && peers+=(coinor-cbc)
    [[ ${1:-all} == all || ${1:-} == lowmemory ]] && peers+=(r-cran-kernlab)
    prepare "${peers[@]}"
    dotnet build bench -c Release -v quiet
    exec bench/run.sh "$@"
}

run_notebooks() {
    # ScottPlot writes the charts' text in a font of the system.
    prepare fontconfig fonts-dejavu-core
    dotnet build test/NotebookRunner -c Release -v quiet
    exec dotnet exec artifacts/bin/NotebookRunner/release/NotebookRunner.dll write src/Examples/notebooks
}

run_docs() {
    prepare
    # Of the libraries that it brings; a library's XML file lies beside it.
    dotnet build src/Microsoft.ML.ForwardSampling.PostgreSql -c Release -v quiet
    dotnet build src/Microsoft.ML.ForwardSampling -c Release -v quiet
    # docfx follows no link that leaves its folder.
    local pages=artifacts/docs-pages
    rm -rf "$pages" artifacts/docs
    mkdir -p "$pages"
    cp -r --parents docs README.md CHANGELOG.md src/Examples/notebooks "$pages"
    mv "$pages"/docs/{docfx.json,toc.yml} "$pages"
    cd docs
    dotnet tool restore >&2
    dotnet docfx ../"$pages"/docfx.json --warningsAsErrors "$@"
    say "artifacts/docs/docs/index.html"
}

run_stress() {
    local servers=()
    [[ ${2:-} == nats ]] && servers=(nats-server)
    prepare "${servers[@]}"
    run_program test/RecordStress "$@"
}

run_fuzz() {
    (run_stress fuzz "$@")
    run_program test/ModelStress fuzz "$@"
}

command=${1:-}
[[ $# -gt 0 ]] && shift
case "$command" in
    run)
        prepare "${data_packages[@]}"
        run_tool quick-start "$@"
        ;;
    compare)
        prepare "${data_packages[@]}"
        run_tool compare "$@"
        ;;
    profile | records)
        prepare
        run_tool "$command" "$@"
        ;;
    test) run_tests "$@" ;;
    bench) run_bench "$@" ;;
    crashtest) run_stress "$command" "$@" ;;
    fuzz) run_fuzz "$@" ;;
    build)
        prepare
        dotnet build ForwardSampling.slnx -c Release -v quiet "$@"
        ;;
    notebooks) run_notebooks ;;
    docs) run_docs "$@" ;;
    pack)
        prepare
        dotnet pack src/Microsoft.ML.ForwardSampling.Records -c Release -o packages "$@"
        dotnet pack src/Microsoft.ML.ForwardSampling -c Release -o packages "$@"
        dotnet pack src/Microsoft.ML.ForwardSampling.Hosting -c Release -o packages "$@"
        dotnet pack src/Microsoft.ML.ForwardSampling.PostgreSql -c Release -o packages "$@"
        dotnet pack src/Microsoft.ML.ForwardSampling.Nats -c Release -o packages "$@"
        dotnet pack src/Microsoft.ML.ForwardSampling.Tool -c Release -o packages "$@"
        ;;
    -h | --help | help) usage ;;
    *) usage; exit 2 ;;
esac
