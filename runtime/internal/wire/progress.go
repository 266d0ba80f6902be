package wire

import "fmt"

// MaxProgress bounds the payload of a KindProgress: what a task reports, encoded.
const MaxProgress = 64 << 10

// CheckProgress says whether a report may be of this size.
func CheckProgress(size int) error {
	if size > MaxProgress {
		return &Error{What: "progress", Reason: fmt.Sprintf("%d bytes are over the limit of %d", size, MaxProgress)}
	}
	return nil
}
