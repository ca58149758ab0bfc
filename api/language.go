package api

import (
	"cmp"
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/delivery/words"
)

// Language is one of those that mails and documents are written in.
type Language string

// Schema lists the languages that there are.
func (Language) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Description: "Of mails and documents."}
	for _, tag := range words.Tags() {
		s.Enum = append(s.Enum, tag)
	}
	return s
}

// stored is how rows hold a language: the default one has no name there.
func (l Language) stored() string {
	if l == words.Default {
		return ""
	}
	return string(l)
}

func viewLanguage(stored string) Language { return Language(cmp.Or(stored, words.Default)) }

type languageKey struct{}

// acceptedLanguage is the language that a request's reader prefers.
func acceptedLanguage(ctx context.Context) string {
	tag, _ := ctx.Value(languageKey{}).(string)
	return tag
}

// reader is in what the lines of an answer are described.
func reader(ctx context.Context) *words.Language { return words.In(acceptedLanguage(ctx)) }
