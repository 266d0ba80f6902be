package worker

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Workers need socket pairs and shared memory, which have no back end on
// Windows yet: every way in says so.
var errNoChannel = fmt.Errorf("worker processes have no channel on Windows yet: %w", errors.ErrUnsupported)

// EnvironmentKey tells a process that it was started as a worker.
const EnvironmentKey = "STINT_WORKER"

const (
	depth    = 0
	canShare = false
)

func openChannel(Faults) (host channel, in, out *os.File, err error) {
	return host, nil, nil, errNoChannel
}
func (channel) close() {}
func patiently(socket *os.File, _ func([]byte) (int, error)) (write func([]byte) (int, error), done func()) {
	return socket.Write, func() {}
}
func createShared(int) (*os.File, error)           { return nil, errNoChannel }
func mapShared(*os.File, int, int) ([]byte, error) { return nil, errNoChannel }
func populate([]byte) error                        { return errNoChannel }
func unmapShared([]byte) error                     { return nil }
func openInherited() (*inherited, error)           { return nil, errNoChannel }
func leave()                                       { os.Exit(exitOrphaned) }

type monotonicClock struct{}

func newMonotonicClock() monotonicClock                 { return monotonicClock{} }
func (monotonicClock) nanoseconds(t time.Time) int64    { return t.UnixNano() }
func (monotonicClock) time(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds) }

func stop(*os.Process) error { return nil }

func writeOnce(uintptr, []byte) (int, error) { return 0, errNoChannel }
func readOnce(*os.File, []byte) (int, error) { return 0, errNoChannel }
