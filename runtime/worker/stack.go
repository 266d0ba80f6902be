package worker

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// maxGoroutines is how many goroutines a program may have for the stack of one of
// them to be taken: all of them stand still meanwhile, some microseconds for each.
const maxGoroutines = 10_000

// Goroutine returns the number of the calling goroutine, as in stack traces. It
// costs some microseconds.
func Goroutine() int {
	var header [64]byte
	n, _ := goroutineOf(string(header[:runtime.Stack(header[:], false)]))
	return n
}

// Stack returns the stack of a goroutine of this program, and after it those of
// the goroutines that descend from it: 64 KiB at most, empty if there is no such
// goroutine. It stops the program's goroutines for some microseconds each; with
// more than 10,000 it tells that it does not. Calls that come together share one
// stop, or two.
func Stack(goroutine int) string {
	if n := runtime.NumGoroutine(); n > maxGoroutines {
		return fmt.Sprintf("not taken: that stops the program's goroutines, and there are %d", n)
	}
	return takeDump().family(goroutine)
}

// dump is the stacks of all goroutines at one moment.
type dump struct {
	taken    sync.Once
	traces   map[int]string // by goroutine
	children map[int][]int  // by who started them; 0: unknown
}

// dumps is the one that has not begun to be taken, for all who want one by now.
var dumps struct {
	taking sync.Mutex
	mu     sync.Mutex
	next   *dump
}

// takeDump returns a dump of a moment after the call.
func takeDump() *dump {
	dumps.mu.Lock()
	if dumps.next == nil {
		dumps.next = &dump{}
	}
	d := dumps.next
	dumps.mu.Unlock()
	d.taken.Do(d.take)
	return d
}

func (d *dump) take() {
	dumps.taking.Lock()
	defer dumps.taking.Unlock()
	dumps.mu.Lock()
	dumps.next = nil // who comes now wants a later one
	dumps.mu.Unlock()
	d.traces, d.children = map[int]string{}, map[int][]int{}
	for text := range strings.SplitSeq(allStacks(), "\n\n") {
		if n, ok := goroutineOf(text); ok {
			creator := creatorOf(text)
			d.traces[n] = strings.TrimSuffix(text, "\n")
			d.children[creator] = append(d.children[creator], n)
		}
	}
}

// allStacks returns the stacks of all goroutines, or the first 16 MiB of them. With
// too little room it takes as long, and has to be done again.
func allStacks() string {
	for size := max(256<<10, 1<<10*runtime.NumGoroutine()); ; size *= 4 {
		text := make([]byte, size)
		n := runtime.Stack(text, true)
		if n < size || size >= 16<<20 {
			return string(bytes.TrimRight(text[:n], "\n"))
		}
	}
}

// family returns the trace of a goroutine and those of its descendants. It looks at
// no others: of a thousand tasks that time out together each asks.
func (d *dump) family(root int) string {
	if _, ok := d.traces[root]; !ok {
		return ""
	}
	var texts []string
	size := 0
	for members := []int{root}; len(members) > 0 && size < wire.MaxStack; members = members[1:] {
		text := d.traces[members[0]]
		texts, size = append(texts, text), size+len(text)
		members = append(members, d.children[members[0]]...)
	}
	text := strings.Join(texts, "\n\n")
	return text[:min(len(text), wire.MaxStack)]
}

// goroutineOf reads the number in "goroutine 7 [running]:".
func goroutineOf(text string) (int, bool) {
	rest, ok := strings.CutPrefix(text, "goroutine ")
	number, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(number)
	return n, ok && err == nil
}

// creatorOf reads the number in "created by main.main in goroutine 7", which is in
// the last line but one.
func creatorOf(text string) int {
	_, line, _ := strings.Cut(text[max(0, strings.LastIndex(text, "\ncreated by ")):], " in goroutine ")
	number, _, _ := strings.Cut(line, "\n")
	n, _ := strconv.Atoi(number)
	return n
}
