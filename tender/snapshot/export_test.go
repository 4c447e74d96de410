package snapshot

// Encode makes a header's octets, also of one that Write refuses.
func Encode(h *Header) []byte { return h.encode() }
