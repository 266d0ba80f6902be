//go:build unix

package pool_test

import (
	"testing"

	"github.com/stint-go/stint/pool"
)

func init() {
	kinds = append(kinds, kind{
		"processes",
		func(t testing.TB, c pool.Config) pool.Pool { return newProcessPool(t, c) },
		func(c pool.Config) (pool.Pool, error) { return pool.NewProcessPool(c) },
	})
}
