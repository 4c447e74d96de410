package pus

import "fmt"

// TenantData is the message of service 128: data between a tenant's operators
// and one of its missions. The packet's APID names the tenant. TC[128,1] and
// TM[128,1] carry the user data of one datagram, TM[128,2] console text.
type TenantData struct {
	Mission string
	Data    []byte
}

// Encode returns the message: the mission's name with a u8 length, the data.
func (t TenantData) Encode() ([]byte, error) {
	b, err := appendText8(nil, t.Mission)
	if err != nil {
		return nil, fmt.Errorf("encode tenant data: %w", err)
	}
	return append(b, t.Data...), nil
}

// DecodeTenantData reads the message of service 128. Data refers to data.
func DecodeTenantData(data []byte) (TenantData, error) {
	r := newReader("tenant data", data)
	t := TenantData{Mission: r.text8(), Data: r.rest()}
	return t, r.end()
}
