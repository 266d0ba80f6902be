//go:build unix

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// ours are the entrants that the others are compared with, by the beginning of
// their names: in each contest the first one.
const ours = "stint"

func cut(key string) (entrant, figure string, ok bool) { return strings.Cut(key, "\x00") }

// print prints the contest's table.
func (s *standing) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\n%s\n", s.Contest)
	fmt.Fprintln(w, "\tmedian\tlow – high\t\tstint ÷ it")
	for _, r := range s.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s – %s\t%s\t%s\n", r.Entrant, short(r.Median), short(r.Low), short(r.High), r.Figure, s.ratio(r))
	}
	w.Flush()
	var pairs []string
	for _, r := range s.Rows {
		pairs = append(pairs, fmt.Sprintf("%s=%s", identifier(r.Entrant+" "+r.Figure), short(r.Median)))
	}
	fmt.Fprintf(to, "result: contest=%s %s\n", identifier(s.Contest), strings.Join(pairs, " "))
}

// ratio is how the first of our entrants stands to r.
func (s *standing) ratio(r row) string {
	if strings.HasPrefix(r.Entrant, ours) {
		return ""
	}
	for _, own := range s.Rows {
		if strings.HasPrefix(own.Entrant, ours) && own.Figure == r.Figure {
			return fmt.Sprintf("%.2f", own.Median/r.Median)
		}
	}
	return ""
}

// printAims prints what was to be reached, and a last line with the count.
func printAims(to io.Writer, all []*standing) {
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\naims")
	met, missed := 0, 0
	for _, s := range all {
		for _, a := range s.Aims {
			verdict := "reached"
			if a.Met {
				met++
			} else {
				verdict = "MISSED"
				missed++
			}
			fmt.Fprintf(w, "%s\t%.3g\t%s\n", a.Aim, a.Value, verdict)
		}
	}
	w.Flush()
	fmt.Fprintf(to, "\nresult: contests=%d aims_reached=%d aims_missed=%d\n", len(all), met, missed)
}

// short prints three digits that matter.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprintf("%.3g", v)
}

// identifier makes a name one word.
func identifier(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		case r == 'µ':
			return 'u'
		}
		return '_'
	}, name), "_")
}
