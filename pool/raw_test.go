package pool

import "testing"

// TestRawMisfit: bytes that are no whole number of elements are refused, whoever
// sends them.
func TestRawMisfit(t *testing.T) {
	c := codecFor[[]int64]()
	for n := range 17 {
		data := make([]byte, n)
		copied, copyErr := c.decode(data)
		own, ownErr := c.decodeOwn(data)
		if fits := n%8 == 0; (copyErr == nil) != fits || (ownErr == nil) != fits || fits && (len(copied) != n/8 || len(own) != n/8) {
			t.Errorf("%d bytes: %v, %v; %v, %v", n, copied, copyErr, own, ownErr)
		}
	}
}
