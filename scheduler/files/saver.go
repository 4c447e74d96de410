package files

// Records is where transfers are kept.
type Records interface {
	Put(bucket, key string, v any) error
	Delete(bucket, key string) error
	Each(bucket string, fn func(key string, read func(v any) error) error) error
}

const bucketTransfers = "cfdp"

// Saver keeps the transfers of the entity among the craft's records.
type Saver struct{ Records Records }

// Save makes a record durable.
func (s Saver) Save(key string, record []byte) error {
	return s.Records.Put(bucketTransfers, key, record)
}

// Delete forgets a record.
func (s Saver) Delete(key string) error { return s.Records.Delete(bucketTransfers, key) }

// Load reads all records. One that is damaged is left out: its transfer begins anew.
func (s Saver) Load() (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.Records.Each(bucketTransfers, func(key string, read func(any) error) error {
		var record []byte
		if read(&record) == nil {
			all[key] = record
		}
		return nil
	})
	return all, err
}
