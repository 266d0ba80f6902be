// Package proctree finds what a process has started, by the links from child to parent,
// and stops all of it so that none escapes while it is signalled.
//
//	tree, err := proctree.Freeze(root)
//	if err != nil {
//		tree.Resume()
//		tree.Close()
//		return err
//	}
//	defer tree.Close()
//	for _, m := range slices.Backward(tree.Members) {
//		err = errors.Join(err, m.Signal(syscall.SIGKILL))
//	}
//
// Children are killed before their parents. When a parent ends, and a process group that
// has stopped members has nobody left who could continue them, the kernel does: SIGHUP and
// SIGCONT to all of it (setpgid(2), "orphaned process group"). Where SIGHUP is ignored, as
// under nohup(1), they would go on, and fork, before their own SIGKILL.
//
// That a process is gone is believed of ENOENT and ESRCH alone. All else that reading
// /proc can fail with, for want of descriptors above all, is an error: who took it for
// an end would kill nothing and call that done.
//
// # Goroutines
//
// None.
//
// # Systems
//
// Linux. Elsewhere everything returns [errors.ErrUnsupported].
package proctree
