//go:build unix

package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// sizes are how much of each there is to do.
type sizes struct {
	tasks, pythonTasks, items, goroutines, trips, kills, children, primes, commands int
	payloads                                                                        []int // MiB
}

func sizesFor(quick bool) sizes {
	if quick {
		return sizes{20_000, 2_000, 200_000, 50_000, 300, 5, 200, 2, 50, []int{16}}
	}
	return sizes{200_000, 10_000, 10_000_000, 500_000, 5_000, 40, 5_000, 8, 500, []int{16, 256}}
}

// contests is the list of them, each with its aims.
func contests(s sizes, p *peers) []contest {
	return slices.Concat(taskContests(s, p), latencyContests(s, p), processContests(s, p), payloadContests(s, p))
}

// taskContests are of how many tasks get done in a second.
func taskContests(s sizes, p *peers) []contest {
	return []contest{
		{
			name: "no-op",
			entrants: append([]entrant{
				{"stint", manyTasks(s.tasks)},
				{"stint one at a time", oneByOne(s.tasks / 10)},
			}, p.pythons("no-op", map[string]int{
				"executor fork": s.pythonTasks, "executor forkserver": s.pythonTasks, "pool apply_async": s.pythonTasks, "pool imap_unordered": 4 * s.pythonTasks,
				"executor map 64": 4 * s.pythonTasks, "pool imap_unordered 64": 20 * s.pythonTasks,
			}, "executor fork", "executor forkserver", "pool apply_async", "pool imap_unordered", "executor map 64", "pool imap_unordered 64")...),
			aims: []aim{
				{figure: "tasks/s", by: "stint one at a time", of: "python executor fork", least: 5},
				{figure: "tasks/s", by: "stint", of: "python executor fork", least: 40},
				{figure: "tasks/s", by: "stint", of: "python pool imap_unordered", least: 10},
			},
		},
		{
			name: "map",
			entrants: append([]entrant{{"stint", mapped(s.items)}}, p.pythons("map", map[string]int{
				"pool map": s.items, "pool map 100000": s.items, "pool imap_unordered 10000": s.items, "executor map 10000": s.items,
			}, "pool map", "pool map 100000", "pool imap_unordered 10000", "executor map 10000")...),
			aims: []aim{{figure: "items/s", by: "stint", of: "python pool map", least: 1}},
		},
		{
			name: "goroutines",
			entrants: append([]entrant{
				{"stint", goroutines(s.goroutines)},
				{"bare channel", bareChannel(s.goroutines)},
			}, p.goroutinePools(s.goroutines, "pond", "ants")...),
			aims: []aim{
				{figure: "tasks/s", by: "stint", of: "pond", least: 1},
				{figure: "tasks/s", by: "stint", of: "ants", least: 1},
			},
		},
	}
}

// latencyContests are of how long one takes.
func latencyContests(s sizes, p *peers) []contest {
	return []contest{
		{
			name: "round trip",
			entrants: append([]entrant{
				{"stint", roundTrips(s.trips)},
				{"bare socket", bareRoundTrips(s.trips)},
			}, p.pythons("round trip", map[string]int{"executor fork": s.trips / 4, "executor forkserver": s.trips / 4}, "executor fork", "executor forkserver")...),
			aims: []aim{
				{figure: "p50 µs", by: "stint", of: "bare socket", most: 2.5},
				{figure: "p50 µs", by: "stint", of: "python executor fork", most: 0.2},
			},
		},
		{
			name:     "round trip beside two spinners",
			entrants: []entrant{{"stint", saturated(s.trips)}},
			aims:     []aim{{figure: "p99 µs", by: "stint", most: 1000}},
		},
		{
			name:     "deadline",
			entrants: []entrant{{"stint", deadlines(s.kills)}, {"bare kill and start", bareKill(s.kills)}},
			aims: []aim{
				{figure: "failed µs", by: "stint", most: 1000},
				{figure: "replaced µs", by: "stint", most: 1000},
			},
		},
	}
}

// processContests are of processes, and of what they make of the processors.
func processContests(s sizes, p *peers) []contest {
	return []contest{
		{
			name:     "watching children",
			entrants: watchEntrants(s.children),
			aims: []aim{
				{figure: "threads", by: "stint", most: 6},
				{figure: "drain ms", by: "stint", of: "bare epoll", most: 1.2},
			},
		},
		{
			name:     "primes",
			entrants: []entrant{{"stint", primes(s.primes)}},
			aims:     []aim{{figure: "of the ceiling", by: "stint", least: 0.95}},
		},
		{
			name: "commands",
			entrants: append([]entrant{
				{"stint", commands(s.commands, ourCommand)},
				{"os/exec", commands(s.commands, execCommand)},
			}, p.pythons("commands", map[string]int{"subprocess": s.commands}, "subprocess")...),
			aims: []aim{{figure: "commands/s", by: "stint", of: "os/exec", least: 1}},
		},
	}
}

// payloadContests are of how many bytes get through in a second.
func payloadContests(s sizes, p *peers) (all []contest) {
	for _, mib := range s.payloads {
		all = append(all, contest{
			name: fmt.Sprintf("payload of %d MiB", mib),
			entrants: append([]entrant{
				{"stint", payloads(mib)},
				{"stint []byte", copiedPayloads(mib)},
				{"memcpy", copying(mib)},
			}, p.pythons("payload", map[string]int{"executor": mib}, "executor")...),
			aims: []aim{
				{figure: "length MiB/s", by: "stint", of: "memcpy", least: 0.7},
				{figure: "length MiB/s", by: "stint", of: "python executor", least: 10},
				{figure: "echo MiB/s", by: "stint", of: "memcpy", least: 0.4},
			},
		})
	}
	return all
}

// primes runs that example, which compares by itself: what a pool makes of the
// processors with what bare processes make of them, with each number so often, which is the
// longer work, and once: a quarter of a second, of which the start of the pool is a tenth.
func primes(repeat int) func(context.Context) (figures, error) {
	return func(ctx context.Context) (figures, error) {
		long, err := runPrimes(ctx, repeat)
		if err != nil {
			return nil, err
		}
		short, err := runPrimes(ctx, 1)
		if err != nil {
			return nil, err
		}
		return figures{
			"speedup": long["speedup"], "ceiling": long["ceiling"], "of the ceiling": long["speedup"] / long["ceiling"],
			"of the ceiling when short": short["speedup"] / short["ceiling"],
		}, nil
	}
}

func runPrimes(ctx context.Context, repeat int) (told figures, err error) {
	_, file, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(ctx, "go", "run", "./primes", "-repeat", strconv.Itoa(repeat))
	cmd.Dir = filepath.Dir(filepath.Dir(file))
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go run ./examples/primes: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	told = make(figures)
	for pair := range strings.FieldsSeq(lines[len(lines)-1]) {
		key, text, _ := strings.Cut(pair, "=")
		if value, err := strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64); err == nil {
			told[key] = value
		}
	}
	return told, nil
}
