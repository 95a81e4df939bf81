#!/bin/sh
# Runs every kind of test and sums them up: the last line is `N passed, N failed, N skipped`.
# `make test` calls it from the root of the repository; HEDGED is the binary, BUILD its folder, and
# the argument, if any, a pattern that each runner applies to its test names.
set -u

pattern=${1:-}
: "${HEDGED:=$PWD/build/hedged}" "${BUILD:=build}"
export HEDGED
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
passed=0 failed=0 skipped=0
out=$(mktemp) && mkfifo "$out.pipe" || exit 1
trap 'rm -f "$out" "$out.pipe"' EXIT

# LuaUnit's closing lines in the form of the others.
luaunit_counts() {
	awk '{ print } /^Ran [0-9]+ tests? in/ {
		for (i = 2; i <= NF; i++) {
			if ($i ~ /^success/) p = $(i - 1)
			if ($i ~ /^(failure|error)/) f += $(i - 1)
			if ($i ~ /^skipped/) s = $(i - 1)
		}
		found = 1
	} END { if (found) printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$1"
}

number() { # number WORD TEXT: the number before a word such as `failed`
	n=$(printf '%s\n' "$2" | grep -oE "[0-9]+ $1" | tail -n 1)
	n=${n%% *}
	echo "${n:-0}"
}

# part TITLE COMMAND...: shows the output as it comes, then reads the counts from its last line.
part() {
	title=$1
	shift
	start=$(date +%s)
	echo "== $title"
	tee "$out" <"$out.pipe" &
	reader=$!
	"$@" >"$out.pipe" 2>&1
	code=$?
	wait $reader
	line=$(luaunit_counts "$out" | grep -E '[0-9]+ passed, [0-9]+ failed' | tail -n 1)
	f=$(number failed "$line")
	if [ $code -ne 0 ] && [ "$f" -eq 0 ]; then
		echo "FAIL $title: exit $code without a failed test"
		f=1
	elif [ -z "$line" ]; then
		echo "FAIL $title: no closing line with its counts"
		f=1
	fi
	passed=$((passed + $(number passed "$line")))
	failed=$((failed + f))
	skipped=$((skipped + $(number skipped "$line")))
	echo "   $title: $(($(date +%s) - start)) s"
}

absent() { # absent TITLE WHY
	echo "== $1"
	echo "SKIP $1: $2"
	skipped=$((skipped + 1))
}

[ -x "$HEDGED" ] || {
	echo "no binary at $HEDGED: the build failed" >&2
	exit 1
}

if [ -x "$BUILD/tests/ctest" ]; then
	part "C tests" "$BUILD/tests/ctest" ${pattern:+"$pattern"}
else
	absent "C tests" "no file tests/c/test_*.c"
fi

if ls tests/lua/test_*.lua >/dev/null 2>&1; then
	part "Lua tests in the runtime" "$HEDGED" test tests/lua ${pattern:+--filter "$pattern"}
else
	absent "Lua tests in the runtime" "no file tests/lua/test_*.lua"
fi

found=
for file in tests/lua/plain_*.lua; do
	[ -f "$file" ] || continue
	found=1
	case $file in *"$pattern"*) in_file= ;; *) in_file=$pattern ;; esac
	LUA_PATH="stdlib/?.lua;stdlib/?/init.lua;;" LUA_CPATH="$BUILD/lua/?.so;;" \
		part "$file in plain Lua" lua5.4 "$file" -o text ${in_file:+-p "$in_file"}
done
[ -n "$found" ] || absent "stdlib in plain Lua" "no file tests/lua/plain_*.lua"

lua="lua5.4"
"$HEDGED" lua tests/sh.lua >/dev/null 2>&1 && lua="$HEDGED lua"
# shellcheck disable=SC2086
part "end to end" $lua tests/e2e/run.lua ${pattern:+"$pattern"}
# shellcheck disable=SC2086
part "samples in the docs" $lua tests/docs/run.lua ${pattern:+"$pattern"}

if [ -n "$pattern" ] && [ $((passed + failed + skipped)) -eq 0 ]; then
	echo "no test matches '$pattern'"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
