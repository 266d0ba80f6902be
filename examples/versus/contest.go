//go:build unix

package main

import (
	"context"
	"fmt"
	"slices"
)

// contest is something that several entrants do, and what is measured of it.
type contest struct {
	name     string
	entrants []entrant
	aims     []aim
}

// entrant is somebody who takes part. measure returns his figures of one round,
// by their names, which carry the unit.
type entrant struct {
	name    string
	measure func(context.Context) (figures, error)
}

type figures map[string]float64

// aim is what Stint should reach: its figure, as a ratio to somebody's, or as it is
// if there is nobody to compare with.
type aim struct {
	figure string
	by     string // whose figure
	of     string // whose it is compared with; none: nobody's
	least  float64
	most   float64 // not 0: at most this, instead
}

// standing is how a contest went.
type standing struct {
	Contest string  `json:"contest"`
	Rows    []row   `json:"rows"`
	Aims    []score `json:"aims,omitempty"`
}

// row is one figure of one entrant over the rounds.
type row struct {
	Entrant string  `json:"entrant"`
	Figure  string  `json:"figure"`
	Median  float64 `json:"median"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
}

// score is an aim and what became of it.
type score struct {
	Aim   string  `json:"aim"`
	Value float64 `json:"value"`
	Met   bool    `json:"met"`
}

// run measures each entrant once a round, one after the other, so that all meet
// the same noise.
func (c contest) run(ctx context.Context, rounds int) (*standing, error) {
	measured := make(map[string][]float64)
	for range rounds {
		for _, e := range c.entrants {
			got, err := e.measure(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			for figure, value := range got {
				key := e.name + "\x00" + figure
				measured[key] = append(measured[key], value)
			}
		}
	}
	st := &standing{Contest: c.name}
	for _, e := range c.entrants {
		for _, figure := range c.figures(measured) {
			if values := measured[e.name+"\x00"+figure]; len(values) > 0 {
				slices.Sort(values)
				st.Rows = append(st.Rows, row{e.name, figure, values[len(values)/2], values[0], values[len(values)-1]})
			}
		}
	}
	st.score(c.aims)
	return st, nil
}

// figures returns the names of what was measured, sorted.
func (c contest) figures(measured map[string][]float64) (names []string) {
	for key := range measured {
		_, figure, _ := cut(key)
		if !slices.Contains(names, figure) {
			names = append(names, figure)
		}
	}
	slices.Sort(names)
	return names
}

// score compares what was measured with the aims. An entrant who is not there
// (python3 is not installed) leaves his aims out.
func (s *standing) score(aims []aim) {
	for _, a := range aims {
		value, ok := s.median(a.by, a.figure)
		text := fmt.Sprintf("%s: %s", s.Contest, a.figure)
		if a.of != "" {
			of, there := s.median(a.of, a.figure)
			ok = ok && there
			value /= of
			text += fmt.Sprintf(", %s to %s", a.by, a.of)
		}
		if !ok {
			continue
		}
		met := value >= a.least
		if a.most > 0 {
			met = value <= a.most
			text += fmt.Sprintf(", at most %g", a.most)
		} else {
			text += fmt.Sprintf(", at least %g", a.least)
		}
		s.Aims = append(s.Aims, score{text, value, met})
	}
}

func (s *standing) median(entrant, figure string) (float64, bool) {
	for _, r := range s.Rows {
		if r.Entrant == entrant && r.Figure == figure {
			return r.Median, true
		}
	}
	return 0, false
}
