package regs

// AMD64 is gdb's i386:x86-64 with the bases of fs and gs, which thread-local
// storage needs.
var AMD64 = &Layout{Architecture: "i386:x86-64", PC: "rip", build: func() []Feature {
	return []Feature{
		{"org.gnu.gdb.i386.core", join(
			some(64, "int64", "rax", "rbx", "rcx", "rdx", "rsi", "rdi"),
			some(64, "data_ptr", "rbp", "rsp"),
			numbered(64, "int64", "r", 8, 15),
			some(64, "code_ptr", "rip"),
			some(32, "int32", "eflags", "cs", "ss", "ds", "es", "fs", "gs"),
			numbered(80, "i387_ext", "st", 0, 7),
			some(32, "int32", "fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"))},
		{"org.gnu.gdb.i386.sse", join(
			numbered(128, "uint128", "xmm", 0, 15),
			some(32, "int32", "mxcsr"))},
		{"org.gnu.gdb.i386.segments", some(64, "int64", "fs_base", "gs_base")},
	}
}}

// ARM64 is gdb's aarch64; sp is that of the level the guest runs at.
var ARM64 = &Layout{Architecture: "aarch64", PC: "pc", build: func() []Feature {
	return []Feature{
		{"org.gnu.gdb.aarch64.core", join(
			numbered(64, "int64", "x", 0, 30),
			some(64, "data_ptr", "sp"),
			some(64, "code_ptr", "pc"),
			some(32, "int32", "cpsr"))},
		{"org.gnu.gdb.aarch64.fpu", join(
			numbered(128, "uint128", "v", 0, 31),
			some(32, "int32", "fpsr", "fpcr"))},
	}
}}
