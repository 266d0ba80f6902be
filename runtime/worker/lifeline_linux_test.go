package worker_test

import "syscall"

// The kernel kills a worker when its host's thread ends, as the spawner asks of
// it. The worker's family must not outlive it then.
func init() { workerAttributes.Pdeathsig = syscall.SIGKILL }
