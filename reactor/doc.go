// Package reactor tells a program when processes exit, and how: its children and
// any others, thousands of them, without a thread or a goroutine for each and
// without asking again and again.
//
//	r, err := reactor.New(reactor.Config{})
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//
//	p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
//	if err != nil {
//		return err
//	}
//	exits := make(chan reactor.Exit, 1)
//	if _, err := r.Watch(p, func(e reactor.Exit) { exits <- e }); err != nil {
//		return err
//	}
//	fmt.Println(<-exits) // exited with code 0
//
// One loop waits for all processes. When one has ended the loop reaps it, if it
// is a child of this program, and calls the function that came with the watch,
// once. A status that was lost is told as [Unknown] with the reason; success is
// only what was seen to succeed.
//
// [Watch.Signal] reaches the process that is watched or none. Reaping and
// signalling exclude each other, so a signal cannot meet a later process that has
// the same pid.
//
// [Reactor.NewAlarm] makes an alarm: a timer that is as precise as the system allows,
// for deadlines.
//
// # Who waits
//
// The reactor is the only one who waits for a child that was given to it. A
// program that calls wait4(-1, …) somewhere, or ignores SIGCHLD, takes statuses
// away; on Linux from 6.15 they are told nevertheless. Package os/exec waits for
// its own children: watch none of them.
//
// # Goroutines
//
// [New] starts one, the loop, and [Reactor.Close] returns when it is gone. The
// functions that deliver exits run on it. A watch has no goroutine, and an idle
// reactor does not wake up. [BackendWaiter] is the exception: it has a goroutine
// and a thread for each process, which end with the process and with nothing else.
//
// # Systems
//
// Linux from 5.4 has [BackendPidfd]: a descriptor for each process in an epoll
// set, and about 300 bytes. Where that is refused (an older kernel, a sandbox)
// the reactor polls, and logs why. A single process that cannot have a descriptor,
// because there are none left, is polled until there are; RLIMIT_NOFILE should be
// some hundred higher than the number of watches. Of processes that are not
// children the status is known from Linux 6.15. It exists only once their parent
// has reaped them: the reactor waits 250 ms for that, and then says [ErrUnreaped].
//
// macOS and the BSDs are polled: each process after 0.1 ms, then at intervals that
// double up to 40 ms. A process that is not a child is taken for the same as long
// as its pid exists, since nothing tells a later one from it, and its status is
// unknown.
//
// Windows has [BackendWaiter]. The exit code is known of any process, SIGKILL is
// the only signal, and there are no groups.
//
// STINT_REACTOR=pidfd, poll or waiter in the environment forces a back end where
// [Config] leaves it open.
package reactor
