package worker

import (
	"fmt"
	"os"
	"runtime"
)

// identity says which build this process runs: host and worker must agree on
// it. It names the file that runs, not its content, since hashing tens of
// megabytes would cost more than starting the process.
//
// It is taken when the program starts: later, where there is no lasting link to
// the running file, another may have its name.
var identity = describeBuild()

func describeBuild() string {
	path, err := executable()
	if err != nil {
		return "unknown: " + err.Error()
	}
	info, err := os.Stat(path)
	if err != nil {
		return "unknown: " + err.Error()
	}
	return fmt.Sprintf("%s %d bytes of %s%s", runtime.Version(), info.Size(), info.ModTime().UTC().Format("2006-01-02T15:04:05.000000000Z"), fileNumber(info))
}
