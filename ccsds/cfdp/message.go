package cfdp

import (
	"errors"
	"fmt"
	"math"
)

// MessageType says what a reserved message to the user is, 727.0-B-5 §6. The
// entities' users talk to each other by them, in the metadata of a transaction.
type MessageType uint8

// Types of reserved messages.
const (
	MessageProxyPut          MessageType = 0x00
	MessageProxyMessage      MessageType = 0x01
	MessageProxyRequest      MessageType = 0x02 // filestore request
	MessageProxyFault        MessageType = 0x03 // fault handler override
	MessageProxyMode         MessageType = 0x04
	MessageProxyFlowLabel    MessageType = 0x05
	MessageProxySegmentation MessageType = 0x06
	MessageProxyPutResponse  MessageType = 0x07
	MessageProxyResponse     MessageType = 0x08 // filestore response
	MessageProxyCancel       MessageType = 0x09
	MessageOriginating       MessageType = 0x0A
	MessageProxyClosure      MessageType = 0x0B
	MessageListing           MessageType = 0x10
	MessageListingResponse   MessageType = 0x11
	MessageReport            MessageType = 0x20
	MessageReportResponse    MessageType = 0x21
	MessageSuspend           MessageType = 0x30
	MessageSuspendResponse   MessageType = 0x31
	MessageResume            MessageType = 0x38
	MessageResumeResponse    MessageType = 0x39
)

// messageMark opens every reserved message.
const messageMark = "cfdp"

// Message is a reserved message to the user. Which fields count depends on its
// type.
type Message struct {
	Type MessageType

	Dest   EntityID // put: the entity that the file goes to
	First  string   // put: source file; listing and report: directory, or the report's file name
	Second string   // put: destination file; listing: the file that is to hold the listing

	Value []byte // proxy message, filestore request and response, flow label: the value alone

	Mode    Mode      // proxy transmission mode
	Flag    bool      // proxy segmentation control, closure: on; listing, report: it failed; suspend, resume: it is suspended
	Faulty  Condition // fault handler override; put response
	Handler Handler   // fault handler override

	Incomplete bool       // put response
	File       FileStatus // put response
	Status     Status     // report, suspend and resume response

	ID TransactionID // originating, report, suspend, resume
	// Octets of the ids of ID; 0 stands for those of our own transactions.
	EntityLength, SequenceLength uint8
}

// DecodeMessage reads a message to the user. One that is not reserved, or not of
// a type known here, gives ok false.
func DecodeMessage(value []byte) (m Message, ok bool, err error) {
	if len(value) < len(messageMark)+1 || string(value[:len(messageMark)]) != messageMark {
		return Message{}, false, nil
	}
	r := &reader{data: value, at: len(messageMark)}
	m.Type = MessageType(r.u8())
	if !m.decode(r) {
		return Message{}, false, nil
	}
	if err := r.end(); err != nil {
		return Message{}, false, fmt.Errorf("message to the user of type %#02x: %w", uint8(m.Type), err)
	}
	return m, true, nil
}

func (m *Message) decode(r *reader) (known bool) {
	switch m.Type {
	case MessageProxyPut:
		if id := r.lv(); r.err == nil && (len(id) == 0 || len(id) > 8) {
			r.fail(fmt.Sprintf("entity id of %d octets", len(id)))
		} else if r.err == nil {
			m.Dest = EntityID{getUint(id, len(id)), uint8(len(id))}
		}
		m.First, m.Second = string(r.lv()), string(r.lv())
	case MessageProxyMessage, MessageProxyRequest, MessageProxyFlowLabel, MessageProxyResponse:
		m.Value = r.lv()
	case MessageProxyFault:
		b := r.u8()
		m.Faulty, m.Handler = Condition(b>>4), Handler(b&0x0F)
	case MessageProxyMode:
		m.Mode = Mode(r.u8() & 1)
	case MessageProxySegmentation, MessageProxyClosure:
		m.Flag = r.u8()&1 != 0
	case MessageProxyPutResponse:
		b := r.u8()
		m.Faulty, m.Incomplete, m.File = Condition(b>>4), b&0x04 != 0, FileStatus(b&3)
	case MessageProxyCancel:
	case MessageListing:
		m.First, m.Second = string(r.lv()), string(r.lv())
	case MessageListingResponse:
		m.Flag = r.u8()&0x80 != 0
		m.First, m.Second = string(r.lv()), string(r.lv())
	case MessageOriginating, MessageSuspend, MessageResume:
		m.id(r)
	case MessageReport:
		m.id(r)
		m.First = string(r.lv())
	case MessageReportResponse:
		b := r.u8()
		m.Status, m.Flag = Status(b>>6), b&1 != 0
		m.id(r)
	case MessageSuspendResponse, MessageResumeResponse:
		b := r.u8()
		m.Flag, m.Status = b&0x80 != 0, Status(b>>5&3)
		m.id(r)
	default:
		return false
	}
	return true
}

func (m *Message) id(r *reader) {
	b := r.u8()
	m.EntityLength, m.SequenceLength = b>>4&7+1, b&7+1
	if e := r.take(int(m.EntityLength)); e != nil {
		m.ID.Source = getUint(e, len(e))
	}
	if s := r.take(int(m.SequenceLength)); s != nil {
		m.ID.Sequence = getUint(s, len(s))
	}
}

// Append writes the message to dst.
func (m Message) Append(dst []byte) ([]byte, error) {
	start := len(dst)
	dst, err := m.appendTo(append(append(dst, messageMark...), byte(m.Type)))
	if err == nil && len(dst)-start > math.MaxUint8 {
		err = fmt.Errorf("%d octets do not fit a field", len(dst)-start)
	}
	if err != nil {
		return nil, fmt.Errorf("encode message to the user of type %#02x: %w", uint8(m.Type), err)
	}
	return dst, nil
}

func (m Message) appendTo(dst []byte) ([]byte, error) {
	switch m.Type {
	case MessageProxyPut:
		if m.Dest.Length < 1 || m.Dest.Length > 8 {
			return nil, fmt.Errorf("entity id of %d octets", m.Dest.Length)
		}
		dst = appendUint(append(dst, m.Dest.Length), m.Dest.Value, int(m.Dest.Length))
		return m.names(dst)
	case MessageProxyMessage, MessageProxyRequest, MessageProxyFlowLabel, MessageProxyResponse:
		return appendLV(dst, string(m.Value))
	case MessageProxyFault:
		return append(dst, byte(m.Faulty)<<4|byte(m.Handler&0x0F)), nil
	case MessageProxyMode:
		return append(dst, byte(m.Mode&1)), nil
	case MessageProxySegmentation, MessageProxyClosure:
		return append(dst, bit(m.Flag, 1)), nil
	case MessageProxyPutResponse:
		return append(dst, byte(m.Faulty)<<4|bit(m.Incomplete, 0x04)|byte(m.File&3)), nil
	case MessageProxyCancel:
		return dst, nil
	case MessageListing:
		return m.names(dst)
	case MessageListingResponse:
		return m.names(append(dst, bit(m.Flag, 0x80)))
	case MessageOriginating, MessageSuspend, MessageResume:
		return m.appendID(dst)
	case MessageReport:
		dst, err := m.appendID(dst)
		if err != nil {
			return nil, err
		}
		return appendLV(dst, m.First)
	case MessageReportResponse:
		return m.appendID(append(dst, byte(m.Status)<<6|bit(m.Flag, 1)))
	case MessageSuspendResponse, MessageResumeResponse:
		return m.appendID(append(dst, bit(m.Flag, 0x80)|byte(m.Status&3)<<5))
	}
	return nil, errors.New("unknown type")
}

func (m Message) names(dst []byte) ([]byte, error) {
	dst, err := appendLV(dst, m.First)
	if err != nil {
		return nil, err
	}
	return appendLV(dst, m.Second)
}

func (m Message) appendID(dst []byte) ([]byte, error) {
	e, s := m.EntityLength, m.SequenceLength
	setDefault(&e, entityLength)
	setDefault(&s, sequenceLength)
	if e > 8 || s > 8 || e < 8 && m.ID.Source>>(8*e) != 0 || s < 8 && m.ID.Sequence>>(8*s) != 0 {
		return nil, fmt.Errorf("transaction %v does not fit ids of %d and %d octets", m.ID, e, s)
	}
	dst = appendUint(append(dst, (e-1)<<4|(s-1)), m.ID.Source, int(e))
	return appendUint(dst, m.ID.Sequence, int(s)), nil
}
