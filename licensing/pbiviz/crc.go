package pbiviz

// A CRC-32 is a remainder of polynomial division over GF(2), so appending n bytes to a
// message multiplies its remainder by x^(8n). That lets the checksum of a whole entry
// be had from those of its parts, without reading the parts again.
//
// Polynomials are held as hash/crc32 holds them: bit 31 is the coefficient of x^0.

const (
	crcPolynomial = 0xedb88320
	crcOne        = 1 << 31 // the polynomial 1
	crcX          = 1 << 30 // the polynomial x
)

// joinCRC returns the IEEE CRC-32 of a message followed by another of secondLen bytes,
// given the CRC-32 of each.
func joinCRC(first, second uint32, secondLen int64) uint32 {
	shift, power := uint32(crcOne), uint32(crcX)
	for bits := uint64(secondLen) * 8; bits > 0; bits >>= 1 { // x^bits by repeated squaring
		if bits&1 != 0 {
			shift = multiply(shift, power)
		}
		power = multiply(power, power)
	}
	return multiply(first, shift) ^ second
}

// multiply returns a × b modulo the CRC's polynomial.
func multiply(a, b uint32) uint32 {
	var product uint32
	for ; a != 0; a <<= 1 {
		if a&crcOne != 0 {
			product ^= b
		}
		if carry := b & 1; carry != 0 { // b × x, reduced
			b = b>>1 ^ crcPolynomial
		} else {
			b >>= 1
		}
	}
	return product
}
