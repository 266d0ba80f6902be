package pool

import "strings"

// excerptSize is how much of a standard error's tail an error's text shows; the
// whole tail is in its field.
const excerptSize = 1 << 10

// excerpt prepares a standard error's tail for an error's text: the last lines,
// indented, with control characters escaped.
func excerpt(tail string) string {
	tail = strings.TrimRight(tail, "\n")
	if tail == "" {
		return ""
	}
	if len(tail) > excerptSize {
		tail = tail[len(tail)-excerptSize:]
		if cut := strings.IndexByte(tail, '\n'); cut >= 0 {
			tail = tail[cut+1:]
		}
	}
	var b strings.Builder
	b.WriteString("\n\tits standard error ended with:")
	for line := range strings.SplitSeq(tail, "\n") {
		b.WriteString("\n\t| " + printable(line))
	}
	return b.String()
}

// printable replaces what could act on a terminal in a text that a worker sent.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			return '\uFFFD'
		}
		return r
	}, text)
}
