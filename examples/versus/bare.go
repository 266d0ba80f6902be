//go:build unix

package main

import (
	"context"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// This file is the limits: what the machine does without any pool.

// bareArgument makes this program a mirror.
const bareArgument = "bare-mirror"

// bareMain is a bare process: it sends back what it gets, until the end.
func bareMain() {
	channel, err := net.FileConn(os.NewFile(3, "channel"))
	if err != nil {
		log.Fatal(err)
	}
	_, _ = io.Copy(writerOnly{channel}, channel)
}

// writerOnly keeps io.Copy from using splice(2), which no pool could.
type writerOnly struct{ io.Writer }

// mirror is such a process and the channel to it.
type mirror struct {
	process *exec.Cmd
	channel net.Conn
}

func startMirror() (*mirror, error) {
	own, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer own.Close() // FileConn duplicates it
	defer theirs.Close()
	channel, err := net.FileConn(own)
	if err != nil {
		return nil, err
	}
	m := &mirror{process: exec.Command(os.Args[0], bareArgument), channel: channel}
	m.process.ExtraFiles = []*os.File{theirs}
	m.process.Stderr = os.Stderr
	if err := m.process.Start(); err != nil {
		channel.Close()
		return nil, err
	}
	return m, nil
}

func socketPair() (own, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "own end"), os.NewFile(uintptr(fds[1]), "their end"), nil
}

func (m *mirror) close() {
	m.channel.Close()
	_ = m.process.Wait()
}

// roundTrip sends a message, of about the size of a small task's, there and back.
func (m *mirror) roundTrip() error {
	var message [64]byte
	if _, err := m.channel.Write(message[:]); err != nil {
		return err
	}
	_, err := io.ReadFull(m.channel, message[:])
	return err
}

func bareRoundTrips(n int) func(context.Context) (figures, error) {
	return func(context.Context) (figures, error) {
		m, err := startMirror()
		if err != nil {
			return nil, err
		}
		defer m.close()
		return latencies(n, m.roundTrip)
	}
}

// bareKill starts a process, kills it and waits for it.
func bareKill(n int) func(context.Context) (figures, error) {
	return func(context.Context) (figures, error) {
		var kills, starts []time.Duration
		for range n {
			begin := time.Now()
			m, err := startMirror()
			if err != nil {
				return nil, err
			}
			if err := m.roundTrip(); err != nil {
				return nil, err
			}
			starts = append(starts, time.Since(begin))
			begin = time.Now()
			_ = m.process.Process.Kill()
			_ = m.process.Wait()
			kills = append(kills, time.Since(begin))
			m.channel.Close()
		}
		return figures{"failed µs": microseconds(quantile(kills, 0.5)), "replaced µs": microseconds(quantile(kills, 0.5) + quantile(starts, 0.5))}, nil
	}
}

// copying is memcpy: a payload that somebody else must have costs at least that.
func copying(mib int) func(context.Context) (figures, error) {
	return func(context.Context) (figures, error) {
		from, to := make([]byte, mib<<20), make([]byte, mib<<20)
		for i := range from { // touch every page
			from[i], to[i] = 1, 1
		}
		best := time.Duration(0)
		for range 5 {
			begin := time.Now()
			copy(to, from)
			if took := time.Since(begin); best == 0 || took < best {
				best = took
			}
		}
		rate := float64(mib) / best.Seconds()
		return figures{"length MiB/s": rate, "echo MiB/s": rate}, nil
	}
}

// bareChannel is two goroutines that are fed by a channel.
func bareChannel(n int) func(context.Context) (figures, error) {
	return func(context.Context) (figures, error) {
		begin := time.Now()
		tasks, results := make(chan func() int, 256), make(chan int, 256)
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for task := range tasks {
					results <- task()
				}
			})
		}
		all.Go(func() {
			defer close(tasks)
			for i := range n {
				tasks <- func() int { return i }
			}
		})
		for range n {
			<-results
		}
		all.Wait()
		return figures{"tasks/s": rate(n, begin)}, nil
	}
}
