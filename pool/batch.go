package pool

// batch is the outcome of consecutive items of a map.
type batch[Out any] struct {
	first    int       // the number of its first item in the input, from 0
	outs     []Out     // zero where the item failed
	failures []failure // in the order of their items
}

// failure is the error of one item of a batch.
type failure struct {
	at  int
	err error
}

func failedBatch[Out any](size int, err error) batch[Out] {
	b := batch[Out]{outs: make([]Out, size), failures: make([]failure, size)}
	for i := range b.failures {
		b.failures[i] = failure{i, err}
	}
	return b
}

// take returns an item's outcome and lets go of it. Items are taken in order.
func (b *batch[Out]) take(i int) (out Out, err error) {
	out, b.outs[i] = b.outs[i], out
	if len(b.failures) > 0 && b.failures[0].at == i {
		err, b.failures = b.failures[0].err, b.failures[1:]
	}
	return out, err
}
