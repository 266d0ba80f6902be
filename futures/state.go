package futures

import "fmt"

// State is where a future stands. It only moves forward, and a settled state is
// its last.
type State uint8

const (
	// Pending work has not begun.
	Pending State = iota
	// Running work has begun.
	Running
	// Succeeded work has left its value.
	Succeeded
	// Failed work has left an error. Work that was killed or that ran into its
	// deadline has failed, with an error that says so.
	Failed
	// Cancelled work was withdrawn, as a rule before it began.
	Cancelled
)

// Settled reports whether s is final.
func (s State) Settled() bool { return s >= Succeeded }

// String returns the name of s in lower case.
func (s State) String() string {
	switch s {
	case Pending:
		return "pending"
	case Running:
		return "running"
	case Succeeded:
		return "succeeded"
	case Failed:
		return "failed"
	case Cancelled:
		return "cancelled"
	default:
		return fmt.Sprintf("State(%d)", uint8(s))
	}
}
