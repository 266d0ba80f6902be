package pool

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// WithWeights says how heavy each item of a finite input is, in any unit: the
// heaviest begin first, so that none is left to run alone at the end. The input is
// read to its end before the first item begins, and items travel one by one.
// Map still yields in the input's order. There must be as many weights as items,
// and none may be NaN.
func WithWeights(weights []float64) MapOption {
	weights = append([]float64{}, weights...)
	return mapOption(func(s *mapSettings) { s.weights = weights })
}

// checkWeights says what is wrong with the weights.
func (s *mapSettings) checkWeights() error {
	for i, w := range s.weights {
		if w != w {
			return &ConfigError{Field: "WithWeights", Reason: fmt.Sprintf("weight %d is NaN", i)}
		}
	}
	return nil
}

// runByWeight is run where the items have weights.
func (m *mapping[In, Out]) runByWeight(in iter.Seq[In]) {
	items, err := m.gather(in)
	if n := len(m.settings.weights); err == nil && len(items) != n {
		err = &ConfigError{Field: "WithWeights", Reason: fmt.Sprintf("there are %d weights for %d items", n, len(items))}
	}
	if err != nil {
		m.yieldError(err)
		return
	}
	m.order = heaviestFirst(m.settings.weights)
	if m.settings.ordered {
		m.yield = inOrder(len(items), m.yield)
	}
	m.run(func(yield func(In) bool) {
		for _, i := range m.order {
			item := items[i]
			items[i] = *new(In)
			if !yield(item) {
				return
			}
		}
	})
}

// gather reads the input to its end.
func (m *mapping[In, Out]) gather(in iter.Seq[In]) (items []In, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = newInputError(m.task.Name(), len(items), value)
		}
	}()
	for item := range in {
		items = append(items, item)
	}
	return items, nil
}

// heaviestFirst returns the items' numbers, from 0, in the order of their
// beginning.
func heaviestFirst(weights []float64) []int {
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	return order
}

// inOrder returns what passes the results of n items on in their order. What
// concerns no item passes at once.
func inOrder[Out any](n int, yield func(int, Out, error) bool) func(int, Out, error) bool {
	type result struct {
		out Out
		err error
	}
	waiting := make([]*result, n)
	next := 0
	return func(item int, out Out, err error) bool {
		if item == noItem {
			return yield(item, out, err)
		}
		waiting[item] = &result{out, err}
		for next < n && waiting[next] != nil {
			r := waiting[next]
			waiting[next] = nil
			next++
			if !yield(next-1, r.out, r.err) {
				return false
			}
		}
		return true
	}
}
