//go:build unix

package pool

const defaultNice = 5
