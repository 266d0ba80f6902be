package wire

import (
	"errors"

	"github.com/fxamacker/cbor/v2"
)

// MaxNesting bounds how deep a decoded value may nest.
const MaxNesting = 32

// maxElements bounds the elements of one array or the pairs of one map. Each
// takes at least one byte, so the frame's limit is the tighter one for most.
const maxElements = 1 << 27

var encoding, decoding = modes()

func modes() (cbor.EncMode, cbor.DecMode) {
	enc, encErr := cbor.EncOptions{
		Time:          cbor.TimeRFC3339Nano,
		IndefLength:   cbor.IndefLengthForbidden,
		NilContainers: cbor.NilContainerAsNull,
		TagsMd:        cbor.TagsForbidden,
		BigIntConvert: cbor.BigIntConvertReject, // needs tags beyond 64 bits
	}.EncMode()
	dec, decErr := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:  MaxNesting,
		MaxArrayElements: maxElements,
		MaxMapPairs:      maxElements,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8DecodeInvalid,
	}.DecMode()
	if err := errors.Join(encErr, decErr); err != nil {
		panic(err) // the options above are constants: they are wrong for everybody or nobody
	}
	return enc, dec
}

// Marshal encodes a value for the channel (RFC 8949). What has no encoding, as
// a channel, a function or a big.Int, is an error.
func Marshal(v any) ([]byte, error) { return encoding.Marshal(v) }

// Unmarshal decodes one value that fills data, trusting nothing: nesting,
// element counts, duplicate keys, tags and lengths are checked. Nothing is
// allocated before all of data has been found well-formed, and then at most one
// element of v's type for each byte.
func Unmarshal(data []byte, v any) error { return decoding.Unmarshal(data, v) }
