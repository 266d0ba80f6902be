package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

// This file is the contest in watching many children. Each entrant is a process of
// its own, so that its threads are those that it needs.

// watchArgument makes this program one of these: watch ENTRANT N.
const watchArgument = "watch"

// watchers are the entrants: each starts to watch some children, and tells of the
// exit of each.
var watchers = map[string]func(crowd, chan<- struct{}) error{
	"stint":      byReactor,
	"bare epoll": byEpoll,
	"os/exec":    byExec,
}

// watchEntrants are the same for the contest.
func watchEntrants(n int) (all []entrant) {
	for _, name := range []string{"stint", "bare epoll", "os/exec"} {
		all = append(all, entrant{name, func(ctx context.Context) (figures, error) {
			return program(ctx, os.Args[0], watchArgument, name, strconv.Itoa(n))
		}})
	}
	return all
}

// watchMain is the process of an entrant.
func watchMain(name, count string) {
	got, err := watch(name, count)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// watch measures the threads that an entrant needs, and how long it takes until the
// last of its children is reaped when all end at once.
func watch(name, count string) (figures, error) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	children, lifeline, err := newCrowd(n)
	if err != nil {
		return nil, err
	}
	defer lifeline.Close()
	exits := make(chan struct{}, n)
	if err := watchers[name](children, exits); err != nil {
		return nil, err
	}
	time.Sleep(200 * time.Millisecond) // those who wait in threads get there
	threads, err := threads()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	lifeline.Close()
	for range n {
		<-exits
	}
	return figures{"drain ms": microseconds(time.Since(begin)) / 1e3, "threads": threads}, nil
}

// crowd are children that end when the lifeline is cut.
type crowd []*exec.Cmd

func newCrowd(n int) (children crowd, lifeline *os.File, err error) {
	read, lifeline, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer read.Close()
	for range n {
		child := exec.Command("cat")
		child.Stdin = read
		if err := child.Start(); err != nil {
			lifeline.Close()
			return nil, nil, fmt.Errorf("child %d of %d: %w", len(children), n, err)
		}
		children = append(children, child)
	}
	return children, lifeline, nil
}

func byReactor(children crowd, exits chan<- struct{}) error {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		return err
	}
	for _, child := range children {
		if _, err := r.Watch(child.Process, func(reactor.Exit) { exits <- struct{}{} }); err != nil {
			return err
		}
		_ = child.Process.Release()
	}
	return nil
}

// byEpoll is the limit: a thread that waits, reaps and closes.
func byEpoll(children crowd, exits chan<- struct{}) error {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	for _, child := range children {
		fd, err := unix.PidfdOpen(child.Process.Pid, 0)
		if err != nil {
			return err
		}
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return err
		}
		_ = child.Process.Release()
	}
	go func() {
		var events [128]unix.EpollEvent
		for left := len(children); left > 0; {
			n, _ := unix.EpollWait(epoll, events[:], -1)
			for _, e := range events[:max(n, 0)] {
				_ = unix.Waitid(unix.P_PIDFD, int(e.Fd), nil, unix.WEXITED, nil)
				_ = unix.Close(int(e.Fd))
				exits <- struct{}{}
				left--
			}
		}
	}()
	return nil
}

func byExec(children crowd, exits chan<- struct{}) error {
	for _, child := range children {
		go func() {
			_ = child.Wait()
			exits <- struct{}{}
		}()
	}
	return nil
}

// threads are those of this process.
func threads() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(status, []byte("\nThreads:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strconv.ParseFloat(string(bytes.TrimSpace(line)), 64)
}
