package wire

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Task is the payload of KindTask: what to run and for how long.
type Task struct {
	Name     []byte
	Limit    time.Duration // running time allowed; 0: none
	Argument []byte        // as encoded by Marshal
}

// maxName bounds the length of a task's name.
const maxName = 1 << 10

// AppendTaskHead appends a task's payload up to its argument, which follows it
// on the channel.
func AppendTaskHead(dst []byte, name string, limit time.Duration) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(limit))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(name)))
	return append(dst, name...)
}

// TaskHeadSize is the number of bytes that AppendTaskHead appends.
func TaskHeadSize(name string) int { return 10 + len(name) }

// ParseTask decodes a KindTask payload. Name and Argument alias the
// payload.
func ParseTask(payload []byte) (Task, error) {
	if len(payload) < 10 {
		return Task{}, &Error{What: "task", Reason: fmt.Sprintf("payload of %d bytes is too short", len(payload))}
	}
	limit := int64(binary.LittleEndian.Uint64(payload))
	size := int(binary.LittleEndian.Uint16(payload[8:]))
	rest := payload[10:]
	switch {
	case limit < 0:
		return Task{}, &Error{What: "task", Reason: "negative limit"}
	case size == 0 || size > maxName || size > len(rest):
		return Task{}, &Error{What: "task", Reason: fmt.Sprintf("name of %d bytes", size)}
	}
	return Task{Name: rest[:size], Limit: time.Duration(limit), Argument: rest[size:]}, nil
}

// CheckName says whether a task may bear this name: 1 to 1024 bytes.
func CheckName(name string) error {
	if name == "" || len(name) > maxName {
		return &Error{What: "task", Reason: fmt.Sprintf("a name has 1 to %d bytes, not %d", maxName, len(name))}
	}
	return nil
}

// AppendQuit appends a whole KindQuit frame: limit is how long the worker's
// finalizer may take.
func AppendQuit(dst []byte, limit time.Duration) []byte {
	dst = AppendHeader(dst, Header{Kind: KindQuit, Size: quitSize})
	return binary.LittleEndian.AppendUint64(dst, uint64(limit))
}

const quitSize = 8

// ParseQuit decodes a KindQuit payload.
func ParseQuit(payload []byte) (limit time.Duration, err error) {
	if len(payload) != quitSize {
		return 0, &Error{What: "quit", Reason: fmt.Sprintf("payload of %d bytes", len(payload))}
	}
	limit = time.Duration(binary.LittleEndian.Uint64(payload))
	if limit < 0 {
		return 0, &Error{What: "quit", Reason: "negative limit"}
	}
	return limit, nil
}

// Reason is the payload of KindCancel: why a task's context ends.
type Reason uint8

// The reasons to end a task's context.
const (
	ReasonDeadline Reason = iota + 1 // its time is up: context.DeadlineExceeded
	ReasonCanceled                   // the caller gave up: context.Canceled
)

// ParseReason decodes a KindCancel payload.
func ParseReason(payload []byte) (Reason, error) {
	if len(payload) != 1 || payload[0] < byte(ReasonDeadline) || payload[0] > byte(ReasonCanceled) {
		return 0, &Error{What: "cancel", Reason: fmt.Sprintf("payload % x", payload[:min(len(payload), 8)])}
	}
	return Reason(payload[0]), nil
}
