package subprocess

import (
	"os"
	"slices"
	"strings"
)

// environment returns Env with AddEnv, or nil for this program's as it is.
func (c *Cmd) environment() []string {
	if len(c.AddEnv) == 0 {
		return c.Env
	}
	base := c.Env
	if base == nil {
		base = os.Environ()
	}
	last := make(map[string]int, len(base)+len(c.AddEnv))
	all := slices.Concat(base, c.AddEnv)
	for i, entry := range all {
		last[key(entry)] = i
	}
	env := make([]string, 0, len(last))
	for i, entry := range all {
		if last[key(entry)] == i {
			env = append(env, entry)
		}
	}
	return env
}

func key(entry string) string {
	name, _, _ := strings.Cut(entry, "=")
	return name
}
