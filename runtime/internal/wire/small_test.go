package wire_test

import (
	"bytes"
	"testing"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// FuzzSmall: what the short frames carry (a stack, a quit, the reason of a cancel,
// progress, values) is taken as it is meant or refused, whatever it is. SEC-4.
func FuzzSmall(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{1})
	f.Add([]byte("goroutine 1 [running]:\nmain.main()"))
	f.Add(bytes.Repeat([]byte{0xff}, 8))
	f.Add(wire.AppendQuit(nil, 1<<62)[wire.HeaderSize:])
	f.Fuzz(func(t *testing.T, payload []byte) {
		if text, err := wire.ParseStack(payload); err != nil {
			onlyWireError(t, err)
		} else if text != string(payload) {
			t.Errorf("a stack of %q is %q", payload, text)
		}
		if limit, err := wire.ParseQuit(payload); err != nil {
			onlyWireError(t, err)
		} else if limit < 0 || !bytes.Equal(wire.AppendQuit(nil, limit)[wire.HeaderSize:], payload) {
			t.Errorf("a quit of %x is %v", payload, limit)
		}
		if reason, err := wire.ParseReason(payload); err != nil {
			onlyWireError(t, err)
		} else if !bytes.Equal([]byte{byte(reason)}, payload) {
			t.Errorf("a reason of %x is %v", payload, reason)
		}
		for _, check := range []func(int) error{wire.CheckProgress, wire.CheckValues} {
			if err := check(len(payload)); err != nil {
				onlyWireError(t, err)
			}
		}
		if err := wire.CheckName(string(payload)); err != nil {
			onlyWireError(t, err)
		}
		if err := wire.CheckOptions(payload); err != nil {
			onlyWireError(t, err)
		}
	})
}
