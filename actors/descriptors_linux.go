package actors

import (
	"bytes"
	"os"
	"strconv"
)

// descriptorBound returns a number above all open descriptors: the size of the
// kernel's table of them. Reading it costs 15 µs.
func descriptorBound() int {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		if _, rest, ok := bytes.Cut(status, []byte("\nFDSize:\t")); ok {
			line, _, _ := bytes.Cut(rest, []byte("\n"))
			if n, err := strconv.Atoi(string(line)); err == nil {
				return n
			}
		}
	}
	return descriptorLimit()
}
