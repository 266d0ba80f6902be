package pool_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// noteAndDie writes into the journal that its worker shares with the host, and dies.
var noteAndDie = pool.NewTask("noteAndDie", func(_ context.Context, l lie) (none, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return none{}, err
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return none{}, err
	}
	defer memory.Close()
	for line := range strings.Lines(string(maps)) {
		var start, journal int64
		if !strings.Contains(line, "/memfd:") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-", &start); err != nil {
			return none{}, err
		}
		journal = start + 8<<10
		_, err1 := memory.WriteAt(l.Journal, journal+24)
		_, err2 := memory.WriteAt(binary.LittleEndian.AppendUint64(nil, l.Length), journal+16)
		_, err3 := memory.WriteAt(make([]byte, 8), journal) // of single tasks
		if err := errors.Join(err1, err2, err3); err != nil {
			return none{}, err
		}
	}
	return none{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
})

// lie is what a worker that was taken over leaves behind.
type lie struct {
	Journal []byte // its results
	Length  uint64 // as it says
}

func lieOf(frames ...[]byte) lie {
	all := slices.Concat(frames...)
	return lie{all, uint64(len(all))}
}

// TestForgedJournal: what a worker leaves behind in the memory that it shares with
// the host concerns no task but those that it has begun, whatever it is.
func TestForgedJournal(t *testing.T) {
	seven := elapsed(1, 7, 0, 0, 0, 0, 0, 0, 0)
	var ofAll [][]byte
	for id := uint64(54); id < 120; id++ { // see below
		for slot := range uint16(30) {
			ofAll = append(ofAll, frame(kindValue, slot, id, seven))
		}
	}
	for name, l := range map[string]lie{
		"results of tasks that it has not begun": lieOf(ofAll...),
		"a length beyond the end":                {nil, 1 << 40},
		"garbage":                                lieOf(slices.Repeat([]byte{0xff}, 1000)),
		"a result in no slot":                    lieOf(frame(kindValue, 65535, 53, seven)),
		"a chunk's":                              lieOf(frame(kindItems, 0, 53, elapsed(1))),
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcessPool(t, pool.Config{Workers: 1})
			for n := range 50 { // one after another: then the pool sends ahead
				value(t, double.Submit(t.Context(), p, n))
			}
			first := workerPID(t, p) // number 51
			stop(t, first)
			before := double.Submit(t.Context(), p, 1)   // number 52
			liar := noteAndDie.Submit(t.Context(), p, l) // number 53: sent with what follows when that is over
			var ahead []*futures.Future[int]
			for n := range 20 {
				ahead = append(ahead, double.Submit(t.Context(), p, n))
			}
			send(t, first, syscall.SIGCONT)
			value(t, before)
			failure[*pool.WorkerError](t, liar)
			for n, f := range ahead {
				if got := value(t, f); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			}
		})
	}
	t.Run("its own result", func(t *testing.T) { // it could have sent that as well
		p := newProcessPool(t, pool.Config{Workers: 1})
		value(t, noteAndDie.Submit(t.Context(), p, lieOf(frame(kindValue, 0, 1, elapsed(1, emptyMap)))))
	})
}
