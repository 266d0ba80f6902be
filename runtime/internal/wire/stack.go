package wire

import "fmt"

// MaxStack bounds the text of a KindStack.
const MaxStack = 64 << 10

// AppendStack appends a whole frame that tells where task id is. A longer text is
// cut.
func AppendStack(dst []byte, id uint64, text string) []byte {
	return AppendFrame(dst, Header{Kind: KindStack, ID: id}, []byte(text[:min(len(text), MaxStack)]))
}

// ParseStack decodes a KindStack payload.
func ParseStack(payload []byte) (string, error) {
	if len(payload) > MaxStack {
		return "", &Error{What: "stack", Reason: fmt.Sprintf("%d bytes are over the limit of %d", len(payload), MaxStack)}
	}
	return string(payload), nil
}
