package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"
)

// crowd is a number of children, each of which sleeps in a read of its stdin.
// They end when the lifeline is cut, and so when this program does in any way.
type crowd struct {
	stdin    *os.File
	lifeline *os.File
	kills    []func() error // of one child each
	exits    chan time.Time // when each was noticed and reaped
	left     int            // whose exit was not received yet
}

// watching starts n children in c and sees to it that their exits are noticed.
// It returns a function that ends the watching, for when they are all gone.
type watching func(c *crowd, n int) (stop func() error, err error)

// outcome is what a trial measured.
type outcome struct {
	figures
	switches int             // context switches while idle
	kills    []time.Duration // from a kill until the exit was noticed
	drain    time.Duration   // from the end of all until the last was noticed
	left     int             // children not reaped
}

func trial(ctx context.Context, n int, idle time.Duration, with watching) (o outcome, err error) {
	debug.FreeOSMemory() // what the last trial used
	c := &crowd{exits: make(chan time.Time, n)}
	if c.stdin, c.lifeline, err = os.Pipe(); err != nil {
		return o, err
	}
	defer c.stdin.Close()
	stop, err := with(c, n)
	c.left = len(c.kills)
	if err == nil {
		err = o.measure(ctx, c, idle)
	}
	o.drain = c.cut()
	o.left = c.left
	if e := stop(); err == nil {
		err = e
	}
	return o, err
}

// measure takes the figures of sleep, then kills some children one by one.
func (o *outcome) measure(ctx context.Context, c *crowd, idle time.Duration) (err error) {
	if err := pause(ctx, 500*time.Millisecond); err != nil { // let them come to rest
		return err
	}
	if o.figures, err = takeFigures(); err != nil {
		return err
	}
	before := contextSwitches()
	if err := pause(ctx, idle); err != nil {
		return err
	}
	o.switches = contextSwitches() - before
	for _, kill := range c.kills[:min(200, (len(c.kills)+1)/2)] {
		begin := time.Now()
		if err := kill(); err != nil {
			return fmt.Errorf("kill a child: %w", err)
		}
		select {
		case at := <-c.exits:
			c.left--
			o.kills = append(o.kills, at.Sub(begin))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// cut ends all children at once and returns how long it took to notice that.
func (c *crowd) cut() time.Duration {
	begin, last := time.Now(), time.Now()
	_ = c.lifeline.Close()
	for overdue := time.After(time.Minute); c.left > 0; c.left-- {
		select {
		case last = <-c.exits:
		case <-overdue:
			return 0
		}
	}
	return last.Sub(begin)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pairs are the outcome's part of the result line.
func (o outcome) pairs(who string) string {
	return fmt.Sprintf("%[1]sthreads=%[2]d %[1]srss_mb=%.1[3]f %[1]sidle_switches=%[4]d %[1]skill_p50_us=%.0[5]f %[1]skill_p99_us=%.0[6]f %[1]sdrain_ms=%.1[7]f",
		who, o.threads, o.rss, o.switches, micros(o.quantile(0.5)), micros(o.quantile(0.99)), millis(o.drain))
}

func (o outcome) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(o.kills))
	return sorted[int(q*float64(len(sorted)-1))]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
