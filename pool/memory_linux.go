package pool

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// memoryTold is why this system does not tell how much memory a process has; nil: it
// does.
var memoryTold = sync.OnceValue(func() error {
	_, err := os.Stat(memoryFile(os.Getpid())) // to open it would ask for a descriptor
	return err
})

func memoryFile(pid int) string { return fmt.Sprintf("/proc/%d/statm", pid) }

// errNothingResident: the kernel tells of a process by its first thread.
var errNothingResident = errors.New("the process shows nothing: it, or its first thread, has ended")

// residentMemory returns how many bytes of memory a process has resident
// (proc_pid_statm(5)). An error may be that there is none.
func residentMemory(pid int) (int64, error) {
	data, err := os.ReadFile(memoryFile(pid))
	if err != nil {
		return 0, err
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(data), &total, &resident); err != nil {
		return 0, err
	}
	if resident == 0 {
		return 0, errNothingResident
	}
	return resident * int64(os.Getpagesize()), nil
}
