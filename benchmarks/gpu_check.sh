#!/usr/bin/env bash
# What to run on a machine with a GPU, within ten minutes: build, CUDA tests, times, compute-sanitizer.
#
#   benchmarks/gpu_check.sh OUT [WHEELS]
#
# OUT     folder for the logs: summary.log and build, tests, throughput, sanitizer, peers
# WHEELS  folder of wheels for what that machine's Python lacks (docs/performance.md, "What to run on a machine with
#         a GPU"); installed in a temporary folder, as pyamp is, so that the machine stays as it was
#
# PYTHON=python3, SECONDS_IN_ALL=580: later steps get what is left. The most important come first.
set -uo pipefail

[ $# -ge 1 ] || { sed -n '2,11s/^# \?//p' "$0" >&2; exit 2; }
mkdir -p "$1" || exit 2
out=$(realpath "$1")
wheels=${2:+$(realpath "$2")}
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
in_all=${SECONDS_IN_ALL:-580}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPATH="$work/site:$work/wheels" PYTHONUNBUFFERED=1 PATH="$PATH:/usr/local/cuda/bin"

say() { echo "$*" | tee -a "$out/summary.log"; }

# step NAME SECONDS COMMAND...: appends to NAME.log, kills at the limit
step() {
    local name=$1 limit=$2 begin=$SECONDS rc
    shift 2
    [ $((in_all - SECONDS)) -ge "$limit" ] || limit=$((in_all - SECONDS))
    if [ "$limit" -lt 10 ]; then say "$name: no time left"; return 1; fi
    timeout -k 5 "$limit" "$@" >> "$out/$name.log" 2>&1
    rc=$?
    say "$name: exit status $rc after $((SECONDS - begin)) s of $limit$([ $rc -eq 124 ] && echo ', out of time')"
    return $rc
}

# lacks MODULE...: those that cannot be imported
lacks() {
    "$python" - "$@" <<'PYTHON'
import importlib.util, sys
print(*(name for name in sys.argv[1:] if importlib.util.find_spec(name) is None))
PYTHON
}

: > "$out/summary.log"
rm -f "$out"/{build,tests,throughput,sanitizer,peers}.{log,json}
if [ -n "$wheels" ]; then
    "$python" -m pip install -q --disable-pip-version-check --no-index --no-deps --no-compile \
        --target "$work/wheels" "$wheels"/*.whl 2>&1 | tail -3 | tee -a "$out/summary.log"
fi
query() { nvidia-smi --query-gpu="$1" --format=csv,noheader 2> /dev/null | head -1; }
say "GPU: $(query name,compute_cap,driver_version,memory.total)"
say "nvcc: $(nvcc --version 2>&1 | tail -1); $("$python" -c 'import sys, torch
print("Python", sys.version.split()[0] + ", torch", torch.__version__ + ", CUDA device:", torch.cuda.is_available())' 2>&1 | tail -1)"
say "missing for the build: $(lacks pip torch pybind11 nlohmann_json scikit_build_core cmake ninja)"
say "missing for the benchmark: $(lacks torch numpy pydantic yaml safetensors rich lgatr numba)"
say "missing for the tests: $(lacks pytest numpy scipy torch safetensors pydantic yaml mpmath madspace)"

capability=$(query compute_cap | tr -cd '0-9')
export CMAKE_ARGS="-DCMAKE_CUDA_ARCHITECTURES=${capability:-90} ${CMAKE_ARGS:-}"
step build 300 "$python" -m pip install --disable-pip-version-check --no-index --no-build-isolation --no-deps \
    --target "$work/site" "$root" || { tail -5 "$out/build.log"; exit 1; }

# Beside the package that was built, not beside its sources.
cp -r "$root/tests" "$root/pyproject.toml" "$work"
cd "$work" || exit 1
cuda=$("$python" -c 'from pyamp.paths import library; print(library("pyamp_cuda").exists())' 2>&1 | tail -1)
[ "$cuda" = True ] || { say "import pyamp, libpyamp_cuda of a build with nvcc: $cuda found, True expected"; exit 1; }
run_tests=("$python" -m pytest -q -p no:cacheprovider -o filterwarnings= -m cuda)
fused=tests/python/test_fused_cuda.py
step tests 120 "${run_tests[@]}" "$fused"
step throughput 100 "$python" "$root/benchmarks/_throughput_gpu.py" --own-only --json "$out/throughput.json"
mapfile -t others < <(grep -rl 'mark\.cuda' tests --include='*.py' | grep -v "$fused")
[ -z "$(lacks madspace)" ] || others+=(--ignore tests/python/test_madspace_cuda.py)
step tests 60 "${run_tests[@]}" "${others[@]}"

few=()
for arithmetic in float32 "tensor cores"; do
    for choices in 1 2 3; do few+=("$fused::test_numbers[choices$choices-$arithmetic]"); done
done
if command -v compute-sanitizer > /dev/null; then
    for tool in memcheck racecheck synccheck; do
        step sanitizer 60 compute-sanitizer --tool "$tool" --kernel-name kernel_substring=fused_kernel \
            --error-exitcode 9 "${run_tests[@]}" "${few[@]}"
    done
else
    say "sanitizer: no compute-sanitizer on the PATH"
fi
step peers 200 "$python" "$root/benchmarks/_throughput_gpu.py" --quick --net A D --json "$out/peers.json"
