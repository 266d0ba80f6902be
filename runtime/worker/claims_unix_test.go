//go:build unix

package worker_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/worker"
)

// ledger is memory that a test shares with its worker, through a file: one word
// for each task, which counts how often it ran. It outlives the worker.
type ledger []atomic.Uint64

func openLedger(path string) (ledger, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	mapping, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(mapping))), len(mapping)/8), nil
}

func (l ledger) close() {
	_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(l))), 8*len(l)))
}

// newLedger makes a ledger for n tasks and has the worker open it.
func newLedger(t testing.TB, h *host, n int) ledger {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	if err := os.WriteFile(path, make([]byte, 8*n), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	h.value("open the ledger", path)
	return l
}

func init() {
	var entries ledger
	tasks["open the ledger"] = func(_ context.Context, path []byte) (_ []byte, err error) {
		entries, err = openLedger(string(path))
		return nil, err
	}
	tasks["enter"] = func(_ context.Context, number []byte) ([]byte, error) {
		entries[binary.LittleEndian.Uint64(number)].Add(1)
		return nil, nil
	}
	tasks["enter and linger"] = func(_ context.Context, number []byte) ([]byte, error) {
		entries[binary.LittleEndian.Uint64(number)].Add(1)
		for from := time.Now(); time.Since(from) < 200*time.Microsecond; {
		}
		return nil, nil
	}
}

// hammer offers "enter" tasks and takes some back, and keeps what came of each.
type hammer struct {
	h           *host
	task        string
	ids         map[uint64]uint64 // of those that are with the worker: id → number
	outstanding []uint64          // their ids
	withdrawn   []bool            // by number
	settled     []bool
}

func newHammer(h *host, task string, n int) *hammer {
	return &hammer{h: h, task: task, ids: map[uint64]uint64{}, withdrawn: make([]bool, n), settled: make([]bool, n)}
}

func (m *hammer) offer(number int) {
	id := m.h.offer(m.task, string(binary.LittleEndian.AppendUint64(nil, uint64(number))))
	m.ids[id] = uint64(number)
	m.outstanding = append(m.outstanding, id)
}

// withdraw takes a random task back that is with the worker, if it has not begun.
func (m *hammer) withdraw() {
	id := m.outstanding[rand.IntN(len(m.outstanding))]
	number := m.ids[id]
	before := m.withdrawn[number]
	if m.h.withdraw(id) {
		m.withdrawn[number] = true
		if before {
			m.h.t.Errorf("task %d was taken back twice", number)
		}
	}
	if _, begun := m.h.begun(id); begun == m.withdrawn[number] {
		m.h.t.Errorf("task %d: begun %t, taken back %t", number, begun, m.withdrawn[number])
	}
}

func (m *hammer) settle(r worker.Result) {
	number, ok := m.ids[r.ID]
	if !ok || m.settled[number] {
		m.h.t.Fatalf("result %+v for a task that is not there", r)
	}
	if r.Failure != nil || r.Skipped != m.withdrawn[number] {
		m.h.t.Errorf("task %d: taken back %t, result %+v", number, m.withdrawn[number], r)
	}
	m.settled[number] = true
	delete(m.ids, r.ID)
	m.outstanding = slices.DeleteFunc(m.outstanding, func(id uint64) bool { return id == r.ID })
}

// Exactly one of both: a task that was taken back never runs and is answered by
// Skipped, one that began cannot be taken back and is answered by its result.
func TestClaims(t *testing.T) {
	const n = 100_000
	h := serving(t)
	entries, m := newLedger(t, h, n), newHammer(h, "enter", n)
	for number := 0; number < n || len(m.outstanding) > 0; {
		for number < n && len(m.outstanding) < worker.Slots {
			m.offer(number)
			number++
			if rand.IntN(3) == 0 {
				m.withdraw()
			}
		}
		if len(m.outstanding) > 0 {
			r, _ := receive(t, h.results)
			m.settle(r)
		}
	}
	ran, withdrawn := 0, 0
	for number := range n {
		runs := entries[number].Load()
		if want := map[bool]uint64{true: 0, false: 1}[m.withdrawn[number]]; runs != want || !m.settled[number] {
			t.Errorf("task %d: taken back %t, it ran %d times, and was answered: %t", number, m.withdrawn[number], runs, m.settled[number])
		}
		if m.withdrawn[number] {
			withdrawn++
		} else {
			ran++
		}
	}
	t.Logf("%d ran, %d were taken back", ran, withdrawn)
	if ran < n/10 || withdrawn < n/100 {
		t.Errorf("%d ran and %d were taken back: that says little", ran, withdrawn)
	}
}

// Whenever a worker is killed, at most one task has begun and not told its end;
// all others can be taken back and never ran.
func TestClaimsOfKilledWorker(t *testing.T) {
	const n, rounds = 500, 15
	inFlight := 0
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			h := serving(t)
			entries, m := newLedger(t, h, n), newHammer(h, "enter and linger", n)
			kill := rand.IntN(n)
			for number := range n {
				for len(m.outstanding) > worker.Slots/2 {
					r, ok := receive(t, h.results)
					if !ok {
						break
					}
					m.settle(r)
				}
				if len(m.outstanding) > worker.Slots/2 {
					break // it is dead
				}
				m.offer(number)
				if rand.IntN(4) == 0 {
					m.withdraw()
				}
				if number == kill {
					if err := h.process.Signal(syscall.SIGKILL); err != nil {
						t.Fatal(err)
					}
				}
			}
			for r := range h.results {
				m.settle(r)
			}
			if err := h.awaitClosed(); err != nil {
				t.Errorf("closed with %v", err)
			}
			lost := 0
			for _, id := range slices.Clone(m.outstanding) {
				number := m.ids[id]
				_, begun := h.begun(id)
				runs := entries[number].Load()
				switch {
				case begun && !m.withdrawn[number] && runs <= 1:
					lost++
				case !begun && (m.withdrawn[number] || h.withdraw(id)) && runs == 0:
				default:
					t.Errorf("task %d: begun %t, taken back %t, it ran %d times", number, begun, m.withdrawn[number], runs)
				}
			}
			if lost > 1 {
				t.Errorf("%d tasks had begun and not told their end", lost)
			}
			inFlight += lost
			for number := range n {
				if runs := entries[number].Load(); m.settled[number] && runs != 1 && !m.withdrawn[number] || runs > 1 {
					t.Errorf("task %d ran %d times", number, runs)
				}
			}
		})
	}
	t.Logf("in %d of %d rounds the kill met a task that ran", inFlight, rounds)
	if inFlight == 0 {
		t.Error("that says little")
	}
}

// The time of a task's beginning is by the host's clock.
func TestBegun(t *testing.T) {
	h := serving(t)
	for range 20 {
		before := time.Now()
		id := h.offer("wait", "")
		h.awaitBegun(id)
		after := time.Now()
		at, _ := h.begun(id)
		if at.Before(before.Add(-time.Millisecond)) || at.After(after.Add(time.Millisecond)) {
			t.Errorf("begun %v before it was offered, %v after it was seen", before.Sub(at), at.Sub(after))
		}
		if h.withdraw(id) {
			t.Error("it was taken back after it had begun")
		}
		if _, begun := h.begun(id + 1); begun {
			t.Error("a task that was never offered has begun")
		}
		h.link.Cancel(id, false)
		h.result(id)
	}
}

// A worker can write what it likes into the claim table: what comes of it is an
// answer, never a crash.
func TestHostileClaimTable(t *testing.T) {
	h := open(t, config{})
	file := h.files[5]
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	words := []uint64{0, 1, 2, 3, 4, 1<<2 | 1, 1<<2 | 2, 1<<2 | 3, math.MaxUint64, math.MaxInt64, 1 << 63}
	for range 200 {
		var page []byte
		for len(page) < int(info.Size()) {
			page = binary.NativeEndian.AppendUint64(page, words[rand.IntN(len(words))])
		}
		if _, err := file.WriteAt(page, 0); err != nil {
			t.Fatal(err)
		}
		for id := range uint64(worker.Slots) {
			at, begun := h.begun(id)
			if !begun && !at.IsZero() {
				t.Errorf("not begun, at %v", at)
			}
			_ = time.Since(at)
			if h.withdraw(id); h.withdraw(id) {
				t.Errorf("task %d was taken back twice", id)
			}
		}
	}
}
