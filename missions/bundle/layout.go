// Package bundle packs a mission into one file and opens one with suspicion: an OCI
// image layout in a tar whose manifest the tenant has signed.
//
// The members, in this order:
//
//	oci-layout               {"imageLayoutVersion":"1.0.0"}
//	index.json               one descriptor: the manifest, with the signature as annotation
//	blobs/sha256/<digest>    the manifest, its config (mission.toml), its layers
//
// Layers are kernels (one an architecture) and block devices' contents. A layer that
// zstd makes smaller is stored so, with its real size as annotation.
package bundle

// Media types and annotations of a mission bundle.
const (
	MediaArtifact = "application/vnd.perilune.mission.v1"
	MediaConfig   = "application/vnd.perilune.mission.config.v1+toml"
	MediaKernel   = "application/vnd.perilune.kernel.v1+elf"
	MediaBlob     = "application/vnd.perilune.blob.v1"
	suffixZstd    = "+zstd"

	annotationSignature = "space.perilune.signature"
	annotationArch      = "space.perilune.arch"
	annotationSize      = "space.perilune.size" // octets before compression
)

// Limits bound what Open believes and reads.
type Limits struct {
	Bundle  int64 // octets of the whole file
	Content int64 // octets of all layers unpacked
	Members int   // of the archive
	JSON    int64 // octets of index, manifest and mission.toml each
}

// DefaultLimits suit a craft with a small store.
func DefaultLimits() Limits {
	return Limits{Bundle: 256 << 20, Content: 512 << 20, Members: 64, JSON: 1 << 20}
}
