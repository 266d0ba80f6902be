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
//	tree.Kill(func(p proctree.Process, why error) { err = errors.Join(err, why) })
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
