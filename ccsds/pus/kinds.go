package pus

import (
	"fmt"
	"reflect"
	"slices"
)

// Kind names a message: its service, its subtype and which way it goes.
type Kind struct {
	TM      bool // a report; else a request
	Service uint8
	Subtype uint8
}

func (k Kind) String() string {
	if k.TM {
		return fmt.Sprintf("TM[%d,%d]", k.Service, k.Subtype)
	}
	return fmt.Sprintf("TC[%d,%d]", k.Service, k.Subtype)
}

func tcKind(service, subtype uint8) Kind { return Kind{Service: service, Subtype: subtype} }
func tmKind(service, subtype uint8) Kind { return Kind{TM: true, Service: service, Subtype: subtype} }

// None is the body of a message without data.
type None struct{}

// IDs is the body of the many requests that name definitions of their service. No
// identifier at all means all of them where the standard allows that.
type IDs struct{ IDs []uint16 }

// kinds are the messages that EncodeMessage and DecodeMessage know, with the type of
// their body.
var kinds = func() map[Kind]reflect.Type {
	all := make(map[Kind]reflect.Type)
	for _, service := range []map[Kind]any{
		structureMessages, eventMessages, timeMessages, scheduleMessages, testMessages, statisticsMessages, memoryMessages, monitoringMessages, largeMessages, forwardingMessages, storageMessages,
		eventActionMessages, parameterMessages, sequenceMessages, positionMessages, fileMessages,
	} {
		for k, body := range service {
			all[k] = reflect.TypeOf(body)
		}
	}
	return all
}()

// Kinds returns all messages that EncodeMessage and DecodeMessage know, requests first, by
// rising service and subtype.
func Kinds() []Kind {
	var out []Kind
	for k := range kinds {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Kind) int {
		order := func(k Kind) int {
			n := int(k.Service)<<8 | int(k.Subtype)
			if k.TM {
				n |= 1 << 16
			}
			return n
		}
		return order(a) - order(b)
	})
	return out
}

// BodyType is the Go type of a message's body, nil if the message is not known.
func BodyType(k Kind) reflect.Type { return kinds[k] }

// EncodeMessage is Encode of the zero Form.
func EncodeMessage(k Kind, body any) ([]byte, error) { return Form{}.Encode(k, body) }

// DecodeMessage is Decode of the zero Form.
func DecodeMessage(k Kind, data []byte) (any, error) { return Form{}.Decode(k, data) }
