//go:build unix && race

package pooltest_test

const raceEnabled = true
