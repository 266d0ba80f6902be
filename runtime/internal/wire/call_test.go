package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// submitPayload is the payload of a call that submits a task.
func submitPayload(name, options, argument string) []byte {
	data := append(wire.AppendSubmissionHead(nil, name, []byte(options)), argument...)
	return append(wire.AppendCallHead(nil, 7, 3, wire.CallSubmit, 9, len(data)), data...)[wire.HeaderSize:]
}

func TestCallRoundTrip(t *testing.T) {
	for _, test := range []struct{ name, options, argument string }{
		{"x", "", ""},
		{"a task", "options", "argument"},
		{strings.Repeat("x", 1024), strings.Repeat("o", 1024), strings.Repeat("a", 1<<16)},
	} {
		payload := submitPayload(test.name, test.options, test.argument)
		if n := len(payload) - len(test.argument); n > wire.MaxSubmissionHead {
			t.Errorf("%d bytes before the argument, at most %d are said to be", n, wire.MaxSubmissionHead)
		}
		call, err := wire.ParseCall(payload)
		if err != nil || call.Op != wire.CallSubmit || call.About != 9 {
			t.Fatalf("%+v, %v", call, err)
		}
		s, err := wire.ParseSubmission(call.Data)
		if err != nil || string(s.Name) != test.name || string(s.Options) != test.options || string(s.Argument) != test.argument {
			t.Errorf("%+v, %v", s, err)
		}
	}
	if wire.CheckOptions(make([]byte, 1024)) != nil || wire.CheckOptions(make([]byte, 1025)) == nil {
		t.Error("the bound of options is another one")
	}
}

func TestCallRefused(t *testing.T) {
	good := submitPayload("task", "options", "")
	for name, payload := range map[string][]byte{
		"nothing":                  nil,
		"half a head":              good[:8],
		"no operation":             append([]byte{0}, good[1:]...),
		"an unknown operation":     append([]byte{99}, good[1:]...),
		"a question with data":     append([]byte{byte(wire.CallKill)}, good[1:]...),
		"no submission":            good[:9],
		"half a submission":        good[:len(good)-1],
		"no name":                  submitPayload("", "", "argument"),
		"a long name":              submitPayload(strings.Repeat("x", 1025), "", ""),
		"long options":             submitPayload("task", strings.Repeat("x", 1025), ""),
		"SEC-4 options of 2^16-1":  append(append(bytes.Clone(good[:11]), 0xff, 0xff), good[13:]...),
		"SEC-4 a name of 2^16-1":   append(append(bytes.Clone(good[:9]), 0xff, 0xff), good[11:]...),
		"options beyond its end":   append(append(bytes.Clone(good[:11]), 8, 0), good[13:]...),
		"the length of four bytes": good[:12],
	} {
		t.Run(name, func(t *testing.T) {
			call, err := wire.ParseCall(payload)
			if err == nil {
				_, err = wire.ParseSubmission(call.Data)
			}
			onlyWireError(t, err)
		})
	}
}

func FuzzParseCall(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(submitPayload("task", "options", "argument"))
	f.Add(submitPayload("", "", ""))
	f.Add([]byte("\x05\x00\x00\x00\x00\x00\x00\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		call, err := wire.ParseCall(payload)
		if err != nil {
			onlyWireError(t, err)
			return
		}
		s, err := wire.ParseSubmission(call.Data)
		if err != nil {
			onlyWireError(t, err)
			return
		}
		head := wire.AppendSubmissionHead(nil, string(s.Name), s.Options)
		if !bytes.Equal(append(head, s.Argument...), call.Data) {
			t.Errorf("%+v is not what %q says", s, call.Data)
		}
	})
}
