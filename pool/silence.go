package pool

import "time"

// This file is the clock of silence on a goroutine pool. A process pool's is in
// deadline.go, with the others.

// programStart is what signs of life are counted from.
var programStart = time.Now()

// live notes a sign of life of a job, if it is the one that runs here.
func (r *runner) live(j *Job) {
	if r.running.Load() == j {
		r.sign.Store(int64(time.Since(programStart)))
	}
}

// listen sets the alarm for a job that begins. Under the lock.
func (r *runner) listen(j *Job) {
	if j.limits.silence == 0 {
		return
	}
	if r.silence.bell == nil {
		r.silence.bell = newTimer(r.silenceRings)
	}
	r.silence.setAt(r.begun.Add(j.limits.silence))
}

// silenceRings gives the running job up if it has been silent for too long, and
// otherwise sets the alarm for when it will have been.
func (r *runner) silenceRings() {
	r.pool.mu.Lock()
	r.silence.at = time.Time{}
	j := r.running.Load()
	if j == nil || j.limits.silence == 0 {
		r.pool.mu.Unlock()
		return
	}
	due := r.lastSign().Add(j.limits.silence)
	over := !time.Now().Before(due)
	if !over {
		r.silence.setAt(due)
	}
	r.pool.mu.Unlock()
	if over {
		r.pool.expire(r, j, &verdict{bound: boundSilence})
	}
}

// lastSign is when the running job has last shown that it lives: at its beginning
// at the latest. Under the lock.
func (r *runner) lastSign() time.Time {
	if sign := programStart.Add(time.Duration(r.sign.Load())); sign.After(r.begun) {
		return sign
	}
	return r.begun
}
