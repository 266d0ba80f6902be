//go:build !linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
	"strings"
)

// figures tell what this program takes.
type figures struct {
	threads int
	rss     float64 // in MB
}

func takeFigures() (f figures, err error) {
	f.threads = pprof.Lookup("threadcreate").Count()
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(os.Getpid())).Output()
	if err != nil {
		return f, fmt.Errorf("ps: %w", err)
	}
	kilobytes, err := strconv.Atoi(strings.TrimSpace(string(out)))
	f.rss = float64(kilobytes) * 1024 / 1e6
	return f, err
}
