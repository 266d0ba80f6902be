//go:build unix

package worker_test

import (
	"bytes"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// patience bounds waits for what must happen soon.
const patience = 30 * time.Second

// host plays the pool's part towards one worker.
type host struct {
	t       testing.TB
	link    *worker.Link
	files   []*os.File  // the worker's, until a process has them
	process *os.Process // nil: the worker is played by hand
	started bool        // the link
	latest  uint64      // the last result's number; the reader's own

	notedLast     int    // how many results were read after the end; to be looked at after closed
	reportedAfter uint64 // latest at the first report; to be looked at after that
	keep          bool   // the regions of results

	ready   chan struct{}
	results chan worker.Result
	stacks  chan string
	calls   chan worker.Call
	reports chan string
	closed  chan error // has room
	stdout  output
	stderr  output

	mu     sync.Mutex // as the pool's: over Offer, Withdraw, Begun and Release
	lastID uint64
	gone   bool
}

// config is what a test can change of a host.
type config struct {
	limit int      // default 1 MiB
	arena int      // default none
	env   []string // beside the worker's own
	keep  bool     // the regions of results

	initialize *worker.Initialization
}

// open makes a link whose worker is not there yet.
func open(t testing.TB, c config) *host {
	t.Helper()
	h := &host{
		t: t, keep: c.keep, ready: make(chan struct{}), results: make(chan worker.Result, 1<<10), stacks: make(chan string, 1<<10),
		reports: make(chan string, 1<<10), calls: make(chan worker.Call, 1<<10), closed: make(chan error, 1),
	}
	if c.limit == 0 {
		c.limit = 1 << 20
	}
	var err error
	h.link, h.files, err = worker.Open(worker.LinkConfig{Worker: 7, Limit: c.limit, Arena: c.arena, Stdout: &h.stdout, Stderr: &h.stderr, Initialize: c.initialize, Receiver: h})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.end)
	return h
}

// launch starts a worker process, and the link.
func launch(t testing.TB, c config) *host {
	t.Helper()
	h := open(t, c)
	h.run(c)
	return h
}

// run starts the worker process of a link that is open, and the link.
func (h *host) run(c config) {
	h.t.Helper()
	path, err := worker.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	h.process, err = os.StartProcess(path, []string{os.Args[0], "stint-worker"}, &os.ProcAttr{
		Env:   append(worker.Environment(os.Environ()), c.env...),
		Files: h.files,
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.closeFiles()
	h.started = true
	h.link.Start()
}

// serving is launch, and waits until the worker is ready.
func serving(t testing.TB) *host {
	t.Helper()
	h := launch(t, config{})
	h.awaitReady()
	return h
}

func (h *host) closeFiles() {
	for _, f := range h.files {
		f.Close()
	}
	h.files = nil
}

// Ready, Results, Progress, Stack, Called and Closed implement worker.Receiver.
func (h *host) Ready() { close(h.ready) }

func (h *host) Results(results []worker.Result) {
	for _, r := range results {
		r.Value = bytes.Clone(r.Value)
		h.latest = r.ID
		if h.keep && r.Region != nil {
			r.Region.Keep()
		}
		h.results <- r
	}
}

func (h *host) Progress(_ uint16, _ uint64, value []byte) bool {
	if h.reportedAfter == 0 {
		h.reportedAfter = h.latest
	}
	h.reports <- string(value)
	return true
}

func (h *host) Stack(_ uint64, text string) { h.stacks <- text }
func (h *host) Called(c worker.Call) error  { h.calls <- c; return nil }

// Closed takes in what the worker had noted and not sent, as a pool does.
func (h *host) Closed(err error) {
	for _, r := range h.noted() {
		if r.ID > h.latest {
			h.notedLast++
			h.results <- r
		}
	}
	h.closed <- err
	close(h.closed)
	close(h.results)
}

func (h *host) noted() []worker.Result {
	if h.link == nil {
		return nil // the test sees to its link by itself
	}
	return h.link.NotedResults()
}

func (h *host) awaitReady() {
	h.t.Helper()
	select {
	case <-h.ready:
	case err := <-h.closed:
		h.t.Fatalf("closed before it was ready: %v; standard error: %s", err, h.link.StderrTail())
	case <-time.After(patience):
		h.t.Fatal("it did not become ready")
	}
}

// offer sends a task ahead, in the slot of its number.
func (h *host) offer(task, argument string) (id uint64) { return h.offerFor(task, argument, 0) }

func (h *host) offerFor(task, argument string, limit time.Duration) (id uint64) {
	h.mu.Lock()
	h.lastID++
	id = h.lastID
	h.link.Offer(slotOf(id), id, task, limit, []byte(argument))
	h.link.Flush()
	h.mu.Unlock()
	h.link.Flush()
	return id
}

// offerLater offers a task, to be written with the next one.
func (h *host) offerLater(task, argument string) (id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastID++
	h.link.Offer(slotOf(h.lastID), h.lastID, task, 0, []byte(argument))
	return h.lastID
}

func slotOf(id uint64) uint16 { return uint16(id % worker.Slots) }

func (h *host) withdraw(id uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.link.Withdraw(slotOf(id), id)
}

func (h *host) begun(id uint64) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.link.Begun(slotOf(id), id)
}

func (h *host) awaitBegun(id uint64) {
	h.t.Helper()
	eventually(h.t, "the task has begun", func() bool { _, ok := h.begun(id); return ok })
}

// result returns the next result, which is that of id.
func (h *host) result(id uint64) worker.Result {
	h.t.Helper()
	r, ok := receive(h.t, h.results)
	if !ok {
		h.t.Fatalf("the channel ended without the result of task %d; standard error: %s", id, h.link.StderrTail())
	}
	if r.ID != id || r.Slot != slotOf(id) || r.Skipped && (r.Failure != nil || r.Value != nil) || r.Failure != nil && r.Value != nil {
		h.t.Fatalf("result %+v, want that of task %d", r, id)
	}
	return r
}

// value runs a task that succeeds.
func (h *host) value(task, argument string) string {
	h.t.Helper()
	r := h.result(h.offer(task, argument))
	if r.Failure != nil || r.Skipped {
		h.t.Fatalf("task %s: %+v %+v", task, r, r.Failure)
	}
	return string(r.Value)
}

// awaitClosed returns what Closed was told, and asserts that nothing came before
// that has not been looked at.
func (h *host) awaitClosed() error {
	h.t.Helper()
	err, _ := receive(h.t, h.closed)
	for r := range h.results {
		h.t.Errorf("a result that was not expected: %+v", r)
	}
	return err
}

// exit waits for the process's end.
func (h *host) exit() *os.ProcessState {
	h.t.Helper()
	p := h.process
	h.process = nil
	timer := time.AfterFunc(patience, func() {
		h.t.Errorf("the worker did not exit")
		_ = p.Kill()
	})
	defer timer.Stop()
	state, err := p.Wait()
	if err != nil {
		h.t.Fatal(err)
	}
	return state
}

// end ends whatever is left.
func (h *host) end() {
	if h.gone {
		return
	}
	h.gone = true
	h.closeFiles()
	h.link.Close()
	if h.started {
		for range h.results {
		}
		receive(h.t, h.closed)
	}
	if h.process != nil {
		_ = syscall.Kill(-h.process.Pid, syscall.SIGKILL)
		h.exit()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link.Release()
}

// output keeps what is written to it.
type output struct {
	mu     sync.Mutex
	all    bytes.Buffer
	closed int // how often
}

var _ io.WriteCloser = (*output)(nil)

func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed++
	return nil
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// receive returns what comes from c, or fails the test.
func receive[T any](t testing.TB, c <-chan T) (T, bool) {
	t.Helper()
	select {
	case v, ok := <-c:
		return v, ok
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
		panic("unreachable")
	}
}

// eventually waits until condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func (o *output) ends() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}
