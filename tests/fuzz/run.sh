#!/bin/sh
# run.sh BINARY SECONDS: one libFuzzer target over its corpus, which grows in build/fuzz/corpus.
# Files in tests/fuzz/seeds/<name>/ are read first. A crash leaves its input beside the corpus.
set -eu
binary=$1 seconds=$2
name=${binary##*/fuzz_}
corpus=build/fuzz/corpus/$name
mkdir -p "$corpus"
seeds=
[ -d "tests/fuzz/seeds/$name" ] && seeds=tests/fuzz/seeds/$name
echo "== fuzz $name, $seconds s"
# shellcheck disable=SC2086
"$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -verbosity=0 \
	-print_final_stats=1 -artifact_prefix="build/fuzz/crash-$name-" "$corpus" $seeds
