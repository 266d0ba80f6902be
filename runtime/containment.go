package runtime

import (
	"fmt"
	"os"
	"slices"
)

// Containment is how a host keeps together what a worker starts, so that it ends
// with the worker, whatever it is and whoever adopts it. In every case what is in
// the worker's process group ends with it.
type Containment uint8

const (
	// ContainAuto: the first of those below that can be had, or the one that
	// STINT_CONTAINMENT in the environment names: cgroup, mark or group.
	ContainAuto Containment = iota
	// ContainCgroup: a control group of version 2 for each worker, below this program's
	// own, or beside it (see [LimitCgroup]). Nothing gets out
	// of it that has no right to, and one write to the kernel ends all of it. Linux
	// 5.14, and root or a subtree that was delegated to this user.
	ContainCgroup
	// ContainMark: a number that processes inherit and nothing reads, the soft
	// RLIMIT_LOCKS; processes that bear it are found in /proc. What takes it off on
	// purpose, or has become another user's, is not found.
	ContainMark
	// ContainGroup: the process group and no more; what calls setsid(2) escapes, and
	// there is no guard.
	ContainGroup
)

var containmentNames = [...]string{"auto", "cgroup", "mark", "group"}

// String returns the name as STINT_CONTAINMENT spells it.
func (c Containment) String() string {
	if int(c) < len(containmentNames) {
		return containmentNames[c]
	}
	return fmt.Sprintf("Containment(%d)", uint8(c))
}

// containmentVariable names the variable that decides where the Config leaves it open.
const containmentVariable = "STINT_CONTAINMENT"

// wantedContainment returns what the Config or the environment asks for.
func wantedContainment(configured Containment) (Containment, error) {
	name := os.Getenv(containmentVariable)
	switch {
	case int(configured) >= len(containmentNames):
		return 0, &ContainmentError{Containment: configured, Err: ErrUnknownContainment}
	case configured != ContainAuto || name == "":
		return configured, nil
	}
	if i := slices.Index(containmentNames[:], name); i >= 0 {
		return Containment(i), nil
	}
	return 0, &ContainmentError{Err: fmt.Errorf("%w: %s=%q", ErrUnknownContainment, containmentVariable, name)}
}

// Containment returns how the host contains what its workers start, and why not
// in a better way; nil if there is none. The first call may take a millisecond.
func (h *Host) Containment() (inForce Containment, why error) { return h.enclosures.containment() }
