package mark

import "testing"

func TestTree(t *testing.T) {
	root := Mark(0xabc) << rootShift
	worker := root.child(7)
	nested := worker.child(most)
	deepest := nested.child(1)
	for _, m := range []Mark{root, worker, nested, deepest} {
		if !m.valid() || !m.Over(m) {
			t.Errorf("%v: valid %t, over itself %t", m, m.valid(), m.Over(m))
		}
	}
	for name, m := range map[string]Mark{
		"none":               0,
		"a number alone":     5,
		"no limit":           Mark(1<<64 - 1),
		"the top bit":        1<<63 | root,
		"a level left out":   root | 1<<shift(2),
		"a low level, alone": root | 1<<shift(3),
	} {
		if m.valid() {
			t.Errorf("%s: %v is taken for a mark", name, m)
		}
	}
	for _, test := range []struct {
		over, below Mark
		toward      Mark // 0: it is not below
	}{
		{root, worker, worker},
		{root, deepest, worker},
		{worker, nested, nested},
		{worker, deepest, nested},
		{worker, root.child(8), 0},
		{worker, root, 0},
		{root, root, 0},
		{root, (root + 1<<rootShift).child(7), 0},
		{deepest, deepest, 0},
	} {
		toward, ok := test.over.Toward(test.below)
		if ok != (test.toward != 0) || toward != test.toward {
			t.Errorf("from %v toward %v: %v, %t", test.over, test.below, toward, ok)
		}
	}
	if s := deepest.String(); s != "abc/7/8191/1" {
		t.Error(s)
	}
}

func TestCalm(t *testing.T) {
	type find struct {
		pid int
		s   State
	}
	for name, test := range map[string]struct {
		looks [][]find // nil: a look that failed
		over  bool
	}{
		"one look":                      {[][]find{{}}, false},
		"two looks":                     {[][]find{{}, {}}, true},
		"one failed":                    {[][]find{{}, nil}, false},
		"one failed between":            {[][]find{{}, nil, {}}, false},
		"one lives":                     {[][]find{{}, {{5, Lives}}}, false},
		"one lived":                     {[][]find{{{5, Lives}}, {}}, false},
		"one has ended meanwhile":       {[][]find{{}, {{5, Zombie}}}, false},
		"had ended at the look before":  {[][]find{{{5, Zombie}}, {{5, Zombie}}, {{5, Zombie}}}, true},
		"another has ended meanwhile":   {[][]find{{{5, Zombie}}, {{5, Zombie}}, {{6, Zombie}}}, false},
		"one vanished under the reader": {[][]find{{}, {{5, Gone}}}, false},
	} {
		var c Calm
		for _, look := range test.looks {
			c.Begin()
			for _, f := range look {
				c.Note(f.pid, f.s)
			}
			c.End(look != nil)
		}
		if c.Over() != test.over {
			t.Errorf("%s: over %t", name, c.Over())
		}
	}
}
