package actors

// niceness of what getpriority(2) returns: the system call itself has it from 40
// to 1, since it cannot return a negative number.
func niceness(priority int) int { return 20 - priority }
