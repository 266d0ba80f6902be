package wire

import (
	"encoding/binary"
	"fmt"
)

// Version is the protocol's version; it changes with any change of a frame.
const Version = 1

// magic stands before every hello, so that a stranger's bytes are known at once.
const magic = "stint\x00"

// NonceSize is the number of random bytes that tie an answer to its question.
const NonceSize = 16

// HelloLimit bounds a hello's payload: nothing larger is read before the other
// side is known.
const HelloLimit = 4 << 10

// Hello opens the channel. The host's hello asks, the worker's repeats the
// nonce and tells who it is.
type Hello struct {
	Nonce    []byte `cbor:"1,keyasint"`
	Identity string `cbor:"2,keyasint"` // which build this is
	PID      int    `cbor:"3,keyasint"`
	Worker   int    `cbor:"4,keyasint"`           // the worker's number in its pool
	Limit    int    `cbor:"5,keyasint"`           // the largest payload of the channel, in bytes
	Arena    int    `cbor:"6,keyasint,omitempty"` // the size of the memory that they share for large payloads; in the answer 0, if the worker cannot use it
}

// AppendHello appends a whole hello frame.
func AppendHello(dst []byte, h Hello) ([]byte, error) {
	body, err := Marshal(h)
	if err != nil {
		return dst, err
	}
	payload := binary.LittleEndian.AppendUint16([]byte(magic), Version)
	return AppendFrame(dst, Header{Kind: KindHello}, append(payload, body...)), nil
}

// ParseHello decodes a hello's payload and checks magic, version and bounds.
func ParseHello(payload []byte) (Hello, error) {
	var h Hello
	if len(payload) > HelloLimit || len(payload) < len(magic)+2 || string(payload[:len(magic)]) != magic {
		return h, &Error{What: "hello", Reason: "the other side does not speak this protocol"}
	}
	if v := binary.LittleEndian.Uint16(payload[len(magic):]); v != Version {
		return h, &Error{What: "hello", Reason: fmt.Sprintf("the other side speaks version %d, this side version %d", v, Version)}
	}
	if err := Unmarshal(payload[len(magic)+2:], &h); err != nil {
		return h, &Error{What: "hello", Reason: err.Error()}
	}
	if len(h.Nonce) != NonceSize || h.PID < 0 || h.Worker < 0 || h.Limit < 0 || h.Arena < 0 {
		return h, &Error{What: "hello", Reason: "a field is out of bounds"}
	}
	return h, nil
}
