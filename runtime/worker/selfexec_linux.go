package worker

// executable names the running binary itself, not its path: the kernel keeps
// the link to the file that was executed, also when another has taken its place
// or it was deleted (proc_pid_exe(5)). The child of a fork resolves it before
// it executes, when it still is its parent's.
func executable() (string, error) { return "/proc/self/exe", nil }
