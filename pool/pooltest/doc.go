// Package pooltest has a pool meet with failures, so that a program's own tests
// see what it does then: system calls that fail, exits that are told late,
// workers that are struck at a named step of their lives, and channels that garble
// what they carry.
//
//	var faults pooltest.Faults
//	faults.Strike(1, worker.Strike{Step: worker.StepBegun, Blow: worker.BlowKill})
//	p := faults.NewPool(t, pool.Config{Workers: 2})
//	_, err := resize.Submit(ctx, p, picture).Result(ctx)
//	// errors.Is(err, pool.ErrWorkerDied), if the first worker had it
//
// Whatever goes wrong, a pool keeps its promises: each future settles once, nothing
// that had begun is run again without a Retry, and the pool serves afterwards. The
// tests of this package hold that for every step and every blow; docs/reliability.md
// tells what becomes of the task, the worker, the pool and the caller.
//
// The faults are in the code that ships: there is no build tag and nothing is
// replaced. Where a pool has none, that costs a comparison with nil for each place at
// which one could be.
package pooltest
