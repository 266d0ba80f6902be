// The Go libraries that examples/versus compares with: a module of its own, so
// that nobody who uses Stint has them among his dependencies.
module github.com/stint-go/stint/examples/versus/peers

go 1.26

require (
	github.com/alitto/pond/v2 v2.7.1
	github.com/panjf2000/ants/v2 v2.12.1
)

require golang.org/x/sync v0.11.0 // indirect
