//go:build !linux

package worker

import "os"

// executable names the running binary by its path. Should another file have
// taken its place, the handshake tells.
func executable() (string, error) { return os.Executable() }
