//go:build unix

package reactor

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// SEC-13: pids that mean init, a group or everybody are refused at the last
// door. The signal is 0, which is sent to nobody even if the door were open.
func TestKillRefusesPidsOfMany(t *testing.T) {
	for _, pid := range []int{1, 0, -1, -os.Getpid()} {
		p := process{pid: pid, child: true, group: true}
		_ = p.identify() // finds none
		for name, err := range map[string]error{
			"kill":        kill(pid, 0),
			"killGroup":   killGroup(pid, 0),
			"signal":      p.signal(0),
			"signalGroup": p.signalGroup(0),
		} {
			if err != ErrInvalidPID {
				t.Errorf("%s(%d): %v", name, pid, err)
			}
		}
	}
	if err := kill(os.Getpid(), unix.Signal(0)); err != nil {
		t.Errorf("kill of the program itself with signal 0: %v", err)
	}
}
