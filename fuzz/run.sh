#!/bin/sh
# Runs fuzz targets under libFuzzer, one after the other, and prints a line of figures for each:
#
#     fuzz/run.sh SECONDS [TARGET…]
#
# Needs a nightly compiler and nothing else: the flags are those of cargo-fuzz. What takes long is to build
# it; `JOBS=1 nice fuzz/run.sh 600` stays out of the way. With `component_loading` among the targets, wasmtime
# is built as well. Ends with 1 if a claim was broken; the input is in `artifacts/` then.
set -eu

cd "$(dirname "$0")"
seconds=$1
shift
[ $# -gt 0 ] || set -- actions browser_pages draft_note einvoice invoice_text journal_rows mail_to_task mcp_results packed porcelain secrets signatures social_posts whatsapp_webhook
case " $* " in *" component_loading "*) features="--features components" ;; *) features= ;; esac

# What is fuzzed is what is built.
cp ../Cargo.lock .
sancov='-sanitizer-coverage'
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=$sancov-level=4 -Cllvm-args=$sancov-inline-8bit-counters \
-Cllvm-args=$sancov-pc-table -Cllvm-args=$sancov-trace-compares --cfg fuzzing \
-Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Ccodegen-units=1"
export RUSTFLAGS
system=$(rustc -vV | sed -n 's/^host: //p')
# Only for the system that it runs on: build scripts and macros need no coverage.
bins=
for target; do bins="$bins --bin $target"; done
# shellcheck disable=SC2086
cargo +nightly build --release ${JOBS:+-j "$JOBS"} $features $bins --target "$system" --target-dir target

broken=0
for target; do
    found="target/found/$target"
    mkdir -p "$found" "artifacts/$target"
    log="target/$target.log"
    # As much time for one input as all of them have is no answer: ten seconds, and 2 GiB, are a finding.
    if "target/$system/release/$target" "$found" "corpus/$target" "-artifact_prefix=artifacts/$target/" \
        -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        > "$log" 2>&1; then
        end=clean
    else
        end="BROKEN, see $log"
        broken=1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(sed -n 's/.*cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges, \2 features/p' "$log" | tail -n 1)
    echo "$target: ${runs:-0} runs, ${covered:-nothing covered}: $end"
done
exit $broken
