package store

import (
	"encoding/binary"
	"fmt"

	"belfry/store/uuid"
)

// copyBytes are the rows of the columns in the binary form of Postgres's COPY
// (its manual, "COPY", "Binary Format"): a header, each row as the number of its
// fields and each of these as length and bytes, and an end.
func copyBytes(cols []column) []byte {
	out := append(make([]byte, 0, 64<<10), "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	for i := range cols[0].n {
		out = binary.BigEndian.AppendUint16(out, uint16(len(cols)))
		for _, c := range cols {
			out = c.appendField(out, i)
		}
	}
	return append(out, "\xff\xff"...)
}

func (c column) appendField(out []byte, i int) []byte {
	switch values := c.values.(type) {
	case []uuid.UUID:
		if values[i] == uuid.Nil {
			return appendNull(out)
		}
		return appendBytes(out, values[i][:])
	case []int64:
		return c.appendInteger(out, values[i])
	case []*int64:
		if values[i] == nil {
			return appendNull(out)
		}
		return c.appendInteger(out, *values[i])
	case []string:
		return appendBytes(out, values[i])
	case []*string:
		if values[i] == nil {
			return appendNull(out)
		}
		return appendBytes(out, *values[i])
	case [][]byte:
		if values[i] == nil {
			return appendNull(out)
		}
		return appendBytes(out, values[i])
	case []bool:
		return appendBytes(out, pick(values[i], "\x01", "\x00"))
	}
	panic(fmt.Sprintf("column %s: no field is made of %T", c.name, c.values))
}

func (c column) appendInteger(out []byte, value int64) []byte {
	switch c.pg {
	case "smallint":
		return binary.BigEndian.AppendUint16(append(out, 0, 0, 0, 2), uint16(value))
	case "integer":
		return binary.BigEndian.AppendUint32(append(out, 0, 0, 0, 4), uint32(value))
	}
	return binary.BigEndian.AppendUint64(append(out, 0, 0, 0, 8), uint64(value))
}

func appendBytes[T string | []byte](out []byte, value T) []byte {
	return append(binary.BigEndian.AppendUint32(out, uint32(len(value))), value...)
}

func appendNull(out []byte) []byte { return append(out, "\xff\xff\xff\xff"...) }
