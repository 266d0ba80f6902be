// Package pool runs tasks in pools: of worker processes, which can be killed, or
// of goroutines.
package pool
