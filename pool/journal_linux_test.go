package pool_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime/worker"
)

// noteAndDie writes into the journal that its worker shares with the host, and dies.
var noteAndDie = pool.NewTask("noteAndDie", func(_ context.Context, l lie) (none, error) {
	if err := l.note(); err != nil {
		return none{}, err
	}
	return none{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
})

// noteAndBreach writes into the journal, and then garbage into its worker's channel.
var noteAndBreach = pool.NewTask("noteAndBreach", func(_ context.Context, l lie) (none, error) {
	if err := l.note(); err != nil {
		return none{}, err
	}
	_, err := syscall.Write(channelOut, []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"))
	time.Sleep(time.Hour)
	return none{}, err
})

// noteInAChunk is an item. One that has a lie writes it into the journal and dies.
var noteInAChunk = pool.NewTask("noteInAChunk", func(ctx context.Context, l lie) (int, error) {
	if l.Journal == nil {
		return l.N, nil
	}
	// The results before this one have been sent before a report is.
	if err := errors.Join(pool.Report(ctx, l.N), l.note()); err != nil {
		return 0, err
	}
	return 0, syscall.Kill(os.Getpid(), syscall.SIGKILL)
})

// lie is what a worker that was taken over leaves behind.
type lie struct {
	N       int    // an item's number
	Journal []byte // its results
	Length  uint64 // as it says
	Chunk   uint64 // whose they are; 0: of single tasks
	First   uint64 // which item of the chunk the first is of
	Hides   int    // the slot of a task that it says neither to have begun nor not to have; 0: none
}

// note writes it into the journal of the calling worker.
func (l lie) note() error {
	if l.Hides > 0 {
		ownClaim(l.Hides).word.Store(0)
	}
	at, err := claimsAt()
	if err != nil {
		return err
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	head := binary.LittleEndian.AppendUint64(nil, l.Chunk)
	head = binary.LittleEndian.AppendUint64(head, l.First)
	head = binary.LittleEndian.AppendUint64(head, l.Length)
	const journal = 8 << 10
	_, err = memory.WriteAt(append(head, l.Journal...), int64(at)+journal)
	return err
}

func lieOf(frames ...[]byte) lie {
	all := slices.Concat(frames...)
	return lie{Journal: all, Length: uint64(len(all))}
}

// lyingAhead has a worker run a task that lies, while others were sent ahead. The
// task has the number 53 and stands in slot 0, those behind it from 54 on, from slot 1
// on.
func lyingAhead(t *testing.T, l lie) (liar *futures.Future[none], ahead []*futures.Future[int]) {
	t.Helper()
	p := newProcessPool(t, pool.Config{Workers: 1})
	for n := range 50 { // one after another: then the pool sends ahead
		value(t, double.Submit(t.Context(), p, n))
	}
	first := workerPID(t, p) // number 51
	stop(t, first)
	before := double.Submit(t.Context(), p, 1)  // number 52
	liar = noteAndDie.Submit(t.Context(), p, l) // sent with what follows when that is over
	for n := range 20 {
		ahead = append(ahead, double.Submit(t.Context(), p, n))
	}
	send(t, first, syscall.SIGCONT)
	value(t, before)
	return liar, ahead
}

// TestForgedJournal: what a worker leaves behind in the memory that it shares with
// the host concerns no task but those that it has begun, whatever it is.
func TestForgedJournal(t *testing.T) {
	seven := elapsed(1, 7, 0, 0, 0, 0, 0, 0, 0)
	own := frame(kindValue, 0, 53, elapsed(1, emptyMap)) // of the task that lies
	var ofAll [][]byte
	for id := uint64(54); id < 120; id++ { // see below
		for slot := range uint16(30) {
			ofAll = append(ofAll, frame(kindValue, slot, id, seven))
		}
	}
	for name, l := range map[string]lie{
		"results of tasks that it has not begun": lieOf(ofAll...),
		"a length beyond the end":                {Length: 1 << 40},
		"garbage":                                lieOf(slices.Repeat([]byte{0xff}, 1000)),
		"a result in no slot":                    lieOf(frame(kindValue, 65535, 53, seven)),
		"a chunk's":                              lieOf(frame(kindItems, 0, 53, elapsed(1))),
		"it was skipped":                         lieOf(frame(kindSkipped, 0, 53, nil)),
		"its own behind what is no result":       lieOf(frame(kindStack, 0, 53, nil), own),
		"its own as another chunk's":             {Journal: own, Length: uint64(len(own)), Chunk: 52},
		"its own as its chunk's":                 {Journal: own, Length: uint64(len(own)), Chunk: 53},
	} {
		t.Run(name, func(t *testing.T) {
			liar, ahead := lyingAhead(t, l)
			failure[*pool.WorkerError](t, liar)
			for n, f := range ahead {
				if got := value(t, f); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			}
		})
	}
	// The rest tells that the lies above arrive: of its own task it is believed, as it
	// could have sent that as well.
	atTimes(t, "a result of a task of which it hides whether it has begun", func(t *testing.T) bool {
		l := lieOf(frame(kindValue, 1, 54, seven), own)
		l.Hides = 1
		liar, ahead := lyingAhead(t, l)
		_, err1 := result(t, liar) // from the made-up one on nothing is believed
		got, err2 := result(t, ahead[0])
		if err2 == nil && got != 0 {
			t.Fatalf("double 0 is %d", got)
		}
		for n, f := range ahead[1:] {
			if got := value(t, f); got != 2*(n+1) {
				t.Errorf("double %d is %d", n+1, got)
			}
		}
		return errors.Is(err1, pool.ErrWorkerDied) && errors.Is(err2, pool.ErrWorkerDied)
	})
	atTimes(t, "its own result", func(t *testing.T) bool {
		p := newProcessPool(t, pool.Config{Workers: 1})
		_, err := result(t, noteAndDie.Submit(t.Context(), p, lieOf(frame(kindValue, 0, 1, elapsed(1, emptyMap)))))
		return err == nil
	})
	atTimes(t, "its own result behind one that was told", func(t *testing.T) bool { // so it may stand there: see worker.Link.NotedResults
		p := newProcessPool(t, pool.Config{Workers: 1})
		value(t, double.Submit(t.Context(), p, 1)) // in the same slot
		_, err := result(t, noteAndDie.Submit(t.Context(), p, lieOf(frame(kindValue, 0, 1, seven), frame(kindValue, 0, 2, elapsed(1, emptyMap)))))
		return err == nil
	})
	t.Run("its own result before a breach", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		breach := noteAndBreach.Submit(t.Context(), p, lieOf(frame(kindValue, 0, 1, elapsed(1, emptyMap))))
		var protocol *worker.ProtocolError
		if err := failure[*pool.WorkerError](t, breach); !errors.As(err, &protocol) {
			t.Errorf("got %v", err)
		}
	})
}

// TestForgedItems: nor does what a worker leaves behind concern any item of a chunk
// but those that it has begun and not told.
func TestForgedItems(t *testing.T) {
	const items, liar = 10, 4
	seven := itemResult(7, 0, 0, 0, 0, 0, 0, 0)
	noted := func(first uint64, n int, rest ...byte) lie {
		all := append(slices.Repeat(seven, n), rest...)
		return lie{Journal: all, Length: uint64(len(all)), Chunk: 1, First: first}
	}
	for name, l := range map[string]lie{
		"of items that it has not begun":         noted(4, 2),
		"more than there are":                    noted(4, 20),
		"of items that were told":                noted(0, 2),
		"all of them told":                       noted(0, 4),
		"nothing":                                noted(4, 0),
		"nothing, beyond what was told":          noted(5, 0),
		"one beyond what was told":               noted(5, 1),
		"from before the first":                  noted(1<<64-1, 6),
		"from the least number on":               noted(1<<63, 1),
		"with half a result behind":              noted(4, 1, 200, 0, 0, 0, 1),
		"with four gigabytes behind":             noted(4, 1, 0xff, 0xff, 0xff, 0x7f),
		"of another chunk":                       {Journal: seven, Length: uint64(len(seven)), Chunk: 2, First: 4},
		"a length beyond the end":                {Journal: seven, Length: 1 << 40, Chunk: 1, First: 4},
		"as that of a single task":               lieOf(frame(kindValue, 0, 1, elapsed(1, seven[4:]...))),
		"as those of single tasks":               lieOf(frame(kindItems, 0, 1, elapsed(1, seven...))),
		"the end of the chunk, as single tasks'": lieOf(frame(kindLastItems, 0, 1, elapsed(1, slices.Repeat(seven, items)...))),
	} {
		t.Run(name, func(t *testing.T) {
			p := hostilePool(t, 2)
			all := make([]lie, items)
			for n := range all {
				all[n].N = n
			}
			if l.Journal == nil {
				l.Journal = []byte{}
			}
			l.N, all[liar] = liar, l
			outcomes := collect(noteInAChunk.Map(patient(t), p, slices.Values(all), pool.WithChunkSize(items)))
			if len(outcomes) != items {
				t.Fatalf("%d outcomes", len(outcomes))
			}
			for n, o := range outcomes {
				if n == liar && !errors.Is(o.err, pool.ErrWorkerDied) || n != liar && (o.err != nil || o.out != n) {
					t.Errorf("item %d: %d, %v", n, o.out, o.err)
				}
			}
			if s := p.Stats(); s.Succeeded != items-1 || s.Failed != 1 {
				t.Errorf("the figures: %+v", s)
			}
		})
	}
	atTimes(t, "its own", func(t *testing.T) bool { // so the lies above arrive
		p := hostilePool(t, 2)
		l := noted(0, 1)
		l.N = 1
		all := collect(noteInAChunk.Map(patient(t), p, slices.Values([]lie{l, {N: 2}}), pool.WithChunkSize(2)))
		if len(all) != 2 || all[1].err != nil || all[1].out != 2 {
			t.Fatalf("%v", all)
		}
		return all[0].err == nil && all[0].out == 7
	})
}

// atTimes runs a test until it reports true, and fails if it never does. On a busy
// machine a task is offered twice now and then, or none is sent ahead, and what a
// worker was told to say of it is of another one's slot and number.
func atTimes(t *testing.T, name string, test func(t *testing.T) bool) {
	t.Run(name, func(t *testing.T) {
		for range 30 {
			if test(t) {
				return
			}
		}
		t.Error("never")
	})
}
