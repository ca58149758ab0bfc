package api

import (
	"bytes"
	"encoding/json"
	"errors"
)

// unmarshal reads JSON in which every name stands once in its object. Of two,
// the decoder would check one and keep parts of both.
func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	return uniqueNames(json.NewDecoder(bytes.NewReader(data)))
}

var errNameTwice = errors.New("a name stands twice in an object")

// uniqueNames reads one value of valid JSON.
func uniqueNames(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := token.(string)
			if seen[name] {
				return errNameTwice
			}
			seen[name] = true
		}
		if err := uniqueNames(d); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing one
	return err
}
