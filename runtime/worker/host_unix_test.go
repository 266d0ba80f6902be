//go:build unix

package worker_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
	"github.com/stint-go/stint/runtime/worker"
)

// puppet is a real worker process whose host is played by hand.
type puppet struct {
	conn    duplex
	process *os.Process
	stderr  *os.File
}

func startPuppet(t testing.TB) *puppet {
	t.Helper()
	link, files, err := worker.Open(worker.LinkConfig{Limit: 1 << 20, Receiver: newWatcher()})
	if err != nil {
		t.Fatal(err)
	}
	out, theirIn := socketPair(t)
	in, theirOut := socketPair(t)
	stderr, theirStderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	for i, theirs := range map[int]*os.File{2: theirStderr, 3: theirIn, 4: theirOut} {
		files[i].Close()
		files[i] = theirs
	}
	path, err := worker.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.StartProcess(path, os.Args[:1], &os.ProcAttr{
		Env: worker.Environment(os.Environ()), Files: files, Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	for _, f := range files {
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	conn := duplexOf(t, in, out)
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		stderr.Close()
		link.Close()
		link.Release()
	})
	return &puppet{conn: conn, process: process, stderr: stderr}
}

// end waits for the process's end.
func (p *puppet) end(t testing.TB) (status syscall.WaitStatus, stderr string) {
	t.Helper()
	timer := time.AfterFunc(patience, func() {
		t.Error("it did not end")
		_ = p.process.Kill()
	})
	defer timer.Stop()
	text, err := io.ReadAll(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	state, err := p.process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return state.Sys().(syscall.WaitStatus), string(text)
}

func hostHello(t testing.TB) []byte {
	t.Helper()
	frame, err := wire.AppendHello(nil, wire.Hello{Nonce: make([]byte, wire.NonceSize), Identity: "host", PID: os.Getpid(), Worker: 3, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func taskFrame(slot uint16, name string) []byte {
	return wire.AppendFrame(nil, wire.Header{Kind: wire.KindTask, Slot: slot, ID: 1}, wire.AppendTaskHead(nil, name, 0))
}

// A worker whose host says what no host says, or that it does not understand,
// ends: with exit code 97 and the reason on its standard error, or, when the
// stream itself is broken, as if the host were gone. It never hangs.
func TestWorkerOfStrangeHost(t *testing.T) {
	hello := hostHello(t)
	newer := bytes.Clone(hello)
	newer[wire.HeaderSize+6]++
	long := wire.AppendFrame(nil, wire.Header{Kind: wire.KindTask}, make([]byte, 1<<20+1))
	for name, test := range map[string]struct {
		say    []byte
		reason string // none: it takes the host for gone
	}{
		"nothing":            {nil, ""},
		"half a hello":       {hello[:30], ""},
		"zeros":              {make([]byte, 100), ""},
		"text":               {[]byte("GET / HTTP/1.1\r\n\r\n"), ""},
		"a task first":       {taskFrame(0, "echo"), "the host began with a task frame"},
		"a quit first":       {frameOf(wire.KindQuit, ""), "the host began with a quit frame"},
		"another version":    {newer, "speaks version 2, this side version 1"},
		"a hello of nothing": {frameOf(wire.KindHello, ""), "does not speak this protocol"},
		"half a task":        {append(bytes.Clone(hello), taskFrame(0, "echo")[:20]...), ""},
		"a second hello":     {append(bytes.Clone(hello), hello...), "the host sent a hello frame"},
		"a value":            {append(bytes.Clone(hello), valueFrame(0, 1, "value")...), "the host sent a value frame"},
		"a task of no name":  {append(bytes.Clone(hello), taskFrame(0, "")...), "name of 0 bytes"},
		"a slot too many":    {append(bytes.Clone(hello), taskFrame(worker.Slots, "echo")...), "slot 256 of 256"},
		"a strange cancel":   {append(bytes.Clone(hello), frameOf(wire.KindCancel, "\x09")...), "bad cancel"},
		"over the limit":     {append(bytes.Clone(hello), long...), ""},
		"zeros, later":       {append(bytes.Clone(hello), make([]byte, 100)...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPuppet(t)
			_, _ = p.conn.Write(test.say) // may not take all of it
			if test.reason == "" {
				_ = p.conn.CloseWrite()
			}
			status, stderr := p.end(t)
			switch {
			case test.reason == "" && (status.Signal() != syscall.SIGKILL || stderr != ""):
				t.Errorf("it ended with %v: %s", status, stderr)
			case test.reason != "" && (status.ExitStatus() != 97 || !strings.Contains(stderr, test.reason)):
				t.Errorf("exit status %d, standard error %q, want %q", status.ExitStatus(), stderr, test.reason)
			}
		})
	}
}

// A frame for a task that was never offered is passed, whatever its slot holds.
func TestTaskWithoutClaim(t *testing.T) {
	p := startPuppet(t)
	if _, err := p.conn.Write(append(hostHello(t), taskFrame(5, "echo")...)); err != nil {
		t.Fatal(err)
	}
	frames := wire.NewReader(p.conn, 1<<20)
	for _, kind := range []wire.Kind{wire.KindHello, wire.KindSkipped} {
		if header, _, err := frames.Next(); err != nil || header.Kind != kind {
			t.Fatalf("%v, %v, want %v", header, err, kind)
		}
	}
	p.conn.Close()
	p.end(t)
}

// What a worker says of itself.
func TestWorkerHello(t *testing.T) {
	p := startPuppet(t)
	if _, err := p.conn.Write(hostHello(t)); err != nil {
		t.Fatal(err)
	}
	_, payload, err := wire.NewReader(p.conn, wire.HelloLimit).Next()
	if err != nil {
		t.Fatal(err)
	}
	hello, err := wire.ParseHello(payload)
	if err != nil || hello.PID != p.process.Pid || hello.Worker != 3 || hello.Identity == "" || strings.Contains(hello.Identity, "unknown") {
		t.Errorf("%+v, %v", hello, err)
	}
	if info, err := os.Stat(os.Args[0]); err != nil || !strings.Contains(hello.Identity, fmt.Sprint(info.Size())) {
		t.Errorf("identity %q, %v", hello.Identity, err)
	}
	p.conn.Close()
	p.end(t)
}
