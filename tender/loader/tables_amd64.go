package loader

// Tables writes the tables of the host's own architecture into low memory.
func Tables(mem Memory) { X86Tables(mem.Bytes()) }
