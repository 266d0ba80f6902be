//go:build unix

package worker

import (
	"fmt"
	"os"
	"syscall"
)

// fileNumber tells one file from another with the same size and time.
func fileNumber(info os.FileInfo) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf(", file %d on device %d", stat.Ino, stat.Dev)
	}
	return ""
}
