// Package cgroup makes control groups of version 2 below this program's own, one
// for each host and in it one for each worker, and ends what is in them.
//
// What a worker starts is in its group from the first instruction on, whatever it
// does (clone3's CLONE_INTO_CGROUP), and one write to cgroup.kill kills all of it
// at once, forks that are under way included. That takes Linux 5.14 and the right
// to make groups: root's, or a subtree that was delegated to the user.
//
// A host's group is locked (flock(2)) for as long as the host lives, in whatever
// pid namespace: so one that can be locked is a dead host's, and swept.
//
// A group can bound the memory and the number of what is in it, too: that of version
// 2, if it has the controllers, or one more in each hierarchy of version 1 that has
// one. There is no cgroup.kill in these: what is in them is killed one by one, and
// found again until nothing is.
//
// # Goroutines
//
// None.
package cgroup
