package subprocess

import (
	"bytes"
	"io"
	"os"
)

// Input is where a command's standard input comes from: [Null], [Inherit], [Pipe],
// [File], [Reader] or [Bytes].
type Input interface{ input() }

// Output is where one of its outputs goes: [Capture], [Null], [Inherit], [Pipe],
// [File], [Writer], [Lines] or, for Stderr, [ToStdout].
type Output interface{ output() }

// Place is an Input and an Output.
type Place uint8

const (
	// Null is /dev/null.
	Null Place = iota
	// Inherit is this program's own stream.
	Inherit
	// Pipe is for [Process.Stdin], [Process.Stdout] and [Process.Stderr].
	Pipe
)

func (Place) input()  {}
func (Place) output() {}

// Sink is an Output.
type Sink uint8

const (
	// Capture keeps what is written, up to [Cmd.OutputLimit], for the [Result].
	Capture Sink = iota
	// ToStdout sends the standard error where the standard output goes.
	ToStdout
)

func (Sink) output() {}

// Opened is an open file, as an Input or an Output.
type Opened struct{ file *os.File }

func (Opened) input()  {}
func (Opened) output() {}

// File gives the command the file itself, at no cost while it runs. The file
// remains the caller's, who may close it as soon as the command has started.
func File(f *os.File) Opened { return Opened{f} }

// handed is a file that the command's start closes.
type handed struct{ file *os.File }

func (handed) input()  {}
func (handed) output() {}

type reader struct{ io.Reader }

func (reader) input() {}

// Reader copies from r until it ends or the command takes no more. An *os.File is
// given to the command itself, as by [File].
func Reader(r io.Reader) Input {
	if f, ok := r.(*os.File); ok {
		return File(f)
	}
	return reader{r}
}

// Bytes is an input with this content. The slice must not change while the
// command runs.
func Bytes(b []byte) Input { return reader{bytes.NewReader(b)} }

type writer struct{ io.Writer }

func (writer) output() {}

// Writer passes on what is written, in a goroutine for each stream. If w fails the
// stream is closed, and a [StreamError] says so. The command has not finished before
// each Write has returned. An *os.File is given to the
// command itself, as by [File].
func Writer(w io.Writer) Output {
	if f, ok := w.(*os.File); ok {
		return File(f)
	}
	return writer{w}
}

type lines struct{ call func(line []byte) }

func (lines) output() {}

// Lines calls f with each line as it is written, in a goroutine for each stream.
// The line comes without its end and is valid during the call. Lines beyond 1 MiB
// come in pieces.
func Lines(f func(line []byte)) Output { return lines{f} }
