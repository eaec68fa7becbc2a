// Package migrations holds the schema of both databases as goose migrations,
// one folder for each dialect. The two describe the same tables.
package migrations

import "embed"

// Files holds postgres/*.sql and sqlite/*.sql.
//
//go:embed postgres/*.sql sqlite/*.sql
var Files embed.FS
