//go:build unix

package pooltest_test

import "os"

// fewer says that these tests are run beside the plain ones, with a fallback in
// force: a part of them shows what is different there.
var fewer = raceEnabled || os.Getenv("STINT_REACTOR") != ""
