package worker_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/worker"
)

func init() { helpers["replaced"] = startWorkersOnDemand }

// startWorkersOnDemand starts a worker for each line that it reads, has it do
// something, and writes what came of it.
func startWorkersOnDemand() {
	path, err := worker.Executable()
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		h := &host{ready: make(chan struct{}), results: make(chan worker.Result, 1), closed: make(chan error, 1)}
		link, files, err := worker.Open(worker.LinkConfig{Worker: 1, Limit: 1 << 20, Receiver: h})
		if err != nil {
			panic(err)
		}
		p, err := os.StartProcess(path, os.Args[:1], &os.ProcAttr{Env: worker.Environment(os.Environ()), Files: files})
		if err != nil {
			panic(err)
		}
		for _, f := range files {
			f.Close()
		}
		link.Start()
		link.Offer(0, 1, "echo", 0, lines.Bytes())
		link.Flush()
		link.Flush()
		if r, ok := <-h.results; ok {
			fmt.Printf("worker answered: %s\n", r.Value)
		} else {
			fmt.Printf("closed: %v\n", <-h.closed)
		}
		link.Close()
		<-h.closed
		link.Release()
		if _, err := p.Wait(); err != nil {
			panic(err)
		}
	}
}

// SEC-11: a program whose file was replaced or deleted while it runs still
// starts workers, of its own build.
func TestReplacedBinary(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"another": func(path string) error {
			other := path + ".new"
			if err := os.WriteFile(other, []byte("#!/bin/sh\necho an impostor >&2\n"), 0o700); err != nil {
				return err
			}
			return os.Rename(other, path)
		},
		"a newer build": func(path string) error {
			if err := copyFile(os.Args[0], path+".new"); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"deletion": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "program")
			if err := copyFile(os.Args[0], path); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path)
			cmd.Env = append(os.Environ(), helperKey+"=replaced")
			cmd.Stderr = os.Stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			startFresh(t, cmd)
			defer func() { _ = cmd.Wait() }()
			defer in.Close()
			lines := bufio.NewReader(out)
			ask := func(question string) {
				fmt.Fprintln(in, question)
				if line, err := lines.ReadString('\n'); err != nil || line != "worker answered: "+question+"\n" {
					t.Errorf("%s: %q, %v", question, line, err)
				}
			}
			ask("before")
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			ask("after")
		})
	}
}

// startFresh starts a program that was written a moment ago: a child of another
// fork may hold it open for writing until it executes (golang/go#22315).
func startFresh(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	eventually(t, "the program starts", func() bool {
		err := cmd.Start()
		if err != nil && !strings.Contains(err.Error(), syscall.ETXTBSY.Error()) {
			t.Fatal(err)
		}
		return err == nil
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// SEC-8: the claim table is anonymous memory, sealed at its size: a worker can
// neither take pages away under its host nor make the host hold more.
func TestClaimTableIsSealed(t *testing.T) {
	h := open(t, config{})
	table := h.files[5]
	info, err := table.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{0, info.Size() - 1, info.Size() + 1, 1 << 30} {
		if err := table.Truncate(size); err == nil {
			t.Errorf("its size was changed to %d", size)
		}
	}
	if seals, err := unix.FcntlInt(table.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&unix.F_SEAL_SEAL == 0 {
		t.Errorf("seals %#x, %v", seals, err)
	}
	if link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", table.Fd())); err != nil || !strings.HasPrefix(link, "/memfd:") {
		t.Errorf("it is %s, %v", link, err)
	}
}
