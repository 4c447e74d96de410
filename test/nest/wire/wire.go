// Package wire is what the nest and the machine around it say to each other: the list of
// jobs, a JSON file in the nest's root folder, and messages, a JSON line each on a port.
package wire

// JobsPath is where the nest finds its list of jobs; PortName is the virtio-serial port for
// messages. DiskDevice, if it is there, is mounted at DiskPath.
const (
	JobsPath   = "/etc/nest/jobs.json"
	PortName   = "nest"
	DiskDevice = "/dev/vda"
	DiskPath   = "/disk"
)

// Job is one program to run in the nest, as root.
type Job struct {
	Args    []string // program and arguments
	Dir     string   // where it starts; "": /
	Env     []string // NAME=value, besides PATH and HOME
	Seconds int      // limit; 0: DefaultSeconds
}

// DefaultSeconds is the limit of a job that names none.
const DefaultSeconds = 300

// Message is what the nest says: some output of a job, or, with Done, its end.
type Message struct {
	Job    int    // place in the list
	Output []byte `json:",omitempty"` // standard output and error, in the order of writing
	Done   bool   `json:",omitempty"`
	Status int    `json:",omitempty"` // exit code; -1: it did not end by itself
	Error  string `json:",omitempty"` // why it did not start or end
}
