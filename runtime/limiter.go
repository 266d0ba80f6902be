package runtime

import (
	"fmt"
	"os"
	"slices"
)

// Limiter is how a host holds a process, with all that it starts, to the Memory of its
// [actors.Limits], which the system can do for control groups alone.
type Limiter uint8

const (
	// LimitAuto: the first of those below that can be had, or the one that
	// STINT_LIMITER in the environment names: cgroup or watch.
	LimitAuto Limiter = iota
	// LimitCgroup: a control group for each process, with the controllers memory and
	// pids. With version 1 that takes the right to make groups below this program's own,
	// root's as a rule. With version 2 no group below one with processes in it can have
	// controllers, but for the root. So this program has to be in the root group, as
	// root, or in a leaf of a subtree that was delegated to it, beside which its host makes its groups
	// then (systemd: Delegate=yes with DelegateSubgroup=main): the group above has to be
	// marked by systemd, or to be the topmost that is this user's; to have no processes in it; and the
	// leaf no limits of its own. The host moves no process that it has not started.
	LimitCgroup
	// LimitWatch: the host looks at what each such process and all that it has started
	// have resident, ten times a second, and kills them if that is too much. It takes a
	// [Containment] by cgroup or by mark. Processes is each user's then (RLIMIT_NPROC).
	LimitWatch
)

var limiterNames = [...]string{"auto", "cgroup", "watch"}

// String returns the name as STINT_LIMITER spells it.
func (l Limiter) String() string {
	if int(l) < len(limiterNames) {
		return limiterNames[l]
	}
	return fmt.Sprintf("Limiter(%d)", uint8(l))
}

// limiterVariable names the variable that decides where the Config leaves it open.
const limiterVariable = "STINT_LIMITER"

// wantedLimiter returns what the Config or the environment asks for.
func wantedLimiter(configured Limiter) (Limiter, error) {
	name := os.Getenv(limiterVariable)
	switch {
	case int(configured) >= len(limiterNames):
		return 0, fmt.Errorf("%w: %v", ErrUnknownLimiter, configured)
	case configured != LimitAuto || name == "":
		return configured, nil
	}
	if i := slices.Index(limiterNames[:], name); i >= 0 {
		return Limiter(i), nil
	}
	return 0, fmt.Errorf("%w: %s=%q", ErrUnknownLimiter, limiterVariable, name)
}

// Limiter returns how the host holds processes to their Limits.Memory, and why not in
// a better way, or not at all: then it is LimitAuto. The first call may take a
// millisecond.
func (h *Host) Limiter() (inForce Limiter, why error) { return h.enclosures.limiter() }
