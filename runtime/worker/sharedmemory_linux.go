package worker

import (
	"os"

	"golang.org/x/sys/unix"
)

// createShared makes size bytes of anonymous memory that can be handed to a
// child as a file. It is sealed at its size, so that no holder can take pages
// away under another's mapping (memfd_create(2), F_SEAL_SHRINK).
func createShared(size int) (*os.File, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err == nil && uint64(size) > limit.Cur {
		return nil, os.NewSyscallError("ftruncate", unix.EFBIG) // the system would send a SIGXFSZ as well
	}
	fd, err := unix.MemfdCreate("stint-claims", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "stint-claims")
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		file.Close()
		return nil, os.NewSyscallError("ftruncate", err)
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		file.Close()
		return nil, os.NewSyscallError("fcntl(F_ADD_SEALS)", err)
	}
	return file, nil
}

// canShare: this system can seal shared memory, and say when there is none left.
const canShare = true

// populate makes pages for memory that has none, in this process, too
// (madvise(2), MADV_POPULATE_WRITE, from Linux 5.14).
func populate(memory []byte) error {
	for {
		err := unix.Madvise(memory, unix.MADV_POPULATE_WRITE)
		if err != unix.EINTR {
			return os.NewSyscallError("madvise(MADV_POPULATE_WRITE)", err)
		}
	}
}
