package sdls

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// The fields of the procedures that carry keys or prove them, in octets.
const (
	keyBlockLength  = 2 + 32
	challengeLength = 16
	proofLength     = 2 + ivLength + challengeLength + TrailerLength
)

// KeyBlock is a new key with its number, on its way.
type KeyBlock struct {
	ID    uint16
	Value [32]byte
}

// Challenge asks a recipient to prove that it holds a key.
type Challenge struct {
	Key   uint16
	Value [challengeLength]byte
}

func gcm(key [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// OTARPDU is the command that brings new keys, encrypted and authenticated by AES-GCM
// under a master key (§5.4.2). The vector must never be used twice with that key.
func OTARPDU(master Key, iv [ivLength]byte, keys ...KeyBlock) (PDU, error) {
	aead, err := gcm(master.Value)
	if err != nil {
		return PDU{}, fmt.Errorf("encode sdls rekeying: %w", err)
	}
	if len(keys) == 0 {
		return PDU{}, fmt.Errorf("encode sdls rekeying: no keys: %w", ErrNoKey)
	}
	var blocks []byte
	for _, k := range keys {
		blocks = append(binary.BigEndian.AppendUint16(blocks, k.ID), k.Value[:]...)
	}
	data := append(binary.BigEndian.AppendUint16(nil, master.ID), iv[:]...)
	return PDU{Procedure: OTAR, Data: aead.Seal(data, iv[:], blocks, nil)}, nil
}

// openOTAR checks and decrypts the data of a rekeying command.
func (k *Keyring) openOTAR(data []byte) ([]KeyBlock, error) {
	const fixed = 2 + ivLength + TrailerLength
	if n := len(data) - fixed; n < keyBlockLength || n%keyBlockLength != 0 {
		return nil, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrLength, "%d octets are no whole number of keys", len(data))
	}
	id := binary.BigEndian.Uint16(data)
	master, ok := k.keys[id]
	if !ok || !master.Master || master.State != Active {
		return nil, fmt.Errorf("master key %d: %w", id, ErrNoKey)
	}
	aead, err := gcm(master.Value)
	if err != nil {
		return nil, err
	}
	clear, err := aead.Open(nil, data[2:2+ivLength], data[2+ivLength:], nil)
	if err != nil {
		return nil, fmt.Errorf("keys under master key %d: %w", id, ErrForged)
	}
	var blocks []KeyBlock
	for ; len(clear) > 0; clear = clear[keyBlockLength:] {
		blocks = append(blocks, KeyBlock{binary.BigEndian.Uint16(clear), [32]byte(clear[2:keyBlockLength])})
	}
	return blocks, nil
}

// VerifyPDU is the command that asks for proofs (§5.4.5).
func VerifyPDU(challenges ...Challenge) PDU {
	var data []byte
	for _, c := range challenges {
		data = append(binary.BigEndian.AppendUint16(data, c.Key), c.Value[:]...)
	}
	return PDU{Procedure: KeyVerify, Data: data}
}

// prove answers the data of a VerifyPDU: each challenge encrypted under its key. nonce
// gives vectors that are never used twice with that key.
func (k *Keyring) prove(data []byte, nonce func() ([ivLength]byte, error)) ([]byte, error) {
	const asked = 2 + challengeLength
	if len(data) == 0 || len(data)%asked != 0 || len(data)/asked*proofLength > MaxPDUData {
		return nil, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrLength, "%d octets are no whole number of challenges", len(data))
	}
	var reply []byte
	for ; len(data) > 0; data = data[asked:] {
		key, err := k.session(binary.BigEndian.Uint16(data))
		if err != nil {
			return nil, err
		}
		aead, err := gcm(key.Value)
		if err != nil {
			return nil, err
		}
		iv, err := nonce()
		if err != nil {
			return nil, fmt.Errorf("vector for a proof: %w", err)
		}
		reply = append(binary.BigEndian.AppendUint16(reply, key.ID), iv[:]...)
		reply = aead.Seal(reply, iv[:], data[2:asked], nil)
	}
	return reply, nil
}

// CheckProof reports whether the reply to a VerifyPDU proves each of the challenges with
// the keys of k.
func (k *Keyring) CheckProof(reply PDU, challenges ...Challenge) error {
	if !reply.Reply || reply.Procedure != KeyVerify || len(reply.Data) != proofLength*len(challenges) {
		return ccsds.Errorf("sdls procedure", 0, ccsds.ErrLength, "it does not answer %d challenges", len(challenges))
	}
	for i, c := range challenges {
		proof := reply.Data[i*proofLength : (i+1)*proofLength]
		key, err := k.session(c.Key)
		if err != nil {
			return err
		}
		aead, err := gcm(key.Value)
		if err != nil {
			return err
		}
		clear, err := aead.Open(nil, proof[2:2+ivLength], proof[2+ivLength:], nil)
		if err != nil || binary.BigEndian.Uint16(proof) != c.Key || [challengeLength]byte(clear) != c.Value {
			return fmt.Errorf("proof of key %d: %w", c.Key, ErrForged)
		}
	}
	return nil
}
