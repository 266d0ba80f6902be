package wire

import (
	"io"
	"math"
)

const (
	// readSize is how much is asked for at once: some hundred small frames.
	readSize = 64 << 10
	// keepSize is the largest buffer kept for the next frame.
	keepSize = 1 << 20
)

// Reader cuts a stream of bytes into frames.
type Reader struct {
	source io.Reader
	limit  int
	buffer []byte // buffer[start:end] is read and not yet returned
	start  int
	end    int
}

// NewReader returns a Reader that refuses payloads of more than limit bytes.
func NewReader(source io.Reader, limit int) *Reader {
	r := &Reader{source: source, buffer: make([]byte, readSize)}
	r.SetLimit(limit)
	return r
}

// SetLimit changes the largest payload from the next frame on.
func (r *Reader) SetLimit(limit int) { r.limit = min(limit, math.MaxInt-HeaderSize) }

// Next returns the next frame; it reads only when no whole frame is buffered.
// The payload is valid until the call of Next that has to read. At the end of
// the stream the error is io.EOF, inside a frame io.ErrUnexpectedEOF; bytes that
// are no frame give an *Error, and the stream is of no more use.
func (r *Reader) Next() (Header, []byte, error) {
	for r.end-r.start < HeaderSize {
		if err := r.fill(HeaderSize); err != nil {
			return Header{}, nil, err
		}
	}
	h, err := parseHeader(r.buffer[r.start:], r.limit)
	if err != nil {
		return h, nil, err
	}
	whole := HeaderSize + int(h.Size)
	for r.end-r.start < whole {
		if err := r.fill(whole); err != nil {
			return h, nil, err
		}
	}
	payload := r.buffer[r.start+HeaderSize : r.start+whole : r.start+whole]
	r.start += whole
	return h, payload, nil
}

// Buffered reports whether Next would return a frame, or an error, without
// reading.
func (r *Reader) Buffered() bool {
	if r.end-r.start < HeaderSize {
		return false
	}
	h, err := parseHeader(r.buffer[r.start:], r.limit)
	return err != nil || r.end-r.start >= HeaderSize+int(h.Size)
}

// fill reads once, towards a frame of need bytes that begins at start.
func (r *Reader) fill(need int) error {
	r.makeRoom(need)
	n, err := r.source.Read(r.buffer[r.end:])
	r.end += n
	switch {
	case n > 0:
		return nil // an error comes again with the next read
	case err == io.EOF && r.end > r.start:
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// makeRoom moves what is buffered to the front and sees to it that there is
// room to read. A claimed size alone allocates nothing: the buffer doubles only
// once it is full of bytes that came.
func (r *Reader) makeRoom(need int) {
	held := r.end - r.start
	switch {
	case held == 0 && len(r.buffer) > keepSize:
		r.buffer = make([]byte, readSize)
	case held == len(r.buffer):
		grown := make([]byte, min(2*len(r.buffer), max(need, readSize)))
		copy(grown, r.buffer[r.start:r.end])
		r.buffer = grown
	case r.start > 0:
		copy(r.buffer, r.buffer[r.start:r.end])
	}
	r.start, r.end = 0, held
}
