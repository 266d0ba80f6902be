// Package subprocess runs commands: thousands of them at once without a thread for
// each, killed with all that they started when their time is up, and with what they
// wrote until then.
//
//	r, err := subprocess.Run(ctx, subprocess.Command("git", "rev-parse", "HEAD"))
//	if err != nil {
//		return err
//	}
//	fmt.Printf("%v: %s", r.Exit, r.Stdout) // exited with code 0: 5f1c…
//
// [Run] runs a command to its end, [Start] gives a [Process] to talk to, and
// [Pipeline] connects commands. A [Cmd] says everything about one: where its
// standard streams go, its time limit, its environment.
//
// # The end of a command
//
// Each command leads a process group of its own (or a session: [Cmd.Session]). When it
// has exited by itself, what is left of its group is killed. What is to outlive it has
// to leave the group, as a daemon does, by setsid(2).
//
// At its Timeout, when Run's context ends, and by [Process.KillTree], the command ends
// with all that it has started, also with what has left its group (Linux): its tree is
// stopped for a moment and looked through by the links from child to parent; all of it
// gets SIGTERM, goes on and, after a grace, is looked for again and gets SIGKILL. What
// escapes is a process outside of the group whose parent had ended before the look, as that of a daemon
// which forks twice has: it is init's child by then, and nothing tells whose it was.
//
// A descendant that lives on may still hold a stream of the command. The exit is told at
// once all the same; the stream is read for another [Cmd.OutputDelay], and then
// the output is said to be incomplete: see [StreamError].
//
// A process that the kernel does not let go of, as when a network file system does not
// answer, is not ended by SIGKILL. It is given up 5 s later ([runtime.Config] KillTimeout):
// its streams are cut, and everything returns with an error that matches
// [actors.ErrUnkillable] and says what there is to do.
//
// # Goroutines
//
// A command has one goroutine for each stream that passes through this program:
// Capture, Writer, Lines, Reader and Bytes. They wait in Go's network poller, and
// end with the stream, or OutputDelay after the exit. A command whose streams are
// files, Null or Inherit has none. While a command is being killed there is one more. One that is given a Reader whose Read does not
// return can end before that Read does.
//
// A command that brings no [Cmd.Host] uses the shared one, which lives on for a
// quarter of a second after the last.
//
// # Costs
//
// BenchmarkTrue and BenchmarkGigabyte compare with os/exec in the same run: 1,000
// commands at once need no more threads than one, where os/exec needs a thousand.
//
// # Systems
//
// Unix. On Windows every start fails with [errors.ErrUnsupported].
package subprocess
