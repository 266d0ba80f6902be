package subprocess

import "bytes"

// longestLine bounds what is kept of a line that has no end.
const longestLine = 1 << 20

// lineWriter cuts what is written to it into lines.
type lineWriter struct {
	call    func(line []byte)
	pending []byte // a line's beginning
}

func (w *lineWriter) Write(b []byte) (int, error) {
	n := len(b)
	for {
		line, rest, found := bytes.Cut(b, []byte{'\n'})
		if !found {
			w.keep(b)
			return n, nil
		}
		if len(w.pending) > 0 {
			line = append(w.pending, line...)
			w.pending = w.pending[:0]
		}
		w.call(bytes.TrimSuffix(line, []byte{'\r'}))
		b = rest
	}
}

func (w *lineWriter) keep(b []byte) {
	w.pending = append(w.pending, b...)
	if len(w.pending) >= longestLine {
		w.flush()
	}
}

// flush tells of what has no line end.
func (w *lineWriter) flush() {
	if len(w.pending) > 0 {
		w.call(w.pending)
		w.pending = w.pending[:0]
	}
}
