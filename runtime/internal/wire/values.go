package wire

import "fmt"

// MaxValues bounds the payload of a KindValues.
const MaxValues = 64 << 10

// CheckValues says whether encoded context values may be of this size.
func CheckValues(size int) error {
	if size > MaxValues {
		return &Error{What: "values", Reason: fmt.Sprintf("%d bytes are over the limit of %d", size, MaxValues)}
	}
	return nil
}
