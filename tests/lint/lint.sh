#!/bin/sh
# All checks of `make lint`, from the root of the repository. Every finding says where it is and
# what to do; the checks go on after the first one that fails, so that one run shows all.
# CC and LINT_CFLAGS come from the Makefile.
set -u

failed=
step() { # step NAME HINT COMMAND...
	name=$1 hint=$2
	shift 2
	start=$(date +%s)
	if "$@"; then
		echo "ok   $name ($(($(date +%s) - start)) s)"
	else
		echo "FAIL $name: $hint"
		failed="$failed $name"
	fi
}
existing() { # the arguments that exist
	for f; do [ -e "$f" ] && printf '%s ' "$f"; done
}

c_files=$(find runtime tests -name '*.[ch]' -not -path '*/build/*' | LC_ALL=C sort)
lua_paths=$(existing stdlib strategies examples tests)

format() {
	# shellcheck disable=SC2086
	clang-format --dry-run -Werror --ferror-limit=1 $c_files 2>&1 | grep -E 'error:' && return 1
	return 0
}

cpp_check() {
	mkdir -p build/cppcheck
	# shellcheck disable=SC2086
	cppcheck -q -j 2 --std=c11 --library=posix --cppcheck-build-dir=build/cppcheck \
		--enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress=unmatchedSuppression \
		--suppressions-list=tests/lint/cppcheck.txt \
		-D__x86_64__ -D__GNUC__=12 -Iruntime -Itests/c -Itests/bench \
		--template='{file}:{line}: {severity}: {message} [{id}]' runtime tests
}

lua_check() {
	# shellcheck disable=SC2086
	luacheck -q --no-color $lua_paths
}

tidy() {
	if [ -x "${HEDGED:=build/hedged}" ] && "$HEDGED" lua tests/sh.lua >/dev/null 2>&1; then
		TIDY_IN_RUNTIME=1 "$HEDGED" lua tests/lint/tidy.lua
	else
		lua5.4 tests/lint/tidy.lua
	fi
}

step clang-format "run \`make fmt\`" format
step cppcheck "mend it, or add \`/* cppcheck-suppress id */\` with the reason" cpp_check
step luacheck "mend it; .luacheckrc says what is allowed" lua_check
step tidy "each line above says what to do" tidy
[ -z "$failed" ] || {
	echo "lint failed:$failed" >&2
	exit 1
}
