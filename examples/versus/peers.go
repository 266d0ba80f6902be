//go:build unix

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
)

// script is Python's side.
//
//go:embed peers.py
var script string

// peers runs entrants that are other programs.
type peers struct {
	directory string // for what is made of them
	python    string // empty: there is none
	goPeers   string // the program of the other goroutine pools; empty: it cannot be built here
}

// findPeers sees which others can be measured on this machine.
func findPeers(ctx context.Context) (*peers, error) {
	directory, err := os.MkdirTemp("", "stint-versus-")
	if err != nil {
		return nil, err
	}
	p := &peers{directory: directory}
	if python, err := exec.LookPath("python3"); err == nil {
		p.python = python
		if err := os.WriteFile(p.script(), []byte(script), 0o600); err != nil {
			p.close()
			return nil, err
		}
	} else {
		fmt.Fprintln(os.Stderr, "versus: there is no python3; its entrants are left out")
	}
	program := filepath.Join(directory, "peers")
	_, file, _, _ := runtime.Caller(0)
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(filepath.Dir(file), "peers"), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "versus: pond and ants are left out: %v\n%s", err, out)
	} else {
		p.goPeers = program
	}
	return p, nil
}

func (p *peers) close() { _ = os.RemoveAll(p.directory) }

func (p *peers) script() string { return filepath.Join(p.directory, "peers.py") }

// pythons are Python's entrants of a contest, which take a size each; none, if
// there is no Python.
func (p *peers) pythons(contest string, size map[string]int, order ...string) (all []entrant) {
	if p.python == "" {
		return nil
	}
	for _, name := range order {
		all = append(all, entrant{"python " + name, func(ctx context.Context) (figures, error) {
			return program(ctx, p.python, p.script(), contest, name, strconv.Itoa(size[name]))
		}})
	}
	return all
}

// goroutinePools are the Go libraries' entrants.
func (p *peers) goroutinePools(n int, names ...string) (all []entrant) {
	if p.goPeers == "" {
		return nil
	}
	for _, name := range names {
		all = append(all, entrant{name, func(ctx context.Context) (figures, error) {
			return program(ctx, p.goPeers, name, strconv.Itoa(n))
		}})
	}
	return all
}

// program runs an entrant and reads its figures.
func program(ctx context.Context, name string, args ...string) (figures, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	var got figures
	if err := json.Unmarshal(out, &got); err != nil {
		return nil, fmt.Errorf("%w in %q", err, out)
	}
	return got, nil
}
