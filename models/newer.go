package models

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"

	"gorm.io/gorm/schema"

	"github.com/okviz/licensing/billing"
)

// written is part of each row whose documents are read, changed and written
// back. While two releases run side by side, the older one would lose the fields
// that it does not know: save refuses that.
type written struct {
	Newer bool `gorm:"-"` // a document has fields that this release does not know
}

// mine tells whether this release may write the row back. Errors:
// billing.ErrNewerRelease.
func (w written) mine() error {
	if w.Newer {
		return billing.ErrNewerRelease
	}
	return nil
}

func init() { schema.RegisterSerializer("document", document{}) }

// document is the JSON of a row that is written back.
type document struct{ schema.JSONSerializer }

func (d document) Scan(ctx context.Context, field *schema.Field, row reflect.Value, stored any) error {
	var text []byte
	switch s := stored.(type) {
	case []byte:
		text = s
	case string:
		text = []byte(s)
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	value := reflect.New(field.FieldType)
	if strict.Decode(value.Interface()) == nil {
		field.ReflectValueOf(ctx, row).Set(value.Elem())
		return nil
	}
	if err := d.JSONSerializer.Scan(ctx, field, row, stored); err != nil {
		return err
	}
	reflect.Indirect(row).FieldByName("Newer").SetBool(len(text) > 0)
	return nil
}
