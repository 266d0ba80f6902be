//go:build unix && !linux

package actors

func (*descriptorList) read() ([]int, error) { return possibleDescriptors(), nil }
