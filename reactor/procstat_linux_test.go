package reactor

import (
	"os"
	"testing"
)

func TestParseStat(t *testing.T) {
	const tail = " 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 3 0 98765 1000 200 184467"
	for _, test := range []struct {
		line string
		want procStat
		ok   bool
	}{
		{"7 (sleep) S" + tail, procStat{'S', 3, 98765}, true},
		{"7 (a) Z (b)) Z" + tail, procStat{'Z', 3, 98765}, true},
		{"7 (new\nline) R" + tail, procStat{'R', 3, 98765}, true},
		{"7 (short) S 1 2 3", procStat{}, false},
		{"7 (words) S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 three 0 98765 1000", procStat{}, false},
		{"", procStat{}, false},
	} {
		got, err := parseStat([]byte(test.line))
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%q: %+v, %v", test.line, got, err)
		}
	}
	self, err := readStat(os.Getpid())
	if err != nil || self.dead() || self.threads < 1 || self.start == 0 {
		t.Errorf("the program itself: %+v, %v", self, err)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("7 (sleep) S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 98765 1000 200"))
	f.Add([]byte(")"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if s, err := parseStat(line); err != nil && s != (procStat{}) {
			t.Errorf("%+v with %v", s, err)
		}
	})
}
