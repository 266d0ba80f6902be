//go:build unix

package worker_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// vigil is a listener. Who dials it is alive for as long as the connection is
// there: it and all that have inherited the connection.
type vigil struct {
	t        testing.TB
	listener net.Listener
}

func newVigil(t testing.TB) *vigil {
	t.Helper()
	dir, err := os.MkdirTemp("", "v") // a short path, as sun_path has little room
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "vigil"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		os.RemoveAll(dir)
	})
	return &vigil{t: t, listener: l}
}

func (v *vigil) path() string { return v.listener.Addr().String() }

// accept waits for the next that dials, and returns what ends with it.
func (v *vigil) accept() net.Conn {
	v.t.Helper()
	if err := v.listener.(*net.UnixListener).SetDeadline(time.Now().Add(patience)); err != nil {
		v.t.Fatal(err)
	}
	conn, err := v.listener.Accept()
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { conn.Close() })
	return conn
}

// awaitEnd waits until all that hold the other side are gone.
func (v *vigil) awaitEnd(conn net.Conn) {
	v.t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		v.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		v.t.Fatalf("not gone: %v", err)
	}
}

func dial(path string) (*os.File, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.(*net.UnixConn).File()
}

func init() {
	tasks["spin with family"] = func(ctx context.Context, path []byte) ([]byte, error) {
		if err := startGrandchild(string(path)); err != nil {
			return nil, err
		}
		if _, err := dial(string(path)); err != nil {
			return nil, err
		}
		return spin(ctx, nil)
	}
	tasks["spin"] = func(_ context.Context, path []byte) ([]byte, error) {
		_, err := dial(string(path))
		for err == nil {
			turn()
		}
		return nil, err
	}
	tasks["processors"] = func(context.Context, []byte) ([]byte, error) { return fmt.Append(nil, runtime.GOMAXPROCS(0)), nil }
	tasks["family"] = func(_ context.Context, path []byte) ([]byte, error) { return nil, startGrandchild(string(path)) }
	tasks["deafen"] = deafen
	helpers["host"] = hostUntilKilled
}

// spin never ends and leaves no processor idle.
func spin(context.Context, []byte) ([]byte, error) {
	for range runtime.GOMAXPROCS(0) {
		go turn()
	}
	turn()
	return nil, nil
}

func turn() {
	for n := uint(1); n != 0; n += 2 {
	}
}

// startGrandchild starts a process that has a connection to the vigil, ignores
// polite signals, and does not end by itself.
func startGrandchild(path string) error {
	conn, err := dial(path)
	if err != nil {
		return err
	}
	defer conn.Close()
	cmd := exec.Command("/bin/sh", "-c", `trap "" TERM INT HUP PIPE; while :; do sleep 1000; done`)
	cmd.ExtraFiles = []*os.File{conn}
	return cmd.Start()
}

// The host's end of the channel is the worker's life: when the host closes it,
// the worker and its process group are gone at once, also while its task leaves
// no processor idle.
func TestLifelineOfClose(t *testing.T) {
	for _, task := range []string{"spin", "spin with family", "family"} {
		t.Run(task, func(t *testing.T) {
			v, h := newVigil(t), serving(t)
			h.offer(task, v.path())
			members := []net.Conn{v.accept()}
			switch task {
			case "spin with family":
				members = append(members, v.accept())
			case "family":
				h.result(1)
			}
			at := time.Now()
			h.link.Close()
			for _, m := range members {
				v.awaitEnd(m)
			}
			t.Logf("gone after %v", time.Since(at))
			if err := h.awaitClosed(); err != nil {
				t.Errorf("closed with %v", err)
			}
			if status := h.exit().Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
				t.Errorf("it ended with %v", status)
			}
		})
	}
}

// workerAttributes are those with which a pool starts its workers.
var workerAttributes = syscall.SysProcAttr{Setpgid: true}

// A worker has a processor more than its task needs, for the reader, also where
// there is but one.
func TestProcessors(t *testing.T) {
	h := launch(t, config{env: []string{"GOMAXPROCS=1"}})
	h.awaitReady()
	if got := h.value("processors", ""); got < "2" {
		t.Errorf("it has %s", got)
	}
}

// hostUntilKilled is a host with two workers, which tells its standard output
// when both have work.
func hostUntilKilled() {
	runtime.LockOSThread() // a parent-death signal follows the thread
	path, err := worker.Executable()
	if err != nil {
		panic(err)
	}
	for i := range 2 {
		h := &host{ready: make(chan struct{}), results: make(chan worker.Result, 100), closed: make(chan error, 1)}
		link, files, err := worker.Open(worker.LinkConfig{Worker: i, Limit: 1 << 20, Receiver: h})
		if err != nil {
			panic(err)
		}
		_, err = os.StartProcess(path, os.Args[:1], &os.ProcAttr{
			Env: worker.Environment(os.Environ()), Files: files, Sys: &workerAttributes,
		})
		if err != nil {
			panic(err)
		}
		for _, f := range files {
			f.Close()
		}
		link.Start()
		<-h.ready
		link.Offer(0, 1, os.Args[1], 0, []byte(os.Args[2]))
		link.Flush()
		link.Flush()
	}
	fmt.Println("both have work")
	select {}
}

// LK-6, PY-P-1: a host that is killed leaves no worker and no grandchild; they
// are gone within 2 s, also while all their tasks spin.
func TestLifelineOfKilledHost(t *testing.T) {
	for _, task := range []string{"spin with family", "family"} {
		t.Run(task, func(t *testing.T) {
			v := newVigil(t)
			cmd := exec.Command(os.Args[0], task, v.path())
			cmd.Env = append(os.Environ(), helperKey+"=host")
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Wait() }()
			defer func() { _ = cmd.Process.Kill() }()
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "both have work\n" {
				t.Fatal(line, err)
			}
			members := []net.Conn{v.accept(), v.accept()}
			if task == "spin with family" {
				members = append(members, v.accept(), v.accept())
			}
			at := time.Now()
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				v.awaitEnd(m)
			}
			took := time.Since(at)
			t.Logf("gone after %v", took)
			if took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// PY-P-8, a host whose standard output is closed has workers nevertheless.
func TestHostWithoutStdout(t *testing.T) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	os.Stdout = nil
	if got := serving(t).value("shell", "echo nowhere >&1 && echo there >&2"); got != "nowhere\nthere" {
		t.Errorf("%q", got)
	}
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	os.Stdout = closed
	if got := serving(t).value("echo", "x"); got != "x" {
		t.Errorf("%q", got)
	}
}

// deafen closes the socket by which its worker hears its host, once the reader waits in
// the poller and so does not see that.
func deafen(context.Context, []byte) ([]byte, error) {
	stacks := make([]byte, 1<<20)
	for !bytes.Contains(stacks, []byte("[IO wait")) {
		runtime.Stack(stacks, true)
	}
	return nil, syscall.Close(3)
}

// A worker that has lost the socket by which it hears its host, and nothing else, is lost:
// the host says so when it has something to say to it, whatever that is.
func TestDeafWorker(t *testing.T) {
	for name, say := range map[string]func(h *host){
		"a task": func(h *host) { h.offer("echo", "") },
		"a quit": func(h *host) { h.link.Quit(time.Second) },
		"more than a socket takes": func(h *host) {
			for range 20 {
				h.offerLater("echo", strings.Repeat("x", 100<<10))
			}
			h.link.Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := serving(t)
			h.value("deafen", "")
			say(h)
			if err := h.awaitClosed(); err != nil {
				t.Errorf("closed with %v", err)
			}
		})
	}
}

// hasty has something to say to its worker when it has got results.
type hasty struct {
	*watcher
	say func()
}

func (h hasty) Results(results []worker.Result) {
	h.watcher.Results(results)
	h.say()
}

// What a worker has sent counts, also when the host has found out before it was read that
// the worker hears nothing any more.
func TestLastWordsOfDeafWorker(t *testing.T) {
	heard, deaf := make(chan struct{}), make(chan struct{})
	var link *worker.Link
	w := hasty{watcher: newWatcher()}
	w.say = sync.OnceFunc(func() {
		close(heard)
		<-deaf
		link.Cancel(1, false)
	})
	link, i := openImpostor(t, &w)
	i.write(i.answer(nil), valueFrame(1, 1, "first"))
	receive(t, heard)
	if err := i.conn.Conn.Close(); err != nil {
		t.Fatal(err)
	}
	const size, more = 10_000, 5
	for id := range uint64(more) {
		i.write(valueFrame(1, 2+id, strings.Repeat("x", size)))
	}
	close(deaf)
	if err, _ := receive(t, w.closed); err != nil {
		t.Errorf("closed with %v", err)
	}
	if len(w.results) != 1+more {
		t.Errorf("%d results, want %d", len(w.results), 1+more)
	}
}
