package wire_test

import (
	"strings"
	"testing"

	"github.com/stint-go/stint/runtime/internal/wire"
)

func TestStack(t *testing.T) {
	for _, size := range []int{0, 1, wire.MaxStack, wire.MaxStack + 1, 1 << 20} {
		frame := wire.AppendStack(nil, 9, strings.Repeat("x", size))
		text, err := wire.ParseStack(frame[wire.HeaderSize:])
		if err != nil || len(text) != min(size, wire.MaxStack) {
			t.Errorf("%d bytes became %d, %v", size, len(text), err)
		}
	}
	_, err := wire.ParseStack(make([]byte, wire.MaxStack+1))
	if err == nil {
		t.Fatal("one byte too many passes")
	}
	onlyWireError(t, err)
}
