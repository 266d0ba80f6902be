package pool

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stint-go/stint/runtime/worker"
)

// This file is about where workers run, and how urgently.

// NoNice, as Config.Nice, leaves workers as urgent as this program.
const NoNice = -1

// checkPlace checks what Config says of the workers' place.
func (c *Config) checkPlace() error {
	for _, check := range []func() error{c.checkNice, c.checkCPUs, c.checkDir, c.checkEnv, c.checkBounds} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkNice() error {
	if c.Nice < NoNice || c.Nice > 19 {
		return &ConfigError{Field: "Nice", Reason: fmt.Sprintf("%d is not from 1 to 19; for none use NoNice", c.Nice)}
	}
	setDefault(&c.Nice, defaultNice)
	c.Nice = max(c.Nice, 0)
	return nil
}

func (c *Config) checkCPUs() error {
	if len(c.CPUs) == 0 {
		return nil
	}
	usable, err := usableCPUs()
	if err != nil {
		return &ConfigError{Field: "CPUs", Reason: err.Error()}
	}
	for _, cpu := range c.CPUs {
		if !slices.Contains(usable, cpu) {
			return &ConfigError{Field: "CPUs", Reason: fmt.Sprintf("this program may not run on CPU %d, but on %v", cpu, usable)}
		}
	}
	c.CPUs = slices.Clone(c.CPUs)
	return nil
}

func (c *Config) checkDir() error {
	if c.Dir == "" {
		return nil
	}
	info, err := os.Stat(c.Dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", c.Dir)
	}
	if err != nil {
		return &ConfigError{Field: "Dir", Reason: err.Error()}
	}
	return nil
}

func (c *Config) checkEnv() error {
	for _, entry := range c.Env {
		switch key, _, ok := strings.Cut(entry, "="); {
		case !ok || key == "" || strings.ContainsRune(entry, 0):
			return &ConfigError{Field: "Env", Reason: fmt.Sprintf("%q is not of the form key=value", entry)}
		case key == worker.EnvironmentKey:
			return &ConfigError{Field: "Env", Reason: key + " is this library's own"}
		}
	}
	c.Env = slices.Clone(c.Env)
	return nil
}

// environment is that of the worker of this number.
func (c *Config) environment(number int) []string {
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	if c.Faults != nil {
		env = worker.StrikesIn(env, c.Faults.Strikes(number))
	}
	return worker.Environment(env)
}
