package worker

import (
	"crypto/rand"
	"os"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// greet sends the hello: whatever is asked for before the worker runs comes after
// it.
func (l *Link) greet() error {
	if _, err := rand.Read(l.nonce[:]); err != nil {
		return err
	}
	hello, err := wire.AppendHello(nil, wire.Hello{
		Nonce: l.nonce[:], Identity: identity, PID: os.Getpid(), Worker: l.config.Worker, Limit: l.config.Limit,
	})
	if err != nil {
		return err
	}
	l.outbox.send(hello)
	if i := l.config.Initialize; i != nil {
		head := wire.AppendTaskHead(nil, i.Name, i.Limit)
		l.outbox.send(wire.AppendFrame(nil, wire.Header{Kind: wire.KindInitialize}, append(head, i.Argument...)))
	}
	return nil
}

// openFiles opens both ends of everything; what it returns is the worker's,
// also when it fails half-way.
func (l *Link) openFiles() (files []*os.File, err error) {
	open := func(f *os.File, e error) bool {
		if e == nil {
			files = append(files, f)
		}
		err = e
		return e == nil
	}
	if !open(os.Open(os.DevNull)) || !open(l.openStdout()) {
		return files, err
	}
	stderr, workerStderr, e := openOutput(&l.tail, l.config.Stderr)
	if !open(workerStderr, e) {
		return files, err
	}
	l.stderr = stderr
	host, in, out, e := openChannel(l.config.Faults)
	l.channel = host
	for _, end := range []*os.File{in, out} {
		if end != nil {
			files = append(files, end)
		}
	}
	if e != nil {
		return files, e
	}
	if l.outbox, err = newOutbox(host); err != nil {
		return files, err
	}
	if !open(l.share()) {
		return files, err
	}
	mapping, err := l.mapShared(files[len(files)-1], 0, sharedSize)
	if err != nil {
		return files, err
	}
	l.claims, err = newClaimTable(mapping)
	return files, err
}

// share makes the memory that both sides share, with an arena if that can be.
func (l *Link) share() (*os.File, error) {
	if size := arenaSize(l.config.Arena); size > 0 && canShare {
		if file, err := l.createShared(arenaOffset() + size); err == nil {
			mapping, err := l.mapShared(file, arenaOffset(), size)
			if err == nil {
				l.arena = newHostArena(mapping, l.config.Limit)
				return file, nil
			}
			file.Close()
		}
	}
	return l.createShared(sharedSize)
}

// createShared is the function of that name, which a test can have fail.
func (l *Link) createShared(size int) (*os.File, error) {
	if err := fault(l.config.Faults, "memfd_create"); err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return createShared(size)
}

// mapShared is the function of that name, which a test can have fail.
func (l *Link) mapShared(file *os.File, offset, size int) ([]byte, error) {
	if err := fault(l.config.Faults, "mmap"); err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return mapShared(file, offset, size)
}

// openStdout opens what the worker has for standard output.
func (l *Link) openStdout() (workers *os.File, err error) {
	if l.config.Stdout == nil {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	l.stdout, workers, err = openOutput(nil, l.config.Stdout)
	return workers, err
}
