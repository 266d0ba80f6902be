package pool

import (
	"fmt"
	"runtime/debug"
)

// MapError: a map's context ended before the map did. What had not begun was
// cancelled. It matches the context's error.
type MapError struct {
	Task       string // its registered name
	Yielded    int    // items that were yielded before
	Unfinished int    // items that had been read from the input
	Cause      error  // context.Cause
}

// Error implements error.
func (e *MapError) Error() string {
	return fmt.Sprintf("task %q: the map ended after %d results, with %d more items under way: %v", e.Task, e.Yielded, e.Unfinished, e.Cause)
}

// Unwrap returns the context's cause.
func (e *MapError) Unwrap() error { return e.Cause }

// InputError: the input of a map panicked. The items that it gave before are
// not concerned.
type InputError struct {
	Task  string // its registered name
	Items int    // how many items it gave before
	Value string // the panic's value, as fmt.Sprint prints it
	Type  string // the Go type of the value
	Stack string // of the input, where it panicked
}

// newInputError is called where the input's panic was recovered.
func newInputError(task string, items int, value any) *InputError {
	return &InputError{Task: task, Items: items, Value: fmt.Sprint(value), Type: fmt.Sprintf("%T", value), Stack: string(debug.Stack())}
}

// Error implements error; it does not print the stack.
func (e *InputError) Error() string {
	return fmt.Sprintf("task %q: the input of the map panicked after %d items: %s", e.Task, e.Items, e.Value)
}
