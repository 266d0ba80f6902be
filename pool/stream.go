package pool

import (
	"bytes"
	"io"
	"runtime/debug"
)

// maxLine is the longest line that is kept together, in bytes.
const maxLine = 64 << 10

// stream is one of a worker's standard streams on its way to a sink: it makes
// lines of it. Its worker's link writes to it, one goroutine.
type stream struct {
	member *member
	sink   sink
	stderr bool
	begun  []byte // of a line that has not ended; less than maxLine
}

// newStream returns nil where there is no sink.
func newStream(m *member, to sink, stderr bool) io.WriteCloser {
	if to == nil {
		return nil
	}
	return &stream{member: m, sink: to, stderr: stderr}
}

// Write hands on the lines that end in p, and keeps the rest.
func (s *stream) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		next := p[:min(len(p), maxLine-len(s.begun))]
		p = p[len(next):]
		if end := bytes.LastIndexByte(next, '\n') + 1; end > 0 {
			s.hand(append(s.begun, next[:end]...))
			next = next[end:]
		}
		if s.begun = append(s.begun, next...); len(s.begun) == maxLine {
			s.hand(s.begun)
		}
	}
	return written, nil
}

// Close hands on a last line that has no end.
func (s *stream) Close() error {
	if len(s.begun) > 0 {
		s.hand(s.begun)
	}
	return nil
}

// hand hands lines on, and forgets what was kept of them.
func (s *stream) hand(lines []byte) {
	s.begun = s.begun[:0] // before: the sink may end this goroutine
	s.sink.take(s, lines)
}

// line describes what the lines have in common.
func (s *stream) line() Line {
	m := s.member
	return Line{Worker: m.number, PID: m.process.PID(), Task: m.doing(), Stderr: s.stderr}
}

// panicked logs that the sink has panicked.
func (s *stream) panicked(value any) {
	s.member.pool.config.Logger.Error("stint: where the output of workers goes to has panicked",
		"worker", s.member.number, "panic", value, "stack", string(debug.Stack()))
}

// doing names the task that the worker runs, or else the last one that it ran.
func (m *member) doing() string {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	switch j := m.sent.first; {
	case j != nil && m.begun(j):
		return m.current().task.name
	case m.lastTask != nil:
		return m.lastTask.name
	}
	return ""
}
