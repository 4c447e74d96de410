package sdls

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

// The known answers: test case 16 of McGrew and Viega's specification of GCM, and the example
// of 16 octets for AES-256 of NIST SP 800-38B.
const (
	gcmKey    = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
	gcmVector = "cafebabefacedbaddecaf888"
	gcmText   = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
	gcmHeader = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
	gcmSealed = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
		"76fc6ece0f4e1768cddf8853bb2d551b"

	cmacKey  = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
	cmacText = "6bc1bee22e409f96e93d7e117393172a"
	cmacMAC  = "28a7023f452e8f82bd4bf28d8c37c35c"
)

// SelfTest computes known answers with the ciphers that protect frames.
func SelfTest() error {
	c := SA{SPI: 1, Algorithm: AESCMAC, Service: Authentication, Layout: DefaultLayout(AESCMAC, Authentication)}
	g := SA{SPI: 1, Layout: DefaultLayout(AESGCM, AuthenticatedEncryption)}
	for _, t := range []struct {
		name                           string
		sa                             SA
		key, vector, text, aad, sealed string
	}{
		{"AES-GCM", g, gcmKey, gcmVector, gcmText, gcmHeader, gcmSealed},
		{"AES-CMAC", c, cmacKey, "", "", cmacText, cmacMAC},
	} {
		t.sa.Key = [32]byte(octets(t.key))
		a, err := newAssociation(t.sa)
		if err != nil {
			return fmt.Errorf("self-test of %s: %w", t.name, err)
		}
		header := append([]byte{0, 1}, octets(t.vector)...)
		if got := a.seal(nil, header, octets(t.aad), octets(t.text)); !bytes.Equal(got, octets(t.sealed)) {
			return fmt.Errorf("self-test of %s: %x, want %s", t.name, got, t.sealed)
		}
		if got, ok := a.open(header, octets(t.aad), octets(t.sealed)); !ok || !bytes.Equal(got, octets(t.text)) {
			return fmt.Errorf("self-test of %s: what it protects does not open", t.name)
		}
	}
	return nil
}

// octets reads one of the constants above.
func octets(s string) []byte {
	b, _ := hex.DecodeString(s) // a wrong constant fails the self-test
	return b
}
