package pool

import (
	"fmt"
	"os"
)

// canWeigh: this system tells how much memory a process has.
const canWeigh = true

// residentMemory returns how many bytes of memory a process has resident
// (proc_pid_statm(5)).
func residentMemory(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(data), &total, &resident); err != nil {
		return 0, err
	}
	return resident * int64(os.Getpagesize()), nil
}
