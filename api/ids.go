package api

import (
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"net"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/oklog/ulid/v2"
)

// newID makes an id that cannot be guessed; it is no credential all the same.
func newID(prefix string) string {
	return prefix + "_" + ulid.MustNew(ulid.Now(), rand.Reader).String()
}

func unwrap(ctx huma.Context) *gin.Context { return humagin.Unwrap(ctx) }

// isUnreachable tells whether the network or the database's connection failed.
func isUnreachable(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn)
}
