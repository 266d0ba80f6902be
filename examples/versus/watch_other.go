//go:build unix && !linux

package main

import "log"

// There is no limit to compare with: pidfds are Linux's.

const watchArgument = "watch"

func watchEntrants(int) []entrant { return nil }

func watchMain(string, string) { log.Fatal("only on Linux") }
