package pool

import "fmt"

// checkPayload says what is wrong with an argument or result of so many bytes.
func (c *Config) checkPayload(size int) error {
	if size > c.MaxPayload {
		return fmt.Errorf("%d bytes are over Config.MaxPayload, %d", size, c.MaxPayload)
	}
	return nil
}

// maxArgument is the largest argument, in bytes, that a process pool accepts.
func (c *Config) maxArgument() int {
	if c.QueueBytes > 0 {
		return min(c.QueueBytes, c.MaxPayload)
	}
	return c.MaxPayload
}

// payloadRoom is what a frame's payload needs beside the argument or result.
const payloadRoom = 4 << 10
