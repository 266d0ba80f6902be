package worker

import (
	"context"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// progressInterval is how long after a report the next one is sent: a task may
// report as often as it likes.
const progressInterval = 10 * time.Millisecond

// reports are those of the running task that the host is yet to be told: the
// latest. By the server's writing.
type reports struct {
	latest []byte // nil: none
	sent   time.Time
	timer  *time.Timer
}

// Report tells the host how far the task has come whose context ctx is, or is
// derived from; it is a sign of life, too. The first report is sent at once, a
// later one at most every 10 ms, the latest then, and the last before the task's
// result. It returns false if ctx is of no task, or of one that is over. An error
// says that progress has more than 64 KiB.
func Report(ctx context.Context, progress []byte) (bool, error) {
	c, ok := ctx.Value(taskKey{}).(*taskContext)
	if !ok || c.id == initialization {
		return false, nil
	}
	if err := wire.CheckProgress(len(progress)); err != nil {
		return true, err
	}
	c.live()
	c.server.journal.flush()
	return c.server.report(c, progress), nil
}

// report keeps a report, and sends it or sees to it that it is sent.
func (s *server) report(c *taskContext, progress []byte) bool {
	s.writing.Lock()
	defer s.writing.Unlock()
	if c.replied {
		return false
	}
	r := &s.reports
	waiting := r.latest != nil
	r.latest = wire.AppendFrame(nil, wire.Header{Kind: wire.KindProgress, Slot: c.slot, ID: c.id}, progress)
	switch wait := progressInterval - time.Since(r.sent); {
	case waiting: // its time will come
	case wait <= 0:
		s.sendReport()
	case r.timer == nil:
		r.timer = time.AfterFunc(wait, s.reportDue)
	default:
		r.timer.Reset(wait)
	}
	return true
}

// closeReports sends the last report of a task that is over, and takes no more.
func (s *server) closeReports(c *taskContext) {
	s.writing.Lock()
	defer s.writing.Unlock()
	c.replied = true
	s.sendReport()
}

func (s *server) reportDue() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.sendReport()
}

// sendReport sends what the host is yet to be told, if anything. By writing.
func (s *server) sendReport() {
	if s.reports.latest != nil {
		s.writeLocked(s.reports.latest)
		s.reports.latest, s.reports.sent = nil, time.Now()
	}
}
