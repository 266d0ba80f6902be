//go:build unix

package worker

import (
	"bytes"
	"testing"
	"time"
)

// What is in the pipe when the time for it is over, since this program was held up, is read
// all the same.
func TestOutputReadLate(t *testing.T) {
	onward := &closingBuffer{}
	o, writer, err := openOutput(nil, onward)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	words := bytes.Repeat([]byte("last words "), outputChunk/4)
	if _, err := writer.Write(words); err != nil {
		t.Fatal(err)
	}
	over := time.Now().Add(-time.Second)
	if err := o.pipe.SetReadDeadline(over); err != nil {
		t.Fatal(err)
	}
	go o.pass()
	<-o.ended
	o.end(over)
	if got := onward.Bytes(); !bytes.Equal(got, words) {
		t.Errorf("%d bytes of %d", len(got), len(words))
	}
}

type closingBuffer struct{ bytes.Buffer }

func (*closingBuffer) Close() error { return nil }
