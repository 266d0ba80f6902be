package mark

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

var (
	// ErrTooDeep: hosts are nested deeper than marks can tell.
	ErrTooDeep = errors.New("hosts are nested too deeply for marks of their own")
	// ErrNone: all marks of this program are taken.
	ErrNone = fmt.Errorf("%d workers are marked, and there are no more marks", most)
)

// own is this program's mark: that of the worker that it is or descends from, or a
// new root. It is found out once. The numbers below it are this program's, however
// many hosts it has.
var own = sync.OnceValues(findOwn)

// Own returns this program's mark, which it does not bear itself unless it is a
// worker. An error says why processes cannot be marked here.
func Own() (Mark, error) { return own() }

func findOwn() (Mark, error) {
	var limit unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_LOCKS, nil, &limit); err != nil {
		return 0, fmt.Errorf("prlimit: %w", err)
	}
	if limit.Max>>(rootShift+rootBits) == 0 {
		return 0, errors.New("the hard limit of RLIMIT_LOCKS is set, which leaves no room for marks")
	}
	m := Mark(limit.Cur)
	if m.valid() {
		if m.depth() == levels {
			return 0, ErrTooDeep
		}
		return m, nil
	}
	return newRoot()
}

// newRoot returns a root that no process on the machine has.
func newRoot() (Mark, error) {
	table, err := Open()
	if err != nil {
		return 0, err
	}
	defer table.Close()
	taken := map[Mark]bool{}
	if err := table.Each(func(_ int, m Mark) { taken[m>>rootShift] = true }); err != nil {
		return 0, err
	}
	for {
		if root := Mark(1 + rand.Uint64N(1<<rootBits-1)); !taken[root] {
			return root << rootShift, nil
		}
	}
}

// numbers are those below this program's mark that are taken.
var numbers struct {
	sync.Mutex
	taken map[Mark]bool
	last  int
}

// Take returns a mark below this program's that no other has; Release gives it
// back, when no process bears it any more.
func Take() (Mark, error) {
	m, err := Own()
	if err != nil {
		return 0, err
	}
	numbers.Lock()
	defer numbers.Unlock()
	if numbers.taken == nil {
		numbers.taken = map[Mark]bool{}
	}
	for range most {
		numbers.last = numbers.last%most + 1
		if taken := m.child(numbers.last); !numbers.taken[taken] {
			numbers.taken[taken] = true
			return taken, nil
		}
	}
	return 0, ErrNone
}

// Release gives a mark back.
func (m Mark) Release() {
	numbers.Lock()
	defer numbers.Unlock()
	delete(numbers.taken, m)
}

// Set marks a process that was not reaped, and with it what it starts from now on.
func (m Mark) Set(pid int) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_LOCKS, nil, &limit); err != nil {
		return fmt.Errorf("prlimit: %w", err)
	}
	limit.Cur = uint64(m)
	if err := unix.Prlimit(pid, unix.RLIMIT_LOCKS, &limit, nil); err != nil {
		return fmt.Errorf("prlimit: %w", err)
	}
	return nil
}

// Of returns the mark of a process; false if it has none or cannot be asked: it is
// gone, or it is another user's, whom this program may not kill either.
func Of(pid int) (Mark, bool) {
	var limit unix.Rlimit
	err := unix.Prlimit(pid, unix.RLIMIT_LOCKS, nil, &limit)
	if err == unix.EPERM && unix.Kill(pid, 0) == nil { // another user's, whom this program may kill
		limit.Cur, err = readLimit(pid)
	}
	if err != nil {
		return 0, false
	}
	m := Mark(limit.Cur)
	return m, m.valid()
}

// readLimit reads the soft RLIMIT_LOCKS of a process. It takes no right, but a
// descriptor.
func readLimit(pid int) (uint64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/limits")
	if err != nil {
		return 0, err
	}
	_, row, _ := strings.Cut(string(b), "\nMax file locks ")
	soft := strings.Fields(row)
	if len(soft) == 0 {
		return 0, errors.New("/proc tells no limit of file locks")
	}
	return strconv.ParseUint(soft[0], 10, 64) // "unlimited" is no mark
}
