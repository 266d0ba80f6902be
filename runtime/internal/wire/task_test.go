package wire_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stint-go/stint/runtime/internal/wire"
)

func TestTaskRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 200, 1024).Draw(t, "name")
		limit := time.Duration(rapid.Int64Min(0).Draw(t, "limit"))
		argument := rapid.SliceOf(rapid.Byte()).Draw(t, "argument")
		if err := wire.CheckName(name); err != nil {
			t.Fatal(err)
		}
		head := wire.AppendTaskHead([]byte("before"), name, limit)[len("before"):]
		if len(head) != wire.TaskHeadSize(name) {
			t.Fatalf("a head of %d bytes, said to be %d", len(head), wire.TaskHeadSize(name))
		}
		task, err := wire.ParseTask(append(head, argument...))
		if err != nil || string(task.Name) != name || task.Limit != limit || string(task.Argument) != string(argument) {
			t.Fatalf("%+v, %v", task, err)
		}
	})
}

func TestTaskRefused(t *testing.T) {
	long := strings.Repeat("x", 1025)
	good := string(wire.AppendTaskHead(nil, "task", time.Second))
	for name, test := range map[string]struct{ payload, reason string }{
		"nothing":           {"", "0 bytes is too short"},
		"half a head":       {good[:9], "9 bytes is too short"},
		"no name":           {string(wire.AppendTaskHead(nil, "", 0)), "name of 0 bytes"},
		"half a name":       {good[:len(good)-1], "name of 4 bytes"},
		"a long name":       {string(wire.AppendTaskHead(nil, long, 0)), "name of 1025 bytes"},
		"a negative limit":  {string(wire.AppendTaskHead(nil, "task", -1)), "negative limit"},
		"SEC-4 limit 2^63":  {string(wire.AppendTaskHead(nil, "task", math.MinInt64)), "negative limit"},
		"SEC-4 name 2^16-1": {good[:8] + "\xff\xff" + long, "name of 65535 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.ParseTask([]byte(test.payload))
			var bad *wire.Error
			if !errors.As(err, &bad) || bad.What != "task" || !strings.Contains(bad.Reason, test.reason) {
				t.Errorf("error %v, want a bad task with %q", err, test.reason)
			}
		})
	}
}

func TestQuit(t *testing.T) {
	for _, limit := range []time.Duration{0, 1, math.MaxInt64} {
		if got, err := wire.ParseQuit(wire.AppendQuit(nil, limit)[wire.HeaderSize:]); err != nil || got != limit {
			t.Errorf("%d: %d, %v", limit, got, err)
		}
	}
	for _, payload := range []string{"", "1234567", "123456789", "\x00\x00\x00\x00\x00\x00\x00\x80"} {
		var bad *wire.Error
		if _, err := wire.ParseQuit([]byte(payload)); !errors.As(err, &bad) || bad.What != "quit" {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"x", "a task", strings.Repeat("x", 1024), "\x00"} {
		if err := wire.CheckName(name); err != nil {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 1025)} {
		err := wire.CheckName(name)
		if err == nil {
			t.Fatalf("a name of %d bytes passes", len(name))
		}
		onlyWireError(t, err)
	}
}

func FuzzParseTask(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(wire.AppendTaskHead(nil, "task", time.Second))
	f.Add(append(wire.AppendTaskHead(nil, "task", 0), "argument"...))
	f.Add(wire.AppendTaskHead(nil, "task", -1))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var task wire.Task
		var err error
		within(t, 8<<10, func() { task, err = wire.ParseTask(payload) })
		if err != nil {
			onlyWireError(t, err)
			return
		}
		if wire.CheckName(string(task.Name)) != nil || task.Limit < 0 {
			t.Errorf("%+v passed", task)
		}
		again := append(wire.AppendTaskHead(nil, string(task.Name), task.Limit), task.Argument...)
		if string(again) != string(payload) {
			t.Errorf("% x became % x", payload, again)
		}
	})
}

func TestParseReason(t *testing.T) {
	for _, reason := range []wire.Reason{wire.ReasonDeadline, wire.ReasonCanceled} {
		if got, err := wire.ParseReason([]byte{byte(reason)}); got != reason || err != nil {
			t.Errorf("%d became %d, %v", reason, got, err)
		}
	}
	for _, payload := range []string{"", "\x00", "\x03", "\xff", "\x01\x01", strings.Repeat("\x01", 1<<20)} {
		_, err := wire.ParseReason([]byte(payload))
		if err == nil {
			t.Fatalf("%.20q passes", payload)
		}
		onlyWireError(t, err)
		if len(err.Error()) > 200 {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
	}
}
