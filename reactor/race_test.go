//go:build race

package reactor_test

const underRace = true
