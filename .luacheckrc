-- luacheck settings: Lua 5.4, with the few names that come from outside each folder.
std = "lua54"
max_line_length = 100
codes = true
cache = false
self = false -- an unused self is normal in strategy callbacks
exclude_files = { "build" }

-- The stubs exist for the editor: they declare functions with named, unused arguments.
files["stdlib/meta"] = { unused = false, unused_args = false, allow_defined_top = true }

-- LuaUnit finds tests by their global names, Test... and test...
files["tests/lua"] = { allow_defined_top = true, unused_args = false }
files["stdlib/template"] = { allow_defined_top = true, unused_args = false }
files["strategies"] = { unused_args = false }
files["examples"] = { unused_args = false }
files["tests/e2e"] = { unused_args = false }
files[".luacheckrc"] = { global = false }
