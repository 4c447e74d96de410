package loader

// Tables writes the tables of the host's own architecture into low memory.
func Tables(mem Memory) { X86Tables(mem.Bytes()) }

// MapExtension adds size octets at hvt.ExtensionBase to those tables.
func MapExtension(mem Memory, size uint64) { X86Extension(mem.Bytes(), size) }
