package pool

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// This file finds out where a task is that does not end, before its worker is
// killed: the worker is asked over its channel, and if it does not answer while
// three quarters of the grace go by, SIGQUIT has its Go runtime print all stacks
// to standard error. The kill waits for neither.

// inquiry is what is known of where a condemned job is.
type inquiry struct {
	dumpAt time.Time // when the worker must have answered; zero: it was not asked
	dumped bool      // it was sent SIGQUIT, and ends by that: nothing can spare it
}

// inquire asks the worker where the condemned job is. The answer, if it comes, is
// kept in the job's verdict. Under the lock; the caller sends the question.
func (m *member) inquire() {
	m.inquiry = inquiry{dumpAt: time.Now().Add(m.pool.config.Grace / 4 * 3)}
	m.alarm.setAt(m.inquiry.dumpAt)
}

// Stack implements worker.Receiver: the answer.
func (m *member) Stack(id uint64, text string) {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	if j := m.condemned; j != nil && j.id == id { // else the task was over in time
		j.verdict.stack = printable(text)
	}
}

// checkAnswer has the worker print its stacks and end, if it has not answered.
// Under the lock; a job is condemned.
func (m *member) checkAnswer() {
	switch q := &m.inquiry; {
	case q.dumped || q.dumpAt.IsZero() || m.condemned.verdict.stack != "":
	case time.Now().Before(q.dumpAt):
		m.alarm.setAt(q.dumpAt)
	default:
		q.dumped = true
		m.pool.retire(m)
		m.process.Dump()
	}
}

// lastStack is where the condemned job was when its worker ended, as far as that
// is known.
func (m *member) lastStack(v *verdict) string {
	if v.stack != "" || !m.inquiry.dumped {
		return v.stack
	}
	tail := m.link.StderrTail()
	return printable(tail[max(0, strings.LastIndex(tail, "SIGQUIT: quit")):])
}

// stackOf returns where the task of a goroutine that is given up is.
func (r *runner) stackOf(v *verdict) string {
	if v.bound == boundNone {
		return "" // whoever killed it did not find it hung
	}
	return worker.Stack(r.goroutine)
}

// formatWithStack prints an error, and for %+v a stack below it.
func formatWithStack(state fmt.State, verb rune, err error, stack string) {
	if verb == 'v' && state.Flag('+') && stack != "" {
		_, _ = io.WriteString(state, err.Error()+"\n"+indented(stack))
		return
	}
	fmt.Fprintf(state, fmt.FormatString(state, verb), err.Error())
}

// indented indents the lines of a text.
func indented(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n\t")
}
