package process

// AvailableCPUs returns how many CPUs this program may use at once: those that it
// may run on, or less where a control group that it is in, or one above, has a
// quota of CPU time: 1.5 is one and a half.
//
// It is what to size a pool by whose tasks compute. Python has os.process_cpu_count,
// which knows no quotas; Go's runtime.GOMAXPROCS knows them, as whole numbers, and
// never less than 2 of them. Without control groups, and on other systems than
// Linux, it is runtime.NumCPU. It reads a few small files: keep the answer for a
// while, not for ever, as quotas change.
//
// The error is the system's, where it hides the files that it has.
func AvailableCPUs() (float64, error) { return availableCPUs() }
