// Package docs holds the project's documents, and the tests that keep them and
// the layout of the code true. It exports nothing.
//
// layout_test.go enforces who may import whom and that every package explains
// itself, links_test.go that no document points to a file that is not there,
// conformance_test.go that conformance.md says what the tests show. Each rule
// is a function from a file system to findings: run over the repository, where
// it must find nothing, and over small wrong trees, where it must.
//
// # Goroutines
//
// None.
package docs
